"""Waves, windows, halfway points, bursts and rates of liquidations, computed in the head."""

import math
from collections.abc import Mapping
from itertools import product

import polars as pl
import pytest
from both_engines import (
    liquidation_burstiness,
    liquidation_concentration,
    liquidation_fee_yield,
    liquidation_progress,
    liquidation_waves,
)
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

SHAPES = (liquidation_concentration, liquidation_progress, liquidation_waves)
COUNTS = ("liquidation_count", "unknown_notional_count")

amounts = st.integers(0, 10**33)
seconds = st.integers(0, 30).map(float)
tapes = st.lists(st.tuples(seconds, amounts.map(units)), min_size=1, max_size=12)


def tape(*events: tuple[float, object], **also: object) -> pl.LazyFrame:
    """Return liquidations: second, dollars."""
    return table(
        "liquidations",
        *({"block_timestamp": at(when), "notional_usd": usd} | also for when, usd in events),
    ).lazy()


def closed(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Return what these liquidations cost."""
    return liquidation_fee_yield(table("liquidations", *rows).lazy()).collect()


def test_the_shortest_window_holds_the_share() -> None:
    """Of 100 dollars 70 lie within two seconds, from the second event to the third."""
    result = liquidation_concentration(tape((0, 20), (10, 30), (12, 40), (60, 10))).collect()

    assert column(result, "first_at") == [at(10)]
    assert column(result, "last_at") == [at(12)]
    assert column(result, "length_seconds") == [2.0]
    assert column(result, "notional_usd") == ["70"]
    assert column(result, "notional_share") == [0.7]
    assert column(result, "total_notional_usd") == ["100"]


def test_of_equal_windows_the_earliest_is_meant() -> None:
    """Two windows of one second hold 60 % each: the first is returned."""
    events = tape((0, 30), (1, 30), (5, 30), (6, 30))

    result = liquidation_concentration(events, share_percent=50).collect()

    assert column(result, "first_at") == [at(0)]
    assert column(result, "last_at") == [at(1)]


def test_one_moment_may_hold_everything() -> None:
    """A window of one moment has no length; what is unknown is counted beside it."""
    result = liquidation_concentration(tape((0, 5), (0, 5), (9, None))).collect()

    assert column(result, "length_seconds") == [0.0]
    assert column(result, "notional_share") == [1.0]
    assert [result[name].item() for name in COUNTS] == [3, 1]


@pytest.mark.parametrize("usd", [0, None])
def test_nothing_known_has_no_window(usd: int | None) -> None:
    """Where no dollar is known there is neither a window nor a moment of progress."""
    window = liquidation_concentration(tape((0, usd))).collect()
    times = liquidation_progress(tape((0, usd))).collect()

    assert column(window, "first_at") == [None]
    assert column(window, "notional_share") == [None]
    assert column(times, "reached_at") == [None] * 5
    assert column(times, "first_at") == [at(0)] * 5


def test_a_longer_silence_than_the_gap_ends_a_wave() -> None:
    """Five seconds are within a wave, a millisecond more is not."""
    events = tape((0, 10), (5, 20), (10.001, 70))

    result = liquidation_waves(events).collect()

    assert column(result, "wave") == [1, 2]
    assert column(result, "liquidation_count") == [2, 1]
    assert column(result, "length_seconds") == [5.0, 0.0]
    assert column(result, "notional_share") == [0.3, 0.7]


def test_a_wave_runs_through_markets_and_not_through_protocols() -> None:
    """Two markets and two accounts make one wave; another protocol counts from one again."""
    rows: list[Mapping[str, object]] = [
        {"notional_usd": 1},
        {"notional_usd": 1, "market": "ETH", "block_timestamp": at(4)},
        {"notional_usd": 1, "account": "0xb", "block_timestamp": at(8)},
        {"notional_usd": 1, "protocol": "other"},
    ]

    result = liquidation_waves(table("liquidations", *rows).lazy()).collect()

    assert column(result, "protocol") == ["other", "venue"]
    assert column(result, "wave") == [1, 1]
    assert column(result, "market_count") == [1, 2]
    assert column(result, "account_count") == [1, 2]


def test_an_unknown_notional_leaves_waves_without_a_share() -> None:
    """What part of an unknown whole a wave is nobody knows; its own notional stands."""
    result = liquidation_waves(tape((0, 10), (60, None))).collect()

    assert column(result, "notional_usd") == ["10", None]
    assert column(result, "unknown_notional_count") == [0, 1]
    assert column(result, "notional_share") == [None, None]


def test_progress_is_reached_at_the_first_moment_that_holds_the_share() -> None:
    """25 of 100 at once, 75 after four seconds, all after nine."""
    result = liquidation_progress(tape((1, 25), (5, 50), (10, 25))).collect()

    assert column(result, "share_percent") == [25, 50, 75, 90, 99]
    assert column(result, "elapsed_seconds") == [0.0, 4.0, 4.0, 9.0, 9.0]
    assert column(result, "notional_usd") == ["25", "75", "75", "100", "100"]


def test_a_clock_is_not_bursty() -> None:
    """Equal gaps have no spread: -1. Two events make one gap."""
    result = liquidation_burstiness(tape((0, 1), (1, 1), (2, 1))).collect()

    assert column(result, "burstiness") == [-1.0]
    assert column(result, "mean_gap_seconds") == [1.0]
    assert column(result, "sd_gap_seconds") == [0.0]
    assert column(result, "gap_count") == [2]
    assert column(result, "under_second_share") == [0.0]


def test_burstiness_is_the_spread_of_gaps_against_their_mean() -> None:
    """Gaps of 0.5, 0.5 and 5 seconds: mean 2, deviation √4.5; two of three under a second."""
    result = liquidation_burstiness(tape((0, 1), (0.5, 1), (1, 1), (6, 1))).collect()

    deviation = math.sqrt(4.5)
    assert result["sd_gap_seconds"].item() == pytest.approx(deviation, rel=1e-15)
    assert result["burstiness"].item() == pytest.approx((deviation - 2) / (deviation + 2))
    assert column(result, "under_second_share") == [2 / 3]


def test_one_moment_has_no_burstiness() -> None:
    """Without a gap there is nothing to measure, however many events the moment has."""
    result = liquidation_burstiness(tape((0, 1), (0, 2))).collect()

    assert column(result, "liquidation_count") == [2]
    assert column(result, "gap_count") == [0]
    assert column(result, "burstiness") == [None]
    assert column(result, "mean_gap_seconds") == [None]
    assert column(result, "under_second_share") == [None]


def test_fees_debt_and_longs_are_divided_by_the_notional() -> None:
    """200 liquidated, 150 of it long: fees of 1 are 0.5 %, a debt of 3 is 1.5 %."""
    result = closed(
        {"notional_usd": 150, "is_long": True, "fee_usd": 1, "shortfall_usd": 3},
        {"notional_usd": 50, "is_long": False, "fee_usd": 0, "shortfall_usd": 0},
    )

    assert column(result, "fee_yield_ratio") == [0.005]
    assert column(result, "shortfall_ratio") == [0.015]
    assert column(result, "long_share") == [0.75]


@pytest.mark.parametrize(
    ("lacking", "count", "ratio"),
    [
        ("fee_usd", "unknown_fee_count", "fee_yield_ratio"),
        ("shortfall_usd", "unknown_shortfall_count", "shortfall_ratio"),
        ("is_long", "unknown_side_count", "long_share"),
    ],
)
def test_a_ratio_is_unknown_while_a_part_of_it_is(lacking: str, count: str, ratio: str) -> None:
    """One liquidation that does not tell makes the ratio null, and is counted."""
    told = {"notional_usd": 1, "fee_usd": 0, "shortfall_usd": 0, "is_long": True}

    result = closed(told, told | {lacking: None})

    ratios = {"fee_yield_ratio": 0.0, "shortfall_ratio": 0.0, "long_share": 1.0}
    assert result[count].item() == 1
    assert {name: result[name].item() for name in ratios} == ratios | {ratio: None}


def test_an_unknown_notional_leaves_no_rate() -> None:
    """Nothing can be divided by a notional that is not known."""
    result = closed({"notional_usd": 1, "fee_usd": 1}, {"fee_usd": 1})

    assert column(result, "unknown_notional_count") == [1]
    assert column(result, "fee_yield_ratio") == [None]


@pytest.mark.parametrize("percent", [0, 101])
def test_a_share_is_a_share(percent: int) -> None:
    """A window holds at least one percent and at most all."""
    with pytest.raises(ValueError, match="share_percent must be at"):
        liquidation_concentration(tape((0, 1)), share_percent=percent)


def test_a_gap_has_at_least_a_millisecond() -> None:
    """A gap of zero is refused."""
    with pytest.raises(ValueError, match="gap_milliseconds must be at least 1, got 0"):
        liquidation_waves(tape((0, 1)), gap_milliseconds=0)


@given(tapes)
def test_waves_part_the_events(events: list[tuple[float, object]]) -> None:
    """Every event is in one wave: counts and notional add up to those of the whole."""
    found = liquidation_waves(tape(*events), gap_milliseconds=2000).collect()

    assert found["liquidation_count"].sum() == len(events)
    assert found["notional_usd"].sum() == tape(*events).collect()["notional_usd"].sum()
    silences = found["first_at"][1:] - found["last_at"][:-1]
    assert all(silence.total_seconds() > 2 for silence in silences)


@given(tapes)
def test_progress_never_goes_back(events: list[tuple[float, object]]) -> None:
    """A larger share is never reached before a smaller one, and each share is reached."""
    result = liquidation_progress(tape(*events)).collect()

    assert result["reached_at"].is_sorted()
    assert result["notional_usd"].is_sorted()
    wanted = result["total_notional_usd"] * result["share_percent"]
    assert (result["notional_usd"] * 100 >= wanted).all()


@given(st.lists(st.tuples(seconds, st.integers(0, 50)), min_size=1), st.integers(1, 100))
def test_no_shorter_window_holds_the_share(events: list[tuple[float, int]], percent: int) -> None:
    """The window is as short as the shortest of all pairs of moments that hold the share."""
    result = liquidation_concentration(tape(*events), share_percent=percent).collect()

    whole = sum(usd for _, usd in events)
    lengths = [
        last - first
        for first, last in product({when for when, _ in events}, repeat=2)
        if 100 * sum(usd for when, usd in events if first <= when <= last) >= percent * whole
    ]
    assert column(result, "length_seconds") == [min(lengths) if whole else None]


@given(tapes, amounts, amounts, seconds)
def test_splitting_a_liquidation_changes_only_counts(
    events: list[tuple[float, object]], first: int, second: int, when: float
) -> None:
    """One liquidation of x + y and two of x and y at its moment have the same shape."""
    whole = tape(*events, (when, units(first + second)))
    parts = tape(*events, (when, units(first)), (when, units(second)))

    for shape in (*SHAPES, liquidation_burstiness):
        one, two = (
            shape(frame).drop("liquidation_count", strict=False) for frame in (whole, parts)
        )
        assert_frame_equal(one, two)
