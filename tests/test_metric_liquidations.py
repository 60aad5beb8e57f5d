"""Liquidations and their speed, on tables small enough to compute in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import liquidation_velocity, liquidations
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

SHORT = {"is_long": False}
LONG = {"is_long": True}
COUNTS = ("liquidation_count", "account_count", "long_count", "short_count")

amounts = st.integers(0, 10**33)


def closed(*rows: Mapping[str, object], bucket_seconds: int = 3600) -> pl.DataFrame:
    """Return the metric of these liquidations."""
    frame = table("liquidations", *rows).lazy()
    return liquidations(frame, bucket_seconds=bucket_seconds).collect()


def speeds(*events: tuple[float, object], window_seconds: int = 60) -> list[tuple[object, ...]]:
    """Return notional and velocity at each moment of these liquidations: second, dollars."""
    rows = [{"block_timestamp": at(second), "notional_usd": usd} for second, usd in events]
    frame = table("liquidations", *rows).lazy()
    result = liquidation_velocity(frame, window_seconds=window_seconds).collect()
    names = ("notional_usd", "velocity_usd_per_second")
    return list(zip(*(column(result, name) for name in names), strict=True))


def test_sides_accounts_and_money_are_added() -> None:
    """Two longs of one account and a short of another: one row with every sum."""
    result = closed(
        LONG | {"notional_usd": 100, "fee_usd": 1, "shortfall_usd": 3, "realized_pnl_usd": -9},
        LONG | {"notional_usd": 50, "fee_usd": 2, "collateral_usd": 5},
        SHORT | {"notional_usd": 25, "account": "0xb"},
    )

    assert [result[name].item() for name in COUNTS] == [3, 2, 2, 1]
    assert column(result, "notional_usd") == ["175"]
    assert column(result, "notional_long_usd") == ["150"]
    assert column(result, "notional_short_usd") == ["25"]
    assert column(result, "fee_usd") == ["3"]
    assert column(result, "shortfall_usd") == ["3"]
    assert column(result, "realized_pnl_usd") == ["-9"]
    assert column(result, "collateral_usd") == ["5"]


def test_an_account_that_nobody_tells_is_none() -> None:
    """A venue's tape may not say who was liquidated: the event counts, an account does not."""
    result = closed(LONG | {"account": None}, LONG | {"account": None}, SHORT)

    assert result["liquidation_count"].item() == 3
    assert result["account_count"].item() == 1


def test_how_many_accounts_is_not_known_where_nobody_tells_one() -> None:
    """A trade of dYdX was of somebody: not of nobody."""
    assert closed(LONG | {"account": None})["account_count"].item() is None


def test_what_no_event_says_is_unknown() -> None:
    """A venue without notional or shortfall has null sums, and the rows are counted."""
    result = closed(LONG, SHORT | {"notional_usd": 5})

    assert column(result, "shortfall_usd") == [None]
    assert column(result, "unknown_notional_count") == [1]
    assert column(result, "notional_usd") == ["5"]
    assert column(result, "notional_long_usd") == [None]


def test_a_side_without_liquidations_is_zero() -> None:
    """No short liquidated is a measured zero, not unknown."""
    assert column(closed(LONG | {"notional_usd": 5}), "notional_short_usd") == ["0"]


def test_a_position_of_unknown_side_is_on_neither() -> None:
    """It counts in the total alone."""
    result = closed({"notional_usd": 5}, LONG | {"notional_usd": 1})

    assert column(result, "notional_usd") == ["6"]
    assert column(result, "notional_long_usd") == ["1"]
    assert column(result, "notional_short_usd") == ["0"]


def test_buckets_begin_where_they_say() -> None:
    """The last second of an hour belongs to it, the next second to the next."""
    result = closed({"block_timestamp": at(3599)}, {"block_timestamp": at(3600)})

    assert column(result, "bucket_at") == [at(0), at(3600)]


