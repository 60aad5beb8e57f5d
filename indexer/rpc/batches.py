"""How many calls travel in one request: learned from what one chain's endpoints take."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from indexer.errors import NodeUnavailable
from indexer.rpc.failures import SlowDown, TimedOut, TooManyCalls

MOST_CALLS = 500

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
_LOGGER = logging.getLogger(__name__)


class Batches:
    """
    Cuts questions into requests of as many calls as are taken.

    The size doubles after a full request was answered, and falls to what a refusal names, or to
    half. A size that was refused is not tried again. A new size is tried by one request alone, so
    that a refusal costs one request and not as many as are under way.

    Attributes:
        size: how many calls the next request may have.
    """

    def __init__(self, first: int, most: int = MOST_CALLS) -> None:
        """Begin with `first` calls in a request; never send more than `most`."""
        self.size = self._first = min(first, most)
        self._most = most
        self._proven = 0

    async def asked(
        self,
        items: Sequence[_Item],
        ask: Callable[[Sequence[_Item]], Awaitable[_Answer]],
        *,
        spare: int = 0,
        most: int = MOST_CALLS,
    ) -> list[_Answer]:
        """
        Return the answers to all items, one for each request, in the order of the items.

        Args:
            items: what is asked, one call each.
            ask: sends the calls of some items in one request.
            spare: how many calls a request may have beside those of its items.
            most: how many calls a request may have at most.

        Raises:
            TooManyCalls: not even one item can be asked with the calls beside it.
            WorldError: another failure of `ask`.
        """
        answers: list[_Answer] = []
        place = 0
        while place < len(items) and self._proven < min(self.size, most):
            part = items[place : place + self._room(spare, most)]
            if answered := await self._tried(part, ask, spare):
                answers += answered
                place += len(part)
        room = self._room(spare, most)
        parts = [items[start : start + room] for start in range(place, len(items), room)]
        found = await _all(self._whole(part, ask, spare, most) for part in parts)
        return answers + [answer for each in found for answer in each]

    async def _whole(
        self,
        part: Sequence[_Item],
        ask: Callable[[Sequence[_Item]], Awaitable[_Answer]],
        spare: int,
        most: int,
    ) -> list[_Answer]:
        answered = await self._tried(part, ask, spare)
        return answered or await self.asked(part, ask, spare=spare, most=most)

    async def _tried(
        self,
        part: Sequence[_Item],
        ask: Callable[[Sequence[_Item]], Awaitable[_Answer]],
        spare: int,
    ) -> list[_Answer]:
        """Return the answer to one request; nothing where fewer calls are to be tried."""
        calls = len(part) + spare
        try:
            answer = await ask(part)
        except NodeUnavailable as failure:
            if len(part) == 1 or not self._shrunk(failure, calls):
                raise
            _LOGGER.info("%s; sending up to %d calls in one request", failure, self.size)
            return []
        self._answered(calls)
        return [answer]

    def _room(self, spare: int, most: int) -> int:
        return max(1, min(self.size, most) - spare)

    def _shrunk(self, failure: NodeUnavailable, calls: int) -> bool:
        """Send fewer calls from now on; say whether they are a cure for the failure."""
        match failure:
            case TooManyCalls():
                self._refused(failure.most or calls - 1, failure.fewer)
            # That requests grew was our idea: none may fail that would not have failed before.
            case SlowDown() | TimedOut() if calls > self._first:
                self._refused(calls - 1, self._first)
            case _:
                return False
        return True

    def _refused(self, most: int, fewer: int) -> None:
        self._most = min(self._most, most)
        self.size = max(1, min(self.size, fewer, self._most))
        self._proven = 0

    def _answered(self, calls: int) -> None:
        self._proven = max(self._proven, calls)
        grown = min(2 * self.size, MOST_CALLS)
        if calls >= self.size and grown <= self._most:
            self.size = grown


async def _all(work: Iterable[Coroutine[Any, Any, _Answer]]) -> list[_Answer]:
    tasks = [asyncio.create_task(part) for part in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
