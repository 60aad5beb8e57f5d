"""
Deriving facts again from stored logs: one transaction, so that old and new are never mixed.

What is only asked what would change writes temporary tables of the names of those that would be
written, which DuckDB finds first: it needs no right to write, and keeps no reader out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, scalar, select, transaction
from indexer.store.growth import columns_held
from indexer.store.income import income_days
from indexer.store.intervals import Interval, merged_coverage, unite
from indexer.store.knowledge import STATED, insert_missing, replace_policies, replace_stated
from indexer.store.proofs import digest_of
from indexer.store.reading import OWNED, Stored, chunks, logs_between, stored_in
from indexer.tables import columns_of, definitions, fact_tables

# What follows from logs, reads and declarations.
_DERIVED = (*fact_tables(), "rejects", "markets", "tokens", "policies", *STATED)

DERIVE = Callable[[str, pl.DataFrame, pl.DataFrame], Mapping[str, pl.DataFrame]]
DERIVE_READS = Callable[[str, pl.DataFrame], Mapping[str, pl.DataFrame]]


@dataclass(frozen=True)
class Reading:
    """
    How what is stored of some protocols is read now.

    Attributes:
        digests: protocol -> digest of the declaration that the new rows follow.
        stated: rows of `tokens`, `markets`, `policies`, `feeds` and `accounts` that the
            declarations state.
        unstated: addresses of tokens that some declaration stated and none does any more.
        derive: (protocol, logs, headers of their blocks) -> table -> rows. Called in block order
            for whole blocks that the protocol covers; the logs are of all protocols.
        derive_reads: (protocol, its rows of `reads`) -> table -> rows. Called after its logs.
        owned: protocol -> which of some logs are its.
    """

    digests: Mapping[str, str]
    stated: Mapping[str, pl.DataFrame]
    unstated: Sequence[str]
    derive: DERIVE
    derive_reads: DERIVE_READS
    owned: Mapping[str, OWNED]


@dataclass(frozen=True)
class Rederived:
    """
    What deriving again did.

    Attributes:
        written: rows by table.
        before: days of income of all chains, as `income_days` tells them, of the facts that were
            there.
        after: the same of the facts that took their place.
        differing: table -> how many of its rows went and how many came that were not there, of
            tables in which any did, and of `coverage` how many tell of other logs than are stored,
            or of blocks that another row tells of; empty where nobody asked.
    """

    written: dict[str, int]
    before: pl.DataFrame
    after: pl.DataFrame
    differing: dict[str, tuple[int, int]]


def rederive(
    path: Path,
    chain_id: int,
    read: Callable[[Stored], Reading],
    *,
    keep: bool = True,
    within: pl.DataFrame | None = None,
    is_compared: bool = False,
) -> Rederived:
    """
    Replace every fact, reject and market of some protocols by what their logs and reads say now.

    What would change is what does change: without `keep` the same is done to temporary tables.

    Args:
        path: the database.
        chain_id: the chain.
        read: how it is read, by what is stored of the chain as it is replaced; what it raises
            leaves the database as before.
        keep: whether the rows stay; else the file is only read.
        within: the stretches whose income is told, as `income_days` takes them.
        is_compared: whether rows are compared with those that were there; never of what is kept.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be read, or written; it is as before.
    """
    with transaction(path, read_only=not keep) as connection:
        reading = read(stored_in(connection, chain_id))
        slugs = list(reading.digests)
        if not keep:
            _set_before(connection, slugs)
        before = income_days(connection, slugs, within)
        differing = {}
        if is_compared:
            differing = _misfits(connection, chain_id, reading)
            _remember(connection, chain_id, slugs)
        written = _replace(connection, chain_id, reading)
        if is_compared:
            differing |= _differing(connection, chain_id, slugs)
        after = income_days(connection, slugs, within)
    return Rederived(written, before, after, differing)


def _set_before(connection: duckdb.DuckDBPyConnection, slugs: list[str]) -> None:
    """Set temporary tables with the rows of these protocols before the ones that are written."""
    for table in (*_DERIVED, "coverage"):
        connection.execute(definitions()[table].replace("create", "create temp", 1))
        is_theirs = "protocol" in columns_of(table)
        where, values = ("list_contains(?, protocol)", [slugs]) if is_theirs else ("true", [])
        # An older file may lack the table, or columns that may be null.
        if names := ", ".join(columns_held(connection, table)):
            rows = f"select {names} from perpscope.{table} where {where}"
            connection.execute(f"insert into {table} ({names}) {rows}", values)


def _remember(connection: duckdb.DuckDBPyConnection, chain_id: int, slugs: list[str]) -> None:
    for table in _DERIVED:
        where, values = _ours(table, chain_id, slugs)
        query = f"create temp table was_{table} as select * from {table} where {where}"
        connection.execute(query, values)


def _differing(
    connection: duckdb.DuckDBPyConnection, chain_id: int, slugs: list[str]
) -> dict[str, tuple[int, int]]:
    found = {}
    for table in _DERIVED:
        where, values = _ours(table, chain_id, slugs)
        was, now = f"from was_{table}", f"from {table} where {where}"
        gone = f"select count(*) from (select * {was} except all select * {now})"
        new = f"select count(*) from (select * {now} except all select * {was})"
        found[table] = (scalar(connection, gone, values), scalar(connection, new, values))
    return {table: counts for table, counts in found.items() if any(counts)}


def _misfits(
    connection: duckdb.DuckDBPyConnection, chain_id: int, reading: Reading
) -> dict[str, tuple[int, int]]:
    rows = select(connection, "coverage", *_ours("coverage", chain_id, list(reading.digests)))
    count, reached = 0, dict.fromkeys(reading.digests, -1)
    for row in rows.sort("protocol", "from_block").iter_rows(named=True):
        slug, low, high = row["protocol"], row["from_block"], row["to_block"]
        digest = digest_of(connection, row, low, high, reading.owned[slug])
        count += low <= reached[slug] or digest != row["logs_digest"]
        reached[slug] = max(reached[slug], high)
    return {"coverage": (count, 0)} if count else {}


def _ours(table: str, chain_id: int, slugs: list[str]) -> tuple[str, list[object]]:
    values: dict[str, tuple[str, object]] = {
        "chain_id": ("chain_id = ?", chain_id),
        "protocol": ("list_contains(?, protocol)", slugs),
    }
    told = [each for name, each in values.items() if name in columns_of(table)]
    return " and ".join(where for where, _ in told), [value for _, value in told]


def _replace(
    connection: duckdb.DuckDBPyConnection, chain_id: int, reading: Reading
) -> dict[str, int]:
    written: dict[str, int] = {}
    _clear(connection, chain_id, reading.digests)
    _state(connection, chain_id, reading)
    for slug in reading.digests:
        for rows in _derived(connection, chain_id, slug, reading.derive):
            _append(connection, rows, written)
        reads = select(connection, "reads", "chain_id = ? and protocol = ?", [chain_id, slug])
        _append(connection, reading.derive_reads(slug, reads), written)
    _relabel(connection, chain_id, reading.digests)
    return written


def _derived(
    connection: duckdb.DuckDBPyConnection, chain_id: int, slug: str, derive: DERIVE
) -> Iterator[Mapping[str, pl.DataFrame]]:
    for low, high in _covered_chunks(connection, chain_id, slug):
        logs = logs_between(connection, chain_id, low, high)
        of_blocks = "chain_id = ? and number between ? and ?"
        yield derive(slug, logs, select(connection, "blocks", of_blocks, [chain_id, low, high]))


def _clear(
    connection: duckdb.DuckDBPyConnection, chain_id: int, digests: Mapping[str, str]
) -> None:
    for table in (*fact_tables(), "rejects", "markets"):
        where = "chain_id = ? and list_contains(?, protocol)"
        delete(connection, table, where, [chain_id, list(digests)])


def _state(connection: duckdb.DuckDBPyConnection, chain_id: int, reading: Reading) -> None:
    digests, stated = reading.digests, reading.stated
    addresses = [*stated["tokens"]["address"], *reading.unstated]
    same = "chain_id = ? and list_contains(?, address)"
    delete(connection, "tokens", same, [chain_id, addresses])
    insert(connection, "tokens", stated["tokens"])
    insert(connection, "markets", stated["markets"])
    replace_policies(connection, digests, stated["policies"])
    replace_stated(connection, chain_id, digests, stated)


def _covered_chunks(
    connection: duckdb.DuckDBPyConnection, chain_id: int, slug: str
) -> list[tuple[int, int]]:
    rows = select(connection, "coverage", "chain_id = ? and protocol = ?", [chain_id, slug])
    intervals: list[Interval] = []
    for low, high in rows.sort("from_block").select("from_block", "to_block").iter_rows():
        unite(intervals, low, high)
    return [chunk for low, high in intervals for chunk in chunks(connection, chain_id, low, high)]


def _append(
    connection: duckdb.DuckDBPyConnection,
    rows: Mapping[str, pl.DataFrame],
    written: dict[str, int],
) -> None:
    for table, frame in rows.items():
        if table == "markets":
            insert_missing(connection, table, frame, ["chain_id", "protocol", "market"])
        else:
            insert(connection, table, frame)
        written[table] = written.get(table, 0) + len(frame)


def _relabel(
    connection: duckdb.DuckDBPyConnection, chain_id: int, digests: Mapping[str, str]
) -> None:
    where = "chain_id = ? and list_contains(?, protocol)"
    values: list[object] = [chain_id, list(digests)]
    rows = select(connection, "coverage", where, values)
    delete(connection, "coverage", where, values)
    digest = pl.col("protocol").replace_strict(digests, return_dtype=pl.String)
    insert(connection, "coverage", merged_coverage(rows.with_columns(declaration_digest=digest)))
