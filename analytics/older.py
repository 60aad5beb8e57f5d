"""
What the file of an older perpscope lacks, and a reader may go on without.

A file that is only read is not brought up to date: a published copy, one in a folder of somebody
else, any file until the next `perpscope index`.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files

import duckdb

from analytics.errors import WorldError

# Table -> the schema that it came with. Nothing is computed from them but rows of their own: an
# empty one in their place changes no number.
_APART = {"upgrades": 7}


@lru_cache(maxsize=256)
def lacking(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Return the tables that an empty one stands in for, because the file is of an older schema."""
    asked = con.cursor()
    held = {name for (name,) in asked.execute("select table_name from duckdb_tables()").fetchall()}
    absent = _APART.keys() - held
    if not absent or "schema_version" not in held:
        return frozenset()
    ((found,),) = asked.execute("select max(version) from schema_version").fetchall()
    return frozenset(name for name in absent if found is not None and found < _APART[name])


def cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a cursor that sees the tables of a file, and an empty one for each that it lacks."""
    opened = con.cursor()
    for table in lacking(con):  # what is temporary is of one cursor alone
        opened.execute(_definition(table).replace("create table", "create temp table", 1))
    return opened


def placed(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the name of a table with its schema, which nothing but a table has."""
    return f"{'temp' if table in lacking(con) else 'main'}.{table}"


def absence(table: str) -> WorldError:
    """Return the error that a file has no such table."""
    return WorldError(
        f"the database has no table {table}: either indexer/schema.sql names none so, or an older "
        "perpscope made the file, and `perpscope index` adds what is missing"
    )


@cache
def _definition(table: str) -> str:
    schema = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    found = re.search(rf"^create table {table} \(.*?^\);", schema, re.DOTALL | re.MULTILINE)
    if found is None:
        raise LookupError(table)
    return found[0]
