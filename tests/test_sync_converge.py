"""Indexing a chain: complete from the first block, whatever the cuts, and never mixed."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sync_rig import (
    BIRTH,
    FEED,
    FIRST,
    POOLS,
    blocks,
    contents,
    indexed,
    job,
    logs_of,
    rows,
    run,
    served,
)

from indexer.errors import RangeTooLarge, UserError
from indexer.simulation.node import serve
from indexer.spec import Const, Emitter, OfMarket, Value
from indexer.store import open_database

COUNT = 300
DEPOSITS = sum(len(logs_of(number)) for number in range(FIRST, FIRST + COUNT)) - 235 - 2


@pytest.fixture(scope="module")
def url() -> object:
    """Serve the chain to every test of this file."""
    with serve([served(blocks(COUNT))]) as node:
        yield node.url


def test_every_log_and_fact_lands(tmp_path: Path, url: str) -> None:
    """Each of the chain's logs is stored, and each becomes its fact with exact decimals."""
    path = tmp_path / "a.duckdb"

    run(job(path), url)

    assert rows(path, "select count(*) from logs") == [(235 + 2 + DEPOSITS,)]
    assert rows(path, "select count(*) from oracle_updates") == [(235,)]
    assert rows(path, "select count(*), count(distinct pool) from pool_flows") == [(DEPOSITS, 2)]
    first = f"select asset_tokens::varchar from pool_flows where block_number = {BIRTH} limit 1"
    assert rows(path, first) == [("5.000000000000000000",)]
    assert rows(path, "select * from rejects") == []


def test_running_again_changes_nothing(tmp_path: Path, url: str) -> None:
    """A second run finds nothing missing and leaves every table as it is."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    done = run(job(path), url)

    assert contents(path) == before
    assert done.tally.ranges == 0


@pytest.mark.parametrize(
    ("span", "logs"),
    [
        *(pytest.param(*cut, marks=pytest.mark.soak) for cut in ((17, 4), (64, 1_000))),
        (1, 25_000),
    ],
)
def test_cuts_do_not_show(tmp_path: Path, url: str, span: int, logs: int) -> None:
    """However the blocks are cut into ranges and transactions, every table ends the same."""
    # Block by block it is enough to see a pool being born.
    first, last = (BIRTH - 8, BIRTH + 12) if span == 1 else (FIRST, None)
    work = job(tmp_path / "whole.duckdb", from_block=first, to_block=last)
    run(work, url)

    run(replace(work, path=tmp_path / "cut.duckdb", max_span=span, max_logs=logs), url)

    assert contents(tmp_path / "cut.duckdb") == contents(tmp_path / "whole.duckdb")


def test_protocols_one_by_one_end_like_together(tmp_path: Path, url: str) -> None:
    """Adding a protocol to an indexed chain ends with the database of both at once."""
    indexed(tmp_path / "both.duckdb", COUNT)

    for protocol in (POOLS, FEED):
        run(job(tmp_path / "each.duckdb", protocols=(protocol,)), url)

    assert contents(tmp_path / "each.duckdb") == contents(tmp_path / "both.duckdb")


def test_another_protocol_fetches_only_its_own(tmp_path: Path) -> None:
    """Beside a chain that is indexed for one protocol, another is asked for alone, and once."""
    asked: list[list[str]] = []

    def intercept(_slug: str, body: bytes) -> None:
        calls = json.loads(body)
        for call in calls if isinstance(calls, list) else [calls]:
            if call["method"] == "eth_getLogs":
                asked.append(call["params"][0]["address"])

    with serve([served(blocks(COUNT))], intercept=intercept) as node:
        run(job(tmp_path / "alone.duckdb", protocols=(POOLS,)), node.url)
        alone, sent = len(asked), node.calls["eth_getBlockByNumber"]
        run(job(tmp_path / "each.duckdb", protocols=(FEED,)), node.url)
        asked.clear()
        node.calls.clear()
        run(job(tmp_path / "each.duckdb"), node.url)

    assert len(asked) == alone
    assert FEED.contracts[0].address not in {address for each in asked for address in each}
    assert node.calls["eth_getBlockByNumber"] <= sent + 4  # and the chain is still the same


def test_middle_first_ends_like_in_order(tmp_path: Path, url: str) -> None:
    """A later stretch that was indexed before its pools' births are known is completed."""
    indexed(tmp_path / "order.duckdb", COUNT)

    path = tmp_path / "middle.duckdb"
    run(job(path, from_block=BIRTH + 20, to_block=BIRTH + 90), url)
    run(job(path), url)

    assert contents(path) == contents(tmp_path / "order.duckdb")


def test_markets_announced_again_end_like_in_order(tmp_path: Path, url: str) -> None:
    """Every answer announces its market; what was read before the first one hides it nowhere."""
    answered = FEED.events[0]
    named: dict[str, Value] = {
        "market": Emitter(),
        "symbol": Const("ETH"),
        "asset_class": Const("crypto"),
        "known_by": Const("event"),
    }
    learn = replace(answered, into="markets", columns=named)
    told = replace(answered, columns={**answered.columns, "asset": OfMarket(Emitter(), "symbol")})
    feed = replace(FEED, events=(learn, told))
    order, middle = (
        job(tmp_path / name, protocols=(feed,), declarations={"feed": feed})
        for name in ("order.duckdb", "middle.duckdb")
    )
    run(order, url)

    run(replace(middle, from_block=FIRST + 20, to_block=FIRST + 90), url)
    run(middle, url)

    assert rows(middle.path, "select count(*) from oracle_updates where asset is null") == [(0,)]
    assert contents(middle.path) == contents(order.path)


