"""
`/metrics`, `/healthz` and `/readyz` on loopback.

They are answered by the loop that does the work, so an answer from `/healthz` shows that it turns.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from errno import EADDRINUSE

from aiohttp import web

from indexer.errors import UserError, WorldError
from indexer.watch.freshness import Freshness
from indexer.watch.metrics import Metrics

HOST = "127.0.0.1"

_METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


@asynccontextmanager
async def answering(metrics: Metrics, freshness: Freshness, port: int) -> AsyncIterator[str]:
    """
    Answer while the block runs; give the address.

    Raises:
        WorldError: the port is taken.
        UserError: it cannot be used.
    """

    async def told(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers=_METRICS)

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        stale = freshness.stale()
        text = "\n".join(stale or ["ready"])
        return web.Response(status=503 if stale else 200, text=f"{text}\n")

    app = web.Application()
    app.router.add_get("/metrics", told)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await _listen(runner, port)
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        is_taken = error.errno == EADDRINUSE  # whoever has it may end
        raise (WorldError if is_taken else UserError)(
            f"watch.port {port} on {HOST} cannot be used ({os.strerror(error.errno or 0)}): "
            "expected a free one; name another, or 0 for any"
        ) from error
