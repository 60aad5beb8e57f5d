"""Quotients of 256-bit words equal Python's integers, digit for digit."""

from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.decode.columns import Column
from indexer.decode.int256 import Int256, from_column, from_int
from indexer.decode.limbs import BLOCK
from indexer.decode.quotients import quotient

EXACT = Context(prec=100)  # the default context rounds at 28 digits
LARGEST = 2**256 - 1
near_powers = st.tuples(st.integers(0, 255), st.integers(-1, 1)).map(lambda x: 2 ** x[0] + x[1])
near_tens = st.tuples(st.integers(0, 76), st.integers(-1, 1)).map(lambda x: 10 ** x[0] + x[1])
unsigned = st.one_of(st.integers(0, LARGEST), near_powers, near_tens, st.integers(0, 2**64))
signed = st.one_of(unsigned.map(lambda x: x >> 1), unsigned.map(lambda x: -(x >> 1)))
places = st.one_of(st.integers(-40, 60), st.sampled_from([-(10**9), -500, 500, 10**9]))


def int256(*values: int, is_signed: bool = True) -> Int256:
    """Words of these integers as integers of a column."""
    words = b"".join((value % 2**256).to_bytes(32) for value in values)
    rows = len(values)
    return from_column(
        Column(
            "int",
            np.frombuffer(words, np.uint8).reshape(-1, 32),
            None,
            np.ones(rows, np.bool_),
            np.full(rows, is_signed),
        )
    )


def expected(a: int, b: int, decimals: int, over: int = 1) -> Decimal | None:
    """`a / b / 10**decimals / over`, cut off at 18 places; None where it is not a fact."""
    if b == 0:
        return None
    exponent = max(-400, min(400, 18 - decimals))
    up, down = 10 ** max(0, exponent), 10 ** max(0, -exponent)
    units = abs(a) * up // (abs(b) * over * down)
    signed_units = units if (a < 0) == (b < 0) else -units
    return Decimal(signed_units).scaleb(-18, EXACT) if units < 10**38 else None


@given(st.lists(st.tuples(signed, signed, places), min_size=1, max_size=30), st.integers(1, 10**30))
def test_a_quotient_is_truncated_once(rows: list[tuple[int, int, int]], over: int) -> None:
    """Sign, size, decimals per row and a divisor of any size agree with unlimited integers."""
    a, b, decimals = zip(*rows, strict=True)

    array, fits, defined = quotient(int256(*a), int256(*b), np.array(decimals), over)

    told = [expected(*row, over) for row in rows]
    assert array.to_pylist() == told
    assert defined.tolist() == [divisor != 0 for divisor in b]
    assert (fits & defined).tolist() == [one is not None for one in told]


def test_a_quotient_of_38_digits_fits_and_one_more_does_not() -> None:
    """The bound is the type's: from 1e20 on there is no such fact."""
    largest = 10**38 - 1

    array, fits, _ = quotient(int256(largest, -largest, 10**38, -(10**38)), from_int(1, 4), 18)

    exact = Decimal(largest).scaleb(-18, EXACT)
    assert array.to_pylist() == [exact, exact.copy_negate(), None, None]
    assert fits.tolist() == [True, True, False, False]


@given(unsigned, unsigned, st.integers(-40, 60))
def test_unsigned_words_use_all_256_bits(a: int, b: int, decimals: int) -> None:
    """The highest bit of an unsigned word is no sign."""
    array, _, _ = quotient(int256(a, is_signed=False), int256(b, is_signed=False), decimals)

    assert array.to_pylist() == [expected(a, b, decimals)]


def test_no_division_is_lost_between_blocks() -> None:
    """Rows beyond the first block are divided like those before."""
    rows = BLOCK + 3

    array, _, _ = quotient(from_int(7, rows), from_int(-2, rows), 0)

    assert array.to_pylist() == [Decimal("-3.5")] * rows


def test_nothing_divides_nothing() -> None:
    """No rows give no rows."""
    array, fits, defined = quotient(from_int(1, 0), from_int(1, 0), 0)

    assert (len(array), len(fits), len(defined)) == (0, 0, 0)


def test_what_did_not_fit_stays_marked() -> None:
    """An overflow in either operand is no zero divisor and no result."""
    lost = from_int(5, 1)
    lost.magnitude[:] = 0
    lost.fits[:] = False

    for a, b in ((lost, from_int(2, 1)), (from_int(2, 1), lost)):
        array, fits, defined = quotient(a, b, 0)
        assert (array.to_pylist(), fits.tolist(), defined.tolist()) == ([None], [False], [True])


def test_a_divisor_of_all_rows_is_positive() -> None:
    """`over` below one is a mistake in a declaration, said at once."""
    with pytest.raises(ValueError, match="`over` is 1 or more"):
        quotient(from_int(1, 1), from_int(1, 1), 0, 0)
