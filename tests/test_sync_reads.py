"""State without an event: read where it is due, whatever the order, and never made up."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, cast

import duckdb
import polars as pl
import pytest
import reads_rig
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_rig import lying
from reads_rig import (
    CONVERT,
    DECLARATIONS,
    EVERY,
    FOUND,
    NOTED,
    PRICED,
    STATES,
    SUPPLY,
    answers,
    expected,
    priced,
    read_at,
    work,
)
from sync_rig import (
    BIRTH,
    FEED,
    FIRST,
    POOL,
    POOLS,
    START_TIME,
    blocks,
    contents,
    job,
    pruned_below,
    rows,
    run,
)
from test_sync_kill import killed

from indexer.chains import ETHEREUM
from indexer.errors import NodeAnswerWrong, NodeUnavailable, UserError
from indexer.facts import Known
from indexer.rpc import HEADERS, Endpoint
from indexer.simulation.node import Answer, serve
from indexer.simulation.served import CallKey, ServedChain
from indexer.spec import Blocks, Seconds
from indexer.store import status
from indexer.sync import Job, Ledger, index, redecode, take_back
from indexer.sync.forecasting import Forecast
from indexer.sync.pieces import Piece
from indexer.sync.source import Source
from indexer.sync.timetable import Headers, due
from perpscope import app, outcome

COUNT = 300
CHAIN = blocks(COUNT)
POOL_TEXT = "0x" + POOL.hex()


def without_orphans(path: Path) -> dict[str, str]:
    """Return the hash of every table but `orphans`, which remembers."""
    return {name: digest for name, digest in contents(path).items() if name != "orphans"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """Return the database of one undisturbed run, and the requests it sent."""
    path, bodies = tmp_path_factory.mktemp("clean") / "clean.duckdb", []
    with serve([priced(CHAIN)], intercept=lambda _slug, body: bodies.append(body)) as node:
        run(work(path), node.url)
    return path, bodies


@pytest.fixture(scope="module")
def clean(recorded: tuple[Path, list[bytes]]) -> Path:
    """Return the database of one undisturbed run."""
    return recorded[0]


def test_what_was_read_becomes_facts(clean: Path) -> None:
    """Each pool has a price at the first block of every two minutes from its birth on."""
    found = rows(clean, FOUND)

    assert len(found) > 20
    assert found == expected(CHAIN)


def test_every_question_is_kept_with_its_answer(clean: Path) -> None:
    """What was asked of whom stands beside the raw answer, and counts as available."""
    asked = rows(clean, "select count(*), count(answer), min(state), max(state) from reads")

    prices = len(rows(clean, FOUND))
    assert asked == [(2 * prices, 2 * prices, "available", "available")]


def test_how_ranges_are_cut_changes_nothing(tmp_path: Path, clean: Path) -> None:
    """In short ranges the same blocks are read, and every table ends the same."""
    path = tmp_path / "cut.duckdb"
    with serve([priced(CHAIN)]) as node:
        # It is enough to see both pools being born.
        for last, span in ((BIRTH - 10, None), (BIRTH + 70, 7), (None, None)):
            run(work(path, to_block=last, max_span=span), node.url)

    assert contents(path) == contents(clean)


@pytest.mark.soak  # tests/test_sync_converge.py fills the middle first, and ranges are cut above
def test_the_order_of_filling_changes_nothing(tmp_path: Path, clean: Path) -> None:
    """The end first, then the middle, then all: also pools met late are read from their birth."""
    path = tmp_path / "filled.duckdb"
    with serve([priced(CHAIN)]) as node:
        for low, high in ((BIRTH + 100, BIRTH + 140), (BIRTH - 40, BIRTH + 20)):
            run(work(path, from_block=low, to_block=high), node.url)
        run(work(path, from_block=FIRST), node.url)

    assert contents(path) == contents(clean)


@pytest.mark.parametrize(
    "deployed",
    [pytest.param(None, marks=pytest.mark.soak), BIRTH + 50],
    ids=["never", "later"],
)
def test_without_multicall_the_same_is_read(
    tmp_path: Path, clean: Path, deployed: int | None
) -> None:
    """Where Multicall3 is not deployed yet, contracts are asked one by one."""
    path = tmp_path / "a.duckdb"
    with serve([priced(CHAIN, multicall_from=deployed)]) as node:
        run(work(path), node.url)

    assert contents(path) == contents(clean)


def test_multicall_asks_once_a_block(recorded: tuple[Path, list[bytes]]) -> None:
    """However many contracts there are, a block costs one call; tokens are asked apart."""
    bundled = sum(body.count(b"0x82ad56cb") for body in recorded[1])
    blocks_read = {block for block, *_ in expected(CHAIN)}
    assert bundled == len(blocks_read)


@pytest.mark.parametrize("depth", [pytest.param(1, marks=pytest.mark.soak), 60])
def test_reads_go_with_a_reorg(tmp_path: Path, clean: Path, depth: int) -> None:
    """What was read on an abandoned branch goes with it; every table ends like a new run's."""
    fork = blocks(COUNT + 5, below=CHAIN[: COUNT - depth], fork=b"fork", skip=2)
    path, new = tmp_path / "followed.duckdb", tmp_path / "new.duckdb"
    path.write_bytes(clean.read_bytes())
    with serve([priced(fork)]) as node:
        done = run(work(path), node.url)
        run(work(new), node.url)

    assert done.reorgs == 1
    assert without_orphans(path) == without_orphans(new)
    assert rows(path, FOUND) == expected(fork)


