"""State that has no event: asked for where it is due, and kept whatever came of it."""

import asyncio
from collections.abc import Sequence

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeBehind
from indexer.facts import Known
from indexer.facts.questions import ANSWER, DUE, questions, readable_from
from indexer.facts.reads import AVAILABLE
from indexer.rpc import Header
from indexer.rpc.failures import Refused
from indexer.spec import Protocol
from indexer.sync.fetching import ChainMoved, Fetched, with_children
from indexer.sync.sampling import Headers, due
from indexer.sync.source import Source
from indexer.tables import columns_of, empty

NOT_COLLECTED = "not_collected"

Outcome = list[bytes | None] | Refused

_AT_ONCE = 8
_SCHEMA = columns_of("reads")
_BLOCK = ["block_number", "block_hash", "block_timestamp"]


async def read_state(node: Source, chain: Chain, known: Known, fetched: Fetched) -> pl.DataFrame:
    """
    Return rows of `reads`: everything that is due in a fetched range, answered or not.

    Recorded chains have neither state nor the times of their blocks: nothing is due on them.

    Raises:
        ChainMoved: a block left the chain meanwhile.
        NodeAnswerWrong: the node executes calls in another block than it is asked to.
        RetryableError: the node did not answer.
    """
    protocols = [protocol for protocol in fetched.piece.protocols if protocol.reads]
    if not protocols or not fetched.piece.is_whole:
        return empty("reads")
    known = with_children(known, fetched.children)
    headers = Headers(node, fetched.headers)
    asked = [
        questions(protocol, chain, known, await _due(protocol, chain, known, fetched, headers))
        for protocol in protocols
    ]
    return await answered(node, pl.concat(asked))


async def _due(
    protocol: Protocol, chain: Chain, known: Known, fetched: Fetched, headers: Headers
) -> pl.DataFrame:
    rows = []
    for read in protocol.reads:
        born = readable_from(read, protocol, chain, known)
        low = fetched.piece.from_block if born is None else max(born, fetched.piece.from_block)
        if born is not None and low <= fetched.piece.to_block:
            found = await due(read.every, low, fetched.piece.to_block, headers)
            rows += [(read.name, header.number, header.hash, header.timestamp) for header in found]
    return pl.DataFrame(rows, DUE, orient="row")


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
    refusal: Refused | None = None
    for start in range(0, len(blocks), _AT_ONCE):
        some = blocks[start : start + _AT_ONCE]
        outcomes = await _outcomes(node, some) if refusal is None else [refusal] * len(some)
        refusal = next((told for told in outcomes if isinstance(told, Refused)), None)
        done += [_rows(block, told) for block, told in zip(some, outcomes, strict=True)]
    return pl.concat(done).sort("block_number", "protocol", "log_index", maintain_order=True)


async def _outcomes(node: Source, blocks: Sequence[pl.DataFrame]) -> list[Outcome]:
    tasks = [asyncio.create_task(_outcome(node, block)) for block in blocks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _outcome(node: Source, block: pl.DataFrame) -> Outcome:
    number, block_hash, timestamp = block.select(_BLOCK).row(0)
    pin = Header(number, block_hash, b"", timestamp, None)
    try:
        return await node.state(block.select("address", "input").rows(), pin)
    except Refused as refusal:
        return refusal
    except NodeBehind as gone:
        raise ChainMoved(
            f"block {number} left the chain while its state was read ({gone}); index again"
        ) from gone


def _rows(block: pl.DataFrame, told: Outcome) -> pl.DataFrame:
    outcome: list[tuple[bytes | None, str, str | None]] = (
        [(None, NOT_COLLECTED, str(told))] * len(block)
        if isinstance(told, Refused)
        else [(answer or None, *_state(answer)) for answer in told]
    )
    answers = pl.DataFrame(outcome, {name: _SCHEMA[name] for name in ANSWER}, orient="row")
    return block.hstack(answers).select(*_SCHEMA)


def _state(answer: bytes | None) -> tuple[str, str | None]:
    if answer is None:
        return "source_error", "the contract reverted"
    return (AVAILABLE, None) if answer else ("not_applicable", "no contract is there")
