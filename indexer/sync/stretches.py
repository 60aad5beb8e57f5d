"""Which covered blocks to check together: those that the same protocols cover, in handy parts."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from secrets import SystemRandom

import polars as pl

from indexer.chains import Chain
from indexer.spec import Protocol
from indexer.store import holds
from indexer.sync.proving import last_alike

_BLOCKS = 1_000

Interval = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """
    Blocks that the same protocols cover and that have the same quirks.

    Attributes:
        numbers: ascending; consecutive unless they are a sample.
        protocols: who covers them.
    """

    numbers: Sequence[int]
    protocols: tuple[Protocol, ...]


@dataclass(frozen=True)
class Wanted:
    """
    Which blocks to check.

    Attributes:
        chain: the chain.
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        sample: only so many, chosen by chance; None for all.
    """

    chain: Chain
    from_block: int
    to_block: int
    sample: int | None


def parts(
    wanted: Wanted,
    protocols: Sequence[Protocol],
    coverage: pl.DataFrame,
    *,
    is_whole: bool = True,
) -> Iterator[Part]:
    """
    Yield the covered blocks to check, in order.

    Args:
        wanted: which.
        protocols: whose.
        coverage: rows of `coverage` of the chain.
        is_whole: whether the node has the blocks themselves; else nobody looks at them, and those
            that the same protocols cover are one part.
    """
    stretches = list(_stretches(wanted, protocols, coverage))
    picked = _picked(wanted.sample, [interval for interval, _ in stretches])
    for (low, high), present in stretches:
        numbers = range(low, high + 1) if picked is None else _between(picked, low, high)
        start = 0
        while start < len(numbers):
            end = last_alike(wanted.chain, "receipts", numbers[start], high) if is_whole else high
            most = min(start + _BLOCKS, len(numbers)) if is_whole else len(numbers)
            after = bisect_right(numbers, end, start, most)
            yield Part(numbers[start:after], present)
            start = after


def _between(numbers: Sequence[int], low: int, high: int) -> Sequence[int]:
    return numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]


def _stretches(
    wanted: Wanted, protocols: Sequence[Protocol], coverage: pl.DataFrame
) -> Iterator[tuple[Interval, tuple[Protocol, ...]]]:
    first, last = wanted.from_block, wanted.to_block
    covered = {
        protocol.slug: sorted(
            (max(low, first), min(high, last))
            for slug, low, high in coverage.select("protocol", "from_block", "to_block").iter_rows()
            if slug == protocol.slug and low <= last and high >= first
        )
        for protocol in protocols
    }
    intervals = [interval for found in covered.values() for interval in found]
    cuts = sorted({low for low, _ in intervals} | {high + 1 for _, high in intervals})
    for low, after in pairwise(cuts):
        present = tuple(protocol for protocol in protocols if holds(covered[protocol.slug], low))
        if present:
            yield (low, after - 1), present


def _picked(sample: int | None, intervals: Sequence[Interval]) -> list[int] | None:
    if sample is None:
        return None
    sizes = [high - low + 1 for low, high in intervals]
    places = sorted(SystemRandom().sample(range(sum(sizes)), min(sample, sum(sizes))))
    numbers: list[int] = []
    before = 0
    for (low, _), size in zip(intervals, sizes, strict=True):
        numbers += (low + place - before for place in _between(places, before, before + size - 1))
        before += size
    return numbers


def runs(
    numbers: Sequence[int], faults: Mapping[int, str]
) -> Iterator[tuple[int, int, str | None]]:
    """Yield (first, last, fault) of consecutive blocks about which the same is to be said."""
    start = last = numbers[0]
    for number in [*numbers[1:], None]:
        if number != last + 1 or faults.get(number) != faults.get(last):
            yield start, last, faults.get(last)
            start = number if number is not None else start
        last = number if number is not None else last