def test_a_reorg_while_state_is_read_heals(tmp_path: Path) -> None:
    """The chain changes between a block's header and its state: the run ends like a new one."""
    fork = blocks(COUNT, below=CHAIN[: COUNT - 30], fork=b"fork", skip=2)
    heads = [f'"blockHash":"{block.hash}"'.encode() for block in read_at(CHAIN[-30:])]
    moved: list[bytes] = []

    def intercept(_slug: str, body: bytes) -> None:
        if not moved and any(head in body.replace(b" ", b"") for head in heads):
            moved.append(body)
            node.replace(priced(fork))

    with serve([priced(CHAIN)], intercept=intercept) as node:
        run(work(tmp_path / "a.duckdb"), node.url)
        run(work(tmp_path / "new.duckdb"), node.url)

    assert moved
    assert without_orphans(tmp_path / "a.duckdb") == without_orphans(tmp_path / "new.duckdb")


@pytest.mark.parametrize(
    "to_block", [BIRTH + 24, pytest.param(FIRST + 270, marks=pytest.mark.soak)]
)
def test_rewinding_takes_reads_back(tmp_path: Path, clean: Path, to_block: int) -> None:
    """Nothing read stays above what is still covered; indexing again restores all of it."""
    path = tmp_path / "a.duckdb"
    path.write_bytes(clean.read_bytes())

    done = take_back(Ledger(path, ETHEREUM, DECLARATIONS), [PRICED], to_block)

    last = done.covered["pools"]
    assert last is not None
    assert rows(path, FOUND) == [row for row in expected(CHAIN) if int(str(row[0])) <= last]
    assert rows(path, f"select count(*) from reads where block_number > {last}") == [(0,)]
    with serve([priced(CHAIN)]) as node:
        run(work(path), node.url)
    assert without_orphans(path) == without_orphans(clean)


