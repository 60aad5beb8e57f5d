"""JSON-RPC over HTTP: one session per endpoint, with connections kept open."""

from collections.abc import Sequence
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from eth_typing import URI
from web3 import AsyncHTTPProvider
from web3._utils.http_session_manager import HTTPSessionManager

from indexer.rpc.answers import Blocks, Part, unwelcome
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.transport import CONNECT_SECONDS, Transport

_PIECE_BYTES = 2**20
_IDLE_SECONDS = 30  # balancers close idle connections after a minute


class _Unwelcome(Exception):
    """An HTTP status other than success: status, Retry-After header, body."""


class _TooManyBytes(Exception):
    """The answer is larger than the endpoint's limit."""


class _Sessions(HTTPSessionManager):
    """One session with connections kept open; reads at most `most_bytes` of an answer."""

    def __init__(self, concurrency: int, most_bytes: int) -> None:
        super().__init__()
        self._concurrency = concurrency
        self._most_bytes = most_bytes
        self._session: ClientSession | None = None

    async def async_cache_and_return_session(self, *_: Any, **__: Any) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=self._concurrency, keepalive_timeout=_IDLE_SECONDS),
                read_bufsize=_PIECE_BYTES,
            )
        return self._session

    async def async_make_post_request(
        self, endpoint_uri: URI, data: bytes | dict[str, Any], **kwargs: Any
    ) -> bytes:
        session = await self.async_cache_and_return_session()
        async with session.post(endpoint_uri, data=data, **kwargs) as response:
            body = await self._body(response)
        if not 200 <= response.status < 300:
            raise _Unwelcome(response.status, response.headers.get("Retry-After"), body)
        return body

    async def _body(self, response: ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self._most_bytes:
                raise _TooManyBytes
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None


class HttpTransport(Transport, AsyncHTTPProvider):
    """web3's HTTP provider for one endpoint, giving answers as bytes."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare the connection; nothing is sent yet."""
        super().__init__(
            endpoint.url,
            request_kwargs={
                "headers": {"Content-Type": "application/json", "User-Agent": "perpscope"},
                "timeout": ClientTimeout(endpoint.timeout_seconds, sock_connect=CONNECT_SECONDS),
                # A redirected POST arrives as a GET without a body.
                "allow_redirects": False,
            },
        )
        self.endpoint = endpoint
        self._sessions = _Sessions(endpoint.concurrency, endpoint.most_answer_bytes)
        self._request_session_manager = self._sessions

    async def exchanged(
        self, encoded: bytes, asked: Sequence[object], blocks: Blocks | None
    ) -> list[Part]:
        """
        Post an encoded request and return its answers in the order of the ids `asked`.

        Raises:
            WorldError: what `Transport.ask` raises.
        """
        try:
            body = await self._sessions.async_make_post_request(
                URI(self.endpoint.url), encoded, **self.get_request_kwargs()
            )
        except _Unwelcome as error:
            status, retry_after, text = error.args
            raise unwelcome(self.endpoint, status, retry_after, text, blocks) from None
        except _TooManyBytes:
            raise self.oversized(blocks) from None
        except (OSError, ClientError, ValueError) as error:  # yarl's for a URL that is none
            raise self.broken_off(error) from error
        return self.answers(body, asked, blocks)

    async def disconnect(self) -> None:
        """Close the connections."""
        await self._sessions.close()
