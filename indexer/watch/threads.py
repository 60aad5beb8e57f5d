"""A coroutine in a thread of its own: a chain that waits for a lock stops nobody else's loop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_Started = tuple[asyncio.AbstractEventLoop, "asyncio.Task[Any]"]


async def elsewhere(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return what a coroutine returns, run by a loop of its own; cancelling reaches it there."""
    started: list[_Started] = []

    async def begun() -> Result:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio.run makes one
        started.append((asyncio.get_running_loop(), task))
        return await work()

    future = asyncio.ensure_future(asyncio.to_thread(lambda: asyncio.run(begun())))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        for loop, task in started:
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait([future])
        raise
