"""From a number to its transactions: the facts that are shown give the number again, exactly."""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from every_fact import every_fact
from handmade import at, load, table, write_database
from hypothesis import given, settings
from hypothesis import strategies as st
from report_rows import written_market
from simulated_world import book
from test_twins import EXAMPLES, situations
from typer.testing import CliRunner, Result

from analytics.computations import of_metric, of_query
from analytics.compute import collected, compute
from analytics.errors import UserError, WorldError
from analytics.metrics import METRICS, Metric
from analytics.plain_text import visible
from analytics.queries import queries, query_named
from analytics.reports.chain_names import CHAIN_NAMES, EXPLORERS, block_link, transaction_link
from analytics.reports.evidence import added, evidence, places, subtotals
from analytics.trace import Question, Together, traced, traced_together
from indexer.chains import CHAINS
from perpscope import app

GMX = {"protocol": "gmx", "version": "v2"}
SNX = {"protocol": "snx", "version": "v3"}
# The simulated books hold no pool with ranges of price, none that tells what it lends, no
# parameters of a price impact, no fee without a price, no default and no symbol of a market; the
# windows of some metrics are those of October 2025 by default.
SILENT = {
    *("depth", "depth_change", "income_valuations", "defaults", "recoveries", "heartbeat_breaches"),
    *("missed_updates", "mark_oracle_basis", "liquidations_off_oracle", "oracle_age_at_exits"),
    *("asset_correlation", "event_drops", "event_shape", "pool_resilience", "yield_stability"),
    *("zero_liquidations", "impact_depth", "impact_depth_change", "utilisation"),
}


def question(metric: str, row: pl.DataFrame, column: str | None = None) -> Question:
    """Return the question about one row of a metric with its usual settings."""
    return Question(of_metric(metric, {}), row, column)


