"""The figures of a window from facts, on tables small enough to compute in the head."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from handmade import at, table
from hypothesis import given
from hypothesis import strategies as st

from analytics.metrics.open_interest import open_interest
from analytics.metrics.oracles import oracle_deviation
from analytics.studies.event import Part, lines
from analytics.studies.forced import (
    adl_holders,
    adl_times,
    adl_waves,
    exit_markets,
    exit_minutes,
    exit_windows,
    forced_exits,
)
from analytics.studies.levels import (
    drawdowns,
    executed,
    funding_signs,
    minutes_apart,
    since_open,
)
from analytics.studies.published import published_totals, totals

Row = Mapping[str, object]
NOTHING = table("adls").lazy()
TOLD = table(
    "declared_facts", *({"protocol": "venue", "fact": fact} for fact in ("adls", "liquidations"))
).lazy()
UNTOLD = table("declared_facts").lazy()


def adls(*rows: Row) -> pl.LazyFrame:
    """Return ADLs."""
    return table("adls", *rows).lazy()


def liquidations(*rows: Row) -> pl.LazyFrame:
    """Return liquidations."""
    return table("liquidations", *rows).lazy()


def after(seconds: float, usd: object, **rest: object) -> Row:
    """Return an exit so many seconds after 21:00."""
    return {"block_timestamp": at(seconds), "notional_usd": usd, **rest}


def test_exits_of_a_protocol_in_one_row() -> None:
    """ADLs of 30 begin 61 s after liquidations of 120, of which 90 were long."""
    cut = adls(after(61, 10), after(90, 20, account="0xb"))
    forced = liquidations(after(0, 90, is_long=True), after(5, 30, is_long=False))

    row = forced_exits(cut, forced, TOLD).collect().row(0, named=True)

    assert (row["adl_count"], row["adl_account_count"], row["liquidation_count"]) == (2, 2, 2)
    assert (row["adl_notional_usd"], row["liquidation_notional_usd"]) == (30, 120)
    assert (row["trigger_lag_ms"], row["long_ratio"]) == (61_000, 0.75)
    assert row["adl_to_liquidation_ratio"] == 0.25


def test_no_adl_is_a_measured_zero() -> None:
    """A protocol that only liquidates has zero ADLs, no lag, and a ratio of zero."""
    row = forced_exits(NOTHING, liquidations(after(0, 90)), TOLD).collect().row(0, named=True)

    assert (row["adl_count"], row["adl_unknown_notional_count"]) == (0, 0)
    assert (row["adl_notional_usd"], row["adl_to_liquidation_ratio"]) == (0, 0)
    assert row["trigger_lag_ms"] is None


def test_adls_that_nothing_could_tell_of_are_not_known() -> None:
    """Beside a declaration of liquidations alone, what is known of them stays; so by the minute."""
    told = TOLD.filter(pl.col("fact") == "liquidations")
    forced = liquidations(after(0, 90))

    row = forced_exits(NOTHING, forced, told).collect().row(0, named=True)
    sums = [found(NOTHING, forced, told).collect() for found in (exit_minutes, exit_markets)]

    assert {value for name, value in row.items() if name.startswith("adl_")} == {None}
    assert (row["liquidation_count"], row["liquidation_notional_usd"]) == (1, 90)
    for each in sums:
        assert each.select("adl_notional_usd", "liquidation_notional_usd").rows() == [(None, 90)]


def test_accounts_that_no_event_tells_are_not_none() -> None:
    """An ADL of somebody is not one of nobody; where there is no ADL, there is no account."""
    cut = adls(after(0, 10, account=None))

    rows = [
        forced_exits(each, liquidations(after(0, 90)), TOLD).collect() for each in (cut, NOTHING)
    ]

    assert [row["adl_account_count"].item() for row in rows] == [None, 0]


def test_a_ratio_is_not_known_while_a_notional_is_not() -> None:
    """What is known is summed, the ratio is left open."""
    cut = adls(after(0, 10), after(0, None))

    row = forced_exits(cut, liquidations(after(0, 90)), TOLD).collect().row(0, named=True)

    assert (row["adl_notional_usd"], row["adl_unknown_notional_count"]) == (10, 1)
    assert row["adl_to_liquidation_ratio"] is None


def test_a_share_of_longs_needs_every_side() -> None:
    """One position whose side is not said leaves the share open."""
    forced = liquidations(after(0, 90, is_long=True), after(5, 30))

    assert forced_exits(NOTHING, forced, TOLD).collect()["long_ratio"].to_list() == [None]


def test_holders_are_accounts_not_fills() -> None:
    """Two fills of one account are one holder of 3/4; whose account is unknown is no holder."""
    cut = adls(
        after(0, 1),
        after(1, 2),
        after(2, 1, account="0xb"),
        after(3, 50, account=None),
    )

    row = adl_holders(cut).collect().row(0, named=True)

    assert (row["adl_account_count"], row["top1_ratio"], row["gini_ratio"]) == (2, 0.75, 0.25)


def test_an_address_is_a_holder_of_each_chain() -> None:
    """One address on two chains is two accounts, one of 3/4."""
    cut = adls(after(0, 1), after(1, 3, chain_id=42161))

    holders = adl_holders(cut).collect().row(0, named=True)
    exits = forced_exits(cut, NOTHING, TOLD).collect()

    assert (holders["adl_account_count"], holders["top1_ratio"]) == (2, 0.75)
    assert exits["adl_account_count"].to_list() == [2]


def test_percents_of_each_protocol() -> None:
    """Half of one protocol does not wait for the other."""
    cut = adls(after(0, 1), after(9, 1), after(5, 9, protocol="other"))

    found = adl_times(cut).filter(pl.col("percent") == 50).collect()

    assert found.select("protocol", "reached_at").rows() == [("other", at(5)), ("venue", at(0))]


def test_windows_of_both_kinds_of_exit() -> None:
    """70 % of the ADLs come together at once, those of the liquidations within 10 s."""
    cut = adls(after(0, 7), after(60, 3))
    forced = liquidations(after(0, 4), after(10, 4), after(100, 2))

    found = exit_windows(cut, forced).collect()

    assert found.select("exit", "milliseconds", "notional_usd").rows() == [
        ("adl", 0, 7),
        ("liquidation", 10_000, 8),
    ]


def test_no_wave_is_left_out() -> None:
    """A pause of 5 s is inside a wave, one of 6 s ends it; a market of its own changes nothing."""
    cut = adls(after(0, 1), after(5, 2, market="ETH"), after(11, 4))

    found = adl_waves(cut).collect()

    assert found.select("wave", "adl_count", "notional_usd").rows() == [(1, 2, 3), (2, 1, 4)]
    assert adl_waves(cut, gap_ms=6000).collect().height == 1


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=9), st.integers(0, 20))
def test_waves_and_minutes_add_up_to_all(events: list[tuple[int, int]], gap: int) -> None:
    """Whatever the gap, nothing is lost and nothing is counted twice."""
    cut = adls(*(after(seconds, usd) for seconds, usd in events))
    total = sum(usd for _, usd in events)

    waves = adl_waves(cut, gap_ms=gap * 1000).collect()
    minutes = exit_minutes(cut, table("liquidations").lazy(), TOLD).collect()

    assert waves["notional_usd"].sum() == total
    assert minutes["adl_notional_usd"].sum() == total
    assert waves["adl_count"].sum() == len(events)


def test_a_minute_without_one_kind_has_zero_of_it() -> None:
    """21:00 has both, 21:01 liquidations only; an ADL of unknown notional is not zero."""
    cut = adls(after(0, 5), after(120, None))
    forced = liquidations(after(59, 7), after(60, 8))

    found = exit_minutes(cut, forced, TOLD).collect()

    assert found.select("adl_notional_usd", "liquidation_notional_usd").rows() == [
        (5, 7),
        (0, 8),
        (None, 0),
    ]


def test_markets_with_most_adls_come_first() -> None:
    """Chains stay apart."""
    cut = adls(after(0, 5), after(0, 6, market="ETH"), after(0, 7, chain_id=10))

    found = exit_markets(cut, liquidations(after(0, 1, market="SOL")), TOLD).collect()

    assert found.select("chain_id", "market").rows() == [
        (10, "BTC"),
        (1, "ETH"),
        (1, "BTC"),
        (1, "SOL"),
    ]


def test_a_drawdown_is_from_the_highest_before() -> None:
    """100, 200, 50, 150: three quarters went; in base units, which stood still, nothing."""
    values = ("100", "200", "50", "150")
    events = table(
        "open_interest",
        *(
            {
                "block_number": i,
                "block_timestamp": at(60 * i),
                "open_interest_usd": usd if is_long else "0",
                "open_interest_tokens": "2" if is_long else "0",
                "is_long": is_long,
            }
            for i, usd in enumerate(values)
            for is_long in (True, False)
        ),
    ).lazy()

    row = drawdowns(open_interest(events, bucket_seconds=60)).collect().row(0, named=True)

    assert (row["drawdown_usd_ratio"], row["drawdown_tokens_ratio"]) == (-0.75, 0)


def test_no_drawdown_is_deeper_than_all_that_was_open() -> None:
    """5 and 10 less come to less than nothing: what was open before the window is missing."""
    changes = (
        {"open_interest_delta_usd": usd, "block_timestamp": at(second)}
        for second, usd in ((0, 5), (60, -10), (120, 20))
    )
    events = table("open_interest", *changes).lazy()

    row = drawdowns(open_interest(events, bucket_seconds=60)).collect().row(0, named=True)

    assert row["drawdown_usd_ratio"] is None


def opened(*told: tuple[str, int, int, int]) -> pl.LazyFrame:
    """Return open interest by the minute: market, chain, minute after 21:00, USD."""
    columns = ("market", "chain_id", "bucket_at", "open_interest_total_usd")
    usual = {"protocol": "venue", "version": "v1", "open_interest_total_tokens": Decimal(1)}
    rows = [
        usual | dict(zip(columns, (market, chain, at(60 * minute), Decimal(usd)), strict=True))
        for market, chain, minute, usd in told
    ]
    return pl.DataFrame(rows).lazy()


def test_a_window_begins_with_what_was_open() -> None:
    """From 21:02 on: its minutes, and of each market that is heard of then the last one before."""
    rows = [
        *(("BTC", 1, minute, usd) for minute, usd in ((0, 1), (1, 2), (2, 3), (5, 4))),
        *(("BTC", 2, minute, usd) for minute, usd in ((-9, 5), (0, 6), (3, 7))),
        *(("ETH", 1, minute, usd) for minute, usd in ((0, 8), (1, 9))),
    ]
    usd = pl.col("open_interest_total_usd").cast(pl.Int64)

    on_time, within = (
        since_open(opened(*rows), at(seconds)).select(usd).collect()[usd.meta.output_name()]
        for seconds in (120, 119)
    )

    assert on_time.to_list() == [2, 3, 4, 6, 7]
    assert within.to_list() == [1, 2, 3, 4, 6, 7, 8, 9]
    assert since_open(opened(*rows), None).collect().height == len(rows)


def test_a_drawdown_is_of_one_market_in_order_of_time() -> None:
    """Of 4, 2 and 3 half went, however the rows stand; all of 5 went at last, nothing of 9."""
    rows = [
        ("BTC", 1, 2, 3),
        ("BTC", 1, 1, 2),
        ("BTC", 1, 0, 4),
        ("BTC", 2, 0, 5),
        ("BTC", 2, 1, 0),
    ]

    newer = opened(("BTC", 2, 2, 3), ("BTC", 2, 3, 4)).with_columns(version=pl.lit("v2"))

    found = drawdowns(pl.concat([newer, opened(("ETH", 1, 0, 9), *rows)])).collect()

    assert found.select("chain_id", "market", "version", "drawdown_usd_ratio").rows() == [
        (1, "BTC", "v1", -0.5),
        (1, "ETH", "v1", 0.0),
        (2, "BTC", "v1", -1.0),
        (2, "BTC", "v2", 0.0),
    ]


def test_funding_counts_the_last_rate_of_a_market() -> None:
    """BTC turned negative, as DOGE is, ETH is at zero; an event without a rate says nothing."""
    rates = table(
        "funding",
        {"funding_rate_daily_ratio": "-0.1", "block_timestamp": at(9)},
        {"funding_rate_daily_ratio": "0.1"},
        {"funding_rate_daily_ratio": None, "block_timestamp": at(10)},
        {"funding_rate_daily_ratio": "0", "market": "ETH"},
        {"funding_rate_daily_ratio": "-0.2", "market": "DOGE"},
        {"funding_rate_daily_ratio": None, "market": "SOL"},
        {"funding_rate_daily_ratio": "1", "protocol": "other"},
        {"funding_rate_daily_ratio": "1", "protocol": "a third"},
    ).lazy()

    assert funding_signs(rates).collect().rows() == [
        ("a third", 1, 0, 0.0),
        ("other", 1, 0, 0.0),
        ("venue", 3, 2, 2 / 3),
    ]


def test_a_market_of_each_version_has_a_rate() -> None:
    """BTC of one version pays longs and BTC of the next shorts: two markets, one of them below."""
    rates = table(
        "funding",
        {"funding_rate_daily_ratio": "-0.01"},
        {"funding_rate_daily_ratio": "0.02", "version": "v2"},
    ).lazy()

    assert funding_signs(rates).collect().row(0) == ("venue", 2, 1, 0.5)


def test_minutes_apart_are_counted_once() -> None:
    """Two updates of one minute 2 % and 3 % off, one of the next exactly 1 % off."""
    price = {"asset": "USDE", "quote": "USD"}
    updates = table(
        "oracle_updates",
        price | {"protocol": "chainlink", "feed": "0xc", "oracle_price_quote": "1"},
        *(
            price | {"oracle_price_quote": value, "block_timestamp": at(seconds)}
            for seconds, value in ((1, "0.97"), (30, "0.98"), (60, "0.99"))
        ),
    ).lazy()

    found = minutes_apart(oracle_deviation(updates)).collect()
    stricter, loosest = (
        minutes_apart(oracle_deviation(updates), limit_bps=limit).collect() for limit in (99, 0)
    )

    columns = ("protocol", "minute_count", "first_at", "last_at")
    assert found.select(columns).rows() == [("venue", 1, at(1), at(30))]
    assert found["worst_bps"].item() == pytest.approx(-300)
    assert stricter["minute_count"].to_list() == loosest["minute_count"].to_list() == [2]
    with pytest.raises(ValueError, match="limit_bps"):
        minutes_apart(oracle_deviation(updates), limit_bps=-1)


def test_one_feed_on_two_chains_is_two_sources() -> None:
    """A feed says 1.00 on one chain and 0.98, then 0.96 on another: each chain is off the other."""
    feed = {"protocol": "pyth", "feed": "0xf", "asset": "USDE", "quote": "USD"}
    told = ((1, 0, "1"), (2, 30, "0.98"), (1, 60, "1"), (2, 90, "0.96"))
    updates = table(
        "oracle_updates",
        *(
            feed | {"chain_id": chain, "block_timestamp": at(second), "oracle_price_quote": price}
            for chain, second, price in told
        ),
    ).lazy()

    found = minutes_apart(oracle_deviation(updates)).collect()

    columns = ("chain_id", "reference_chain_id", "minute_count", "worst_bps")
    assert found.select(columns).rows() == [
        (2, 1, 2, pytest.approx(-400)),
        (1, 2, 1, pytest.approx(10_000 / 49)),
    ]


def test_feeds_of_one_protocol_are_sources_of_their_own() -> None:
    """Three feeds, told in turn, each 5 % off the others; one of them a minute later once more."""
    told = (("0xc", 0, "1"), ("0xa", 1, "0.95"), ("0xb", 2, "0.9"), ("0xb", 62, "0.9"))
    updates = table(
        "oracle_updates",
        *(
            {"asset": "USDE", "feed": feed, "block_timestamp": at(s), "oracle_price_quote": price}
            for feed, s, price in told
        ),
    ).lazy()

    found = minutes_apart(oracle_deviation(updates)).collect()

    assert found.select("feed", "reference_feed", "minute_count").rows() == [
        ("0xb", "0xa", 2),
        ("0xb", "0xc", 2),
        ("0xa", "0xc", 1),
    ]


def test_executed_and_declared_of_the_same_window() -> None:
    """10 of 40 were spent, 20 set aside; of who tells no fee no revenue is known, and no ratio."""
    bought = table("buybacks", {"spent_usd": "10"}, {"protocol": "other", "spent_usd": "1"}).lazy()
    earned = table("fees", {"fee_usd": "40", "supply_side_usd": "0", "holders_usd": "20"}).lazy()

    found = executed(bought, earned, UNTOLD).collect()

    columns = ("protocol", "spent_usd", "revenue_usd", "executed_ratio", "declared_ratio")
    assert found.select(columns).rows() == [
        ("other", 1, None, None, None),
        ("venue", 10, 40, 0.25, 0.5),
    ]


def test_an_unpriced_purchase_leaves_the_ratio_open() -> None:
    """Unknown is not zero."""
    bought = table("buybacks", {"spent_usd": "10"}, {"spent_usd": None}).lazy()
    earned = table("fees", {"fee_usd": "40", "supply_side_usd": "0", "holders_usd": "20"}).lazy()

    assert executed(bought, earned, UNTOLD).collect()["executed_ratio"].to_list() == [None]


def test_no_purchase_is_zero_where_one_would_have_been_told() -> None:
    """A venue whose purchases are read spent nothing; what another spent is not known."""
    declared = table("declared_facts", {"protocol": "venue", "fact": "buybacks"}).lazy()
    fee = {"fee_usd": "40", "supply_side_usd": "0", "holders_usd": "20"}
    earned = table("fees", fee, fee | {"protocol": "other"}).lazy()

    found = executed(table("buybacks").lazy(), earned, declared).collect()

    assert found.select("protocol", "spent_usd", "revenue_usd", "executed_ratio").rows() == [
        ("other", None, 40, None),
        ("venue", 0, 40, 0.0),
    ]


def test_all_tables_as_lines() -> None:
    """A line per number, with what it is about and all its digits; unknown stays null."""
    frame = pl.DataFrame(
        {"protocol": ["venue"], "wave": [1], "notional_usd": [Decimal("1.50")], "x": [None]}
    )

    found = lines((Part(adl_waves, ("protocol", "wave"), {}, frame),))

    assert found.rows() == [
        ("adl_waves", "venue", "wave=1", "notional_usd", "1.5"),
        ("adl_waves", "venue", "wave=1", "x", None),
    ]


def published(*rows: Row) -> pl.LazyFrame:
    """Return published totals of an event from 21:00:00 to 21:01:00, 100 of liquidations each."""
    usual = {"protocol": "venue", "exit": "liquidation", "source": "press", "note": None}
    told = {"from_at": at(0), "to_at": at(60), "published_usd": Decimal(100)}
    return pl.DataFrame([{**usual, **told, **row} for row in rows]).lazy()


def beside(
    cut: pl.LazyFrame, forced: pl.LazyFrame, claims: pl.LazyFrame
) -> list[tuple[object, ...]]:
    """Return what is indexed, how much of it is not known, and its share, of each total."""
    found = published_totals(cut, forced, TOLD, claims).collect()
    return found.select("indexed_usd", "unknown_notional_count", "indexed_ratio").rows()


def test_published_totals_stand_beside_the_rows_of_the_event() -> None:
    """40 of 100 at one venue, 45 at all of them; what is before the event or at its end is not."""
    forced = liquidations(
        *(after(0, 30), after(59, 10), after(60, 7), after(-1, 7)),
        after(5, 5, protocol="other"),
    )
    claims = published({}, {"protocol": "every venue"}, {"exit": "adl"}, {"protocol": "nobody"})

    assert beside(adls(after(3, 8)), forced, claims) == [
        (40, 0, 0.4),
        (45, 0, 0.45),
        (8, 0, 0.08),
        (None, None, None),
    ]


def test_of_published_totals_zero_is_measured_and_unknown_is_not() -> None:
    """A venue that could tell and does not has zero; an exit without a notional leaves no share."""
    claims = published({}, {"exit": "adl"}, {"protocol": "other"}, {"protocol": "every venue"})
    forced = liquidations(after(0, None, protocol="other"), after(1, 5, protocol="third"))

    assert beside(NOTHING, forced, claims) == [
        (0, 0, 0.0),
        (0, 0, 0.0),
        (None, 1, None),
        (5, 1, None),
    ]


def test_published_totals_are_of_events_within_the_rows() -> None:
    """10 and 11 October 2025 are known; days around them, and no rows at all, meet nothing."""
    begin, end = datetime(2025, 10, 10), datetime(2025, 10, 12)
    instant = timedelta(microseconds=1)

    inside = totals((end - instant, end)).collect()

    assert inside.height > 3
    assert set(inside["exit"]) == {"liquidation", "adl"}
    assert totals((begin - instant, begin)).collect().equals(inside)
    assert totals((begin - instant, begin - instant)).collect().is_empty()
    assert totals((end, end)).collect().is_empty()
    assert totals(None).collect().is_empty()
