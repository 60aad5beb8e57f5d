"""
What an endpoint can do, found out by asking it: at most about a hundred small requests.

Nothing is believed because a provider says so. A block hash that no block has must be refused, or
pins are ignored; how much is answered at once is tried; `history` looks how far back it goes.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from indexer.chains import Chain
from indexer.errors import RangeTooLarge, WorldError
from indexer.rpc.asking import block_call
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import PinRefused, TooManyCalls
from indexer.rpc.history import History
from indexer.rpc.member import Member
from indexer.rpc.probing import (
    NOBODY,
    Probe,
    call,
    is_known,
    is_list,
    perhaps,
    refusal_of,
    returned_bytes,
    texts,
)
from indexer.rpc.readings import newest
from indexer.rpc.transport import Transport, transport_to

Pins = Literal["honoured", "refused", "ignored", "unknown"]

_TRIES = 2
_PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.1
_BATCHES = (100, 50, 20, 10, 2)
_SPANS = (10, 100, 1_000, 10_000, 100_000)
_FEW = 20
_BURST = 20
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
        return await _findings(Probe(member, clock))
    except WorldError as error:
        return Examination(str(endpoint), failure=str(error), requests=member.calls)
    finally:
        await member.close()


async def _findings(probe: Probe) -> Examination:
    head = await probe.asked([block_call("latest")], newest)
    client = await perhaps(probe.asked([("web3_clientVersion", [])], texts))
    receipts = [("eth_getBlockReceipts", [hex(head.number)])]
    found = Examination(
        endpoint=str(probe.member.endpoint),
        client=client[0] if client else None,
        head=head.number,
        head_at=head.timestamp,
        has_safe=bool(await perhaps(probe.asked([block_call("safe")], is_known))),
        has_finalized=bool(await perhaps(probe.asked([block_call("finalized")], is_known))),
        has_receipts=bool(await perhaps(probe.asked(receipts, is_list))),
        pins=await _pins(probe, f"0x{head.hash.hex()}"),
        batch_calls=await _batch_calls(probe),
    )
    found = await _with_history(probe, await _with_limits(probe, found, head.number), head.number)
    await _burst(probe)
    account = probe.member.statistics()
    return replace(
        found,
        is_limited=bool(account.errors.get("SlowDown")),
        latency_seconds=account.latency_seconds,
        requests=account.calls,
    )


async def _with_limits(probe: Probe, found: Examination, head: int) -> Examination:
    blocks, refusal = await _log_blocks(probe, head)
    return replace(
        found,
        log_blocks=blocks,
        log_refusal=refusal,
        logs_answered=await perhaps(probe.logs(max(head - _FEW + 1, 0), head)),
    )


async def _with_history(probe: Probe, found: Examination, head: int) -> Examination:
    history = History(probe, head, found.batch_calls)
    headers_from = await history.headers_from()
    logs_from = await history.logs_from() if found.log_blocks else None
    # Who ignores the moment of a call answers at every one.
    state_from = None if found.pins == "ignored" else await history.state_from()
    return replace(
        found,
        headers_from=headers_from,
        logs_from=logs_from,
        lacks_logs=history.lacks_logs,
        empty_at=history.empty_at,
        state_from=state_from,
    )


async def _pins(probe: Probe, block_hash: str) -> Pins:
    try:
        await probe.asked([call({"blockHash": block_hash})], returned_bytes)
    except PinRefused:
        return "refused"
    except WorldError:
        return "unknown"
    answer = await perhaps(probe.asked([call({"blockHash": _NO_BLOCK})], returned_bytes))
    return "honoured" if answer is None else "ignored"


async def _batch_calls(probe: Probe) -> int:
    for calls in _BATCHES:
        refusal = await _batch_refusal(probe, calls)
        if refusal is None:
            return calls
        told = _proposed(refusal)
        if told and await _batch_refusal(probe, told) is None:
            return told
    return 1


async def _batch_refusal(probe: Probe, calls: int) -> WorldError | None:
    return await refusal_of(probe.asked([("eth_chainId", [])] * calls, texts))


async def _log_blocks(probe: Probe, head: int) -> tuple[int, str | None]:
    """Return the longest range of logs that is answered, and what is said to a longer one."""
    most = 0
    for span in _SPANS:
        refusal = await _refusal(probe, head, span)
        if refusal is not None:
            proposed = _proposed(refusal)
            if proposed and await _refusal(probe, head, proposed) is None:
                most = max(most, proposed)
            return most, str(refusal)
        most = min(span, head + 1)
    return most, None


async def _refusal(probe: Probe, head: int, span: int) -> WorldError | None:
    first = max(head - span + 1, 0)
    return await refusal_of(probe.logs(first, head, address=[NOBODY], topics=[[_NO_TOPIC]]))


def _proposed(refusal: WorldError) -> int | None:
    return refusal.most if isinstance(refusal, RangeTooLarge | TooManyCalls) else None


async def _burst(probe: Probe) -> None:
    # Whether a rate limit is near: nothing else here is asked at once.
    calls = [probe.asked([("eth_chainId", [])], texts) for _ in range(_BURST)]
    await asyncio.gather(*(perhaps(one) for one in calls))
