"""
Which endpoint is asked: the one that worked last, then the others in turn.

An endpoint is believed only after it has named the right chain. It is tried several times with
growing pauses before the next one is asked; refusals that would be repeated are not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from indexer.chains import Chain
from indexer.errors import (
    NodeAnswerWrong,
    NodeBehind,
    RequestsSpent,
    RetryableError,
    WorldError,
)
from indexer.rpc.answers import Blocks, Call, Part
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import TimedOut, presentable, too_large
from indexer.rpc.readings import quantity, value
from indexer.rpc.retries import Sleep, retrying

if TYPE_CHECKING:
    from indexer.rpc.transport import RawProvider

_GLIMPSE_SECONDS = 10

Answer = TypeVar("Answer")
Read = Callable[[list[Part], Endpoint], Answer]


class Failover:
    """
    The endpoints of one chain, in order of preference.

    Attributes:
        requests: JSON-RPC calls sent so far, repetitions included.
        most_requests: the call after so many is refused here; None for any number.
    """

    def __init__(self, endpoints: Sequence[Endpoint], chain: Chain, sleep: Sleep) -> None:
        """Prepare the connections; nothing is sent yet."""
        # web3 takes a second to import; commands that ask no node do without.
        from indexer.rpc.transport import RawProvider

        self.requests = 0
        self.most_requests: int | None = None
        self._chain = chain
        self._sleep = sleep
        self._providers = [RawProvider(endpoint) for endpoint in endpoints]
        self._proven: set[RawProvider] = set()

    async def open(self) -> None:
        """
        Ask every endpoint for its chain; leave those that do not answer for later.

        Raises:
            WorldError: an endpoint serves another chain.
            NodeUnavailable: no endpoint answers.
        """
        # With a spare at hand nobody waits for one that is down.
        errors = await self._look(self._glimpse) if len(self._providers) > 1 else []
        if not self._proven:
            errors = await self._look(lambda provider: self._tried(provider, _nothing))
        if not self._proven:
            raise errors[0]
        self._providers.sort(key=lambda provider: provider not in self._proven)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(provider.disconnect() for provider in self._providers))

    async def ask(
        self, calls: Sequence[Call], read: Read[Answer], blocks: Blocks | None = None
    ) -> Answer:
        """
        Send `calls` in one request until an endpoint gives an answer that `read` accepts.

        Args:
            calls: (method, params) each.
            read: turns the answers, in the order of `calls`, into the result, or raises. Its
                NodeAnswerWrong and NodeBehind begin with a verb; the endpoint is put before it.
            blocks: the range of an eth_getLogs call among them.

        Raises:
            WorldError: the last endpoint's failure.
            RangeTooLarge: at once, whichever endpoint says so.
        """

        def once(provider: "RawProvider") -> Callable[[], Awaitable[Answer]]:
            return lambda: self._once(provider, calls, read, blocks)

        failure: WorldError | None = None
        for provider in list(self._providers):
            try:
                answer = await self._tried(provider, once(provider))
            except (RetryableError, NodeAnswerWrong) as error:
                failure = error
                continue
            self._prefer(provider)
            return answer
        assert failure is not None  # noqa: S101 - there is at least one endpoint
        raise _smaller(failure, blocks)

    def turn(self) -> None:
        """Put the endpoint that is asked first behind all others."""
        self._providers = self._providers[1:] + self._providers[:1]

    async def _look(self, prove: Callable[["RawProvider"], Awaitable[None]]) -> list[BaseException]:
        results = await asyncio.gather(*map(prove, self._providers), return_exceptions=True)
        errors = [result for result in results if result is not None]
        for error in errors:
            if not isinstance(error, RetryableError | NodeAnswerWrong | TimeoutError):
                raise error
        return errors

    async def _glimpse(self, provider: "RawProvider") -> None:
        async with asyncio.timeout(_GLIMPSE_SECONDS):
            await self._prove(provider)

    async def _tried(
        self, provider: "RawProvider", send: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        async def attempt() -> Answer:
            await self._prove(provider)
            return await send()

        return await retrying(provider.endpoint, self._sleep)(attempt)

    async def _once(
        self,
        provider: "RawProvider",
        calls: Sequence[Call],
        read: Read[Answer],
        blocks: Blocks | None,
    ) -> Answer:
        self._spend(len(calls))
        parts = await provider.ask(calls, blocks)
        try:
            return read(parts, provider.endpoint)
        except (NodeAnswerWrong, NodeBehind) as error:
            cause = presentable(error.__cause__, provider.endpoint)
            raise _named(error, provider.endpoint) from cause

    def _spend(self, calls: int) -> None:
        if self.most_requests is not None and self.requests + calls > self.most_requests:
            raise RequestsSpent(
                f"stopped after {self.requests:,} requests, because {calls:,} more would exceed "
                f"--max-requests {self.most_requests:,}: what is whole is stored; run again to "
                "go on"
            )
        self.requests += calls

    async def _prove(self, provider: "RawProvider") -> None:
        if provider in self._proven:
            return
        chain_id = await self._once(
            provider, [("eth_chainId", [])], lambda parts, end: quantity(value(parts[0], end)), None
        )
        if chain_id != self._chain.chain_id:
            raise WorldError(
                f"{provider.endpoint} serves the chain with id {chain_id}, expected "
                f"{self._chain.chain_id} ({self._chain.slug}); correct its URL or remove it"
            )
        self._proven.add(provider)

    def _prefer(self, provider: "RawProvider") -> None:
        place = self._providers.index(provider)
        self._providers = self._providers[place:] + self._providers[:place]


async def _nothing() -> None:
    return None


def _named(error: WorldError, endpoint: Endpoint) -> WorldError:
    sentence = str(error)
    if sentence.startswith(str(endpoint)):
        return error
    return type(error)(f"{endpoint} {endpoint.scrubbed(sentence)}")


def _smaller(failure: WorldError, blocks: Blocks | None) -> WorldError:
    # No endpoint answered in time: a shorter range may take less.
    if isinstance(failure, TimedOut) and blocks is not None and blocks[0] < blocks[1]:
        said = f"no answer within {failure.endpoint.timeout_seconds:g} s"
        return too_large(failure.endpoint, said, blocks)
    return failure
