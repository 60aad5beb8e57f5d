"""
What a node's refusals become: `wordings` says what they mean, this module says so to people.

    NodeUnavailable     (indexer.errors)
    ├── SlowDown        the node limits our rate; carries how long it asks us to wait
    ├── TimedOut        no answer in time; tried once more, then taken as a range too long
    ├── TooManyCalls    this endpoint will not serve so many calls at once; it may serve fewer
    └── Refused         this endpoint will not serve the request however often it is sent
        ├── KeyRefused  nor any other: it does not accept our key, or the plan is used up
        └── PinRefused  it does not take a block hash as the moment of a call

Where a meaning leads, in this tree and in that of `indexer.errors`:

    SLOW_DOWN   SlowDown            BEHIND      NodeBehind      NO_ACCESS           KeyRefused
    TOO_LARGE   RangeTooLarge       PRUNED      HistoryPruned   NO_PIN              PinRefused
    FAILED      NodeUnavailable     REVERTED    no failure      REFUSED, INVALID    Refused
    FEWER_CALLS TooManyCalls

What is too large and is no question for logs has fewer calls as its cure: TooManyCalls. A single
call has nothing to make smaller: NodeUnavailable. Fewer calls than one, or than logs and the header
that proves them, cannot be sent: Refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from indexer.errors import (
    HistoryPruned,
    NodeBehind,
    NodeUnavailable,
    RangeTooLarge,
    WorldError,
)
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.wordings import Meaning, calls_allowed, suggestion, wording

_LONGEST_QUOTE = 240
_LONGEST_READ = 4_000
_SECONDS = r"\d{1,9}(?:\.\d+)?"


class SlowDown(NodeUnavailable):
    """
    The node limits our rate.

    Attributes:
        wait_seconds: how long it asks us to wait, or None when it does not say.
    """

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        """Keep the pause beside the message."""
        super().__init__(message)
        self.wait_seconds = wait_seconds


class TimedOut(NodeUnavailable):
    """
    The node did not answer in time.

    Attributes:
        endpoint: which one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Say how long was waited."""
        super().__init__(
            f"{endpoint} did not answer within {endpoint.timeout_seconds:g} s; try again later or "
            "use another endpoint"
        )
        self.endpoint = endpoint


class Refused(NodeUnavailable):
    """The endpoint will not serve the request; sending it again cannot help."""


class KeyRefused(Refused):
    """The endpoint does not accept our key, or what was paid for is used up."""


class PinRefused(Refused):
    """The node does not take a block hash as the moment of a call."""


class TooManyCalls(NodeUnavailable):
    """
    The endpoint will not serve so many calls in one request; sending them again cannot help.

    Attributes:
        calls: how many there were.
        most: how many it says that it takes, fewer than there were; None where it does not say.
    """

    def __init__(self, message: str, calls: int, most: int | None = None) -> None:
        """Keep the numbers beside the message."""
        super().__init__(message)
        self.calls, self.most = calls, most

    @property
    def fewer(self) -> int:
        """How many calls to try next."""
        return self.most or max(1, self.calls // 2)


@dataclass(frozen=True)
class Fault:
    """
    A JSON-RPC error as the node sent it.

    Attributes:
        meaning: what `wordings` makes of it.
        said: code, message and data in one line, for matching.
        message: the node's own words, shortened, without our secrets.
    """

    meaning: Meaning
    said: str
    message: str


def fault(error: bytes, endpoint: Endpoint) -> Fault:
    """Return the meaning of the raw `error` member of an answer."""
    content = _content(error)
    members = content if isinstance(content, Mapping) else {"message": content}
    message = str(members.get("message") or "no message")
    detail = members.get("data")
    detail = detail if isinstance(detail, str) else msgspec.json.encode(detail).decode()
    said = f"{members.get('code', '')} {message} {detail}"[:_LONGEST_READ]
    return Fault(wording(said)[0].means, said, quoted(message, endpoint))


def _content(error: bytes) -> Any:
    # It was cut out of the answer unread, and a contract may revert with any bytes.
    text = error.decode(errors="replace")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def quoted(text: str, endpoint: Endpoint) -> str:
    """Return a node's words in one short line that does nothing to a terminal, without secrets."""
    line = _visible(endpoint.scrubbed(" ".join(text[:_LONGEST_READ].split())))
    return line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "..."


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def sever(error: BaseException, endpoint: Endpoint) -> None:
    """
    Cut what led to `error` out of its chain where showing it would show a secret.

    Libraries put whole URLs into some of their texts, and nodes repeat what they were sent;
    whoever prints a traceback prints the causes and contexts of an error as well.
    """
    links = [error]
    seen = {id(error)}
    while links:
        link = links.pop()
        for name in ("__cause__", "__context__"):
            earlier = getattr(link, name)
            if earlier is None or id(earlier) in seen:
                continue
            if _shows_secret(earlier, endpoint):
                setattr(link, name, None)
            else:
                seen.add(id(earlier))
                links.append(earlier)


