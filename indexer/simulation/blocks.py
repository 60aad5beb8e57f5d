"""
Ethereum-style blocks from transactions with logs, in the JSON that nodes speak.

Headers have the twenty fields of the Cancun fork. Bloom, receipts root, hash and parent hash are
true; there is no state and no transaction bodies, so `stateRoot` is zero and `transactionsRoot`
is the hash of the joined transaction hashes. Receipts are of type 2 (EIP-1559).
Logs are kept as finished JSON with the keys a filter asks for, so that eth_getLogs only joins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import msgspec
from eth_hash.auto import keccak

from indexer.simulation import proofs
from indexer.simulation.transactions import Execution, Log, Transaction, executions

__all__ = ["Block", "Log", "LogKey", "Receipt", "Transaction", "block", "hexadecimal"]

ZERO_HASH = "0x" + "00" * 32
EXTRA_DATA = b"perpscope-simulated"

_BASE_FEE_WEI = "0x3b9aca00"
_GAS_LIMIT = "0x4000000000000"  # Arbitrum's: no block of ours reaches it

LogKey = tuple[str, ...]  # address, topic0, topic1, ... in lower-case hex


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    A receipt whose logs lie in its block.

    Attributes:
        tx_hash: lower-case hex.
        fields: every field but the logs, as a JSON object.
        first: position in the block of the first log.
        stop: position after the last log.
    """

    tx_hash: str
    fields: bytes
    first: int
    stop: int


@dataclass(frozen=True)
class Block:
    """
    A block as a node serves it.

    Attributes:
        header: the block object of eth_getBlockByNumber; null fields are not known.
        receipts: in transaction order; of a recorded block perhaps only some.
        log_keys: for each log what filters look at.
        log_texts: for each log its JSON, in the same order.
        has_all_receipts: False where eth_getBlockReceipts must not pass them off as all.
    """

    header: Mapping[str, object]
    receipts: tuple[Receipt, ...] = ()
    log_keys: tuple[LogKey, ...] = ()
    log_texts: tuple[bytes, ...] = ()
    has_all_receipts: bool = True

    @cached_property
    def number(self) -> int:
        """The block's number."""
        return int(str(self.header["number"]), 16)

    @cached_property
    def hash(self) -> str:
        """The block's hash, lower-case hex."""
        return str(self.header["hash"])

    @cached_property
    def kinds(self) -> frozenset[LogKey]:
        """Every (address, topic0) in the block; (address,) for a log without topics."""
        return frozenset(key[:2] for key in self.log_keys)

    def receipt_text(self, receipt: Receipt) -> bytes:
        """Return the whole receipt as JSON."""
        logs = b",".join(self.log_texts[receipt.first : receipt.stop])
        return b'%b,"logs":[%b]}' % (receipt.fields[:-1], logs)


def block(
    parent: Block | None,
    number: int,
    timestamp: int,
    transactions: Sequence[Transaction] = (),
    *,
    extra_data: bytes = EXTRA_DATA,
    has_receipts_root: bool = True,
    log_timestamps: bool = False,
) -> Block:
    """
    Return the block with these transactions on top of `parent`.

    Args:
        parent: the block below, or None for the first one served (its parent hash is zero).
        number: parent's number + 1 where there is a parent.
        timestamp: seconds since 1970, UTC.
        transactions: in execution order.
        extra_data: at most 32 bytes; another value gives a sibling another hash (reorgs).
        has_receipts_root: False leaves `receiptsRoot` zero, which no receipts match, and saves
            two thirds of the time: for benchmarks that do not verify.
        log_timestamps: put `blockTimestamp` into logs, as geth does since 1.16.

    Raises:
        ValueError: the number does not follow the parent's.
    """
    if parent is not None and number != parent.number + 1:
        raise ValueError(f"block {number} cannot follow block {parent.number}")
    done = executions(number, transactions)
    root = proofs.trie_root([each.leaf() for each in done]) if has_receipts_root else bytes(32)
    header: dict[str, object] = {
        "parentHash": ZERO_HASH if parent is None else parent.hash,
        "number": hex(number),
        "timestamp": hex(timestamp),
        "extraData": hexadecimal(extra_data),
        "receiptsRoot": hexadecimal(root),
        **_commitments(done),
        **_CONSTANTS,
    }
    header["hash"] = hexadecimal(proofs.header_hash(header))
    keys = tuple(_log_key(log) for tx in transactions for log in tx.logs)
    texts = _log_texts(header, done, has_timestamp=log_timestamps)
    return Block(header, _receipts(header, done), keys, texts)


