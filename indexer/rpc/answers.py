"""
The JSON-RPC envelope: requests matched to answers, and bodies that are no answer at all.

A batch is cut into its parts without parsing them: every `result` stays the bytes the node sent.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import msgspec

from indexer.errors import NodeAnswerWrong, NodeUnavailable, WorldError
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import (
    KeyRefused,
    Refused,
    asks_for_less,
    failure,
    fault,
    quoted,
    slow_down,
    to_be_smaller,
)
from indexer.rpc.wordings import Meaning

Blocks = tuple[int, int]
Call = tuple[str, Sequence[Any]]
NULL = b"null"
_READ = 4_000


class Part(msgspec.Struct):
    """
    One answer of a batch.

    Attributes:
        id: the request's id as the node repeats it.
        result: the bytes the node sent; `null` when absent.
        error: likewise.
    """

    id: Any = None
    result: msgspec.Raw = msgspec.Raw(NULL)
    error: msgspec.Raw = msgspec.Raw(NULL)

    @property
    def is_error(self) -> bool:
        """Whether the node refused this call; some nodes send `"error": null` beside a result."""
        return bytes(self.error) != NULL


_DECODER = msgspec.json.Decoder(list[Part] | Part)
_LAST_LIST = re.compile(rb',\{"jsonrpc":"2\.0","id":(\d{1,18}),"result":(?=\[)')
_FARTHEST = 2**20  # bytes; a header with all its transactions is shorter


def parts_of(body: bytes) -> list[Part]:
    """
    Return the answers in `body`, one for a single answer.

    Raises:
        msgspec.DecodeError: the body is not JSON-RPC.
    """
    try:
        content = _DECODER.decode(body)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from error
    except RecursionError as error:
        raise msgspec.DecodeError("it is nested too deeply") from error
    return content if isinstance(content, list) else [content]


def parts_before_logs(body: bytes) -> list[Part]:
    """
    Return the answers in `body` as `parts_of` does, where the last and no other is a list of logs.

    A list in the place where most nodes write it is not looked through for its end, which takes a
    third as long as reading it does: who reads it refuses what is none.

    Raises:
        msgspec.DecodeError: the body is not JSON-RPC.
    """
    last = _LAST_LIST.search(body, 0, _FARTHEST)
    if last is None or not body.endswith((b"]}]", b"]}]\n")):
        return parts_of(body)
    try:
        before = parts_of(body[: last.start()] + b"]")
    except msgspec.DecodeError:
        return parts_of(body)
    logs = memoryview(body)[last.end() : body.rindex(b"}")]
    return [*before, Part(int(last[1]), msgspec.Raw(logs))]


def in_order(
    parts: Sequence[Part], asked: Sequence[Any], endpoint: Endpoint, blocks: Blocks | None
) -> list[Part]:
    """
    Return the parts in the order of the request ids `asked`.

    Raises:
        NodeAnswerWrong: the ids are not those asked for.
        NodeUnavailable: the request was refused as a whole.
        TooManyCalls: the request or its answer is too large, and there are calls to leave out.
    """
    by_id = {part.id: part for part in parts if isinstance(part.id, int)}
    if len(parts) == len(asked) and all(number in by_id for number in asked):
        if blocks is None and len(asked) > 1:
            _check_size(parts, endpoint)
        return [by_id[number] for number in asked]
    # Geth refuses a batch under the id of its first call.
    is_whole = len(parts) == 1 < len(asked)
    for part in parts:
        if part.is_error and (part.id is None or is_whole):
            raise failure(fault(bytes(part.error), endpoint), endpoint, blocks, len(asked))
    if not by_id:
        raise NodeUnavailable(
            f"{endpoint} answered with JSON that is not JSON-RPC; check that the URL is that of "
            "a node"
        )
    answered = quoted(", ".join(str(part.id) for part in parts[:5]), endpoint)
    raise NodeAnswerWrong(
        f"{endpoint} answered request ids {answered} where {asked[0]} to {asked[-1]} were asked; "
        "use another endpoint"
    )


def _check_size(parts: Sequence[Part], endpoint: Endpoint) -> None:
    # Geth answers the calls of a batch until the answer is too large, and refuses the others.
    for part in parts:
        if part.is_error and asks_for_less(told := fault(bytes(part.error), endpoint)):
            raise failure(told, endpoint, None, len(parts))


def unreadable(endpoint: Endpoint, body: bytes) -> NodeUnavailable:
    """Return the exception for a body that is not JSON-RPC, saying what it looks like."""
    start = body.lstrip()[:1]
    if not start:
        seen = "an empty answer"
    elif start == b"<":
        seen = "a web page"
    elif start in {b"{", b"["}:
        seen = f"JSON that is cut off or not JSON-RPC ({len(body):,} bytes)"
    else:
        seen = f'"{quoted(body[:_READ].decode(errors="replace"), endpoint)[:60]}"'
    return NodeUnavailable(
        f"{endpoint} answered with {seen}; expected JSON-RPC; check that the URL is that of a node"
    )


def unwelcome(
    endpoint: Endpoint,
    status: int,
    retry_after: str | None,
    body: bytes,
    blocks: Blocks | None,
    *,
    calls: int,
) -> WorldError:
    """Return the exception for an HTTP status other than success in answer to so many calls."""
    said = f"HTTP status {status}"
    wait = _pause_seconds(retry_after)
    error = _error_in(body)
    told = fault(error, endpoint) if error else None
    is_limit = status == 429 or (status == 503 and wait is not None)
    if is_limit and (told is None or told.meaning is not Meaning.NO_ACCESS):
        return slow_down(endpoint, said, wait)
    if status == 413 and (told is None or blocks is None):
        full_text = told.said if told else ""
        if less := to_be_smaller(endpoint, said, blocks, calls, full_text):
            return less
    is_key = status in {401, 402, 403}
    if told is not None:
        if is_key and told.meaning is Meaning.FAILED:  # the words say nothing, the status does
            told = replace(told, meaning=Meaning.NO_ACCESS)
        return failure(told, endpoint, blocks, calls)
    kind: type[NodeUnavailable] = KeyRefused if is_key else Refused
    if status == 408 or status >= 500:
        kind = NodeUnavailable
    return kind(
        f"{endpoint} answered with {said}; expected a JSON-RPC answer; check the URL and its key, "
        "or use another endpoint"
    )


def _error_in(body: bytes) -> bytes | None:
    try:
        parts = parts_of(body)
    except msgspec.DecodeError:
        return None
    return next((bytes(part.error) for part in parts if part.is_error), None)


def _pause_seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    if re.fullmatch(r"\s*\d{1,9}\s*", retry_after):
        return float(retry_after)
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time(), 0.0)
    except (ValueError, OverflowError):
        return None