def largest(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the row with the largest amount, or the first one where there are no amounts."""
    amounts = [
        name for name, dtype in rows.schema.items() if dtype.is_float() or dtype.is_decimal()
    ]
    return (rows.sort(amounts[0], descending=True, nulls_last=True) if amounts else rows)[0]


def remarkable(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the first and last row, and the one with the largest amount, each once."""
    chosen = [rows[0], rows[-1], largest(rows)]
    return [row for at, row in enumerate(chosen) if not any(map(row.equals, chosen[:at]))]


def check_traced(metric: str, row: pl.DataFrame) -> None:
    """Check that a row of the books, computed from the facts it is traced to, is the same row."""
    facts = traced(question(metric, row), book)

    assert question(metric, row).is_answered_by(facts)
    assert sum(map(len, facts.values())) > 0


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_every_metric_is_what_its_facts_give(metric: str) -> None:
    """The largest row of each metric: computed from the traced facts, the same row."""
    rows = collected(compute(metric, book))
    if rows.is_empty():
        assert metric in SILENT
        return

    check_traced(metric, largest(rows))


@pytest.mark.soak  # the largest row above, and first and last ones of any facts below
@pytest.mark.parametrize("metric", sorted(METRICS.keys() - SILENT))
def test_first_and_last_rows_are_what_their_facts_give(metric: str) -> None:
    """Where a metric of the books begins and where it ends it is what its facts give."""
    rows = collected(compute(metric, book))

    for row in (rows[0], rows[-1]):
        check_traced(metric, row)


@pytest.mark.parametrize("metric", sorted(METRICS))
@settings(max_examples=EXAMPLES // 2)
@given(data=st.data())
def test_rows_of_any_facts_are_traced(metric: str, data: st.DataObject) -> None:
    """On generated rows, with equal moments and unknown keys, rows follow from their facts."""
    facts = load(**data.draw(situations(metric)))
    rows = collected(compute(metric, facts))

    for row in remarkable(rows) if rows.height else []:
        assert question(metric, row).is_answered_by(traced(question(metric, row), facts))


@pytest.mark.parametrize(
    "asked",
    [
        "fees_usd=3.0000000000000000001",
        "fees_usd>=1e300",
        "fees_usd<=99999999999999999999999",
        "fees_usd=nan",
        "fee_count=99999999999999999999999",
    ],
)
def test_a_value_that_no_row_can_have_is_refused(tmp_path: Path, asked: str) -> None:
    """It is neither cut to what a row has, nor the fault of the rows."""
    fees = table("fees", {"fee_usd": 3})
    path = write_database(tmp_path / "a.duckdb", {"fees": fees})

    found = CliRunner().invoke(app, ["trace", "fees", "--where", asked, "--database", str(path)])

    assert isinstance(found.exception, UserError)
    assert str(found.exception).startswith(f"--where {asked[: asked.index('=')].rstrip('<>')}: ")


@pytest.mark.parametrize("column", ["open_interest_long_usd", "open_interest_total_tokens"])
def test_one_number_of_a_row_is_traced_alone(column: str) -> None:
    """A single column rests on no more facts than its whole row."""
    row = collected(compute("open_interest", book))[-1]

    alone = traced(question("open_interest", row, column=column), book)
    whole = traced(question("open_interest", row), book)

    assert 0 < len(alone["open_interest"]) <= len(whole["open_interest"])
    assert question("open_interest", row, column=column).is_answered_by(alone)


def test_one_number_rests_on_no_table_that_is_not_in_it() -> None:
    """What events of open interest say is open rests on no position, though its row does."""
    sides = ((0, True), (1, False))
    days = [GMX | {"is_long": side, "block_timestamp": at(days=day)} for day, side in sides]
    facts = load(
        open_interest=table("open_interest", *(day | {"open_interest_usd": 5} for day in days)),
        position_changes=table(
            "position_changes", *(day | {"notional_delta_usd": 5} for day in days)
        ),
    )
    row = collected(compute("open_interest_reconciliation", facts))[-1]

    found = [
        traced(question("open_interest_reconciliation", row, column), facts)["position_changes"]
        for column in ("state_usd", None)
    ]

    assert [rows.height for rows in found] == [0, 2]


@pytest.mark.parametrize("count", [1, 10_001], ids=["few", "many"])
def test_the_same_number_of_another_row_is_no_answer(count: int) -> None:
    """Both venues were paid as much: the fees of one say nothing of the other's."""
    both = [pl.concat([table("fees", venue | {"fee_usd": 1})] * count) for venue in (GMX, SNX)]
    row = collected(compute("fees", load(fees=both[0])))

    asked = question("fees", row, column="fees_usd")

    assert [asked.is_answered_by({"fees": fees}) for fees in both] == [True, False]


def test_a_sum_rests_on_its_addends() -> None:
    """A day's fees of one market and kind are exactly the rows of that day, market and kind."""
    btc = GMX | {"market": "BTC"}
    frames = {
        "fees": table(
            "fees",
            btc | {"fee_usd": 1},
            btc | {"fee_usd": "2.000000000000000001", "block_timestamp": at(60)},
            btc | {"fee_usd": 4, "block_timestamp": at(days=1)},
            GMX | {"fee_usd": 8},
            SNX | {"fee_usd": 16},
        )
    }
    rows = collected(compute("fees", load(**frames)))
    row = rows.filter(date=datetime(2025, 10, 10).date(), protocol="gmx", market="BTC")

    facts = traced(question("fees", row), load(**frames))

    assert facts["fees"]["fee_usd"].to_list() == [1, Decimal("2.000000000000000001")]
    sums = subtotals(facts, row).rows(named=True)
    assert [(each["amount"], each["total"], each["equals"]) for each in sums] == [
        ("fee_usd", "3.000000000000000001", "fees_usd")
    ]


def test_a_key_that_is_not_known_is_a_key() -> None:
    """The fees without a market are traced to the rows without one, not to none."""
    frames = {"fees": table("fees", GMX | {"fee_usd": 8}, GMX | {"fee_usd": 1, "market": "BTC"})}
    row = collected(compute("fees", load(**frames))).filter(pl.col("market").is_null())

    assert traced(question("fees", row), load(**frames))["fees"]["fee_usd"].to_list() == [8]


def open_interest(*values: Mapping[str, object]) -> Callable[[str], pl.LazyFrame]:
    """Return a loader with events of open interest, an hour apart."""
    rows = (
        GMX | dict(value) | {"block_number": place, "block_timestamp": at(3600 * place)}
        for place, value in enumerate(values)
    )
    return load(open_interest=table("open_interest", *rows))


def test_a_level_rests_on_the_last_event_of_each_side() -> None:
    """Of many absolute values only the latest long and the latest short one count."""
    facts = open_interest(
        {"open_interest_usd": 9, "is_long": True},
        {"open_interest_usd": 5, "is_long": False},
        {"open_interest_usd": 5, "is_long": False},
        *({"open_interest_usd": place, "is_long": True} for place in range(20)),
    )
    row = collected(compute("open_interest", facts))[-1]

    found = traced(question("open_interest", row), facts)["open_interest"]

    assert found["block_number"].to_list() == [2, 22]


def test_changes_that_cancel_out_are_not_left_out() -> None:
    """Where only changes are told, each of them counts, also those that add up to nothing."""
    changes = (7, -7, 3, -3, 1, 1)
    facts = open_interest(*({"open_interest_delta_usd": change} for change in changes))
    row = collected(compute("open_interest", facts))[-1]

    found = traced(question("open_interest", row), facts)["open_interest"]

    assert found["open_interest_delta_usd"].to_list() == list(changes)


def test_a_comparison_rests_on_two_updates() -> None:
    """A deviation needs the update itself and the latest one of the other source."""
    prices = {"asset": "ETH", "quote": "USD"}
    facts = load(
        oracle_updates=table(
            "oracle_updates",
            *(
                prices
                | {"feed": "0xb", "oracle_price_quote": 100 + place, "block_number": place}
                | {"block_timestamp": at(place)}
                for place in range(9)
            ),
            prices
            | {"feed": "0xa", "oracle_price_quote": 99, "block_number": 9}
            | {"block_timestamp": at(9)},
        )
    )
    row = collected(compute("oracle_deviation", facts)).filter(feed="0xa")

    found = traced(question("oracle_deviation", row), facts)["oracle_updates"]

    assert found["block_number"].to_list() == [8, 9]


def test_a_mean_deviation_rests_on_all_that_both_sources_told() -> None:
    """And on nothing of a third one."""
    told = (
        {"asset": "ETH", "feed": feed, "oracle_price_quote": price, "block_timestamp": at(second)}
        for second in (0, 60, 120)
        for feed, price in (("0xa", 99), ("0xb", 100), ("0xc", 101))
    )
    facts = load(oracle_updates=table("oracle_updates", *told))
    rows = collected(compute("oracle_deviation_interval", facts))
    row = rows.filter(feed="0xa", reference_feed="0xb")

    found = traced(question("oracle_deviation_interval", row), facts)["oracle_updates"]

    assert row["mean_deviation_bps"].to_list() == [-100]
    assert found["feed"].to_list() == ["0xa", "0xb"] * 3


def test_a_window_holds_its_own_events() -> None:
    """A minute's velocity rests on the minute that follows, its acceleration on the one before."""
    moments = (-31, -30, 0, 30, 50, 89, 90)
    facts = load(
        liquidations=table(
            "liquidations", *({"notional_usd": 60, "block_timestamp": at(each)} for each in moments)
        )
    )
    row = collected(compute("liquidation_velocity", facts)).filter(block_timestamp=at(30))

    asked = question("liquidation_velocity", row)

    whole = traced(asked, facts)["liquidations"]
    number = traced(replace(asked, column="velocity_usd_per_second"), facts)["liquidations"]

    assert whole["block_timestamp"].to_list() == [at(each) for each in moments[1:-1]]
    assert number["block_timestamp"].to_list() == [at(30), at(50), at(89)]


def test_a_row_of_another_step_proves_nothing() -> None:
    """Two waves by 60 s are not proven by two liquidations, which are as many by 1 s."""
    facts = [
        table("liquidations", *({"block_timestamp": at(each)} for each in moments))
        for moments in ((0, 20, 900), (0, 20))
    ]
    whole, few = ({"liquidations": rows, "adls": table("adls")} for rows in facts)
    rows = collected(compute("wave_sensitivity", load(**whole)))

    asked = question("wave_sensitivity", rows.filter(gap_seconds=60), "wave_count")

    assert rows.filter(gap_seconds=60)["wave_count"].item() == 2
    assert asked.is_answered_by(whole)
    assert not asked.is_answered_by(few)


@pytest.mark.parametrize("kept", [None, pl.col("date") == at(days=2).date()])
def test_a_window_of_days_holds_what_cancels_out_and_nothing_later(kept: pl.Expr | None) -> None:
    """Five dollars and their return are of the month that seven end; one of the next day is not."""
    earned = ((0, 5), (1, -5), (2, 7), (3, 1))
    fees = [
        {"treasury_usd": usd, "holders_usd": 0, "block_timestamp": at(days=day)}
        for day, usd in earned
    ]
    bought = {"spent_usd": 3, "block_timestamp": at(days=2)}
    facts = load(fees=table("fees", *fees), buybacks=table("buybacks", bought))
    row = collected(compute("buyback_ratio", facts)).filter(date=at(days=2).date())

    if kept is None:
        found = traced(question("buyback_ratio", row), facts)
    else:
        found = traced_together(Together(of_metric("buyback_ratio", {}), row, kept), facts)

    assert found["fees"]["block_timestamp"].to_list() == [at(days=day) for day, _ in earned[:3]]


MIDNIGHT = 3 * 3600
DAYS = {
    "fees": table(
        "fees",
        GMX | {"fee_usd": 1, "block_timestamp": at(days=-1)},
        GMX | {"fee_usd": "2.000000000000000001"},
        GMX | {"fee_usd": None, "block_timestamp": at(60)},
        GMX | {"fee_usd": 4, "block_timestamp": at(MIDNIGHT)},
        SNX | {"fee_usd": 16},
    )
}


@pytest.mark.parametrize(
    ("kept", "blocks"),
    [
        (pl.lit(value=True), 5),
        (pl.col("protocol") == "gmx", 4),
        ((pl.col("protocol") == "gmx") & (pl.col("date") >= at().date()), 3),
        ((pl.col("protocol") == "gmx") & (pl.col("date") == at().date()), 2),
    ],
)
def test_rows_together_rest_on_what_they_share(kept: pl.Expr, blocks: int) -> None:
    """Keys and time of all rows at once decide which facts they rest on, unknown ones included."""
    rows = collected(compute("fees", load(**DAYS)).filter(kept))

    facts = traced_together(Together(of_metric("fees", {}), rows, kept), load(**DAYS))

    assert facts["fees"].height == blocks


def test_rows_that_look_back_rest_on_what_was_before() -> None:
    """Where the facts of the rows' own time do not suffice, all earlier ones of the key count."""
    changes = ({"open_interest_delta_usd": 1},) * 3
    facts = open_interest({"open_interest_usd": 7}, *changes, SNX | {"open_interest_usd": 9})
    kept = (pl.col("bucket_at") >= at(7200)) & (pl.col("protocol") == "gmx")
    rows = collected(compute("open_interest", facts).filter(kept))

    found = traced_together(Together(of_metric("open_interest", {}), rows, kept), facts)

    assert found["open_interest"].height == 4


def test_rows_together_rest_on_the_windows_around_them() -> None:
    """From a window before the first row to one after the last."""
    moments = (-31, -30, 0, 30, 50, 90, 91)
    facts = load(
        liquidations=table(
            "liquidations", *({"notional_usd": 60, "block_timestamp": at(each)} for each in moments)
        )
    )
    kept = pl.col("block_timestamp") == at(30)
    computed = of_metric("liquidation_velocity", {})
    rows = collected(computed.rows(facts).filter(kept))

    found = traced_together(Together(computed, rows, kept), facts)["liquidations"]

    assert found["block_timestamp"].to_list() == [at(each) for each in moments[1:-1]]


def newest_first(fees: pl.LazyFrame) -> pl.LazyFrame:
    """Return a metric whose rows go back in time: the fees of each day."""
    days = fees.group_by(date=pl.col("block_timestamp").dt.date())
    return days.agg(pl.col("fee_usd").sum()).sort("date", descending=True)


def of_all_markets(fees: pl.LazyFrame) -> pl.LazyFrame:
    """Return a metric that says of a market what no fact has: the fees of all of them."""
    return fees.group_by("protocol", market=pl.lit("all")).agg(pl.col("fee_usd").sum())


def of_periods_of_its_own(fees: pl.LazyFrame) -> pl.LazyFrame:
    """Return a metric of periods whose length no setting tells: the fees of each minute."""
    minute = pl.col("block_timestamp").dt.truncate("1m")
    return fees.group_by("protocol", bucket_at=minute).agg(pl.col("fee_usd").sum())


def fees_of(metric: Metric, told: Callable[[str], pl.LazyFrame], kept: pl.Expr) -> list[list[int]]:
    """Return the fees that rows of a metric rest on: the last of them alone, and all together."""
    computed = of_metric("mine", {}, {"mine": metric})
    rows = collected(computed.rows(told).filter(kept))
    alone = traced(Question(computed, rows[-1]), told)
    together = traced_together(Together(computed, rows, kept), told)
    return [found["fees"]["fee_usd"].cast(pl.Int64).to_list() for found in (alone, together)]


def test_what_tells_rows_apart_need_not_be_in_their_facts() -> None:
    """Rows that go back in time, a market of no fact, a time of no known length."""
    days = ((GMX, -1), (GMX, 0), (GMX, 0), (GMX, 1), (SNX, 0))
    told = load(
        fees=table(
            "fees",
            *(
                dict(venue) | {"fee_usd": usd, "block_timestamp": at(days=day)}
                for usd, (venue, day) in enumerate(days, 1)
            ),
        )
    )
    is_gmx, is_late = pl.col("protocol") == "gmx", pl.col("date") >= at().date()

    assert fees_of(newest_first, told, is_late) == [[2, 3, 5], [2, 3, 4, 5]]
    assert fees_of(of_all_markets, told, is_gmx) == [[1, 2, 3, 4], [1, 2, 3, 4, 5]]
    assert fees_of(of_periods_of_its_own, told, is_gmx) == [[1, 2, 3, 4], [1, 2, 3, 4]]


def largest_ever(fees: pl.LazyFrame) -> pl.LazyFrame:
    """Return a metric of no day at all: the largest fee."""
    return fees.select(pl.col("fee_usd").max())


def counted_calls() -> Callable[[pl.LazyFrame], pl.LazyFrame]:
    """Return a metric that never gives the same number twice."""
    calls: list[int] = []

    def unsteady(fees: pl.LazyFrame) -> pl.LazyFrame:
        calls.append(1)
        return fees.select(pl.lit(len(calls)).alias("number"))

    return unsteady


def test_a_metric_nobody_registered_is_traced() -> None:
    """A metric without a time or a key rests on everything, which is true if long."""
    facts = load(fees=table("fees", {"fee_usd": 1}, {"fee_usd": 3}))
    computed = of_metric("largest_ever", {}, {"largest_ever": largest_ever})
    row = collected(computed.rows(facts))

    assert len(traced(Question(computed, row), facts)["fees"]) == 2


def test_a_metric_that_cannot_be_reproduced_has_no_trace() -> None:
    """A number that comes out differently each time is refused, never traced wrongly."""
    facts = load(fees=table("fees", {"fee_usd": 1}))
    computed = of_metric("unsteady", {}, {"unsteady": counted_calls()})
    row = collected(computed.rows(facts))

    with pytest.raises(WorldError, match="a trace would be wrong"):
        traced(Question(computed, row), facts)
    with pytest.raises(WorldError, match="a trace would be wrong"):
        traced_together(Together(computed, row, pl.lit(value=True)), facts)


def test_evidence_says_what_each_hash_is() -> None:
    """A log's is a transaction, a reading's a block, a file's its venue's; and how final it is."""
    tx = "0x" + "ab" * 32
    facts = {
        "fees": table(
            "fees",
            {"chain_id": 1, "block_number": 7, "log_index": 2, "tx_hash": tx},
            {"chain_id": 1, "block_number": 30, "log_index": -1, "tx_hash": tx},
            {"chain_id": -1, "block_number": 7, "tx_hash": tx},
            {"chain_id": -2, "block_number": 7, "tx_hash": "fill-1"},
            {"chain_id": 10, "block_number": 7, "tx_hash": tx},
        ),
        "policies": table("policies", {"kind": "buyback_share", "value": 1}),
        "rejects": table("rejects", {"chain_id": 10, "tx_hash": tx}),
    }
    covered = {"protocol": "venue", "from_block": 5, "to_block": 9, "proof": "bloom"}
    safe = covered | {"chain_id": 1, "finality": "safe"}

    told = evidence(facts, table("coverage", safe), made_up=frozenset({10}))

    assert told.select("chain_id", "hash_kind", "proof", "finality", "link").rows() == [
        (-2, "venue", "imported", None, None),
        (-1, "venue", "imported", None, f"https://app.hyperliquid.xyz/explorer/tx/{tx}"),
        (1, "transaction", "bloom", "safe", f"https://etherscan.io/tx/{tx}"),
        (1, "block", "not covered", None, "https://etherscan.io/block/30"),
        (10, "transaction", "not covered", None, None),
        (None, None, None, None, None),
        (10, "transaction", "not covered", None, None),
    ]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ((1, 0, 1), " in 2 transactions"),
        ((1, 0, -1), " in 1 transaction and read at 1 block"),
        ((1, -1, -1), " read at 1 block"),
        ((-1, 0, 1), " in 2 transactions"),
    ],
)
def test_what_was_read_is_in_no_transaction(where: tuple[int, int, int], said: str) -> None:
    """A hash of it is a block's; and zeros, which a venue tells of some fills, are none."""
    chain_id, *logs = where
    rows = table(
        "fees",
        *(
            {"chain_id": chain_id, "log_index": log, "tx_hash": f"0x{number:064x}"}
            for number, log in enumerate(logs, start=16)
        ),
    )
    nameless = table("fees", {"chain_id": -1, "log_index": 0, "tx_hash": f"0x{0:064x}"})

    assert places(rows) == said
    assert places(pl.concat([rows, nameless])) == said
    assert not places(nameless)


