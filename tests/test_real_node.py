"""perpscope against a real node: what anvil emitted is in the database, whatever the node does."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread
from time import sleep
from typing import Any

import duckdb
import pytest
from anvil_market import (
    COIN,
    COIN_DECIMALS,
    FEEDS,
    FINAL_BLOCKS,
    GENESIS,
    VAULT,
    Market,
    increase,
    market,
    some_acts,
    stored_facts,
)
from loopback import header
from sync_rig import contents, rows

from indexer.chains import ARBITRUM
from indexer.errors import ReorgTooDeep
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.simulation.proofs import header_hash, receipt_leaf, trie_root
from indexer.sync import Job, Summary, index
from indexer.sync.converge import Progress
from perpscope import app, outcome

NAMES = ("gmx_v1", "chainlink")
FROM = ("--from", str(GENESIS))


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Market]:
    """Return a market on a node of its own."""
    with market(tmp_path) as made:
        yield made


def run(
    path: Path, venue: Market, *, span: int | None = None, progress: Progress | None = None
) -> Summary:
    """Index the market with the shipped declarations."""
    job = Job(
        path,
        ARBITRUM,
        tuple(PROTOCOLS[name] for name in NAMES),
        PROTOCOLS,
        from_block=GENESIS,
        max_span=span,
    )
    endpoint = Endpoint(venue.node.url, tries=8, first_wait_seconds=0.1, timeout_seconds=10)
    return index(job, [endpoint], progress or (lambda _done, _total, _logs: None))


def proven_logs(venue: Market, number: int) -> list[dict[str, Any]]:
    """Return a block's logs by its receipts, which its header's root and hash vouch for."""
    block = header(venue.node.url, hex(number))
    receipts = venue.node.ask("eth_getBlockReceipts", hex(number))
    leaves = [receipt_leaf(*leaf_parts(receipt)) for receipt in receipts]
    assert block["receiptsRoot"] == f"0x{trie_root(leaves).hex()}"
    assert block["hash"] == f"0x{header_hash(block).hex()}"
    return [log for receipt in receipts for log in receipt["logs"]]


def leaf_parts(receipt: dict[str, Any]) -> tuple[int, bytes, int, int, list[list[object]]]:
    """Return what the receipts trie keeps of a receipt."""
    kind, status, gas, bits = (
        int(receipt[name], 16) for name in ("type", "status", "cumulativeGasUsed", "logsBloom")
    )
    logs: list[list[object]] = [
        [octets(log["address"]), [octets(topic) for topic in log["topics"]], octets(log["data"])]
        for log in receipt["logs"]
    ]
    return kind, b"\1" * status, gas, bits, logs


def octets(text: str) -> bytes:
    """Return the bytes of 0x text."""
    return bytes.fromhex(text[2:])


def comparable(log: dict[str, Any]) -> tuple[object, ...]:
    """Return a log of a receipt as `stored_logs` has it."""
    topics = [octets(topic) for topic in log["topics"]]
    place = (int(log["blockNumber"], 16), int(log["logIndex"], 16), octets(log["transactionHash"]))
    return (
        *place,
        octets(log["address"]),
        *topics,
        *[None] * (4 - len(topics)),
        octets(log["data"]),
    )


def stored_logs(path: Path) -> list[tuple[object, ...]]:
    """Return the logs of a database in the order of the chain."""
    return rows(
        path,
        """
        select block_number, log_index, tx_hash, address, topic0, topic1, topic2, topic3, data
        from logs order by block_number, log_index
        """,
    )


def without_orphans(path: Path) -> dict[str, str]:
    """Return a hash of each table's rows except what was taken back."""
    return {name: digest for name, digest in contents(path).items() if name != "orphans"}


def perpscope(verb: str, path: Path, venue: Market, *more: str) -> int:
    """Run a command on the market in this process and return its exit code."""
    words = [verb, "--chain", "arbitrum", "--rpc", venue.node.url]
    words += ["--database", str(path), *(word for name in NAMES for word in ("--protocol", name))]
    return outcome(partial(app, [*words, *more], standalone_mode=False))


