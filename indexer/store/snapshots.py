"""
A consistent copy of the database for readers, published by atomic rename.

The file itself is copied, by a process of its own, while this one reads the database: readers of
the original are never in the way of it, and writers wait. DuckDB's `copy from database` gives the
same tables; for 2 million logs it took 5 s where copying the file took 0.2 s.

DuckDB's lock belongs to the process and is lost as soon as the process closes the file anywhere,
so the file must not be opened here by other means than DuckDB.
"""

import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from indexer.errors import DatabaseBusy, DatabaseUnusable, UserError, WorldError
from indexer.store.connection import (
    WAIT_SECONDS,
    delete,
    insert,
    is_protected,
    open_database,
    select,
)
from indexer.store.creation import log_of, remove
from indexer.store.locks import held
from indexer.store.turns import reading
from indexer.tables import columns_of, now

_WAIT_SECONDS = 60.0
_COPY = "import shutil, sys; shutil.copyfile(*sys.argv[1:])"


@dataclass(frozen=True)
class Snapshot:
    """
    A published copy, as rows of `snapshots` tell it.

    Attributes:
        number: rises by one with each publication.
        published_at: UTC.
        is_copy: whether it was read from a copy, or from the database the copy was made of.
    """

    number: int
    published_at: datetime
    is_copy: bool


def publish(path: Path, target: Path) -> Snapshot:
    """
    Put a copy of the database in the place of `target`, whole or not at all, and say which it is.

    A reader that has the old copy open keeps it; whoever opens it afterwards sees the new one.

    Args:
        path: the database; its `snapshots` counts the publications.
        target: the copy; what was there is replaced.

    Raises:
        DatabaseBusy: another process held the database, or published, all the time.
        DatabaseUnusable: the copy cannot be made; what was there is as before.
    """
    place = target.resolve()  # what a link stands for is replaced, not the link
    fresh = place.with_name(f"{place.name}.new")
    # One at a time: the numbers that readers see must rise.
    with held(place.with_name(f"{place.name}.lock"), wait_seconds=_WAIT_SECONDS):
        remove(fresh)
        try:
            snapshot = _counted(path)
            written_at = _copy(path, fresh, target)
            _label(fresh)
            os.utime(fresh, ns=(written_at, written_at))
            _put(fresh, place)
        except (duckdb.Error, OSError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
            raise _unpublished(target, said) from error
        finally:
            remove(fresh)
    return snapshot


def is_replaceable(target: Path) -> bool:
    """
    Return whether what is at a path is a copy that was published, or no file.

    Raises:
        DatabaseBusy: another process held it all the time.
        DatabaseUnusable: it cannot be read.
    """
    if not target.exists():
        return True
    if not target.is_file():  # a folder, a device
        return False
    # Copies are made so that nobody writes to them, as a user protects a file of his own.
    is_closed = is_protected(target)
    patience = 0 if is_closed else WAIT_SECONDS
    try:
        opened = open_database(target, read_only=True, wait_seconds=patience)
        with closing(opened) as connection:
            snapshot = read_snapshot(connection)
    except UserError:  # no database of ours
        return False
    except WorldError:  # a copy that is damaged, or that somebody has open to write to all the same
        if is_closed:
            return True
        raise
    return snapshot is not None and snapshot.is_copy


def is_published(path: Path, target: Path) -> bool:
    """
    Return whether nothing was written to the database since the copy was made of it.

    A copy that could not be made, or a run that was killed before it, leaves one that is older; so
    does whatever else writes: an import, a repair, an audit, facts that were derived again.
    """
    try:
        return _written_at(target) == _written_at(path) and not log_of(path).exists()
    except OSError:  # there is none
        return False


def read_snapshot(connection: duckdb.DuckDBPyConnection) -> Snapshot | None:
    """Return which copy this is, or was published last; None before the first."""
    rows = select(connection, "snapshots", "true", [])
    return None if rows.is_empty() else Snapshot(*rows.row(0))


def _counted(path: Path) -> Snapshot:
    with closing(open_database(path)) as connection:
        connection.begin()
        last = read_snapshot(connection)
        snapshot = Snapshot(last.number + 1 if last else 1, now(), is_copy=False)
        row = (snapshot.number, snapshot.published_at, snapshot.is_copy)
        delete(connection, "snapshots", "true", [])
        insert(connection, "snapshots", pl.DataFrame([row], columns_of("snapshots"), orient="row"))
        connection.commit()
        connection.execute("checkpoint")  # closing would keep silent about a full disk
    return snapshot


def _unpublished(target: Path, said: str | None) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"the snapshot {target} cannot be published ({said}): expected a folder with room for a "
        "copy of the database"
    )


def _copy(path: Path, fresh: Path, target: Path) -> int:
    """Copy the database, and return when it was written last, which nobody does meanwhile."""
    with reading, closing(open_database(path, read_only=True)):
        # Everything was moved into the file itself, unless somebody wrote and died since.
        if log_of(path).exists():
            raise DatabaseBusy(
                f"a process that wrote {path} was killed a moment ago, and not everything is in "
                "the file yet: expected nobody else to write; publish again"
            )
        words = [sys.executable, "-I", "-S", "-c", _COPY, str(path), str(fresh)]
        written_at = _written_at(path)
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it was stopped"])[-1]
        raise _unpublished(target, said)
    return written_at


def _written_at(path: Path) -> int:
    # Whole microseconds: the copy may be where a file's time has fewer digits, as on NTFS.
    return path.stat().st_mtime_ns // 1000 * 1000


def _label(fresh: Path) -> None:
    with closing(open_database(fresh)) as connection:
        connection.execute("update snapshots set is_copy = true")
        connection.execute("checkpoint")


def _put(fresh: Path, target: Path) -> None:
    fresh.chmod(fresh.stat().st_mode & 0o444)  # not writable; nobody whom the umask keeps out
    _flush(fresh)
    # What somebody wrote to the copy before, and died, would be read as a part of this one.
    log_of(target).unlink(missing_ok=True)
    fresh.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
