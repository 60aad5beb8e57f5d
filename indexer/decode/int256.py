"""
Exact integers of 256 bits and a sign, and the one place where they become DECIMAL(38,18).

Whatever leaves 256 bits, or was not there to begin with, is marked in `fits` and stays marked
through every further step; nothing wraps and nothing is rounded but the last division, which
truncates toward zero at 1e-18.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.decode.columns import Column
from indexer.decode.limbs import BLOCK, Limb, Mask, Scaling, complement, load, scale, scaling

_LOW = np.uint64(0xFFFF_FFFF)
_HALF = np.uint64(32)
_DECIMAL = pa.decimal128(38, 18)
_FAR = 256
Objects = NDArray[Any]


@dataclass(frozen=True)
class Int256:
    """
    A column of integers from -(2**256 - 1) to 2**256 - 1.

    Attributes:
        magnitude: (4, rows), limbs of 64 bits, lowest first; zero where it does not fit.
        negative: (rows,), never set on a zero.
        fits: (rows,), false where a step overflowed or the source was absent or refused.
    """

    magnitude: NDArray[np.uint64]
    negative: NDArray[np.bool_]
    fits: NDArray[np.bool_]


def from_column(column: Column) -> Int256:
    """
    Return the words of a column as integers; what is not present does not fit.

    Raises:
        ValueError: the column holds bytes or text.
    """
    words = _words(column)
    magnitude = np.empty((4, len(words)), np.uint64)
    negative = np.zeros(len(words), np.bool_)
    for rows in _blocks(len(words)):
        limbs = load(words[rows], magnitude[:, rows])
        negative[rows] = _absolute(limbs, column.signed[rows])
    return _checked(magnitude, negative, column.present.copy())


def from_int(value: int, rows: int) -> Int256:
    """
    Return the same integer on every row.

    Raises:
        ValueError: it needs more than 256 bits.
    """
    if abs(value) >> 256:
        raise ValueError(f"{value} needs more than 256 bits")
    limbs = np.frombuffer(abs(value).to_bytes(32, "little"), "<u8")
    magnitude = np.repeat(limbs[:, None], rows, axis=1).astype(np.uint64)
    return Int256(magnitude, np.full(rows, value < 0), np.ones(rows, np.bool_))


def negate(a: Int256) -> Int256:
    """Return -a; zero stays positive, and what does not fit stays marked."""
    return Int256(a.magnitude, ~a.negative & a.magnitude.any(axis=0), a.fits)


def add(a: Int256, b: Int256) -> Int256:
    """Return a + b."""
    total, carry = _sum(a.magnitude, b.magnitude)
    first, borrow = _difference(a.magnitude, b.magnitude)
    second, _ = _difference(b.magnitude, a.magnitude)
    apart = np.where(borrow, second, first)
    same = a.negative == b.negative
    negative = np.where(same | ~borrow, a.negative, b.negative)
    fits = a.fits & b.fits & ~(same & carry)
    return _checked(np.where(same, total, apart), negative, fits)


def multiply(a: Int256, b: Int256) -> Int256:
    """Return a * b; a product above 2**256 - 1 does not fit."""
    magnitude = np.empty_like(a.magnitude)
    fits = a.fits & b.fits
    for rows in _blocks(len(fits)):
        over = _product(a.magnitude[:, rows], b.magnitude[:, rows], magnitude[:, rows])
        fits[rows] &= ~over
    return _checked(magnitude, a.negative ^ b.negative, fits)


def decimal(
    a: Int256, decimals: int | NDArray[np.int64], over: int = 1
) -> tuple[pa.Decimal128Array, NDArray[np.bool_]]:
    """
    Return a / 10**decimals / over as DECIMAL(38,18), truncated toward zero, and what fits.

    Args:
        a: integers.
        decimals: one for all rows or one per row; may be negative or above 18.
        over: a positive integer without odd prime factors of 2**32 or more.

    Raises:
        ValueError: `over` is not such a number.
    """
    units, fits = np.zeros((len(a.fits), 2), np.uint64), a.fits.copy()
    if isinstance(decimals, int):
        _scale_rows(a, slice(None), scaling(decimals, over), units, fits)
        return packed(units, fits), fits
    # Sixteen bits are sorted by radix; beyond these bounds the answer is no other, and groups are
    # few, whatever a contract says of its decimals.
    places = np.clip(decimals, -_FAR, _FAR).astype(np.int16)
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order])) + 1
    for rows in np.split(order, starts) if len(order) else ():
        _scale_rows(a, rows, scaling(int(places[rows[0]]), over), units, fits)
    return packed(units, fits), fits


def fixed(column: Column, decimals: int) -> tuple[pa.Decimal128Array, NDArray[np.bool_]]:
    """
    Return `decimal(from_column(column), decimals)`, without the integers in between.

    Raises:
        ValueError: the column holds bytes or text.
    """
    words, by = _words(column), scaling(decimals, 1)
    units, fits = np.empty((len(words), 2), np.uint64), column.present.copy()
    scratch = np.empty((7, min(BLOCK, len(words))), np.uint64)
    for rows in _blocks(len(words)):
        block = words[rows]
        limbs = load(block, scratch[:4, : len(block)])
        negative = _absolute(limbs, column.signed[rows])
        good = _scale_block(limbs, negative, by, scratch[4:, : len(block)], units[rows])
        fits[rows] &= good
    return packed(units, fits), fits


def python_integers(value: Int256) -> list[int]:
    """Return the values as Python integers."""
    signs = np.where(value.negative, -1, 1).astype(object)
    signed: list[int] = (python_magnitudes(value.magnitude) * signs).tolist()
    return signed


def python_magnitudes(magnitude: Limb) -> Objects:
    """Return limbs as Python integers; higher ones are read only where there are any."""
    total: Objects = magnitude[0].astype(object)
    for place in (1, 2, 3):
        if magnitude[place].any():
            total = total + (magnitude[place].astype(object) << 64 * place)
    return total


def packed(units: Limb, fits: Mask) -> pa.Decimal128Array:
    """Return signed 128-bit units of 1e-18 as DECIMAL(38,18), null where they do not fit."""
    valid = None if fits.all() else pa.py_buffer(np.packbits(fits, bitorder="little"))
    return pa.Array.from_buffers(_DECIMAL, len(fits), [valid, pa.py_buffer(units)])


def _scale_rows(
    a: Int256, rows: slice | NDArray[np.int64], by: Scaling, units: Limb, fits: Mask
) -> None:
    magnitude, negative = a.magnitude[:, rows], a.negative[rows]
    some_units, some_fits = np.empty((len(negative), 2), np.uint64), fits[rows]
    scratch = np.empty((7, min(BLOCK, len(negative))), np.uint64)
    for part in _blocks(len(negative)):
        width = len(negative[part])
        limbs = list(scratch[:4, :width])
        np.copyto(scratch[:4, :width], magnitude[:, part])
        good = _scale_block(limbs, negative[part], by, scratch[4:, :width], some_units[part])
        some_fits[part] &= good
    units[rows], fits[rows] = some_units, some_fits


def _scale_block(
    limbs: list[Limb], negative: Mask, by: Scaling, spare: Limb, units: Limb
) -> Mask | np.bool_:
    """Scale magnitudes in place, write them, signed, as 128-bit units; return what fits."""
    fits = scale(limbs, by, spare)
    if negative.any():
        complement(limbs[:2], _ones(negative, spare[1]), spare[0])
    units[:, 0], units[:, 1] = limbs[0], limbs[1]
    return fits


def _absolute(limbs: list[Limb], signed: Mask) -> Mask:
    """Turn two's complements into magnitudes in place; return which were negative."""
    negative = signed & (limbs[3].view(np.int64) < 0) if signed.any() else np.zeros_like(signed)
    if negative.any():
        complement(limbs, _ones(negative, np.empty_like(limbs[0])), np.empty_like(limbs[0]))
    return negative


