"""Blocks of the simulation commit to what they hold, by the rules real blocks follow."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import pytest

from indexer.simulation.blocks import ZERO_HASH, Block, Log, Transaction, block
from indexer.simulation.proofs import bloom, header_hash, receipt_leaf, trie_root

ALICE, BOB, POOL = (bytes([letter]) * 20 for letter in b"abp")
PAID, LENT = (bytes([letter]) * 32 for letter in b"PL")
LOAN = Transaction(BOB, POOL, (Log(POOL, (LENT, BOB.rjust(32)), b"\x09" * 96),))
TX = Transaction(ALICE, POOL, (Log(POOL, (PAID, ALICE.rjust(32)), b"\x07" * 32),))
Json = Mapping[str, Any]


def unhexed(text: str) -> bytes:
    """Return the bytes of 0x hex."""
    return bytes.fromhex(text[2:])


def items(logs: Sequence[Json]) -> list[list[Any]]:
    """Return logs in JSON form as a receipt stores them."""
    return [
        [unhexed(log["address"]), [*map(unhexed, log["topics"])], unhexed(log["data"])]
        for log in logs
    ]


def blooming(logs: Sequence[Json]) -> int:
    """Return the bloom of logs in JSON form."""
    return bloom(chain.from_iterable((address, *topics) for address, topics, _ in items(logs)))


def leaf(receipt: Json) -> bytes:
    """Return a receipt in JSON form as the trie stores it."""
    root = receipt.get("root")
    has_status = receipt.get("status") is not None
    outcome = b"\x01" * int(receipt["status"], 16) if has_status else unhexed(str(root))
    kind, gas = int(receipt.get("type", "0x0"), 16), int(receipt["cumulativeGasUsed"], 16)
    return receipt_leaf(kind, outcome, gas, blooming(receipt["logs"]), items(receipt["logs"]))


def real_blocks(folder: Path) -> Iterator[tuple[str, Json]]:
    """Yield name and content of every recorded block."""
    for path in sorted(folder.glob("*.json.gz")):
        yield path.name, json.loads(gzip.decompress(path.read_bytes()))


def served_receipts(made: Block) -> list[Json]:
    """Return what eth_getBlockReceipts would say."""
    return [json.loads(made.receipt_text(receipt)) for receipt in made.receipts]


def served_logs(made: Block) -> list[Json]:
    """Return what eth_getLogs would say."""
    return [json.loads(text) for text in made.log_texts]


def test_real_blocks_recompute(shared: Path) -> None:
    """Receipts root, bloom and hash of real blocks come out of the functions ours come from."""
    checked = 0
    for name, captured in real_blocks(shared / "data" / "blocks"):
        header, receipts = captured["header"], captured["receipts"]
        if not all(captured["_check"][key] for key in ("receipts_root_ok", "header_hash_ok")):
            continue
        logs = [log for receipt in receipts for log in receipt["logs"]]

        assert (
            trie_root([leaf(receipt) for receipt in receipts]).hex() == header["receiptsRoot"][2:]
        )
        assert blooming(logs) == int(header["logsBloom"], 16), name
        assert header_hash(header).hex() == header["hash"][2:], name
        checked += 1

    assert checked >= 60


def test_wrong_receipts_have_another_root(shared: Path) -> None:
    """Receipts that a node got wrong do not match the true header's root."""
    folder = shared / "data" / "blocks" / "wrong_rpc_answers"

    roots = [
        (trie_root([leaf(receipt) for receipt in one["receipts"]]).hex(), one["header"])
        for _, one in real_blocks(folder)
    ]

    assert len(roots) == 3
    assert all(root != header["receiptsRoot"][2:] for root, header in roots)


def test_a_header_commits_to_its_block() -> None:
    """Hash, receipts root and bloom follow from what the node serves of the block."""
    transactions = (TX, Transaction(BOB, POOL, is_success=False), LOAN)

    made = block(None, 9, 1_700_000_000, transactions)

    receipts, logs = served_receipts(made), served_logs(made)
    assert made.hash == "0x" + header_hash(made.header).hex()
    assert made.header["receiptsRoot"] == "0x" + trie_root([*map(leaf, receipts)]).hex()
    assert int(str(made.header["logsBloom"]), 16) == blooming(logs) > 0
    assert [log for receipt in receipts for log in receipt["logs"]] == logs
    assert made.header["transactions"] == [receipt["transactionHash"] for receipt in receipts]


