"""Oracles against each other, on prices that can be compared in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import (
    oracle_deviation,
    oracle_deviation_area,
    oracle_update_lag,
)
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

BTC = {"asset": "BTC"}
OWN = BTC | {"feed": "0xown"}
OTHER = BTC | {"feed": "0xother"}
STATUS = {"asset": "BASE SEQUENCER", "quote": "DOWN"}


def price(source: dict[str, str], seconds: float, quote: object) -> dict[str, object]:
    """Return an update of a source this long after 21:00."""
    return source | {"block_timestamp": at(seconds), "oracle_price_quote": quote}


def compared(*updates: Mapping[str, object], tolerance_seconds: int = 3600) -> pl.DataFrame:
    """Return how far these updates are from each other."""
    frame = table("oracle_updates", *updates).lazy()
    return oracle_deviation(frame, tolerance_seconds=tolerance_seconds).collect()


def test_an_update_is_compared_with_the_latest_price_of_the_other() -> None:
    """99 against 100 is -100 bps; what the other says later does not count yet."""
    result = compared(price(OTHER, 0, 100), price(OWN, 7, 99), price(OTHER, 8, 50))

    own = result.filter(feed="0xown")
    assert column(own, "deviation_bps") == [-100.0]
    assert column(own, "staleness_seconds") == [7]
    assert column(own, "reference_price_quote") == ["100"]


def test_both_directions_are_given() -> None:
    """Each source is compared when it speaks."""
    result = compared(price(OTHER, 0, 100), price(OWN, 1, 102), price(OTHER, 2, 51))

    assert column(result, "feed") == ["0xother", "0xown"]
    assert column(result, "deviation_bps") == [-5000.0, 200.0]


def test_the_same_second_counts_as_known() -> None:
    """Two sources that speak in one second are compared with each other, at no age."""
    result = compared(price(OTHER, 0, 100), price(OWN, 0, 101))

    assert column(result, "deviation_bps") == [-99.00990099009901, 100.0]
    assert column(result, "staleness_seconds") == [0, 0]


def test_of_one_second_the_last_price_is_the_reference() -> None:
    """Two updates of the other source in one second: the later log counts."""
    result = compared(price(OTHER, 0, 80), price(OTHER, 0, 100), price(OWN, 1, 110))

    assert column(result.filter(feed="0xown"), "deviation_bps") == [1000.0]


@pytest.mark.parametrize(("seconds", "rows"), [(60, 1), (61, 0), (60.000001, 0)])
def test_the_tolerance_is_inclusive(seconds: float, rows: int) -> None:
    """A reference exactly as old as the tolerance is compared, an older one is not."""
    result = compared(price(OTHER, 0, 100), price(OWN, seconds, 100), tolerance_seconds=60)

    assert result.height == rows


@pytest.mark.parametrize(("seen", "rows"), [(0, 1), (-1, 0)])
def test_what_was_read_is_a_price_while_it_is_news(seen: float, rows: int) -> None:
    """Read at 60 s, an answer of a minute before is compared, an older one is not."""
    read = price(OWN, 60, 100) | {"log_index": -1, "observed_at": at(seen)}

    result = compared(price(OTHER, 60, 100), read, tolerance_seconds=60)

    assert result.filter(feed="0xown").height == rows


def test_an_old_reference_is_not_replaced_by_an_older_one() -> None:
    """Only the latest price of a source can be the reference."""
    result = compared(
        price(OTHER, 0, 1), price(OTHER, 10, 100), price(OWN, 20, 100), tolerance_seconds=15
    )

    assert column(result, "reference_price_quote") == ["100"]


def test_other_quotes_and_unknown_assets_are_not_compared() -> None:
    """BTC in USDT is no reference for BTC in USD, nor is a price of nobody knows what."""
    result = compared(
        price(OWN, 1, 100),
        price(OTHER | {"quote": "USDT"}, 0, 100),
        price({"feed": "0xunknown"}, 0, 100),
        price({"feed": "0xunknown2"}, 0, 100),
    )

    assert result.is_empty()


def test_a_source_that_tells_two_quotes_is_compared_in_each() -> None:
    """What the other says in USDT of the same asset changes nothing of what it says in USD."""
    told = followed(60)
    in_tether = [price(OTHER, 60 * n, 7 + n) | {"quote": "USDT"} for n in range(3)]

    for found in (area, lag):
        rows = found(*told, *in_tether)

        assert rows.height
        assert rows.equals(found(*told))


def test_a_source_is_chain_protocol_and_feed() -> None:
    """The same feed address on two chains is two sources, in two versions it is one."""
    result = compared(
        price(OWN, 0, 100),
        price(OWN, 1, 100) | {"chain_id": 2},
        price(OWN | {"version": "v2"}, 2, 100),
    )

    assert column(result, "chain_id") == [1, 2]
    assert column(result, "reference_chain_id") == [2, 1]


@pytest.mark.parametrize("reference", [0, -5])
def test_without_a_positive_reference_there_is_no_deviation(reference: int) -> None:
    """A reference of zero or below gives null, not infinity."""
    result = compared(price(OTHER, 0, reference), price(OWN, 1, 100))

    assert column(result, "deviation_bps") == [None]


def test_a_status_of_a_sequencer_is_no_price() -> None:
    """A feed that says it is up while another still says it is down is off by nothing."""
    statuses = ((OTHER, 0, 1), (OWN, 5, 1), (OWN, 10, 0), (OTHER, 20, 0))
    told = [price(source, at_second, status) | STATUS for source, at_second, status in statuses]

    assert compared(*told).is_empty()
    assert area(*told).is_empty()


def test_a_negative_tolerance_is_refused() -> None:
    """Nothing can be younger than now."""
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0, got -1"):
        compared(tolerance_seconds=-1)


def area(*updates: Mapping[str, object], **settings: int) -> pl.DataFrame:
    """Return for how long and how far the own source was off the other."""
    frame = table("oracle_updates", *updates).lazy()
    return oracle_deviation_area(frame, **settings).collect().filter(feed="0xown")


def lag(*updates: Mapping[str, object], **settings: int) -> pl.DataFrame:
    """Return by how much each source is later than the other."""
    return oracle_update_lag(table("oracle_updates", *updates).lazy(), **settings).collect()


def test_time_and_area_are_counted_beyond_the_threshold() -> None:
    """Off by 300 bps for 10 s and by 150 bps for 20 s, beyond 100: 30 s, 200 * 10 + 50 * 20."""
    result = area(
        price(OTHER, 0, 100),
        price(OWN, 0, 103),
        price(OWN, 10, "98.5"),
        price(OWN, 30, 101),
        price(OTHER, 100, 100),
        threshold_bps=100,
    )

    assert column(result, "compared_seconds") == [100.0]
    assert column(result, "off_seconds") == [30.0]
    assert column(result, "lowest_deviation_bps") == [-150.0]
    assert column(result, "highest_deviation_bps") == [300.0]
    assert column(result, "area_bps_seconds") == pytest.approx([3000.0])


def test_a_difference_ends_when_a_price_is_too_old() -> None:
    """The other is silent from 0: with a tolerance of 60 s the last 40 s are not compared."""
    result = area(
        price(OTHER, 0, 100), price(OWN, 10, 110), price(OWN, 100, 110), tolerance_seconds=60
    )

    assert column(result, "off_seconds") == [50.0]


def test_the_last_price_lasts_for_no_time() -> None:
    """What comes after the last update is not known."""
    assert area(price(OTHER, 0, 100), price(OWN, 0, 110)).is_empty()


def test_beside_a_zero_nothing_is_compared() -> None:
    """A minute in which the other one says zero is none in which both agreed."""
    assert area(price(OTHER, 0, 0), price(OWN, 0, 110), price(OWN, 60, 110)).is_empty()


def test_a_difference_is_cut_where_a_period_ends() -> None:
    """Off from 50 min to 70 min: ten minutes in each hour."""
    result = area(
        price(OTHER, 3000, 100),
        price(OWN, 3000, 110),
        price(OWN, 4200, 100),
        bucket_seconds=3600,
    )

    assert column(result, "bucket_at") == [at(0), at(3600)]
    assert column(result, "off_seconds") == [600.0, 600.0]


steps = st.lists(
    st.tuples(st.sampled_from([OWN, OTHER]), st.integers(0, 9000), st.integers(1, 10**6)),
    max_size=12,
)


@given(steps, st.integers(0, 5000), st.sampled_from([60, 3600, 7000]))
def test_area_adds_up_over_adjoining_periods(
    told: list[tuple[dict[str, str], int, int]], threshold_bps: int, bucket_seconds: int
) -> None:
    """Hours, or any other periods, have together the time and area of the whole, never below 0."""
    spoken = [price(*step) for step in told]
    names = ("compared_seconds", "off_seconds", "area_bps_seconds")

    parts = area(*spoken, threshold_bps=threshold_bps, bucket_seconds=bucket_seconds)
    whole = area(*spoken, threshold_bps=threshold_bps, bucket_seconds=10**9)

    for name in names:
        assert parts[name].sum() == pytest.approx(whole[name].sum())
        assert all(value >= 0 for value in parts[name])


@given(steps, st.integers(1, 10**6))
def test_deviation_knows_no_unit(told: list[tuple[dict[str, str], int, int]], factor: int) -> None:
    """Both prices in another unit are as far apart as before."""
    before = compared(*(price(*step) for step in told))
    after = compared(*(price(source, when, value * factor) for source, when, value in told))

    assert column(after, "deviation_bps") == pytest.approx(column(before, "deviation_bps"))


@given(steps, st.integers(0, 9000))
def test_nobody_looks_ahead(told: list[tuple[dict[str, str], int, int]], until: int) -> None:
    """What is said later changes nothing of what was compared before."""
    spoken = [price(*step) for step in told]
    known = [price(*step) for step in told if step[1] <= until]
    columns = ("feed", "block_timestamp", "deviation_bps", "staleness_seconds")

    whole = compared(*spoken).filter(pl.col("block_timestamp") <= at(until))

    assert (
        whole.select(columns).sort(columns).equals(compared(*known).select(columns).sort(columns))
    )


def followed(late: int) -> list[dict[str, object]]:
    """Return a source that moves each minute, and one that repeats it so much later."""
    path = [100, 110, 105, 120, 90, 95, 130, 100]
    return [
        row
        for index, value in enumerate(path)
        for row in (price(OTHER, 60 * index, value), price(OWN, 60 * index + late, value))
    ]


@pytest.mark.parametrize("late", [0, 60, 180])
def test_a_source_that_repeats_is_late_by_so_much(late: int) -> None:
    """The same prices so much later: the lag is found, and the other way round it is negative."""
    result = lag(*followed(late))

    assert column(result, "feed") == ["0xother", "0xown"]
    assert column(result, "lag_seconds") == [-late, late]
    assert result.filter(pl.col("correlation_ratio") < 0.5).is_empty()
    assert result["correlation_ratio"][0] == result["correlation_ratio"][1]


def test_a_lag_is_looked_for_in_steps_and_up_to_a_bound() -> None:
    """Half a minute is found in steps of as much; three minutes are not among two."""
    in_steps = lag(*followed(30), grid_seconds=30)
    bounded, just = (lag(*followed(180), max_lag_seconds=most) for most in (120, 180))

    assert column(in_steps, "lag_seconds") == [-30, 30]
    assert bounded["lag_seconds"].is_between(-120, 120).all()
    assert column(just, "lag_seconds") == [-180, 180]


def test_a_zero_is_no_move_and_cents_are() -> None:
    """A feed that fails says zero for a moment; half a dollar and less moves as a hundred does."""
    told = followed(60)
    cents = [
        row | {"oracle_price_quote": float(str(row["oracle_price_quote"])) / 256} for row in told
    ]

    assert lag(*told, price(OTHER, 61, 0)).equals(lag(*told))
    assert column(lag(*cents), "lag_seconds") == [-60, 60]


def test_without_a_lag_equal_moves_are_equal() -> None:
    """Two sources that say the same at once move alike, altogether."""
    result = lag(*followed(0))

    assert column(result, "correlation_ratio") == pytest.approx([1.0, 1.0])
    assert column(result, "unlagged_correlation_ratio") == column(result, "correlation_ratio")
    assert column(result, "move_count") == [7, 7]


def test_sources_that_never_move_alike_have_no_lag() -> None:
    """One goes up when the other goes down."""
    result = lag(
        price(OTHER, 0, 100), price(OWN, 0, 100), price(OTHER, 60, 101), price(OWN, 60, 99)
    )

    assert column(result, "lag_seconds") == [None, None]
    assert column(result, "correlation_ratio") == [None, None]
    assert column(result, "unlagged_correlation_ratio") == pytest.approx([-1.0, -1.0])


def test_what_only_one_source_lived_through_does_not_count() -> None:
    """Moves before the other's first update are left out."""
    result = lag(
        price(OTHER, 0, 50),
        price(OTHER, 60, 100),
        *(price(source, 120 + 60 * n, 100 + n) for source in (OWN, OTHER) for n in range(3)),
    )

    assert column(result, "move_count") == [2, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grid_seconds": 0}, "grid_seconds must be at least 1, got 0"),
        ({"max_lag_seconds": -1}, "max_lag_seconds must be at least 0, got -1"),
        ({"grid_seconds": 1, "max_lag_seconds": 1001}, "max_lag_seconds must be at most 1000"),
    ],
)
def test_a_lag_is_looked_for_within_bounds(settings: dict[str, int], message: str) -> None:
    """Cells have a length, and a lag is a thousand of them at most."""
    with pytest.raises(ValueError, match=message):
        lag(**settings)


@pytest.mark.parametrize("setting", ["threshold_bps", "tolerance_seconds", "bucket_seconds"])
def test_settings_below_their_least_are_refused(setting: str) -> None:
    """No threshold or tolerance below zero, no period without a length."""
    with pytest.raises(ValueError, match=f"{setting} must be at least"):
        area(**{setting: -1})
