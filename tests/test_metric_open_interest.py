"""Open interest from absolute values, from changes, and from both."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import open_interest
from handmade import at, column, shown, table, units
from hypothesis import given
from hypothesis import strategies as st

Row = Mapping[str, object]
SHORT: dict[str, object] = {"is_long": False}
changes = st.lists(
    st.tuples(st.booleans(), st.integers(-(10**33), 10**33)), min_size=1, max_size=20
)


def said(*rows: Row, bucket_seconds: int = 3600) -> pl.DataFrame:
    """Return the open interest these events say."""
    return open_interest(
        table("open_interest", *rows).lazy(), bucket_seconds=bucket_seconds
    ).collect()


def sides(result: pl.DataFrame, unit: str = "usd") -> list[tuple[object, ...]]:
    """Return long, short, total and skew of every row."""
    names = [f"open_interest_{side}_{unit}" for side in ("long", "short", "total", "skew")]
    return list(zip(*(column(result, name) for name in names), strict=True))


def test_the_latest_absolute_value_counts() -> None:
    """The second value of a side replaces the first."""
    result = said(
        {"open_interest_usd": 100},
        SHORT | {"open_interest_usd": 40},
        {"open_interest_usd": 70},
    )

    assert sides(result) == [("70", "40", "110", "30")]
    assert column(result, "basis") == ["absolute"]


def test_collaterals_of_a_side_are_added() -> None:
    """A venue that keeps one figure per collateral token has the sum of them open."""
    result = said(
        {"open_interest_usd": 100, "collateral_token": "0xeth"},
        {"open_interest_usd": 30, "collateral_token": "0xusdc"},
        {"open_interest_usd": 60, "collateral_token": "0xeth"},
        SHORT | {"open_interest_usd": 0},
    )

    assert sides(result) == [("90", "0", "90", "90")]


def test_changes_are_added_up() -> None:
    """A venue that announces only changes is summed, and the basis says so."""
    result = said(
        {"open_interest_delta_usd": 100},
        SHORT | {"open_interest_delta_usd": 10},
        {"open_interest_delta_usd": -30},
    )

    assert sides(result) == [("70", "10", "80", "60")]
    assert column(result, "basis") == ["delta"]


def test_an_absolute_value_corrects_the_sum() -> None:
    """Changes go on from the latest absolute value, not from the sum before it."""
    result = said(
        {"open_interest_delta_usd": 100},
        {"open_interest_usd": 500},
        {"open_interest_delta_usd": 5},
        SHORT | {"open_interest_usd": 0},
    )

    assert sides(result) == [("505", "0", "505", "505")]


def test_a_value_is_not_added_to_its_own_change() -> None:
    """An event that says both the change and the result counts once."""
    result = said(
        {"open_interest_usd": 100, "open_interest_delta_usd": 100},
        {"open_interest_usd": 60, "open_interest_delta_usd": -40},
        SHORT | {"open_interest_usd": 0, "open_interest_delta_usd": -1},
    )

    assert sides(result) == [("60", "0", "60", "60")]


def test_units_are_independent() -> None:
    """Dollars and base units may come in different events; each keeps its own latest value."""
    result = said(
        {"open_interest_usd": 100},
        {"open_interest_tokens": 2},
        SHORT | {"open_interest_usd": 50},
        SHORT | {"open_interest_tokens": 1},
    )

    assert sides(result) == [("100", "50", "150", "50")]
    assert sides(result, "tokens") == [("2", "1", "3", "1")]


def test_a_side_nobody_spoke_of_is_unknown() -> None:
    """Where values are absolute, a side without an event is null, and so are total and skew."""
    assert sides(said({"open_interest_usd": 100})) == [("100", None, None, None)]


def test_a_side_without_a_change_has_not_moved() -> None:
    """Where only changes are announced, a side without one is zero."""
    assert sides(said({"open_interest_delta_usd": 7})) == [("7", "0", "7", "7")]


def test_a_period_shows_its_end_and_keeps_the_other_side() -> None:
    """Each period with an event shows both sides after its last event."""
    result = said(
        {"open_interest_usd": 100},
        SHORT | {"open_interest_usd": 40},
        {"open_interest_usd": 90, "block_timestamp": at(3600), "block_number": 2},
        {"open_interest_usd": 80, "block_timestamp": at(7199), "block_number": 3},
    )

    assert column(result, "bucket_at") == [at(0), at(3600)]
    assert sides(result) == [("100", "40", "140", "60"), ("80", "40", "120", "40")]


def test_markets_do_not_mix() -> None:
    """Each market of a chain, protocol and version has its own open interest."""
    result = said(
        {"open_interest_delta_usd": 1},
        {"open_interest_delta_usd": 2, "market": "ETH"},
        {"open_interest_delta_usd": 4, "chain_id": 2},
        {"open_interest_delta_usd": 8, "protocol": "other"},
        {"open_interest_delta_usd": 16, "version": "v2"},
    )

    assert set(column(result, "open_interest_long_usd")) == {"1", "2", "4", "8", "16"}


def test_a_bucket_has_at_least_a_second() -> None:
    """A bucket of zero seconds is refused."""
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1, got 0"):
        said(bucket_seconds=0)


@given(changes)
def test_long_and_short_make_the_total(steps: list[tuple[bool, int]]) -> None:
    """Long + short = total and long - short = skew, and a side is the sum of its changes."""
    result = said(
        *({"is_long": side, "open_interest_delta_usd": units(number)} for side, number in steps)
    )

    long = sum(number for side, number in steps if side)
    short = sum(number for side, number in steps if not side)
    expected = (long, short, long + short, long - short)
    assert sides(result) == [tuple(shown(units(number)) for number in expected)]


@given(changes)
def test_absolute_values_and_their_changes_say_the_same(steps: list[tuple[bool, int]]) -> None:
    """Announced results and announced changes are the same open interest."""
    state = {True: 0, False: 0}
    deltas: list[Row] = [{"is_long": side, "open_interest_delta_usd": 0} for side in state]
    absolutes: list[Row] = [{"is_long": side, "open_interest_usd": 0} for side in state]
    for side, number in steps:
        state[side] += number
        deltas.append({"is_long": side, "open_interest_delta_usd": units(number)})
        absolutes.append({"is_long": side, "open_interest_usd": units(state[side])})

    assert sides(said(*deltas)) == sides(said(*absolutes))
