"""Whatever an endpoint's URL looks like and whatever goes wrong, its keys stay inside."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

import indexer.rpc.sockets  # noqa: F401 - web3 changes the recursion limit, which is guarded
from indexer.chains import ETHEREUM
from indexer.errors import PerpscopeError
from indexer.rpc import Endpoint, Node, redacted
from indexer.rpc.failures import sever

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
# Longer than any word of our own sentences, with the digit that marks a key in a host name.
KEYS = st.text(LETTERS, min_size=20, max_size=40).map(lambda text: f"k3{text}")
ODD_KEYS = st.text(
    st.sampled_from(LETTERS + "-._~!$'()*:@ %\"\\<>[]{}|^`é☃"), min_size=12, max_size=30
).map(lambda text: f"k3{text.strip()}9Zz")

PLACES = [
    "{scheme}://{host}/{key}",
    "{scheme}://{host}/v2/{key}/rpc",
    "{scheme}://{host}/?apikey={key}",
    "{scheme}://{host}/rpc?a=1&k={key}&b=2#x",
    "{scheme}://{host}/#{key}",
    "{scheme}://{key}@{host}/",
    "{scheme}://user:{key}@{host}/",
    "{scheme}://{key}:{key}@{host}/{key}",
]
HOST_PLACES = [
    "{scheme}://{key}.rpc.invalid/",
    "{scheme}://{key}.{key}.invalid:8545/x",
    "{scheme}://rpc.{key}/",
    "{scheme}://{key}..invalid/",
]
SCHEMES = st.sampled_from(["http", "https", "ws", "wss"])


class Records(logging.Handler):
    """Every log record of every library, as text."""

    def __init__(self) -> None:
        """Begin without any."""
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record with its traceback."""
        self.texts.append(logging.Formatter().format(record))


@contextmanager
def recorded() -> Iterator[Records]:
    """Record all logs at the most talkative level."""
    root, records = logging.getLogger(), Records()
    level = root.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        root.removeHandler(records)
        root.setLevel(level)


