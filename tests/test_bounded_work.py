"""What a chain, a node or a file decides the number of costs its number, not the square of it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

import duckdb
import numpy as np
import polars as pl
import pytest
from abi_rows import event_of, logs_of
from eth_abi.abi import encode
from handmade import at, fill, table
from polars.testing import assert_frame_equal
from test_metric_adl_ranks import change, cut
from test_twins import by_sql

from analytics.lags import _beside
from analytics.metrics.adl_ranks import _moments, _ranked
from analytics.positions import histories, open_at
from indexer.chains import ETHEREUM
from indexer.decode.abi import Parameter
from indexer.decode.columns import decode
from indexer.decode.int256 import decimal, from_int
from indexer.decode.limbs import scale
from indexer.decode.template import matches
from indexer.decode.walk import walked
from indexer.protocols.lido import PROTOCOL as LIDO
from indexer.rpc import Header
from indexer.store import read_failures, record, rewind, write_collected
from indexer.store.connection import delete, insert, transaction
from indexer.store.creation import make_missing
from indexer.store.fingerprint import EMPTY
from indexer.sync.declarations import is_unchanged
from indexer.sync.heads import Heads
from indexer.sync.landing import Tally
from indexer.sync.plan import plan
from indexer.sync.repairing import covering
from indexer.sync.stretches import Wanted, parts
from indexer.tables import columns_of, empty

FAR = 10**9
HEADS = Heads(Header(FAR, b"", b"", datetime(2025, 1, 1), None), FAR, FAR, FAR)
NOON, MINUTE = datetime(2026, 1, 1, 12), timedelta(minutes=1)
SLUG = LIDO.slug

# 25,000 logs of one transaction, each of which looks like the companion of each of 25,000 others.
COMPANIONS = """
import resource
import numpy as np
import polars as pl
from indexer.decode.columns import Column
from indexer.facts.matching import Decodings, match
from indexer.spec import Companion

LOGS = 25_000
words, present = np.zeros((LOGS, 32), np.uint8), np.ones(LOGS, np.bool_)
ids = {"id": Column("uint", words, None, present, ~present)}
place = {"tx_hash": [b"t"] * LOGS, "address": [b"a"] * LOGS}
own, others = (
    Decodings(pl.DataFrame(place | {"log_index": np.arange(LOGS) * 2 + first}), ids)
    for first in (0, 1)
)
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
found, twice = match(Companion("Other", "id", {"id": "id"}), own, {"Other": others})
print(found.rows.max(), twice.sum())
"""

# 20,000 trades of a transaction, each of which 20,000 prices of it are near.
TRADES = """
import resource
import polars as pl
from analytics.impact import trade_depths
from indexer.tables import columns_of

def many(name, **row):
    event = {"chain_id": 1, "block_number": 1, "tx_hash": "0x1", "item_index": 0}
    one = pl.DataFrame([event | row], columns_of(name)).drop("log_index")
    return one.join(pl.select(log_index=pl.int_range(20_000)), how="cross").lazy()