def test_coverage_says_how_final(tmp_path: Path, url: str) -> None:
    """Intervals end where finality does, as the node's tags say."""
    path = tmp_path / "a.duckdb"

    run(job(path, protocols=(FEED,)), url)

    assert rows(path, "select from_block, to_block, finality, proof from coverage order by 1") == [
        (FIRST, FIRST + 235, "finalized", "fetched"),
        (FIRST + 236, FIRST + 267, "safe", "fetched"),
        (FIRST + 268, FIRST + 299, "latest", "fetched"),
    ]


def test_to_block_is_the_end(tmp_path: Path, url: str) -> None:
    """Nothing above `--to` is stored or covered."""
    path = tmp_path / "a.duckdb"

    run(job(path, to_block=FIRST + 50), url)

    assert rows(path, "select max(to_block) from coverage") == [(FIRST + 50,)]
    assert rows(path, "select max(block_number) <= ? from logs".replace("?", str(FIRST + 50))) == [
        (True,)
    ]


def test_without_tags_finality_is_measured_in_time(tmp_path: Path) -> None:
    """A node without tags: blocks older than the chain's finality, by their timestamps."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(COUNT), has_tags=False)]) as node:
        run(job(path, protocols=(FEED,)), node.url)

    # 960 seconds at 12 seconds a block are 80 blocks.
    assert rows(path, "select to_block, finality from coverage order by 1") == [
        (FIRST + COUNT - 1 - 80, "finalized"),
        (FIRST + COUNT - 1, "latest"),
    ]


def test_limits_of_the_node_are_found(tmp_path: Path) -> None:
    """A node that refuses long ranges and large answers is served smaller ones, nothing lost."""
    indexed(tmp_path / "free.duckdb", COUNT)

    with serve([served(blocks(COUNT), max_logs=25, max_block_span=60)]) as node:
        run(job(tmp_path / "held.duckdb"), node.url)

    assert contents(tmp_path / "held.duckdb") == contents(tmp_path / "free.duckdb")


def test_a_block_too_large_is_an_error(tmp_path: Path) -> None:
    """A single block beyond the node's limit cannot be halved: it is named, the rest is kept."""
    path = tmp_path / "a.duckdb"
    with (
        serve([served(blocks(COUNT), max_logs=1)]) as node,
        pytest.raises(RangeTooLarge, match=f"block {BIRTH + 5} alone"),
    ):
        run(job(path, from_block=BIRTH - 10), node.url)

    assert rows(path, "select distinct to_block from coverage") == [(BIRTH + 4,)]


def test_a_token_that_does_not_answer_is_a_reject(tmp_path: Path) -> None:
    """Deposits of a pool without decimals are rejected with the reason; its logs stay."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(COUNT), calls={})]) as node:
        run(job(path, protocols=(POOLS,)), node.url)

    assert rows(path, "select count(*) from pool_flows") == [(0,)]
    assert rows(path, "select count(*) from logs") == [(DEPOSITS + 2,)]
    rejects = rows(path, "select fact, count(*), min(reason) from rejects group by fact")
    assert [(fact, count) for fact, count, _ in rejects] == [("pool_flows", DEPOSITS)]
    assert "decimals" in str(rejects[0][2])


def test_finality_grows_with_the_chain(tmp_path: Path) -> None:
    """Later runs raise what has become final, and end like one run at the later head."""
    chain = blocks(COUNT + 200)
    path = tmp_path / "followed.duckdb"
    for count in (COUNT, COUNT + 73, COUNT + 200):
        with serve([served(chain[:count])]) as node:
            run(job(path), node.url)

    with serve([served(chain)]) as node:
        run(job(tmp_path / "once.duckdb"), node.url)

    assert rows(path, "select min(to_block) from coverage where finality = 'finalized'") == [
        (FIRST + COUNT + 135,)
    ]
    assert contents(path) == contents(tmp_path / "once.duckdb")


def test_a_changed_column_asks_for_redecode(tmp_path: Path, url: str) -> None:
    """Another reading of the same logs is refused until `redecode`, which names itself."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    event = FEED.events[0]
    columns = {**event.columns, "provider": Const("x")}
    changed = replace(FEED, events=(replace(event, columns=columns),))

    with pytest.raises(UserError, match="perpscope redecode --chain ethereum --protocol feed"):
        run(job(path, protocols=(changed,)), url)


def test_a_run_with_nothing_to_do_waits_for_no_reader(tmp_path: Path, url: str) -> None:
    """Looking whether anything is to be written needs no lock that a long report keeps."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)

    with closing(open_database(path, read_only=True)):
        again = run(job(path), url)

    assert again.tally.ranges == 0
