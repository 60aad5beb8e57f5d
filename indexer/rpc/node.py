"""One chain's node, as its endpoints tell it: heads, logs, headers and pinned calls."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import chain as chained
from random import random
from time import monotonic
from types import TracebackType
from typing import Literal, Self

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong, UserError
from indexer.rpc.answers import NULL, Part
from indexer.rpc.asking import block_call
from indexer.rpc.batches import Batches
from indexer.rpc.checks import Filter, check_logs
from indexer.rpc.clock import Clock, Sleep
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import Refused
from indexer.rpc.frames import HEADERS, LOGS, Header, header_frame, log_frame
from indexer.rpc.readings import (
    header,
    is_unknown,
    numbered_header,
    text,
    transaction_hashes,
    unseen,
    value,
    view,
)
from indexer.rpc.sealing import SEALED, Block, receipt_logs, sealed_frame
from indexer.rpc.state import calls, state
from indexer.rpc.statistics import EndpointStatistics

Tag = Literal["latest", "safe", "finalized"]
Request = tuple[bytes, bytes]

_RECEIPTS_PER_REQUEST = 10  # blocks; those of one may take megabytes

_LOGGER = logging.getLogger(__name__)


class Node:
    """
    A chain as its endpoints tell it; use it as `async with Node(endpoints, chain) as node`.

    Args:
        endpoints: in order of preference; those that cannot be reached are passed over.
        chain: the chain they must serve.
        sleep: how to wait between tries.
        now: what time it is, seconds.
        chance: a number from 0 up to 1, for jitter.
        most_requests: JSON-RPC calls after which none is sent; None for any number.

    Raises:
        UserError: no endpoint is given.
        RequestsSpent: from every question, when its calls would exceed `most_requests`.
        WorldError: on entering, an endpoint serves another chain. The settings may be right
            and the provider's routing wrong, so this is the world's failure.
        NodeUnavailable: on entering, no endpoint works.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        chain: Chain,
        *,
        sleep: Sleep = asyncio.sleep,
        now: Callable[[], float] = monotonic,
        chance: Callable[[], float] = random,
        most_requests: int | None = None,
    ) -> None:
        """Prepare the connections; nothing is sent yet."""
        if not endpoints:
            raise UserError(
                f"no endpoint for {chain.slug}: expected at least one; give --rpc URL, or rpc "
                f"under [chains.{chain.slug}] in the settings"
            )
        # aiohttp takes a fifth of a second to import; commands that ask no node do without.
        from indexer.rpc.pool import Pool

        self._chain = chain
        self._pool = Pool(endpoints, chain, Clock(now, sleep, chance), most_requests=most_requests)
        first = min(endpoint.calls_per_request for endpoint in endpoints)
        self._batches = Batches(first)
        # What is refused here is the size of the answer, which says nothing of other calls.
        self._blocks = Batches(first, _RECEIPTS_PER_REQUEST)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._pool.close)
            await self._pool.open()
            self._closing = closing.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._closing.aclose()

    @property
    def requests(self) -> int:
        """JSON-RPC calls sent so far, repetitions included."""
        return self._pool.requests

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        """Return what each endpoint has done so far, in order of preference."""
        return self._pool.statistics()

    async def client_version(self) -> str:
        """Return what the node calls itself, for example `Geth/v1.16.4/linux-amd64`."""

        def read(parts: list[Part], endpoint: Endpoint) -> str:
            return text(value(parts[0], endpoint))

        return await self._pool.ask([("web3_clientVersion", [])], read)

    async def head(self, tag: Tag = "latest") -> Header | None:
        """
        Return the header the chain's `tag` points to; None where the node does not know the tag.

        Raises:
            NodeUnavailable: no endpoint answered.
            NodeBehind: the node has no block at all.
        """

        def read(parts: list[Part], endpoint: Endpoint) -> Header | None:
            if tag != "latest" and is_unknown(parts[0], endpoint):
                return None
            return header(value(parts[0], endpoint), tag)

        return await self._pool.ask([block_call(tag)], read)

    async def logs(
        self, wanted: Filter, from_block: int, to_block: int
    ) -> tuple[pl.DataFrame, Header]:
        """
        Return the `LOGS` of a range of blocks, both ends included, and its last block's header.

        Both come in one request, so that a node that has not seen the range cannot say "no logs"
        and be believed.

        Raises:
            RangeTooLarge: the node wants fewer blocks, or did not answer a long range in time.
            NodeBehind: the node has not seen `to_block`.
            NodeAnswerWrong: the answer contradicts the request or itself.
            NodeUnavailable: no endpoint answered.
        """
        blocks = (from_block, to_block)

        def read(parts: list[Part], endpoint: Endpoint) -> tuple[pl.DataFrame, Header]:
            last = numbered_header(value(parts[0], endpoint), to_block)
            answers = [view(parts[1], endpoint, blocks)]
            # The bytes of the batch hang on its parts and on this list.
            parts.clear()
            logs = log_frame(answers.pop())
            check_logs(logs, wanted, from_block, to_block, last)
            return logs, last

        query = ("eth_getLogs", [wanted.query(from_block, to_block)])
        return await self._pool.ask([block_call(hex(to_block)), query], read, blocks)

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """
        Return the `HEADERS` of the blocks `numbers`, one row each, sorted by number.

        Raises:
            NodeBehind: the node has not seen one of them.
            NodeAnswerWrong: it answered with other blocks.
            NodeUnavailable: no endpoint answered.
        """
        ask = partial(self._headers, header_frame)
        frames = await self._batches.asked(sorted(set(numbers)), ask)
        return pl.concat(frames) if frames else pl.DataFrame(schema=HEADERS)

    async def sealed_headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """
        Return `SEALED` headers like `headers`, whose hashes were recomputed from their fields.

        Raises:
            NodeBehind: the node has not seen one of them.
            NodeAnswerWrong: it answered with other blocks, or with a header that is not whole or
                does not have the hash it claims.
            NodeUnavailable: no endpoint answered.
        """

        def read(answers: list[bytes]) -> pl.DataFrame:
            return sealed_frame(answers, self._chain)

        ask = partial(self._headers, read)
        frames = await self._batches.asked(sorted(set(numbers)), ask)
        return pl.concat(frames) if frames else pl.DataFrame(schema=SEALED)

    async def receipt_logs(self, headers: pl.DataFrame) -> pl.DataFrame:
        """
        Return all `LOGS` of some blocks, from receipts that give their headers' receipts roots.

        Args:
            headers: `SEALED` headers of the blocks.

        Raises:
            NodeBehind: the node does not know one of them.
            NodeAnswerWrong: receipts are missing, or are not those the header commits to.
            NodeUnavailable: no endpoint answered, or none serves receipts.
        """
        blocks = headers.select("number", "hash", "receipts_root").rows()
        frames = await self._blocks.asked(blocks, self._receipt_logs)
        return pl.concat(frames) if frames else pl.DataFrame(schema=LOGS)

    def doubt(self, from_block: int, to_block: int) -> None:
        """Leave the endpoint whose logs of this range were not believed alone for a while."""
        self._pool.doubt((from_block, to_block))

    def turn(self) -> None:
        """Prefer the next endpoint to the one that is preferred now."""
        self._pool.turn()

    async def calls(self, requests: Sequence[Request], block: Header) -> list[bytes | None]:
        """
        Return what contracts answer after one block, in the order of `requests`.

        Pinned by block hash (EIP-1898). Only where every endpoint refuses that form, calls are
        made by number, in one request with the block's header, whose hash must be the block's.

        Args:
            requests: (contract address, call data) each.
            block: header of the block.

        Returns:
            The returned bytes; None where the contract reverted.

        Raises:
            NodeBehind: the node does not know the block.
            NodeAnswerWrong: the block is no longer the one with its number.
            NodeUnavailable: no endpoint answered.
        """
        return await calls(self._pool.ask, requests, block, self._batches)

    async def state(self, requests: Sequence[Request], block: Header) -> list[bytes | None]:
        """
        Return what contracts answer after one block, in the order of `requests`.

        Unlike `calls` it asks through Multicall3, and believes no node that does not show in
        which block it executed the calls; see `indexer.rpc.state`.

        Raises:
            NodeBehind: the node does not know the block.
            NodeAnswerWrong: the node executed the calls in another block.
            NodeUnavailable: no endpoint answered; `Refused` when none serves the call.
            HistoryPruned: none has the block's state any more.
        """
        return await state(self._pool.ask, requests, block, self._batches)

    async def _receipt_logs(self, blocks: Sequence[Block]) -> pl.DataFrame:
        def read(parts: list[Part], endpoint: Endpoint) -> pl.DataFrame:
            answers = [value(part, endpoint) for part in parts]
            if NULL in answers:
                raise unseen(str(blocks[answers.index(NULL)][0]))
            return receipt_logs(answers, blocks, self._chain)

        try:
            calls = [("eth_getBlockReceipts", [hex(number)]) for number, _, _ in blocks]
            return await self._pool.ask(calls, read)
        except Refused as refusal:
            # Older nodes have no eth_getBlockReceipts.
            _LOGGER.info("%s; asking for receipts one by one", refusal)
        answers = [await self._one_by_one(number, block_hash) for number, block_hash, _ in blocks]
        return receipt_logs(answers, blocks, self._chain)

    async def _one_by_one(self, number: int, block_hash: bytes) -> bytes:
        hashes = await self._transactions(number, block_hash)
        answers = await self._batches.asked(hashes, self._receipts)
        return b"[%b]" % b",".join(chained.from_iterable(answers))

    async def _transactions(self, number: int, block_hash: bytes) -> list[str]:
        def read(parts: list[Part], endpoint: Endpoint) -> list[str]:
            return transaction_hashes(value(parts[0], endpoint), block_hash)

        return await self._pool.ask([block_call(hex(number))], read)

    async def _receipts(self, hashes: Sequence[str]) -> list[bytes]:
        def read(parts: list[Part], endpoint: Endpoint) -> list[bytes]:
            answers = [value(part, endpoint) for part in parts]
            if NULL in answers:
                raise NodeAnswerWrong(
                    f"has no receipt of transaction {hashes[answers.index(NULL)]} of a block it "
                    "told: expected one; use another endpoint"
                )
            return answers

        return await self._pool.ask(
            [("eth_getTransactionReceipt", [tx_hash]) for tx_hash in hashes], read
        )

    async def _headers(
        self, frame: Callable[[list[bytes]], pl.DataFrame], numbers: Sequence[int]
    ) -> pl.DataFrame:
        def read(parts: list[Part], endpoint: Endpoint) -> pl.DataFrame:
            answers = [value(part, endpoint) for part in parts]
            if NULL in answers:
                raise unseen(str(numbers[answers.index(NULL)]))
            headers = frame(answers)
            if headers["number"].to_list() != list(numbers):
                raise NodeAnswerWrong(
                    f"answered with other blocks than the {len(numbers)} from {numbers[0]} to "
                    f"{numbers[-1]} that were asked for; use another endpoint"
                )
            return headers

        return await self._pool.ask([block_call(hex(number)) for number in numbers], read)
