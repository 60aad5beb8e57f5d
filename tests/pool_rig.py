"""Endpoints that exist in the test only, behind a real pool, in virtual time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, TypeVar

import msgspec
from rpc_rig import block
from virtual_time import VirtualTime

from indexer.chains import ETHEREUM
from indexer.errors import PerpscopeError, RangeTooLarge
from indexer.rpc import Endpoint
from indexer.rpc.answers import Blocks, Call, Part
from indexer.rpc.failures import SlowDown, TooManyCalls
from indexer.rpc.pool import Pool
from indexer.rpc.transport import Transport

Answer = TypeVar("Answer")


@dataclass
class Backend:
    """
    How one endpoint behaves.

    Attributes:
        seconds: how long an answer takes.
        head: its newest block.
        failure: what it raises instead of answering; None to answer.
        most_blocks: in one request for logs; None for any number.
        most_calls: in one request; None for any number.
        limit: calls it takes in any one second; more are refused. None for any number.
        retry_after: the pause it asks for with such a refusal.
        asked: when it was asked what.
        given_up: requests that were cancelled.
        most_at_once: requests under way at the same time, at most.
        refused: requests refused for the limit.
    """

    seconds: float = 0.1
    head: int = 1_000_000
    failure: PerpscopeError | None = None
    most_blocks: int | None = None
    most_calls: int | None = None
    limit: int | None = None
    retry_after: float | None = None
    asked: list[tuple[float, str]] = field(default_factory=list)
    given_up: int = 0
    most_at_once: int = 0
    refused: int = 0
    _under_way: int = 0

    def count(self, method: str = "eth_getLogs") -> int:
        """Return how often a method was asked for."""
        return sum(name == method for _, name in self.asked)

    async def answer(
        self, calls: Sequence[Call], blocks: Blocks | None, time: VirtualTime
    ) -> list[Part]:
        """Return the answers to a request."""
        self.asked += [(time.now, method) for method, _ in calls]
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        is_done = False
        try:
            await time.sleep(self.seconds)
            is_done = True
        finally:
            self._under_way -= 1
            self.given_up += not is_done
        recent = sum(1 for _ in takewhile(lambda ask: ask[0] > time.now - 1, reversed(self.asked)))
        if self.limit is not None and recent > self.limit:
            self.refused += 1
            raise SlowDown("slow down", self.retry_after)
        if self.failure is not None and calls[0][0] != "eth_chainId":
            raise self.failure
        if self.most_blocks is not None and blocks and blocks[1] - blocks[0] >= self.most_blocks:
            raise RangeTooLarge("too large", (blocks[0], blocks[0] + self.most_blocks - 1))
        if self.most_calls is not None and len(calls) > self.most_calls:
            raise TooManyCalls("too many calls", len(calls), self.most_calls)
        return [self._part(method, params) for method, params in calls]

    def _part(self, method: str, params: Sequence[Any]) -> Part:
        result: object = []
        if method == "eth_chainId":
            result = hex(ETHEREUM.chain_id)
        elif method == "eth_getBlockByNumber":
            number = self.head if params[0] == "latest" else int(params[0], 16)
            result = block(number) if number <= self.head else None
        return Part(id=1, result=msgspec.Raw(msgspec.json.encode(result)))


class InTest(Transport):
    """A transport that ends in the test."""

    def __init__(self, endpoint: Endpoint, backend: Backend, time: VirtualTime) -> None:
        """Connect an endpoint to its backend."""
        super().__init__(endpoint)
        self._backend, self._time = backend, time

    async def ask(self, calls: Sequence[Call], blocks: Blocks | None = None) -> list[Part]:
        """Return the backend's answers."""
        return await self._backend.answer(calls, blocks, self._time)

    async def exchanged(self, *_: object) -> list[Part]:
        """Refuse: nothing is encoded here."""
        raise AssertionError("nobody asks this endpoint for bytes")

    async def disconnect(self) -> None:
        """Nothing is connected."""


def pooled(
    work: Callable[[Pool, VirtualTime], Awaitable[Answer]],
    *backends: Backend,
    **settings: Any,
) -> Answer:
    """Return what `work` makes of a pool of these backends, named http://a, http://b and so on."""
    time = VirtualTime()
    urls = [f"http://{letter}" for letter in "abcdefgh"[: len(backends)]]
    by_url = dict(zip(urls, backends, strict=True))

    async def run() -> Answer:
        """Open the pool, do the work, close it."""
        pool = Pool(
            [Endpoint(url, **{"tries": 3, **settings}) for url in urls],
            ETHEREUM,
            time.clock,
            lambda endpoint: InTest(endpoint, by_url[endpoint.url], time),
        )
        await pool.open()
        try:
            return await work(pool, time)
        finally:
            await pool.close()

    return time.run(run())


def who(parts: list[Part], endpoint: Endpoint) -> str:
    """Read an answer as the letter of the endpoint that gave it."""
    assert parts
    return endpoint.url[-1]


async def logs(pool: Pool, to_block: int = 500_000, blocks: int = 11) -> str:
    """Ask for some logs, and return who answered."""
    first = to_block - blocks + 1
    query = {"fromBlock": hex(first), "toBlock": hex(to_block)}
    return await pool.ask([("eth_getLogs", [query])], who, (first, to_block))


async def headers(pool: Pool, count: int) -> str:
    """Ask for some headers in one request, and return who answered."""
    return await pool.ask(
        [("eth_getBlockByNumber", [hex(number), False]) for number in range(1, count + 1)], who
    )
