"""
Large chains for measuring clients, ours and others: ERC-20 transfers of one token, block by block.

Every header is true: its hash, its bloom and, unless left out to build faster, its receipts root.
As in real life some logs do not decode with the ordinary ABI, and some values fill all 256 bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from eth_hash.auto import keccak

from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.served import ServedChain

TOKEN = bytes.fromhex("dac17f958d2ee523a2206206994597c13d831ec7")
TRANSFER = bytes(keccak(b"Transfer(address,address,uint256)"))
CLIENT = "Geth/v1.16.4-rig/linux-amd64"

_START_TIME = 1_600_000_000
_BLOCK_SECONDS = 2
_LOGS_PER_TRANSACTION = 5
_HOLDERS = 5_000


@dataclass(frozen=True)
class Transfers:
    """
    A chain of transfers.

    Attributes:
        logs: how many.
        per_block: how many in each block.
        first: number of the first block.
        odd_every: every so manieth log has its value indexed, which the ordinary ABI cannot
            decode; 0 for none.
        full_every: every so manieth value is 2^256 - 1; 0 for none.
        has_receipts_root: whether receipts can be proven; building takes three times as long.
        seed: decides holders and values.
    """

    logs: int
    per_block: int
    first: int = 1
    odd_every: int = 500
    full_every: int = 1_000
    has_receipts_root: bool = True
    seed: int = 1

    def chain(self, **settings: int) -> ServedChain:
        """Return the chain as it is served."""
        chain = tuple(self._blocks())
        return ServedChain(1, "ethereum", CLIENT, chain, **settings)  # type: ignore[arg-type]

    def _blocks(self) -> Iterator[Block]:
        source, parent, happened = Random(self.seed), None, 0
        holders = [source.randbytes(20).rjust(32, b"\0") for _ in range(_HOLDERS)]
        for number in range(self.first, self.first + self.logs // self.per_block):
            logs = [
                self._log(source, holders, at) for at in range(happened, happened + self.per_block)
            ]
            happened += self.per_block
            stamp = _START_TIME + _BLOCK_SECONDS * number
            parent = block(
                parent, number, stamp, _sent(logs), has_receipts_root=self.has_receipts_root
            )
            yield parent

    def _log(self, source: Random, holders: list[bytes], at: int) -> Log:
        topics = (TRANSFER, source.choice(holders), source.choice(holders))
        is_full = self.full_every and at % self.full_every == 0
        value = 2**256 - 1 if is_full else source.randrange(10**24)
        if self.odd_every and at % self.odd_every == self.odd_every - 1:
            return Log(TOKEN, (*topics, value.to_bytes(32)), b"")
        return Log(TOKEN, topics, value.to_bytes(32))


def _sent(logs: list[Log]) -> list[Transaction]:
    return [
        Transaction(bytes(19) + b"\1", TOKEN, tuple(logs[at : at + _LOGS_PER_TRANSACTION]))
        for at in range(0, len(logs), _LOGS_PER_TRANSACTION)
    ]
