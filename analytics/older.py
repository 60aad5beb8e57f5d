"""
Schemas of files: which is too new, and what an older one lacks that a reader may go on without.

A file that is only read is not brought up to date: a published copy, one in a folder of somebody
else, any file until the next `perpscope index`.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

import duckdb

from analytics.errors import UserError, WorldError

# Table -> the schema that it came with. Nothing is computed from them but rows of their own: an
# empty one in their place changes no number.
_APART = {"upgrades": 7}
# Table and column -> the schema that it came with, and its type. None of the rows that older
# declarations gave would have another value than null.
_ADDED = {
    ("pool_states", "holds_pools"): (7, "boolean"),
    ("imports", "declaration_digest"): (8, "varchar"),
}


def check_schema(con: duckdb.DuckDBPyConnection, path: Path, newest: int) -> None:
    """
    Refuse a file that is not ours, or of a schema newer than the newest that is known.

    Raises:
        UserError: it is not ours.
        WorldError: it is newer.
    """
    try:
        ((found,),) = con.execute("select max(version) from schema_version").fetchall()
    except duckdb.CatalogException as error:
        raise UserError(
            f"{path} is a database, but not one of perpscope: expected a file that `perpscope "
            "index` wrote; name another with --database"
        ) from error
    if found is not None and found > newest:
        raise WorldError(
            f"{path} has schema version {found}, this perpscope reads up to {newest}: "
            "upgrade perpscope"
        )


@lru_cache(maxsize=256)
def stand_ins(con: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    """Return table -> what makes a stand-in for it, because the file is of an older schema."""
    asked = con.cursor()
    columns = asked.execute("select table_name, column_name from duckdb_columns()").fetchall()
    held = {table for table, _ in columns}
    if "schema_version" not in held:
        return {}
    named = "select max(version), replace(current_database(), '\"', '\"\"') from schema_version"
    ((found, file),) = asked.execute(named).fetchall()
    made = {name: (_APART[name], _empty(name)) for name in _APART.keys() - held}
    for (table, column), (version, kind) in _ADDED.items():
        if table in held and (table, column) not in columns:
            seen = f'select *, null::{kind} as {column} from "{file}".main.{table}'
            made[table] = version, f"create temp view {table} as {seen}"
    if found is None:
        return {}
    return {name: sql for name, (version, sql) in made.items() if found < version}


def lacking(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the tables that an empty one stands in for."""
    return frozenset(stand_ins(con).keys() & _APART.keys())


def cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a cursor that sees the tables of a file, and a stand-in for what it lacks."""
    opened = con.cursor()
    for statement in stand_ins(con).values():  # what is temporary is of one cursor alone
        opened.execute(statement)
    return opened


def placed(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the name of a table with its schema, which nothing but a table has."""
    return f"{'temp' if table in stand_ins(con) else 'main'}.{table}"


def check_named(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """
    Refuse a query of one's own that has the name of a table that a file lacks.

    Raises:
        WorldError: it has. DuckDB says which tables a query reads only where it knows all values.
    """
    for table in sorted(lacking(con)):
        if re.search(rf"\b{table}\b", sql, re.IGNORECASE):
            raise absence(table)


def absence(table: str) -> WorldError:
    """Return the error that a file has no such table."""
    return WorldError(
        f"the database has no table {table}: either indexer/schema.sql names none so, or an older "
        "perpscope made the file, and `perpscope index` adds what is missing"
    )


@cache
def _empty(table: str) -> str:
    schema = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    found = re.search(rf"^create table {table} \(.*?^\);", schema, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(table)
    return found[0].replace("create table", "create temp table", 1)
