"""What happens under a seed: everything is drawn here, before anything happens."""

from dataclasses import dataclass
from random import Random

from rig.catalogue import FAULTS, of_kind
from rig.exchange import Habits
from rig.fault import Fault, Kind, Planned
from rig.runs import SLOW_SECONDS

from soak.hazards import Hazard

PLAYED: list[Fault] = [
    *of_kind(Kind.SEEN),
    *of_kind(Kind.MOVE),
    *of_kind(Kind.OMISSION),
]
_FEWEST_BLOCKS, _MOST_GROWTH = 100, 12
_DEEPEST_REORG = 90


@dataclass(frozen=True)
class Run:
    """
    One run of the indexer, and what happens before and during it.

    Attributes:
        reorg: how many blocks are replaced before it.
        growth: how many blocks are added before it.
        hazard: what happens to the process.
        settings: of the job.
    """

    reorg: int
    growth: int
    hazard: Hazard
    settings: dict[str, int | None]


@dataclass(frozen=True)
class Schedule:
    """
    What happens under a seed.

    Attributes:
        blocks: how long the chain is at first.
        faults: of the node.
        habits: of the node.
        runs: in order; afterwards everything is sound.
    """

    blocks: int
    faults: tuple[Planned, ...]
    habits: Habits
    runs: tuple[Run, ...]


def schedule(seed: int) -> Schedule:
    """Return what happens under a seed."""
    dice = Random(f"soak {seed}")
    # In turn, so that few seeds meet all faults; the others at random, moves more often.
    chosen = {PLAYED[seed % len(PLAYED)].name, dice.choice(of_kind(Kind.MOVE)).name}
    chosen |= {fault.name for fault in dice.sample(PLAYED, dice.randint(1, 3))}
    return Schedule(
        blocks=dice.randint(_FEWEST_BLOCKS, _FEWEST_BLOCKS + 30),
        faults=tuple(_planned(dice, FAULTS[name]) for name in sorted(chosen)),
        habits=Habits(
            span_limit=dice.randint(8, 60),
            slow_seconds=SLOW_SECONDS,
            call_limit=dice.choice((2, 3, 10, 50)),
        ),
        runs=tuple(_run(dice) for _ in range(dice.randint(2, 3))),
    )


def _planned(dice: Random, fault: Fault) -> Planned:
    return Planned(
        fault,
        rate=dice.choice((0.1, 0.3, 0.3, 0.5, 1.0)),
        most=dice.randint(1, 6),
        after=dice.choice((0, 0, dice.randint(1, 25))),
    )


def _run(dice: Random) -> Run:
    return Run(
        reorg=dice.choice((0, 0, 0, dice.randint(1, 30), dice.randint(1, _DEEPEST_REORG))),
        growth=dice.choice((0, dice.randint(1, _MOST_GROWTH))),
        hazard=_hazard(dice),
        settings={
            "max_span": dice.choice((None, 12, 24, 60)),
            "max_logs": dice.choice((10, 60, 25_000)),
        },
    )


def _hazard(dice: Random) -> Hazard:
    match dice.choice(("none", "kill", "kill", "disk", "clock")):
        case "kill":
            return Hazard(kill_at=dice.randint(1, 30), kill_after_seconds=dice.uniform(0, 0.1))
        case "disk":
            return Hazard(room_bytes=dice.randrange(0, 1_500_000))
        case "clock":
            return Hazard(jumps=tuple(_jump(dice) for _ in range(dice.randint(2, 3))))
        case _:
            return Hazard()


def _jump(dice: Random) -> tuple[float, float, float]:
    wall = dice.choice((-86_400.0, -3_600.0, 30.0, 86_400.0 * 365))
    return dice.uniform(0, 0.4), wall, dice.choice((0.0, 0.5, 90.0, 7_200.0))
