"""
A JSON-RPC server on loopback that answers from a script, and a client that asks it.

`Script` holds a tiny chain (ten blocks, one log each) and what to do wrong with it; `ask` serves
it for the time of one question. Pauses between tries are recorded, not slept.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from indexer.chains import ETHEREUM
from indexer.rpc import Endpoint, Filter, Node

Answer = TypeVar("Answer")
Json = dict[str, Any]

ADDRESS = bytes([0xAA]) * 20
TOPIC0 = bytes([0xBB]) * 32
WANTED = Filter((ADDRESS,), (TOPIC0,))
KEY = "s3cret-key-0123456789"


def word(number: int) -> str:
    """Return `number` as 32 bytes of hex."""
    return f"0x{number:064x}"


def block_hash(number: int) -> str:
    """Return the hash of block `number` of the tiny chain."""
    return word(0xB10C0000 + number)


def block(number: int) -> Json:
    """Return the header of block `number`, with members no one asked for."""
    return {
        "number": hex(number),
        "hash": block_hash(number),
        "parentHash": block_hash(number - 1),
        "timestamp": hex(1_700_000_000 + 12 * number),
        "logsBloom": "0x" + "00" * 256,
        "transactions": [word(7)],
        "extraData": "0x",
    }


def log(number: int) -> Json:
    """Return the one log of block `number`."""
    return {
        "address": f"0x{ADDRESS.hex()}",
        "topics": [f"0x{TOPIC0.hex()}", word(number)],
        "data": word(number) + "00" * 32,
        "blockNumber": hex(number),
        "blockHash": block_hash(number),
        "transactionHash": word(0x7A0000 + number),
        "transactionIndex": "0x3",
        "logIndex": "0x5",
        "removed": False,
    }


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, sent as it is."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """
    What the server says.

    Attributes:
        chain_id: what it calls its chain.
        replies: HTTP answers to give first, in order, to everything but eth_chainId.
        forever: an HTTP answer to give always, to everything but eth_chainId.
        results: method -> its result, or a function of its parameters; replaces the tiny chain.
        errors: method -> the JSON-RPC error it answers with.
        whole: changes a finished answer before it is sent; not that of eth_chainId.
        handshake: the HTTP answer to whoever wants a WebSocket; None to open one.
        is_short: whether a WebSocket is closed after each answer.
        sockets: WebSockets opened so far.
        delay_seconds: how long every answer but that of eth_chainId takes.
        seen: the methods asked, in order.
        asked: the parameters of each, likewise.
    """

    chain_id: int = ETHEREUM.chain_id
    replies: list[Reply] = field(default_factory=list)
    forever: Reply | None = None
    results: Json = field(default_factory=dict)
    errors: Json = field(default_factory=dict)
    whole: Callable[[Any], Any] | None = None
    handshake: Reply | None = None
    is_short: bool = False
    sockets: int = 0
    delay_seconds: float = 0
    seen: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one HTTP request, or every message of a WebSocket."""
        if web.WebSocketResponse().can_prepare(request):
            return await self._converse(request)
        return await self._told(await request.json())

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        if self.handshake is not None:
            reply = self.handshake
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        self.sockets += 1
        socket = web.WebSocketResponse(max_msg_size=2**24)
        await socket.prepare(request)
        async for message in socket:
            answer = await self._told(json.loads(message.data))
            assert isinstance(answer.body, bytes)
            if answer.status != 200:  # in a script for WebSockets, the code to close with
                await socket.close(code=answer.status, message=answer.body)
                break
            await socket.send_bytes(answer.body)
            if self.is_short:
                await socket.close()
                break
        return socket

    async def _told(self, calls: Any) -> web.Response:
        batch = calls if isinstance(calls, list) else [calls]
        self.seen += [call["method"] for call in batch]
        self.asked += [call["params"] for call in batch]
        if batch[0]["method"] != "eth_chainId":
            await asyncio.sleep(self.delay_seconds)
            if reply := self.replies.pop(0) if self.replies else self.forever:
                return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        answers = [self._answer(call) for call in batch]
        answer = answers if isinstance(calls, list) else answers[0]
        if self.whole and batch[0]["method"] != "eth_chainId":
            answer = self.whole(answer)
        body = json.dumps(answer, separators=(",", ":")).encode()  # as most nodes write it
        return web.Response(body=body, content_type="application/json")

    def _answer(self, call: Json) -> Json:
        envelope = {"jsonrpc": "2.0", "id": call["id"]}
        method, params = call["method"], call["params"]
        if error := self.errors.get(method):
            return envelope | {"error": error}
        result = self.results.get(method, getattr(self, method, None))
        return envelope | {"result": result(*params) if callable(result) else result}

    def eth_chainId(self) -> str:  # noqa: N802 - JSON-RPC's own name
        """Return the chain's id."""
        return hex(self.chain_id)

    def web3_clientVersion(self) -> str:  # noqa: N802 - JSON-RPC's own name
        """Return a name."""
        return "Tiny/v1"

    def eth_getBlockByNumber(self, name: str, _full: object) -> Json | None:  # noqa: N802 - likewise
        """Return one of the blocks 0 to 10."""
        number = {"latest": 10, "safe": 9, "finalized": 8}.get(name)
        number = int(name, 16) if number is None else number
        return block(number) if number <= 10 else None

    def eth_getLogs(self, query: Json) -> list[Json]:  # noqa: N802 - likewise
        """Return the logs of the range, whatever the filter."""
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        return [log(number) for number in range(first, min(last, 10) + 1)]


@dataclass
class Client:
    """
    A way to ask scripted servers something.

    Attributes:
        settings: what to change in the endpoints' patience.
        pauses: how long the client would have slept between tries, seconds.
        now: what its clock shows; only pauses move it.
        scheme: how to speak: http or ws.
        urls: the servers' URLs of the last question, secrets included.
        requests: calls the last question took.
    """

    settings: Json = field(default_factory=lambda: {"tries": 3})
    pauses: list[float] = field(default_factory=list)
    now: float = 0
    scheme: str = "http"
    urls: list[str] = field(default_factory=list)
    requests: int = 0

    def ask(self, question: Callable[[Node], Awaitable[Answer]], *scripts: Script) -> Answer:
        """Serve the scripts, one endpoint each, put the question, and return its answer."""
        return asyncio.run(self._ask(question, scripts))

    async def _ask(
        self, question: Callable[[Node], Awaitable[Answer]], scripts: tuple[Script, ...]
    ) -> Answer:
        runners = [await _started(script) for script in scripts]
        self.urls = [
            f"{self.scheme}://user:{KEY}@{_host(runner)}/v2/{KEY}?apikey={KEY}"
            for runner in runners
        ]
        endpoints = [Endpoint(url, **self.settings) for url in self.urls]
        try:
            async with Node(endpoints, ETHEREUM, sleep=self._pause, now=lambda: self.now) as node:
                try:
                    return await question(node)
                finally:
                    self.requests = node.requests
        finally:
            for runner in runners:
                await runner.cleanup()

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def ask(question: Callable[[Node], Awaitable[Answer]], *scripts: Script) -> Answer:
    """Put one question to scripted servers with a client of ordinary patience."""
    return Client().ask(question, *scripts)


async def _started(script: Script) -> web.AppRunner:
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", script.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def _host(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"
