"""What is asked, whoever is asked: the calls, how to read their answers, which blocks they need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from indexer.rpc.answers import Blocks, Call, Part
from indexer.rpc.endpoint import Endpoint

Answer = TypeVar("Answer")
Read = Callable[[list[Part], Endpoint], Answer]

_TAGS = {"latest", "safe", "finalized", "pending"}
_LONGEST_NUMBER = len("0x") + 16  # addresses and hashes are longer


@dataclass(frozen=True)
class Request(Generic[Answer]):
    """
    One request.

    Attributes:
        calls: (method, params) each.
        read: turns the answers, in the order of `calls`, into the result, or raises. Its
            NodeAnswerWrong and NodeBehind begin with a verb; the endpoint is put before it.
        blocks: the range of an eth_getLogs call among them.
    """

    calls: Sequence[Call]
    read: Read[Answer]
    blocks: Blocks | None = None

    def is_seen_by(self, newest: int) -> bool:
        """Whether an endpoint whose newest block is this one can answer."""
        blocks = [block for _, params in self.calls for block in map(_block, params)]
        return all(block is not None and block <= newest for block in blocks)

    @property
    def length(self) -> int:
        """How many blocks of logs it asks for; 0 where it asks for none."""
        return 0 if self.blocks is None else self.blocks[1] - self.blocks[0] + 1

    @cached_property
    def highest(self) -> int | None:
        """The highest block that is named by number."""
        blocks = [block for _, params in self.calls for block in map(_block, params)]
        return max((block for block in blocks if block is not None and block >= 0), default=None)


def block_call(name: str) -> Call:
    """Return the call for the header of a block: a number in hex, or a tag."""
    return "eth_getBlockByNumber", [name, False]


def _block(param: Any) -> int | None:
    """Return the block a parameter names; -1 where it names none, None for the newest."""
    name = param.get("toBlock") if isinstance(param, dict) else param
    if not isinstance(name, str):
        return -1
    if name in _TAGS:
        return None
    return int(name, 16) if name.startswith("0x") and len(name) <= _LONGEST_NUMBER else -1
