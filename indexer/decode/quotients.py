"""
Quotients of two 256-bit integers as DECIMAL(38,18), truncated once.

Divisors differ from row to row, so rows are divided as Python integers, block by block: two to
four microseconds a row, where `int256` divides a column by one constant at least ten times as fast.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.decode.int256 import Int256, Objects, packed, python_magnitudes
from indexer.decode.limbs import BLOCK, DIGITS, SCALE, Mask

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_WIDEST = 78  # digits of 2**256: beyond as many places down all is zero, up nothing fits


def quotient(
    a: Int256, b: Int256, decimals: int | NDArray[np.int64], over: int = 1
) -> tuple[pa.Decimal128Array, Mask, Mask]:
    """
    Return a / b / 10**decimals / over as DECIMAL(38,18), what fits, and where b is not zero.

    Args:
        a: integers.
        b: integers, as many.
        decimals: one for all rows or one per row; may be negative or above 18.
        over: a positive integer.

    Returns:
        Decimals truncated toward zero, null where they do not fit or b is zero. What did not fit
        before, in either, does not fit.

    Raises:
        ValueError: `over` is not positive.
    """
    if over < 1:
        raise ValueError(f"cannot divide by {over}; `over` is 1 or more")
    rows = len(a.fits)
    places = np.broadcast_to(np.asarray(decimals, np.int64), rows)
    units, fits = np.zeros((rows, 2), np.uint64), a.fits & b.fits
    defined = b.magnitude.any(axis=0) | ~b.fits
    for start in range(0, rows, BLOCK):
        block = slice(start, start + BLOCK)
        whole = _divided(a.magnitude[:, block], b.magnitude[:, block], places[block], over)
        small = (whole < 10**DIGITS).astype(np.bool_)
        signs = np.where(a.negative[block] ^ b.negative[block], -1, 1).astype(object)
        signed = np.where(small, whole, 0) * signs
        units[block, 0] = (signed & _MASK).astype(np.uint64)
        units[block, 1] = (signed >> 64 & _MASK).astype(np.uint64)
        fits[block] &= small
    return packed(units, fits & defined), fits, defined


def _divided(
    a: NDArray[np.uint64], b: NDArray[np.uint64], places: NDArray[np.int64], over: int
) -> Objects:
    """Divide magnitudes row by row, by one where the divisor is zero."""
    most = DIGITS + _WIDEST + len(str(over))
    exponents = np.clip(SCALE - places, -_WIDEST, most).astype(object)
    divisors = python_magnitudes(b)
    divisors[divisors == 0] = 1
    numerators = python_magnitudes(a) * 10 ** np.maximum(exponents, 0)
    return np.asarray(numerators // (divisors * over * 10 ** np.maximum(-exponents, 0)))
