"""
Prices from the square roots that Uniswap v3 pools keep, exact until the last digit.

A pool's `sqrtPriceX96` is the root of (token1 per token0, in smallest units) times 2**96, as a
uint160: https://github.com/Uniswap/v3-core/blob/main/contracts/interfaces/pool/IUniswapV3PoolState.sol.
Its square needs up to 320 bits and its inverse a division by them, so both are Python integers.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from indexer.decode.int256 import Int256, packed, python_magnitudes
from indexer.decode.limbs import DIGITS, SCALE

_LIMIT = 10**DIGITS
_FAR = 400  # beyond, everything that is not zero overflows, or everything becomes zero


def sqrt_price(
    roots: Int256, shift: NDArray[np.int64], *, is_inverse: bool
) -> tuple[pa.Decimal128Array, NDArray[np.bool_]]:
    """
    Return `(root / 2**96)**2 * 10**shift` as DECIMAL(38,18), truncated at 1e-18, and what fits.

    Args:
        roots: square roots in units of 2**-96.
        shift: decimals of the priced token less those of the other, one per row.
        is_inverse: whether 1 / (root / 2**96)**2 is meant.

    Returns:
        A root of zero is that of a pool without a price: it does not fit.
    """
    exponents = (np.clip(shift, -_FAR, _FAR) + SCALE).tolist()
    usable = (roots.fits & ~roots.negative & roots.magnitude.any(axis=0)).tolist()
    rows = zip(python_magnitudes(roots.magnitude).tolist(), exponents, usable, strict=True)
    units = [
        _units(root, exponent, is_inverse=is_inverse) if is_usable else _LIMIT
        for root, exponent, is_usable in rows
    ]
    fits = np.array([one < _LIMIT for one in units], dtype=np.bool_)
    octets = b"".join((one if one < _LIMIT else 0).to_bytes(16, "little") for one in units)
    return packed(np.frombuffer(octets, np.uint64).reshape(-1, 2), fits), fits


def _units(root: int, exponent: int, *, is_inverse: bool) -> int:
    above, below = (1 << 192, root * root) if is_inverse else (root * root, 1 << 192)
    scaled: int = above * 10 ** max(0, exponent) // (below * 10 ** max(0, -exponent))
    return scaled
