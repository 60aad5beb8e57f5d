"""
How the simulated node says no, in the codes and words of real nodes.

geth's where geth has a case; Infura's wording for too many results and QuickNode's for too many
blocks, because geth has no such limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """
    A JSON-RPC error answer.

    Attributes:
        code: JSON-RPC error code.
        message: what the node says.
        detail: the error object's `data`, or None for none.
        status: HTTP status when the request is not a batch.
    """

    code: int
    message: str
    detail: str | Mapping[str, object] | None = None
    status: int = 200

    def content(self) -> dict[str, object]:
        """Return the error object of the answer."""
        told: dict[str, object] = {"code": self.code, "message": self.message}
        return told if self.detail is None else told | {"data": self.detail}


class Refused(Exception):
    """Raised where a call turns out to be answered with an error."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the answer; refusals are shared, exceptions must not be."""
        super().__init__(refusal.message)
        self.refusal = refusal


PARSE_ERROR = Refusal(-32700, "parse error")
INVALID_REQUEST = Refusal(-32600, "invalid request")
EMPTY_BATCH = Refusal(-32600, "empty batch")
REVERSED_RANGE = Refusal(-32602, "invalid block range params")
# geth since 1.16 refuses what older versions cut silently (ethereum/execution-apis#875).
BEYOND_HEAD = Refusal(-32602, "block range extends beyond current head block")
TWO_RANGES = Refusal(
    -32602, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other"
)
TWO_BLOCKS = Refusal(
    -32602, "cannot specify both BlockHash and BlockNumber, choose one or the other"
)
TOO_MANY_TOPICS = Refusal(-32602, "exceed max topics")
NO_PENDING_LOGS = Refusal(-32000, "pending logs are not supported")
UNKNOWN_BLOCK = Refusal(-32000, "unknown block")
HEADER_NOT_FOUND = Refusal(-32000, "header not found")
REVERTED = Refusal(3, "execution reverted", "0x")


def method_not_found(method: str) -> Refusal:
    """Return geth's answer to a method it does not serve."""
    return Refusal(-32601, f"the method {method} does not exist/is not available")


def missing_argument(position: int) -> Refusal:
    """Return geth's answer to too few params."""
    return Refusal(-32602, f"missing value for required argument {position}")


def invalid_argument(position: int, why: str) -> Refusal:
    """Return geth's answer to a param that does not parse."""
    return Refusal(-32602, f"invalid argument {position}: {why}")


def no_such_tag(tag: str) -> Refusal:
    """Return geth's answer while it knows no finalized or safe block."""
    return Refusal(-32000, f"{tag} block not found")


def too_many_logs(limit: int, from_block: int, to_block: int) -> Refusal:
    """Return Infura's answer to a query with too many results, with a range that would work."""
    low, high = f"0x{from_block:X}", f"0x{to_block:X}"
    return Refusal(
        -32005,
        f"query returned more than {limit} results. Try with this block range [{low}, {high}].",
        {"from": low, "limit": limit, "to": high},
    )


def too_many_blocks(limit: int) -> Refusal:
    """Return QuickNode's answer to a range of too many blocks; it comes with HTTP 413."""
    return Refusal(-32614, f"eth_getLogs is limited to a {limit:,} range", status=413)
