"""
Ranges fetched several at a time, given in block order.

Below finality several ranges are under way at once, as many as the endpoints take and memory
allows; what they hold waits until the ranges below are there, because those may announce children
(`fetching.complete`). A length that no answer has proven is tried once at a time. Above finality
one range follows the other, because each must continue the one before.
"""

import asyncio
from bisect import insort
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.chains import Chain
from indexer.errors import RangeTooLarge
from indexer.facts import Known
from indexer.sync.fetching import check_link, complete, fetch
from indexer.sync.pieces import Fetched, Piece
from indexer.sync.plan import Segment
from indexer.sync.source import Source
from indexer.sync.span import Span

WINDOW_BLOCKS = 200
"""Most blocks of a range above finality, whose every header is fetched."""

_MOST_BYTES = 96 * 2**20
_SPARE_REQUESTS = 50

Cut = Callable[[Segment, int, int, bytes | None], Piece]
"""(segment, first block, last block, hash of the block before) -> the piece to fetch."""


@dataclass(frozen=True)
class _Flight:
    piece: Piece
    known: Known
    is_probe: bool
    task: asyncio.Task[Fetched | None]

    def size(self, span: Span) -> float:
        """Return the bytes it holds, or is expected to."""
        if self.task.done() and not self.task.cancelled() and self.task.exception() is None:
            fetched = self.task.result()
            return fetched.answer.logs.estimated_size() if fetched else 0
        return span.bytes_per_block * self.piece.blocks


class Ahead:
    """
    The fetching end of a run.

    Args:
        node: whom to ask.
        chain: the chain.
        known: what is known of it before the first range.
        span: how many blocks to ask for.
        cut: makes a piece of a segment.
        most: how many ranges may be under way at once.
        most_requests: after how many JSON-RPC calls the node stops sending; None for never.
        hashes: hashes of blocks that a range above finality may follow.
    """

    def __init__(
        self,
        node: Source,
        chain: Chain,
        known: Known,
        span: Span,
        cut: Cut,
        *,
        most: int,
        most_requests: int | None,
        hashes: Mapping[int, bytes],
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._node, self._chain, self._known = node, chain, known
        self._span, self._cut, self._most = span, cut, most
        self._most_requests, self._costliest = most_requests, 0
        self._hashes = dict(hashes)
        self._todo: list[Segment] = []
        self._flights: list[_Flight] = []

    async def ranges(self, segments: Sequence[Segment]) -> AsyncGenerator[Fetched, None]:
        """
        Yield the segments' ranges in block order, each complete for what those below announced.

        Raises:
            RangeTooLarge: a single block is more than the node will serve.
            What `fetch` raises.
        """
        self._todo = list(segments)
        try:
            while self._todo or self._flights:
                while (piece := self._next()) is not None:
                    self._start(piece)
                flight = self._flights.pop(0)
                fetched = await flight.task
                if fetched is not None:
                    fetched = await self._in_order(flight, fetched)
                if fetched is None:
                    self._put_back(flight.piece)
                else:
                    yield fetched
        finally:
            tasks = [flight.task for flight in self._flights]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_short(self) -> bool:
        """Whether requests may run out, so that each range must land before the next is asked."""
        if self._most_requests is None:
            return False
        needed = 2 * (len(self._flights) + 1) * self._costliest + _SPARE_REQUESTS
        return self._node.requests + needed > self._most_requests

    def _next(self) -> Piece | None:
        if not self._todo:
            return None
        segment = self._todo[0]
        blocks = self._blocks(segment)
        last = min(segment.from_block + blocks - 1, segment.to_block)
        parent = self._hashes.get(segment.from_block - 1)
        return self._cut(segment, segment.from_block, last, parent) if blocks else None

    def _blocks(self, segment: Segment) -> int:
        blocks = self._span.blocks
        if not segment.is_settled:
            return 0 if self._flights else min(blocks, WINDOW_BLOCKS)
        if not self._flights or segment.from_block < self._flights[0].piece.from_block:
            return blocks
        if self.is_short:
            return 0
        if any(flight.is_probe for flight in self._flights):
            # Much longer ranges may be possible in a moment: short ones would be a waste.
            blocks = min(blocks, self._span.proven) if blocks < 3 * self._span.proven else 0
        held = sum(flight.size(self._span) for flight in self._flights)
        is_full = held + blocks * self._span.bytes_per_block > _MOST_BYTES
        return 0 if is_full or len(self._flights) >= self._most else blocks

    def _start(self, piece: Piece) -> None:
        segment = self._todo.pop(0)
        if piece.to_block < segment.to_block:
            self._todo.insert(0, replace(segment, from_block=piece.to_block + 1))
        is_probe = piece.blocks > self._span.proven
        task = asyncio.create_task(self._fetched(piece, self._known))
        flight = _Flight(piece, self._known, is_probe, task)
        insort(self._flights, flight, key=lambda each: each.piece.from_block)

    async def _fetched(self, piece: Piece, known: Known) -> Fetched | None:
        fetched = await self._unless_refused(piece, fetch(self._node, self._chain, known, piece))
        if fetched is None:
            return None
        logs = fetched.answer.logs
        self._costliest = max(self._costliest, len(fetched.headers))
        self._span.answered(piece.blocks, len(logs), int(logs.estimated_size()))
        return fetched

    def _put_back(self, piece: Piece) -> None:
        low, high = piece.from_block, piece.to_block
        segment = Segment(low, high, piece.slugs, piece.finality, piece.is_settled)
        insort(self._todo, segment, key=lambda each: each.from_block)

    async def _unless_refused(
        self, piece: Piece, work: Coroutine[None, None, Fetched]
    ) -> Fetched | None:
        try:
            return await work
        except RangeTooLarge as refusal:
            self._span.refused(piece.from_block, piece.to_block, refusal)
            return None

    async def _in_order(self, flight: _Flight, found: Fetched) -> Fetched | None:
        fetched: Fetched | None = found
        if flight.known is not self._known:  # a range below announced children meanwhile
            again = complete(self._node, self._chain, self._known, found.answer)
            fetched = await self._unless_refused(flight.piece, again)
        if fetched is None:
            return None
        self._known = fetched.known
        piece = fetched.piece
        # Also below finality: ranges asked for at once may tell of different chains.
        check_link(fetched.answer, self._hashes.get(piece.from_block - 1))
        self._hashes.pop(piece.from_block - 1, None)
        self._hashes[piece.to_block] = fetched.last.hash
        return fetched
