"""Time that passes only when everybody waits, so that hours of waiting take no time at all."""

import asyncio
from collections.abc import Coroutine
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

from indexer.rpc.clock import Clock

Answer = TypeVar("Answer")

_TURNS = 50  # of the event loop, until whoever can go on has gone on


class VirtualTime:
    """
    A clock whose sleepers wake in order.

    Attributes:
        now: seconds since the beginning.
    """

    def __init__(self) -> None:
        """Begin at a moment that is not zero, as real clocks do."""
        self.now = 1_000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def clock(self) -> Clock:
        """The clock as the pool takes it; jitter is always the middle."""
        return Clock(now=lambda: self.now, sleep=self.sleep, chance=lambda: 0.5)

    async def sleep(self, seconds: float) -> None:
        """Wait until that much time has passed."""
        future = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (self.now + max(seconds, 0), next(self._order), future))
        await future

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what the work returns, moving the time on whenever all wait."""
        return asyncio.run(self._run(work))

    async def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        task = asyncio.create_task(work)
        while not task.done():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            while not task.done() and self._sleepers:
                moment, _, future = heappop(self._sleepers)
                if not future.done():
                    self.now = max(self.now, moment)
                    future.set_result(None)
                    break
        return await task
