"""A range of blocks as it is asked for, as it is answered, and as it lands."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from indexer.errors import NodeAnswerWrong
from indexer.facts import Known
from indexer.rpc import Header
from indexer.settings import MOST_ADDRESSES
from indexer.spec import Protocol


class ChainMoved(NodeAnswerWrong):
    """Two answers tell of different chains: a reorg is under way, or the node is unsound."""


@dataclass(frozen=True)
class Piece:
    """
    A range to fetch.

    Attributes:
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        protocols: whose logs to ask for.
        finality: how final the blocks are.
        is_settled: whether they are too old for reorgs; else every header is fetched, first.
        parent: hash of the block before, where the headers must link to it; None to not look.
        is_whole: whether headers link by parent hash at all.
        most_addresses: more emitters than this are not named in a request: whoever emits the
            topics is asked for, and those who are nobody's are left out here.
        finality_reason: how it is known how final the blocks are.
        proof: how far to prove the logs complete: fetched, bloom or receipts.
    """

    from_block: int
    to_block: int
    protocols: tuple[Protocol, ...]
    finality: str
    is_settled: bool
    parent: bytes | None
    is_whole: bool
    most_addresses: int = MOST_ADDRESSES
    finality_reason: str = "not known"
    proof: str = "fetched"

    @property
    def blocks(self) -> int:
        """How many blocks it has."""
        return self.to_block - self.from_block + 1

    @property
    def slugs(self) -> tuple[str, ...]:
        """The protocols by slug."""
        return tuple(protocol.slug for protocol in self.protocols)

    @property
    def needs_all_headers(self) -> bool:
        """Whether every header of the range is fetched, not only those of blocks with logs."""
        return not self.is_settled or (self.is_whole and self.proof != "fetched")


@dataclass(frozen=True)
class Answer:
    """
    What a node said about a range.

    Attributes:
        piece: what was asked for.
        logs: LOGS frame of everything that was answered, those that belong to nobody included.
        last: header of the last block.
        headers: headers in hand so far.
        asked: addresses that were named.
        open_to: protocols whose emitters were not named, because there are too many.
    """

    piece: Piece
    logs: pl.DataFrame
    last: Header
    headers: pl.DataFrame
    asked: frozenset[bytes]
    open_to: frozenset[str]


@dataclass(frozen=True)
class Fetched:
    """
    A fetched range.

    Attributes:
        piece: what was asked for.
        logs: LOGS frame of the protocols' logs.
        owners: protocol -> which of `logs` are its.
        headers: headers of the blocks that carry them; of all blocks above finality.
        last: header of the last block.
        children: rows of `contracts` whose birth is in the range.
        known: what is known with them.
        proof: how far the logs are proven complete.
        waiver: why not further, where the chain forbids it.
        answer: what it was made of.
    """

    piece: Piece
    logs: pl.DataFrame
    owners: Mapping[str, pl.Series]
    headers: pl.DataFrame
    last: Header
    children: pl.DataFrame
    known: Known
    proof: str
    waiver: str | None
    answer: Answer
