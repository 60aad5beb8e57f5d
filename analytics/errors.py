"""The error tree of analytics: `UserError` exits 2, `WorldError` exits 1, both in one sentence."""

import re

from polars.exceptions import ComputeError, InvalidOperationError

# What Polars raises of numbers it cannot hold, and of much else.
REFUSALS = (ComputeError, InvalidOperationError)
# As it says it: of sums, and of products that are as large before they are exact again.
_IS_TOO_LARGE = re.compile(r"overflow|conversion from `f64` to `i128` failed")


class AnalyticsError(Exception):
    """Anything perpscope reports in one sentence instead of a traceback."""


class UserError(AnalyticsError):
    """The request is wrong: an unknown metric, query, parameter or format."""


class WorldError(AnalyticsError):
    """The request is right and something outside prevents it: a missing, locked or old database."""


class TooLarge(WorldError):
    """A sum is larger than DECIMAL(38,18) can hold."""


def refusal(error: Exception) -> WorldError:
    """Return what it means that Polars refuses to compute something: one of `REFUSALS`."""
    said = f"this cannot be computed from these rows: {str(error).splitlines()[0]}"
    return TooLarge(said) if _IS_TOO_LARGE.search(said) else WorldError(said)
