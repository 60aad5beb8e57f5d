"""Runs of the indexer in processes of their own, which can be killed, starved and confused."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Timer

from database_digest import digest
from rig.node import Rig
from rig.runs import Told, hasty, healed, indexed, job_of, patient

from soak.hazards import CLOCK, Hazard, begin, jumped

# Processes are forked from one that has imported everything and used nothing.
_CONTEXT = get_context("forkserver")
_LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """
    How a process ended.

    Attributes:
        told: how the run ended; None where it was killed before.
        exit_code: of the process; negative for a signal.
        jumps: how often its clocks jumped.
        tables: table -> hash, where they were asked for.
    """

    told: Told | None
    exit_code: int
    jumps: int = 0
    tables: dict[str, str] | None = None


def prepare() -> None:
    """Make ready to start processes; call it before the first."""
    folder = str(CLOCK)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{before}" if before else folder
    _CONTEXT.set_forkserver_preload(["soak.runs", "indexer.rpc.transport"])


def tried(rig: Rig, path: Path, hazard: Hazard, settings: dict[str, int | None]) -> Ended:
    """Index in a process to which things happen."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_try, args=(theirs, rig.url, path, hazard, settings))
    process.start()
    theirs.close()
    rig.on_request = _killer(rig, hazard, process.kill)
    try:
        return _ended(process, ours)
    finally:
        rig.on_request = None


def finished(rig: Rig, path: Path, deepest: int) -> Ended:
    """Index to the end in a process left alone, rewinding where that is asked for; with hashes."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_finish, args=(theirs, rig.url, path, deepest))
    process.start()
    theirs.close()
    return _ended(process, ours)


def _killer(rig: Rig, hazard: Hazard, kill: Callable[[], None]) -> Callable[[], None] | None:
    if hazard.kill_at is None:
        return None
    last = rig.requests + hazard.kill_at

    def watch() -> None:
        if rig.requests == last:
            Timer(hazard.kill_after_seconds, kill).start()

    return watch


def _ended(process: BaseProcess, ours: Connection) -> Ended:
    told: tuple[Told, int, dict[str, str] | None] | None = None
    try:
        if ours.poll(_LONGEST_SECONDS):
            told = ours.recv()
    except EOFError:
        pass
    process.join(10 if told else 1)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"a run was not over after {_LONGEST_SECONDS} s")
    if told is None:
        return Ended(None, process.exitcode)
    return Ended(told[0], process.exitcode, told[1], told[2])


def _try(
    pipe: Connection, url: str, path: Path, hazard: Hazard, settings: dict[str, int | None]
) -> None:
    _be_quiet()
    begin(hazard, path)
    told = indexed(job_of(path, **settings), hasty(url))
    pipe.send((told, jumped(hazard), None))


def _finish(pipe: Connection, url: str, path: Path, deepest: int) -> None:
    _be_quiet()
    told = healed(job_of(path), patient(url), deepest)
    pipe.send((told, 0, digest(path)))


def _be_quiet() -> None:
    # What the node does wrong is known and counted here.
    logging.getLogger("indexer").setLevel(logging.ERROR)
