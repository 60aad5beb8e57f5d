"""Hashes and roots, against the simulation's own implementation and the `trie` package."""

import gzip
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_hash.auto import keccak
from rlp.codec import encode_raw  # type: ignore[import-untyped]
from trie.hexary import HexaryTrie

from indexer.chains import HYPEREVM, POLYGON
from indexer.proof import Commitments, Receipt, committed, header_hash, receipts_root
from indexer.proof.quirks import quirks_at
from indexer.proof.tries import EMPTY_ROOT, indexed_root
from indexer.simulation import proofs

HASH = "0x" + "5a" * 32
FRONTIER = {
    "parentHash": HASH,
    "sha3Uncles": HASH,
    "miner": "0x" + "0b" * 20,
    "stateRoot": HASH,
    "transactionsRoot": HASH,
    "receiptsRoot": HASH,
    "logsBloom": "0x" + "07" * 256,
    "difficulty": "0x0",
    "number": "0x7f",
    "gasLimit": "0x80",
    "gasUsed": "0x1234567",
    "timestamp": "0x6193b62e",
    "extraData": "0x",
    "mixHash": HASH,
    "nonce": "0x0000000000000000",
}
FORKS: dict[str, dict[str, str]] = {
    "frontier": {},
    "london": {"baseFeePerGas": "0x7"},
    "shanghai": {"withdrawalsRoot": HASH},
    "cancun": {"blobGasUsed": "0x0", "excessBlobGas": "0x20000", "parentBeaconBlockRoot": HASH},
    "prague": {"requestsHash": HASH},
}


@pytest.mark.parametrize("fork", FORKS)
def test_every_fork_hashes_its_own_fields(fork: str) -> None:
    """The hash covers the fields up to the fork, in order, and nothing else a node tells."""
    header = dict(FRONTIER)
    for name, fields in FORKS.items():
        header |= fields
        if name == fork:
            break
    told = header | {
        "size": "0x1",
        "l1BlockNumber": "0x2",
        "requestsHash": header.get("requestsHash"),
    }

    found = header_hash(msgspec.json.decode(json.dumps(told), type=Commitments))

    assert found == proofs.header_hash(header)


@pytest.mark.parametrize("extra", ["0x7f", "0x80", "0x" + "ab" * 55, "0x" + "ab" * 56])
def test_extra_data_of_every_length(extra: str) -> None:
    """RLP's cases: a small byte, a large one, the longest short text and the shortest long one."""
    header = FRONTIER | {"extraData": extra}

    found = header_hash(msgspec.convert(header, Commitments))

    assert found == proofs.header_hash(header)


