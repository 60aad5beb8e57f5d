"""`--max-requests`: a hard cap on what is sent, and what is whole stays."""

from functools import partial
from pathlib import Path

import pytest
from sync_rig import FIRST, blocks, contents, job, rows, run, served

from indexer.simulation.node import serve
from perpscope import app, outcome

COUNT = 300


@pytest.mark.parametrize("most", [1, 9, 150, 230])
def test_no_request_more_is_sent(tmp_path: Path, most: int) -> None:
    """Whatever the cap, the node is never asked more often, and nothing half is stored."""
    path = tmp_path / "a.duckdb"
    words = ["index", "--chain", "ethereum", "--database", path, "--protocol", "chainlink"]
    words += ["--from", FIRST, "--max-requests", most, "--rpc"]
    with serve([served(blocks(COUNT))]) as node:
        code = outcome(partial(app, [*map(str, words), node.url], standalone_mode=False))
        assert sum(node.calls.values()) <= most

    assert code == 1
    if path.exists():
        top = "(select coalesce(max(to_block), 0) from coverage)"
        above = rows(path, f"select count(*) from oracle_updates where block_number > {top}")
        assert above == [(0,)]


def test_capped_runs_add_up_to_one(tmp_path: Path) -> None:
    """Run again and again under a cap, the database ends like that of one run."""
    stops = 0
    with serve([served(blocks(COUNT))]) as node:
        run(job(tmp_path / "one.duckdb"), node.url)
        while run(job(tmp_path / "many.duckdb", max_requests=210), node.url).stopped:
            stops += 1
            assert stops < 20

    assert stops > 0
    assert contents(tmp_path / "many.duckdb") == contents(tmp_path / "one.duckdb")


def test_a_run_that_fits_is_not_stopped(tmp_path: Path) -> None:
    """A cap of exactly what is needed changes nothing."""
    with serve([served(blocks(COUNT))]) as node:
        sent = run(job(tmp_path / "one.duckdb", max_ranges=1), node.url).requests
        done = run(job(tmp_path / "two.duckdb", max_ranges=1, max_requests=sent), node.url)

    assert done.stopped is None
    assert done.requests == sent