def test_hashes_of_blocks_are_written_as_hex() -> None:
    """What has no losses rests on times of blocks, whose hashes are bytes that JSON cannot hold."""
    block = {
        "chain_id": 1,
        "number": 7,
        "hash": b"\x01\xff",
        "parent_hash": b"",
        "timestamp": at(0),
    }

    told = evidence({"blocks": table("blocks", block)}, table("coverage"))

    assert told.select("hash", "parent_hash", "logs_bloom").row(0) == ("0x01ff", "0x", None)
    assert told.select("block_number", "block_timestamp").row(0) == (7, at(0))


def test_a_log_is_of_a_transaction_and_of_no_protocol() -> None:
    """Whoever reads it: its hash leads to the explorer, how far it is proven is not said."""
    raw = {"chain_id": 1, "block_number": 7, "tx_index": 0, "block_hash": b"h", "data": b""}
    logs = table("logs", raw | {"tx_hash": b"\xab" * 32, "address": b"\xc0" * 20})
    told = evidence({"logs": logs, "fees": table("fees", GMX)}, table("coverage"))

    log = told.filter(table="logs").row(0, named=True)
    assert log["tx_hash"] == f"0x{'ab' * 32}"
    assert log["link"] == transaction_link(1, log["tx_hash"])
    assert log["address"] == f"0x{'c0' * 20}"
    assert log["proof"] is None


