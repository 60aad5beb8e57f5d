"""
Where a node answers, and what of its address may be shown.

Provider keys live in URL paths, queries, user names and, at some providers, in host names. An
endpoint therefore prints as scheme, host and port only, and scrubs its secrets from every text
that a node or a library puts into an error.
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from indexer.errors import UserError

SCHEMES = ("http", "https", "ws", "wss")

_HIDDEN = "..."
_LONG_LABEL = 20  # a host label this long with a digit in it is a key, not a name
_SHORTEST_SECRET = 6  # shorter path segments are version numbers and network names


@dataclass(frozen=True, repr=False)
class Endpoint:
    """
    One JSON-RPC endpoint and how patient we are with it.

    Attributes:
        url: http, https, ws or wss address, secrets included; never print it, print the endpoint.
        tries: how often one request is sent before the endpoint counts as failed.
        first_wait_seconds: pause after the first failure; doubles, with jitter.
        longest_wait_seconds: the longest pause; an endpoint that asks for more is left alone.
        timeout_seconds: how long one answer may take, from connecting to the last byte.
        calls_per_request: how many JSON-RPC calls travel in one request at first; see `batches`.
        concurrency: how many requests are under way at once.
        most_answer_bytes: larger answers are cut off and asked for in smaller ranges.
        requests_per_second: most JSON-RPC calls sent a second; None to find out.
        hedge_ratio: how many slow requests, for each one sent, may go to a second endpoint too.

    Raises:
        UserError: the URL is of another kind.
    """

    url: str
    tries: int = 5
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60
    timeout_seconds: float = 60
    calls_per_request: int = 100
    concurrency: int = 8
    most_answer_bytes: int = 256 * 2**20
    requests_per_second: float | None = None
    hedge_ratio: float = 0.1

    def __post_init__(self) -> None:
        parts = _split(self.url)
        if parts is None or parts.scheme not in SCHEMES or not parts.hostname:
            raise UserError(
                f"{redacted(self.url)} is not an endpoint: expected a URL such as "
                "https://host/path, wss://host/path or http://127.0.0.1:8545"
            )

    def __str__(self) -> str:
        return redacted(self.url)

    def __repr__(self) -> str:
        return f"Endpoint({redacted(self.url)!r})"

    @property
    def is_socket(self) -> bool:
        """Whether the endpoint is spoken to over a WebSocket."""
        return self.url.strip().lower().startswith("ws")

    def scrubbed(self, text: str) -> str:
        """Return `text` without any secret part of this endpoint's URL."""
        return self._secret.sub(_HIDDEN, text.replace(self.url, str(self)))

    @cached_property
    def _secret(self) -> re.Pattern[str]:
        words = sorted(_secrets(self.url), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, words)) or r"(?!)", re.IGNORECASE)


def redacted(url: str) -> str:
    """Return scheme, host and port of `url`; everything that may be a key becomes `...`."""
    parts = _split(url)
    if parts is None or not parts.hostname or parts.scheme not in SCHEMES:
        return f"({_HIDDEN})" if url else "(empty)"
    host = ".".join(_HIDDEN if _is_key(label) else label for label in parts.hostname.split("."))
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    has_tail = parts.path.strip("/") or parts.query or parts.fragment
    return f"{parts.scheme}://{host}{port}{'/' + _HIDDEN if has_tail else ''}"


def _split(url: str) -> SplitResult | None:
    try:
        url.encode()  # an argument may hold bytes that are no text
        parts = urlsplit(url.strip())
        is_one = parts.port != 0 and (parts.hostname or "").isprintable()
    except ValueError:
        return None
    return parts if is_one else None


def _is_key(label: str) -> bool:
    return len(label) >= _LONG_LABEL and any(letter.isdigit() for letter in label)


def _secrets(url: str) -> set[str]:
    parts = urlsplit(url.strip())
    words = re.split(r"[/;,=&]", parts.path + "/" + parts.query + "/" + parts.fragment)
    words += [value for pair in parse_qsl(parts.query) for value in pair]
    words = [word for word in words if len(word) >= _SHORTEST_SECRET]
    words += [word for word in (parts.username, parts.password) if word]
    if parts.username or parts.password:
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        words.append(b64encode(login.encode()).decode())
    words += [label for label in (parts.hostname or "").split(".") if _is_key(label)]
    return {spelling for word in words for spelling in _spellings(word)}


def _spellings(word: str) -> set[str]:
    # Libraries quote and unquote what they were given, and show it as Python or JSON would.
    plain = unquote(word)
    forms = {word, plain, plain.replace("+", " "), quote(plain), quote(plain, safe="")}
    return {*forms, *(repr(form)[1:-1] for form in forms), *(json.dumps(f)[1:-1] for f in forms)}