def _ones(where: Mask, out: Limb) -> Limb:
    """All ones where true, zero elsewhere."""
    np.copyto(out, where)
    np.negative(out, out=out)
    return out


def _sum(a: Limb, b: Limb) -> tuple[Limb, Mask]:
    total, carry = np.empty_like(a), np.zeros(a.shape[1], np.bool_)
    for place in range(4):
        once = a[place] + b[place]
        total[place] = once + carry
        carry = (once < a[place]) | (total[place] < once)
    return total, carry


def _difference(a: Limb, b: Limb) -> tuple[Limb, Mask]:
    rest, borrow = np.empty_like(a), np.zeros(a.shape[1], np.bool_)
    for place in range(4):
        rest[place] = a[place] - b[place] - borrow
        borrow = (a[place] < b[place]) | ((a[place] == b[place]) & borrow)
    return rest, borrow


def _product(a: Limb, b: Limb, out: Limb) -> Mask:
    """Write the product modulo 2**256; return where it is larger than that."""
    digits = np.zeros((17, a.shape[1]), np.uint64)
    for i, left in _halves(a):
        for j, right in _halves(b):
            part = left * right
            digits[i + j] += part & _LOW
            digits[i + j + 1] += part >> _HALF
    for place in range(16):
        digits[place + 1] += digits[place] >> _HALF
        digits[place] &= _LOW
    np.bitwise_or(digits[0:8:2], digits[1:8:2] << _HALF, out=out)
    over: Mask = np.logical_or.reduce(digits[8:] != 0, axis=0)
    return over


def _halves(limbs: Limb) -> list[tuple[int, Limb]]:
    """The digits of 32 bits that are not zero on every row, with their places."""
    halves = [half for limb in limbs for half in (limb & _LOW, limb >> _HALF)]
    return [(place, half) for place, half in enumerate(halves) if half.any()]


def _checked(magnitude: Limb, negative: Mask, fits: Mask) -> Int256:
    """Zero what does not fit, and let no zero be negative."""
    if not fits.all():
        magnitude = np.where(fits, magnitude, np.uint64(0))
    return Int256(magnitude, negative & magnitude.any(axis=0), fits)


def _words(column: Column) -> NDArray[np.uint8]:
    if column.words is None:
        raise ValueError(f"a column of {column.kind} holds no numbers")
    return column.words


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, rows, BLOCK))
