"""Closed block intervals: what is covered, what is missing, and one canonical way to say it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from indexer.store.fingerprint import added
from indexer.tables import columns_of

Interval = tuple[int, int]

# Rows that agree in these say the same about their blocks and become one when they touch.
_SAME = (
    "chain_id",
    "protocol",
    "declaration_digest",
    "finality",
    "finality_reason",
    "proof",
    "waiver",
)


def gaps(covered: Iterable[Interval], from_block: int, to_block: int) -> Iterator[Interval]:
    """Yield, in order, the closed intervals of `from_block` to `to_block` that are not covered."""
    start = from_block
    for low, high in sorted(covered):
        if low > start and start <= to_block:
            yield start, min(low - 1, to_block)
        start = max(start, high + 1)
    if start <= to_block:
        yield start, to_block


def merged_coverage(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Return rows of `coverage` with neighbours that say the same joined, sorted.

    However the blocks were cut when they were fetched, the result is the same: `logs_digest` of
    a joined row is the sum of its parts' (see `fingerprint`).
    """
    ordered = rows.sort("chain_id", "protocol", "from_block").iter_rows(named=True)
    return pl.DataFrame(list(_joined(ordered)), columns_of("coverage"), orient="row")


def _joined(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    current: dict[str, Any] | None = None
    for row in rows:
        if current is not None and _continues(current, row, _SAME):
            current |= {
                "to_block": row["to_block"],
                "to_block_hash": row["to_block_hash"],
                "logs_digest": added(current["logs_digest"], row["logs_digest"]),
            }
            continue
        if current is not None:
            yield current
        current = dict(row)
    if current is not None:
        yield current


def _continues(before: dict[str, Any], row: dict[str, Any], same: Sequence[str]) -> bool:
    touches: bool = before["to_block"] + 1 == row["from_block"]
    return touches and all(before[name] == row[name] for name in same)