@pytest.mark.parametrize(
    ("name", "text"), [("miner", "0x12"), ("number", "0xzz"), ("nonce", "0x0")]
)
def test_a_field_of_another_width_is_refused(name: str, text: str) -> None:
    """Fields that could be shifted into each other are never hashed."""
    with pytest.raises(ValueError, match=r"is not \d+ bytes|invalid literal"):
        header_hash(msgspec.convert(FRONTIER | {name: text}, Commitments))


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 127, 128, 129, 256, 300])
def test_a_root_built_at_once_is_that_of_the_trie(count: int) -> None:
    """Leaves of all sizes, shorter than a hash too, give the root of `trie.HexaryTrie`."""
    chance = random.Random(count)
    leaves = [
        chance.randbytes(chance.choice((1, 3, 20, 28, 29, 31, 32, 33, 400))) for _ in range(count)
    ]
    tree = HexaryTrie({})
    for index, leaf in enumerate(leaves):
        tree[encode_raw(index.to_bytes((index.bit_length() + 7) // 8))] = leaf

    assert indexed_root([leaf.hex() for leaf in leaves]) == (
        tree.root_hash if count else EMPTY_ROOT
    )


def receipt(kind: str, **more: Any) -> Receipt:
    """Return a receipt with one log."""
    log = {"address": "0x" + "Aa" * 20, "topics": [HASH, HASH], "data": "0x0102"}
    fields = {
        "transactionHash": HASH,
        "transactionIndex": "0x0",
        "cumulativeGasUsed": "0x5208",
        "logsBloom": "0x" + "00" * 256,
        "logs": [log],
        "type": kind,
        "status": "0x1",
    }
    return msgspec.json.decode(json.dumps(fields | more), type=Receipt)


LOGS = [[b"\xaa" * 20, [b"\x5a" * 32] * 2, b"\x01\x02"]]


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 0x64, 0x65, 0x66, 0x68, 0x69, 0x6A])
def test_receipts_of_every_type(kind: int) -> None:
    """The type stands before the same four fields, on Arbitrum too."""
    leaf = proofs.receipt_leaf(kind, b"\x01", 0x5208, 0, LOGS)

    assert receipts_root([receipt(hex(kind))]) == proofs.trie_root([leaf])


def test_receipts_before_byzantium_carry_a_state_root() -> None:
    """Where there is no status, the root takes its place."""
    leaf = proofs.receipt_leaf(0, b"\x5a" * 32, 0x5208, 0, LOGS)

    assert receipts_root([receipt("0x0", status=None, root=HASH)]) == proofs.trie_root([leaf])


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"depositNonce": "0x1a4"}, []),
        ({"depositNonce": "0x1a4", "depositReceiptVersion": "0x1"}, [b"\x01\xa4", b"\x01"]),
    ],
    ids=["regolith", "canyon"],
)
def test_deposits_of_optimism(more: dict[str, str], fields: list[bytes]) -> None:
    """Their nonce is in the root only together with the version that Canyon brought."""
    body = [b"\x01", b"\x52\x08", bytes(256), LOGS, *fields]
    leaf = b"\x7e" + encode_raw(body)

    assert receipts_root([receipt("0x7e", **more)]) == proofs.trie_root([leaf])


def test_state_sync_receipts_are_left_out() -> None:
    """Polygon's state-sync transaction has the hash of its block; its receipt is in no root."""
    number, block_hash = 63_434_768, b"\x11" * 32
    synced = "0x" + keccak(b"matic-bor-receipt-" + number.to_bytes(8) + block_hash).hex()
    both = [receipt("0x2"), receipt("0x0", transactionHash=synced)]

    assert committed(both, quirks_at(POLYGON, number), number, block_hash) == both[:1]


def test_recorded_state_sync_logs_have_that_hash(shared: Path) -> None:
    """Every recorded state-sync log is of the transaction that the row leaves out."""
    text = gzip.decompress((shared / "data/logs/all_logs.jsonl.gz").read_bytes()).splitlines()
    logs = [json.loads(line) for line in text if b"bor_state_sync" in line]

    for log in logs:
        number, block_hash = int(log["blockNumber"], 16), bytes.fromhex(log["blockHash"][2:])
        alone = [receipt("0x0", transactionHash=log["transactionHash"])]
        assert committed(alone, quirks_at(POLYGON, number), number, block_hash) == []
    assert len(logs) == 8


def test_system_receipts_are_left_out() -> None:
    """HyperEVM's system transactions come first and have used no gas."""
    both = [receipt("0x0", cumulativeGasUsed="0x0"), receipt("0x2")]

    assert committed(both, quirks_at(HYPEREVM, 5), 5, b"") == both[1:]
    assert committed(both, (), 5, b"") == both


@pytest.mark.parametrize(
    "more", [{"logsBloom": "0x00"}, {"status": None}, {"status": None, "root": "0x1"}]
)
def test_a_receipt_of_another_width_is_refused(more: dict[str, str | None]) -> None:
    """What could be another field's bytes, or is not there, gives no root."""
    with pytest.raises(ValueError, match=r"is not 0x and \d+ hex digits"):
        receipts_root([receipt("0x0", **more)])