def test_every_chain_says_where_its_transactions_are_shown() -> None:
    """Explorers are stated for the indexer's chains, or stated to be missing."""
    assert EXPLORERS.keys() == CHAIN_NAMES.keys() == {chain.chain_id for chain in CHAINS}, (
        "name each chain and its explorer in analytics/reports/chain_names.py"
    )
    assert transaction_link(1, "fill-1") is None
    assert transaction_link(-1, "0x" + "00" * 32) is None
    assert block_link(80001, 1) is None


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of the small market."""
    return written_market(tmp_path_factory.mktemp("trace"))


def run(*arguments: str | Path) -> Result:
    """Run `perpscope trace`."""
    return CliRunner().invoke(app, ["trace", *map(str, arguments)])


def test_the_command_shows_number_sum_and_transactions(database: Path) -> None:
    """Number and sum stand above the rows; the data is called simulated, and has no links."""
    said = run(
        *("fees", "--database", database, "--where", "date=2025-10-10"),
        *("--where", "fee_kind=position", "--where", "chain_id=arbitrum"),
    ).stdout

    assert said.startswith("SIMULATED DATA: ethereum, arbitrum")
    assert "  fees_usd = 20.000000000000000001\n" in said
    assert "rests on 2 rows of fees in 2 transactions" in said
    assert said.count("20.000000000000000001") == 2
    assert "scan.io" not in said


def test_the_command_traces_a_query(database: Path) -> None:
    """A row of a stored query rests on its own facts; parameters and limits are those of both."""
    asked = ("liquidated_accounts", "--database", database, "--chain", "arbitrum")
    said = run(*asked, "--where", "liquidation_count=1", "--limit", "1").stdout
    number = said.partition("  notional_usd = ")[2].partition("\n")[0]

    assert "rests on 1 row of liquidations in 1 transaction" in said
    assert f"{number}  " in said.partition("rests on")[2]
    after = run(*asked, "--param", "since=2030-01-01").exception
    assert str(after) == "liquidated_accounts has no rows"


def test_the_command_takes_a_window(database: Path) -> None:
    """With --from and --to a day is the part of it within them, and its trace as well."""
    asked = ("fees", "--database", database, "--where", "protocol=gmx_v2", "--column", "fees_usd")

    said = run(*asked, "--from", "2025-10-10T22:00:00", "--to", "2025-10-11T00:00:00").stdout

    assert "  fees_usd = 10.000000000000000000\n" in said
    assert "rests on 1 row of fees" in said


def test_a_window_of_before_is_traced_as_the_metric_has_it(database: Path) -> None:
    """The facts of a window that began before --from are in its trace, unless it is cut there."""
    asked = ("run_rate", "--database", database, "--column", "fees_usd", "--protocol", "gmx_v2")
    later = ("--from", "2025-10-11", "--limit", "1")

    whole, cut = run(*asked, *later).stdout, run(*asked, *later, "--cut-windows").stdout

    assert "  fees_usd = 25.000000000000000001\n" in whole
    assert "rests on 3 rows of fees" in whole
    assert "  fees_usd = 5.000000000000000000\n" in cut
    assert "rests on 1 row of fees" in cut


@pytest.mark.parametrize(
    "asset", ["two\nlines", "\x1b[2Jred", "a\u202eb", "back\\slash", "\U000e0041A"]
)
def test_a_row_is_named_as_it_is_shown(tmp_path: Path, asset: str) -> None:
    """What nobody sees in a key is written out in a report's command, and found by that."""
    prices = ({"asset": each, "oracle_price_quote": 1} for each in (asset, "ETH"))
    frames = {"oracle_updates": table("oracle_updates", *prices)}
    path = write_database(tmp_path / "p.duckdb", frames)

    said = run("oracle_wicks", "--database", path, "--where", f"asset={visible(asset)}")

    assert said.exit_code == 0, said.exception
    assert "rests on 1 row of oracle_updates" in said.stdout


