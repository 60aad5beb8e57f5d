"""
Opening and closing the database file, and DuckDB's errors in our words.

A lock that another process holds is waited for, politely and not forever. A file that is not
ours, is newer than this program, or cannot be written is one sentence. Statements that name
tables are built here and in `growth`, from names in `schema.sql` only.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any

import duckdb
import polars as pl
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from indexer.errors import DatabaseBusy, DatabaseUnusable, UserError, misplaced
from indexer.store.growth import add_what_is_missing, tables_in
from indexer.store.turns import COURTESY_SECONDS, holder, is_wanted, reading_alone, waiting
from indexer.tables import columns_of, tables

SCHEMA = 8
"""The version of `schema.sql` that this program reads and writes."""

_FIRST_GROWN = 3  # from this version on, what is new is a table or a column that may be null

WAIT_SECONDS = 30.0

# What DuckDB 1.2 and later can open, so that other tools need no newer one. The format of 2.0 takes
# 14 % less time to write, and nearly twice the space.
_FORMAT = "v1.2.0"

ROW_GROUP = 30_720
"""
Rows in a row group, a multiple of 2,048.

What fills none is written twice. With DuckDB's own size of 122,880 rows that took longer than the
rest did, and four times the memory.
"""

# What they save and cost is measured in BENCHMARKS; repeated texts are still kept once.
_COSTLY = "fsst,dict_fsst,zstd"

# The engine that the last transaction let go of, by process: starting one takes ten times as long
# as opening a file with it. It holds no file and no lock. What a fork inherits is left alone: its
# threads are not there to end it.
_idle: dict[int, duckdb.DuckDBPyConnection] = {}


def open_database(
    path: Path,
    *,
    read_only: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> duckdb.DuckDBPyConnection:
    """
    Return a connection to a perpscope database; a file that is not there yet is made.

    Args:
        path: the DuckDB file.
        read_only: make nothing, change nothing; several readers may share the file.
        wait_seconds: how long to wait for another process to let go of it.

    Raises:
        DatabaseBusy: another process held it all that time.
        DatabaseUnusable: it cannot be opened, or is of a newer perpscope.
        UserError: it is no DuckDB database, or not one of ours.
    """
    polite_until = monotonic() + (min(COURTESY_SECONDS, wait_seconds / 2) if read_only else 0)
    with ExitStack() as turn:

        def ask(retries: RetryCallState) -> None:
            if retries.attempt_number == 1:
                busy = retries.outcome.exception() if retries.outcome else None
                who = holder(busy and busy.__cause__)
                turn.enter_context(waiting(path, who, is_writer=not read_only))

        for attempt in Retrying(
            retry=retry_if_exception_type(DatabaseBusy),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            stop=stop_after_delay(wait_seconds),
            before_sleep=ask,
            reraise=True,
        ):
            with attempt:
                if monotonic() < polite_until and is_wanted(path):
                    raise DatabaseBusy(f"a writer waits for {path}; try again")
                connection = _connected(path, read_only=read_only)
    with ExitStack() as undo:
        undo.callback(connection.close)
        _prepare(connection, path, read_only=read_only)
        undo.pop_all()
    return connection


@contextmanager
def transaction(
    path: Path,
    *,
    read_only: bool = False,
    wait_seconds: float = WAIT_SECONDS,
    is_large: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """
    Give a connection inside one transaction: it commits at the end, or leaves no trace.

    Args:
        path: the database.
        read_only: change nothing.
        wait_seconds: how long to wait for another process to let go of it.
        is_large: leave row groups that are not full as they are. DuckDB else merges two or three of
            them at every commit, which takes as long as writing them did. Small commits need it:
            each of them would stay a row group of its own.

    Raises:
        DatabaseBusy: another process held the file all the time.
        DatabaseUnusable: it cannot be opened, read or written; what was in it is as before.
    """
    with reading_alone(path) if read_only else nullcontext():
        engine = open_database(path, read_only=read_only, wait_seconds=wait_seconds)
        with ExitStack() as undo:
            undo.callback(engine.close)
            # Closing rolls back what was not committed, also after an error DuckDB calls fatal.
            with closing(engine.cursor()) as connection:
                try:
                    connection.execute("use perpscope")
                    if is_large:
                        connection.execute("set max_vacuum_tasks = 0")
                    connection.begin()
                    yield connection
                    connection.commit()
                except duckdb.Error as error:
                    raise _unusable(path, error) from error
            undo.pop_all()
        put_aside(engine)


def is_protected(path: Path) -> bool:
    """Return whether a file has no right to be written, which counts whoever may do anything."""
    return path.is_file() and not path.stat().st_mode & 0o222


def put_aside(engine: duckdb.DuckDBPyConnection) -> None:
    """Let go of the files that an engine has open, and keep the engine for the next one."""
    try:
        engine.execute("use memory; detach perpscope; detach database if exists side")
        engine.execute("set temp_directory = ''")
    # A disk that is full: what was committed stays in the log beside the file. Or rows were put
    # into the temporary folder, which an engine then keeps to its end.
    except duckdb.Error:
        engine.close()
    else:
        _idle[os.getpid()] = engine


def _connected(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if why := misplaced(path, "--database, or database in the settings"):
        raise DatabaseUnusable(why)
    if read_only and not path.exists():
        raise DatabaseUnusable(
            f"there is no database at {path}: expected a file that `perpscope index` wrote; run it "
            "first or name another file with --database"
        )
    if not read_only and is_protected(path):
        raise DatabaseUnusable(
            f"{path} is protected from writing, as a copy for readers is, which the next one "
            "replaces: expected a database to write to; name another with --database"
        )
    engine = _idle.pop(os.getpid(), None) or duckdb.connect(config={"threads": _threads()})
    with ExitStack() as undo:
        undo.callback(engine.close)
        try:
            engine.execute(_attachment(path, read_only=read_only))
        except duckdb.ResourceInUseException as error:  # another engine of this process has it open
            raise DatabaseBusy(f"{path} is in use by this process; try again") from error
        except duckdb.Error as error:
            if "lock on file" not in str(error):
                raise _unusable(path, error) from error
            raise DatabaseBusy(_busy(path, error)) from error
        undo.pop_all()
    return engine


def _attachment(path: Path, *, read_only: bool) -> str:
    # Of a relative path DuckDB takes `:memory:`, `~` and what is before a colon for its own words.
    quoted = str(path.absolute()).replace("'", "''")
    # Without the kind DuckDB looks for what reads a file of another one.
    mode = "type duckdb, " + ("read_only" if read_only else f"row_group_size {ROW_GROUP}")
    if not path.exists():  # the format of a file that is there cannot be lowered
        mode += f", storage_version '{_FORMAT}'"
    return (
        "set autoinstall_known_extensions = false; "  # a file of another kind is refused
        f"set disabled_compression_methods = '{_COSTLY}'; reset max_vacuum_tasks; "
        f"set temp_directory = '{quoted}.tmp'; "
        f"attach '{quoted}' as perpscope ({mode}); use perpscope"
    )


def _threads() -> int:
    # DuckDB counts the machine's cores; more threads than cores we may use burn time waiting.
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _busy(path: Path, error: duckdb.Error) -> str:
    return (
        f"{path} is locked by {holder(error)} and was not released in time: expected to open it "
        "alone; wait for that process to end, then run the command again"
    )


def _unusable(path: Path, error: duckdb.Error) -> DatabaseUnusable | UserError:
    said = str(error).splitlines()[0]
    if "not a valid DuckDB" in said:
        return UserError(
            f"{path} is not a DuckDB database: expected a file that perpscope wrote; name another "
            "with --database"
        )
    return DatabaseUnusable(
        f"{path} cannot be used ({said}): expected a database that can be read and written; "
        "nothing of this step was written; make room on the disk, or mend what it says, and run "
        "the command again"
    )


def _prepare(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    try:
        found = _schema_version(connection)
        if found is None and not read_only and not tables_in(connection):
            _create(connection)
            found = SCHEMA
        if found is not None and _FIRST_GROWN <= found < SCHEMA:
            if not read_only:
                _grow(connection)
            found = SCHEMA
    except duckdb.Error as error:
        raise _unusable(path, error) from error
    if found is None:
        raise UserError(
            f"{path} is a database, but not one of perpscope: expected its tables; name another "
            "file with --database"
        )
    if found != SCHEMA:
        raise DatabaseUnusable(
            f"{path}: database has schema {found}, this perpscope knows up to {SCHEMA}: "
            + ("upgrade perpscope" if found > SCHEMA else "index into another file")
        )


def _schema_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    try:
        found: int | None = scalar(connection, "select max(version) from schema_version")
    except duckdb.CatalogException:
        return None
    return found


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    connection.execute(files("indexer").joinpath("schema.sql").read_text(encoding="utf-8"))
    connection.execute("insert into schema_version values (?, ?)", [SCHEMA, program_version()])
    connection.commit()


def _grow(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    add_what_is_missing(connection)
    connection.execute("insert into schema_version values (?, ?)", [SCHEMA, program_version()])
    connection.commit()


@cache
def program_version() -> str:
    """Return which perpscope this is."""
    try:
        return version("perpscope")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Append rows to a table, column by column name; columns must be exactly the table's."""
    if rows.is_empty():
        return
    names = ", ".join(columns_of(table))
    # Polars' own layout of texts and bytes: older ones of Arrow need a copy of every row.
    arrow = rows.select(*columns_of(table)).to_arrow(compat_level=pl.CompatLevel.newest())
    connection.register("incoming", arrow)
    connection.execute(f"insert into {_known(table)} ({names}) select {names} from incoming")
    connection.unregister("incoming")


def delete(
    connection: duckdb.DuckDBPyConnection, table: str, where: str, values: list[object]
) -> None:
    """Delete the rows of a table for which `where` holds; its values are bound, never pasted."""
    connection.execute(f"delete from {_known(table)} where {where}", values)


def select(
    connection: duckdb.DuckDBPyConnection, table: str, where: str, values: list[object]
) -> pl.DataFrame:
    """Return the rows of a table for which `where` holds, with the dtypes of `schema.sql`."""
    names = ", ".join(columns_of(table))
    query = f"select {names} from {_known(table)} where {where}"
    found, schema = frame(connection, query, values), columns_of(table)
    return found if found.schema == schema else found.cast(pl.Schema(schema))


def frame(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> pl.DataFrame:
    """Return a query's answer, with the dtypes DuckDB gives it."""
    found: pl.DataFrame = connection.sql(query, params=values).pl()
    return found


def scalar(connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> Any:
    """Return the first value of a query's answer; None where it has no row."""
    # Read to its end: a result left open keeps the connection from other work.
    rows = connection.execute(query, values).fetchall()
    return rows[0][0] if rows else None


def _known(table: str) -> str:
    if table not in tables():
        raise KeyError(table)
    return table
