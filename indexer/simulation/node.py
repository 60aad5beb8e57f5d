"""
A JSON-RPC node on loopback that serves simulated or recorded chains.

Each chain answers at /<slug> and /<chain id>, a lone one also at /, over HTTP and WebSocket. The
node never listens on anything but 127.0.0.1. Chains are replaced whole while it serves, so a call
sees one state of a chain.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from errno import EADDRINUSE
from threading import Thread
from typing import Any

import msgspec
from aiohttp import web

from indexer.errors import UserError, WorldError
from indexer.simulation import refusals
from indexer.simulation.methods import Pieces, enclosed, result
from indexer.simulation.refusals import Refusal, Refused
from indexer.simulation.served import ServedChain

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 64 << 20
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, body and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_TYPE)


Intercept = Callable[[str, bytes], Answer | None]


class Served:
    """
    A node that is serving.

    Attributes:
        port: the TCP port on 127.0.0.1.
        calls: how often each method was called, over all chains; a batch counts each call.
    """

    def __init__(self, chains: Sequence[ServedChain], intercept: Intercept | None = None) -> None:
        self._chains = {chain.slug: chain for chain in chains}
        self._intercept = intercept
        self.port = 0
        self.calls: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """The address of the only chain, or of the page that names the chains."""
        return f"http://{HOST}:{self.port}/"

    @property
    def urls(self) -> Mapping[str, str]:
        """The address of each chain by slug."""
        return {slug: self.url + slug for slug in self._chains}

    def replace(self, chain: ServedChain) -> None:
        """Serve `chain` instead of the one with the same slug, from the next call on."""
        self._chains = self._chains | {chain.slug: chain}

    def answer(self, path: str, body: bytes) -> Answer:
        """Return the answer to a POST of `body` to /`path`."""
        chain = self._chain(path)
        if chain is None:
            known = ", ".join(f"/{slug}" for slug in self._chains)
            return Answer(404, f"no chain at /{path}; there is {known}\n".encode(), {})
        if self._intercept is not None:
            instead = self._intercept(chain.slug, body)
            if instead is not None:
                return instead
            chain = self._chains[chain.slug]  # the intercept may have replaced it
        return self._answer(chain, body)

    def _chain(self, path: str) -> ServedChain | None:
        if not path and len(self._chains) == 1:
            return next(iter(self._chains.values()))
        names = {str(chain.chain_id): chain for chain in self._chains.values()}
        return (names | self._chains).get(path)

    def _answer(self, chain: ServedChain, body: bytes) -> Answer:
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Answer(200, _refusal_text(None, refusals.PARSE_ERROR))
        if request == []:
            return Answer(200, _refusal_text(None, refusals.EMPTY_BATCH))
        if isinstance(request, list):
            pieces = [piece for each in request for piece in self._one(chain, each)[1]]
            return Answer(200, b",".join(enclosed(b"[", pieces, b"]")) if pieces else b"")
        status, pieces = self._one(chain, request)
        return Answer(status, b",".join(pieces))

    def _one(self, chain: ServedChain, request: object) -> tuple[int, Pieces]:
        if not isinstance(request, dict) or isinstance(request.get("id"), (dict, list)):
            return 200, [_refusal_text(None, refusals.INVALID_REQUEST)]
        method, params, call_id = (request.get(name) for name in ("method", "params", "id"))
        params = [] if params is None else params
        if not method or not isinstance(method, str) or not isinstance(params, list):
            return 200, [_refusal_text(call_id, refusals.INVALID_REQUEST)]
        self.calls[method] += 1
        opening = b'{"jsonrpc":"2.0","id":%b,"result":' % msgspec.json.encode(call_id)
        try:
            status, pieces = 200, enclosed(opening, result(chain, method, params), b"}")
        except Refused as refused:
            status, pieces = refused.refusal.status, [_refusal_text(call_id, refused.refusal)]
        # A notification wants no answer, whatever comes of it.
        return (status, pieces) if "id" in request else (200, [])


def _refusal_text(call_id: object, refusal: Refusal) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": call_id, "error": refusal.content()})


@contextmanager
def serve(
    chains: Sequence[ServedChain], port: int = 0, intercept: Intercept | None = None
) -> Iterator[Served]:
    """
    Serve the chains from a thread of its own while the block runs.

    Args:
        chains: at least one; slugs differ.
        port: 0 takes any free port.
        intercept: sees (slug, request body) before each request and may answer it, or return
            None after doing something else: for tests of misbehaving nodes and of reorgs
            between two requests.

    Raises:
        WorldError: the port is taken.
        UserError: it cannot be used.
    """
    served = Served(chains, intercept)
    with in_thread(_start(served, port)):
        yield served


@contextmanager
def in_thread(starting: Coroutine[Any, Any, web.AppRunner]) -> Iterator[None]:
    """Start a server in a thread of its own, and stop it when the block ends."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="simulated-node", daemon=True)
    thread.start()
    try:
        runner = asyncio.run_coroutine_threadsafe(starting, loop).result()
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run_forever(
    chains: Sequence[ServedChain], port: int, announce: Callable[[str], None] = print
) -> None:
    """
    Serve the chains until SIGINT or SIGTERM, then return.

    Args:
        chains: at least one; slugs differ.
        port: 0 takes any free port.
        announce: told one line per chain with its URL once the node listens.

    Raises:
        WorldError: the port is taken.
        UserError: it cannot be used.
    """
    asyncio.run(_run_forever(Served(chains), port, announce))


async def _run_forever(served: Served, port: int, announce: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = await _start(served, port)
    for slug, url in served.urls.items():
        announce(f"{slug}: {url}")
    await stop.wait()
    await runner.cleanup()


async def _start(served: Served, port: int) -> web.AppRunner:
    async def post(request: web.Request) -> web.Response:
        answer = served.answer(request.path.strip("/"), await request.read())
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def converse(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_REQUEST_BYTES)
        if not socket.can_prepare(request):
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        await socket.prepare(request)
        async for message in socket:
            body = message.data if isinstance(message.data, bytes) else message.data.encode()
            if answer := served.answer(request.path.strip("/"), body).body:
                await socket.send_str(answer.decode())  # as nodes do, in frames of text
        return socket

    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app.router.add_post("/{path:.*}", post)
    app.router.add_get("/{path:.*}", converse, allow_head=False)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        await runner.cleanup()
        is_taken = error.errno == EADDRINUSE  # whoever has it may end
        raise (WorldError if is_taken else UserError)(
            f"port {port} on {HOST} cannot be used ({error.strerror}): name another, or 0 for any"
        ) from error
    served.port = runner.addresses[0][1]
    return runner
