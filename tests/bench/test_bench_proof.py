"""What proof costs: blooms by log, header hashes and receipts roots by block."""

from random import Random

import msgspec
import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from indexer.proof import (
    LOG_COLUMNS,
    Commitments,
    Declared,
    Receipt,
    header_hash,
    hits,
    outside,
    receipts_root,
    unheard,
)
from indexer.simulation.blocks import Block, Log, Transaction, block

BLOCKS, PER_BLOCK = 1_000, 25
EMITTERS = [Random(number).randbytes(20) for number in range(5)]
TOPICS = [Random(-number - 1).randbytes(32) for number in range(5)]


@pytest.fixture(scope="module")
def chain() -> list[Block]:
    """Return blocks of five transactions with five logs each, of a few kinds and many users."""
    source = Random(4)
    found: list[Block] = []
    users = [source.randbytes(32) for _ in range(5_000)]
    for number in range(BLOCKS):
        logs = [
            Log(source.choice(EMITTERS), (source.choice(TOPICS), source.choice(users)), bytes(320))
            for _ in range(PER_BLOCK)
        ]
        transactions = [
            Transaction(bytes(20), bytes(20), tuple(logs[at : at + 5])) for at in range(0, 25, 5)
        ]
        parent = found[-1] if found else None
        found.append(block(parent, number, 1_700_000_000 + number, transactions))
    return found


@pytest.fixture(scope="module")
def frames(chain: list[Block]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the chain's logs and headers."""
    keys = [(each.number, *key) for each in chain for key in each.log_keys]
    logs = pl.DataFrame(keys, ["block_number", "address", "topic0", "topic1"], orient="row")
    logs = logs.with_columns(pl.col(pl.String).str.slice(2).str.decode("hex"))
    blooms = [bytes.fromhex(str(each.header["logsBloom"])[2:]) for each in chain]
    return logs, pl.DataFrame({"number": range(BLOCKS), "logs_bloom": blooms})


@pytest.mark.benchmark(group="proof: 25,000 logs in 1,000 blocks")
def test_logs_are_in_their_blooms(
    benchmark: BenchmarkFixture, frames: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    """Address and topics of every log are looked up in its header's bloom."""
    assert benchmark(outside, *frames, LOG_COLUMNS[:3]) == set()


@pytest.mark.benchmark(group="proof: 25,000 logs in 1,000 blocks")
def test_no_declared_event_is_hidden(
    benchmark: BenchmarkFixture, frames: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    """Every bloom is asked for every declared pair, and every hit for its log."""
    logs, headers = frames
    emitters = {"group": "g", "address": EMITTERS, "from_block": 0}
    declared = Declared(
        pl.DataFrame(emitters).with_columns(to_block=pl.lit(None, pl.Int64)),
        pl.DataFrame({"group": "g", "topic0": TOPICS}).with_columns(topic1=pl.lit(None, pl.Binary)),
    )

    found = benchmark(lambda: unheard(hits(headers, declared), logs))

    assert isinstance(found, set)


@pytest.mark.benchmark(group="proof: 1,000 blocks of 5 receipts")
def test_header_hashes(benchmark: BenchmarkFixture, chain: list[Block]) -> None:
    """Every header is hashed from its fields."""
    headers = [msgspec.convert(dict(each.header), Commitments) for each in chain]

    hashes = benchmark(lambda: [header_hash(header) for header in headers])

    assert ["0x" + each.hex() for each in hashes] == [each.hash for each in chain]


@pytest.mark.benchmark(group="proof: 1,000 blocks of 5 receipts")
def test_receipts_roots(benchmark: BenchmarkFixture, chain: list[Block]) -> None:
    """Every block's receipts trie is built."""
    answers = [
        b"[%b]" % b",".join(each.receipt_text(receipt) for receipt in each.receipts)
        for each in chain
    ]
    receipts = [msgspec.json.decode(answer, type=list[Receipt]) for answer in answers]

    roots = benchmark(lambda: [receipts_root(each) for each in receipts])

    assert ["0x" + each.hex() for each in roots] == [each.header["receiptsRoot"] for each in chain]
