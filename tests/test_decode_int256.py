"""Arithmetic on 256-bit words equals Python's integers, digit for digit."""

from collections.abc import Callable
from decimal import Context
from operator import add as plus
from operator import mul as times

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.decode.columns import Column
from indexer.decode.int256 import (
    Int256,
    add,
    decimal,
    fixed,
    from_column,
    from_int,
    multiply,
    python_integers,
)
from indexer.decode.int256 import negate as negated

EXACT = Context(prec=100)  # the default context rounds at 28 digits
LARGEST = 2**256 - 1
LOWEST = -(2**255)

near_powers = st.tuples(st.integers(0, 256), st.integers(-2, 2)).map(lambda x: 2 ** x[0] + x[1])
near_tens = st.tuples(st.integers(0, 77), st.integers(-2, 2)).map(lambda x: 10 ** x[0] + x[1])
unsigned = st.one_of(st.integers(0, LARGEST), near_powers, near_tens, st.integers(0, 2**64)).map(
    lambda value: min(max(value, 0), LARGEST)
)
signed = st.one_of(unsigned.map(lambda value: value >> 1), st.integers(LOWEST, -1), st.just(LOWEST))
integers = st.one_of(
    unsigned.map(lambda value: (value, False)), signed.map(lambda value: (value, True))
)
columns = st.lists(integers, min_size=1, max_size=40)


def column(values: list[tuple[int, bool]], present: list[bool] | None = None) -> Column:
    """Words of these integers, each unsigned or signed."""
    words = b"".join((value % 2**256).to_bytes(32) for value, _ in values)
    return Column(
        "int",
        np.frombuffer(words, np.uint8).reshape(-1, 32),
        None,
        np.array(present if present is not None else [True] * len(values), np.bool_),
        np.array([is_signed for _, is_signed in values], np.bool_),
    )


def python_ints(a: Int256) -> list[int | None]:
    """The integers, None where they do not fit."""
    limbs = [[int(limb) for limb in row] for row in a.magnitude.T]
    sizes = [sum(limb << 64 * place for place, limb in enumerate(row)) for row in limbs]
    signs = [-1 if negative else 1 for negative in a.negative]
    return [
        sign * size if fits else None for sign, size, fits in zip(signs, sizes, a.fits, strict=True)
    ]


def units(value: int, decimals: int, over: int = 1) -> int | None:
    """`value / 10**decimals / over` in units of 1e-18, truncated; None above DECIMAL(38,18)."""
    decimals = max(-400, min(400, decimals))
    size = abs(value) * 10 ** max(0, 18 - decimals) // (over * 10 ** max(0, decimals - 18))
    return None if size >= 10**38 else (-size if value < 0 else size)


def units_of(numbers: pa.Decimal128Array) -> list[int | None]:
    """Decimals in units of 1e-18."""
    return [None if x is None else int(EXACT.scaleb(x, 18)) for x in numbers.to_pylist()]


@settings(max_examples=100)
@given(columns)
def test_words_become_the_integers_they_spell(values: list[tuple[int, bool]]) -> None:
    """From -2^255 to 2^256 - 1, signed and unsigned in one column."""
    read = from_column(column(values))

    assert python_ints(read) == python_integers(read) == [value for value, _ in values]


@settings(max_examples=120)
@given(columns, st.integers(-45, 100), st.sampled_from([1, 2, 3, 10, 97, 10_000, 10**10, 2**31]))
def test_scaling_truncates_toward_zero_and_marks_what_does_not_fit(
    values: list[tuple[int, bool]], decimals: int, over: int
) -> None:
    """Every digit equals Python's; what exceeds DECIMAL(38,18) is null, never wrapped."""
    numbers, fits = decimal(from_column(column(values)), decimals, over)

    expected = [units(value, decimals, over) for value, _ in values]
    assert units_of(numbers) == expected
    assert fits.tolist() == [number is not None for number in expected]


@settings(max_examples=100)
@given(columns, st.integers(-45, 100))
def test_the_fused_scaling_equals_the_two_steps(
    values: list[tuple[int, bool]], decimals: int
) -> None:
    """`fixed` is `decimal` of `from_column`."""
    fused, fused_fits = fixed(column(values), decimals)
    numbers, fits = decimal(from_column(column(values)), decimals)

    assert fused.equals(numbers)
    assert fused_fits.tolist() == fits.tolist()


@settings(max_examples=100)
@given(st.lists(st.tuples(integers, st.integers(-100, 300)), min_size=1, max_size=40))
def test_every_row_may_have_its_own_decimals(rows: list[tuple[tuple[int, bool], int]]) -> None:
    """Tokens of one column differ in decimals; absurd ones give zero or do not fit."""
    places = np.array([decimals for _, decimals in rows], np.int64)

    numbers, _ = decimal(from_column(column([value for value, _ in rows])), places)

    assert units_of(numbers) == [units(value, decimals) for (value, _), decimals in rows]


@settings(max_examples=100)
@given(st.lists(st.tuples(integers, integers), min_size=1, max_size=40))
@pytest.mark.parametrize(("ours", "python"), [(add, plus), (multiply, times)])
def test_sums_and_products_are_exact_or_do_not_fit(
    ours: Callable[[Int256, Int256], Int256],
    python: Callable[[int, int], int],
    pairs: list[tuple[tuple[int, bool], tuple[int, bool]]],
) -> None:
    """Above 2^256 - 1 a result is marked, below it is equal."""
    left, right = (from_column(column(list(side))) for side in zip(*pairs, strict=True))

    result = ours(left, right)

    exact = [python(a, b) for (a, _), (b, _) in pairs]
    assert python_ints(result) == [x if abs(x) <= LARGEST else None for x in exact]


