"""Integer columns, and the ends of ranges of prices, on small protocols over recorded shapes."""

import polars as pl
import pytest
from goldens import reasons, rows
from hypothesis import given
from hypothesis import strategies as st
from test_facts_engine import made, margin, small

from indexer.spec import Const, Event, Int, Neg, Nonzero, TickPrice, Value, When

MARGIN = ("gmx_v1/Vault", "CollectMarginFees")


def whole(value: Value) -> Event:
    """Return an event whose column of integers holds the value."""
    columns: dict[str, Value] = {"kind": Const("swap"), "pool": Const("p"), "tick": value}
    return Event(*MARGIN, "pool_liquidity", columns)


@given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=5), st.booleans())
def test_an_integer_is_what_the_log_says(numbers: list[int], is_negative: bool) -> None:
    """Of either sign, up to the last that a column holds."""
    value: Value = Neg("feeUsd") if is_negative else "feeUsd"

    result = made(small(whole(value)), [margin(number) for number in numbers])

    assert result.tables["pool_liquidity"]["tick"].to_list() == [
        -number if is_negative else number for number in numbers
    ]
    assert result.tables["pool_liquidity"].schema["tick"] == pl.Int32


@pytest.mark.parametrize("number", [2**31, 2**32, 2**64, 2**64 + 1, 2**255])
@pytest.mark.parametrize("is_negative", [False, True])
def test_an_integer_beyond_the_column_rejects_its_row(number: int, is_negative: bool) -> None:
    """It is not wrapped; the row beside it stays."""
    value: Value = Neg("feeUsd") if is_negative else "feeUsd"

    result = made(small(whole(value)), [margin(number), margin(7)])

    assert [abs(row["tick"]) for row in rows(result, "pool_liquidity")] == [7]
    assert reasons(result) == [
        ("CollectMarginFees", "pool_liquidity", "the value does not fit an integer column")
    ]


def test_an_integer_that_is_not_there_is_null() -> None:
    """Neither zero nor a reject."""
    event = whole(When(Nonzero("feeTokens"), "feeUsd"))

    result = made(small(event), [margin(7, 1), margin(8), margin(2**31)])

    assert result.tables["pool_liquidity"]["tick"].to_list() == [7, None, None]
    assert reasons(result) == []


def test_a_column_without_an_expression_is_null() -> None:
    """What a declaration leaves out is not known."""
    result = made(small(whole(Int(-5))), [margin(7)])

    (row,) = result.tables["pool_liquidity"].select("tick", "tick_lower").rows()
    assert row == (-5, None)


def priced(tick: Value, *, is_end: bool) -> Event:
    """Return an event whose column of prices is that of a tick."""
    price = TickPrice(tick, 1, 0, 0, is_end=is_end)
    where = {"kind": Const("added"), "pool": Const("p")}
    return Event(*MARGIN, "pool_liquidity", {**where, "upper_price_quote": price})


@pytest.mark.parametrize("is_end", [False, True])
def test_a_tick_that_is_not_there_has_no_price(is_end: bool) -> None:
    """Tick 0 is a price of one; where there is none the price is null, and that is no reject."""
    event = priced(When(Nonzero("feeTokens"), "feeUsd"), is_end=is_end)

    result = made(small(event), [margin(0, 1), margin(0)])

    assert result.tables["pool_liquidity"]["upper_price_quote"].to_list() == [1, None]
    assert reasons(result) == []


@pytest.mark.parametrize("tick", [460_600, 887_272, 887_273])
def test_the_end_of_a_range_may_be_too_far_for_a_column(tick: int) -> None:
    """It is null; a price that is no end of a range rejects the row."""
    end, price = (
        made(small(priced(Int(tick), is_end=is_end)), [margin(1)]) for is_end in (True, False)
    )

    assert rows(end, "pool_liquidity") == [{"kind": "added", "pool": "p"}]
    assert rows(price, "pool_liquidity") == []
    assert [reason for _, _, reason in reasons(price)] == ["the value does not fit DECIMAL(38,18)"]
