"""Wrong blocks are replaced: the right ones land and the wrong rows go, in one transaction."""

from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.fingerprint import added, subtracted
from indexer.store.intervals import Interval, merged_coverage
from indexer.store.knowledge import is_unheard
from indexer.store.landed import Range
from indexer.store.proofs import digest_of
from indexer.store.ranges import write_within
from indexer.store.reading import OWNED, OWNERS, logs_between, stored_in
from indexer.tables import columns_of

COUNTED = MutableMapping[tuple[object, ...], tuple[int, str]]
"""
What a run counted of rows of coverage: from which block on, to its end, which digest is stored.

By protocol, first and last block and digest of the row: one that has changed since has another.
"""


def replace_range(
    path: Path, landed: Range, others: OWNERS, *, before_hash: bytes, counted: COUNTED
) -> int | None:
    """
    Write a range over blocks that are covered already.

    What the new rows teach about later blocks holds as for any range: blocks read without knowing
    it are no longer covered. Stored logs that are not among the new ones move to `orphans`.

    Args:
        path: the database.
        landed: the right rows.
        others: which logs belong to which protocol of the chain, as `write_range` takes them.
        before_hash: hash of the block before the range.
        counted: what the range before it in the same run counted; told what this one did. Else
            the whole row of coverage that a range is in is read for each of them.

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
        above = _uncover(connection, landed, before_hash, owned, counted)
        write_within(connection, landed, others)
        left = dict(_left(connection, landed, above))
        right = logs_between(connection, landed.chain_id, landed.from_block, landed.to_block)
        gone = wrong.join(right, on=wrong.columns, how="anti", nulls_equal=True)
        insert(connection, "orphans", gone.with_columns(reason=pl.lit("repaired")))
    counted.clear()  # of others' rows too: a log may be of several protocols
    counted.update(left)
    return len(gone)


def _uncover(
    connection: duckdb.DuckDBPyConnection,
    landed: Range,
    before_hash: bytes,
    owned: OWNED,
    counted: COUNTED,
) -> dict[tuple[str, int], str]:
    """Take blocks out of coverage; return, by protocol and its row's end, the digest up to it."""
    rows = select(connection, "coverage", "chain_id = ?", [landed.chain_id])
    kept: list[dict[str, Any]] = []
    tops: dict[tuple[str, int], str] = {}
    for row in rows.iter_rows(named=True):
        low = max(row["from_block"], landed.from_block)
        high = min(row["to_block"], landed.to_block)
        if row["protocol"] not in landed.protocols or low > high:
            kept.append(row)
            continue
        lower = {"to_block": low - 1, "to_block_hash": f"0x{before_hash.hex()}"}
        upper = {"from_block": high + 1}
        digests = _digests(connection, row, (low, high), owned, counted)
        for piece, digest in zip((row | lower, row | upper), digests, strict=True):
            if piece["from_block"] <= piece["to_block"]:
                kept.append(piece | {"logs_digest": digest})
        tops[row["protocol"], row["to_block"]] = digests[1]
    delete(connection, "coverage", "chain_id = ?", [landed.chain_id])
    after = pl.DataFrame(kept, columns_of("coverage"), orient="row")
    insert(connection, "coverage", merged_coverage(after))
    return tops


def _digests(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    blocks: Interval,
    owned: OWNED,
    counted: COUNTED,
) -> tuple[str, str]:
    """Return the digests of what is stored of a coverage row below and above some blocks of it."""
    low, high = blocks
    first, last, whole = row["from_block"], row["to_block"], row["logs_digest"]
    start, rest = counted.get(_key(row), (last + 1, ""))
    if start > low:
        # Counted anew: the digest in a row is of what was fetched, not of what is left of it.
        below = digest_of(connection, row, first, low - 1, owned)
        return below, digest_of(connection, row, high + 1, last, owned)
    between = digest_of(connection, row, start, low - 1, owned)
    here = digest_of(connection, row, low, high, owned)
    return added(subtracted(whole, rest), between), subtracted(rest, added(between, here))


def _left(
    connection: duckdb.DuckDBPyConnection, landed: Range, above: dict[tuple[str, int], str]
) -> Iterator[tuple[tuple[object, ...], tuple[int, str]]]:
    next_block = landed.to_block + 1
    where = "chain_id = ? and from_block <= ? and to_block >= ?"
    values: list[object] = [landed.chain_id, next_block, next_block]
    for row in select(connection, "coverage", where, values).iter_rows(named=True):
        # Another row than the one that was counted ends elsewhere.
        if (counted := above.get((row["protocol"], row["to_block"]))) is not None:
            yield _key(row), (next_block, counted)


def _key(row: dict[str, Any]) -> tuple[object, ...]:
    return row["protocol"], row["from_block"], row["to_block"], row["logs_digest"]
