"""Arrow's arrays as Polars' columns, without a copy."""

import numpy as np
import polars as pl
import pyarrow as pa


class _Exported:
    """
    An array of which no more is known than that Arrow's C interface gives it.

    For pyarrow's own class Polars imports `pyarrow.compute`, and so takes 50 ms the first time.
    """

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        exported: tuple[object, object] = self._array.__arrow_c_array__(requested_schema)
        return exported


def series_of(array: pa.Array, name: str = "") -> pl.Series:
    """Return an array as a column; it keeps the array's buffers."""
    return pl.Series(_Exported(array)).alias(name)


def binary_of(octets: bytes, width: int) -> pl.Series:
    """Return bytes that lie behind each other as a Binary column of values of `width` bytes."""
    count = len(octets) // width
    ends = np.arange(count + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(octets)]
    return series_of(pa.Array.from_buffers(pa.large_binary(), count, buffers))
