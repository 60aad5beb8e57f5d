"""Several ranges under way at once: the same database whatever order the answers come in."""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from delays import delayed, shuffled
from sync_rig import (
    BIRTH,
    DECIMALS,
    FEED,
    FIRST,
    answer,
    birth,
    blocks,
    contents,
    deposit,
    indexed,
    job,
    run,
    served,
    told,
    word,
)

from indexer.chains import ETHEREUM
from indexer.errors import RangeTooLarge
from indexer.facts import Known
from indexer.rpc import HEADERS, LOGS, Filter, Header
from indexer.simulation.blocks import Log
from indexer.simulation.node import serve
from indexer.simulation.served import ServedChain
from indexer.sync.ahead import Ahead
from indexer.sync.pieces import Fetched, Piece
from indexer.sync.plan import Segment
from indexer.sync.span import Span
from indexer.tables import empty

COUNT = 200


def random_chain(seed: int) -> ServedChain:
    """Return a chain whose pools are born anywhere and see deposits before and after."""
    numbers = random.Random(seed)
    pools = [bytes([item + 1]) * 20 for item in range(numbers.randint(1, 9))]
    happens: dict[int, list[Log]] = defaultdict(list)
    for _ in range(150):
        number = FIRST + numbers.randrange(COUNT)
        happens[number] += [deposit(numbers.choice(pools), number), answer(number)]
    for pool in pools:
        for _ in range(numbers.choice((1, 1, 2))):  # some are announced twice
            place = happens[FIRST + numbers.randrange(COUNT - 50)]
            place.insert(numbers.randint(0, len(place)), birth(pool))
    calls: dict[tuple[int | None, str, str], str] = {
        (None, "0x" + pool.hex(), DECIMALS): "0x" + word(6).hex() for pool in pools
    }
    return replace(served(told(happens, COUNT)), calls=calls)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in (1, 2, 3))]
)
def test_order_of_answers_does_not_show(tmp_path: Path, seed: int) -> None:
    """Births anywhere, ranges of any length, answers in any order: every table ends the same."""
    chain = random_chain(seed)
    with serve([chain]) as node:
        run(job(tmp_path / "one.duckdb", max_ranges=1, max_span=COUNT), node.url)

    with delayed([chain], shuffled(seed, 0.05)) as slow:
        span = random.Random(seed).choice((7, 23, 50))
        run(job(tmp_path / "many.duckdb", max_ranges=8, max_span=span), slow.url)

    assert contents(tmp_path / "many.duckdb") == contents(tmp_path / "one.duckdb")
    assert slow.busiest > 3


@pytest.mark.parametrize(
    "limit", [*(pytest.param(limit, marks=pytest.mark.soak) for limit in (0, 1)), 3]
)
def test_asking_by_event_alone_ends_the_same(tmp_path: Path, limit: int) -> None:
    """Where more contracts are known than may be named, others' logs of the event are left out."""
    chain = random_chain(1)
    asked: list[object] = []

    def intercept(_slug: str, body: bytes) -> None:
        calls = json.loads(body)
        for call in calls if isinstance(calls, list) else [calls]:
            if call["method"] == "eth_getLogs":
                asked.append(call["params"][0].get("address"))

    with serve([chain], intercept=intercept) as node:
        run(job(tmp_path / "named.duckdb"), node.url)
        assert None not in asked
        asked.clear()
        run(job(tmp_path / "open.duckdb", max_addresses=limit, max_span=40), node.url)

    assert None in asked
    assert contents(tmp_path / "open.duckdb") == contents(tmp_path / "named.duckdb")


def test_endpoints_are_not_asked_more_than_allowed(tmp_path: Path) -> None:
    """No more requests are under way than ranges may be."""
    with delayed([served(blocks(COUNT))], lambda: 0.02) as slow:
        run(job(tmp_path / "a.duckdb", protocols=(FEED,), max_span=20, max_ranges=3), slow.url)

    assert 1 < slow.busiest <= 3


def test_a_refusal_among_several_loses_nothing(tmp_path: Path) -> None:
    """Ranges that the node refuses while others are under way are asked again, shorter."""
    indexed(tmp_path / "free.duckdb", COUNT)

    strict = served(blocks(COUNT), max_logs=15, max_block_span=40)
    with delayed([strict], shuffled(3, 0.02)) as slow:
        run(job(tmp_path / "held.duckdb"), slow.url)

    assert contents(tmp_path / "held.duckdb") == contents(tmp_path / "free.duckdb")


