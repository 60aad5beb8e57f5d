"""
Turns: readers that come and go all the time must not keep a writer waiting for ever.

DuckDB lets readers in as long as another reader is in. So a writer that finds the database in use
locks `<database>.turn` while it waits, and readers that find it locked let the writer go first, for
a few seconds. It is courtesy only, between programs of ours; what keeps the file whole is DuckDB's
own lock.
"""

import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock, Timer

import duckdb

_LOGGER = logging.getLogger(__name__)

_SILENT_SECONDS = 1.0

_HOLDER = re.compile(r"PID (\d+)")

COURTESY_SECONDS = 5.0
"""How long a reader lets writers go first; a long report of another reader may be in their way."""

reading = RLock()
"""
Held by whoever of this process reads a database, one at a time.

DuckDB's lock on a file belongs to the process, and ends for all of it with the first who closes the
file: other processes would write under the readers that are left.
"""


@contextmanager
def reading_alone(path: Path) -> Iterator[None]:
    """Hold `reading` while the block runs; whoever waits for it longer than a second says so."""
    if not reading.acquire(timeout=_SILENT_SECONDS):
        _say(path, "a report or another task of this process reads")
        reading.acquire()
    try:
        yield
    finally:
        reading.release()


def holder(error: BaseException | None) -> str:
    """Return who has a database open, as DuckDB's error has it."""
    if isinstance(error, duckdb.ResourceInUseException):
        return "this process"
    found = _HOLDER.search(str(error))
    return f"process {found[1]}" if found else "another process"


@contextmanager
def waiting(path: Path, who: str, *, is_writer: bool) -> Iterator[None]:
    """
    Wait for a database while the block runs: writers ask readers to let them go first.

    That it is waited for, and who has it, is said after a second.
    """
    late = Timer(_SILENT_SECONDS, _say, (path, f"{who} has open"))
    late.daemon = True
    late.start()
    try:
        with wish(path) if is_writer else nullcontext():
            yield
    finally:
        late.cancel()


def _say(path: Path, what: str) -> None:
    _LOGGER.warning("waiting for %s, which %s", path, what)


@contextmanager
def wish(path: Path) -> Iterator[None]:
    """Ask readers to let us go first, while the block runs."""
    turn = _turn(path)
    try:
        number = os.open(turn, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:  # then it takes luck, as without the wish
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        with suppress(OSError):
            turn.unlink()
        os.close(number)


def is_wanted(path: Path) -> bool:
    """Tell whether a writer waits for the database."""
    try:
        number = os.open(_turn(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(number)
    return False


def _turn(path: Path) -> Path:
    return path.with_name(f"{path.name}.turn")