def hexadecimal(value: bytes) -> str:
    """Return bytes as lower-case 0x hex."""
    return "0x" + value.hex()


_word = lru_cache(maxsize=1 << 17)(hexadecimal)  # addresses and topics recur

_CONSTANTS: Mapping[str, object] = {
    "sha3Uncles": hexadecimal(proofs.EMPTY_UNCLES),
    "miner": hexadecimal(bytes(20)),
    "stateRoot": ZERO_HASH,
    "difficulty": "0x0",
    "gasLimit": _GAS_LIMIT,
    "mixHash": ZERO_HASH,
    "nonce": hexadecimal(bytes(8)),
    "baseFeePerGas": _BASE_FEE_WEI,
    "withdrawalsRoot": hexadecimal(proofs.EMPTY_ROOT),
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": ZERO_HASH,
    "size": "0x0",
    "uncles": [],
    "withdrawals": [],
}


def _commitments(done: Sequence[Execution]) -> dict[str, object]:
    bits = 0
    for each in done:
        bits |= each.bloom
    hashes = b"".join(each.tx_hash for each in done)
    return {
        "transactionsRoot": hexadecimal(keccak(hashes) if done else proofs.EMPTY_ROOT),
        "logsBloom": _bloom_text(bits),
        "gasUsed": hex(done[-1].cumulative_gas if done else 0),
        "transactions": [hexadecimal(each.tx_hash) for each in done],
    }


def _bloom_text(bits: int) -> str:
    return hexadecimal(bits.to_bytes(proofs.BLOOM_BYTES))


def _receipts(header: Mapping[str, object], done: Sequence[Execution]) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(
            hexadecimal(each.tx_hash),
            msgspec.json.encode(_receipt_fields(header, index, each)),
            each.first_log,
            each.first_log + len(each.tx.logs),
        )
        for index, each in enumerate(done)
    )


def _receipt_fields(
    header: Mapping[str, object], index: int, execution: Execution
) -> dict[str, object]:
    return {
        "type": "0x2",
        "status": hex(execution.tx.is_success),
        "cumulativeGasUsed": hex(execution.cumulative_gas),
        "logsBloom": _bloom_text(execution.bloom),
        "transactionHash": hexadecimal(execution.tx_hash),
        "transactionIndex": hex(index),
        "blockHash": header["hash"],
        "blockNumber": header["number"],
        "from": _word(execution.tx.sender),
        "to": _word(execution.tx.to),
        "contractAddress": None,
        "gasUsed": hex(execution.gas),
        "effectiveGasPrice": _BASE_FEE_WEI,
    }


def _log_key(log: Log) -> LogKey:
    return (_word(log.address), *map(_word, log.topics))


def _log_texts(
    header: Mapping[str, object], done: Sequence[Execution], *, has_timestamp: bool
) -> tuple[bytes, ...]:
    stamp = f'"blockTimestamp":"{header["timestamp"]}",' if has_timestamp else ""
    place = f'"blockNumber":"{header["number"]}","blockHash":"{header["hash"]}",{stamp}'
    texts: list[bytes] = []
    for index, each in enumerate(done):
        tx_hash = hexadecimal(each.tx_hash)
        tail = f'{place}"transactionHash":"{tx_hash}","transactionIndex":"{index:#x}"'
        for log in each.tx.logs:
            texts.append(_log_text(log, tail, len(texts)))
    return tuple(texts)


def _log_text(log: Log, tail: str, log_index: int) -> bytes:
    topics = ",".join(f'"{_word(topic)}"' for topic in log.topics)
    return (
        f'{{"address":"{_word(log.address)}","topics":[{topics}],"data":"0x{log.data.hex()}",'
        f'{tail},"logIndex":"{log_index:#x}","removed":false}}'
    ).encode("ascii")
