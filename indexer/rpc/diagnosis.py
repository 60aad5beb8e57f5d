"""What is wrong with an endpoint and what it costs: pure functions of what was found out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from indexer.chains import Chain
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.examination import Examination
from indexer.rpc.member import LAG_SECONDS

_LATE_SECONDS = 60
_FEW_BLOCKS = 1_000
_FEW_CALLS = 10
_MILLION = 1_000_000


@dataclass(frozen=True)
class Problem:
    """
    One thing that is wrong with an endpoint.

    Attributes:
        endpoint: its address without secrets.
        sentence: what was found, and what it costs.
        is_fatal: whether nothing can be indexed from the endpoint.
    """

    endpoint: str
    sentence: str
    is_fatal: bool = False


@dataclass(frozen=True)
class Cost:
    """
    What a million blocks take at least, where logs are so few that only the span limits.

    Attributes:
        calls: JSON-RPC calls.
        hours: at the endpoint's pace.
    """

    calls: int
    hours: float


def cost(found: Examination, endpoint: Endpoint) -> Cost | None:
    """Return what a million blocks cost at an endpoint; None where it serves no logs."""
    if not found.log_blocks:
        return None
    ranges = ceil(_MILLION / found.log_blocks)
    calls = 2 * ranges  # each range comes with the header of its last block
    seconds = ranges * (found.latency_seconds or 0) / endpoint.concurrency
    if endpoint.requests_per_second is not None:
        seconds = max(seconds, calls / endpoint.requests_per_second)
    return Cost(calls, seconds / 3_600)


def problems(
    found: Sequence[Examination],
    endpoints: Sequence[Endpoint],
    chain: Chain,
    now: datetime,
) -> list[Problem]:
    """
    Return what is wrong with the endpoints of a chain, in their order.

    Args:
        found: what was found out about each.
        endpoints: the endpoints, in the same order.
        chain: the chain they serve.
        now: the wall clock, UTC without zone.
    """
    best = max((one.head for one in found if one.head is not None), default=0)
    return [
        problem
        for one, endpoint in zip(found, endpoints, strict=True)
        for problem in _of(one, endpoint, chain, best, now)
    ]


def _of(
    found: Examination, endpoint: Endpoint, chain: Chain, best: int, now: datetime
) -> Iterator[Problem]:
    name = found.endpoint
    if found.failure is not None or found.head is None:
        yield Problem(name, found.failure or f"{name} shows no block", is_fatal=True)
        return
    if not found.log_blocks:
        said = f": {found.log_refusal}" if found.log_refusal else ""
        sentence = f"{name} serves no logs, so nothing can be indexed{said}"
        yield Problem(name, sentence, is_fatal=True)
    if found.batch_calls == 1:
        sentence = (
            f"{name} takes no batches, so that logs cannot come together with the header that "
            "proves them, and nothing can be indexed"
        )
        yield Problem(name, sentence, is_fatal=True)
    sentences = [
        *_freshness(found, chain, best, now),
        *_abilities(found),
        *_history(found),
        *_limits(found, endpoint),
    ]
    for sentence in sentences:
        yield Problem(name, f"{name} {sentence}")


def _freshness(found: Examination, chain: Chain, best: int, now: datetime) -> Iterator[str]:
    lag = best - (found.head or 0)
    if lag * chain.block_seconds > LAG_SECONDS:
        yield (
            f"is {lag:,} blocks behind the best endpoint, about {lag * chain.block_seconds:,.0f} "
            "s: it is passed over for what is new"
        )
    if found.head_at is not None and (now - found.head_at).total_seconds() > _LATE_SECONDS:
        age = (now - found.head_at).total_seconds()
        yield (
            f"shows a newest block that is {age:,.0f} s old: data is that late, unless the chain "
            "itself stands still or this machine's clock is wrong"
        )


def _abilities(found: Examination) -> Iterator[str]:
    if not found.has_finalized:
        yield (
            "knows no `finalized` block: finality is taken from the age of blocks, which is slower "
            "to say so"
        )
    if not found.has_receipts:
        yield "serves no eth_getBlockReceipts: completeness cannot be proven to receipts with it"
    if found.pins == "ignored":
        yield (
            "answers calls pinned to a block that does not exist: state read from it may be of any "
            "block and is not to be believed"
        )
    if found.pins == "refused":
        yield (
            "takes no block hash as the moment of a call: state is read by number, with a header "
            "more in each request"
        )


def _history(found: Examination) -> Iterator[str]:
    if found.empty_at is not None:
        yield (
            f"answers no logs for block {found.empty_at:,} although its header says there are "
            "some: history there is pruned, and indexing it from here would lose events"
        )
    if found.headers_from is not None and found.headers_from > 1:
        yield (
            f"serves headers from about block {found.headers_from:,} on: what is older cannot be "
            "indexed"
        )
    if found.lacks_logs and found.logs_from is not None:
        yield (
            f"serves logs from about block {found.logs_from:,} on: what is older cannot be indexed"
        )
    if found.state_from is not None and found.state_from > 1:
        yield (
            f"answers calls from about block {found.state_from:,} on: state before that needs an "
            "archive node"
        )
    if found.state_from is None and found.pins != "ignored":
        yield "answers no calls: state cannot be read from it"


def _limits(found: Examination, endpoint: Endpoint) -> Iterator[str]:
    spent = cost(found, endpoint)
    if spent is not None and found.log_blocks < min(_FEW_BLOCKS, (found.head or 0) + 1):
        yield (
            f"serves {found.log_blocks:,} blocks of logs at once: a million blocks take at least "
            f"{spent.calls:,} calls and {spent.hours:.1f} h"
        )
    if found.is_limited:  # and may have refused larger batches for that
        yield (
            "limited our rate during the examination: set requests_per_second, or count on pauses"
        )
    elif 1 < found.batch_calls < _FEW_CALLS:
        yield (
            f"takes {found.batch_calls} calls in one request: headers, receipts and state take "
            "more requests, and so more time"
        )