trades = many("position_changes", notional_delta_usd=1, execution_price_usd=101, is_long=True)
prices = many("oracle_updates", oracle_price_quote=100)
prices = prices.with_columns(pl.col("oracle_price_quote") + pl.col("log_index") % 7)
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
print(trade_depths(trades, prices, 200.0).collect(engine="streaming").height)
"""


def calls(work: Callable[[], object], of: Callable[..., object] | None = None) -> int:
    """Return how many calls of Python functions work makes, or of one; turns of generators too."""
    count = 0

    def seen(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        is_meant = of is None or frame.f_code is of.__code__
        count += event == "call" and is_meant

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def coverage(rows: int) -> pl.DataFrame:
    """Return rows of `coverage`: five blocks in ten each."""
    said = {"chain_id": 1, "protocol": SLUG, "declaration_digest": "x/y", "finality": "finalized"}
    said |= {"finality_reason": "tag", "proof": "fetched", "logs_digest": EMPTY}
    ends = [{"from_block": 10 * row, "to_block": 10 * row + 4} for row in range(rows)]
    hashes = {"to_block_hash": "0x" + "11" * 32}
    return pl.DataFrame([said | end | hashes for end in ends], columns_of("coverage"))


def audits(rows: int, *, verdict: str = "failed", minute: int = 0) -> pl.DataFrame:
    """Return rows of `audits` of the same blocks; what passes leaves out the last of each."""
    last = 4 if verdict == "failed" else 3
    told = [
        (1, SLUG, 10 * row, 10 * row + last, "bloom", verdict, "why", NOON + minute * MINUTE)
        for row in range(rows)
    ]
    return pl.DataFrame(told, columns_of("audits"), orient="row")


def database(path: Path, table: str, *rows: pl.DataFrame) -> Path:
    """Return a database that holds these rows."""
    make_missing(path)
    with transaction(path) as connection:
        insert(connection, table, pl.concat(rows))
    return path


def test_what_is_not_stored_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` asks it of every declaration on every chain, and their digests take seconds."""
    monkeypatch.setattr("indexer.sync.declarations.label", lambda *_: pytest.fail("was made"))

    assert is_unchanged(LIDO, ETHEREUM, empty("coverage"))