def test_backfill_holds_what_was_emitted(tmp_path: Path, venue: Market) -> None:
    """`perpscope index` with the shipped declarations: every fact of the books, and no other."""
    path = tmp_path / "a.duckdb"
    venue.mine_some(Random(1), 60)

    assert perpscope("index", path, venue, *FROM) == 0

    assert stored_facts(path) == venue.facts()
    assert min(len(found) for name, found in venue.facts().items() if found) > 10
    assert rows(path, "select * from rejects") == []


def test_a_token_is_asked_what_it_is(tmp_path: Path, venue: Market) -> None:
    """A token that no declaration knows says its decimals, pinned to a block of the real node."""
    path = tmp_path / "a.duckdb"
    venue.mine([[increase(Random(2))]])

    run(path, venue)

    asked = rows(path, "select address, symbol, decimals from tokens where known_by = 'call'")
    assert asked == [(COIN, "COIN", COIN_DECIMALS)]


def test_following_the_head_ends_like_one_backfill(tmp_path: Path, venue: Market) -> None:
    """Indexed after every few blocks: right each time, and in the end as if indexed at once."""
    path, once, dice = tmp_path / "a.duckdb", tmp_path / "once.duckdb", Random(3)

    run(path, venue)

    for blocks in (1, 7, 12):
        venue.mine_some(dice, blocks)
        assert run(path, venue).tally.blocks == blocks
        assert stored_facts(path) == venue.facts()
    run(once, venue)

    assert contents(path) == contents(once)
    final = rows(path, "select max(to_block) from coverage where finality = 'finalized'")
    assert final == [(venue.head - FINAL_BLOCKS,)]


@pytest.mark.parametrize("depth", [pytest.param(1, marks=pytest.mark.soak), FINAL_BLOCKS])
def test_a_reorg_is_followed(tmp_path: Path, venue: Market, depth: int) -> None:
    """Blocks that anvil_reorg replaced are taken back, and what came instead is in."""
    path, once, dice = tmp_path / "a.duckdb", tmp_path / "once.duckdb", Random(4)
    venue.mine_some(dice, 30)
    venue.mine([[increase(dice)]])
    run(path, venue)
    before = stored_facts(path)

    venue.reorganise([[increase(dice)], *(some_acts(dice) for _ in range(depth - 1))])
    done = run(path, venue)
    run(once, venue)

    assert done.reorgs == 1
    assert stored_facts(path) == venue.facts() != before
    assert without_orphans(path) == without_orphans(once)
    below = f"select * from orphans where block_number <= {venue.head - depth}"
    assert rows(path, below) == [] != rows(path, "select * from orphans")


def test_a_reorg_below_finality_stops_the_run(tmp_path: Path, venue: Market) -> None:
    """A real node that changes what it called final is not followed, and nothing is touched."""
    path, dice = tmp_path / "a.duckdb", Random(5)
    venue.mine_some(dice, 30)
    run(path, venue)
    before = contents(path)

    venue.reorganise([[increase(dice)] for _ in range(FINAL_BLOCKS + 2)])
    with pytest.raises(ReorgTooDeep, match="perpscope rewind"):
        run(path, venue)

    assert contents(path) == before


@pytest.mark.soak  # tests/test_sync_reorgs.py changes the chain between two requests
def test_a_reorg_in_the_middle_of_a_run_heals(tmp_path: Path, venue: Market) -> None:
    """Blocks change of which some are fetched and some are not: the run ends on the new chain."""
    path, dice = tmp_path / "a.duckdb", Random(6)
    fork = [[increase(Random(60 + place))] for place in range(FINAL_BLOCKS - 2)]
    venue.mine_some(dice, 20)

    def reorganise(done: int, total: int, _logs: int) -> None:
        if fork and total - done <= FINAL_BLOCKS // 2:
            venue.reorganise(fork)
            fork.clear()

    done = run(path, venue, span=3, progress=reorganise)

    assert done.reorgs == 1
    assert stored_facts(path) == venue.facts()


