"""A protocol as another database holds it takes the place of what is stored, in one transaction."""

from pathlib import Path

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.knowledge import (
    STATED,
    insert_missing,
    replace_policies,
    replace_stated,
    write_tokens,
)
from indexer.store.reading import OWNERS, Stored, stored_in
from indexer.store.rewinds import taken_back
from indexer.tables import columns_of, fact_tables

_LOG = "chain_id, block_number, tx_hash, log_index"


def adopt(
    path: Path, side: Path, chain_id: int, slug: str, owners: OWNERS, *, before: Stored
) -> bool:
    """
    Replace everything of a protocol on a chain by what another database holds of it.

    Logs that the protocol no longer reads, and nobody else does, move to `orphans`.

    Args:
        path: the database.
        side: the other one; it holds this protocol alone.
        chain_id: the chain.
        slug: the protocol.
        owners: which logs belong to which protocol of the chain.
        before: what was stored when the other one was brought up to it.

    Returns:
        False when another process changed meanwhile what is covered of the protocol, or the other
        database is of another branch of the chain: nothing was changed.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    reason = f"no longer read by {slug}"
    with transaction(side, read_only=True) as other:
        policies = select(other, "policies", "protocol = ?", [slug])
        stated = {
            table: select(other, table, "chain_id = ? and protocol = ?", [chain_id, slug])
            for table in STATED
        }
        tokens = select(other, "tokens", "chain_id = ?", [chain_id])
    with transaction(path) as connection:
        quoted = str(side.absolute()).replace("'", "''")
        connection.execute(f"attach '{quoted}' as side (read_only)")
        covered = stored_in(connection, chain_id).coverage.filter(protocol=slug)
        if not covered.equals(before.coverage.filter(protocol=slug)) or _is_forked(connection):
            return False
        taken_back(connection, chain_id, {slug: -1}, reason, owners)
        for table in (*fact_tables(), "rejects", "reads", "contracts", "markets", "coverage"):
            _copy(connection, table, "chain_id = ? and protocol = ?", [chain_id, slug])
        stored = f"({_LOG}) not in (select {_LOG} from perpscope.logs)"
        _copy(connection, "logs", f"chain_id = ? and {stored}", [chain_id])
        known = "number not in (select number from perpscope.blocks where chain_id = ?)"
        _copy(connection, "blocks", f"chain_id = ? and {known}", [chain_id, chain_id])
        write_tokens(connection, tokens)
        replace_policies(connection, [slug], policies)
        replace_stated(connection, chain_id, [slug], stated)
        back = f"reason = ? and ({_LOG}) in (select {_LOG} from perpscope.logs)"
        delete(connection, "orphans", back, [reason])
    return True


def _is_forked(connection: duckdb.DuckDBPyConnection) -> bool:
    query = """select 1 from side.blocks as s join perpscope.blocks as b
        on s.chain_id = b.chain_id and s.number = b.number where s.hash <> b.hash limit 1"""
    return bool(connection.execute(query).fetchall())


def _copy(
    connection: duckdb.DuckDBPyConnection, table: str, where: str, values: list[object]
) -> None:
    names = ", ".join(columns_of(table))
    connection.execute(
        f"insert into perpscope.{table} ({names}) select {names} from side.{table} where {where}",
        values,
    )


def keep_reaches(path: Path, chain_id: int, rows: pl.DataFrame, stored: Stored) -> None:
    """
    Store what declarations read: these rows, what coverage still names, and rows of others.

    Another run may be about to cover what the rows of other protocols name.

    Args:
        path: the database.
        chain_id: the chain.
        rows: rows of `reaches`.
        stored: what was read of the chain; where these are all of it, nothing is written.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    if _reaches(stored.reaches, stored.coverage, rows) is None:
        return
    with transaction(path) as connection:
        reaches = select(connection, "reaches", "chain_id = ?", [chain_id])
        coverage = select(connection, "coverage", "chain_id = ?", [chain_id])
        if (kept := _reaches(reaches, coverage, rows)) is not None:
            delete(connection, "reaches", "chain_id = ?", [chain_id])
            insert(connection, "reaches", kept)


def _reaches(
    stored: pl.DataFrame, coverage: pl.DataFrame, rows: pl.DataFrame
) -> pl.DataFrame | None:
    """Return what is to be stored; None where it is."""
    reach = pl.col("declaration_digest").str.split("/").list.last()
    named = coverage.select("protocol", reach=reach).unique()
    kept = stored.join(named, on=["protocol", "reach"], how="semi")
    others = stored.join(rows, on="protocol", how="anti")
    kept = pl.concat([kept, others, rows]).unique(maintain_order=True)
    order = list(columns_of("reaches"))
    return None if kept.sort(order).equals(stored.sort(order)) else kept


def seed_tokens(side: Path, rows: pl.DataFrame) -> None:
    """
    Store tokens that another database knows, so that nobody is asked for them again.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    with transaction(side) as connection:
        insert_missing(connection, "tokens", rows, ["chain_id", "address"])


def read_span(
    path: Path, chain_id: int, from_block: int, to_block: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Return the stored logs and headers of whole blocks, as rows of `logs` and `blocks`.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        span = [chain_id, from_block, to_block]
        return (
            select(connection, "logs", "chain_id = ? and block_number between ? and ?", [*span]),
            select(connection, "blocks", "chain_id = ? and number between ? and ?", [*span]),
        )
