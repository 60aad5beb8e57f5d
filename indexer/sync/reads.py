"""State that has no event: asked for where it is due, and kept whatever came of it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from indexer.chains import Chain
from indexer.errors import HistoryPruned, NodeBehind
from indexer.facts import Known
from indexer.facts.questions import ANSWER, DUE, questions, readable_from
from indexer.facts.reads import AVAILABLE
from indexer.rpc import Header
from indexer.rpc.failures import Refused
from indexer.spec import Protocol
from indexer.sync.pieces import ChainMoved, Fetched, Piece
from indexer.sync.source import Source
from indexer.sync.timetable import Headers, due
from indexer.tables import columns_of, empty

NOT_COLLECTED = "not_collected"

Gone = Refused | HistoryPruned
Outcome = list[bytes | None] | Gone

_AT_ONCE = 8
_SCHEMA = columns_of("reads")
_BLOCK = ["block_number", "block_hash", "block_timestamp"]


class StateReader:
    """Reads what is due in the ranges of one chain, one range after another."""

    def __init__(self, node: Source, chain: Chain) -> None:
        """Ask `node` about `chain`."""
        self._node, self._chain = node, chain
        self._before: Header | None = None

    async def read(self, known: Known, fetched: Fetched) -> pl.DataFrame:
        """
        Return rows of `reads`: everything that is due in a fetched range, answered or not.

        Recorded chains have neither state nor the times of their blocks: nothing is due on them.

        Args:
            known: children of the chain, those born in the range included.
            fetched: the range.

        Raises:
            ChainMoved: a block left the chain meanwhile.
            NodeAnswerWrong: the node executes calls in another block than it is asked to.
            RetryableError: the node did not answer.
        """
        piece, ends = fetched.piece, self._ends(fetched)
        protocols = [protocol for protocol in piece.protocols if protocol.reads]
        if not protocols or not piece.is_whole:
            return empty("reads")
        headers = Headers(self._node, fetched.headers, ends)
        asked = [
            questions(
                protocol, self._chain, known, await self._due(protocol, known, piece, headers)
            )
            for protocol in protocols
        ]
        return await answered(self._node, pl.concat(asked))

    def _ends(self, fetched: Fetched) -> list[Header]:
        ends = [fetched.last, *([self._before] if self._before else [])]
        self._before = fetched.last
        return ends

    async def _due(
        self, protocol: Protocol, known: Known, piece: Piece, headers: Headers
    ) -> pl.DataFrame:
        rows = []
        for read in protocol.reads:
            born = readable_from(read, protocol, self._chain, known)
            low = piece.from_block if born is None else max(born, piece.from_block)
            if born is not None and low <= piece.to_block:
                found = await due(read.every, low, piece.to_block, headers)
                rows += [(read.name, *_place(header)) for header in found]
        return pl.DataFrame(rows, DUE, orient="row")


def _place(header: Header) -> tuple[int, bytes, datetime | None]:
    return header.number, header.hash, header.timestamp


async def answered(node: Source, asked: pl.DataFrame) -> pl.DataFrame:
    """
    Return questions as rows of `reads`, with what came of each.

    The newest block is asked first: where its state is gone, so is that of older ones.

    Raises:
        ChainMoved: the node does not know one of the blocks.
        NodeAnswerWrong: the node executes calls in another block than it is asked to.
        RetryableError: the node did not answer.
    """
    blocks = asked.sort("block_number", descending=True).partition_by(_BLOCK, maintain_order=True)
    done = [empty("reads")]
    refusal: Gone | None = None
    for start in range(0, len(blocks), _AT_ONCE):
        some = blocks[start : start + _AT_ONCE]
        outcomes = await _outcomes(node, some) if refusal is None else [refusal] * len(some)
        refusal = next((told for told in outcomes if isinstance(told, Gone)), None)
        done += [_rows(block, told) for block, told in zip(some, outcomes, strict=True)]
    order = {"block_number": False, "protocol": False, "log_index": True}
    return pl.concat(done).sort(*order, descending=[*order.values()], maintain_order=True)


async def _outcomes(node: Source, blocks: Sequence[pl.DataFrame]) -> list[Outcome]:
    tasks = [asyncio.create_task(_outcome(node, block)) for block in blocks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _outcome(node: Source, block: pl.DataFrame) -> Outcome:
    pin = pinned(block)
    try:
        return await node.state(block.select("address", "input").rows(), pin)
    except (Refused, HistoryPruned) as refusal:
        return refusal
    except NodeBehind as gone:
        raise ChainMoved(
            f"block {pin.number} left the chain while its state was read ({gone}); index again"
        ) from gone


def pinned(rows: pl.DataFrame) -> Header:
    """Return the block that rows of `reads` or questions are of, as far as a call needs it."""
    number, block_hash, timestamp = rows.select(_BLOCK).row(0)
    return Header(number, block_hash, b"", timestamp, None)


def _rows(block: pl.DataFrame, told: Outcome) -> pl.DataFrame:
    outcome: list[tuple[bytes | None, str, str | None]] = (
        [(None, NOT_COLLECTED, str(told))] * len(block)
        if isinstance(told, Gone)
        else [(answer or None, *_state(answer)) for answer in told]
    )
    answers = pl.DataFrame(outcome, {name: _SCHEMA[name] for name in ANSWER}, orient="row")
    return block.hstack(answers).select(*_SCHEMA)


def _state(answer: bytes | None) -> tuple[str, str | None]:
    if answer is None:
        return "source_error", "the contract reverted"
    return (AVAILABLE, None) if answer else ("not_applicable", "no contract is there")