@pytest.mark.parametrize(("is_long", "rate"), [("true", "0.001"), ("False", "0.002")])
def test_a_side_is_named_as_it_is_written(tmp_path: Path, is_long: str, rate: str) -> None:
    """In commands of a report it is True, in JSON and SQL true."""
    rates = ((True, "0.003"), (False, "0.006"))
    told = ({"is_long": side, "funding_rate_daily_ratio": ratio} for side, ratio in rates)
    path = write_database(tmp_path / "a.duckdb", {"funding": table("funding", *told)})

    said = run("funding_rate_8h", "--where", f"is_long={is_long}", "--database", path).stdout

    assert f"  funding_rate_8h = {rate}\n" in said
    assert "rests on 1 row of funding" in said


def test_the_command_adds_rows_up(database: Path) -> None:
    """Together, the rows are one number: the sum of the facts below it, to the last digit."""
    asked = ("fees", "--database", database, "--together", "--limit", "1")

    everything, later = run(*asked).stdout, run(*asked, "--where", "date>=2025-10-11").stdout

    assert "2 rows of fees: chain_id 42161, protocol gmx_v2" in everything
    assert "  fees_usd = 25.000000000000000001\n" in everything
    assert everything.count("25.000000000000000001") == 2
    assert "1 row of fees: date 2025-10-11" in later


