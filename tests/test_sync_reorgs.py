"""Reorgs: inside the finality window they heal, below it they stop the run."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import polars as pl
import pytest
from handmade import table
from proof_rig import Lie, lying
from sync_rig import BIRTH, FEED, FIRST, POOL, blocks, contents, indexed, job, rows, run, served

from indexer.errors import NodeBehind, NodeUnavailable, ReorgTooDeep
from indexer.rpc import Header
from indexer.simulation.blocks import Block
from indexer.simulation.node import Answer, serve
from indexer.sync.pieces import ChainMoved
from indexer.sync.reorgs import forked
from indexer.sync.source import Source

COUNT = 300


def without_orphans(path: Path) -> dict[str, str]:
    """Return the hash of every table but `orphans`, which remembers."""
    return {name: digest for name, digest in contents(path).items() if name != "orphans"}


@pytest.mark.parametrize(
    "depth", [*(pytest.param(depth, marks=pytest.mark.soak) for depth in (1, 20)), 60]
)
def test_a_reorg_in_the_window_heals(tmp_path: Path, depth: int) -> None:
    """Blocks that left the chain are taken back; every table ends like a run of the new chain."""
    chain = blocks(COUNT)
    fork = blocks(COUNT + 5, below=chain[: COUNT - depth], fork=b"fork", skip=2)
    path = tmp_path / "followed.duckdb"
    indexed(path, COUNT)
    with serve([served(fork)]) as node:
        done = run(job(path), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert done.reorgs == 1
    assert without_orphans(path) == without_orphans(tmp_path / "new.duckdb")


@pytest.mark.parametrize(("count", "kept"), [(200, 136), (40, 0)], ids=["some final", "none"])
def test_a_reorg_of_all_that_is_not_final_heals(tmp_path: Path, count: int, kept: int) -> None:
    """What was final stays, and where nothing was, all of it is replaced."""
    chain = blocks(count)
    fork = blocks(count, below=chain[:kept], fork=b"fork")
    path = tmp_path / "followed.duckdb"
    indexed(path, count)
    with serve([served(fork)]) as node:
        done = run(job(path), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert done.reorgs == 1
    assert rows(path, "select distinct reason from orphans") == [
        (f"reorg above block {FIRST + kept - 1}",)
    ]
    different = without_orphans(path).items() ^ without_orphans(tmp_path / "new.duckdb").items()
    assert {name for name, _ in different} <= {"tokens"}  # of what was born there


def test_a_newest_block_that_was_replaced_is_a_reorg(tmp_path: Path) -> None:
    """Another one in its place, as high, on the same parent."""
    chain, path = blocks(80), tmp_path / "a.duckdb"
    fork = blocks(80, below=chain[:-1], fork=b"fork")
    indexed(path, 80)

    with serve([served(fork)]) as node:
        done = run(job(path), node.url)

    assert done.reorgs == 1
    top = f"select distinct to_block_hash from coverage where to_block = {FIRST + 79}"
    assert rows(path, top) == [(fork[-1].hash,)]


def test_orphans_are_kept_with_the_reason(tmp_path: Path) -> None:
    """Raw logs of the abandoned branch stay readable beside why they left."""
    chain = blocks(COUNT)
    path = tmp_path / "followed.duckdb"
    indexed(path, COUNT)
    gone = f"select count(*) from logs where block_number >= {FIRST + COUNT - 9}"
    lost = rows(path, gone)

    with serve([served(blocks(COUNT, below=chain[: COUNT - 9], fork=b"fork"))]) as node:
        run(job(path), node.url)

    kept = rows(path, "select count(*), min(block_number), min(reason) from orphans")
    ancestor = FIRST + COUNT - 10
    assert kept == [(*lost[0], ancestor + 2, f"reorg above block {ancestor}")]


def test_a_reorg_below_finality_stops(tmp_path: Path) -> None:
    """A node that contradicts a final block is not believed: nothing changes, rewind is named."""
    chain = blocks(COUNT)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    fork = blocks(COUNT, below=chain[: COUNT - 100], fork=b"fork")
    with serve([served(fork)]) as node, pytest.raises(ReorgTooDeep, match="perpscope rewind"):
        run(job(path), node.url)

    assert contents(path) == before


def test_branches_below_finality_are_not_mixed(tmp_path: Path) -> None:
    """Final blocks that are replaced in mid-run: what continues another branch is not stored."""
    chain = blocks(COUNT)
    fork = blocks(COUNT, fork=b"fork")
    seen = {"logs": 0}

    def intercept(_slug: str, body: bytes) -> None:
        seen["logs"] += b"eth_getLogs" in body
        if seen["logs"] == 3:
            node.replace(served(fork))

    path = tmp_path / "a.duckdb"
    with (
        serve([served(chain)], intercept=intercept) as node,
        pytest.raises(ReorgTooDeep, match="perpscope rewind"),
    ):
        run(job(path, max_span=20, max_ranges=1), node.url)

    told = {bytes.fromhex(block.hash[2:]) for block in chain}
    stored = {block_hash for (block_hash,) in rows(path, "select distinct block_hash from logs")}
    assert stored
    assert stored <= told


def test_two_answers_about_a_range_are_of_one_chain(tmp_path: Path) -> None:
    """Of two nodes behind a balancer one is on a branch where a child logs nothing: asked again."""
    fork = blocks(COUNT, below=blocks(COUNT)[:130], fork=b"fork", skip=1)
    asked: list[bytes] = []

    def balanced(_slug: str, body: bytes) -> Answer | None:
        is_child = b"eth_getLogs" in body and POOL.hex().encode() in body
        asked.extend([body] * is_child)
        return other.answer("", body) if is_child and len(asked) == 1 else None

    path = tmp_path / "a.duckdb"
    with serve([served(fork)]) as other, serve([served(blocks(COUNT))], intercept=balanced) as node:
        run(job(path), node.url)

    indexed(tmp_path / "new.duckdb", COUNT)
    assert contents(path) == contents(tmp_path / "new.duckdb")


def other_parent(header: dict[str, str]) -> dict[str, str]:
    """Return the header; that of a block of the window does not continue the one before it."""
    is_odd = header["number"] == hex(FIRST + 180)
    return header | ({"parentHash": f"0x{2:064x}"} if is_odd else {})


def other_hash(logs: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the logs; those of a block name another than its header does."""
    odd = {"blockHash": f"0x{2:064x}"}
    return [log | (odd if log["blockNumber"] == hex(FIRST + 20) else {}) for log in logs]


