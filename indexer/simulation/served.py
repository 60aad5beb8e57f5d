"""A chain as the node serves it: blocks, recorded calls, and how generous the node is."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from eth_hash.auto import keccak

from indexer.simulation.blocks import ZERO_HASH, Block, Receipt, hexadecimal
from indexer.simulation.refusals import Refused, invalid_argument, no_such_tag

SIMULATED_CLIENT = "perpscope-simulated/1"
REPLAY_CLIENT = "perpscope-replay/1"

_UNKNOWN = ("logsBloom", "receiptsRoot", "transactionsRoot", "stateRoot", "transactions")

CallKey = tuple[int | None, str, str]  # block number or None for any, to, data; lower-case hex


@dataclass(frozen=True)
class ServedChain:
    """
    One chain of the node; immutable, so a longer or reorganised one replaces it whole.

    Attributes:
        chain_id: EIP-155 id.
        slug: the path it is served at, beside /<chain_id>.
        client_version: what web3_clientVersion says; it tells simulated from recorded.
        blocks: ascending by number; may have holes when `is_sparse`.
        calls: recorded eth_call answers (hex).
        multicall_from: block that Multicall3 is deployed in; None where it never was.
        max_logs: most logs in one answer; None for any number.
        max_block_span: most blocks in one eth_getLogs; None for any number.
        safe_lag: blocks between the head and the block tagged `safe`.
        finalized_lag: blocks between the head and the block tagged `finalized`.
        has_tags: whether `safe` and `finalized` are understood at all.
        is_sparse: serve a stand-in header for every number up to the head that has no block.
    """

    chain_id: int
    slug: str
    client_version: str
    blocks: Sequence[Block]
    calls: Mapping[CallKey, str] = field(default_factory=dict)
    multicall_from: int | None = None
    max_logs: int | None = None
    max_block_span: int | None = None
    safe_lag: int = 32
    finalized_lag: int = 64
    has_tags: bool = True
    is_sparse: bool = False

    @cached_property
    def head(self) -> int:
        """The highest block's number; -1 without blocks."""
        return self.blocks[-1].number if self.blocks else -1

    @cached_property
    def first(self) -> int:
        """The lowest number that is served."""
        return self.blocks[0].number if self.blocks and not self.is_sparse else 0

    @cached_property
    def _by_hash(self) -> Mapping[str, Block]:
        return {block.hash: block for block in self.blocks}

    @cached_property
    def by_transaction(self) -> Mapping[str, tuple[Block, Receipt]]:
        """Receipts, with the block they belong to, by transaction hash."""
        return {
            receipt.tx_hash: (block, receipt) for block in self.blocks for receipt in block.receipts
        }

    def at(self, number: int) -> Block | None:
        """Return the block, a stand-in where the chain is sparse, or None."""
        found = self.between(number, number)
        if found:
            return found[0]
        is_missing = self.is_sparse and 0 <= number <= self.head
        return stand_in(self.chain_id, number) if is_missing else None

    def called(self, block_hash: str) -> Block | None:
        """Return the block or stand-in with this lower-case hash, or None."""
        if block_hash in self._by_hash:
            return self._by_hash[block_hash]
        found = self.at(_numbered(block_hash)) if self.is_sparse else None
        return found if found is not None and found.hash == block_hash else None

    def between(self, from_block: int, to_block: int) -> Sequence[Block]:
        """Return the blocks from_block..to_block, both inclusive, without stand-ins."""
        start = bisect_left(self.blocks, from_block, key=_number)
        return self.blocks[start : bisect_right(self.blocks, to_block, lo=start, key=_number)]

    def tagged(self, tag: str) -> int:
        """
        Return the block number of a tag.

        Raises:
            Refused: the tag is not known, or no block is that final yet.
        """
        lags = {"latest": 0, "safe": self.safe_lag, "finalized": self.finalized_lag}
        if tag == "earliest":
            return self.first
        if tag not in lags or (tag != "latest" and not self.has_tags):
            raise Refused(invalid_argument(0, "hex string without 0x prefix"))
        if tag != "latest" and self.head - lags[tag] < self.first:
            raise Refused(no_such_tag(tag))
        return self.head - lags[tag]


def stand_in(chain_id: int, number: int) -> Block:
    """
    Return the block served for a number of which nothing was recorded; always the same.

    Its hash is 24 bytes of a hash of ours and 8 of the number, so that it can be found by it:
    clients pin calls to block hashes.
    """
    seed = b"perpscope-replay %d %d" % (chain_id, number)
    block_hash = hexadecimal(keccak(seed)[:24] + number.to_bytes(8))
    return Block(sparse_header(number, block_hash, None), has_all_receipts=False)


def _numbered(block_hash: str) -> int:
    return int(block_hash[-16:], 16)


def sparse_header(number: int, block_hash: str, timestamp: str | None) -> dict[str, object]:
    """Return a header of which only these are known: null means not known, never zero."""
    return {
        "number": hex(number),
        "hash": block_hash,
        "parentHash": ZERO_HASH,
        "timestamp": timestamp,
        **dict.fromkeys(_UNKNOWN),
    }


def _number(block: Block) -> int:
    return block.number
