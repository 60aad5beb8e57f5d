"""What to fetch: the gaps of all protocols of a chain, as pieces that one filter can serve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from indexer.store import gaps, holds
from indexer.sync.heads import Heads

Interval = tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """
    Blocks that the same protocols lack and that are equally final.

    Attributes:
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        protocols: slugs, in the order they were asked for.
        finality: latest, safe or finalized.
        is_settled: whether the blocks are too old for reorgs.
    """

    from_block: int
    to_block: int
    protocols: tuple[str, ...]
    finality: str
    is_settled: bool

    @property
    def blocks(self) -> int:
        """How many blocks they are."""
        return self.to_block - self.from_block + 1


def plan(
    covered: Mapping[str, Sequence[Interval]],
    wanted: Mapping[str, Interval],
    heads: Heads,
) -> list[Segment]:
    """
    Return what is missing, in block order.

    Args:
        covered: protocol -> the intervals it covers.
        wanted: protocol -> the interval it should cover.
        heads: how final which blocks are.
    """
    missing = {
        slug: list(gaps(covered.get(slug, ()), *interval)) for slug, interval in wanted.items()
    }
    return [
        Segment(low, high, slugs, heads.finality(high), high <= heads.settled)
        for low, high in _pieces(missing, heads)
        if (slugs := tuple(slug for slug in missing if holds(missing[slug], low)))
    ]


def intervals(coverage: pl.DataFrame) -> dict[str, list[Interval]]:
    """Return protocol -> the intervals it covers, from rows of `coverage`."""
    covered: dict[str, list[Interval]] = {}
    for slug, low, high in coverage.select("protocol", "from_block", "to_block").iter_rows():
        covered.setdefault(slug, []).append((low, high))
    return covered


def _pieces(missing: Mapping[str, Sequence[Interval]], heads: Heads) -> list[Interval]:
    intervals = [interval for found in missing.values() for interval in found]
    cuts = {low for low, _ in intervals} | {high + 1 for _, high in intervals}
    if not cuts:
        return []
    borders = {heads.settled + 1, heads.finalized + 1, heads.safe + 1}
    ordered = sorted(cuts | {border for border in borders if min(cuts) < border < max(cuts)})
    return [(low, after - 1) for low, after in pairwise(ordered)]
