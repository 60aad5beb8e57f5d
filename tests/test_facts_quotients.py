"""The words for one amount per another: quotients, and decimals of two tokens."""

from decimal import Context, Decimal

from goldens import reasons, rows
from hypothesis import given
from hypothesis import strategies as st
from test_facts_engine import OTHER, TOKEN, fee, fees_of, made, margin, small

from indexer.spec import (
    Amount,
    Const,
    DecimalsOf,
    DecimalsSaid,
    Emitter,
    Event,
    Fixed,
    Int,
    Neg,
    Nonzero,
    Product,
    Quotient,
    Value,
    When,
)

RATIO = Quotient("feeUsd", "feeTokens")


@given(st.integers(0, 2**255), st.integers(1, 2**255), st.integers(-20, 60), st.integers(1, 7))
def test_a_quotient_equals_python_integers(a: int, b: int, decimals: int, over: int) -> None:
    """Nothing is cut off before 1e-18, and what does not fit is rejected."""
    up, down = 10 ** max(0, 18 - decimals), 10 ** max(0, decimals - 18)
    units = 3 * a * up // (b * over * down)
    event = fee(
        fee_usd=Fixed(Quotient(Neg(Product("feeUsd", Int(3))), "feeTokens"), decimals, over)
    )

    result = made(small(event), [margin(a, b)])

    fits = units < 10**38 and 3 * a < 2**256
    assert [row["fee_usd"] for row in rows(result, "fees")] == (
        [Decimal(-units).scaleb(-18, Context(prec=100))] if fits else []
    )
    assert [reason for _, _, reason in reasons(result)] == (
        [] if fits else ["the value does not fit DECIMAL(38,18)"]
    )


def test_a_quotient_by_zero_is_not_known() -> None:
    """Other columns of the row stand; the rows beside it too."""
    event = fee(fee_usd=Fixed(RATIO, 0), fee_tokens=Fixed("feeUsd", 0))

    assert fees_of(event, margin(7, 0), margin(7, 2)) == [
        {"fee_tokens": Decimal(7)},
        {"fee_usd": Decimal("3.5"), "fee_tokens": Decimal(7)},
    ]


def test_a_quotient_by_zero_in_a_column_that_must_be_known_rejects_the_row() -> None:
    """A price of no shares is said to be missing, not left out in silence."""
    columns: dict[str, Value] = {"pool": Emitter(), "share_price_tokens": Fixed(RATIO, 0)}
    event = Event("gmx_v1/Vault", "CollectMarginFees", "share_prices", columns)

    result = made(small(event), [margin(7, 0)])

    assert reasons(result) == [
        ("CollectMarginFees", "share_prices", "share price tokens is not known")
    ]


def test_a_branch_that_is_not_taken_divides_nothing() -> None:
    """A choice between numbers may hold a quotient on either side."""
    event = fee(fee_usd=When(Nonzero("feeTokens"), Fixed(RATIO, 0), Fixed(Int(1), 0)))

    assert fees_of(event, margin(7, 0), margin(7, 2)) == [
        {"fee_usd": Decimal(1)},
        {"fee_usd": Decimal("3.5")},
    ]


def test_an_amount_may_be_a_quotient() -> None:
    """What one share is worth is counted in whole tokens of the asset."""
    event = fee(fee_tokens=Amount(Quotient(Product("feeUsd", Int(10**18)), "feeTokens"), "token"))

    assert fees_of(event, margin(3 * 10**6, 2 * 10**18)) == [{"fee_tokens": Decimal("1.5")}]


def test_decimals_of_two_tokens_may_be_subtracted() -> None:
    """Six decimals per eighteen: 1.5 assets for each of two shares."""
    shares = DecimalsSaid(Int(18), times=-1)
    event = fee(
        fee_usd=Fixed(RATIO, DecimalsOf("token", plus=shares)),
        fee_tokens=Fixed(RATIO, DecimalsOf("token", plus=DecimalsOf("token", times=-1))),
    )

    assert fees_of(event, margin(3 * 10**6, 2 * 10**18)) == [
        {"fee_usd": Decimal("1.5"), "fee_tokens": Decimal("1.5e-12")}
    ]


def test_the_second_token_may_be_unknown() -> None:
    """Either token costs the row, and is asked for."""
    either = DecimalsOf("token", plus=DecimalsOf(Const(OTHER), times=-1))

    result = made(small(fee(fee_usd=Fixed(RATIO, either))), [margin(1, 1, TOKEN)])

    assert reasons(result)[0][2] == f"decimals of token {OTHER} are not known"
    assert result.unknown_tokens == (OTHER,)
