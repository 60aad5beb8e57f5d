"""Moments become blocks, and ages become finality, on header timestamps alone."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.live import BLOCKS, live
from rig.node import Rig, serving
from sync_rig import FEED, FIRST, POOLS, START_TIME, blocks, contents, job, rows, run, served, told

from indexer.chains import ETHEREUM, Chain
from indexer.errors import UserError
from indexer.rpc import Endpoint, Header, Node
from indexer.simulation.node import serve
from indexer.simulation.served import REPLAY_CLIENT, ServedChain
from indexer.sync.heads import Heads, read_heads
from indexer.sync.job import in_blocks
from indexer.sync.moments import last_until

COUNT = 300


def moment(seconds: float) -> datetime:
    """Return the moment so many seconds after the chain's first block."""
    return datetime.fromtimestamp(START_TIME + seconds, UTC).replace(tzinfo=None)


class Clock:
    """A node that knows when its blocks were made, and counts what it is asked."""

    def __init__(self, stamps: Sequence[int], first: int = 10) -> None:
        """Blocks 10, 11, ... at these seconds; or from another first one on."""
        self.stamps, self.first = stamps, first
        self.asked = self.rounds = 0

    @property
    def head(self) -> Header:
        """The last block."""
        return Header(self.first + len(self.stamps) - 1, b"", b"", moment(self.stamps[-1]), None)

    @property
    def heads(self) -> Heads:
        """The last block, of which nothing is final."""
        return Heads(self.head, -1, -1, -1)

    async def headers(self, numbers: Sequence[int]) -> pl.DataFrame:
        """Return number and timestamp of these blocks."""
        self.asked, self.rounds = self.asked + len(numbers), self.rounds + 1
        return pl.DataFrame(
            {
                "number": list(numbers),
                "timestamp": [moment(self.stamps[number - self.first]) for number in numbers],
            }
        )


def found(clock: Clock, seconds: float) -> int:
    """Return the last block that is not younger than so many seconds."""
    return asyncio.run(last_until(clock, moment(seconds), 10, clock.head))  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 900), min_size=1, max_size=200), st.integers(-5, 905))
def test_the_block_is_exact(stamps: list[int], seconds: int) -> None:
    """Whatever the pace, equal times included, it is the block that counting would find."""
    stamps = sorted(stamps)

    assert found(Clock(stamps), seconds) == 9 + bisect_right(stamps, seconds)


def test_few_blocks_are_asked() -> None:
    """A million blocks of changing pace take a dozen rounds at most."""
    stamps = [int(number * (0.25 if number < 600_000 else 0.3)) for number in range(1_000_000)]
    clock = Clock(stamps)

    assert found(clock, 100_000) == 9 + bisect_right(stamps, 100_000)
    assert clock.rounds <= 12
    assert clock.asked <= 36


def test_moments_and_blocks_are_the_same_run(tmp_path: Path) -> None:
    """From the first block at or after a moment, to the last one before another."""
    with serve([served(blocks(COUNT))]) as node:
        run(job(tmp_path / "a.duckdb", from_block=moment(121), to_block=moment(1_200)), node.url)
        run(job(tmp_path / "b.duckdb", from_block=FIRST + 11, to_block=FIRST + 99), node.url)
        run(job(tmp_path / "c.duckdb", from_block=moment(120), to_block=moment(9_000)), node.url)

    assert contents(tmp_path / "a.duckdb") == contents(tmp_path / "b.duckdb")
    whole = "select min(from_block), max(to_block) from coverage"
    assert rows(tmp_path / "c.duckdb", whole) == [(FIRST + 10, FIRST + COUNT - 1)]


@pytest.mark.parametrize(
    ("start", "end", "blocks_found"),
    [
        (moment(24), None, (FIRST + 2, None)),
        (None, moment(24), (None, FIRST + 1)),
        (None, moment(24.5), (None, moment(24.5))),
        (moment(12), moment(13), (FIRST + 1, FIRST + 1)),
        (FIRST + 1, moment(13), (FIRST + 1, FIRST + 1)),
    ],
)
def test_a_moment_of_the_head_is_found_and_one_block_is_a_range(
    start: int | datetime | None,
    end: datetime | None,
    blocks_found: tuple[int | None, int | datetime | None],
) -> None:
    """
    What is before the head's own moment leaves the head out; a beginning may be its moment.

    What is to come stays a moment.
    """
    asked = job(Path(), from_block=start, to_block=end)
    clock = Clock([0, 12, 24], FIRST)

    work = asyncio.run(in_blocks(clock, asked, clock.heads))  # type: ignore[arg-type]

    assert (work.from_block, work.to_block) == blocks_found


def test_a_moment_is_looked_for_from_the_first_block_of_all() -> None:
    """A protocol that begins later takes no block from one that was there before."""
    (late,) = POOLS.contracts
    younger = replace(POOLS, contracts=(replace(late, from_block=FIRST + 2),))
    asked = job(Path(), protocols=(FEED, younger), from_block=moment(12))

    clock = Clock([0, 12, 24], FIRST)

    work = asyncio.run(in_blocks(clock, asked, clock.heads))  # type: ignore[arg-type]

    assert work.from_block == FIRST + 1


class Pruned(Clock):
    """A node that has thrown away what lies before its first block."""

    async def headers(self, numbers: Sequence[int]) -> pl.DataFrame:
        """Return what is asked for, where it was kept."""
        assert min(numbers) >= self.first
        return await super().headers(numbers)


