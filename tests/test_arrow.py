"""Arrow's arrays as columns: every value and null is kept, and little is loaded for it."""

import subprocess
import sys
from decimal import Decimal

import pyarrow as pa
import pytest

from indexer.arrow import series_of

LOADED = """
import sys, polars, pyarrow
from indexer.arrow import series_of
series_of(pyarrow.array([b"a"], pyarrow.large_binary()))
print("pyarrow.compute" in sys.modules)
"""


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([b"", None, b"short", b"longer than twelve bytes"], pa.large_binary()),
        ([b"", None, b"short", b"longer than twelve bytes"], pa.binary_view()),
        (["0x12", None], pa.large_string()),
        ([Decimal("-1.000000000000000001"), None, Decimal(10) ** 19], pa.decimal128(38, 18)),
    ],
    ids=str,
)
def test_a_column_has_the_arrays_values(values: list[object], dtype: pa.DataType) -> None:
    """Whole, and cut so that its values do not start where its buffers do."""
    array = pa.array(values, dtype)

    assert series_of(array, "told").name == "told"
    assert series_of(array).to_list() == values
    assert series_of(array[1:]).to_list() == values[1:]


def test_the_slow_half_of_pyarrow_is_not_loaded() -> None:
    """Every run of the indexer makes such columns; none of them computes with pyarrow."""
    said = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    ).stdout
    assert said == "False\n"
