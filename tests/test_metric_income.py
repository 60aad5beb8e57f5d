"""The income statement on tables small enough to compute in the head."""

from collections.abc import Mapping

import polars as pl
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.metrics.income import (
    fees,
    holders_revenue,
    protocol_revenue,
    supply_side,
    take_rate,
)

SPLIT = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
UNSPLIT = {"fee_usd": 5, "split_basis": "none"}

parts = st.tuples(*[st.integers(0, 10**33)] * 3)


def charged(*rows: Mapping[str, object]) -> pl.LazyFrame:
    """Return fees with these columns."""
    return table("fees", *rows).lazy()


def split(supply: int, treasury: int, holders: int) -> dict[str, object]:
    """Return a fee whose parts are these, in units of 1e-18 dollars."""
    return {
        "fee_usd": units(supply + treasury + holders),
        "supply_side_usd": units(supply),
        "treasury_usd": units(treasury),
        "holders_usd": units(holders),
    }


def rates(*rows: Mapping[str, object]) -> list[object]:
    """Return the take rate of each day and protocol."""
    paid = charged(*rows)
    return column(take_rate(supply_side(paid), protocol_revenue(paid)).collect(), "take_rate")


def test_fees_are_added_by_day_and_kind() -> None:
    """Two position fees of a day are one row, a borrow fee and the next day are others."""
    paid = charged(
        SPLIT, SPLIT, SPLIT | {"fee_kind": "borrow"}, SPLIT | {"block_timestamp": at(days=1)}
    )

    result = fees(paid).collect()

    assert column(result, "fee_kind") == ["borrow", "position", "position"]
    assert column(result, "fees_usd") == ["10", "20", "10"]


def test_a_day_is_a_utc_day() -> None:
    """The last second before midnight belongs to its day, midnight to the next."""
    paid = charged(
        SPLIT | {"block_timestamp": at(3 * 3600 - 1)}, SPLIT | {"block_timestamp": at(3 * 3600)}
    )

    result = fees(paid).collect()

    assert [str(day) for day in result["date"]] == ["2025-10-10", "2025-10-11"]


def test_a_fee_without_a_price_is_counted_not_added() -> None:
    """The sum is what is known, and the count says how many fees it leaves out."""
    result = fees(charged(SPLIT, {"fee_usd": None})).collect()

    assert column(result, "fees_usd") == ["10"]
    assert column(result, "fee_count") == [2]
    assert column(result, "unpriced_count") == [1]


def test_fees_without_any_price_are_unknown() -> None:
    """Nothing known is null, not zero."""
    assert column(fees(charged({"fee_usd": None})).collect(), "fees_usd") == [None]


def test_an_unknown_split_makes_the_revenue_unknown() -> None:
    """A fee whose split nobody states leaves its row's shares null, and is counted."""
    paid = charged(SPLIT, UNSPLIT)

    revenue = protocol_revenue(paid).collect()

    assert column(revenue, "revenue_usd") == [None]
    assert column(revenue, "treasury_usd") == [None]
    assert column(revenue, "unsplit_count") == [1]
    assert column(supply_side(paid).collect(), "supply_side_usd") == [None]
    assert column(holders_revenue(paid).collect(), "holders_usd") == [None]


def test_an_unknown_split_spoils_no_other_row() -> None:
    """An unsplit borrow fee leaves the revenue of position fees known."""
    revenue = protocol_revenue(charged(SPLIT, UNSPLIT | {"fee_kind": "borrow"})).collect()

    assert column(revenue, "revenue_usd") == [None, "4"]


def test_the_take_rate_is_revenue_over_fees() -> None:
    """4 of 10 dollars kept is 0.4."""
    assert rates(SPLIT, SPLIT) == [0.4]


def test_no_fees_have_no_take_rate() -> None:
    """A day of zero fees has no rate: null, not zero and not a division error."""
    assert rates(split(0, 0, 0)) == [None]


def test_an_unsplit_fee_leaves_no_take_rate() -> None:
    """The rate of a protocol's day is unknown while any of its fees is unsplit."""
    assert rates(SPLIT, UNSPLIT | {"fee_kind": "borrow"}) == [None]


@given(st.lists(parts, min_size=1, max_size=8))
def test_the_books_balance(amounts: list[tuple[int, int, int]]) -> None:
    """Fees are supply side plus revenue, revenue is treasury plus holders, exactly."""
    paid = charged(*(split(*each) for each in amounts))

    gross = fees(paid).collect()["fees_usd"]
    supply = supply_side(paid).collect()["supply_side_usd"]
    revenue = protocol_revenue(paid).collect()
    holders = holders_revenue(paid).collect()["holders_usd"]

    assert (gross == supply + revenue["revenue_usd"]).all()
    assert (revenue["revenue_usd"] == revenue["treasury_usd"] + holders).all()


@given(parts)
def test_splitting_a_fee_changes_only_the_count(amounts: tuple[int, int, int]) -> None:
    """One fee of 2x and two of x are the same income."""
    whole = charged(split(*(2 * part for part in amounts)))
    halves = charged(split(*amounts), split(*amounts))

    for metric in (fees, supply_side, protocol_revenue, holders_revenue):
        left, right = (metric(paid).drop("fee_count", strict=False) for paid in (whole, halves))
        assert_frame_equal(left.collect(), right.collect())
