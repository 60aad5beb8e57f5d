"""A loopback node that takes its time: each answer comes after a pause, many at once."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

from aiohttp import web

from indexer.simulation.node import HOST, Served
from indexer.simulation.served import ServedChain


class Delayed:
    """
    A node with a pause before each answer.

    Attributes:
        url: where it listens.
        served: the node behind it.
        busiest: most requests that were under way at once.
    """

    def __init__(self, chains: Sequence[ServedChain], pause: Callable[[], float]) -> None:
        """Prepare to serve the chains; `pause` says how many seconds each answer takes."""
        self.served = Served(chains)
        self.url = ""
        self.busiest = self._under_way = 0
        self._pause = pause

    async def post(self, request: web.Request) -> web.Response:
        """Answer one HTTP request after a pause."""
        body = await request.read()
        self._under_way += 1
        self.busiest = max(self.busiest, self._under_way)
        await asyncio.sleep(self._pause())
        self._under_way -= 1
        answer = self.served.answer(request.path.strip("/"), body)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def start(self) -> web.AppRunner:
        """Listen on a free port."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{path:.*}", self.post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        self.url = f"http://{HOST}:{runner.addresses[0][1]}/"
        return runner


@contextmanager
def delayed(chains: Sequence[ServedChain], pause: Callable[[], float]) -> Iterator[Delayed]:
    """Serve the chains from a thread of its own, each answer after a pause."""
    node = Delayed(chains, pause)
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(node.start(), loop).result()
    try:
        yield node
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def shuffled(seed: int, most_seconds: float) -> Callable[[], float]:
    """Return pauses between nothing and `most_seconds`, the same for the same seed."""
    numbers = random.Random(seed)
    return lambda: numbers.uniform(0, most_seconds)
