"""
JSON-RPC over WebSocket: a socket serves one request at a time, and several are open at once.

So an answer can only be that to the request before it, and a request that is given up takes its
socket with it instead of leaving an answer for the next one to stumble over. web3's own way of
matching answers takes one batch at a time and writes URLs, which hold keys, into its log; this
uses its provider as what opens, writes and reads one socket.
"""

import asyncio
import logging
from collections.abc import Sequence

from eth_typing import URI
from web3 import WebSocketProvider
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import Close, CloseCode

from indexer.errors import WorldError
from indexer.rpc.answers import Blocks, Part, unwelcome
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import quoted, slow_down, to_be_smaller
from indexer.rpc.transport import CONNECT_SECONDS, Transport
from indexer.rpc.wordings import Meaning, wording

_CLOSE_SECONDS = 1

# websockets writes the request line, which holds keys, into its debug log.
_SILENT = logging.Logger("silent", logging.CRITICAL + 1)


class _Connecting(connect):
    """A handshake that no redirect leads to another host: it is refused, as over HTTP."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class _Socket(WebSocketProvider):
    """One WebSocket, giving messages as bytes."""

    def __init__(self, endpoint: Endpoint) -> None:
        scheme, _, rest = endpoint.url.strip().partition(":")
        super().__init__(
            URI(f"{scheme.lower()}:{rest}"),  # web3 knows no other spelling, and shows what it gets
            websocket_kwargs={
                "open_timeout": min(CONNECT_SECONDS, endpoint.timeout_seconds),
                "close_timeout": _CLOSE_SECONDS,
                "max_size": endpoint.most_answer_bytes,
                "user_agent_header": "perpscope",
                "proxy": None,  # as over HTTP
                "logger": _SILENT,
            },
            use_text_frames=True,
            request_timeout=endpoint.timeout_seconds,
        )

    async def open(self) -> None:
        self._ws = await _Connecting(self.endpoint_uri, **self.websocket_kwargs)

    async def exchanged(self, encoded: bytes) -> bytes:
        await self.socket_send(encoded)
        return await self.socket_recv()

    async def socket_recv(self) -> bytes:  # type: ignore[override] # the seam
        assert self._ws is not None  # noqa: S101 - opened before anything is sent
        return await self._ws.recv(decode=False)

    async def close(self) -> None:
        await self._provider_specific_disconnect()

    def drop(self) -> None:
        if self._ws is not None:
            self._ws.transport.abort()


class SocketTransport(Transport):
    """One endpoint's sockets, opened as they are needed and opened again when they break."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Prepare; nothing is sent yet."""
        super().__init__(endpoint)
        self._idle: list[_Socket] = []

    async def exchanged(
        self, encoded: bytes, asked: Sequence[object], blocks: Blocks | None
    ) -> list[Part]:
        """
        Write an encoded request to a socket and return its answers in the order of `asked`.

        Raises:
            WorldError: what `Transport.ask` raises.
        """
        try:
            async with asyncio.timeout(self.endpoint.timeout_seconds):
                socket, body = await self._spoken(encoded)
        except (OSError, WebSocketException, ValueError) as error:
            raise self._failure(error, blocks, len(asked)) from error
        try:
            parts = self.answers(body, asked, blocks)
        except WorldError:
            socket.drop()  # who answers beside the question may do so again
            raise
        self._idle.append(socket)
        return parts

    async def disconnect(self) -> None:
        """Close the sockets."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(socket.close() for socket in idle))

    async def _spoken(self, encoded: bytes) -> tuple[_Socket, bytes]:
        socket = await self._opened()
        answer = None
        try:
            answer = await socket.exchanged(encoded)
        finally:
            if answer is None:  # failed, or given up
                socket.drop()
        return socket, answer

    async def _opened(self) -> _Socket:
        while self._idle:
            socket = self._idle.pop()
            if socket.is_open():  # nodes close sockets that were idle
                return socket
        socket = _Socket(self.endpoint)
        await socket.open()
        return socket

    def _failure(self, error: Exception, blocks: Blocks | None, calls: int) -> WorldError:
        match error:
            case InvalidStatus(response=response):
                wait = response.headers.get("Retry-After")
                body = bytes(response.body or b"")
                return unwelcome(
                    self.endpoint, response.status_code, wait, body, blocks, calls=calls
                )
            # Who is closed upon repeats the code.
            case ConnectionClosed(
                sent=Close(code=CloseCode.MESSAGE_TOO_BIG), rcvd_then_sent=False | None
            ):
                return self.oversized(blocks, calls)
            case ConnectionClosed(rcvd=rcvd) if rcvd is not None:
                return self._closed(rcvd.code, rcvd.reason, error, blocks, calls)
            case _:
                return self.broken_off(error)

    def _closed(
        self, code: int, reason: str, error: Exception, blocks: Blocks | None, calls: int
    ) -> WorldError:
        said = f'it closed the connection with code {code} "{quoted(reason, self.endpoint)}"'
        is_large = code == CloseCode.MESSAGE_TOO_BIG
        if is_large and (less := to_be_smaller(self.endpoint, said, blocks, calls)):
            return less
        if wording(reason)[0].means is Meaning.SLOW_DOWN:
            return slow_down(self.endpoint, said, None)
        return self.broken_off(error)
