"""
A connection to a database that others may be writing.

A file that a writer holds is waited for, because a writer holds it only while a range commits; and
a writer that waits goes first.
"""

import fcntl
from os import fsencode
from pathlib import Path
from time import monotonic

import duckdb
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from analytics.errors import UserError, WorldError

# How long a reader lets a writer go first: readers that come and go would keep it out for ever.
_COURTESY_SECONDS = 5.0


class _Wanted(Exception):
    """A writer waits for the database."""


def opened(path: Path, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    """
    Return a connection to a DuckDB file, read-only.

    Args:
        path: the file.
        wait_seconds: how long to wait for a writer to finish.

    Raises:
        UserError: it is no DuckDB file.
        WorldError: it has a name that DuckDB cannot read, is damaged, or stays locked.
    """
    if str(path).encode(errors="replace") != fsencode(path):
        raise WorldError(_unusable(path, "its name is not UTF-8"))
    polite_until = monotonic() + min(_COURTESY_SECONDS, wait_seconds / 2)
    attempts = Retrying(
        retry=retry_if_exception(_is_locked),
        stop=stop_after_delay(wait_seconds),
        wait=wait_random_exponential(multiplier=0.05, max=1),
        reraise=True,
    )
    try:
        return attempts(_connected, path, polite_until)
    except duckdb.Error as error:
        if _is_locked(error):
            raise WorldError(
                f"{path} is locked by another process, which did not finish in {wait_seconds:g} s: "
                "try again, or stop that process"
            ) from error
        said = str(error).splitlines()[0]
        if "not a valid DuckDB" in said:
            raise UserError(
                f"{path} is not a DuckDB database: expected a file that `perpscope index` wrote; "
                "name another with --database"
            ) from error
        raise WorldError(_unusable(path, said)) from error


def _unusable(path: Path, why: str) -> str:
    return (
        f"{path} cannot be opened as a perpscope database ({why}): expected a file that "
        "`perpscope index` wrote; name another with --database"
    )


def _connected(path: Path, polite_until: float) -> duckdb.DuckDBPyConnection:
    if monotonic() < polite_until and _is_wanted(path):
        raise _Wanted
    # Where no kind is named DuckDB looks at the first bytes of the file. That ends the locks that
    # this process has on it, and for another kind it looks on the network for what reads it.
    # Of a relative path it takes `:memory:` and `~` for its own words.
    return duckdb.connect(f"duckdb:{path.absolute()}", read_only=True)


def _is_wanted(path: Path) -> bool:
    # A writer that waits holds a lock on <database>.turn; whoever can take it finds nobody waiting.
    try:
        with path.with_name(f"{path.name}.turn").open("rb") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_locked(error: BaseException) -> bool:
    # By another process; or by a writer of this one, which DuckDB says in other words.
    if isinstance(error, _Wanted):
        return True
    if isinstance(error, duckdb.ResourceInUseException):
        return "is already attached" in str(error)
    return isinstance(error, duckdb.IOException) and "lock on file" in str(error)
