"""Waves, lags and halfway points of ADLs beside liquidations, computed in the head."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from both_engines import (
    adl_market_lag,
    adl_progress,
    adl_to_liquidation,
    adl_trigger_lag,
    adl_waves,
    wave_sensitivity,
)
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

BESIDE = ("liquidation_count", "backstop_count")


def tape(name: str, *events: tuple[float, object], **also: object) -> pl.LazyFrame:
    """Return ADLs or liquidations: second, dollars."""
    return table(
        name, *({"block_timestamp": at(when), "notional_usd": usd} | also for when, usd in events)
    ).lazy()


def test_an_address_is_an_account_of_each_chain() -> None:
    """As it is of a market: one address on two chains is two accounts, each of its own market."""
    cuts = [{"chain_id": chain, "notional_usd": 1} for chain in (1, 42161, 42161)]

    result = adl_waves(table("adls", *cuts).lazy(), tape("liquidations")).collect()

    assert result.select("adl_count", "account_count", "market_count").rows() == [(3, 2, 2)]


def test_a_wave_stands_beside_what_was_liquidated_during_it() -> None:
    """Both ends of a wave are in it; what was liquidated a second before or after is not."""
    adls = tape("adls", (10, 30), (12, 30), (60, 40), realized_pnl_usd=5)
    liquidated = tape("liquidations", (9, 1), (10, 20), (12, 20), (13, 1))

    result = adl_waves(adls, liquidated).collect()

    assert column(result, "adl_count") == [2, 1]
    assert column(result, "length_seconds") == [2.0, 0.0]
    assert column(result, "realized_pnl_usd") == ["10", "5"]
    assert column(result, "notional_share") == [0.6, 0.4]
    assert column(result, "liquidation_count") == [2, 0]
    assert column(result, "liquidation_notional_usd") == ["40", "0"]
    assert column(result, "adl_to_liquidation_ratio") == [1.5, None]


def test_how_many_waves_there_are_depends_on_the_gap() -> None:
    """Silences of 2, 8 and 100 s: four waves by a rule of 1 s, one by a rule of 300 s."""
    adls = tape("adls", (0, 10), (2, 10), (10, 20), (110, 60))

    result = wave_sensitivity(adls, tape("liquidations")).collect()

    assert column(result, "gap_seconds") == [1, 2, 5, 10, 30, 60, 300]
    assert column(result, "wave_count") == [4, 3, 3, 2, 2, 2, 1]
    assert column(result, "single_count") == [4, 2, 2, 1, 1, 1, 0]
    assert column(result, "longest_seconds") == [0, 2, 2, 10, 10, 10, 110]
    assert column(result, "largest_share") == [0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 1.0]
    assert column(result, "cause") == ["adl"] * 7


def test_adls_do_not_end_the_silence_of_liquidations() -> None:
    """Liquidations 8 s apart are two waves of 5 s, though an ADL came between."""
    liquidated = tape("liquidations", (0, 10), (8, None))

    result = wave_sensitivity(tape("adls", (4, 1)), liquidated).collect()

    of_five = result.filter(gap_seconds=5).select("cause", "wave_count", "largest_share")
    assert of_five.rows() == [("adl", 1, 1.0), ("liquidation", 2, None)]


def test_a_silence_of_the_gap_is_within_a_wave() -> None:
    """Five seconds part no waves, a thousandth of a second more does."""
    result = adl_waves(tape("adls", (0, 1), (5, 1), (10.001, 1)), tape("liquidations")).collect()

    assert column(result, "adl_count") == [2, 1]


def test_backstop_liquidations_are_those_somebody_took_over() -> None:
    """Of 100 liquidated 40 went to a vault: 80 deleveraged are 0.8 of all and 2 of those."""
    liquidated = table(
        "liquidations", {"notional_usd": 60}, {"notional_usd": 40, "liquidator": "0xvault"}
    ).lazy()
    adls = tape("adls", (0, 80))

    for metric in (adl_waves, adl_to_liquidation):
        result = metric(adls, liquidated).collect()

        assert [result[name].item() for name in BESIDE] == [2, 1]
        assert column(result, "backstop_notional_usd") == ["40"]
        assert column(result, "adl_to_liquidation_ratio") == [0.8]
        assert column(result, "adl_to_backstop_ratio") == [2.0]


def test_both_legs_of_a_trade_would_halve_the_ratio() -> None:
    """Counting the liquidated side once, 123 deleveraged beside 100 is 1.23, not 0.615."""
    once, twice = (tape("liquidations", *[(0, 100)] * legs) for legs in (1, 2))

    ratios = [
        adl_to_liquidation(tape("adls", (0, 123)), legs).collect()["adl_to_liquidation_ratio"]
        for legs in (once, twice)
    ]

    assert [ratio.item() for ratio in ratios] == [1.23, 0.615]


@pytest.mark.parametrize(
    ("deleveraged", "liquidated", "notional"), [(None, 80, "80"), (80, None, None)]
)
def test_an_unknown_notional_leaves_no_ratio(
    deleveraged: int | None, liquidated: int | None, notional: str | None
) -> None:
    """Whichever side does not tell, nothing is divided."""
    adls, beside = (
        tape("adls", (0, 80), (0, deleveraged)),
        tape("liquidations", (0, liquidated), liquidator="0xvault"),
    )

    for metric in (adl_waves, adl_to_liquidation):
        result = metric(adls, beside).collect()

        assert column(result, "backstop_notional_usd") == [notional]
        assert column(result, "adl_to_liquidation_ratio") == [None]
        assert column(result, "adl_to_backstop_ratio") == [None]


def test_liquidations_alone_make_no_wave() -> None:
    """A liquidation is never counted as an ADL."""
    liquidated = tape("liquidations", (0, 10))
    nothing = tape("adls")

    for metric in (adl_waves, adl_to_liquidation, adl_trigger_lag, adl_market_lag):
        assert metric(nothing, liquidated).collect().is_empty()
    assert adl_progress(nothing).collect().is_empty()


def test_the_lag_runs_from_the_first_liquidation_to_the_first_adl() -> None:
    """61.7045 s, to the last digit of the clock."""
    liquidated = tape("liquidations", (5, 1), (0, 1))
    adls = tape("adls", (99, 1), (61.7045, 1))

    result = adl_trigger_lag(adls, liquidated).collect()

    assert column(result, "first_liquidation_at") == [at(0)]
    assert column(result, "first_adl_at") == [at(61.7045)]
    assert column(result, "lag_seconds") == [61.7045]


def test_a_market_has_a_lag_of_its_own() -> None:
    """BTC after 3 s, ETH before its first liquidation, SOL without one; the venue after 1 s."""
    liquidated = [("BTC", 0), ("ETH", 9)]
    cut = [("BTC", 3), ("ETH", 1), ("SOL", 4)]
    frames = [
        table(name, *({"market": market, "block_timestamp": at(when)} for market, when in events))
        for name, events in (("adls", cut), ("liquidations", liquidated))
    ]

    by_market = adl_market_lag(*(frame.lazy() for frame in frames)).collect()
    of_venue = adl_trigger_lag(*(frame.lazy() for frame in frames)).collect()

    assert column(by_market, "market") == ["BTC", "ETH", "SOL"]
    assert column(by_market, "lag_seconds") == [3.0, -8.0, None]
    assert column(of_venue, "lag_seconds") == [1.0]


def test_progress_of_adls_is_that_of_liquidations() -> None:
    """Half at once, the rest four seconds later."""
    result = adl_progress(tape("adls", (0, 50), (4, 50))).collect()

    assert column(result, "elapsed_seconds") == [0.0, 0.0, 4.0, 4.0, 4.0]


moments = st.lists(st.integers(0, 40).map(float), max_size=12)


@given(moments, moments)
def test_waves_part_adls_and_share_no_liquidation(cut: list[float], sold: list[float]) -> None:
    """Every ADL is in one wave, and no liquidation beside two of them."""
    adls = tape("adls", *((when, 1) for when in cut))
    liquidated = tape("liquidations", *((when, 1) for when in sold))

    result = adl_waves(adls, liquidated, gap_milliseconds=3000).collect()

    assert result["adl_count"].sum() == len(cut)
    assert result["liquidation_count"].sum() <= len(sold)
    assert result["notional_share"].sum() == pytest.approx(min(len(cut), 1))


def test_the_tape_of_10_october_2025_gives_the_figures_recomputed_from_it(shared: Path) -> None:
    """Hyperliquid's ADLs: five times, 61 s of lag in steps of a second, 36 waves."""
    folder = shared / "data/hyperliquid"
    moments = pl.read_parquet(folder / "hl_20251010_adl_buckets.parquet").select(
        pl.from_epoch("time", "ms").cast(pl.Datetime("us")), pl.col("notionalInBucket").round(6)
    )
    by_second = pl.read_parquet(folder / "hl_20251010_timeline_seconds.parquet")
    cut = by_second.filter(pl.col("adl_fills") > 0)["ts"]
    sold = by_second.filter(pl.col("backstop_fills_one_sided") > 0)["ts"]
    adls = table(
        "adls", *({"block_timestamp": when, "notional_usd": usd} for when, usd in moments.rows())
    ).lazy()
    liquidated = table("liquidations", *({"block_timestamp": when} for when in sold)).lazy()

    in_seconds = table("adls", *({"block_timestamp": when} for when in cut)).lazy()

    reached = adl_progress(adls).collect()["reached_at"]
    lag = adl_trigger_lag(in_seconds, liquidated).collect()["lag_seconds"].item()

    times = [(21, 17, 6), (21, 18, 15), (21, 19, 22), (21, 19, 40), (21, 20, 8)]
    assert reached.dt.truncate("1s").to_list() == [datetime(2025, 10, 10, *one) for one in times]
    assert lag == 61.0
    assert adl_waves(in_seconds, liquidated).collect().height == 36
