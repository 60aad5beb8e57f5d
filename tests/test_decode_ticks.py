"""Prices from ticks: powers of 1.0001, truncated at the eighteenth place."""

from decimal import Decimal
from functools import cache

import pytest
from goldens import scaled

from indexer.decode.ticks import LAST_TICK, tick_price


def price_of(tick: int, shift: int = 0, *, is_inverse: bool = False) -> Decimal | None:
    """Return one price; None where it does not fit."""
    array, fits = tick_price([tick], [shift], is_inverse=is_inverse)
    value = array.to_pylist()[0]
    assert bool(fits[0]) == (value is not None)
    assert value is None or isinstance(value, Decimal)
    return value


@cache
def powers(exponent: int) -> tuple[int, int]:
    """Return powers of 10,001 and 10,000, apart: to reduce their fraction takes half a second."""
    return 10_001**exponent, 10_000**exponent


@pytest.mark.parametrize("tick", [0, 1, -1, 7, -276_324, 200_311, -200_311, 50_000])
@pytest.mark.parametrize("shift", [0, 12, -12])
@pytest.mark.parametrize("is_inverse", [False, True])
def test_a_price_is_the_power_cut_off(tick: int, shift: int, *, is_inverse: bool) -> None:
    """Against whole numbers: the last place is that of the true value, never above it."""
    larger, smaller = powers(abs(tick))
    above, below = (smaller, larger) if (tick < 0) != is_inverse else (larger, smaller)

    found = price_of(tick, shift, is_inverse=is_inverse)

    expected = above * 10 ** (18 + shift) // below
    assert found == (scaled(expected, 18) if expected < 10**38 else None)


@pytest.mark.parametrize("tick", [LAST_TICK + 1, -LAST_TICK - 1, 2**55])
def test_a_tick_that_no_pool_can_have_has_no_price(tick: int) -> None:
    """It is not zero and not huge: it is not known."""
    assert price_of(tick) is None


def test_the_smallest_price_is_zero_at_eighteen_places() -> None:
    """The first tick's price is 3e-39: measured, and too small to be told from nothing."""
    assert price_of(-LAST_TICK) == 0
    assert price_of(LAST_TICK) is None


def test_a_price_of_twenty_digits_fits_and_one_more_does_not() -> None:
    """A tick of zero is one; twenty places up it is beyond the type."""
    assert price_of(0, 19) == 10**19
    assert price_of(0, 20) is None
