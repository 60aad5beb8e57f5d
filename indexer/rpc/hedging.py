"""
Sending a slow read to a second endpoint as well: the first valid answer wins.

A hedge costs a request, so it is paid from a budget that ordinary requests fill: when every
endpoint is slow, the load grows by that share and not twofold.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from indexer.errors import (
    HistoryPruned,
    NodeAnswerWrong,
    RangeTooLarge,
    RetryableError,
    WorldError,
)
from indexer.rpc.clock import Sleep

Answer = TypeVar("Answer")
Attempt = Coroutine[Any, Any, Answer]

_MOST_SAVED = 5.0

# What another endpoint may do better; everything else is the answer to the request.
PASSING = (RetryableError, NodeAnswerWrong, HistoryPruned, RangeTooLarge)


class Budget:
    """How many hedges the requests so far have paid for."""

    def __init__(self, ratio: float) -> None:
        """Let each request pay for `ratio` of a hedge."""
        self._ratio = ratio
        self._saved = 0.0

    def earn(self) -> None:
        """Note an ordinary request."""
        self._saved = min(self._saved + self._ratio, _MOST_SAVED)

    def spend(self) -> bool:
        """Pay for a hedge; false where there is not enough."""
        # Ten times a tenth is a little less than one.
        if self._saved < 1 - 1e-9:
            return False
        self._saved -= 1
        return True


async def raced(
    first: Attempt[Answer],
    rival: Callable[[], Attempt[Answer] | None],
    delay: float,
    sleep: Sleep,
) -> Answer:
    """
    Return the first valid answer of an attempt and, where it is slow, of a rival.

    Args:
        first: the attempt.
        rival: asked for a second attempt once `delay` is over; None for no rival.
        delay: after how many seconds the first attempt counts as slow.
        sleep: how to wait for that long.

    Raises:
        WorldError: what the first attempt raised, when the rival failed as well; at once, what
            no other endpoint would change.
    """
    attempts = [asyncio.create_task(first)]
    alarm = asyncio.create_task(_rung(sleep(delay)))
    try:
        await asyncio.wait([*attempts, alarm], return_when=asyncio.FIRST_COMPLETED)
        if not attempts[0].done() and (second := rival()) is not None:
            attempts.append(asyncio.create_task(second))
        return await _first_valid(attempts)
    finally:
        for task in (*attempts, alarm):
            task.cancel()
        await asyncio.gather(*attempts, alarm, return_exceptions=True)


async def _rung(wait: Awaitable[None]) -> None:
    await wait


async def _first_valid(attempts: list[asyncio.Task[Answer]]) -> Answer:
    pending = set(attempts)
    failure: WorldError | None = None
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        # Both may be done: the valid one is taken.
        for task in sorted(done, key=lambda task: task.exception() is not None):
            try:
                return task.result()
            except PASSING as error:
                failure = failure or error
    assert failure is not None  # noqa: S101 - there is at least one attempt
    raise failure
