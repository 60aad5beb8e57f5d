"""
What an endpoint can do, found out by asking it: at most about a hundred small requests.

Nothing is believed because a provider says so. A block hash that no block has must be refused,
or pins are ignored; a block whose bloom filter says that it holds logs must not be answered with
none, or its history is pruned.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from indexer.chains import Chain
from indexer.errors import HistoryPruned, NodeBehind, RangeTooLarge, WorldError
from indexer.rpc.answers import NULL, Call, Part
from indexer.rpc.asking import Answer, Read, Request
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import PinRefused
from indexer.rpc.frames import Header, log_frame
from indexer.rpc.member import Member
from indexer.rpc.readings import header, returned, text, value
from indexer.rpc.retries import retrying
from indexer.rpc.transport import Transport, transport_to

Pins = Literal["honoured", "refused", "ignored", "unknown"]

_TRIES = 2
_PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.1
_BATCHES = (100, 50, 20, 10, 2)
_SPANS = (10, 100, 1_000, 10_000, 100_000)
_NEIGHBOURS = 8
_FEW = 20
_BISECTIONS = 6
_BURST = 20
_NOBODY = "0x" + "00" * 20
_NO_TOPIC = "0x" + "00" * 32
_NO_BLOCK = "0x" + "fe" * 32


@dataclass(frozen=True)
class Examination:
    """
    What was found out about an endpoint.

    Attributes:
        endpoint: its address without secrets.
        failure: why it cannot be used at all; then nothing else is known.
        client: what the node calls itself.
        head: number of its newest block.
        head_at: that block's time, UTC.
        has_safe: whether it knows the tag `safe`.
        has_finalized: whether it knows the tag `finalized`.
        has_receipts: whether it serves eth_getBlockReceipts.
        pins: what it makes of a block hash as the moment of a call.
        batch_calls: most calls in one request that it answered.
        log_blocks: most blocks in one eth_getLogs that it answered, for a filter that matches
            nothing; 0 where it answered none.
        log_refusal: what it said to a longer range; None where it refused none.
        logs_answered: logs of the last few blocks, of all contracts, in one answer; None where
            it refused.
        headers_from: about the first block whose header it serves.
        logs_from: about the first block whose logs it is known to serve.
        lacks_logs: whether it lacks the logs of an older block.
        empty_at: a block it answered with no logs although the header says that there are some.
        state_from: about the first block after which it answers calls.
        is_limited: whether it limited our rate during the examination.
        latency_seconds: median answer time.
        requests: JSON-RPC calls it took to find out.
    """

    endpoint: str
    failure: str | None = None
    client: str | None = None
    head: int | None = None
    head_at: datetime | None = None
    has_safe: bool = False
    has_finalized: bool = False
    has_receipts: bool = False
    pins: Pins = "unknown"
    batch_calls: int = 0
    log_blocks: int = 0
    log_refusal: str | None = None
    logs_answered: int | None = None
    headers_from: int | None = None
    logs_from: int | None = None
    lacks_logs: bool = False
    empty_at: int | None = None
    state_from: int | None = None
    is_limited: bool = False
    latency_seconds: float | None = None
    requests: int = 0


async def examine(
    endpoint: Endpoint,
    chain: Chain,
    clock: Clock | None = None,
    connect: Callable[[Endpoint], Transport] = transport_to,
) -> Examination:
    """
    Return what an endpoint can do.

    Args:
        endpoint: whom to examine.
        chain: the chain it must serve.
        clock: what passes the time.
        connect: makes its connections.
    """
    patience = min(endpoint.timeout_seconds, _PATIENCE_SECONDS)
    own = replace(
        endpoint, tries=_TRIES, first_wait_seconds=_PAUSE_SECONDS, timeout_seconds=patience
    )
    clock = clock or Clock()
    member = Member(own, chain, clock, connect)
    try:
        return await _Examiner(member, own, clock).findings()
    except WorldError as error:
        return Examination(str(endpoint), failure=str(error), requests=member.calls)
    finally:
        await member.close()


class _Examiner:
    def __init__(self, member: Member, endpoint: Endpoint, clock: Clock) -> None:
        self._member, self._clock, self._endpoint = member, clock, endpoint
        self._batch = 1
        self._head = 0
        self._lacks_logs = False
        self._empty_at: int | None = None
        self._headers: dict[int, list[Header]] = {}

    async def findings(self) -> Examination:
        head = await self._asked([_block("latest")], _header_of("latest"))
        self._head = head.number
        client = await self._perhaps(self._asked([("web3_clientVersion", [])], _text))
        tags = [
            await self._perhaps(self._asked([_block(tag)], _is_known))
            for tag in ("safe", "finalized")
        ]
        receipts = await self._perhaps(
            self._asked([("eth_getBlockReceipts", [hex(head.number)])], _is_list)
        )
        pins = await self._pins(f"0x{head.hash.hex()}")
        self._batch = await self._batch_calls()
        blocks, refusal = await self._log_blocks()
        answered = await self._perhaps(self._all_logs(max(head.number - _FEW + 1, 0), head.number))
        headers_from = await self._earliest(self._serves_header)
        logs_from = await self._earliest(self._serves_logs) if blocks else None
        state_from = None if pins == "ignored" else await self._earliest(self._serves_state)
        await self._burst()
        account = self._member.statistics()
        return Examination(
            endpoint=str(self._endpoint),
            client=client,
            head=head.number,
            head_at=head.timestamp,
            has_safe=bool(tags[0]),
            has_finalized=bool(tags[1]),
            has_receipts=bool(receipts),
            pins=pins,
            batch_calls=self._batch,
            log_blocks=blocks,
            log_refusal=refusal,
            logs_answered=answered,
            headers_from=headers_from,
            logs_from=logs_from,
            lacks_logs=self._lacks_logs,
            empty_at=self._empty_at,
            state_from=state_from,
            is_limited=bool(account.errors.get("SlowDown")),
            latency_seconds=account.latency_seconds,
            requests=account.calls,
        )

    async def _asked(self, calls: Sequence[Call], read: Read[Answer]) -> Answer:
        request = Request(calls, read)
        return await retrying(self._endpoint, self._clock)(self._member.ask, request)

    async def _perhaps(self, asking: Awaitable[Answer]) -> Answer | None:
        try:
            return await asking
        except WorldError:
            return None

    async def _pins(self, block_hash: str) -> Pins:
        try:
            await self._asked([_call({"blockHash": block_hash})], _returned)
        except PinRefused:
            return "refused"
        except WorldError:
            return "unknown"
        try:
            await self._asked([_call({"blockHash": _NO_BLOCK})], _returned)
        except WorldError:
            return "honoured"
        return "ignored"

    async def _batch_calls(self) -> int:
        for calls in _BATCHES:
            asking = self._asked([("eth_chainId", [])] * calls, _texts)
            if await self._perhaps(asking):
                return calls
        return 1

    async def _log_blocks(self) -> tuple[int, str | None]:
        most = 0
        for span in _SPANS:
            refusal = await self._log_refusal(span)
            if refusal is None:
                most = min(span, self._head + 1)
                if most < span:
                    break
                continue
            proposed = refusal.suggested if isinstance(refusal, RangeTooLarge) else None
            if proposed is not None and await self._log_refusal(_blocks(proposed)) is None:
                most = max(most, _blocks(proposed))
            return most, str(refusal)
        return most, None

    async def _log_refusal(self, span: int) -> WorldError | None:
        first = max(self._head - span + 1, 0)
        query = {
            "fromBlock": hex(first),
            "toBlock": hex(self._head),
            "address": [_NOBODY],
            "topics": [[_NO_TOPIC]],
        }
        try:
            await self._asked([("eth_getLogs", [query])], _count(first, self._head))
        except WorldError as error:
            return error
        return None

    async def _earliest(self, serves: Callable[[int], Awaitable[bool | None]]) -> int | None:
        """Return about the first block that is served; None where none is known to be."""
        failing: int | None = None
        for point in self._points():
            is_served = await serves(point)
            if is_served:
                return point if failing is None else await self._between(failing, point, serves)
            if is_served is False:
                failing = point
        return None

    async def _between(
        self, low: int, high: int, serves: Callable[[int], Awaitable[bool | None]]
    ) -> int:
        for _ in range(_BISECTIONS):
            if high - low <= 1:
                break
            middle = (low + high) // 2
            if await serves(middle):
                high = middle
            else:
                low = middle
        return high

    def _points(self) -> list[int]:
        head = self._head
        depths = (head // 64, head // 16, head // 4, head // 2, head - 10_000, head - 1_000)
        # Block 0 is kept by nodes that have thrown away all others.
        points = {1, *depths, head - 128, head - 16, head}
        return sorted(point for point in points if 0 < point <= head) or [head]

    async def _serves_header(self, number: int) -> bool:
        return bool(await self._near(number))

    async def _serves_logs(self, number: int) -> bool | None:
        headers = await self._near(number)
        if not headers:
            return False
        has_logs = any(found.logs_bloom and any(found.logs_bloom) for found in headers)
        if not has_logs:
            return None  # no logs would be the right answer
        first, last = headers[0].number, headers[-1].number
        try:
            count = await self._all_logs(first, last)
        except (HistoryPruned, NodeBehind):
            self._lacks_logs = True
            return False
        except WorldError:
            return None  # it may want an address, or find the blocks too full
        if not count:
            self._lacks_logs, self._empty_at = True, number
        return bool(count)

    async def _all_logs(self, first: int, last: int) -> int:
        query = {"fromBlock": hex(first), "toBlock": hex(last)}
        return await self._asked([("eth_getLogs", [query])], _count(first, last))

    async def _serves_state(self, number: int) -> bool:
        return await self._perhaps(self._asked([_call(hex(number))], _returned)) is not None

    async def _near(self, number: int) -> list[Header]:
        """Return the headers of a few blocks from this one on; none where the first is missing."""
        if number not in self._headers:
            last = min(number + min(_NEIGHBOURS, self._batch), self._head + 1)
            names = [hex(block) for block in range(number, last)]
            asking = self._asked([_block(name) for name in names], _headers_of(names))
            self._headers[number] = await self._perhaps(asking) or []
        return self._headers[number]

    async def _burst(self) -> None:
        # Whether a rate limit is near: nothing else here is asked at once.
        calls = [self._asked([("eth_chainId", [])], _text) for _ in range(_BURST)]
        await asyncio.gather(*(self._perhaps(call) for call in calls))


def _block(name: str) -> Call:
    return "eth_getBlockByNumber", [name, False]


def _call(moment: str | dict[str, str]) -> Call:
    return "eth_call", [{"to": _NOBODY, "data": "0x"}, moment]


def _blocks(span: tuple[int, int]) -> int:
    return span[1] - span[0] + 1


def _header_of(name: str) -> Read[Header]:
    return lambda parts, endpoint: header(value(parts[0], endpoint), name)


def _headers_of(names: Sequence[str]) -> Read[list[Header]]:
    def read(parts: list[Part], endpoint: Endpoint) -> list[Header]:
        pairs = zip(parts, names, strict=True)
        found = [header(value(part, endpoint), name) for part, name in pairs]
        is_row = all(after.number == before.number + 1 for before, after in pairwise(found))
        return found if is_row and found[0].number == int(names[0], 16) else []

    return read


def _text(parts: list[Part], endpoint: Endpoint) -> str:
    return text(value(parts[0], endpoint))


def _texts(parts: list[Part], endpoint: Endpoint) -> list[str]:
    return [text(value(part, endpoint)) for part in parts]


def _is_list(parts: list[Part], endpoint: Endpoint) -> bool:
    return value(parts[0], endpoint).lstrip().startswith(b"[")


def _count(first: int, last: int) -> Read[int]:
    return lambda parts, endpoint: len(log_frame(value(parts[0], endpoint, (first, last))))


def _is_known(parts: list[Part], _: Endpoint) -> bool:
    return not parts[0].is_error and bytes(parts[0].result) != NULL


def _returned(parts: list[Part], endpoint: Endpoint) -> bytes:
    return returned(parts[0], endpoint) or b""
