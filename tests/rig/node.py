"""
The node in front of the chain: real HTTP on loopback, faults when the seed says so.

Whether a fault strikes depends on the seed, the fault, what is asked and how often that was asked
before; not on the clock, and not on the order in which requests of one moment arrive.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from threading import Lock

from aiohttp import web

from indexer.simulation.node import in_thread
from indexer.simulation.refusals import Refused
from rig.exchange import Exchange, Habits, Reply, read_calls
from rig.fault import Phase, Planned
from rig.live import LiveChain

HOST = "127.0.0.1"
_MOST_BYTES = 64 << 20


@dataclass
class Rig:
    """
    A chain, its node, and what is wrong with it.

    Attributes:
        live: the chain.
        planned: which faults strike; empty for a sound node.
        seed: decides when.
        habits: what the node does consistently while its faults strike.
        url: where it answers, once it is served.
        struck: how often each fault struck.
        on_request: called with each request, before it is answered.
        requests: HTTP requests that came so far.
        calls: JSON-RPC calls answered so far, by method.
        answering: held while a request is answered: whoever asked may be dead, and the fault that
            moves the chain for it alive. Hold it to move the chain from outside.
    """

    live: LiveChain
    planned: Sequence[Planned] = ()
    seed: object = 0
    habits: Habits = field(default_factory=Habits)
    url: str = ""
    on_request: Callable[[], None] | None = None
    struck: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    answering: Lock = field(default_factory=Lock)
    _asked: Counter[str] = field(default_factory=Counter)

    def heal(self) -> None:
        """Let no fault strike any more."""
        self.planned = ()

    def reply(self, body: bytes) -> Reply:
        """Return what is sent in answer to a request."""
        with self.answering:
            return self._reply(body)

    def _reply(self, body: bytes) -> Reply:
        self.requests += 1
        if self.on_request is not None:
            self.on_request()
        try:
            calls, is_batch = read_calls(body, self.live.state)
        except Refused as refused:
            told = {"jsonrpc": "2.0", "id": None, "error": refused.refusal.content()}
            return Reply(json.dumps(told).encode())
        self.calls.update(call.method for call in calls)
        exchange = Exchange(calls, is_batch, self.live, self.habits, Random())
        nth = self._nth(exchange) if self.planned else ""
        self._strike(exchange, Phase.ASKED, nth)
        for call in exchange.calls:
            call.answer()
        self._strike(exchange, Phase.TOLD, nth)
        exchange.settle()
        self._strike(exchange, Phase.SENT, nth)
        return exchange.sent

    def _nth(self, exchange: Exchange) -> str:
        asked = json.dumps([(call.method, call.params) for call in exchange.calls])
        self._asked[asked] += 1
        return f"{asked} {self._asked[asked]}"

    def _strike(self, exchange: Exchange, phase: Phase, nth: str) -> None:
        for planned in self.planned:
            fault = planned.fault
            if fault.phase is not phase or self.requests <= planned.after:
                continue
            if planned.most is not None and self.struck[fault.name] >= planned.most:
                continue
            exchange.dice = Random(f"{self.seed} {fault.name} {nth}")
            if exchange.dice.random() < planned.rate and fault.strike(exchange):
                self.struck[fault.name] += 1


@contextmanager
def serving(rig: Rig, port: int = 0) -> Iterator[Rig]:
    """Serve a rig from a thread of its own while the block runs; port 0 takes any free one."""
    with in_thread(_started(rig, port)):
        yield rig


async def _started(rig: Rig, port: int) -> web.AppRunner:
    async def post(request: web.Request) -> web.StreamResponse:
        return await _sent(request, rig.reply(await request.read()))

    app = web.Application(client_max_size=_MOST_BYTES)
    app.router.add_post("/{path:.*}", post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    rig.url = f"http://{HOST}:{runner.addresses[0][1]}/"
    return runner


async def _sent(request: web.Request, reply: Reply) -> web.StreamResponse:
    await asyncio.sleep(reply.delay_seconds)
    if reply.cut_after is None:
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body)
    if reply.cut_after:
        await response.prepare(request)
        await response.write(reply.body[: reply.cut_after])
    if request.transport is not None:
        request.transport.abort()
    return response
