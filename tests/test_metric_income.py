"""The income statement on tables small enough to compute in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import (
    agreed,
    fees,
    fees_by_kind,
    holders_revenue,
    protocol_revenue,
    run_rate,
    supply_side,
    treasury_revenue,
)
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from simulated_world import world

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
    return column(agreed("take_rate", {"fees": table("fees", *rows)}), "take_rate")


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


def test_revenue_is_what_the_supply_side_leaves() -> None:
    """Who shares the 4 dollars kept of 10 is not told: they are revenue, and nobody's share."""
    kept = {"fee_usd": 10, "supply_side_usd": 6}

    revenue = protocol_revenue(charged(SPLIT, kept)).collect()

    assert revenue.select("revenue_usd", "treasury_usd", "unsplit_count").row(0) == (8, None, 0)
    assert rates(SPLIT, kept) == [0.4]
    annual = run_rate(charged(SPLIT, kept), window_days=1).collect()
    assert annual.select("revenue_usd", "holders_usd").row(0) == (8, None)


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


def test_the_treasury_keeps_what_holders_do_not_get() -> None:
    """One of the four dollars kept is the treasury's, and an unknown split is unknown."""
    assert column(treasury_revenue(charged(SPLIT, SPLIT)).collect(), "treasury_usd") == ["2"]
    unknown = treasury_revenue(charged(SPLIT, UNSPLIT)).collect()
    assert column(unknown, "treasury_usd") == [None]
    assert column(unknown, "unsplit_count") == [1]


def test_a_kind_is_a_part_of_the_day() -> None:
    """Of a day's 40 dollars 10 are for borrowing, wherever they were charged."""
    borrow = SPLIT | {"fee_kind": "borrow", "market": "ETH"}

    result = fees_by_kind(charged(SPLIT, SPLIT, SPLIT, borrow)).collect()

    assert column(result, "fee_kind") == ["borrow", "position"]
    assert column(result, "fees_share_ratio") == [0.25, 0.75]
    assert column(result, "holders_usd") == ["3", "9"]


def test_a_day_with_an_unpriced_fee_has_no_shares() -> None:
    """What one kind brought is known, but not what part of the day that is."""
    result = fees_by_kind(charged(SPLIT, {"fee_kind": "borrow"})).collect()

    assert column(result, "fees_usd") == [None, "10"]
    assert column(result, "fees_share_ratio") == [None, None]
    assert column(result, "unpriced_count") == [1, 0]


def paid_on(*days: float) -> pl.LazyFrame:
    """Return a fee of ten dollars on each of these days after the first."""
    return charged(*(SPLIT | {"block_timestamp": at(days=day)} for day in days))


def test_a_window_becomes_a_year() -> None:
    """Two days with 20 dollars are ten a day: 3,650 a year, of it 4 in 10 revenue, 3 holders'."""
    result = run_rate(paid_on(0, 1), window_days=2).collect()

    assert column(result, "fees_usd") == ["10", "20"]
    assert column(result, "fees_annual_usd") == [None, 3650.0]
    assert column(result, "revenue_annual_usd") == [None, 1460.0]
    assert column(result, "holders_annual_usd") == [None, 1095.0]


def test_a_day_without_fees_counts_in_a_full_window() -> None:
    """Ten dollars in the last two days, nothing on one of them: five a day."""
    result = run_rate(paid_on(0, 5), window_days=2).collect()

    assert column(result, "fees_annual_usd") == [None, 1825.0]


def test_an_unknown_fee_leaves_no_run_rate() -> None:
    """A window with an unpriced fee has no rate; the split alone being unknown spoils the split."""
    unpriced = run_rate(charged(SPLIT, {"fee_usd": None}), window_days=1).collect()
    unsplit = run_rate(charged(SPLIT, UNSPLIT), window_days=1).collect()

    assert column(unpriced, "fees_annual_usd") == [None]
    assert column(unsplit, "fees_annual_usd") == [5475.0]
    assert column(unsplit, "revenue_annual_usd") == [None]


def test_a_run_rate_needs_a_day() -> None:
    """A window of zero days is refused."""
    with pytest.raises(ValueError, match="window_days must be at least 1, got 0"):
        run_rate(charged(), window_days=0)


def check_the_books(paid: pl.LazyFrame) -> None:
    """Check in every row that fees are supply side plus revenue, and revenue its two parts."""
    gross = fees(paid).collect()["fees_usd"]
    supply = supply_side(paid).collect()["supply_side_usd"]
    revenue = protocol_revenue(paid).collect()["revenue_usd"]
    treasury = treasury_revenue(paid).collect()["treasury_usd"]
    holders = holders_revenue(paid).collect()["holders_usd"]

    assert (gross == supply + revenue).all()
    assert (revenue == treasury + holders).all()
    kinds = fees_by_kind(paid).collect()
    parts = [kinds[f"{name}_usd"] for name in ("supply_side", "treasury", "holders")]
    assert kinds["fees_usd"].equals(parts[0] + parts[1] + parts[2])
    assert kinds["fees_usd"].sum() == gross.sum()


@given(st.lists(parts, min_size=1, max_size=8))
def test_the_books_balance(amounts: list[tuple[int, int, int]]) -> None:
    """Fees are supply side plus revenue, revenue is treasury plus holders, exactly."""
    check_the_books(charged(*(split(*each) for each in amounts)))


def test_the_books_of_the_simulated_world_balance() -> None:
    """The same holds for every day, market and kind of fee of a whole simulated market."""
    paid = world().ledger.table("fees")

    assert paid.height > 1_000
    check_the_books(paid.lazy())


@given(parts)
def test_splitting_a_fee_changes_only_the_count(amounts: tuple[int, int, int]) -> None:
    """One fee of 2x and two of x are the same income."""
    whole = charged(split(*(2 * part for part in amounts)))
    halves = charged(split(*amounts), split(*amounts))

    for metric in (fees, supply_side, treasury_revenue, protocol_revenue, holders_revenue):
        left, right = (metric(paid).drop("fee_count", strict=False) for paid in (whole, halves))
        assert_frame_equal(left.collect(), right.collect())
