"""
Prices from the ticks that Uniswap v3 pools count in: a tick is a price step of 1.0001.

Ticks are small integers; their powers are taken with 120 digits, so the 38 that a price keeps are
truncated, not rounded. https://uniswap.org/whitepaper-v3.pdf, 6.1.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Context, Decimal, localcontext

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

STEP = Decimal("1.0001")
LAST_TICK = 887_272

_DIGITS = Context(prec=120, rounding=ROUND_DOWN)
_PLACE = Decimal("1e-18")
_LIMIT = Decimal(10) ** 20
_DECIMAL = pa.decimal128(38, 18)


def tick_price(
    ticks: Sequence[int], shift: Sequence[int], *, is_inverse: bool
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """
    Return `1.0001**tick * 10**shift` as DECIMAL(38,18), truncated at 1e-18, and what fits.

    Args:
        ticks: one per row; a tick beyond the last that a pool can have does not fit.
        shift: decimals of the priced token less those of the other, one per row.
        is_inverse: whether `1.0001**-tick` is meant.
    """
    with localcontext(_DIGITS):
        prices = [
            _price(-tick if is_inverse else tick, places)
            for tick, places in zip(ticks, shift, strict=True)
        ]
    fits = np.array([price is not None for price in prices], dtype=np.bool_)
    return pa.array(prices, _DECIMAL), fits


def _price(tick: int, places: int) -> Decimal | None:
    if abs(tick) > LAST_TICK:
        return None
    price = STEP**tick * Decimal(10) ** places
    return price.quantize(_PLACE) if price < _LIMIT else None