def test_blocks_are_linked() -> None:
    """The first block has no parent, the next one names the first."""
    first = block(None, 9, 1_700_000_000)

    second = block(first, 10, 1_700_000_002)

    assert first.header["parentHash"] == ZERO_HASH
    assert second.header["parentHash"] == first.hash


def test_a_gap_between_blocks_is_refused() -> None:
    """A block must carry the number after its parent's."""
    first = block(None, 9, 1_700_000_000)

    with pytest.raises(ValueError, match="block 11 cannot follow block 9"):
        block(first, 11, 1_700_000_002)


def test_siblings_differ() -> None:
    """Two empty blocks of one number and parent differ when their extra data does."""
    one = block(None, 9, 1_700_000_000)

    other = block(None, 9, 1_700_000_000, extra_data=b"fork")

    assert one.hash != other.hash


def test_equal_transactions_have_hashes_of_their_own() -> None:
    """Without a nonce, every inclusion of the same transaction is another transaction."""
    first = block(None, 9, 1_700_000_000, (TX, TX))

    second = block(first, 10, 1_700_000_002, (TX,))

    assert len({receipt.tx_hash for made in (first, second) for receipt in made.receipts}) == 3


def test_a_nonce_keeps_the_hash_across_forks() -> None:
    """After a reorg a transaction with a nonce is found under its old hash."""
    tx = Transaction(ALICE, POOL, TX.logs, nonce=3)
    old = block(None, 9, 1_700_000_000, (tx,))

    mined_again = block(block(None, 9, 1_700_000_000), 10, 1_700_000_002, (TX, tx))

    assert mined_again.receipts[1].tx_hash == old.receipts[0].tx_hash


def test_without_a_receipts_root_the_header_says_zero() -> None:
    """A root that was not computed is visibly absent, and the hash is still the header's."""
    made = block(None, 9, 1_700_000_000, (TX,), has_receipts_root=False)

    assert made.header["receiptsRoot"] == ZERO_HASH
    assert made.hash == "0x" + header_hash(made.header).hex()


def test_a_failed_transaction_says_so() -> None:
    """Status zero, gas used, no logs."""
    made = block(None, 9, 1_700_000_000, (Transaction(BOB, POOL, is_success=False),))

    receipt = served_receipts(made)[0]

    assert (receipt["status"], receipt["logs"], receipt["gasUsed"]) == ("0x0", [], hex(21_000))


def test_gas_adds_up() -> None:
    """Cumulative gas is the running sum of gas used, and the header's is the whole."""
    made = block(None, 9, 1_700_000_000, (TX, LOAN, TX))

    gas = [
        [int(receipt[name], 16) for name in ("gasUsed", "cumulativeGasUsed")]
        for receipt in served_receipts(made)
    ]

    assert [total for _, total in gas] == [*accumulate(used for used, _ in gas)]
    assert made.header["gasUsed"] == hex(gas[-1][1])


def test_logs_have_the_fields_of_a_node() -> None:
    """Lower-case hex, quantities without padding, indexes that count through the block."""
    made = block(None, 300, 1_700_000_000, (TX, TX))

    log = served_logs(made)[1]

    assert log == {
        "address": "0x" + "70" * 20,
        "topics": ["0x" + "50" * 32, "0x" + "20" * 12 + "61" * 20],
        "data": "0x" + "07" * 32,
        "blockNumber": "0x12c",
        "blockHash": made.hash,
        "transactionHash": made.receipts[1].tx_hash,
        "transactionIndex": "0x1",
        "logIndex": "0x1",
        "removed": False,
    }


def test_log_timestamps_are_a_choice() -> None:
    """Some nodes put the block's time into logs and some do not."""
    made = block(None, 300, 1_700_000_000, (TX,), log_timestamps=True)

    assert served_logs(made)[0]["blockTimestamp"] == made.header["timestamp"] == hex(1_700_000_000)
