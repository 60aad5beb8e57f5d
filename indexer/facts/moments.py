"""Time columns: Unix seconds as UTC moments."""

import polars as pl

from indexer.facts.integers import integers
from indexer.facts.scope import Scope, only
from indexer.spec import Time, Value
from indexer.tables import LAST_SECOND


def moments(value: Value, scope: Scope) -> pl.Series:
    """
    Return the expression as Datetime("us"), UTC without a zone; null where it is not there.

    Raises:
        TypeError: the expression is not a `Time`.
    """
    if not isinstance(value, Time):
        raise TypeError(f"{type(value).__name__} is not a moment: say Time")
    seconds = integers(value.value, scope)
    sane = (
        ~seconds.value.magnitude[1:].any(axis=0)
        & (seconds.value.magnitude[0] <= LAST_SECOND)
        & ~seconds.value.negative
    )
    if (seconds.present & ~sane).any():
        scope.faults.append((seconds.present & ~sane, "the time is beyond the year 9999"))
    stamp = pl.Series(seconds.value.magnitude[0]).clip(0, LAST_SECOND).cast(pl.Int64)
    moment = pl.select(pl.from_epoch(stamp, time_unit="s").cast(pl.Datetime("us"))).to_series()
    return only(moment, seconds.present & sane)
