"""Tables small enough to check in the head: rows with defaults, as frames or as a database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from analytics.load import SCHEMA_VERSION
from indexer.store.creation import make_missing
from indexer.tables import columns_of, tables

T0 = datetime(2025, 10, 10, 21, 0)
_REQUIRED: Mapping[str, object] = {
    "chain_id": 1,
    "block_number": 1,
    "item_index": 0,
    "block_timestamp": T0,
    "protocol": "venue",
    "version": "v1",
    "market": "BTC",
    "account": "0xa",
    "cause": "trade",
    "is_long": True,
    "is_enabled": True,
    "shortfall_basis": "none",
    "derivation": "direct",
    "fee_kind": "position",
    "split_basis": "event",
    "feed": "0xf",
    "quote": "USD",
    "oracle_price_quote": "1",
    "bought_token": "GOV",
    "bought_tokens": "0",
    "token": "GOV",
    "supply_tokens": "0",
    "dead_tokens": "0",
    "destination_kind": "treasury",
    "kind": "payment",
    "pool": "0xpool",
    "contract": "0x" + "c0" * 20,
    "part": "0xpool",
    "share_price_tokens": "1",
    "number": 1,
    "hash": b"h",
    "parent_hash": b"p",
    "from_block": 1,
    "to_block": 3,
    "declaration_digest": "d/r",
    "finality": "finalized",
    "proof": "fetched",
    "logs_digest": "l",
    "to_block_hash": "h",
    "event": "Happened",
    "reason": "cannot be read",
    "evidence": "event",
}

# Whose account is usually known; a venue may not say it.
_OF_ACCOUNTS = ("adls", "liquidations")


def at(seconds: float = 0, *, days: float = 0) -> datetime:
    """Return a moment this long after 2025-10-10 21:00 UTC."""
    return T0 + timedelta(days=days, seconds=seconds)


def table(name: str, *rows: Mapping[str, object]) -> pl.DataFrame:
    """Return rows of a table; what a row leaves out gets a default, and null where it may."""
    schema = columns_of(name)
    required = {column for column, rule in tables()[name].items() if rule.required}
    required |= {"account"} if name in _OF_ACCOUNTS else set()
    filled = [
        {"log_index": index, "tx_hash": f"0x{index:064x}"}
        | {column: _REQUIRED.get(column) for column in required}
        | ({"log_index": index, "tx_hash": f"0x{index:064x}"} if "log_index" in schema else {})
        | dict(row)
        for index, row in enumerate(rows)
    ]
    series = [
        pl.Series(column, [_value(row.get(column), dtype) for row in filled], dtype=dtype)
        for column, dtype in schema.items()
    ]
    return pl.DataFrame(series)


def _value(value: object, dtype: pl.DataType) -> object:
    if value is None or not isinstance(dtype, pl.Decimal):
        return value
    return Decimal(str(value))


def load(**frames: pl.DataFrame) -> Callable[[str], pl.LazyFrame]:
    """Return what `compute` calls to load a fact: these frames, and empty ones for all others."""
    return lambda name: (frames[name] if name in frames else table(name)).lazy()


def write_database(path: Path, frames: Mapping[str, pl.DataFrame]) -> Path:
    """Write a database file with these rows and return its path."""
    path.write_bytes(empty_database())
    with opened(path, mode="read_write") as con:
        insert(con, frames)
    return path


@contextmanager
def opened(path: Path, mode: str = "read_only") -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database file; one engine opens them all, for starting one takes longer."""
    with closing(_engine().cursor()) as connection:
        connection.execute(f"attach '{path}' as held ({mode}); use held")
        try:
            yield connection
        finally:
            connection.execute("use memory; detach held")


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@cache
def empty_database() -> bytes:
    """Return a new database: to make one costs more than to write what most tests put into it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.duckdb"
        make_missing(path)
        return path.read_bytes()


def fill(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> None:
    """Create every table of the schema and insert these rows."""
    con.execute(files("indexer").joinpath("schema.sql").read_text(encoding="utf-8"))
    con.execute(f"insert into schema_version values ({SCHEMA_VERSION}, 'test')")
    insert(con, frames)


def insert(con: duckdb.DuckDBPyConnection, frames: Mapping[str, pl.DataFrame]) -> None:
    """Insert rows into the tables of their names."""
    for name, frame in frames.items():
        con.register("incoming", frame.to_arrow())
        con.execute(f"insert into {name} select * from incoming")
        con.unregister("incoming")


def column(frame: pl.DataFrame, name: str) -> list[object]:
    """Return a column as a list; decimals as short text, so that they compare with text."""
    return [shown(value) for value in frame[name].to_list()]


def shown(value: object) -> object:
    """Return a decimal as text without trailing zeros, anything else as it is."""
    # Not normalize(): Python's decimal context keeps 28 digits of 38.
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) else value


def units(number: int) -> Decimal:
    """Return this many 1e-18, exactly: arithmetic on Decimal would keep 28 digits."""
    return Decimal((number < 0, tuple(int(digit) for digit in str(abs(number))), -18))
