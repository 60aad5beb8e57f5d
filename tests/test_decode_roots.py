"""Prices from square roots equal fractions of unlimited integers, cut off at 1e-18."""

from decimal import Context
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest
from goldens import reasons, usd
from hypothesis import given, settings
from hypothesis import strategies as st
from test_facts_engine import fee, made, margin, small

from indexer.decode.int256 import Int256
from indexer.decode.roots import sqrt_price
from indexer.spec import DecimalsOf, SqrtPrice

EXACT = Context(prec=100)
# Uniswap v3's bounds of a root: TickMath.MIN_SQRT_RATIO and MAX_SQRT_RATIO.
LOWEST, HIGHEST = 4295128739, 1461446703485210103287273052203988822378723970342

roots = st.one_of(
    st.integers(LOWEST, HIGHEST), st.integers(0, 160).map(lambda bits: 1 << bits), st.just(LOWEST)
)


def column(values: list[int]) -> Int256:
    """Return these integers as a column."""
    limbs = [[value >> 64 * place & 2**64 - 1 for value in values] for place in range(4)]
    none = np.zeros(len(values), np.bool_)
    return Int256(np.array(limbs, np.uint64).reshape(4, -1), none, ~none)


@settings(max_examples=200)
@given(st.lists(st.tuples(roots, st.integers(-40, 40)), min_size=1, max_size=20), st.booleans())
def test_a_price_is_the_fraction_cut_off(pairs: list[tuple[int, int]], is_inverse: bool) -> None:
    """Square, inverse and decimals are one fraction; what reaches 1e20 does not fit."""
    prices = [Fraction(root, 2**96) ** (-2 if is_inverse else 2) for root, _ in pairs]
    units = [
        int(price * Fraction(10) ** (shift + 18))
        for price, (_, shift) in zip(prices, pairs, strict=True)
    ]

    array, fits = sqrt_price(
        column([root for root, _ in pairs]),
        np.array([shift for _, shift in pairs]),
        is_inverse=is_inverse,
    )

    found = [None if one is None else int(EXACT.scaleb(one, 18)) for one in array.to_pylist()]
    assert found == [one if one < 10**38 else None for one in units]
    assert fits.tolist() == [one < 10**38 for one in units]


def root_of(ratio: Fraction) -> int:
    """Return the root of a ratio of squares, in units of 2**-96."""
    return int(ratio * 2**96)


def price_of(value: SqrtPrice, root: int) -> list[Any]:
    """Return the price as a column of one log whose `feeUsd` is the root."""
    result = made(small(fee(fee_usd=value)), [margin(root)])

    return result.tables["fees"]["fee_usd"].to_list() or reasons(result)


@pytest.mark.parametrize(("of", "price"), [("token0", "0.0004"), ("token1", "2500")])
def test_either_token_is_priced_in_the_other(of: Literal["token0", "token1"], price: str) -> None:
    """USDC of 6 and WETH of 18 decimals, at 0.0004 WETH per USDC."""
    value = SqrtPrice("feeUsd", DecimalsOf("token"), 18, of)

    # 0.0004 * 10**(18 - 6) is the square of 20000.
    assert price_of(value, root_of(Fraction(20000))) == [usd(price)]


def test_the_square_is_not_cut_before_the_decimals_are_applied() -> None:
    """A root whose square keeps no digit at 1e-18 still prices a token of many decimals."""
    value = SqrtPrice("feeUsd", 18, 6)

    assert price_of(value, root_of(Fraction(1, 10**10)) + 1) == [usd("0.00000001")]


def test_a_pool_without_a_price_is_rejected() -> None:
    """A root of zero is not a price of zero."""
    why = [("CollectMarginFees", "fees", "the value does not fit DECIMAL(38,18)")]

    assert price_of(SqrtPrice("feeUsd", 18, 18), 0) == why
    assert price_of(SqrtPrice("feeUsd", 18, 18, "token1"), 0) == why


@pytest.mark.parametrize("is_inverse", [False, True])
def test_a_pool_without_a_price_spoils_no_other(is_inverse: bool) -> None:
    """Beside a root of one, a root of zero fits neither way round."""
    array, fits = sqrt_price(column([1 << 96, 0]), np.zeros(2, np.int64), is_inverse=is_inverse)

    assert array.to_pylist() == [1, None]
    assert fits.tolist() == [True, False]


def test_a_token_of_unknown_decimals_is_not_priced() -> None:
    """The row is rejected and the token is asked for."""
    event = fee(fee_usd=SqrtPrice("feeUsd", 18, DecimalsOf("token")))
    stranger = "0x" + "99" * 20

    result = made(small(event), [margin(1 << 96, token=stranger)])

    assert reasons(result)[0][2] == f"decimals of token {stranger} are not known"
    assert result.unknown_tokens == (stranger,)
