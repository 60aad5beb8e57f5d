"""Arrow's arrays as Polars' columns, without a copy."""

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
