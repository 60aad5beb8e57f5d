"""Closed block intervals: what is covered, what is missing, and one canonical way to say it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import polars as pl

from indexer.store.fingerprint import added
from indexer.tables import columns_of

Interval = tuple[int, int]
Row = dict[str, Any]

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


def touching(intervals: Sequence[Interval], low: int, high: int) -> slice:
    """Return where those of ordered, disjoint intervals are that hold any of these blocks."""
    first = bisect_left(intervals, low, key=itemgetter(1))
    return slice(first, max(first, bisect_right(intervals, high, key=itemgetter(0))))


def holds(intervals: Sequence[Interval], block: int) -> bool:
    """Return whether one of ordered, disjoint intervals holds a block."""
    return bool(intervals[touching(intervals, block, block)])


def unite(intervals: list[Interval], low: int, high: int) -> None:
    """Add an interval to ordered, disjoint ones; those that it overlaps become one with it."""
    place = touching(intervals, low, high)
    if there := intervals[place]:
        low, high = min(low, there[0][0]), max(high, there[-1][1])
    intervals[place] = [(low, high)]


def merged_coverage(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Return rows of `coverage` with neighbours that say the same joined, sorted.

    However the blocks were cut when they were fetched, the result is the same: `logs_digest` of
    a joined row is the sum of its parts' (see `fingerprint`).
    """
    ordered = rows.sort("chain_id", "protocol", "from_block").iter_rows(named=True)
    whole = merged(ordered, _SAME, _covered)
    return pl.DataFrame(list(whole), columns_of("coverage"), orient="row")


def merged(
    rows: Iterable[Row], same: Sequence[str], extended: Callable[[Row, Row], Row]
) -> Iterator[Row]:
    """
    Yield rows with neighbours made one that touch and agree.

    Args:
        rows: intervals with from_block and to_block, in order.
        same: the columns they must agree in.
        extended: what of a row and its neighbour replaces the row's own.
    """
    current: Row | None = None
    for row in rows:
        if current is not None and _continues(current, row, same):
            current |= extended(current, row)
            continue
        if current is not None:
            yield current
        current = dict(row)
    if current is not None:
        yield current


def _covered(before: Row, row: Row) -> Row:
    digest = added(before["logs_digest"], row["logs_digest"])
    return {name: row[name] for name in ("to_block", "to_block_hash")} | {"logs_digest": digest}


def _continues(before: Row, row: Row, same: Sequence[str]) -> bool:
    touches: bool = before["to_block"] + 1 == row["from_block"]
    return touches and all(before[name] == row[name] for name in same)
