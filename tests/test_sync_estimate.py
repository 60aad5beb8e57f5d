"""`perpscope plan`: close to what is sent afterwards, on chains even and uneven."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
from proof_rig import lying, true_blocks
from reads_rig import DECLARATIONS, PRICED, priced, work
from sync_rig import (
    BIRTH,
    FEED,
    FIRST,
    POOL,
    answer,
    birth,
    blocks,
    deposit,
    job,
    run,
    served,
    told,
)

from indexer.errors import NodeAnswerWrong
from indexer.rpc import Endpoint
from indexer.simulation.blocks import Log
from indexer.simulation.node import serve
from indexer.simulation.served import ServedChain
from indexer.sync import Estimate, estimate
from perpscope import app, outcome

COUNT = 6_000


@cache
def chain(kind: str) -> ServedChain:
    """Return a chain whose prices come evenly, in a burst, ever more often, or hardly ever."""
    numbers = random.Random(7)
    weights: dict[str, Callable[[float], float]] = {
        "even": lambda _: 0.5,
        "burst": lambda place: 0.9 if 0.4 < place < 0.5 else 0.04,
        "growing": lambda place: place**2,
        "sparse": lambda _: 0.004,
        "steps": lambda place: (0.1, 0.8, 0.02, 0.5)[int(place * 4)],
    }
    happens: dict[int, list[Log]] = defaultdict(list)
    for place in range(COUNT):
        if numbers.random() < weights[kind](place / COUNT):
            happens[FIRST + place] = [answer(place + 1)] * numbers.randint(1, 4)
    return served(told(happens, COUNT))


@cache
def pools() -> ServedChain:
    """Return a chain where pools are born on the way, and most logs are theirs."""
    numbers = random.Random(8)
    happens: dict[int, list[Log]] = defaultdict(list)
    for item in range(6):
        pool, born = bytes([item + 1]) * 20, FIRST + numbers.randrange(COUNT - 1_000)
        happens[born].append(birth(pool))
        for number in range(born, FIRST + COUNT):
            if numbers.random() < 0.15:
                happens[number].append(deposit(pool, number))
    return served(told(happens, COUNT))


def compared(path: Path, served_chain: ServedChain, **settings: object) -> tuple[Estimate, int]:
    """Return what was estimated, and the requests that were sent."""
    work = job(path, **settings)
    with serve([served_chain]) as node:
        found = estimate(work, [Endpoint(node.url)], 48)
        assert not path.exists()
        assert found.asked == sum(node.calls.values())
        node.calls.clear()
        run(work, node.url)
        return found, sum(node.calls.values())


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("sparse", "max_block_span"),
        ("burst", "max_logs"),
        *(
            pytest.param(kind, limit, marks=pytest.mark.soak)
            for kind, limit in (
                ("even", None),
                ("burst", None),
                ("growing", None),
                ("sparse", None),
                ("steps", None),
                ("steps", "max_block_span"),
            )
        ),
    ],
)
def test_within_a_tenth(tmp_path: Path, kind: str, limit: str | None) -> None:
    """The requests that are planned are those that are sent, give or take a tenth."""
    whole = chain(kind)
    limits = {
        None: whole,
        "max_block_span": replace(whole, max_block_span=90),
        "max_logs": replace(whole, max_logs=200),
    }

    found, sent = compared(tmp_path / "a.duckdb", limits[limit], protocols=(FEED,))

    assert abs(found.requests - sent) <= 0.1 * sent
    assert found.blocks == COUNT
    assert found.seconds > 0


def test_proof_is_planned(tmp_path: Path) -> None:
    """Proof by blooms takes every header."""
    sparse = chain("sparse")

    found, sent = compared(tmp_path / "a.duckdb", sparse, protocols=(FEED,), proof="bloom")

    assert abs(found.requests - sent) <= 0.1 * sent


def test_proof_by_receipts_is_planned(tmp_path: Path) -> None:
    """It takes the receipts of each block with logs beside every header."""
    found, sent = compared(tmp_path / "a.duckdb", served(true_blocks(300)), proof="receipts")

    assert abs(found.requests - sent) <= 0.1 * sent


@pytest.mark.parametrize("most", [None, 400])
def test_children_are_looked_for(tmp_path: Path, most: int | None) -> None:
    """
    Pools nobody knows before the run are counted, because their factories are searched.

    Where the node refuses long ranges, shorter ones are.
    """
    limited = replace(pools(), max_block_span=most)

    found, sent = compared(tmp_path / "a.duckdb", limited)

    assert abs(found.requests - sent) <= 0.1 * sent
    assert found.unsearched == 0


def test_reading_state_is_planned(tmp_path: Path) -> None:
    """Most requests ask for a price every ten blocks, and for the times that say which."""
    happens = {BIRTH: [birth(POOL)], **{FIRST + n: [answer(n)] for n in range(50, 1_500, 100)}}
    said = {"protocols": (FEED, PRICED), "declarations": DECLARATIONS}

    found, sent = compared(tmp_path / "a.duckdb", priced(told(happens, 1_500)), **said)

    assert abs(found.requests - sent) <= 0.1 * sent


def test_blocks_without_a_time_are_no_plan(tmp_path: Path) -> None:
    """State is read at times: what the run would refuse is not planned."""
    told = {"eth_getBlockByNumber": lambda header: {**header, "timestamp": None}}
    with (
        lying(blocks(300), told) as url,
        pytest.raises(NodeAnswerWrong, match="gives block 16200000 no time: expected one"),
    ):
        estimate(work(tmp_path / "a.duckdb"), [Endpoint(url)], 48)


def test_what_is_there_is_not_planned(tmp_path: Path) -> None:
    """Only what is missing counts: after half a run the plan is for the other half."""
    path = tmp_path / "a.duckdb"
    with serve([chain("even")]) as node:
        run(job(path, protocols=(FEED,), to_block=FIRST + COUNT // 2 - 1), node.url)
        found = estimate(job(path, protocols=(FEED,)), [Endpoint(node.url)], 48)
        done = run(job(path, protocols=(FEED,)), node.url)

    assert found.blocks == COUNT // 2
    assert abs(found.requests - done.requests) <= 0.1 * done.requests


def test_nothing_is_planned_where_all_is_there(tmp_path: Path) -> None:
    """After a whole run no block is left, of a protocol whose state is read as well."""
    path = tmp_path / "a.duckdb"
    with serve([priced(blocks(300))]) as node:
        run(work(path), node.url)
        found = estimate(work(path), [Endpoint(node.url)], 48)

    assert (found.blocks, found.logs, found.ranges) == (0, 0, 0)


def test_plan_says_what_it_would_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of blocks, logs, ranges, requests and time; no database is made."""
    path = tmp_path / "a.duckdb"
    words = ["plan", "--chain", "ethereum", "--protocol", "chainlink", "--database", path]
    with serve([served(blocks(300))]) as node:
        words += ["--from", FIRST, "--rpc", node.url]
        code = outcome(partial(app, [str(word) for word in words], standalone_mode=False))

    out = capsys.readouterr().out
    assert code == 0
    assert "requests were sent to find out" in out
    assert "300" in out
    assert not path.exists()