def chained(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and whatever led to it, suppressed contexts included."""
    left, seen = [error], set[int]()
    while left:
        link = left.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        left += [other for other in (link.__cause__, link.__context__) if other is not None]


def shown_by(url: str) -> list[str]:
    """Return all texts that asking at a URL where nothing works brings to light."""

    async def enter() -> None:
        """Ask for the chain."""
        async with Node([Endpoint(url, tries=1, timeout_seconds=5)], ETHEREUM):
            pass

    with recorded() as records, pytest.raises(PerpscopeError) as caught:
        asyncio.run(enter())
    texts = [f"{link!s} {link!r} {link.args!r}" for link in chained(caught.value)]
    return [*texts, *records.texts, redacted(url)]


def spellings(key: str) -> set[str]:
    """Return how a key may be written."""
    return {key, key.lower(), quote(key), quote(key, safe=""), repr(key)[1:-1]}


def leaks(key: str, texts: list[str]) -> list[str]:
    """Return the texts that hold a key, in any spelling."""
    return [text for text in texts if any(form in text for form in spellings(key))]


@settings(max_examples=50)
@given(SCHEMES, st.sampled_from(PLACES), KEYS)
def test_a_node_that_is_down_shows_no_key(scheme: str, place: str, key: str) -> None:
    """Nothing listens on port 1 of loopback; libraries say so in many words."""
    texts = shown_by(place.format(scheme=scheme, host="127.0.0.1:1", key=key))

    assert leaks(key, texts) == []


@given(SCHEMES, st.sampled_from(PLACES), ODD_KEYS)
def test_a_url_that_may_be_none_shows_no_key(scheme: str, place: str, key: str) -> None:
    """Quotes, blanks, brackets and letters beyond ASCII end up in other errors."""
    texts = shown_by(place.format(scheme=scheme, host="127.0.0.1:1", key=key))

    assert leaks(key, texts) == []


@settings(max_examples=20)  # each asks the resolver
@given(SCHEMES, st.sampled_from(HOST_PLACES), KEYS)
def test_a_key_in_the_host_name_is_not_shown(scheme: str, place: str, key: str) -> None:
    """Names that no resolver knows, and names that are none."""
    texts = shown_by(place.format(scheme=scheme, key=key))

    assert leaks(key, texts) == []


@settings(max_examples=30)
@given(st.sampled_from(["ftp", "k3secretscheme", "", "HTTP", " https"]), KEYS)
def test_a_url_of_another_kind_shows_no_key(scheme: str, key: str) -> None:
    """What is refused at once is refused without being repeated."""
    for url in (f"{scheme}://{key}/{key}", f"{key}://host/", f"{scheme}:{key}", key):
        assert leaks(key, shown_by(url)) == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A proxy's password cannot be shown by who never reads it."""
    key = "k3proxypassword0123456789"
    monkeypatch.setitem(os.environ, variable, f"http://user:{key}@127.0.0.1:2/")

    for scheme in ("http", "ws"):
        texts = shown_by(f"{scheme}://127.0.0.1:1/")
        assert leaks(key, texts) == []
        assert not any("127.0.0.1:2" in text for text in texts)


ECHOES = st.sampled_from(
    [
        (200, "{echo}"),
        (200, '{{"jsonrpc":"2.0","id":0,"result":"{echo}"}}'),
        (200, '{{"jsonrpc":"2.0","id":"{echo}","result":"0x1"}}'),
        (200, '{{"jsonrpc":"2.0","id":0,"error":{{"code":-32000,"message":"no {echo}"}}}}'),
        (403, '{{"error":"{echo}"}}'),
        (429, "{echo}"),
        (500, "<html>{echo}</html>"),
        (200, "x" * 50 + "{echo}"),
        (200, '{{"jsonrpc":"2.0","id":0,"result":"' + "x" * 50 + '{echo}"}}'),
    ]
)


@settings(max_examples=50)
@given(st.sampled_from(["http", "ws"]), ECHOES, KEYS)
def test_a_node_that_repeats_the_url_shows_no_key(
    scheme: str, echo: tuple[int, str], key: str
) -> None:
    """Balancers put the path they were asked into their answers; not even a part of it shows."""
    status, body = echo

    async def answer(request: web.Request) -> web.StreamResponse:
        """Repeat the request's path."""
        text = body.format(echo=request.path_qs)
        socket = web.WebSocketResponse()
        if not socket.can_prepare(request) or status != 200:
            return web.Response(status=status, text=text)
        await socket.prepare(request)
        async for _ in socket:
            await socket.send_str(text)
        return socket

    async def ask() -> None:
        """Serve, and ask for the chain."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/v2/{key}?k={key}"
        try:
            async with Node([Endpoint(url, tries=1, timeout_seconds=5)], ETHEREUM):
                pass
        finally:
            await runner.cleanup()

    with pytest.raises(PerpscopeError) as caught:
        asyncio.run(ask())

    texts = [f"{link!s} {link!r}" for link in chained(caught.value)]
    assert leaks(key, texts) == []
    assert not any(key[:12] in text for text in texts)


def test_a_chain_is_cut_where_it_would_show_a_key() -> None:
    """Harmless causes stay, for whoever looks for a defect."""
    endpoint = Endpoint("https://node.example/k3secret0123456789")
    harmless, telling = ValueError("bad"), ValueError("at /k3secret0123456789")
    noted = ValueError("bad")
    noted.add_note("at /k3secret0123456789")
    group = ExceptionGroup("several", [ValueError("fine"), telling])

    for cause, is_kept in ((harmless, True), (telling, False), (noted, False), (group, False)):
        error = PerpscopeError("failed")
        error.__cause__ = error.__context__ = cause
        sever(error, endpoint)
        assert (error.__cause__ is cause, error.__context__ is cause) == (is_kept, is_kept)