class Wide:
    """A node in this process whose every block has a log of so many bytes."""

    requests = 0

    def __init__(self, log_bytes: int) -> None:
        """Hold nothing yet."""
        self.under_way = self.most = 0
        self._log_bytes = log_bytes

    async def logs(
        self, _wanted: Filter, from_block: int, to_block: int
    ) -> tuple[pl.DataFrame, Header]:
        """Return one log a block, after letting others ask."""
        self.under_way += 1
        await asyncio.sleep(0.001)
        numbers = range(from_block, to_block + 1)
        octets = {name: [b"\0" * 32] * len(numbers) for name in LOGS if LOGS[name] == pl.Binary}
        columns = {
            **octets,
            "block_number": list(numbers),
            "tx_hash": [number.to_bytes(32, "big") for number in numbers],
            "data": [bytes(self._log_bytes)] * len(numbers),
            **{name: [0] * len(numbers) for name in ("tx_index", "log_index")},
        }
        self.most = max(self.most, self.under_way)
        frame = pl.DataFrame(columns, LOGS)
        return frame, Header(to_block, b"", b"", None, None)

    async def headers(self, _numbers: Sequence[int]) -> pl.DataFrame:
        """Return none: no log belongs to anybody."""
        return pl.DataFrame(schema=HEADERS)


async def held(node: Wide, blocks_in_all: int) -> list[Fetched]:
    """Fetch blocks from a node as several ranges, and count what waits after each."""
    span = Span(target=100, most=100)

    def cut(segment: Segment, first: int, last: int, parent: bytes | None) -> Piece:
        """Return a settled piece of the feed."""
        return Piece(
            first, last, (FEED,), segment.finality, is_settled=True, parent=parent, is_whole=True
        )

    known = Known(empty("tokens"), empty("markets"), empty("contracts"))
    ahead = Ahead(node, ETHEREUM, known, span, cut, most=8, most_requests=None, hashes={})  # type: ignore[arg-type]
    found = []
    segment = Segment(0, blocks_in_all - 1, ("feed",), "finalized", is_settled=True)
    async for fetched in ahead.ranges([segment]):
        node.under_way -= 1
        found.append(fetched)
    return found


@pytest.mark.parametrize(("log_bytes", "most"), [(10, 8), (300_000, 4)])
def test_what_is_held_is_bounded(log_bytes: int, most: int) -> None:
    """Ranges of 30 MB wait three at a time, small ones as many as are allowed."""
    node = Wide(log_bytes)

    found = asyncio.run(held(node, 2_000))

    assert most - 1 <= node.most <= most
    ends = [(item.piece.from_block, item.piece.to_block) for item in found]
    assert ends[0][0] == 0
    assert ends[-1][1] == 1_999
    assert all(left[1] + 1 == right[0] for left, right in pairwise(ends))


def test_a_block_too_large_keeps_what_is_below(tmp_path: Path) -> None:
    """A refused single block among several ranges ends the run there, not before."""
    chain = served(blocks(COUNT), max_logs=1)
    path = tmp_path / "a.duckdb"
    begun = job(path, from_block=BIRTH - 15)

    with (
        delayed([chain], shuffled(5, 0.01)) as slow,
        pytest.raises(RangeTooLarge, match=f"block {BIRTH + 5} alone"),
    ):
        run(begun, slow.url)

    with serve([served(blocks(COUNT))]) as node:
        run(begun, node.url)
        run(replace(begun, path=tmp_path / "new.duckdb"), node.url)
    assert contents(path) == contents(tmp_path / "new.duckdb")


def test_a_refusal_of_a_childs_logs_alone_loses_nothing(tmp_path: Path) -> None:
    """What a child born below adds to a range under way may be too much: it is asked in parts."""
    pool, count = b"\x07" * 20, 120
    happens = {FIRST + place: [answer(place + 1)] for place in range(0, count, 40)}
    happens[FIRST + 40] = [birth(pool)]
    for number in range(FIRST + 60, FIRST + count):
        happens.setdefault(number, []).extend([deposit(pool, number)] * 3)
    calls: dict[tuple[int | None, str, str], str] = {
        (None, "0x" + pool.hex(), DECIMALS): "0x" + word(6).hex()
    }
    chain = replace(served(told(happens, count)), calls=calls, safe_lag=1, finalized_lag=1)
    with serve([chain]) as node:
        run(job(tmp_path / "free.duckdb"), node.url)

    with delayed([replace(chain, max_logs=50)], lambda: 0.02) as slow:
        run(job(tmp_path / "held.duckdb", max_span=30), slow.url)

    assert contents(tmp_path / "held.duckdb") == contents(tmp_path / "free.duckdb")