def test_logs_that_are_companions_of_each_other_are_not_paired() -> None:
    """25,000 logs of a transaction that all match 25,000 others fit 4 GiB; pairs of them do not."""
    done = subprocess.run(
        [sys.executable, "-c", COMPANIONS], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("0 25000\n", "")


def test_few_shapes_are_tried_in_a_block() -> None:
    """Rows of which every two share a shape are walked, not held against a thousand shapes."""
    event = event_of(tuple(Parameter(name, "string", False, ()) for name in "abc"))  # noqa: FBT003
    texts = [("a" * (1 + row % 32), "b" * (1 + row // 32), "c") for row in range(1_000)]
    logs = logs_of(event, [encode(["string"] * 3, each) for each in texts for _ in range(2)])
    accepted = decode(event, [], logs).accepted

    assert accepted.all()
    assert calls(lambda: decode(event, [], logs), of=matches) < 100


def test_rows_that_share_no_shape_are_walked_one_by_one() -> None:
    """After the first few of a block whose shape no other row has, none is tried."""
    event = event_of(tuple(Parameter(name, "string", False, ()) for name in "abc"))  # noqa: FBT003
    texts = [("a" * (1 + row % 32), "b" * (1 + row // 32), "c") for row in range(1_000)]
    logs = logs_of(event, [encode(["string"] * 3, each) for each in texts])

    assert calls(lambda: decode(event, [], logs), of=matches) < 10


def test_a_shape_is_known_in_the_next_block() -> None:
    """Two shapes of one length in turn, of more rows than a block has: each is walked once."""
    event = event_of(tuple(Parameter(name, "string", False, ()) for name in "ab"))  # noqa: FBT003
    pair = [encode(["string"] * 2, each) for each in (("a", "b" * 33), ("a" * 33, "b"))]
    logs = logs_of(event, pair * 5_000)

    assert calls(lambda: decode(event, [], logs), of=walked) == 2


def test_decimals_that_differ_on_every_row_are_few() -> None:
    """Of decimals that no number has, all that are too many, or too few, are one."""
    places = np.arange(-20_000, 20_000)
    value = from_int(1, len(places))

    assert calls(lambda: decimal(value, places), of=scale) < 600
    assert decimal(value, places)[1].sum() == 20_019


@pytest.mark.parametrize(
    "planned",
    [
        lambda rows: parts(Wanted(ETHEREUM, 0, FAR, None), [LIDO], rows),
        lambda rows: parts(Wanted(ETHEREUM, 0, FAR, 500), [LIDO], rows),
        lambda rows: plan({SLUG: rows["from_block", "to_block"].rows()}, {SLUG: (0, FAR)}, HEADS),
    ],
    ids=["verified", "sampled", "indexed"],
)
def test_intervals_are_not_held_against_each_other(planned: Callable[..., object]) -> None:
    """Four times as many intervals of coverage take about four times as many steps."""
    few, many = (coverage(rows) for rows in (250, 1_000))

    assert calls(lambda: list(planned(many))) < 8 * calls(lambda: list(planned(few)))  # type: ignore[call-overload]


def test_audits_are_not_held_against_each_other(tmp_path: Path) -> None:
    """Four times as many failures and what healed them take about four times as many steps."""
    few, many = (
        database(
            tmp_path / f"{rows}.duckdb",
            "audits",
            audits(rows),
            audits(rows, verdict="passed", minute=1),
        )
        for rows in (250, 1_000)
    )
    left = read_failures(many, 1)

    assert left.rows()[:2] == [(SLUG, 4, 4, "bloom", "why"), (SLUG, 14, 14, "bloom", "why")]
    assert len(left) == 1_000
    assert calls(lambda: read_failures(many, 1)) < 8 * calls(lambda: read_failures(few, 1))


def test_what_was_found_is_healed_by_what_came_later_alone(tmp_path: Path) -> None:
    """A pass of the same moment, or before, heals nothing; the newest words are told."""
    path = database(
        tmp_path / "some.duckdb",
        "audits",
        audits(3, verdict="passed"),
        audits(2),
        audits(1, minute=2).with_columns(detail=pl.lit("again")),
        audits(1, verdict="passed", minute=1),
    )

    assert read_failures(path, 1).rows() == [
        (SLUG, 0, 4, "bloom", "again"),
        (SLUG, 4, 4, "bloom", "why"),
        (SLUG, 10, 14, "bloom", "why"),
    ]


def test_a_run_joins_what_it_finds_to_what_it_found(tmp_path: Path) -> None:
    """Blocks that follow those of the part before are told with them, and others apart."""
    path = database(tmp_path / "some.duckdb", "audits", audits(2))
    more = audits(2).with_columns(pl.col("from_block") + 5, to_block=pl.col("to_block") + 4)

    record(path, 1, more, [], lambda _stored: lambda _logs: {})

    with transaction(path, read_only=True) as connection:
        found = connection.execute("select from_block, to_block from audits order by 1").fetchall()
    assert found == [(0, 8), (10, 18)]


def test_failures_meet_the_coverage_that_holds_them() -> None:
    """As many pairs as overlap, not as there are."""
    failed = audits(1_000).select("protocol", low="from_block", high=pl.col("to_block") + 6)

    met = covering(failed, coverage(1_000))

    assert len(met) == 1_999
    assert met.filter(pl.col("low") == 0)["from_block"].sort().to_list() == [0, 10]


def test_taking_back_many_intervals_asks_for_each_table_once(tmp_path: Path) -> None:
    """A rewind deletes as often for forty intervals as for four."""
    few, many = (
        database(tmp_path / f"{rows}.duckdb", "coverage", coverage(rows)) for rows in (5, 41)
    )

    def back(path: Path) -> object:
        return rewind(path, 1, {SLUG: 4}, "for tests", lambda _stored: lambda _logs: {})

    assert calls(lambda: back(many), of=delete) == calls(lambda: back(few), of=delete)


def reads(rows: int) -> pl.DataFrame:
    """Return a question of each of some blocks that nobody could answer."""
    asked = {"chain_id": 1, "protocol": SLUG, "read": "price", "block_hash": b"b" * 32}
    asked |= {"block_timestamp": NOON, "log_index": -1, "call": "price", "address": b"a" * 20}
    asked |= {"input": b"", "state": "not_collected"}
    told = [asked | {"block_number": number} for number in range(rows)]
    return pl.DataFrame(told, columns_of("reads"))


def test_answers_take_the_place_of_what_was_asked_at_once(tmp_path: Path) -> None:
    """As many deletions for forty blocks as for four, and others keep waiting."""
    for number in (4, 40):
        path = database(tmp_path / f"{number}.duckdb", "reads", reads(50))
        fresh = reads(number).with_columns(state=pl.lit("available"), answer=pl.lit(b"1"))
        rows = {"reads": fresh, "tokens": empty("tokens")}

        assert calls(lambda: write_collected(path, 1, rows, empty("coverage")), of=delete) == 1  # noqa: B023

        with transaction(path, read_only=True) as connection:
            states = connection.execute("select state from reads order by block_number").fetchall()
        assert states == [("available",)] * number + [("not_collected",)] * (50 - number)


def test_a_run_shows_the_commonest_reasons() -> None:
    """Each unknown token is a reason of its own: what is beyond the first few is one line."""
    tally = Tally(rejects=Counter({"a": 3, "b": 2, "c": 1, "d": 1}))

    assert tally.reasons(3) == tally.reasons(9) == [("a", 3), ("b", 2), ("c", 1), ("d", 1)]
    assert tally.reasons(2) == [
        ("a", 3),
        ("b", 2),
        ("2 other reasons, see `perpscope query rejects_by_reason`", 2),
    ]


def test_queues_are_valued_some_moments_at_a_time() -> None:
    """Of many moments as many positions are held at once as are asked for, or those of one."""
    opened = [change(f"0x{number}", 1, 50, 20) for number in range(20)]
    cuts = [cut(f"0x{number}", block_timestamp=at(60 + number)) for number in range(20)]
    changes = histories(table("position_changes", *opened).lazy())
    moments = _moments(table("adls", *cuts).lazy(), table("liquidations").lazy(), 60)
    held: list[int] = []

    def seen(rows: pl.DataFrame) -> pl.DataFrame:
        held.append(len(rows))
        return rows

    def told(positions: pl.LazyFrame, asked: pl.LazyFrame) -> pl.LazyFrame:
        return _ranked(positions.map_batches(seen), asked)

    at_once = open_at(changes, moments, told).collect()
    each = open_at(changes, moments, told, most_rows=1).collect()

    assert held == [400] + [20] * 20
    assert_frame_equal(at_once, each, check_row_order=False)


def test_moves_are_beside_other_sources_some_at_a_time() -> None:
    """Of 40 sources with 20 moves each not all 31,200 pairs are held, nor the lags of all."""
    moves = pl.select(who=pl.int_range(800) % 40).select(pl.lit("BTC").alias("kind"), "who")

    few, many = ([each.height for each in _beside(moves, lags, 2_000)] for lags in (20, 100))

    assert max(few) <= 3 * 780
    assert max(many) <= 780
    assert sum(few) == sum(many) == 40 * 780


def test_queues_are_not_held_in_sql() -> None:
    """400 cuts among 600 positions fit 60 MB; all that are open at each moment do not."""
    opened = [change(f"0x{number}", 1, 50, 20) for number in range(600)]
    cuts = [cut(f"0x{number}", block_timestamp=at(60 + number)) for number in range(400)]
    frames = {"adls": table("adls", *cuts), "position_changes": table("position_changes", *opened)}
    con = duckdb.connect(config={"threads": 1, "max_temp_directory_size": "0B"})
    fill(con, {})
    con.execute("set memory_limit = '60MB'")

    found = by_sql(con, "adl_ranks", frames | {"liquidations": table("liquidations")})

    assert set(found["open_count"]) == {600}
    assert set(found["place_bitmex"]) == {1}


def test_prices_of_a_transaction_are_not_all_compared_with_its_trades() -> None:
    """20,000 trades and prices of one transaction fit 2 GiB and 20 s; pairs of them fit neither."""
    done = subprocess.run(
        [sys.executable, "-c", TRADES], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("20000\n", "")
