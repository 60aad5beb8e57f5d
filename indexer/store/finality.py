"""Coverage grows more final with time: rows are upgraded once the node confirms their hash."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.intervals import merged_coverage


def settle(
    path: Path, chain_id: int, finalities: Mapping[tuple[int, str], str], finalized: int
) -> None:
    """
    Say how final covered intervals have become, and drop headers no reorg can need any more.

    Args:
        path: the database.
        chain_id: the chain.
        finalities: (to_block, to_block_hash) of intervals whose hash was confirmed -> finality.
        finalized: the chain's last final block; at or below it only blocks with logs are kept.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    if not finalities:
        return
    with transaction(path) as connection:
        stored = select(connection, "coverage", "chain_id = ?", [chain_id])
        ends = zip(stored["to_block"], stored["to_block_hash"], stored["finality"], strict=True)
        finality = [finalities.get((number, at), before) for number, at, before in ends]
        delete(connection, "coverage", "chain_id = ?", [chain_id])
        raised = stored.with_columns(finality=pl.Series(finality, dtype=pl.String))
        insert(connection, "coverage", merged_coverage(raised))
        bare = """chain_id = ? and number <= ? and not exists (
            select 1 from logs as l where l.chain_id = blocks.chain_id and l.block_number = number
        )"""
        delete(connection, "blocks", bare, [chain_id, finalized])
