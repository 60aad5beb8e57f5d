"""
At which blocks of a range state is read: a function of the chain, never of how it was cut.

Multiples of a number of blocks are known at once. The first block of each bucket of time is found
by halving: a stretch whose ends lie in the same bucket holds none, one of two blocks is the answer,
and all stretches that are left are asked about in one request.
"""

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import polars as pl

from indexer.errors import NodeAnswerWrong
from indexer.rpc import HEADERS, Header
from indexer.spec import Blocks, Seconds
from indexer.sync.source import Source


class Headers:
    """Headers of one chain by number: those at hand, and those a node is asked for."""

    def __init__(self, node: Source, at_hand: pl.DataFrame, more: Iterable[Header] = ()) -> None:
        """Keep what is at hand: a `HEADERS` frame, and single ones."""
        self._node, self._at_hand = node, at_hand
        self._known = {header.number: header for header in more}

    async def at(self, numbers: Iterable[int]) -> list[Header]:
        """
        Return the headers of these blocks, in order.

        Raises:
            RetryableError: the node did not answer, or has not seen one of them.
            NodeAnswerWrong: it answered with other blocks, or without their time.
        """
        numbers = list(numbers)
        self._learn(self._at_hand.filter(pl.col("number").is_in(self._unknown(numbers))))
        if missing := self._unknown(numbers):
            self._learn(await self._node.headers(missing))
        return [_timed(self._known[number]) for number in numbers]

    def _unknown(self, numbers: Iterable[int]) -> list[int]:
        return [number for number in numbers if number not in self._known]

    def _learn(self, found: pl.DataFrame) -> None:
        rows: Iterable[dict[str, Any]] = found.select(*HEADERS).iter_rows(named=True)
        self._known.update((row["number"], Header(**row)) for row in rows)


def _timed(header: Header) -> Header:
    if header.timestamp is None:
        raise NodeAnswerWrong(
            f"the node gives block {header.number} no time: expected one, state is read at times; "
            "use another endpoint"
        )
    return header


async def due(every: Blocks | Seconds, low: int, high: int, headers: Headers) -> list[Header]:
    """
    Return the headers of the blocks `low` to `high`, inclusive, at which something is due.

    Raises:
        RetryableError, NodeAnswerWrong: what `Headers.at` raises.
    """
    if isinstance(every, Blocks):
        first = -(-low // every.count) * every.count
        return await headers.at(range(first, high + 1, every.count))
    return await headers.at(sorted(await _firsts(every.count, low, high, headers)))


async def _firsts(seconds: int, low: int, high: int, headers: Headers) -> list[int]:
    firsts, stretches = [0] if low == 0 <= high else [], [(max(low - 1, 0), high)]
    while stretches:
        ends = [number for stretch in stretches for number in stretch]
        buckets = [_bucket(header, seconds) for header in await headers.at(ends)]
        places = zip(stretches, buckets[::2], buckets[1::2], strict=True)
        crossing = [stretch for stretch, left, right in places if left != right]
        firsts += [right for left, right in crossing if right - left == 1]
        stretches = [
            half
            for left, right in crossing
            if right - left > 1
            for half in ((left, (left + right) // 2), ((left + right) // 2, right))
        ]
    return firsts


def _bucket(header: Header, seconds: int) -> int:
    stamp = header.timestamp
    return -1 if stamp is None else int(stamp.replace(tzinfo=UTC).timestamp()) // seconds