def test_a_sum_of_some_rows_says_so(database: Path) -> None:
    """Of two days of revenue one is unknown: the sum is of the other, and is told as that."""
    said = run("protocol_revenue", "--database", database, "--together").stdout

    assert "  revenue_usd = 8.000000000000000000\n" in said
    assert "  revenue_usd is the sum of what is known: unknown in 1 of 2 rows\n" in said
    assert (
        "is the sum of what is known"
        not in run("fees", "--database", database, "--together").stdout
    )


DECIDE = "name what its rows add up to, or in `evidence` that it is a level:"
# Of every metric, what rows that share all keys add up to; windows and levels add up to nothing.
ADDS_UP = {
    "adl_budget": "deficit_usd",
    "adl_counterparty_share": "notional_usd",
    "adl_progress": "notional_usd total_notional_usd",
    "adl_to_liquidation": "notional_usd liquidation_notional_usd backstop_notional_usd",
    "adl_waves": ("notional_usd realized_pnl_usd liquidation_notional_usd backstop_notional_usd"),
    "adls": (
        "notional_usd notional_long_usd notional_short_usd realized_pnl_usd "
        "liquidation_notional_usd"
    ),
    "buyback_columns": "fees_usd revenue_usd holders_usd spent_usd burned_tokens",
    "buyback_lag": "spent_usd revenue_usd",
    "buyback_prices": "bought_tokens spent_usd value_usd",
    "buybacks": "bought_tokens spent_tokens spent_usd burned_tokens",
    "buybacks_by_destination": "bought_tokens burned_tokens spent_usd",
    "buybacks_valued": "spent_usd told_usd valued_usd",
    "cascade_sessions": "notional_usd bad_debt_usd",
    "concentration": "notional_usd",
    "credit_fees": "fee_tokens fees_usd supply_side_usd treasury_usd holders_usd",
    "defaults": "loss_tokens",
    "event_shape": "liquidated_usd worst_minute_usd",
    "fees": "fees_usd",
    "fees_by_kind": "fees_usd supply_side_usd treasury_usd holders_usd",
    "fees_valued": "fees_usd told_usd valued_usd",
    "forced_closes": "notional_usd bad_debt_usd",
    "funding_paid": "paid_usd received_usd net_paid_usd",
    "holders_revenue": "holders_usd",
    "impairments": "written_down_tokens",
    "income_valuations": "amount_tokens value_usd",
    "interest_paid": "interest_tokens principal_tokens unsplit_tokens",
    "kelly": "won_usd lost_usd",
    "liquidation_concentration": "total_notional_usd notional_usd",
    "liquidation_fee_yield": "notional_usd fee_usd shortfall_usd",
    "liquidation_progress": "notional_usd total_notional_usd",
    "liquidation_waves": "notional_usd",
    "liquidations": (
        "notional_usd notional_long_usd notional_short_usd collateral_usd realized_pnl_usd "
        "fee_usd shortfall_usd"
    ),
    "liquidations_off_oracle": "notional_usd",
    "net_flows": (
        "inflow_tokens outflow_tokens net_tokens net_shares_tokens dividend_shares_tokens"
    ),
    "net_flows_valued": "inflow_usd outflow_usd net_usd",
    "open_interest_against_closed": (
        "open_interest_change_usd opened_usd closed_by_trade_usd closed_by_liquidation_usd "
        "closed_by_adl_usd closed_by_other_usd unexplained_usd"
    ),
    "oracle_age_at_exits": "notional_usd",
    "pool_resilience": "out_tokens",
    "protocol_revenue": "revenue_usd treasury_usd",
    "recoveries": "recovered_tokens sale_tokens",
    "resilience": "liquidation_notional_usd adl_notional_usd",
    "supply_side": "supply_side_usd",
    "take_rate": "supply_side_usd revenue_usd",
    "treasury_revenue": "treasury_usd",
}


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_it_is_decided_of_every_amount_whether_it_adds_up(metric: str) -> None:
    """A sum of trailing windows, of levels or of prices is no number of anything."""
    schema = compute(metric, load()).collect_schema()
    rows = pl.DataFrame({key: [None, None] for key in schema}, schema)

    found = added(of_metric(metric, {}), rows).columns
    assert found == ADDS_UP.get(metric, "").split(), f"{DECIDE} in ADDS_UP"


