"""Two runs over one database: what one writes while the other fetches is known to the other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sync_rig import (
    BIRTH,
    DECLARATIONS,
    FEED,
    FIRST,
    POOLS,
    blocks,
    contents,
    job,
    rows,
    run,
    served,
)
from test_sync_adversary import NAMED

from indexer.simulation.blocks import Block
from indexer.simulation.node import Intercept, serve
from indexer.spec import Protocol
from indexer.sync import Job

COUNT = 300


def meanwhile(question: bytes, work: Job, chain: Sequence[Block]) -> Intercept:
    """Return a node that answers the first such question after another run has ended."""
    others: list[Thread] = []

    def other() -> None:
        with serve([served(chain)]) as node:
            run(work, node.url)

    def intercept(_slug: str, body: bytes) -> None:
        if not others and question in body:
            others.append(Thread(target=other))
            others[0].start()
            others[0].join()

    return intercept


@pytest.mark.parametrize("pools", [POOLS, NAMED])
def test_what_was_born_in_blocks_below_is_heard_of(tmp_path: Path, pools: Protocol) -> None:
    """One run has the lower half with all births, the other read the upper half without them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    known = DECLARATIONS | {"pools": pools}
    whole = job(path, protocols=(FEED, pools), declarations=known)
    lower, upper = replace(whole, to_block=BIRTH + 79), replace(whole, from_block=BIRTH + 80)
    with serve([served(chain)], intercept=meanwhile(b"eth_getLogs", lower, chain)) as node:
        run(upper, node.url)
        run(replace(whole, path=once), node.url)

    assert contents(path) == contents(once)


def test_logs_of_children_that_another_run_found_stay(tmp_path: Path) -> None:
    """The feed's blocks land over those of pools that nobody knew when the feed was asked for."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    pools = job(path, protocols=(POOLS,))
    with serve([served(chain)], intercept=meanwhile(b"eth_getLogs", pools, chain)) as node:
        run(job(path, protocols=(FEED,)), node.url)
        run(job(once), node.url)

    assert contents(path) == contents(once)


def test_a_protocol_that_another_run_began_becomes_final_too(tmp_path: Path) -> None:
    """Its intervals are split where finality has come to, though the run had not looked at them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT + 10)
    feed, pools = job(path, protocols=(FEED,)), job(path, protocols=(POOLS,))
    with serve([served(chain[:COUNT])]) as node:
        run(feed, node.url)
    between = meanwhile(b"web3_clientVersion", pools, chain[: COUNT + 5])
    with serve([served(chain)], intercept=between) as node:
        run(feed, node.url)
        run(replace(pools, path=once, to_block=FIRST + COUNT + 4), node.url)

    coverage = "select * from coverage where protocol = 'pools' order by all"
    assert rows(path, coverage) == rows(once, coverage)
