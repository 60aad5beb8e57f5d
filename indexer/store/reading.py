"""What sync asks of the database before it fetches: knowledge, coverage and anchors of a chain."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from indexer.errors import DatabaseUnusable, WorldError
from indexer.store.connection import frame, select, transaction
from indexer.store.creation import make_missing

OWNED = Callable[[pl.DataFrame], Mapping[str, pl.Series]]
"""Which rows of `logs` belong to which protocol: a Boolean series each."""

_CHUNK_LOGS = 50_000
_UNSETTLED = """
    select number, hash
    from blocks
    where chain_id = ? and number > coalesce(
        (select max(to_block) from coverage where chain_id = ? and finality = 'finalized'), -1
    )
"""


@dataclass(frozen=True)
class Anchors:
    """
    Blocks whose stored hash a node must confirm before anything is added above them.

    Attributes:
        final: number and hash of the highest block stored as finalized; None without any.
        unsettled: number and hash of stored blocks above it, ascending.
        lowest_unsettled: first block of the lowest interval that is not finalized, or None.
    """

    final: tuple[int, bytes] | None
    unsettled: pl.DataFrame
    lowest_unsettled: int | None


@dataclass(frozen=True)
class Stored:
    """
    What is stored about one chain, as rows of the tables of the same names.

    Attributes:
        tokens, markets, contracts, coverage, reaches: the rows.
        blocks: number and hash of those above the highest that is covered as finalized.
    """

    tokens: pl.DataFrame
    markets: pl.DataFrame
    contracts: pl.DataFrame
    coverage: pl.DataFrame
    reaches: pl.DataFrame
    blocks: pl.DataFrame

    def anchors(self) -> Anchors:
        """Return what a node must confirm of it."""
        is_final = pl.col("finality") == "finalized"
        ends = self.coverage.select(
            number="to_block",
            hash=pl.col("to_block_hash").str.slice(2).str.decode("hex"),
            is_final=is_final,
        )
        finals = ends.filter("is_final").sort("number")
        final = None if finals.is_empty() else finals.select("number", "hash").row(-1)
        unsettled = (
            pl.concat([ends.select("number", "hash"), self.blocks])
            .filter(pl.col("number") > (-1 if final is None else final[0]))
            .unique("number", keep="first")
            .sort("number")
        )
        lowest = self.coverage.filter(~is_final)["from_block"].min()
        return Anchors(final, unsettled, lowest if isinstance(lowest, int) else None)


OWNERS = Callable[[Stored], OWNED]
"""Which logs are whose by what is stored: what writes asks it of what is stored as it writes."""


def check_writable(path: Path) -> None:
    """
    Check that a database, or its folder, may be written, without opening it.

    Raises:
        DatabaseUnusable: it may not.
    """
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise DatabaseUnusable(
                f"{path} cannot be used ({place} may not be written): expected a database that can "
                "be read and written; nothing was asked of anybody; name another with --database"
            )


def check_ours(path: Path) -> None:
    """
    Check that a file, where there is one, is a database of ours, without waiting for it.

    What can pass (it is locked, or cannot be read now) is no failure.

    Raises:
        UserError: it is no DuckDB database, or another program's.
    """
    with suppress(WorldError), transaction(path, read_only=True, wait_seconds=0):
        pass


def read_stored(path: Path, chain_id: int) -> Stored:
    """
    Return what is stored about a chain; the file is made where it is not there yet.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be opened or made.
    """
    make_missing(path)
    with transaction(path, read_only=True) as connection:
        return stored_in(connection, chain_id)


def stored_in(connection: duckdb.DuckDBPyConnection, chain_id: int) -> Stored:
    """Return what is stored about a chain, within a transaction."""
    names = ("tokens", "markets", "contracts", "coverage", "reaches")
    frames = [select(connection, name, "chain_id = ?", [chain_id]) for name in names]
    blocks = frame(connection, _UNSETTLED, [chain_id, chain_id])
    tokens, markets, contracts, coverage, reaches = frames
    return Stored(
        tokens.sort("address"),
        markets.sort("protocol", "market"),
        contracts.sort("from_block", "tx_hash", "log_index", "abi", "address"),
        coverage.sort("protocol", "from_block"),
        reaches,
        blocks,
    )


def supported(
    logs: pl.DataFrame, owners: Mapping[str, pl.Series], coverage: pl.DataFrame
) -> pl.Series:
    """Return which logs lie in a block that a protocol they belong to covers."""
    found = pl.Series([False]).new_from_index(0, len(logs))
    for slug, low, high in coverage.select("protocol", "from_block", "to_block").iter_rows():
        found |= owners[slug] & logs["block_number"].is_between(low, high)
    return found


def chunks(
    connection: duckdb.DuckDBPyConnection, chain_id: int, from_block: int, to_block: int
) -> Iterator[tuple[int, int]]:
    """Yield intervals that cover the range's stored logs, about 50,000 logs in each."""
    query = """
        select min(block_number), max(block_number)
        from (
            select block_number, sum(count(*)) over (order by block_number) - 1 as last
            from logs
            where chain_id = ? and block_number between ? and ?
            group by block_number
        )
        group by last // ?
        order by 1
    """
    yield from connection.execute(query, [chain_id, from_block, to_block, _CHUNK_LOGS]).fetchall()


def logs_between(
    connection: duckdb.DuckDBPyConnection, chain_id: int, from_block: int, to_block: int
) -> pl.DataFrame:
    """Return the stored logs of whole blocks in chain order, as rows of `logs`."""
    where = "chain_id = ? and block_number between ? and ?"
    rows = select(connection, "logs", where, [chain_id, from_block, to_block])
    return rows.sort("block_number", "tx_index", "log_index", "tx_hash")
