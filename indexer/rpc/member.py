"""One endpoint of the pool: how it is asked, and what its answers tell about it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from types import MappingProxyType

from indexer.chains import Chain
from indexer.errors import (
    HistoryPruned,
    NodeAnswerWrong,
    NodeBehind,
    RangeTooLarge,
    WorldError,
)
from indexer.rpc.allowance import Allowance
from indexer.rpc.answers import Part
from indexer.rpc.asking import Answer, Request
from indexer.rpc.breaker import Breaker
from indexer.rpc.choosing import Standing
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import (
    KeyRefused,
    Refused,
    SlowDown,
    TimedOut,
    TooManyCalls,
    sever,
    slow_down,
)
from indexer.rpc.frames import Header
from indexer.rpc.hedging import Budget
from indexer.rpc.latency import Latency
from indexer.rpc.limit import Limit
from indexer.rpc.rate import Rate
from indexer.rpc.readings import quantity, value
from indexer.rpc.retries import may_pass
from indexer.rpc.statistics import EndpointStatistics
from indexer.rpc.transport import Transport, transport_to

LAG_SECONDS = 15
"""Who is further behind the best endpoint is passed over for what is new."""

_PRUNED_SECONDS = 3_600


class Member:
    """
    An endpoint with its connections and its record.

    Attributes:
        endpoint: whom it asks.
        hedges: what its requests have saved for asking a second endpoint when it is slow.
        is_proven: whether it has named the right chain.
        calls: JSON-RPC calls sent.
        newest: the highest block it has shown.
        lag_blocks: how far it was behind the best endpoint when they were last compared.
        helped: requests it was sent because another endpoint was slow.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        chain: Chain,
        clock: Clock,
        connect: Callable[[Endpoint], Transport] = transport_to,
        allowance: Allowance | None = None,
    ) -> None:
        """
        Prepare the connections, which `connect` makes; nothing is sent yet.

        What is sent is taken from `allowance`, which the endpoints of a pool share.
        """
        self._allowance = allowance or Allowance(None)
        self.endpoint = endpoint
        self.hedges = Budget(endpoint.hedge_ratio)
        self.is_proven = False
        self.calls = self.lag_blocks = self.helped = 0
        self.newest: int | None = None
        self._chain, self._clock = chain, clock
        self._transport = connect(endpoint)
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._rate = Rate(endpoint.requests_per_second)
        self._breaker = Breaker()
        self._ranges, self._batches = Limit(), Limit()
        self._latencies = {True: Latency(), False: Latency()}  # of log requests, of the others
        self._requests = self._waiting = 0
        self._errors: Counter[str] = Counter()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.disconnect()

    async def prove(self) -> None:
        """
        Have the endpoint name its chain, unless it has done so.

        Raises:
            WorldError: it serves another chain, or does not answer.
        """
        if self.is_proven:
            return

        def read(parts: list[Part], endpoint: Endpoint) -> int:
            return quantity(value(parts[0], endpoint))

        chain_id = await self._asked(Request([("eth_chainId", [])], read))
        if chain_id != self._chain.chain_id:
            raise WorldError(
                f"{self.endpoint} serves the chain with id {chain_id}, expected "
                f"{self._chain.chain_id} ({self._chain.slug}); correct its URL or remove it"
            )
        self.is_proven = True

    async def ask(self, request: Request[Answer]) -> Answer:
        """
        Send a request once, in its turn, and return what its answers say.

        Raises:
            WorldError: the endpoint serves another chain, or did not answer the request; no text
                of its chain of causes shows a secret.
        """
        await self.prove()
        return await self._asked(request)

    async def _asked(self, request: Request[Answer]) -> Answer:
        self._waiting += 1
        try:
            async with self._slots:
                await self._turn(len(request.calls))
                parts = await self._sent(request)
            return self._said(request, parts)
        except WorldError as error:
            sever(error, self.endpoint)
            raise
        finally:
            self._waiting -= 1

    def _said(self, request: Request[Answer], parts: list[Part]) -> Answer:
        try:
            answer = request.read(parts, self.endpoint)
        except WorldError as error:
            failure = self._named(error, request)
            self._failed(failure, request)
            if failure is error:
                raise
            raise failure from error.__cause__
        self._answered(request, answer)
        return answer

    async def _turn(self, calls: int) -> None:
        at = self._clock.now()
        refusals = None
        while refusals != self._rate.refusals:  # another request may be refused meanwhile
            refusals = self._rate.refusals
            if self._is_away(at):
                raise self.away()
            due = self._rate.reserve(at, calls)
            if due > at:
                await self._clock.sleep(due - at)
                at = max(self._clock.now(), due)

    async def _sent(self, request: Request[Answer]) -> list[Part]:
        self._allowance.spend(len(request.calls))
        self.calls += len(request.calls)
        self._requests += 1
        started = self._clock.now()
        latency = self._latencies[request.blocks is not None]
        try:
            parts = await self._transport.ask(request.calls, request.blocks)
        except WorldError as error:
            if isinstance(error, TimedOut):
                latency.took(self._clock.now(), self.endpoint.timeout_seconds)
            self._failed(error, request)
            raise
        latency.took(self._clock.now(), self._clock.now() - started)
        return parts

    def _answered(self, request: Request[Answer], answer: object) -> None:
        self._breaker.answered()
        self._rate.served(len(request.calls))
        self._ranges.answered(request.length)
        self._batches.answered(len(request.calls))
        shown = answer.number if isinstance(answer, Header) else request.highest
        if shown is not None:
            self.newest = max(shown, self.newest or 0)

    def _failed(self, error: WorldError, request: Request[Answer]) -> None:
        self._errors[type(error).__name__] += 1
        now = self._clock.now()
        match error:
            case SlowDown():
                self._rate.refused(now, error.wait_seconds)
            case KeyRefused():
                self._breaker.shut(now)
            case _ if may_pass(error) and not isinstance(error, NodeBehind):
                self._breaker.failed(now)
            case RangeTooLarge() if request.blocks is not None:
                self._ranges.refused(now, request.length, error.most)
                self._breaker.answered()
            case TooManyCalls():
                self._batches.refused(now, error.calls, error.most)
                self._breaker.answered()
            case _:  # a node that refuses, or has not seen a block, is alive
                self._breaker.answered()

    def _named(self, error: WorldError, request: Request[Answer]) -> WorldError:
        if isinstance(error, NodeBehind) and (pruned := self._pruned(request)):
            return pruned
        sentence = str(error)
        if sentence.startswith(str(self.endpoint)) or not isinstance(
            error, NodeAnswerWrong | NodeBehind
        ):
            return error
        return type(error)(f"{self.endpoint} {self.endpoint.scrubbed(sentence)}")

    def _pruned(self, request: Request[Answer]) -> HistoryPruned | None:
        # Erigon says "block not found", others null, for what they have thrown away.
        highest, newest = request.highest, self.newest
        margin = _PRUNED_SECONDS / self._chain.block_seconds
        if highest is None or newest is None or newest - highest < margin:
            return None
        return HistoryPruned(
            f"{self.endpoint} does not know block {highest}, though it has shown block {newest}: "
            "it no longer has this part of history; use an archive endpoint"
        )

    def doubt(self) -> None:
        """Note that an answer, which looked right when it came, cannot be believed."""
        self._errors["Doubted"] += 1
        self._breaker.failed(self._clock.now())

    def standing(self, request: Request[Answer]) -> Standing:
        """Return how the endpoint stands for a request at this moment."""
        now = self._clock.now()
        state = self._breaker.state(now)
        wait = self._rate.wait(now)
        seconds = self._latencies[request.blocks is not None].typical(now) or 0.0
        is_behind = self.lag_blocks * self._chain.block_seconds > LAG_SECONDS
        return Standing(
            expected_seconds=wait + seconds * (1 + self._waiting / self.endpoint.concurrency),
            is_resting=state == "resting" or not self.is_proven,
            is_barred=state in {"open", "half-open"}
            or self._ranges.is_refused(now, request.length)
            or (request.blocks is None and self._batches.is_refused(now, len(request.calls)))
            or (is_behind and not request.is_seen_by(self.newest or 0)),
            is_away=self._is_away(now),
        )

    def is_worth_a_probe(self) -> bool:
        """Whether it is time to look at the endpoint again: its circuit is not plainly open."""
        return self._breaker.state(self._clock.now()) != "open"

    def late_seconds(self, request: Request[Answer]) -> float | None:
        """Return after how long an answer to such a request is late; None where not known."""
        now = self._clock.now()
        slow = self._latencies[request.blocks is not None].slow(now)
        return None if slow is None else slow + self._rate.wait(now)

    def _is_away(self, now: float) -> bool:
        return self._rate.paused_until - now > self.endpoint.longest_wait_seconds

    def away(self) -> WorldError:
        """Return the exception for an endpoint that wants to be left alone for too long."""
        wait = max(self._rate.paused_until - self._clock.now(), 0.0)
        return slow_down(self.endpoint, "it said so before", float(round(wait)))

    def statistics(self) -> EndpointStatistics:
        """Return the endpoint's account."""
        now = self._clock.now()
        latency = self._latencies[self._latencies[True].typical(now) is not None]
        state: str = self._breaker.state(now) if self.is_proven else "unproven"
        return EndpointStatistics(
            endpoint=str(self.endpoint),
            state="paused" if self._rate.paused_until > now else state,
            requests=self._requests,
            calls=self.calls,
            errors=MappingProxyType(dict(self._errors)),
            received_bytes=self._transport.received_bytes,
            hedges=self.helped,
            latency_seconds=latency.typical(now),
            slow_seconds=latency.slow(now),
            calls_per_second=self._rate.per_second,
            newest_block=self.newest,
            lag_blocks=self.lag_blocks,
        )


def refuses(error: WorldError) -> bool:
    """Whether the endpoint will not serve the request however often it is sent."""
    return isinstance(error, Refused | TooManyCalls | HistoryPruned)
