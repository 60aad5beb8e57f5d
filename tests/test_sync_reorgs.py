"""Reorgs: inside the finality window they heal, below it they stop the run."""

from pathlib import Path

import pytest
from sync_rig import FIRST, blocks, contents, job, rows, run, served

from indexer.errors import NodeBehind, ReorgTooDeep
from indexer.simulation.node import serve

COUNT = 300


def without_orphans(path: Path) -> dict[str, str]:
    """Return the hash of every table but `orphans`, which remembers."""
    return {name: digest for name, digest in contents(path).items() if name != "orphans"}


@pytest.mark.parametrize("depth", [1, 20, 60])
def test_a_reorg_in_the_window_heals(tmp_path: Path, depth: int) -> None:
    """Blocks that left the chain are taken back; every table ends like a run of the new chain."""
    chain = blocks(COUNT)
    fork = blocks(COUNT + 5, below=chain[: COUNT - depth], fork=b"fork", skip=2)
    path = tmp_path / "followed.duckdb"
    with serve([served(chain)]) as node:
        run(job(path), node.url)
    with serve([served(fork)]) as node:
        done = run(job(path), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert done.reorgs == 1
    assert without_orphans(path) == without_orphans(tmp_path / "new.duckdb")


def test_orphans_are_kept_with_the_reason(tmp_path: Path) -> None:
    """Raw logs of the abandoned branch stay readable beside why they left."""
    chain = blocks(COUNT)
    path = tmp_path / "followed.duckdb"
    with serve([served(chain)]) as node:
        run(job(path), node.url)
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
    with serve([served(chain)]) as node:
        run(job(path), node.url)
    before = contents(path)

    fork = blocks(COUNT, below=chain[: COUNT - 100], fork=b"fork")
    with serve([served(fork)]) as node, pytest.raises(ReorgTooDeep, match="perpscope rewind"):
        run(job(path), node.url)

    assert contents(path) == before


def test_a_node_far_behind_is_not_believed(tmp_path: Path) -> None:
    """A head below what was final is a lagging node, not a reorg."""
    chain = blocks(COUNT)
    path = tmp_path / "a.duckdb"
    with serve([served(chain)]) as node:
        run(job(path), node.url)

    with serve([served(chain[:100])]) as node, pytest.raises(NodeBehind, match="later head"):
        run(job(path), node.url)


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
