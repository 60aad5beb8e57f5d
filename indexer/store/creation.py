"""A new database appears under its name whole or not at all."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path

import duckdb

from indexer.errors import DatabaseUnusable
from indexer.store.connection import open_database, put_aside
from indexer.store.locks import alone_in


def make_missing(path: Path) -> None:
    """
    Make a database where no file is; a process that is killed meanwhile leaves none there.

    DuckDB writes a new file in several steps, and what a killed process leaves of it is no
    database to the next one. So it is made beside its place and then given its name.

    Raises:
        DatabaseUnusable: it cannot be made.
    """
    path = path.resolve()  # what a link stands for is made, in its own folder
    if path.exists() or not path.parent.is_dir():
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        remove(fresh)  # of a process that was killed and had the same number, as in a container
        engine = open_database(fresh)
        with ExitStack() as undo:
            undo.callback(engine.close)
            engine.execute("checkpoint")  # closing would keep silent about a full disk
            undo.pop_all()
        put_aside(engine)
        with alone_in(path.parent):
            _take_place(fresh, path)
    except (DatabaseUnusable, duckdb.Error, OSError) as error:
        said = str(error).splitlines()[0].replace(fresh.name, path.name)
        raise DatabaseUnusable(
            said
            if isinstance(error, DatabaseUnusable)
            else f"{path} cannot be made ({said}): expected a folder that can be written"
        ) from error
    finally:
        with suppress(OSError):
            remove(fresh)


def remove(path: Path) -> None:
    """Remove a database that nobody uses, with the log of it; what is not there is no failure."""
    path.unlink(missing_ok=True)
    log_of(path).unlink(missing_ok=True)


def is_database(path: Path) -> bool:
    """Return whether a DuckDB database is at a path, ours or not."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"  # where DuckDB says so


def log_of(path: Path) -> Path:
    """Return where DuckDB keeps what is not yet in the file itself, which a link only names."""
    file = path.resolve()
    return file.with_name(f"{file.name}.wal")


def _take_place(fresh: Path, path: Path) -> None:
    if path.exists():
        return
    # DuckDB would replay what a deleted database of this name left into the new one.
    log_of(path).unlink(missing_ok=True)
    try:
        # Unlike a rename this never replaces what another process made meanwhile.
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        fresh.rename(path)