def test_facts_are_derived_again_from_stored_answers(tmp_path: Path, clean: Path) -> None:
    """Without a node a changed reading of the same answers gives what a fresh run would."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    path.write_bytes(clean.read_bytes())
    changed = DECLARATIONS | {"pools": NOTED}

    written = redecode(Ledger(path, ETHEREUM, changed), [NOTED])

    with serve([priced(CHAIN)]) as node:
        run(work(new, protocols=(FEED, NOTED), declarations=changed), node.url)
    assert written["share_prices"] == len(expected(CHAIN))
    assert contents(path) == contents(new)


def test_answers_of_different_blocks_never_make_one_fact(tmp_path: Path, clean: Path) -> None:
    """Of two stored facts each lost another of its two answers: there is neither of them."""
    path = tmp_path / "a.duckdb"
    path.write_bytes(clean.read_bytes())
    blocks_read = sorted({int(str(row[0])) for row in expected(CHAIN)})[:2]
    with duckdb.connect(path) as con:
        for block, call in zip(blocks_read, ("convertToAssets", "totalSupply"), strict=True):
            con.execute(f"delete from reads where block_number = {block} and call = '{call}'")

    redecode(Ledger(path, ETHEREUM, DECLARATIONS), [PRICED])

    left = [row for row in expected(CHAIN) if int(str(row[0])) not in blocks_read]
    assert rows(path, FOUND) == left


def test_another_question_is_not_answered_by_old_answers(tmp_path: Path, clean: Path) -> None:
    """A read at other blocks is another declaration: facts of both are never mixed."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    path.write_bytes(clean.read_bytes())
    price = replace(PRICED.reads[0], every=replace(PRICED.reads[0].every, count=2 * EVERY))
    rarer = replace(PRICED, reads=(price,))
    changed = DECLARATIONS | {"pools": rarer}

    with pytest.raises(UserError, match="perpscope index --chain ethereum --protocol pools"):
        redecode(Ledger(path, ETHEREUM, changed), [rarer])
    with serve([priced(CHAIN)]) as node:
        for place in (path, new):
            run(work(place, protocols=(FEED, rarer), declarations=changed), node.url)

    assert without_orphans(path) == without_orphans(new)


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_killed_runs_end_like_an_uninterrupted_one(tmp_path: Path, clean: Path, times: int) -> None:
    """SIGKILL at random moments, other range sizes after each: every table ends the same."""
    dice, path, kills = Random(7), tmp_path / "cut.duckdb", 0
    with serve([priced(CHAIN)]) as node:
        for _ in range(times):
            span = str(dice.choice((10, 40)))
            words = [sys.executable, reads_rig.__file__, str(path), node.url, span]
            kills += killed(words, path, dice.uniform(0, 0.15))
        run(work(path), node.url)

    assert kills >= 1
    assert contents(path) == contents(clean)


def to_latest(body: bytes) -> bytes:
    """Return a request as a node reads it that does not care which block a call is pinned to."""
    calls = json.loads(body)
    for call in calls if isinstance(calls, list) else [calls]:
        if call["method"] == "eth_call":
            call["params"][1] = "latest"
    return json.dumps(calls).encode()


@pytest.mark.parametrize("multicall_from", [0, None], ids=["multicall", "one by one"])
def test_a_node_that_ignores_the_pin_is_not_believed(
    tmp_path: Path, multicall_from: int | None
) -> None:
    """State of the newest block is not passed off as that of an older one: nothing is written."""
    chain = priced(CHAIN, multicall_from=multicall_from)
    path = tmp_path / "a.duckdb"
    with serve([chain]) as inner:

        def intercept(_slug: str, body: bytes) -> Answer:
            return inner.answer("", to_latest(body))

        with (
            serve([chain], intercept=intercept) as node,
            pytest.raises(NodeAnswerWrong, match="ignores which block it is asked about"),
        ):
            run(work(path, from_block=BIRTH), node.url)

    assert rows(path, "select count(*) from reads") == [(0,)]
    assert rows(path, FOUND) == []


def test_a_block_without_a_time_is_not_guessed(tmp_path: Path) -> None:
    """When state is due follows from block times alone."""
    path = tmp_path / "a.duckdb"
    with (
        lying(CHAIN, {"eth_getBlockByNumber": lambda header: {**header, "timestamp": None}}) as url,
        pytest.raises(NodeAnswerWrong, match=f"gives block {BIRTH - 1} no time"),
    ):
        run(work(path), url)

    assert rows(path, "from coverage") == []


def test_another_endpoint_is_asked_where_one_ignores_the_pin(tmp_path: Path, clean: Path) -> None:
    """A sound endpoint beside the one that ignores pins is enough."""
    chain, path = priced(CHAIN), tmp_path / "a.duckdb"
    with serve([chain]) as sound:

        def intercept(_slug: str, body: bytes) -> Answer:
            return sound.answer("", to_latest(body))

        with serve([chain], intercept=intercept) as node:
            ends = [
                Endpoint(url, tries=1, first_wait_seconds=0.01) for url in (node.url, sound.url)
            ]
            index(work(path), ends, lambda _done, _total, _logs: None)

    assert contents(path) == contents(clean)