@settings(max_examples=50)
@given(columns)
def test_negation_turns_every_sign_but_that_of_zero(values: list[tuple[int, bool]]) -> None:
    """Zero stays zero and is never negative."""
    result = negated(from_column(column(values)))

    assert python_ints(result) == [-value for value, _ in values]
    assert not result.negative[[value == 0 for value, _ in values]].any()


@pytest.mark.parametrize("zero", [multiply(from_int(-1, 1), from_int(0, 1)), from_int(0, 1)])
def test_no_zero_is_negative(zero: Int256) -> None:
    """A product with zero, a sum that cancels and minus zero have no sign to test for."""
    assert not zero.negative.any()
    assert not add(zero, negated(zero)).negative.any()
    assert not add(from_int(-1, 1), from_int(1, 1)).negative.any()


def test_an_absent_value_stays_absent_through_every_step() -> None:
    """Null in, null out: absence is not zero."""
    absent = from_column(column([(5, False), (7, False)], present=[True, False]))

    steps = add(from_int(1, 2), add(multiply(negated(absent), from_int(3, 2)), from_int(0, 2)))

    assert python_ints(steps) == [-14, None]
    assert not steps.magnitude[:, 1].any()
    assert decimal(steps, 0)[0].to_pylist()[1] is None
    assert fixed(column([(5, False)], present=[False]), 0)[1].tolist() == [False]


def test_an_overflow_is_not_undone_by_a_later_step() -> None:
    """2^256 - 1 squared, times zero, is still not known."""
    large = from_int(LARGEST, 1)

    assert python_ints(multiply(multiply(large, large), from_int(0, 1))) == [None]


@pytest.mark.parametrize("over", [1, 3, 10**10])
def test_the_largest_number_fits_and_the_next_does_not(over: int) -> None:
    """At every number of decimals, to the last digit that DECIMAL(38,18) has."""
    for decimals in range(-20, 60):
        first = -(-over * 10**38 * 10 ** max(0, decimals - 18) // 10 ** max(0, 18 - decimals))
        values = [value for value in (first - 1, first) if value <= LARGEST]
        numbers, _ = decimal(from_column(column([(x, False) for x in values])), decimals, over)

        assert units_of(numbers) == [units(value, decimals, over) for value in values]


@pytest.mark.parametrize("dollars", [170_141_183, 170_141_184, 10**20 - 1])
def test_thirty_decimal_dollars_pass_the_128_bit_line(dollars: int) -> None:
    """A size of $170.1M and more at 30 decimals is the same number of dollars."""
    numbers, _ = fixed(column([(dollars * 10**30 + 1, False), (-dollars * 10**30, True)]), 30)

    assert units_of(numbers) == [dollars * 10**18, -dollars * 10**18]


def test_one_wide_value_among_many_narrow_ones_changes_none_of_them() -> None:
    """Blocks take the short way when all values are short; one long value only costs time."""
    values = [(row * 10**30, True) for row in range(-10_000, 10_000)]
    values[4_321] = (LOWEST, True)

    numbers, fits = fixed(column(values), 30)

    assert np.flatnonzero(~fits).tolist() == [4_321]
    got = units_of(numbers)
    assert got[:4_321] == [row * 10**18 for row in range(-10_000, -10_000 + 4_321)]
    assert got[4_322:] == [row * 10**18 for row in range(-10_000 + 4_322, 10_000)]


def test_strided_words_are_read_where_they_are() -> None:
    """A column of a wider table needs no copy to be scaled."""
    table = np.zeros((20_000, 3, 32), np.uint8)
    table[:, 1, 31] = np.arange(20_000) % 256
    flags = np.ones(20_000, np.bool_)

    numbers, _ = fixed(Column("uint", table[:, 1], None, flags, ~flags), 18)

    assert units_of(numbers) == [row % 256 for row in range(20_000)]


def test_the_result_reaches_both_engines_unchanged() -> None:
    """Polars and DuckDB read the Arrow array as DECIMAL(38,18) with its nulls."""
    numbers, _ = fixed(column([(-(10**38) + 1, True), (10**38, False), (1, False)]), 18)
    connection = duckdb.connect().register("facts", pa.table({"number": numbers}))

    series = pl.Series(pl.from_arrow(numbers))
    rows = connection.execute("select number, typeof(number) from facts").fetchall()

    assert series.dtype == pl.Decimal(38, 18)
    assert series.to_list() == [number for number, _ in rows] == numbers.to_pylist()
    assert {kind for _, kind in rows} == {"DECIMAL(38,18)"}


@pytest.mark.parametrize("over", [0, -1, 2**61 - 1])
def test_a_divisor_out_of_reach_is_named(over: int) -> None:
    """Zero, negative numbers and primes above 2^32 cannot be divided by."""
    with pytest.raises(ValueError, match=f"cannot divide by .*{over}"):
        decimal(from_int(1, 1), 0, over)


def test_text_holds_no_numbers() -> None:
    """A declaration that scales a string is told so."""
    none = np.zeros(0, np.bool_)

    with pytest.raises(ValueError, match="a column of string holds no numbers"):
        fixed(Column("string", None, pl.Series([], dtype=pl.String), none, none), 18)


def test_a_constant_wider_than_256_bits_is_refused() -> None:
    """Constants come from declarations, so this is an error and not a row that does not fit."""
    with pytest.raises(ValueError, match="more than 256 bits"):
        from_int(2**256, 1)
