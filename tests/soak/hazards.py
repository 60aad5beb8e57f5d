"""What happens to the process that indexes, apart from what its node does."""

import resource
from dataclasses import dataclass
from pathlib import Path

CLOCK = Path(__file__).parents[1] / "jumping_clock"


@dataclass(frozen=True)
class Hazard:
    """
    What happens to one process.

    Attributes:
        kill_at: the request, counted from the process's first, after which it is killed; None: not.
        kill_after_seconds: how long after that request.
        room_bytes: how much its files may grow before the disk counts as full; None: no limit.
        jumps: see `sitecustomize.schedule`.
    """

    kill_at: int | None = None
    kill_after_seconds: float = 0
    room_bytes: int | None = None
    jumps: tuple[tuple[float, float, float], ...] = ()


def begin(hazard: Hazard, path: Path) -> None:
    """Fill this process's disk and set its clocks, as the hazard says; the killer is outside."""
    if hazard.room_bytes is not None:
        used = path.stat().st_size if path.exists() else 0
        # Python ignores the signal: a write beyond the limit fails, as on a full disk.
        most = used + hazard.room_bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    if hazard.jumps:
        import sitecustomize

        sitecustomize.schedule(hazard.jumps)


def jumped(hazard: Hazard) -> int:
    """Return how often this process's clocks have jumped."""
    if not hazard.jumps:
        return 0
    import sitecustomize

    return sitecustomize.passed()
