"""One HTTP request on its way through the rig, and everything about it that a fault may change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from indexer.simulation import refusals
from indexer.simulation.methods import enclosed, result
from indexer.simulation.refusals import Refused
from indexer.simulation.served import ServedChain
from rig.live import LiveChain

Json = dict[str, Any]
Raw = msgspec.Raw


@dataclass
class Call:
    """
    One JSON-RPC call and its answer.

    Attributes:
        id: as the client numbers it.
        method: its name.
        params: its parameters.
        chain: the state of the chain that answers it.
        pieces: the result as JSON cut at commas; empty until it is answered.
        error: the error object that is sent instead of the result, or None.
    """

    id: object
    method: str
    params: list[Any]
    chain: ServedChain
    pieces: list[bytes] = field(default_factory=list)
    error: Json | None = None

    def answer(self) -> None:
        """Let the chain answer, unless a fault has refused the call already."""
        if self.error is not None:
            return
        try:
            self.pieces = result(self.chain, self.method, self.params)
        except Refused as refused:
            self.error = refused.refusal.content()

    def refuse(self, code: int, message: str) -> None:
        """Answer with an error."""
        self.error = {"code": code, "message": message}

    @property
    def range(self) -> tuple[int, int] | None:
        """First and last block of an eth_getLogs by numbers; None for every other call."""
        if self.method != "eth_getLogs" or not str(self.params[0].get("toBlock")).startswith("0x"):
            return None
        return int(self.params[0]["fromBlock"], 16), int(self.params[0]["toBlock"], 16)

    @property
    def body(self) -> bytes:
        """The result as JSON."""
        return b",".join(self.pieces)

    def logs(self) -> list[Raw]:
        """Return the logs of an answered eth_getLogs, each as it would be sent."""
        return msgspec.json.decode(self.body, type=list[Raw])

    def tell(self, answer: object) -> None:
        """Answer with this JSON value; parts of it may be raw JSON."""
        self.pieces = [msgspec.json.encode(answer)]

    def envelope(self) -> list[bytes]:
        """Return the whole answer as JSON cut at commas."""
        if self.error is not None:
            told = {"jsonrpc": "2.0", "id": self.id, "error": self.error}
            return [msgspec.json.encode(told)]
        opening = b'{"jsonrpc":"2.0","id":%b,"result":' % msgspec.json.encode(self.id)
        return enclosed(opening, self.pieces, b"}")


@dataclass
class Reply:
    """
    What goes back over HTTP.

    Attributes:
        body: of the answer.
        status: of the answer.
        headers: of the answer.
        delay_seconds: how long it takes to come.
        cut_after: how many bytes of the body are sent before the connection breaks; None: all.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay_seconds: float = 0
    cut_after: int | None = None


@dataclass(frozen=True)
class Habits:
    """
    What a node does consistently while its faults strike.

    Attributes:
        span_limit: most blocks in one eth_getLogs that `range_limit` lets pass.
        log_limit: most logs that `truncated` leaves in an answer; None cuts at random.
        block: the only block whose logs are left out; None for any, now this one, now another.
        slow_seconds: how long an answer takes that comes too late.
        said_by: in whose words `range_limit` and `batch_limit` refuse; None for anybody's.
        call_limit: most calls in one request that `batch_limit` lets pass.
    """

    span_limit: int = 7
    log_limit: int | None = None
    block: int | None = None
    slow_seconds: float = 1.0
    said_by: str | None = None
    call_limit: int = 2


@dataclass
class Exchange:
    """
    An HTTP request and its answer.

    Attributes:
        calls: what is asked; several in a batch.
        is_batch: whether it came as an array.
        live: the chain, for faults that change it.
        habits: what the node does consistently.
        dice: for the fault that looks at the exchange now.
        reply: what is sent; None until all calls are answered.
    """

    calls: list[Call]
    is_batch: bool
    live: LiveChain
    habits: Habits
    dice: Random
    reply: Reply | None = None

    def of(self, *methods: str) -> list[Call]:
        """Return the calls of these methods."""
        return [call for call in self.calls if call.method in methods]

    def answered(self, *methods: str) -> list[Call]:
        """Return the calls of these methods that have a result other than null and []."""
        return [
            call
            for call in self.of(*methods)
            if call.error is None and call.pieces not in ([b"null"], [b"[]"])
        ]

    @property
    def is_about_blocks(self) -> bool:
        """Whether anything is asked that depends on the chain's blocks."""
        return any(call.method not in {"eth_chainId", "web3_clientVersion"} for call in self.calls)

    def settle(self) -> None:
        """Turn the answers into what is sent."""
        if self.is_batch:
            pieces = [piece for call in self.calls for piece in call.envelope()]
            self.reply = Reply(b",".join(enclosed(b"[", pieces, b"]")))
        else:
            self.reply = Reply(b",".join(self.calls[0].envelope()))

    @property
    def sent(self) -> Reply:
        """What is sent, once all calls are answered."""
        if self.reply is None:
            raise ValueError("nothing is sent before every call is answered")
        return self.reply


def read_calls(body: bytes, chain: ServedChain) -> tuple[list[Call], bool]:
    """
    Return the calls in a request and whether it is a batch.

    Raises:
        Refused: the request is no JSON-RPC.
    """
    try:
        asked = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Refused(refusals.PARSE_ERROR) from error
    return list(_calls(asked, chain)), isinstance(asked, list)


def _calls(asked: Any, chain: ServedChain) -> Iterator[Call]:
    for one in asked if isinstance(asked, list) else [asked]:
        if not isinstance(one, dict) or not isinstance(one.get("method"), str):
            raise Refused(refusals.INVALID_REQUEST)
        yield Call(one.get("id"), one["method"], one.get("params") or [], chain)
