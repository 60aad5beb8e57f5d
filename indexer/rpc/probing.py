"""Small questions to one endpoint, and how their answers are read."""

from collections.abc import Awaitable, Sequence
from itertools import pairwise

from indexer.errors import WorldError
from indexer.rpc.answers import NULL, Call, Part
from indexer.rpc.asking import Answer, Read, Request, block_call
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.frames import Header, log_frame
from indexer.rpc.member import Member
from indexer.rpc.readings import header, returned, text, value
from indexer.rpc.retries import retrying

NOBODY = "0x" + "00" * 20


class Probe:
    """One endpoint of a pool that has no other."""

    def __init__(self, member: Member, clock: Clock) -> None:
        """Ask a member, with the patience of its endpoint."""
        self.member = member
        self._clock = clock

    async def asked(self, calls: Sequence[Call], read: Read[Answer]) -> Answer:
        """
        Return what the answers to `calls`, sent in one request, say.

        Raises:
            WorldError: the endpoint did not answer, or refused.
        """
        policy = retrying(self.member.endpoint, self._clock)
        return await policy(self.member.ask, Request(calls, read))

    async def logs(self, first: int, last: int, **wanted: object) -> int:
        """
        Return how many logs the endpoint answers for a range.

        Raises:
            WorldError: it refuses the range, or did not answer.
        """

        def read(parts: list[Part], endpoint: Endpoint) -> int:
            return len(log_frame(value(parts[0], endpoint, (first, last))))

        query = {"fromBlock": hex(first), "toBlock": hex(last), **wanted}
        return await self.asked([("eth_getLogs", [query])], read)

    async def headers(self, first: int, last: int) -> list[Header]:
        """
        Return the headers of a few blocks, asked for in one request.

        Raises:
            WorldError: one of them is missing, or the endpoint did not answer.
        """

        def read(parts: list[Part], endpoint: Endpoint) -> list[Header]:
            found = [header(value(part, endpoint), "of a few") for part in parts]
            is_row = all(after.number == before.number + 1 for before, after in pairwise(found))
            return found if is_row and found[0].number == first else []

        calls = [block_call(hex(number)) for number in range(first, last + 1)]
        return await self.asked(calls, read)


async def perhaps(asking: Awaitable[Answer]) -> Answer | None:
    """Return an answer, or None where there is none."""
    try:
        return await asking
    except WorldError:
        return None


async def refusal_of(asking: Awaitable[Answer]) -> WorldError | None:
    """Return what there is instead of an answer, or None where there is one."""
    try:
        await asking
    except WorldError as error:
        return error
    return None


def call(moment: str | dict[str, str]) -> Call:
    """Return a call of nobody's contract at a moment of the chain."""
    return "eth_call", [{"to": NOBODY, "data": "0x"}, moment]


def is_known(parts: list[Part], _: Endpoint) -> bool:
    """Read whether there is a result at all."""
    return not parts[0].is_error and bytes(parts[0].result) != NULL


def is_list(parts: list[Part], endpoint: Endpoint) -> bool:
    """Read whether the result is a list."""
    return value(parts[0], endpoint).lstrip().startswith(b"[")


def texts(parts: list[Part], endpoint: Endpoint) -> list[str]:
    """Read results that must be texts."""
    return [text(value(part, endpoint)) for part in parts]


def returned_bytes(parts: list[Part], endpoint: Endpoint) -> bytes:
    """Read what a contract answered; nothing where it reverted."""
    return returned(parts[0], endpoint) or b""
