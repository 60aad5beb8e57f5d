"""JSON-RPC over HTTP: one session per endpoint, with connections kept open."""

from collections.abc import Sequence
from functools import cached_property

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector

from indexer.rpc.answers import Blocks, Part, unwelcome
from indexer.rpc.transport import CONNECT_SECONDS, Transport

_PIECE_BYTES = 2**20
_IDLE_SECONDS = 30  # balancers close idle connections after a minute


class _Unwelcome(Exception):
    """An HTTP status other than success: status, Retry-After header, body."""


class _TooManyBytes(Exception):
    """The answer is larger than the endpoint's limit."""


class HttpTransport(Transport):
    """One endpoint's connections over HTTP."""

    @cached_property
    def _session(self) -> ClientSession:
        # Made where it is used: a session belongs to the loop that runs then.
        return ClientSession(
            connector=TCPConnector(
                limit=self.endpoint.concurrency, keepalive_timeout=_IDLE_SECONDS
            ),
            headers={"Content-Type": "application/json", "User-Agent": "perpscope"},
            timeout=ClientTimeout(self.endpoint.timeout_seconds, sock_connect=CONNECT_SECONDS),
            read_bufsize=_PIECE_BYTES,
        )

    async def exchanged(
        self, encoded: bytes, asked: Sequence[object], blocks: Blocks | None
    ) -> list[Part]:
        """
        Post an encoded request and return its answers in the order of the ids `asked`.

        Raises:
            WorldError: what `Transport.ask` raises.
        """
        try:
            body = await self._posted(encoded)
        except _Unwelcome as error:
            status, retry_after, text = error.args
            raise unwelcome(
                self.endpoint, status, retry_after, text, blocks, calls=len(asked)
            ) from None
        except _TooManyBytes:
            raise self.oversized(blocks, len(asked)) from None
        except (OSError, ClientError, ValueError) as error:  # yarl's for a URL that is none
            raise self.broken_off(error) from error
        return self.answers(body, asked, blocks)

    async def disconnect(self) -> None:
        """Close the connections."""
        if "_session" in self.__dict__:
            await self._session.close()
            del self._session

    async def _posted(self, encoded: bytes) -> bytes:
        # A redirected POST arrives as a GET without a body.
        async with self._session.post(
            self.endpoint.url, data=encoded, allow_redirects=False
        ) as response:
            body = await self._body(response)
        if not 200 <= response.status < 300:
            raise _Unwelcome(response.status, response.headers.get("Retry-After"), body)
        return body

    async def _body(self, response: ClientResponse) -> bytes:
        pieces, size = [], 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self.endpoint.most_answer_bytes:
                raise _TooManyBytes
            pieces.append(piece)
        return b"".join(pieces)
