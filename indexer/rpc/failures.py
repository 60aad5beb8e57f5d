"""
What a node's refusals become: `wordings` says what they mean, this module says so to people.

    NodeUnavailable     (indexer.errors)
    ├── SlowDown        the node limits our rate; carries how long it asks us to wait
    ├── TimedOut        no answer in time; tried once more, then taken as a range too long
    └── Refused         this endpoint will not serve the request however often it is sent
        ├── KeyRefused  nor any other: it does not accept our key, or the plan is used up
        └── PinRefused  it does not take a block hash as the moment of a call

Where a meaning leads, in this tree and in that of `indexer.errors`:

    SLOW_DOWN   SlowDown            BEHIND      NodeBehind      NO_ACCESS           KeyRefused
    TOO_LARGE   RangeTooLarge       PRUNED      HistoryPruned   NO_PIN              PinRefused
    FAILED      NodeUnavailable     REVERTED    no failure      REFUSED, INVALID    Refused

What is too large and is no question for logs has nothing to make smaller: NodeUnavailable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from indexer.errors import (
    HistoryPruned,
    NodeBehind,
    NodeUnavailable,
    RangeTooLarge,
    WorldError,
)
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.wordings import Meaning, suggestion, wording

_LONGEST_QUOTE = 240
_LONGEST_READ = 4_000


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
    content = msgspec.json.decode(error)
    members = content if isinstance(content, Mapping) else {"message": content}
    message = str(members.get("message") or "no message")
    detail = members.get("data")
    detail = detail if isinstance(detail, str) else msgspec.json.encode(detail).decode()
    said = f"{members.get('code', '')} {message} {detail}"[:_LONGEST_READ]
    return Fault(wording(said)[0].means, said, quoted(message, endpoint))


def quoted(text: str, endpoint: Endpoint) -> str:
    """Return a node's words in one short line, without our secrets."""
    line = endpoint.scrubbed(" ".join(text[:_LONGEST_READ].split()))
    return line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "..."


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


def failure(fault: Fault, endpoint: Endpoint, blocks: tuple[int, int] | None) -> WorldError:
    """
    Return the exception for a refusal.

    Args:
        fault: what the node said.
        endpoint: who said it.
        blocks: the range of an eth_getLogs request; None for other requests, which have
            nothing to make smaller.
    """
    said = f'it said "{fault.message}"'
    if fault.meaning is Meaning.SLOW_DOWN:
        return slow_down(endpoint, said, _backoff_seconds(fault.said))
    if fault.meaning is Meaning.TOO_LARGE and blocks is not None:
        return too_large(endpoint, said, blocks, fault.said)
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
        (Meaning.REFUSED, Meaning.INVALID),
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


def _backoff_seconds(text: str) -> float | None:
    # Infura puts it into the error's data, Ankr into its words: "retry in 1m30s".
    if found := re.search(r'backoff_seconds"?:\s*([\d.]+)', text):
        return float(found[1])
    if found := re.search(r"retry in (?:(\d+)m)?(?:([\d.]*\d)s)?", text):
        return float(found[1] or 0) * 60 + float(found[2] or 0) or None
    return None
