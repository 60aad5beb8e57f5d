"""What it means that Polars refuses to compute something."""

import re

from polars.exceptions import ColumnNotFoundError, ComputeError, InvalidOperationError

from analytics.errors import TooLarge, WorldError

# What Polars raises of numbers it cannot hold, of columns that are not there, and of much else.
REFUSALS = (ColumnNotFoundError, ComputeError, InvalidOperationError)
# As it says it: of sums, and of products that are as large before they are exact again.
_IS_TOO_LARGE = re.compile(r"overflow|conversion from `f64` to `i128` failed")


def refusal(error: Exception) -> WorldError:
    """Return what one of `REFUSALS` means."""
    if isinstance(error, ColumnNotFoundError):
        return WorldError(
            f"the database lacks a column ({str(error).splitlines()[0]}): an older perpscope made "
            "the file, and `perpscope index` adds what is missing"
        )
    said = f"this cannot be computed from these rows: {str(error).splitlines()[0]}"
    return TooLarge(said) if _IS_TOO_LARGE.search(said) else WorldError(said)
