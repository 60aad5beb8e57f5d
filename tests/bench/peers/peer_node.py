"""
A fast node with faults: `python peer_node.py LOGS PER_BLOCK`.

It prints as a line of JSON what it serves (see `Offer`) and serves until it is told to stop, from
bytes that were rendered before. A POST to /<fault>/<any name> is answered with that fault. A GET of
the same path tells how many requests came there (see `Asked`), and of /truth/<block> what is in the
blocks 1 to that one (see `Truth`).
"""

import asyncio
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from aiohttp import web
from peer_chain import CONTRACT, TRANSFER, Chain, chain
from peer_faults import BY_NAME, Fault

HOST = "127.0.0.1"
CLIENT = "perpscope-simulated/bench"
JSON = {"Content-Type": "application/json"}
MAX_REQUEST_BYTES = 64 << 20


class Offer(msgspec.Struct, frozen=True):
    """
    What the node serves.

    Attributes:
        url: without fault and name.
        contract: the emitter, 0x text.
        last: the last block that has only transfers; the first is 1.
        per_block: logs in each block.
    """

    url: str
    contract: str
    last: int
    per_block: int


class Asked(msgspec.Struct):
    """
    How often a path was asked.

    Attributes:
        requests: HTTP requests.
        calls: JSON-RPC calls in them.
        hits: how often the fault was met.
    """

    requests: int = 0
    calls: int = 0
    hits: int = 0


class Truth(msgspec.Struct, frozen=True):
    """
    What a client should find.

    Attributes:
        rows: how many transfers.
        total: the sum of their values, as text.
    """

    rows: int
    total: str


