"""What reading state will cost: the same steps, taken against a chain that is only imagined."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import cast

import polars as pl

from indexer.chains import Chain
from indexer.facts import Known
from indexer.rpc import HEADERS, LOGS, Header
from indexer.rpc.state import calls_sent
from indexer.sync.pieces import Answer, Fetched, Piece
from indexer.sync.reads import StateReader
from indexer.sync.source import Source

Clock = Callable[[int], datetime]


class _Imagined:
    """A node that counts what it is asked; its blocks have the times of a clock."""

    def __init__(self, clock: Clock) -> None:
        self.requests = 0
        self._clock = clock

    def header(self, number: int) -> Header:
        """Return a header that has a number and a time."""
        return Header(number, b"", b"", self._clock(number), None)

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """Return the headers of these blocks."""
        rows = [(number, b"", b"", self._clock(number), None) for number in sorted(set(numbers))]
        self.requests += len(rows)
        return pl.DataFrame(rows, HEADERS, orient="row")

    async def state(
        self, requests: Sequence[tuple[bytes, bytes]], _block: Header
    ) -> list[bytes | None]:
        """Return no answer to any request."""
        self.requests += calls_sent(requests)
        return [None] * len(requests)


class Forecast:
    """
    Counts the calls that reading state will send, for the ranges of a chain in order.

    Headers of blocks with logs come with a range; where these are many, fewer are asked for.
    """

    def __init__(self, chain: Chain, clock: Clock) -> None:
        """
        Imagine a chain.

        Args:
            chain: the chain.
            clock: number -> time of the block, as far as it is known or guessed.
        """
        self._node = _Imagined(clock)
        self._reader = StateReader(cast(Source, self._node), chain)

    async def calls(self, known: Known, piece: Piece) -> int:
        """Return how many calls the reads that are due in a range will send."""
        at_hand = [] if piece.is_settled else range(piece.from_block, piece.to_block + 1)
        headers = await self._node.headers(at_hand)
        before = self._node.requests
        logs, last = pl.DataFrame(schema=LOGS), self._node.header(piece.to_block)
        fetched = Fetched(
            piece=piece,
            logs=logs,
            owners={},
            headers=headers,
            last=last,
            children=known.contracts.clear(),
            known=known,
            proof=piece.proof,
            waiver=None,
            answer=Answer(piece, logs, last, headers, frozenset(), frozenset()),
        )
        await self._reader.read(known, fetched)
        return self._node.requests - before