def test_a_contract_that_reverts_is_a_state_and_no_price(tmp_path: Path) -> None:
    """Its calls are kept with the reason; there is no price of zero, no reject, no other loss."""
    block = read_at(CHAIN[150:])[0].number
    told = answers(CHAIN)
    del told[block, POOL_TEXT, CONVERT]
    path = tmp_path / "a.duckdb"
    with serve([with_answers(told)]) as node:
        run(work(path), node.url)

    failed = "select block_number, call, answer, state, detail from reads where answer is null"
    assert rows(path, failed) == [
        (block, "convertToAssets", None, "source_error", "the contract reverted")
    ]
    assert rows(path, FOUND) == [
        row for row in expected(CHAIN) if (row[0], row[4]) != (block, POOL_TEXT)
    ]
    assert rows(path, "select count(*) from rejects") == [(0,)]


def with_answers(told: Mapping[CallKey, str]) -> ServedChain:
    """Return the chain with other answers of its pools."""
    plain = priced(CHAIN)
    kept = {key: text for key, text in plain.calls.items() if key[0] is None}
    return replace(plain, calls={**kept, **told})


def test_where_no_contract_is_nothing_applies(tmp_path: Path) -> None:
    """An empty answer says that no code is there, which is not an error of the source."""
    told = answers(CHAIN) | {
        (block.number, POOL_TEXT, question): "0x"
        for block in CHAIN
        for question in (CONVERT, SUPPLY)
    }
    path = tmp_path / "a.duckdb"
    with serve([with_answers(told)]) as node:
        run(work(path), node.url)

    lost = sum(row[4] == POOL_TEXT for row in expected(CHAIN))
    kept = len(expected(CHAIN)) - lost
    assert rows(path, STATES) == [("available", 2 * kept), ("not_applicable", 2 * lost)]
    assert rows(path, FOUND) == [row for row in expected(CHAIN) if row[4] != POOL_TEXT]


def test_an_answer_that_cannot_be_read_is_a_reject(tmp_path: Path) -> None:
    """Bytes that are no answer of the function are refused with a reason, like those of a log."""
    block = read_at(CHAIN[150:])[0].number
    told = answers(CHAIN) | {(block, POOL_TEXT, CONVERT): "0x" + "ff" * 33}
    path = tmp_path / "a.duckdb"
    with serve([with_answers(told)]) as node:
        run(work(path), node.url)

    found = rows(path, "select block_number, protocol, event, reason from rejects")
    assert [row[:3] for row in found] == [(block, "pools", "price")]
    assert str(found[0][3]).startswith("convertToAssets: ")
    assert len(rows(path, FOUND)) == len(expected(CHAIN)) - 1


def test_state_that_is_gone_is_asked_for_again(tmp_path: Path, clean: Path) -> None:
    """A pruned node costs the prices it has lost and no more; an archive node fills them in."""
    path, cut = tmp_path / "a.duckdb", BIRTH + 90
    with serve([priced(CHAIN)], intercept=pruned_below(CHAIN, cut)) as node:
        run(work(path), node.url)
        gone = [row for row in expected(CHAIN) if int(str(row[0])) < cut]
        there = [row for row in expected(CHAIN) if int(str(row[0])) >= cut]
        assert rows(path, FOUND) == there
        assert rows(path, STATES) == [
            ("available", 2 * len(there)),
            ("not_collected", 2 * len(gone)),
        ]
        assert "missing trie node" in str(rows(path, "select max(detail) from reads")[0][0])

        run(work(path), node.url)
        assert rows(path, FOUND) == there

    with serve([priced(CHAIN)]) as node:
        filled = run(work(path), node.url).tally
    assert contents(path) == contents(clean)
    assert (filled.blocks, filled.reads) == (0, {"available": 2 * len(gone)})
    assert filled.facts["share_prices"] == len(gone)


def test_state_that_is_gone_and_whose_block_left_goes_with_it(tmp_path: Path) -> None:
    """A run asks at the blocks of an old branch, follows the reorg, and the next fills the rest."""
    fork = blocks(COUNT + 5, below=CHAIN[: COUNT - 60], fork=b"fork", skip=2)
    path, new = tmp_path / "followed.duckdb", tmp_path / "new.duckdb"
    with serve([priced(CHAIN)], intercept=pruned_below(CHAIN, CHAIN[-1].number)) as node:
        run(work(path), node.url)
    with serve([priced(fork)]) as node:
        run(work(path), node.url)
        run(work(path), node.url)
        run(work(new), node.url)

    assert without_orphans(path) == without_orphans(new)
    assert rows(path, FOUND) == expected(fork)


