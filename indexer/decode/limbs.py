"""
Unsigned integers of any width as lists of 64-bit limbs, lowest first, one array per limb.

Everything here works in place on blocks that stay in the cache, with 32 bits to a step so that
no product and no partial remainder leaves 64 bits. Allocating a temporary costs ten times the
operation on it, so every step writes into scratch arrays.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

Limb = NDArray[np.uint64]
Mask = NDArray[np.bool_]

BLOCK = 16_384
"""Rows per block: 128 KiB per limb, so that a handful stays in a second-level cache."""

_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFF_FFFF)
DIGITS = 38  # DECIMAL(38, 18) holds every |x| below 10**38 of its units of 1e-18
SCALE = 18


@dataclass(frozen=True)
class Scaling:
    """
    A multiplication and a division that turn an integer into units of 1e-18.

    Attributes:
        limit: the largest magnitude whose result is below 10**38.
        factors: multiply by each; all below 2**32.
        shift: then divide by 2**shift, below 2**64 at a time.
        divisors: then divide by each; all odd and below 2**32.
    """

    limit: int
    factors: tuple[int, ...]
    shift: int
    divisors: tuple[int, ...]


@lru_cache(maxsize=1024)
def scaling(decimals: int, over: int) -> Scaling:
    """
    Return how to compute `value * 10**18 / 10**decimals / over`, truncated.

    Raises:
        ValueError: `over` is not positive, or has an odd factor of 2**32 or more beside fives.
    """
    if over < 1:
        raise ValueError(f"cannot divide by {over}; `over` is 1 or more")
    # Outside these bounds the answer is no other: all but zero overflows, or all becomes zero.
    exponent = max(-DIGITS - len(str(over)), min(80, decimals - SCALE))
    factor, divisor = 10 ** max(0, -exponent), over * 10 ** max(0, exponent)
    shared = gcd(factor, divisor)
    factor, divisor = factor // shared, divisor // shared
    limit = (10**DIGITS * divisor - 1) // factor
    shift = (divisor & -divisor).bit_length() - 1
    return Scaling(limit, _chunks(factor) if limit else (), shift, _chunks(divisor >> shift))


def load(words: NDArray[np.uint8], into: Limb) -> list[Limb]:
    """Return (rows, 32) big-endian words as four limbs, written into a (4, rows) array."""
    np.copyto(into, words.view(">u8").T[::-1])
    return list(into)


def complement(limbs: list[Limb], where: Limb, spare: Limb) -> None:
    """Turn the two's complement where `where` is all ones; leave it where it is zero."""
    carry = np.bitwise_and(where, np.uint64(1), out=spare)
    for limb in limbs:
        np.bitwise_xor(limb, where, out=limb)
        np.add(limb, carry, out=limb)
        np.multiply(carry, limb == 0, out=carry)


def trim(limbs: list[Limb]) -> None:
    """Drop limbs that are zero on every row, down to one."""
    while len(limbs) > 1 and not limbs[-1].max(initial=0):
        limbs.pop()


def at_most(limbs: list[Limb], limit: int) -> Mask | np.bool_:
    """Return which rows are not above `limit`; a single True for all."""
    if limit >> 64 * len(limbs):
        return np.True_
    parts = [np.uint64(limit >> 64 * place & 0xFFFF_FFFF_FFFF_FFFF) for place in range(len(limbs))]
    if limbs[-1].max(initial=0) < parts[-1]:
        return np.True_
    good: Mask = limbs[0] <= parts[0]
    for limb, part in zip(limbs[1:], parts[1:], strict=True):
        good = (limb < part) | ((limb == part) & good)
    return np.True_ if good.all() else good


def multiply(limbs: list[Limb], factor: int, spare: Limb) -> None:
    """Multiply by a factor below 2**32; a limb is added when the product needs one."""
    by, low, carry = np.uint64(factor), spare[0], spare[1]
    carry.fill(0)
    for limb in limbs:
        np.bitwise_and(limb, _LOW, out=low)
        np.multiply(low, by, out=low)
        np.add(low, carry, out=low)
        np.right_shift(limb, _HALF, out=limb)
        np.multiply(limb, by, out=limb)
        np.right_shift(low, _HALF, out=carry)
        np.add(limb, carry, out=limb)
        np.right_shift(limb, _HALF, out=carry)
        np.left_shift(limb, _HALF, out=limb)
        np.bitwise_and(low, _LOW, out=low)
        np.bitwise_or(limb, low, out=limb)
    if carry.max(initial=0):
        limbs.append(carry.copy())


def shift_right(limbs: list[Limb], bits: int, spare: Limb) -> None:
    """Divide by 2**bits, for fewer than 64 bits."""
    right, left = np.uint64(bits), np.uint64(64 - bits)
    for limb, above in zip(limbs, [*limbs[1:], None], strict=True):
        np.right_shift(limb, right, out=limb)
        if above is not None:
            np.bitwise_or(limb, np.left_shift(above, left, out=spare), out=limb)


def divide(limbs: list[Limb], divisor: int, spare: Limb) -> None:
    """Divide by a divisor below 2**32, dropping the remainder."""
    by, part, high = np.uint64(divisor), spare[0], spare[1]
    rest = _first_quotient(limbs[-1], by, spare[2], part)
    for limb in reversed(limbs[:-1]):
        np.left_shift(rest, _HALF, out=rest)
        np.bitwise_or(rest, np.right_shift(limb, _HALF, out=part), out=part)
        np.floor_divide(part, by, out=high)
        np.subtract(part, np.multiply(high, by, out=rest), out=rest)
        np.left_shift(rest, _HALF, out=rest)
        np.bitwise_or(rest, np.bitwise_and(limb, _LOW, out=part), out=part)
        np.floor_divide(part, by, out=limb)
        np.subtract(part, np.multiply(limb, by, out=rest), out=rest)
        np.bitwise_or(limb, np.left_shift(high, _HALF, out=high), out=limb)


def _first_quotient(limb: Limb, by: np.uint64, rest: Limb, part: Limb) -> Limb:
    np.floor_divide(limb, by, out=part)
    np.subtract(limb, np.multiply(part, by, out=rest), out=rest)
    np.copyto(limb, part)
    return rest


def scale(limbs: list[Limb], by: Scaling, spare: Limb) -> Mask | np.bool_:
    """
    Turn magnitudes into units of 1e-18 in place; return the rows that fit, or a single True.

    Rows that do not fit become zero. `spare` is a (3, rows) scratch array. At least two limbs
    are left.
    """
    trim(limbs)
    fits = at_most(limbs, by.limit)
    if fits is not np.True_:
        for limb in limbs:
            np.multiply(limb, fits, out=limb)
    for factor in by.factors:
        multiply(limbs, factor, spare)
    for start in range(0, by.shift, 63):
        shift_right(limbs, min(63, by.shift - start), spare[0])
    for divisor in by.divisors:
        divide(limbs, divisor, spare)
    if len(limbs) == 1:
        limbs.append(np.zeros_like(limbs[0]))
    return fits


def _chunks(value: int) -> tuple[int, ...]:
    """Split into factors below 2**32, as few as fives and tens allow."""
    chunks = []
    for chunk in (10**9, 5**13, 10, 5):
        while value >> 32 and value % chunk == 0:
            chunks.append(chunk)
            value //= chunk
    if value >> 32:
        raise ValueError(f"cannot divide by a number with the factor {value}; it exceeds 2^32")
    return (*chunks, value) if value > 1 else tuple(chunks)