@pytest.mark.soak  # tests/test_sync_reorgs.py has heads that go back and shorter branches
def test_a_revert_and_another_history(tmp_path: Path, venue: Market) -> None:
    """After evm_revert the head is lower: nothing is dropped before other blocks are there."""
    path, once, dice = tmp_path / "a.duckdb", tmp_path / "once.duckdb", Random(7)
    venue.mine_some(dice, 20)
    snapshot = venue.node.ask("evm_snapshot")
    venue.mine([[increase(dice)] for _ in range(5)])
    run(path, venue)
    before = contents(path)

    venue.revert(snapshot)
    run(path, venue)
    assert contents(path) == before

    venue.mine([[increase(dice)] for _ in range(6)])
    run(path, venue)
    run(once, venue)
    assert stored_facts(path) == venue.facts()
    assert without_orphans(path) == without_orphans(once)


@pytest.mark.soak  # tests/test_watch.py waits for a node; the campaign breaks connections
def test_a_node_that_restarts_in_mid_range_is_waited_for(tmp_path: Path, venue: Market) -> None:
    """The node stops while ranges are fetched and comes back with its chain: nothing is lost."""
    path, once = tmp_path / "a.duckdb", tmp_path / "once.duckdb"
    restarts: list[Thread] = []
    venue.mine_some(Random(8), 24)

    def start_later() -> None:
        sleep(0.5)
        venue.node.start()

    def restart(done: int, _total: int, _logs: int) -> None:
        if not restarts and done > 10:
            venue.node.stop()
            restarts.append(Thread(target=start_later))
            restarts[0].start()

    run(path, venue, span=3, progress=restart)
    restarts[0].join()
    run(once, venue)

    assert stored_facts(path) == venue.facts()
    assert contents(path) == contents(once)


def test_receipts_prove_what_is_stored(tmp_path: Path, venue: Market) -> None:
    """Receipts of a real block rebuild its root, its header its hash, and hold what is stored."""
    path = tmp_path / "a.duckdb"
    venue.mine_some(Random(9), 20)
    run(path, venue)

    blocks = range(GENESIS, venue.head + 1)
    proven = [log for number in blocks for log in proven_logs(venue, number)]

    declared = {VAULT, *(feed.address.lower() for feed in FEEDS)}
    ours = [log for log in proven if log["address"] in declared]
    assert 0 < len(ours) < len(proven)
    assert stored_logs(path) == [comparable(log) for log in ours]


def test_perpscope_proves_the_blocks_of_a_real_node(tmp_path: Path, venue: Market) -> None:
    """Receipts proof passes on what anvil mined, while it is fetched and afterwards."""
    path, later = tmp_path / "a.duckdb", tmp_path / "later.duckdb"
    venue.mine_some(Random(10), 20)
    run(later, venue)

    assert perpscope("index", path, venue, *FROM, "--proof", "receipts") == 0
    assert perpscope("verify", later, venue, "--level", "receipts") == 0

    for proven in (path, later):
        assert rows(proven, "select distinct proof, waiver from coverage") == [("receipts", None)]
        assert stored_facts(proven) == venue.facts()


@pytest.mark.soak  # tests/test_sync_proof.py removes logs and repairs
def test_perpscope_misses_a_log_of_a_real_node(tmp_path: Path, venue: Market) -> None:
    """A stored log less, and receipts proof fails against anvil; repair brings it back."""
    path = tmp_path / "a.duckdb"
    venue.mine_some(Random(11), 20)
    run(path, venue)
    with duckdb.connect(path) as connection:
        lost = "(select min((block_number, log_index)) from logs)"
        connection.execute(f"delete from logs where (block_number, log_index) = {lost}")

    assert perpscope("verify", path, venue, "--level", "receipts") == 1
    assert perpscope("repair", path, venue) == 0
    assert perpscope("verify", path, venue, "--level", "receipts") == 0
    assert stored_facts(path) == venue.facts()