def test_tokens_of_state_that_was_gone_are_asked_for_with_it(tmp_path: Path) -> None:
    """Where no log needs their decimals, the first answer that does asks for them."""
    path, new, unlogged = tmp_path / "a.duckdb", tmp_path / "new.duckdb", replace(PRICED, events=())
    named = {"protocols": (unlogged,), "declarations": {"pools": unlogged}}
    with serve([priced(CHAIN)], intercept=pruned_below(CHAIN, CHAIN[-1].number)) as node:
        run(work(path, **named), node.url)
    assert rows(path, "from tokens") == []
    with serve([priced(CHAIN)]) as node:
        run(work(path, **named), node.url)
        run(work(new, **named, max_span=4), node.url)  # the first state is in no log's range

    assert rows(path, FOUND) == expected(CHAIN)
    assert contents(path) == contents(new)


def test_state_that_another_run_collects_meanwhile_is_there_once(
    tmp_path: Path, clean: Path
) -> None:
    """Answers to what is answered already are not written."""
    path, threads = tmp_path / "a.duckdb", list[Thread]()
    with serve([priced(CHAIN)], intercept=pruned_below(CHAIN, BIRTH + 90)) as node:
        run(work(path), node.url)

    with serve([priced(CHAIN)]) as other:

        def intercept(_slug: str, body: bytes) -> None:
            if b"eth_call" in body and not threads:
                threads.append(Thread(target=run, args=(work(path), other.url)))
                threads[0].start()
                threads[0].join()

        with serve([priced(CHAIN)], intercept=intercept) as node:
            run(work(path), node.url)

    assert threads
    assert contents(path) == contents(clean)


def test_answers_of_a_declaration_that_is_no_longer_stored_are_not_kept(tmp_path: Path) -> None:
    """The facts are brought under another declaration while old state is asked for again."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    changed = DECLARATIONS | {"pools": NOTED}
    now = {"protocols": (FEED, NOTED), "declarations": changed}
    with serve([priced(CHAIN)], intercept=pruned_below(CHAIN, BIRTH + 90)) as node:
        run(work(path), node.url)
    written: list[dict[str, int]] = []

    def intercept(_slug: str, body: bytes) -> None:
        if b"eth_call" in body and not written:
            written.append(redecode(Ledger(path, ETHEREUM, changed), [NOTED]))

    with serve([priced(CHAIN)], intercept=intercept) as node:
        with pytest.raises(UserError, match="declaration of pools has changed"):
            run(work(path), node.url)
        run(work(path, **now), node.url)
        run(work(new, **now), node.url)

    assert written
    assert contents(path) == contents(new)


def test_what_is_answered_is_not_asked_again(tmp_path: Path, clean: Path) -> None:
    """A run on an up-to-date database makes no call."""
    path = tmp_path / "a.duckdb"
    path.write_bytes(clean.read_bytes())

    with serve([priced(CHAIN)]) as node:
        run(work(path), node.url)
        assert node.calls["eth_call"] == 0


def test_a_node_that_is_down_stops_the_run(tmp_path: Path) -> None:
    """What may be answered a moment later is no state: nothing of the range is written."""
    path = tmp_path / "a.duckdb"

    def intercept(_slug: str, body: bytes) -> Answer | None:
        return Answer(503, b"busy", {}) if b"eth_call" in body else None

    with (
        serve([priced(CHAIN)], intercept=intercept) as node,
        pytest.raises(NodeUnavailable),
    ):
        run(work(path, from_block=BIRTH), node.url)

    assert rows(path, "select count(*) from coverage") == [(0,)]


def test_status_counts_what_came_of_reads(clean: Path) -> None:
    """One line for each state that calls of a read came to."""
    counted = status(clean, {}).reads.rows()

    assert counted == [(1, "pools", "price", "available", 2 * len(expected(CHAIN)))]


def test_status_shows_what_came_of_reads(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the same counts, by protocol, read and state."""
    code = outcome(partial(app, ["status", "--database", str(clean)], standalone_mode=False))

    line = ["ethereum", "pools", "price", "available", str(2 * len(expected(CHAIN)))]
    assert code == 0
    assert line in [shown.split() for shown in capsys.readouterr().out.splitlines()]


