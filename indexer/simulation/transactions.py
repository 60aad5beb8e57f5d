"""What a simulated chain executes: transactions with the logs they leave behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from eth_hash.auto import keccak

from indexer.simulation.proofs import bloom, receipt_leaf, rlp_bytes


@dataclass(frozen=True, slots=True)
class Log:
    """What a contract emits: address (20 bytes), at most four topics (32 bytes each), data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    A transaction, as far as its receipt shows it.

    Attributes:
        sender: 20 bytes.
        to: 20 bytes.
        logs: in the order emitted; a failed transaction has none.
        nonce: with one, the transaction keeps its hash when another block includes it, as after
            a reorg; without, block number and position make the hash unique.
        is_success: the receipt's status.
    """

    sender: bytes
    to: bytes
    logs: tuple[Log, ...] = ()
    nonce: int | None = None
    is_success: bool = True


@dataclass(frozen=True, slots=True)
class Execution:
    """
    A transaction in its block.

    Attributes:
        tx: the transaction.
        tx_hash: 32 bytes; there is no signature, so it covers place or nonce, sender, to, logs.
        gas: a rule of thumb over log sizes; nothing executes.
        cumulative_gas: of the block's transactions up to and including this one.
        bloom: of its logs, as an integer.
        first_log: the index inside the block of its first log.
    """

    tx: Transaction
    tx_hash: bytes
    gas: int
    cumulative_gas: int
    bloom: int
    first_log: int

    def leaf(self) -> bytes:
        """Return the type-2 receipt as the receipts trie stores it."""
        outcome = b"\x01" if self.tx.is_success else b""
        return receipt_leaf(2, outcome, self.cumulative_gas, self.bloom, _items(self.tx))


def executions(number: int, transactions: Sequence[Transaction]) -> list[Execution]:
    """Return the transactions of block `number` with what a receipt says about each."""
    done: list[Execution] = []
    total_gas = 0
    first_log = 0
    for index, tx in enumerate(transactions):
        gas = _gas(tx)
        total_gas += gas
        done.append(
            Execution(tx, _tx_hash(number, index, tx), gas, total_gas, _bloom(tx), first_log)
        )
        first_log += len(tx.logs)
    return done


def _tx_hash(number: int, index: int, tx: Transaction) -> bytes:
    place = b"%d/%d" % (number, index) if tx.nonce is None else b"nonce %d" % tx.nonce
    return keccak(rlp_bytes([place, tx.sender, tx.to, _items(tx)]))


def _items(tx: Transaction) -> list[list[object]]:
    return [[log.address, log.topics, log.data] for log in tx.logs]


def _gas(tx: Transaction) -> int:
    return 21_000 + sum(375 * (1 + len(log.topics)) + 8 * len(log.data) for log in tx.logs)


def _bloom(tx: Transaction) -> int:
    return bloom(chain.from_iterable((log.address, *log.topics) for log in tx.logs))