class Refused(Exception):
    """A call is answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Server:
    """The node's answers; `asked` counts by path."""

    def __init__(self, served: Chain, per_block: int) -> None:
        self._chain = served
        self._per_block = per_block
        self._filters: list[object] = []
        self.asked: dict[str, Asked] = defaultdict(Asked)

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return HTTP status and body of the answer to a POST."""
        fault, asked = BY_NAME[path.partition("/")[0]], self.asked[path]
        asked.requests += 1
        request = msgspec.json.decode(body)
        calls = request if isinstance(request, list) else [request]
        asked.calls += len(calls)
        if fault.busy_every and asked.requests % fault.busy_every == 0:
            asked.hits += 1
            return 429, b'{"error":"Too Many Requests"}'
        parts = [self._one(fault, asked, call) for call in calls]
        return 200, b"[%b]" % b",".join(parts) if isinstance(request, list) else parts[0]

    def told(self, path: str) -> Asked | Truth:
        """Return what a GET is answered."""
        kind, _, rest = path.partition("/")
        if kind != "truth":
            return self.asked[path]
        last = int(rest)
        return Truth(
            min(last, self._chain.last + 1) * self._per_block, str(self._chain.totals[last])
        )

    def _one(self, fault: Fault, asked: Asked, call: dict[str, object]) -> bytes:
        name, params = msgspec.json.encode(call.get("id")), call.get("params") or []
        assert isinstance(params, list)
        try:
            result = self._result(fault, asked, str(call["method"]), params)
        except Refused as refused:
            error = msgspec.json.encode({"code": refused.code, "message": str(refused)})
            return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (name, error)
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (name, result)

    def _result(self, fault: Fault, asked: Asked, method: str, params: list[object]) -> bytes:
        constants = {
            "eth_chainId": "0x1",
            "net_version": "1",
            "web3_clientVersion": CLIENT,
            "eth_blockNumber": hex(self._chain.head),
            "eth_syncing": False,
            "eth_gasPrice": "0x1",
            "eth_uninstallFilter": True,
        }
        if method in constants:
            return msgspec.json.encode(constants[method])
        if method == "eth_getLogs":
            return self._logs(fault, asked, params[0])
        if method == "eth_newFilter":
            self._filters.append(params[0])
            return b'"%#x"' % (len(self._filters) - 1)
        if method == "eth_getFilterLogs":
            return self._logs(fault, asked, self._filters[int(str(params[0]), 16)])
        if method in {"eth_getBlockByNumber", "eth_getBlockByHash"}:
            return self._block(self._number(params[0]), is_full=bool(params[1]))
        if method == "eth_getBlockReceipts":
            number = self._number(params[0])
            return b"null" if number is None else self._chain.full_receipts(number)
        if method == "eth_call":
            raise Refused(3, "execution reverted")
        raise Refused(-32601, f"the method {method} does not exist/is not available")

    def _block(self, number: int | None, *, is_full: bool) -> bytes:
        if number is None:
            return b"null"
        return self._chain.full_block(number) if is_full else self._chain.headers[number]

    def _number(self, reference: object) -> int | None:
        text = str(reference)
        if text in {"latest", "safe", "finalized", "pending"}:
            return self._chain.head  # a range of the past: all of it is final
        if text == "earliest":
            return 0
        number = self._chain.numbers.get(text) if len(text) == 66 else int(text, 16)
        return number if number is not None and number <= self._chain.head else None

    def _logs(self, fault: Fault, asked: Asked, query: object) -> bytes:
        assert isinstance(query, dict)
        low, high = (self._number(query.get(name, "latest")) for name in ("fromBlock", "toBlock"))
        if "blockHash" in query:
            low = high = self._number(query["blockHash"])
        if low is None or high is None or low > high:
            raise Refused(-32000, "invalid block range params")
        if not _is_wanted(query):
            return b"[]"
        return b"[%b]" % self._between(fault, asked, low, high).rstrip(b",")

    def _between(self, fault: Fault, asked: Asked, low: int, high: int) -> bytes:
        odd, middle = self._chain.last + 1, self._chain.last // 2
        count = self._per_block * max(0, min(high, odd) - max(low, 1) + 1)
        is_over = 0 < max(fault.refuses_above, fault.cuts_at) < count
        omits = (fault.omits_log or fault.omits_block) and low <= middle <= high
        asked.hits += is_over or omits or (fault.has_odd_log and low <= odd <= high)
        if is_over and fault.refuses_above:
            raise Refused(-32005, f"query returned more than {fault.refuses_above} results")
        if is_over:
            high = max(low, 1) + fault.cuts_at // self._per_block - 1
        logs, starts = self._chain.logs, self._chain.starts
        if not omits:
            return bytes(memoryview(logs)[starts[low] : starts[high + 1]])
        gap, end = starts[middle], starts[middle + 1]
        if fault.omits_log:
            end = gap + len(self._chain.logs_of(middle)[0]) + 1
        return bytes(logs[starts[low] : gap]) + bytes(logs[end : starts[high + 1]])


def _is_wanted(query: dict[str, object]) -> bool:
    topics = query.get("topics") or []
    assert isinstance(topics, list)
    first = topics[0] if topics else None
    return _holds(query.get("address"), CONTRACT) and _holds(first, TRANSFER)


def _holds(wanted: object, value: bytes) -> bool:
    texts: Sequence[object] = wanted if isinstance(wanted, list) else [wanted]
    return wanted in (None, []) or f"0x{value.hex()}" in {str(text).lower() for text in texts}


async def _serve(logs: int, per_block: int) -> None:
    made = chain(logs, per_block)
    server = Server(made, per_block)

    async def post(request: web.Request) -> web.Response:
        status, body = server.answer(request.path.strip("/"), await request.read())
        return web.Response(status=status, body=body, headers=JSON)

    async def get(request: web.Request) -> web.Response:
        body = msgspec.json.encode(server.told(request.path.strip("/")))
        return web.Response(body=body, headers=JSON)

    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app.router.add_post("/{path:.*}", post)
    app.router.add_get("/{path:.*}", get)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = f"http://{HOST}:{runner.addresses[0][1]}"
    offer = Offer(url, f"0x{CONTRACT.hex()}", made.last, per_block)
    print(msgspec.json.encode(offer).decode(), flush=True)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