# Of queries that are no metric's twin.
QUERIES_ADD_UP = {
    "account_results": "realized_pnl_usd liquidation_pnl_usd adl_pnl_usd",
    "adl_victims": "notional_usd realized_pnl_usd",
    "borrowers": "principal_tokens",
    "buyback_promises": "revenue_usd holders_usd spent_usd burned_tokens",
    "cascade_timeline": "liquidated_usd deleveraged_usd adl_pnl_usd",
    "credit_losses": (
        "written_down_tokens defaulted_tokens recovered_tokens bad_debt_tokens debt_queued_tokens "
        "cover_in_tokens cover_out_tokens"
    ),
    "fee_split": "fees_usd supply_side_usd treasury_usd holders_usd unsplit_usd",
    "lenders": "net_tokens shares_tokens",
    "lending_liquidations": "repaid_tokens seized_tokens",
    "liquidated_accounts": "notional_usd collateral_usd realized_pnl_usd fee_usd shortfall_usd",
    "liquidated_positions": "collateral_usd",
    "pool_states_latest": "assets_tokens principal_tokens",
    "shortfall_by_venue": (
        "liquidation_shortfall_usd bad_debt_usd insurance_in_usd insurance_out_usd"
    ),
    "redemption_queue": "requested_tokens removed_tokens paid_tokens waiting_tokens",
    "split_changed": "fees_usd supply_side_usd treasury_usd holders_usd",
}


@pytest.mark.parametrize("query", sorted(queries()))
def test_what_adds_up_in_sql_is_what_does_in_polars(query: str) -> None:
    """The SQL twin of a level is a level, whatever it is asked for as."""
    given = {
        each.name: "0x" for each in query_named(query).parameters if each.default == "required"
    }
    computed = of_query(query, given)
    schema = computed.rows(load()).collect_schema()
    rows = pl.DataFrame({key: [None, None] for key in schema}, schema)

    metric = query.removeprefix("metrics/")
    sums = QUERIES_ADD_UP.get(query, "") if metric == query else ADDS_UP.get(metric, "")
    found = sorted(added(computed, rows).columns)
    assert found == sorted(sums.split()), f"{DECIDE} in QUERIES_ADD_UP, of a twin in ADDS_UP"


