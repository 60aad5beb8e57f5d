"""Integer columns: what is counted and not scaled, such as ticks."""

import numpy as np
import polars as pl

from indexer.facts.integers import integers
from indexer.facts.scope import Scope, only
from indexer.spec import Value

LARGEST = 2**31 - 1


def wholes(value: Value, scope: Scope) -> pl.Series:
    """
    Return the expression as Int32; null where it is not there.

    Integers beyond `LARGEST`, of either sign, become faults of their rows.

    Raises:
        TypeError: the expression is not an integer one.
    """
    number = integers(value, scope)
    low, *high = number.value.magnitude
    fits = number.value.fits & ~np.any(high, axis=0) & (low <= LARGEST)
    if (number.present & ~fits).any():
        scope.faults.append((number.present & ~fits, "the value does not fit an integer column"))
    size = np.where(fits, low, 0).astype(np.int32)
    signed = np.where(number.value.negative, -size, size)
    return only(pl.Series(signed, dtype=pl.Int32), number.present & fits)