def _shows_secret(error: BaseException, endpoint: Endpoint) -> bool:
    notes = " ".join(getattr(error, "__notes__", ()))
    texts = f"{error!s} {error!r} {notes}"
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return endpoint.scrubbed(texts) != texts or any(_shows_secret(part, endpoint) for part in inner)


def failure(
    fault: Fault, endpoint: Endpoint, blocks: tuple[int, int] | None, calls: int = 1
) -> WorldError:
    """
    Return the exception for a refusal.

    Args:
        fault: what the node said.
        endpoint: who said it.
        blocks: the range of an eth_getLogs request; None for other requests.
        calls: how many calls were refused together; one has nothing to make smaller.
    """
    said = f'it said "{fault.message}"'
    if fault.meaning is Meaning.SLOW_DOWN:
        return slow_down(endpoint, said, _backoff_seconds(fault.said))
    is_pair = fault.meaning is Meaning.FEWER_CALLS and blocks is not None
    if asks_for_less(fault) and not is_pair:
        less = to_be_smaller(endpoint, said, blocks, calls, fault.said)
        if less is not None:
            return less
    kind, verb, advice = _CONSEQUENCES.get(fault.meaning, _BREAKDOWN)
    return kind(f"{endpoint} {verb}: {said}; {advice}")


_CONSEQUENCES: dict[Meaning, tuple[type[WorldError], str, str]] = {
    Meaning.BEHIND: (
        NodeBehind,
        "has not seen the block yet",
        "try again later or use another endpoint",
    ),
    Meaning.PRUNED: (
        HistoryPruned,
        "no longer has this part of history",
        "use an archive endpoint",
    ),
    Meaning.NO_PIN: (
        PinRefused,
        "does not take a block hash as the moment of a call",
        "use another endpoint",
    ),
    Meaning.NO_ACCESS: (
        KeyRefused,
        "does not let us in",
        "check its key and plan, or use another endpoint",
    ),
    **dict.fromkeys(
        (Meaning.REFUSED, Meaning.INVALID, Meaning.FEWER_CALLS),
        (Refused, "refused the request", "check the URL and its key, or use another endpoint"),
    ),
}
_BREAKDOWN = (NodeUnavailable, "could not answer", "try again later or use another endpoint")


def slow_down(endpoint: Endpoint, said: str, wait_seconds: float | None) -> SlowDown:
    """Return the exception for a rate limit, saying how long the node asks us to wait."""
    wait = "" if wait_seconds is None else f" and asks for a pause of {wait_seconds:g} s"
    return SlowDown(
        f"{endpoint} limits our rate{wait}: {said}; wait, or use another endpoint or a larger plan",
        wait_seconds,
    )


def too_large(
    endpoint: Endpoint, said: str, blocks: tuple[int, int], full_text: str = ""
) -> RangeTooLarge:
    """Return the exception for a range the node will not serve at once."""
    _, found = wording(full_text)
    proposed = suggestion(found, *blocks) if found else None
    hint = f", for example blocks {proposed[0]} to {proposed[1]}" if proposed else ""
    return RangeTooLarge(
        f"{endpoint} will not serve the logs of blocks {blocks[0]} to {blocks[1]} at once: {said}; "
        f"ask for fewer blocks{hint}",
        proposed,
    )


def asks_for_less(fault: Fault) -> bool:
    """Whether a node says that the request or its answer is too large."""
    return fault.meaning in {Meaning.TOO_LARGE, Meaning.FEWER_CALLS}


def to_be_smaller(
    endpoint: Endpoint,
    said: str,
    blocks: tuple[int, int] | None,
    calls: int,
    full_text: str = "",
) -> RangeTooLarge | TooManyCalls | None:
    """
    Return the exception for a request that is too large; None for one that cannot be smaller.

    Args:
        endpoint: who said so.
        said: what was said, as the message repeats it.
        blocks: the range of an eth_getLogs request, which is made shorter; None for others.
        calls: how many calls were in the request.
        full_text: all that was said, where it may name what would work.
    """
    if blocks is not None:
        return too_large(endpoint, said, blocks, full_text)
    if calls <= 1:
        return None
    _, found = wording(full_text)
    most = calls_allowed(found, calls) if found else None
    hint = "" if most is None else f", at most {most}"
    return TooManyCalls(
        f"{endpoint} will not serve {calls} calls in one request: {said}; send fewer{hint}, or "
        "use another endpoint",
        calls,
        most,
    )


def _backoff_seconds(text: str) -> float | None:
    # Infura puts it into the error's data, Ankr into its words: "retry in 1m30s".
    if found := re.search(rf'backoff_seconds"?:\s*({_SECONDS})', text):
        return float(found[1])
    if found := re.search(rf"retry in (?:(\d{{1,9}})m(?!s))?(?:({_SECONDS})s)?", text):
        return float(found[1] or 0) * 60 + float(found[2] or 0) or None
    return None