@given(
    steps=st.lists(st.integers(0, 90), min_size=2, max_size=60),
    seconds=st.integers(1, 100),
    cuts=st.lists(st.integers(1, 59), max_size=6),
)
@settings(max_examples=60)
def test_due_blocks_follow_from_the_chain_alone(
    steps: list[int], seconds: int, cuts: list[int]
) -> None:
    """However a chain of any block times is cut, the first blocks of buckets are found, once."""
    times = [sum(steps[:place]) for place in range(1, len(steps) + 1)]
    firsts = [
        number
        for number, time in enumerate(times)
        if number == 0 or times[number - 1] // seconds < time // seconds
    ]
    last = len(times) - 1

    borders = sorted({0, last + 1, *(cut for cut in cuts if cut <= last)})
    found = [due_in(times, Seconds(seconds), low, high - 1) for low, high in pairwise(borders)]

    assert [number for part in found for number in part] == firsts


class Times:
    """A node that knows the times of its blocks and nothing else."""

    def __init__(self, times: list[int]) -> None:
        """Take the time of each block, from block 0 on."""
        self._times = [datetime.fromtimestamp(time, UTC).replace(tzinfo=None) for time in times]

    async def headers(self, numbers: list[int]) -> pl.DataFrame:
        """Return the headers of these blocks."""
        told = [(number, b"", b"", self._times[number], None) for number in numbers]
        return pl.DataFrame(told, HEADERS, orient="row")


def due_in(times: list[int], every: Blocks | Seconds, low: int, high: int) -> list[int]:
    """Return the due blocks of a range of a chain with these block times."""
    headers = Headers(cast(Source, Times(times)), pl.DataFrame(schema=HEADERS))
    return [header.number for header in asyncio.run(due(every, low, high, headers))]


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [(0, 9, [0, 4, 8]), (1, 3, []), (4, 4, [4]), (5, 12, [8, 12])],
)
def test_multiples_of_blocks_are_due(low: int, high: int, numbers: list[int]) -> None:
    """Both ends of a range count."""
    assert due_in(list(range(20)), Blocks(4), low, high) == numbers


def logs_asked(bodies: list[bytes]) -> list[tuple[int, int]]:
    """Return the ranges of blocks that were asked for, once each, in order."""
    calls = [call for body in bodies for call in listed(body) if call["method"] == "eth_getLogs"]
    queries = [call["params"][0] for call in calls]
    return sorted({(int(one["fromBlock"], 16), int(one["toBlock"], 16)) for one in queries})


def listed(body: bytes) -> list[dict[str, Any]]:
    """Return the calls of a request."""
    calls = json.loads(body)
    return calls if isinstance(calls, list) else [calls]


def test_what_reading_will_cost_can_be_said_before(tmp_path: Path) -> None:
    """A forecast from block times and known pools is within a tenth of what is then sent."""
    quiet = blocks(1_000, below=CHAIN[:190], fork=b"quiet", skip=1)
    priced_job = work(tmp_path / "a.duckdb", protocols=(PRICED,), max_span=100)
    plain_job = job(tmp_path / "b.duckdb", protocols=(POOLS,), max_span=100)
    bodies: list[bytes] = []
    with serve([priced(quiet)], intercept=lambda _slug, body: bodies.append(body)) as node:
        sent = run(priced_job, node.url).requests
        pieces = logs_asked(bodies)
        plain = run(plain_job, node.url).requests

    said = asyncio.run(forecast(priced_job, pieces, settled=FIRST + 1_000 - 65))
    assert sent - plain > 200
    assert said == pytest.approx(sent - plain, rel=0.1)


async def forecast(done: Job, pieces: list[tuple[int, int]], settled: int) -> int:
    """Return what is said of a job's ranges when the children it found are known."""
    stored = done.ledger().stored()
    known = Known(stored.tokens, stored.markets, stored.contracts)
    says = Forecast(ETHEREUM, lambda number: moment(START_TIME + 12 * (number - FIRST)))
    costs = [
        await says.calls(
            known, Piece(low, high, (PRICED,), "", high <= settled, None, is_whole=True)
        )
        for low, high in pieces
    ]
    return sum(costs)


def moment(seconds: int) -> datetime:
    """Return Unix seconds as a moment in UTC, without a zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
