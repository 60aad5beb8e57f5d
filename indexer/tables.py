"""
The columns of every table, read from `schema.sql`, the one place that defines them.

Moments in them are UTC without a zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import polars as pl

DECIMAL = pl.Decimal(38, 18)

LAST_SECOND = 253_402_300_799
"""Of the year 9999: what is later is no time that anybody meant, and overflows microseconds."""

_TYPES: dict[str, pl.DataType] = {
    "bigint": pl.Int64(),
    "integer": pl.Int32(),
    "varchar": pl.String(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us"),
    "blob": pl.Binary(),
    "decimal(38, 18)": DECIMAL,
}
_TABLE = re.compile(r"create table (\w+) \(.*?\n\);", re.DOTALL)
_COLUMN = re.compile(r"^ {4}(\w+) ([a-z]+(?:\(38, 18\))?)( not null)?,?", re.MULTILINE)


def now() -> datetime:
    """Return the time as tables hold it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class TableColumn:
    """One column: its Polars dtype and whether it must be known."""

    dtype: pl.DataType
    required: bool


@cache
def tables() -> dict[str, dict[str, TableColumn]]:
    """Return table -> column -> dtype and requirement, in the order of `schema.sql`."""
    return {
        table: {
            name: TableColumn(_TYPES[sql_type], bool(required))
            for name, sql_type, required in _COLUMN.findall(definition)
        }
        for table, definition in definitions().items()
    }


@cache
def definitions() -> dict[str, str]:
    """Return table -> the statement that makes it, in the order of `schema.sql`."""
    text = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in _TABLE.finditer(text)}


@cache
def columns_of(table: str) -> dict[str, pl.DataType]:
    """Return the Polars schema of a table."""
    return {name: column.dtype for name, column in tables()[table].items()}


@cache
def empty(table: str) -> pl.DataFrame:
    """Return a frame of this table without rows."""
    return pl.DataFrame(schema=columns_of(table))


@cache
def fact_tables() -> tuple[str, ...]:
    """Return the tables that hold facts: those that end with `evidence`."""
    return tuple(name for name, columns in tables().items() if list(columns)[-1] == "evidence")


@cache
def block_tables() -> tuple[str, ...]:
    """Return the tables whose rows are a protocol's at one block: they go when the block goes."""
    return (*fact_tables(), "rejects", "reads")
