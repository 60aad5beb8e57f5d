"""Wrong blocks are replaced: the right ones land and the wrong rows go, in one transaction."""

from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.intervals import merged_coverage
from indexer.store.knowledge import is_unheard
from indexer.store.proofs import digest_of
from indexer.store.ranges import Range, write_within
from indexer.store.reading import OWNED, OWNERS, logs_between, stored_in
from indexer.tables import columns_of


def replace_range(path: Path, landed: Range, others: OWNERS, *, before_hash: bytes) -> int | None:
    """
    Write a range over blocks that are covered already.

    What the new rows teach about later blocks holds as for any range: blocks read without knowing
    it are no longer covered. Stored logs that are not among the new ones move to `orphans`.

    Args:
        path: the database.
        landed: the right rows.
        others: which logs belong to which protocol of the chain, as `write_range` takes them.
        before_hash: hash of the block before the range.

    Returns:
        How many logs moved to `orphans`; None when another process found meanwhile, in blocks
        below, what lives in these: nothing was written.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
        NodeAnswerWrong: a block that another protocol covers is stored with another hash.
    """
    with transaction(path) as connection:
        # What is born in the range itself is told by its new rows.
        if is_unheard(connection, replace(landed, to_block=landed.from_block - 1)):
            return None
        owned = others(stored_in(connection, landed.chain_id))
        wrong = logs_between(connection, landed.chain_id, landed.from_block, landed.to_block)
        _uncover(connection, landed, before_hash, owned)
        write_within(connection, landed, others)
        right = logs_between(connection, landed.chain_id, landed.from_block, landed.to_block)
        gone = wrong.join(right, on=wrong.columns, how="anti", nulls_equal=True)
        insert(connection, "orphans", gone.with_columns(reason=pl.lit("repaired")))
    return len(gone)


def _uncover(
    connection: duckdb.DuckDBPyConnection, landed: Range, before_hash: bytes, owned: OWNED
) -> None:
    rows = select(connection, "coverage", "chain_id = ?", [landed.chain_id])
    kept = []
    for row in rows.iter_rows(named=True):
        low = max(row["from_block"], landed.from_block)
        high = min(row["to_block"], landed.to_block)
        if row["protocol"] not in landed.protocols or low > high:
            kept.append(row)
            continue
        lower = {"to_block": low - 1, "to_block_hash": f"0x{before_hash.hex()}"}
        upper = {"from_block": high + 1}
        # Counted anew: the digest in a row is of what was fetched, not of what is left of it.
        for piece in (row | lower, row | upper):
            first, last = piece["from_block"], piece["to_block"]
            if first <= last:
                digest = digest_of(connection, row, first, last, owned)
                kept.append(piece | {"logs_digest": digest})
    delete(connection, "coverage", "chain_id = ?", [landed.chain_id])
    after = pl.DataFrame(kept, columns_of("coverage"), orient="row")
    insert(connection, "coverage", merged_coverage(after))
