"""
Connections to one endpoint: answers stay bytes, refusals are judged here, and the size of an answer
is bounded.

A batch is cut into its parts and each result left as the node sent it, so that logs and headers
are parsed once, by Polars. `posting` speaks HTTP, `sockets` WebSocket.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count

import msgspec

from indexer.errors import NodeUnavailable, WorldError
from indexer.rpc.answers import (
    Blocks,
    Call,
    Part,
    in_order,
    parts_before_logs,
    parts_of,
    unreadable,
)
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import Refused, TimedOut, quoted, to_be_smaller

CONNECT_SECONDS = 10


class Transport(ABC):
    """
    One endpoint's connections, giving answers as bytes.

    Attributes:
        endpoint: whom it connects to.
        received_bytes: length of all answers so far.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare; nothing is sent yet."""
        self.endpoint = endpoint
        self.received_bytes = 0
        self._ids = count()

    async def ask(self, calls: Sequence[Call], blocks: Blocks | None = None) -> list[Part]:
        """
        Send `calls` in one request and return their answers in the same order.

        Args:
            calls: (method, params) each.
            blocks: the range of an eth_getLogs call among them, for errors about its size.

        Raises:
            NodeUnavailable: no answer, an unreadable one, or a refusal of the whole request.
            RangeTooLarge: the answer is larger than we or the node allow.
            TooManyCalls: likewise, or the calls are more, in a request without a range.
            NodeAnswerWrong: the answers are not those to our calls.
        """
        requests = [
            {"id": next(self._ids), "jsonrpc": "2.0", "method": method, "params": params}
            for method, params in calls
        ]
        # Not every node takes a batch of one.
        encoded = msgspec.json.encode(requests[0] if len(requests) == 1 else requests)
        return await self.exchanged(encoded, [request["id"] for request in requests], blocks)

    @abstractmethod
    async def exchanged(
        self, encoded: bytes, asked: Sequence[object], blocks: Blocks | None
    ) -> list[Part]:
        """
        Send an encoded request and return its answers in the order of the ids `asked`.

        Raises:
            WorldError: what `ask` raises.
        """

    @abstractmethod
    async def disconnect(self) -> None:
        """Close the connections."""

    def answers(self, body: bytes, asked: Sequence[object], blocks: Blocks | None) -> list[Part]:
        """
        Return the answers in a body, in the order of the ids `asked`.

        Raises:
            WorldError: the body is no answer, or one to something else.
        """
        self.received_bytes += len(body)
        try:
            parts = parts_of(body) if blocks is None else parts_before_logs(body)
        except msgspec.DecodeError as error:
            raise unreadable(self.endpoint, body) from error
        return in_order(parts, asked, self.endpoint, blocks)

    def broken_off(self, error: Exception) -> WorldError:
        """Return the exception for a connection that failed."""
        if isinstance(error, TimeoutError):
            return TimedOut(self.endpoint)
        reason = quoted(str(error) or type(error).__name__, self.endpoint)
        return NodeUnavailable(
            f"{self.endpoint} cannot be reached or broke off ({reason}); expected a JSON-RPC "
            "answer; check that the node is running and the URL is right"
        )

    def oversized(self, blocks: Blocks | None, calls: int) -> WorldError:
        """Return the exception for an answer to so many calls that is larger than we allow."""
        said = f"the answer exceeds our limit of {self.endpoint.most_answer_bytes:,} bytes"
        if less := to_be_smaller(self.endpoint, said, blocks, calls):
            return less
        return Refused(f"{self.endpoint}: {said}; use another endpoint")


def transport_to(endpoint: Endpoint) -> Transport:
    """Return what speaks to an endpoint; nothing is sent yet."""
    if endpoint.is_socket:  # web3's provider for them takes a second to import
        depth = sys.getrecursionlimit()
        from indexer.rpc.sockets import SocketTransport

        # py_ecc, which web3 brings, allows a hundred times the depth: an answer of lists in lists
        # would then end the process where it should be refused.
        sys.setrecursionlimit(depth)
        return SocketTransport(endpoint)
    from indexer.rpc.posting import HttpTransport

    return HttpTransport(endpoint)
