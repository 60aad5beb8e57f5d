"""The database, read-only: facts as LazyFrames, queries as frames."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

import duckdb
import polars as pl
from polars import selectors

from analytics.connection import opened
from analytics.errors import UserError, WorldError, check_variables
from analytics.largest import largest_named
from analytics.older import absence, check_named, check_schema, cursor, placed, stand_ins
from analytics.scans import scan
from analytics.texts import as_places, as_told, few_texts, is_large, with_codes

SCHEMA_VERSION = 8

Connection = duckdb.DuckDBPyConnection

# Nothing but the file is read, and a naive timestamp means UTC wherever the command runs.
_SETTINGS = {
    "TimeZone": "UTC",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    # Texts in the layout that Polars keeps them in, so that none is copied.
    "arrow_output_version": "1.4",
    "produce_arrow_string_view": "true",
}
_SET = "".join(f"set {name} = '{value}';" for name, value in _SETTINGS.items())

# What every format of an answer holds.
_PLAIN = frozenset(
    {
        *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
        *("FLOAT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP"),
    }
)


def database_path(named: Path | None) -> Path:
    """
    Return the file to read: the one named, else that of perpscope.toml, else perpscope.duckdb.

    Raises:
        UserError: PERPSCOPE_CONFIG names a missing file, the settings are not TOML, its
            `database` is not text, or a variable has nearly the name of one that says where.
    """
    if named is not None:
        return named
    check_variables(os.environ, ("DATABASE", "CONFIG"))
    asked = os.environ.get("PERPSCOPE_CONFIG")
    config = Path(asked or "perpscope.toml")
    if not config.is_file():
        if asked:
            raise UserError(f"there is no file {config}, which PERPSCOPE_CONFIG names: correct it")
        return Path("perpscope.duckdb")
    try:
        said = tomllib.loads(config.read_text("utf-8-sig")).get("database", "perpscope.duckdb")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{config} is not TOML: {error}") from error
    if not isinstance(said, str):
        raise UserError(f"database in {config} must be text, got {said!r}")
    return Path(said)


@contextmanager
def database(path: Path, *, wait_seconds: float = 30) -> Iterator[Connection]:
    """
    Open a perpscope database read-only, and close it at the end.

    Args:
        path: the DuckDB file.
        wait_seconds: how long to wait for a writer to finish.

    Raises:
        UserError: the path is a folder or in none, or the file is no database of ours.
        WorldError: the file is missing, of a newer schema, or stays locked; or a sum of
            what it holds is larger than DECIMAL(38,18) can hold.
    """
    if path.is_dir():
        raise UserError(
            f"{path} is a folder: expected a file; correct --database, or database in the settings"
        )
    if not path.parent.is_dir():
        raise UserError(
            f"there is no folder {path.parent} for {path.name}: expected one; make it, or correct "
            "--database, or database in the settings"
        )
    if not path.is_file():
        raise WorldError(
            f"there is no database at {path}: index first, or name one with --database"
        )
    con = opened(path, wait_seconds)
    try:
        # Not beside the database, which may be in a folder where only its owner writes.
        con.execute("set temp_directory = ?", [f"{gettempdir()}/perpscope-{uuid4().hex}"])
        con.execute(_SET)
        check_schema(con, path, SCHEMA_VERSION)
        with largest_named(lambda sql: con.cursor().execute(sql).fetchall()):
            yield con
    except duckdb.Error as error:
        raise WorldError(
            f"{path} cannot be read to the end ({str(error).splitlines()[0]}): make room in memory "
            "and in TMPDIR, or bring a whole copy of the file"
        ) from error
    finally:
        con.close()


def in_memory() -> Connection:
    """Return an empty database in memory, with the settings of every other one."""
    con = duckdb.connect()
    con.execute(_SET)
    return con


def hold(con: Connection, tables: Mapping[str, pl.DataFrame]) -> None:
    """Put these rows in place of what a database in memory holds in tables of their names."""
    for name, rows in tables.items():
        keep(con, name, rows.to_arrow())


def limit_memory(con: Connection) -> None:
    """
    Let a database keep half a gigabyte of what it read, not all of it.

    Who reads it again and again needs the room for answers. What a query needs beyond that goes to
    the temporary directory.
    """
    con.execute("set memory_limit = '512MB'")


def keep(con: Connection, table: str, rows: object) -> None:
    """Put rows, as Arrow, in place of what a writable database holds in a table."""
    con.register("incoming", rows)
    con.execute(f"create or replace table {table} as select * from incoming")
    con.unregister("incoming")
    for known in (heights, stand_ins, _few_texts):
        known.cache_clear()


def facts(
    con: Connection,
    table: str,
    *,
    protocol: str | None = None,
    chain_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_coded: bool = False,
) -> pl.LazyFrame:
    """
    Return one table, reading only the columns a plan asks for and the rows the filters keep.

    A filter applies where the table has its column. The frame reads when it is collected, so
    collect it while the connection is open.

    Args:
        con: an open database.
        table: name of a table of the schema.
        protocol: only rows of this protocol.
        chain_id: only rows of this chain.
        since: only events at or after this UTC time.
        until: only events at or before this UTC time.
        is_coded: with its keys as Categorical, as metrics read them.

    Raises:
        WorldError: the database has no such table.
    """
    schema = _schema(con, table)
    kept = limited(schema, protocol, chain_id, since, until)
    told = with_codes(schema) if is_coded else schema

    def batches(columns: list[str], size: int) -> Iterator[pl.DataFrame]:
        few = {name: texts for name in columns if (texts := _few_texts(con, table, name))}
        sql = f"select {as_places(columns, few)} from {table} where {_where(kept)}"
        # A cursor of its own: Polars may read several tables of one plan at the same time.
        read = cursor(con).sql(sql, params=[*few.values(), *kept.values()]).to_arrow_reader(size)
        try:
            yield from (as_told(pl.DataFrame(batch), few, told) for batch in read)
        except OSError as error:  # as Arrow says what DuckDB could not read
            raise duckdb.IOException(str(error)) from error

    return scan(told, batches)


@lru_cache(maxsize=256)
def heights(con: Connection) -> Mapping[str, int]:
    """Return about how many rows each table has, without reading one."""
    sql = "select table_name, estimated_size from duckdb_tables()"
    return {name: int(height) for name, height in con.cursor().execute(sql).fetchall()}


def digest(
    con: Connection,
    table: str,
    *,
    protocol: str | None = None,
    chain_id: int | None = None,
    until: datetime | None = None,
) -> tuple[int, str]:
    """
    Return how many rows a table has within limits, and a digest of them in whatever order.

    It tells tables apart that differ by accident. It proves nothing to somebody who suspects
    intent: rows are hashed to 64 bits, as this version of DuckDB hashes, and summed.

    Args:
        con: an open database.
        table: name of a table of the schema.
        protocol: only rows of this protocol.
        chain_id: only rows of this chain.
        until: only events at or before this UTC time.
    """
    schema = _schema(con, table)
    kept = limited(schema, protocol, chain_id, until=until)
    sql = (
        f"select count(*), coalesce(sum(hash({', '.join(schema)})), 0)::hugeint from {table} "
        f"where {_where(kept)}"
    )
    count, total = cursor(con).execute(sql, list(kept.values())).fetchall()[0]
    return int(count), f"{total:x}"


def limited(
    schema: pl.Schema,
    protocol: str | None = None,
    chain_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[tuple[str, str], object]:
    """Return what `facts` compares in a table of a schema: column and sign -> value."""
    conditions = {
        ("protocol", "="): protocol,
        ("chain_id", "="): chain_id,
        ("block_timestamp", ">="): since,
        ("block_timestamp", "<="): until,
    }
    return {
        (column, sign): value
        for (column, sign), value in conditions.items()
        if value is not None and column in schema
    }


def _where(conditions: Mapping[tuple[str, str], object]) -> str:
    return " and ".join(f"{column} {sign} ?" for column, sign in conditions) or "true"


def snapshot(con: Connection) -> str | None:
    """Return which published copy this database is; None where it is no copy."""
    if "snapshots" not in heights(con):
        return None
    copies = con.execute("select number, published_at from snapshots where is_copy").fetchall()
    said = (f"snapshot {number}, published at {at:%Y-%m-%dT%H:%M:%S}Z" for number, at in copies)
    return next(said, None)


def rows(con: Connection, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
    """
    Return the answer of one SELECT.

    Raises:
        UserError: a parameter does not fit the query.
        WorldError: the database cannot answer it.
    """
    try:
        return _frame(con, sql, parameters)
    except duckdb.Error as error:
        is_of_values = isinstance(error, duckdb.InvalidInputException | duckdb.ConversionException)
        if parameters and is_of_values:
            raise UserError(f"the query does not take these parameters: {error}") from error
        raise WorldError(f"the database cannot answer the query: {error}") from error


def selected(con: Connection, sql: str) -> pl.DataFrame:
    """
    Return the rows of a SELECT over the tables of `indexer/schema.sql`.

    Args:
        con: an open database.
        sql: one SELECT.

    Raises:
        UserError: it is no SELECT, or more than one; DuckDB does not understand it; or a column is
            of a type that not every format holds.
        WorldError: the database cannot answer it, or lacks a table that it names.
    """
    try:
        kinds = [each.type for each in con.extract_statements(sql)]
        if kinds != [duckdb.StatementType.SELECT]:
            seen = ", ".join(kind.name for kind in kinds) or "nothing"
            raise UserError(
                f"--sql takes one SELECT, not {seen}: the database is read, never changed"
            )
        check_named(con, sql)
        asked = cursor(con).sql(sql)
        columns = list(zip(asked.columns, map(str, asked.types), strict=True))
    except duckdb.Error as error:
        raise UserError(f"--sql cannot be understood: {error}") from error
    for name, kind in columns:
        # A list of decimals is called DECIMAL(2,1)[].
        if kind not in _PLAIN and not (kind.startswith("DECIMAL") and kind.endswith(")")):
            raise UserError(
                f"column {name} of --sql is {kind}: make it a number, a time or text, as "
                "'0x' || lower(hex(data)) does of bytes"
            )
    found = rows(con, sql, {})
    times = found.select(selectors.datetime() | selectors.date())
    for column in times:
        # DuckDB knows infinity as a time, and years that no other program does.
        if not column.cast(pl.Datetime("ms")).is_between(datetime.min, datetime.max).all():
            raise UserError(
                f"column {column.name} of --sql holds a time beyond the years 1 to 9999: expected "
                "none; make it text, or null"
            )
    return found


@lru_cache(maxsize=256)
def _schema(con: Connection, table: str) -> pl.Schema:
    try:
        # With its schema, a name is nothing but that of a table.
        return _frame(con, f"select * from {placed(con, table)} limit 0", {}).schema
    except duckdb.CatalogException as error:
        raise absence(table) from error


def _frame(con: Connection, sql: str, parameters: Mapping[str, object]) -> pl.DataFrame:
    found: pl.DataFrame = cursor(con).sql(sql, params=dict(parameters)).pl()
    return found


@lru_cache(maxsize=1024)
def _few_texts(con: Connection, table: str, column: str) -> list[str] | None:
    if _schema(con, table)[column] != pl.String or not is_large(heights(con).get(table, 0)):
        return None
    return few_texts(lambda sql: con.cursor().execute(sql).fetchall(), table, column)
