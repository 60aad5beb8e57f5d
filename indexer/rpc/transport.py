"""
web3's HTTP provider with three differences: answers stay bytes, HTTP statuses are judged here,
and the size of an answer is bounded.

web3 turns an answer into Python objects in `decode_rpc_response`. This provider cuts a batch into
its parts there and leaves each result as the node sent it, so that logs and headers are parsed
once, by Polars.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from eth_typing import URI
from web3 import AsyncHTTPProvider
from web3._utils.http_session_manager import HTTPSessionManager
from web3.types import RPCEndpoint, RPCRequest

from indexer.errors import NodeUnavailable, WorldError
from indexer.rpc.answers import Blocks, Call, Part, in_order, parts_of, unreadable, unwelcome
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import Refused, TimedOut, presentable, quoted, too_large

_CONNECT_SECONDS = 10
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


class RawProvider(AsyncHTTPProvider):
    """
    web3's provider for one endpoint, giving answers as bytes.

    Requests go through `ask`; web3's own methods write URLs, which hold keys, into its debug log.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare the connection; nothing is sent yet."""
        super().__init__(
            endpoint.url,
            request_kwargs={
                "headers": {"Content-Type": "application/json", "User-Agent": "perpscope"},
                "timeout": ClientTimeout(endpoint.timeout_seconds, sock_connect=_CONNECT_SECONDS),
                # A redirected POST arrives as a GET without a body.
                "allow_redirects": False,
            },
        )
        self.endpoint = endpoint
        self._sessions = _Sessions(endpoint.concurrency, endpoint.most_answer_bytes)
        self._request_session_manager = self._sessions
        self._slots = asyncio.Semaphore(endpoint.concurrency)

    def __str__(self) -> str:
        return f"RPC connection {self.endpoint}"

    @staticmethod
    def encode_rpc_dict(rpc_dict: RPCRequest) -> bytes:
        """Return the request as JSON; our parameters are plain text, numbers and lists."""
        return msgspec.json.encode(rpc_dict)

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> list[Part]:  # type: ignore[override] # the seam
        """Return the answers in `raw_response`, results unparsed."""
        return parts_of(raw_response)

    async def ask(self, calls: Sequence[Call], blocks: Blocks | None = None) -> list[Part]:
        """
        Send `calls` in one request and return their answers in the same order.

        Args:
            calls: (method, params) each.
            blocks: the range of an eth_getLogs call among them, for errors about its size.

        Raises:
            NodeUnavailable: no answer, an unreadable one, or a refusal of the whole request.
            RangeTooLarge: the answer is larger than we or the node allow.
            NodeAnswerWrong: the answers are not those to our calls.
        """
        requests = [self.form_request(RPCEndpoint(method), params) for method, params in calls]
        body = await self._sent(requests, blocks)
        try:
            parts = self.decode_rpc_response(body)
        except msgspec.DecodeError as error:
            raise unreadable(self.endpoint, body) from error
        return in_order(parts, [request["id"] for request in requests], self.endpoint, blocks)

    async def disconnect(self) -> None:
        """Close the connections."""
        await self._sessions.close()

    async def _sent(self, requests: list[RPCRequest], blocks: Blocks | None) -> bytes:
        # Not every node takes a batch of one.
        is_single = len(requests) == 1
        encoded = (
            self.encode_rpc_dict(requests[0])
            if is_single
            else self.encode_batch_request_dicts(requests)
        )
        try:
            async with self._slots:
                return await self._sessions.async_make_post_request(
                    URI(self.endpoint.url), encoded, **self.get_request_kwargs()
                )
        except (OSError, ClientError, _Unwelcome, _TooManyBytes) as error:
            raise self._failure(error, blocks) from presentable(error, self.endpoint)

    def _failure(self, error: Exception, blocks: Blocks | None) -> WorldError:
        match error:
            case _Unwelcome(args=(status, retry_after, body)):
                return unwelcome(self.endpoint, status, retry_after, body, blocks)
            case _TooManyBytes():
                return _oversized(self.endpoint, blocks)
            case TimeoutError():
                return TimedOut(self.endpoint)
            case _:
                reason = quoted(str(error) or type(error).__name__, self.endpoint)
                return NodeUnavailable(
                    f"{self.endpoint} cannot be reached or broke off ({reason}); expected a "
                    "JSON-RPC answer; check that the node is running and the URL is right"
                )


def _oversized(endpoint: Endpoint, blocks: Blocks | None) -> WorldError:
    said = f"the answer exceeds our limit of {endpoint.most_answer_bytes:,} bytes"
    if blocks is not None:
        return too_large(endpoint, said, blocks)
    return Refused(f"{endpoint}: {said}; use another endpoint")
