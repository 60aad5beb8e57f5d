"""One seed, from its first fault to the comparison at the end."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig.live import BLOCKS, extended, live
from rig.node import Rig, serving
from sync_rig import FIRST

from indexer.simulation.blocks import Block
from soak.runs import Ended, finished, tried
from soak.schedule import Run, schedule

_KILLED = -9


@dataclass
class Outcome:
    """
    What a seed came to.

    Attributes:
        seed: which.
        happened: faults and hazards, and how often each struck.
        endings: how runs ended, and how often.
        failures: what was not as it must be; empty for a seed that passed.
    """

    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    endings: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Undisturbed:
    """The chain at the end of every seed, and the hashes of a database of it."""

    blocks: Sequence[Block]
    tables: dict[str, str]


def undisturbed() -> Undisturbed:
    """Return what every seed must end with."""
    chain = extended((), BLOCKS)
    with tempfile.TemporaryDirectory() as folder, serving(Rig(live(chain))) as rig:
        ended = finished(rig, Path(folder) / "a.duckdb", FIRST)
    if ended.tables is None:
        raise RuntimeError(f"a run without any fault ended with {ended}")
    return Undisturbed(chain, ended.tables)


def play(seed: int, expected: Undisturbed) -> Outcome:
    """Return what a seed came to."""
    plan, outcome = schedule(seed), Outcome(seed)
    chain = live(expected.blocks[: plan.blocks], most=BLOCKS)
    rig = Rig(chain, plan.faults, seed, plan.habits)
    with tempfile.TemporaryDirectory() as folder, serving(rig):
        path = Path(folder) / "a.duckdb"
        for run in plan.runs:
            _move(rig, run, outcome)
            _judge(run, tried(rig, path, run.hazard, run.settings), outcome)
        with rig.answering:
            rig.heal()
            chain.become(expected.blocks)
        _compare(finished(rig, path, FIRST + chain.common - 1), expected, outcome)
    outcome.happened.update(rig.struck)
    return outcome


def _move(rig: Rig, run: Run, outcome: Outcome) -> None:
    with rig.answering:
        if run.reorg:
            rig.live.reorg(run.reorg)
            outcome.happened["reorg_between_runs"] += 1
        rig.live.mine(run.growth)


def _judge(run: Run, ended: Ended, outcome: Outcome) -> None:
    outcome.happened["clock_jumped"] += ended.jumps
    if ended.exit_code == _KILLED and run.hazard.kill_at is not None:
        outcome.happened["killed"] += 1
        outcome.endings["killed"] += 1
    elif ended.told is None or ended.exit_code:
        outcome.failures.append(f"a run ended with exit code {ended.exit_code}")
    else:
        is_full = run.hazard.room_bytes is not None and ended.told.error == "DatabaseUnusable"
        outcome.happened["disk_full"] += is_full
        outcome.endings[ended.told.error or "done"] += 1


def _compare(ended: Ended, expected: Undisturbed, outcome: Outcome) -> None:
    if ended.told is None or ended.told.error or ended.tables is None:
        outcome.failures.append(f"the last run, without any fault, ended with {ended.told}")
        return
    tables = sorted(
        name for name, found in ended.tables.items() if found != expected.tables.get(name)
    )
    if tables:
        outcome.failures.append(f"other rows than without faults in {', '.join(tables)}")
