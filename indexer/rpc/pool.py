"""
The endpoints of one chain: who is asked, who is asked next, who is left alone.

Each request goes to the endpoint that is expected to answer soonest, the earlier one in the
configuration where it makes no great difference. What fails there is asked elsewhere at once;
where all have failed, again after a pause. An endpoint is believed only after it has named the
right chain. Every half minute, while there are questions, all are asked for their newest block:
that shows who lags, and brings back who was dead.

    choosing    the decision, a pure function of each endpoint's standing
    member      one endpoint: its turn, its answers, its record
    rate, breaker, latency, hedging     one idea each
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong, RangeTooLarge, RetryableError, WorldError
from indexer.rpc.allowance import Allowance
from indexer.rpc.answers import Blocks, Call
from indexer.rpc.asking import Answer, Read, Request, block_call
from indexer.rpc.choosing import choice
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import TimedOut, TooManyCalls, too_large
from indexer.rpc.frames import Header
from indexer.rpc.hedging import PASSING, Attempt, raced
from indexer.rpc.member import Member, refuses
from indexer.rpc.readings import newest
from indexer.rpc.retries import asked_pause, may_pass, retrying
from indexer.rpc.statistics import EndpointStatistics
from indexer.rpc.transport import Transport, transport_to

_GLIMPSE_SECONDS = 10
_SURVEY_SECONDS = 30.0
_MOST_REMEMBERED = 256


class Pool:
    """
    The endpoints of one chain, in order of preference.

    Any number of questions may be asked at once.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        chain: Chain,
        clock: Clock,
        connect: Callable[[Endpoint], Transport] = transport_to,
        *,
        most_requests: int | None = None,
    ) -> None:
        """
        Prepare the connections, which `connect` makes; nothing is sent yet.

        After `most_requests` JSON-RPC calls to all of them none is sent; None for any number.
        """
        allowance = Allowance(most_requests)
        self._members = [
            Member(endpoint, chain, clock, connect, allowance) for endpoint in endpoints
        ]
        self._answerers: dict[Blocks, Member] = {}
        self._patience = endpoints[0]
        self._clock = clock
        self._survey_at = clock.now() + _SURVEY_SECONDS
        self._survey: asyncio.Task[None] | None = None

    @property
    def requests(self) -> int:
        """JSON-RPC calls sent so far, repetitions included."""
        return sum(member.calls for member in self._members)

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        """Return each endpoint's account, in order of preference."""
        return tuple(member.statistics() for member in self._members)

    async def open(self) -> None:
        """
        Ask every endpoint for its chain; leave those that do not answer for later.

        Raises:
            WorldError: an endpoint serves another chain.
            NodeUnavailable: no endpoint answers.
        """
        # With a spare at hand nobody waits for one that is down.
        errors = await self._look(_glimpse) if len(self._members) > 1 else []
        if not any(member.is_proven for member in self._members):
            errors = await self._look(self._patient_look)
        if not any(member.is_proven for member in self._members):
            raise errors[0]

    async def close(self) -> None:
        """Close every connection."""
        if self._survey is not None:
            self._survey.cancel()
            await asyncio.gather(self._survey, return_exceptions=True)
        await asyncio.gather(*(member.close() for member in self._members))

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
            RangeTooLarge: endpoints that could be asked want fewer blocks; the most generous one's.
            TooManyCalls: they want fewer calls in one request; likewise.
            RequestsSpent: the calls would be more than may be sent.
            WorldError: another failure, one that may pass where there is one.
        """
        self._survey_when_due()
        question = _Question(self._members, Request(calls, read, blocks), self._clock)
        try:
            answer: Answer = await retrying(self._patience, self._clock)(question.round)
            if blocks is not None and question.answerer is not None:
                self._remember(blocks, question.answerer)
            return answer
        except TimedOut as error:
            if blocks is None or blocks[0] >= blocks[1]:
                raise
            failure = _shorter(error, blocks)
        raise failure

    def doubt(self, blocks: Blocks) -> None:
        """Note that what was answered about a range cannot be believed."""
        if (member := self._answerers.get(blocks)) is not None:
            member.doubt()

    def turn(self) -> None:
        """Put the preferred endpoint behind all others."""
        self._members = self._members[1:] + self._members[:1]

    def _remember(self, blocks: Blocks, member: Member) -> None:
        self._answerers.pop(blocks, None)
        self._answerers[blocks] = member
        while len(self._answerers) > _MOST_REMEMBERED:
            del self._answerers[next(iter(self._answerers))]

    async def _look(self, look: Callable[[Member], Awaitable[None]]) -> list[BaseException]:
        results = await asyncio.gather(*map(look, self._members), return_exceptions=True)
        errors = [result for result in results if result is not None]
        for error in errors:
            if not isinstance(error, RetryableError | NodeAnswerWrong | TimeoutError):
                raise error
        return errors

    async def _patient_look(self, member: Member) -> None:
        await retrying(member.endpoint, self._clock)(member.prove)

    def _survey_when_due(self) -> None:
        now = self._clock.now()
        is_under_way = self._survey is not None and not self._survey.done()
        if len(self._members) > 1 and not is_under_way and now >= self._survey_at:
            self._survey_at = now + _SURVEY_SECONDS
            self._survey = asyncio.create_task(self._compared())

    async def _compared(self) -> None:
        probed = [member for member in self._members if member.is_worth_a_probe()]
        answers = await asyncio.gather(
            *(member.ask(_NEWEST) for member in probed), return_exceptions=True
        )
        pairs = zip(probed, answers, strict=True)
        heads = {member: head.number for member, head in pairs if isinstance(head, Header)}
        for member, number in heads.items():
            member.lag_blocks = max(heads.values()) - number


class _Question(Generic[Answer]):
    """
    One request on its way through the pool.

    Attributes:
        answerer: whose answer was accepted.
    """

    answerer: Member | None = None

    def __init__(self, members: Sequence[Member], request: Request[Answer], clock: Clock) -> None:
        self._members, self._request, self._clock = members, request, clock
        self._refusers: set[Member] = set()
        self._tried: set[Member] = set()
        self._rounds = 0

    async def round(self) -> Answer:
        """Ask one endpoint after the other until one answers."""
        self._rounds += 1
        self._tried = set()
        failures: list[WorldError] = []
        while (member := self._next(is_desperate=self._rounds > 1 or not failures)) is not None:
            try:
                return await self._attempt(member)
            except PASSING as error:
                failures.append(error)
        raise self._telling(failures)

    async def _attempt(self, member: Member) -> Answer:
        member.hedges.earn()
        delay = member.late_seconds(self._request)
        if delay is None or len(self._members) == 1:
            return await self._asked(member)
        return await raced(
            self._asked(member), lambda: self._rival(member), delay, self._clock.sleep
        )

    def _rival(self, slow: Member) -> Attempt[Answer] | None:
        member = self._next(is_desperate=False)
        if member is None or member.standing(self._request).is_resting or not slow.hedges.spend():
            return None
        member.helped += 1
        return self._asked(member)

    async def _asked(self, member: Member) -> Answer:
        self._tried.add(member)
        try:
            answer = await member.ask(self._request)
        except WorldError as error:
            if refuses(error):
                self._refusers.add(member)
            raise
        self.answerer = member
        return answer

    def _next(self, *, is_desperate: bool) -> Member | None:
        left = [member for member in self._members if member not in self._tried | self._refusers]
        place = choice(
            [member.standing(self._request) for member in left], is_desperate=is_desperate
        )
        return None if place is None else left[place]

    def _telling(self, failures: Sequence[WorldError]) -> WorldError:
        # All that are left want to be left alone for longer than we wait.
        failures = failures or [member.away() for member in self._members]
        longest = self._members[0].endpoint.longest_wait_seconds

        def hope(error: WorldError) -> tuple[bool, int, bool, bool]:
            is_size = isinstance(error, RangeTooLarge | TooManyCalls)
            return is_size, _offered(error), may_pass(error), asked_pause(error) <= longest

        return max(reversed(failures), key=hope)


async def _glimpse(member: Member) -> None:
    async with asyncio.timeout(_GLIMPSE_SECONDS):
        await member.prove()


_NEWEST = Request([block_call("latest")], newest)


def _offered(error: WorldError) -> int:
    if isinstance(error, TooManyCalls):
        return error.fewer
    if isinstance(error, RangeTooLarge) and error.suggested is not None:
        return error.suggested[1]
    return 0


def _shorter(failure: TimedOut, blocks: Blocks) -> RangeTooLarge:
    # No endpoint answered in time: a shorter range may take less.
    said = f"no answer within {failure.endpoint.timeout_seconds:g} s"
    return too_large(failure.endpoint, said, blocks)