def test_a_bucket_has_at_least_a_second() -> None:
    """A bucket of zero seconds is refused."""
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1, got 0"):
        closed(bucket_seconds=0)


@given(amounts, amounts)
def test_splitting_a_liquidation_changes_only_the_count(first: int, second: int) -> None:
    """One liquidation of x + y and two of x and y are the same, but for the number of events."""
    one, two, both = units(first), units(second), units(first + second)
    whole = closed(LONG | {"notional_usd": both, "fee_usd": both})

    parts = closed(*(LONG | {"notional_usd": usd, "fee_usd": usd} for usd in (one, two)))

    counts = ["liquidation_count", "long_count"]
    assert_frame_equal(whole.drop(counts), parts.drop(counts))


@given(st.lists(st.tuples(st.booleans(), amounts), min_size=1, max_size=10))
def test_long_and_short_make_the_notional(rows: list[tuple[bool, int]]) -> None:
    """Where every side is known, long + short = notional to the last digit."""
    result = closed(*({"is_long": side, "notional_usd": units(usd)} for side, usd in rows))

    sides = result["notional_long_usd"] + result["notional_short_usd"]
    assert sides.equals(result["notional_usd"], check_names=False)


def test_velocity_looks_ahead() -> None:
    """The window starts at the moment and ends before its last second: [t, t + 60)."""
    assert speeds((0, 60), (59, 120), (60, 600)) == [
        ("180", 3.0),
        ("720", 12.0),
        ("600", 10.0),
    ]


def test_acceleration_compares_with_the_window_before() -> None:
    """From nothing to 3 dollars a second in a minute, then from 3 to 1: the half-open windows."""
    events = [(0, 60), (59, 120), (60, 60), (600, None), (660, 6)]
    rows = [{"block_timestamp": at(second), "notional_usd": usd} for second, usd in events]

    result = liquidation_velocity(table("liquidations", *rows).lazy()).collect()

    assert column(result, "velocity_usd_per_second") == [3.0, 3.0, 1.0, None, 0.1]
    assert column(result, "acceleration_usd_per_second_squared") == [
        *(180 / 3600, (180 - 60) / 3600, (60 - 180) / 3600, None, None),
    ]


def test_a_velocity_of_what_is_known_says_how_much_is_not() -> None:
    """60 and an unknown one in a minute are at least a dollar a second; no gain follows from it."""
    rows = [
        {"block_timestamp": at(second), "notional_usd": usd}
        for second, usd in ((0, 60), (30, None), (60, 60), (120, 60))
    ]

    result = liquidation_velocity(table("liquidations", *rows).lazy()).collect()

    assert column(result, "velocity_usd_per_second") == [1.0, 1.0, 1.0, 1.0]
    assert column(result, "unknown_notional_count") == [1, 1, 0, 0]
    assert column(result, "acceleration_usd_per_second_squared") == [None, None, None, 0.0]


def test_velocity_adds_the_markets_of_a_protocol() -> None:
    """A cascade is one, however many markets it runs through; protocols stay apart."""
    rows: list[Mapping[str, object]] = [
        {"notional_usd": 60},
        {"notional_usd": 60, "market": "ETH"},
        {"notional_usd": 30, "protocol": "other"},
    ]

    result = liquidation_velocity(table("liquidations", *rows).lazy()).collect()

    assert column(result, "protocol") == ["other", "venue"]
    assert column(result, "velocity_usd_per_second") == [0.5, 2.0]


def test_velocity_without_notional_is_unknown() -> None:
    """Liquidations of unknown size have no speed in dollars."""
    assert speeds((0, None), (120, 6)) == [(None, None), ("6", 0.1)]


def test_a_velocity_window_has_at_least_a_second() -> None:
    """A window of zero seconds is refused."""
    with pytest.raises(ValueError, match="window_seconds must be at least 1, got 0"):
        speeds(window_seconds=0)