@pytest.mark.parametrize(
    ("different", "amounts"),
    [
        ("date", ["a_usd", "a_tokens"]),
        ("bought_token", ["a_usd"]),
        ("market", ["a_usd"]),
        ("share_percent", []),
        ("reference_feed", []),
        ("part", []),
    ],
)
def test_rows_add_up_only_where_they_are_of_different_events(
    different: str, amounts: list[str]
) -> None:
    """The first half of a sum is in the whole of it, and two tokens are no amount of one."""
    decimals = pl.DataFrame({"a_usd": ["1", "2"], "a_tokens": ["3", "4"]}).cast(pl.Decimal(38, 18))
    rows = pl.DataFrame({different: ["x", "y"], "protocol": ["gmx", "gmx"]}).hstack(decimals)

    fees = of_metric("fees", {})
    assert added(fees, rows).columns == amounts
    assert added(fees, rows[:1]).columns == ["a_usd", "a_tokens"]


@pytest.mark.parametrize(
    ("metric", "column"), [("open_interest", "open_interest_total_usd"), ("run_rate", "fees_usd")]
)
def test_levels_and_windows_do_not_add_up(database: Path, metric: str, column: str) -> None:
    """Open interest of two moments has no sum, nor have days of which each is in the next."""
    asked = (metric, "--database", database, "--together")

    assert column not in run(*asked).stdout.partition("rests on")[0]
    refused = run(*asked, "--column", column).exception
    assert str(refused) == f"{column} of these rows does not add up: trace one row"


def test_no_sum_is_said_to_equal_a_zero() -> None:
    """What the treasury got of no fee is not what was spent on buybacks, zero as both are."""
    facts = {"fees": table("fees", {"fee_usd": 3, "treasury_usd": 0})}
    row = pl.DataFrame({"spent_usd": ["0"], "revenue_usd": ["3"]}).cast(pl.Decimal(38, 18))

    assert subtotals(facts, row).select("amount", "equals").rows() == [
        ("fee_usd", "revenue_usd"),
        ("treasury_usd", None),
    ]


@pytest.mark.parametrize(
    ("tokens", "said"), [(("a", "a"), "3.000000000000000000"), (("a", "b"), None)]
)
def test_tokens_of_two_kinds_have_no_sum(tokens: tuple[str, str], said: str | None) -> None:
    """Ether and dollars paid as fees are not so many tokens, unless the row itself says so."""
    rows = (
        {"fee_token": token, "fee_tokens": amount}
        for token, amount in zip(tokens, "12", strict=True)
    )
    facts = {"fees": table("fees", *rows)}
    row = pl.DataFrame({"fees_tokens": ["3"]}).cast(pl.Decimal(38, 18))

    (alone,) = subtotals(facts, row.select(fee_count=1)).rows(named=True)
    (equal,) = subtotals(facts, row).rows(named=True)

    assert alone["total"] == said
    assert (equal["total"], equal["equals"]) == ("3.000000000000000000", "fees_tokens")


def test_the_prices_that_judge_a_protocol_are_not_its_own_alone(tmp_path: Path) -> None:
    """A liquidation is traced to the price of another protocol as well, as `metric` finds it."""
    path = write_database(tmp_path / "p.duckdb", every_fact())
    limit = ["--protocol", "venue", "--database", str(path), "--format", "csv"]

    asked = CliRunner().invoke(app, ["metric", "liquidations_off_oracle", *limit])
    found = CliRunner().invoke(app, ["trace", "liquidations_off_oracle", *limit])

    assert asked.exit_code == found.exit_code == 0
    assert "other" in pl.read_csv(StringIO(found.stdout))["protocol"].to_list()


def test_other_forms_hold_the_rows(database: Path) -> None:
    """CSV and JSON have one row per fact, numbered by the row of the metric it belongs to."""
    asked = ("liquidations", "--database", database, "--limit", "9", "--format")

    rows = list(csv.DictReader(StringIO(run(*asked, "csv").stdout)))
    same = json.loads(run(*asked, "json").stdout)

    assert [row["number"] for row in rows] == ["1", "1", "1"]
    assert {row["table"] for row in rows} == {"liquidations"}
    assert [row["tx_hash"] for row in rows] == [row["tx_hash"] for row in same]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fees", "--where", "day=2025-10-10"), "fees has no column day: it has date"),
        (("fees", "--where", "date=soon"), "--where date: 'soon' is not a day"),
        (("fees", "--where", "protocol=dydx"), "no row of fees has protocol = dydx"),
        (("fees", "--where", "fees_usd>=1e9"), "no row of fees has fees_usd >= 1e9"),
        (("fees", "--limit", "1"), "2 rows of fees fit, --limit allows 1"),
        (("fees", "--column", "fee", "--where", "date=2025-10-11"), "fees has no column fee"),
        (("fee",), "no metric or query is called fee: did you mean fees"),
        (("xyz",), "called xyz: `perpscope metric` and `perpscope query` list them"),
        (("liquidated_account",), "called liquidated_account: did you mean liquidated_accounts"),
        (("fee_split", "--param", "day=1"), "fee_split has no parameter day: it has since, until"),
        (("fee_split", "--param", "since=soon"), "parameter since: 'soon' is not a UTC time"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    database: Path, arguments: tuple[str, ...], message: str
) -> None:
    """An unknown column, value or metric, or too many rows, are the user's mistake."""
    result = run(*arguments, "--database", database)

    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