def test_an_end_is_looked_for_from_the_beginning_on() -> None:
    """Who says where to begin asks for no block before it, which a node may not have kept."""
    clock = Pruned([24, 36, 48], FIRST + 2)
    asked = job(Path(), protocols=(FEED,), from_block=FIRST + 2, to_block=moment(48))

    work = asyncio.run(in_blocks(clock, asked, clock.heads))  # type: ignore[arg-type]

    assert work.to_block == FIRST + 3


def test_an_end_that_the_head_passes_meanwhile_is_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to come when the run began is looked for again with every look at the head."""
    monkeypatch.setattr("indexer.sync.converge._FRESH_SECONDS", 0)
    chain, end = live(), BLOCKS + 5
    rig = Rig(chain)

    def grow() -> None:
        """Let the chain grow once, while logs are asked for."""
        if rig.calls["eth_getLogs"] and len(chain.blocks) == BLOCKS:
            chain.mine(20)

    rig.on_request = grow
    with serving(rig):
        run(job(tmp_path / "a.duckdb", to_block=moment(12 * end)), rig.url)

    tops = "select protocol, max(to_block) from coverage group by 1 order by 1"
    last = FIRST + end - 1
    assert rows(tmp_path / "a.duckdb", tops) == [("feed", last), ("pools", last)]


def test_the_first_moment_of_all_is_before_every_block() -> None:
    """No moment is before it, and from it on is from the first block on."""
    asked = job(Path(), protocols=(FEED,), from_block=datetime.min)

    clock = Clock([0, 12, 24], FIRST)

    work = asyncio.run(in_blocks(clock, asked, clock.heads))  # type: ignore[arg-type]

    assert work.from_block == FIRST


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"from_block": moment(99_999)}, "is after the head"),
        ({"from_block": moment(600), "to_block": moment(300)}, "after --to"),
        ({"from_block": FIRST + 90, "to_block": moment(300)}, "after --to"),
    ],
)
def test_moments_that_cannot_be(tmp_path: Path, settings: dict[str, object], said: str) -> None:
    """A beginning after the head or after the end is the user's mistake."""
    with serve([served(blocks(COUNT))]) as node, pytest.raises(UserError, match=said):
        run(job(tmp_path / "a.duckdb", **settings), node.url)


def test_recorded_blocks_have_no_times(tmp_path: Path) -> None:
    """Blocks that stand in for unrecorded ones cannot be searched by time: numbers are named."""
    chain = served(blocks(COUNT), client_version=REPLAY_CLIENT)
    with serve([chain]) as node, pytest.raises(UserError, match="as block numbers"):
        run(job(tmp_path / "a.duckdb", from_block=moment(60)), node.url)


def heads_of(chain: ServedChain, known: Chain) -> Heads:
    """Return what sync makes of a chain's heads."""

    async def ask(url: str) -> Heads:
        """Return the heads that a node shows."""
        async with Node([Endpoint(url)], known) as node:
            return await read_heads(node, known)

    with serve([chain]) as node:
        return asyncio.run(ask(node.url))


@pytest.mark.parametrize("seconds", [0.1, 1.5, 12])
def test_age_is_measured_whatever_the_pace(seconds: float) -> None:
    """Without tags the window is a time: many blocks of a fast chain, few of a slow one."""
    chain = told({}, 600, seconds=seconds)
    slow_guess = replace(ETHEREUM, block_seconds=5, finality_seconds=40)

    heads = heads_of(served(chain, has_tags=False), slow_guess)

    newest = int(seconds * 599)
    old = [number for number in range(600) if int(seconds * number) <= newest - 40]
    assert heads.finalized == FIRST + old[-1]
    assert heads.settled == heads.finalized
    assert heads.reason("finalized") == "40 s old by block time"


def test_tags_are_the_reason_where_they_are_known() -> None:
    """A node that says what is final is believed, and named as the reason."""
    heads = heads_of(served(blocks(COUNT)), ETHEREUM)

    assert heads.finalized == FIRST + COUNT - 65
    assert [heads.reason(name) for name in ("latest", "safe", "finalized")] == [
        "tag latest",
        "tag safe",
        "tag finalized",
    ]


def test_a_node_that_answers_every_tag_with_its_head_is_not_believed() -> None:
    """Nothing is final at once on a chain that needs minutes; on one that does not it may be."""
    chain = served(blocks(COUNT), safe_lag=0, finalized_lag=0)

    heads = heads_of(chain, ETHEREUM)
    instant = heads_of(chain, replace(ETHEREUM, finality_seconds=10))

    assert heads.finalized == FIRST + COUNT - 81  # 960 s of 12 s blocks
    assert heads.safe == heads.finalized
    assert instant.finalized == FIRST + COUNT - 1


def test_the_reason_is_stored_and_follows(tmp_path: Path) -> None:
    """Coverage says how its finality is known, also when it rises later."""
    path = tmp_path / "a.duckdb"
    for count in (COUNT, COUNT + 100):
        with serve([served(blocks(count), has_tags=False)]) as node:
            run(job(path), node.url)

    assert rows(path, "select distinct finality, finality_reason from coverage order by 1") == [
        ("finalized", "960 s old by block time"),
        ("latest", "tag latest"),
    ]