@pytest.mark.parametrize(
    ("lies", "said", "last"),
    [
        (
            {"eth_getBlockByNumber": other_parent},
            f"block {FIRST + 180} does not continue the block before it",
            FIRST + 167,
        ),
        (
            {"eth_getLogs": other_hash},
            f"logs of block {FIRST + 20} name the block 0x0.*2, its header another",
            None,
        ),
    ],
    ids=["parents", "logs"],
)
def test_a_node_that_never_agrees_with_itself_is_left(
    lies: Mapping[str, Lie],
    said: str,
    last: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is taken for a reorg a few times; then the run ends, and what was whole before stays."""
    monkeypatch.setattr("indexer.sync.converge._MOST_SETBACKS", 2)
    path = tmp_path / "a.duckdb"
    with lying(blocks(200), lies) as url, pytest.raises(ChainMoved, match=said):
        run(job(path), url)

    assert rows(path, "select max(to_block) from coverage") == [(last,)]


def test_a_border_of_finality_that_one_answer_contradicts_is_none(tmp_path: Path) -> None:
    """Blocks are called final up to one whose stored hash the node tells as well."""
    path, border = tmp_path / "a.duckdb", FIRST + COUNT + 9 - 64
    indexed(path, COUNT)
    final = "select max(to_block) from coverage where finality = 'finalized'"
    before = rows(path, final)

    def lie(header: dict[str, str]) -> dict[str, str]:
        return header | ({"hash": f"0x{3:064x}"} if header["number"] == hex(border) else {})

    with lying(blocks(COUNT + 10), {"eth_getBlockByNumber": lie}) as url:
        run(job(path), url)
    assert rows(path, final) == before

    with serve([served(blocks(COUNT + 10))]) as node:
        run(job(path), node.url)
    assert rows(path, final) == [(border,)]


def test_a_node_far_behind_is_not_believed(tmp_path: Path) -> None:
    """A head below what was final is a lagging node, not a reorg."""
    chain = blocks(COUNT)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)

    with serve([served(chain[:100])]) as node, pytest.raises(NodeBehind, match="later head"):
        run(job(path), node.url)


def test_a_node_at_the_last_final_block_is_no_further_behind(tmp_path: Path) -> None:
    """It tells nothing new, and contradicts nothing."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    with serve([served(blocks(COUNT)[: COUNT - 64])]) as node:
        run(job(path), node.url)

    assert contents(path) == before


class Headers:
    """A node that tells headers of a chain and nothing else."""

    def __init__(self, chain: Sequence[Block]) -> None:
        self._hashes = {block.number: bytes.fromhex(block.hash[2:]) for block in chain}

    async def headers(self, numbers: Sequence[int]) -> pl.DataFrame:
        """Return number and hash of these blocks."""
        return pl.DataFrame([(each, self._hashes[each]) for each in numbers], HASHES, orient="row")


HASHES = {"number": pl.Int64(), "hash": pl.Binary()}


@pytest.mark.parametrize(("last", "born"), [(179, [BIRTH]), (180, [BIRTH, BIRTH + 60])])
def test_what_was_born_on_the_branch_that_left_is_known_no_more(
    tmp_path: Path, last: int, born: list[int]
) -> None:
    """Of children and markets those stay that are as old as the ancestor, or of no block at all."""
    path, kept, count = tmp_path / "a.duckdb", FIRST + last, 240
    indexed(path, count)
    ledger = job(path).ledger()
    told = (("pools", kept), ("pools", kept + 1), ("pools", None), ("another", None))
    usual: dict[str, object] = {"asset_class": "crypto", "known_by": "event"}
    markets = table(
        "markets",
        *(usual | {"protocol": slug, "market": str(at), "block_number": at} for slug, at in told),
    )
    coverage = ledger.stored().coverage.filter(
        (pl.col("protocol") == "pools") | (pl.col("from_block") == FIRST)
    )
    stored = replace(ledger.stored(), markets=markets, coverage=coverage)
    fork = Headers(blocks(count, below=blocks(count)[: last + 1], fork=b"fork"))
    head = Header(FIRST + count - 1, b"", b"", None, None)

    found = asyncio.run(forked(cast("Source", fork), ledger, stored, head))

    assert found is not None
    assert (found.ancestor, found.before) == (kept, stored)
    assert found.after.contracts["from_block"].to_list() == born
    assert found.after.markets["market"].to_list() == [str(kept), "None"]
    assert found.lost() == {"pools": (kept + 1, FIRST + count - 1)}


def test_one_wrong_answer_about_a_final_block_is_no_reorg(tmp_path: Path) -> None:
    """The node is asked once more before a person is."""
    path, chain = tmp_path / "a.duckdb", blocks(200)
    indexed(path, 200)
    final, answers = FIRST + 135, [b"wrong" + bytes(27)]
    node = Headers(chain)

    class Hasty:
        """The same node, which is wrong about the final block once."""

        async def headers(self, numbers: Sequence[int]) -> pl.DataFrame:
            """Return number and hash of these blocks."""
            told = await node.headers(numbers)
            odd = pl.when(number=final).then(pl.lit(answers.pop())) if answers else None
            return told if odd is None else told.with_columns(hash=odd.otherwise("hash"))

    ledger, head = job(path).ledger(), Header(FIRST + 199, b"", b"", None, None)

    assert asyncio.run(forked(cast("Source", Hasty()), ledger, ledger.stored(), head)) is None
    assert not answers


def test_a_token_that_no_declaration_states_any_more_is_not_known(tmp_path: Path) -> None:
    """What a chain was asked of a token stays."""
    path = tmp_path / "a.duckdb"
    indexed(path, 200)
    ledger = job(path).ledger()
    stated = {"address": "0xstated", "symbol": "OLD", "decimals": 6, "known_by": "declaration"}
    stored = ledger.stored()
    more = replace(stored, tokens=pl.concat([stored.tokens, table("tokens", stated)]))

    assert ledger.known(more).tokens.equals(ledger.known(stored).tokens)
    assert set(stored.tokens["address"]) <= set(ledger.known(more).tokens["address"])


def test_a_reorg_between_two_requests_heals(tmp_path: Path) -> None:
    """The chain changes while the window is read: the run ends like one of the new chain."""
    chain = blocks(COUNT)
    fork = blocks(COUNT, below=chain[: COUNT - 30], fork=b"fork", skip=2)
    seen = {"logs": 0}

    def intercept(_slug: str, body: bytes) -> None:
        seen["logs"] += b"eth_getLogs" in body
        if seen["logs"] == 7:
            node.replace(served(fork))

    with serve([served(chain)], intercept=intercept) as node:
        done = run(job(tmp_path / "a.duckdb", max_span=50), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert done.reorgs <= 1
    assert without_orphans(tmp_path / "a.duckdb") == without_orphans(tmp_path / "new.duckdb")


def test_nothing_leaves_before_its_replacement_is_here(tmp_path: Path) -> None:
    """A node that shows the new branch's headers and not its logs changes no table."""
    chain = blocks(COUNT)
    fork = blocks(COUNT + 5, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    def without_logs(_slug: str, body: bytes) -> Answer | None:
        return Answer(500, b"no logs today") if b"eth_getLogs" in body else None

    with serve([served(fork)], intercept=without_logs) as node, pytest.raises(NodeUnavailable):
        run(job(path), node.url)

    assert contents(path) == before


def test_the_replacement_is_there_in_the_same_commit(tmp_path: Path) -> None:
    """A node that fails right after the swap: the new branch is there as far as the old was."""
    chain = blocks(COUNT)
    fork = blocks(COUNT + 40, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    top = hex(FIRST + COUNT + 39).encode()

    def nothing_above(_slug: str, body: bytes) -> Answer | None:
        is_above = b"eth_getLogs" in body and top in body
        return Answer(500, b"no logs today") if is_above else None

    with serve([served(fork)], intercept=nothing_above) as node, pytest.raises(NodeUnavailable):
        run(job(path), node.url)

    assert rows(path, "select count(*) > 0 from orphans") == [(True,)]
    ends = rows(path, "select max(to_block) from coverage group by protocol")
    assert {end for (end,) in ends} <= {FIRST + COUNT - 1, FIRST + COUNT + 7}


def test_a_branch_that_is_shorter(tmp_path: Path) -> None:
    """A new branch that has not grown as far yet: what is above its head leaves too."""
    chain = blocks(COUNT)
    fork = blocks(COUNT - 7, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with serve([served(fork)]) as node:
        run(job(path), node.url)

    ends = rows(path, "select distinct max(to_block) from coverage group by protocol")
    assert ends == [(FIRST + COUNT - 8,)]
    above = rows(path, f"select count(*) from logs where block_number > {FIRST + COUNT - 8}")
    assert above == [(0,)]


def test_a_head_that_goes_back_takes_nothing_back(tmp_path: Path) -> None:
    """A backend that lags within the window is no reorg: every table stays as it is."""
    chain = blocks(COUNT)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    with serve([served(chain[: COUNT - 15])]) as node:
        done = run(job(path), node.url)

    assert done.reorgs == 0
    assert contents(path) == before


def test_protocols_that_are_not_indexed_now_are_replaced_too(tmp_path: Path) -> None:
    """A reorg seen while one protocol is indexed replaces the blocks of every other."""
    chain = blocks(COUNT)
    fork = blocks(COUNT, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with serve([served(fork)]) as node:
        run(job(path, protocols=(FEED,)), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert without_orphans(path) == without_orphans(tmp_path / "new.duckdb")


@pytest.mark.soak  # tests/test_rig_faults.py and the campaign reorganise again and again
@pytest.mark.parametrize("seed", [0, 1])
def test_any_series_of_reorgs_heals(tmp_path: Path, seed: int) -> None:
    """Branch after branch, longer and shorter: the tables end like a run of the last one."""
    numbers = random.Random(seed)
    path, fresh = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    chain = blocks(COUNT)
    for turn in range(3):
        with serve([served(chain)]) as node:
            run(job(path, max_span=numbers.choice((30, 60, None))), node.url)
        depth, grown = numbers.randint(1, 40), numbers.randint(-3, 30)
        below = chain[: len(chain) - depth]
        chain = blocks(
            max(len(below) + 1, len(chain) + grown), below=below, fork=bytes([turn + 1]), skip=3
        )
    with serve([served(chain)]) as node:
        run(job(path), node.url)
        run(job(fresh), node.url)

    other = ("orphans", "coverage", "blocks")  # what was final at a higher head stays final
    mine, clean = without_orphans(path), without_orphans(fresh)
    assert {name for name in mine if mine[name] != clean[name]} <= set(other)
    assert rows(path, "select max(to_block), count(distinct protocol) from coverage") == rows(
        fresh, "select max(to_block), count(distinct protocol) from coverage"
    )
