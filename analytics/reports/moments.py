"""What a chart says over each of its moments: when it is, and every value of it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from analytics.reports import numerals

_SAID: Mapping[str, Callable[[float], str]] = {
    "USD": lambda value: numerals.short_dollars(Decimal(repr(value))),
    "%": numerals.percent,
    "bps": lambda value: f"{numerals.number(value)} bps",
}
_NONE, _DAY = timedelta(0), timedelta(days=1)


def moments(
    rows: pl.DataFrame,
    names: Mapping[str, str],
    unit: str,
    *,
    length: timedelta = _NONE,
    is_sum: bool,
) -> pl.DataFrame:
    """
    Return what is to be said of each moment: at, said.

    Args:
        rows: `at`, `series`, `value`.
        names: its series in order, and what a reader sees of them.
        unit: of its values: USD, % or bps.
        length: how long a moment lasts, where it is known.
        is_sum: whether the values of a moment add up.
    """
    said = _SAID[unit]
    # What is of whole days is of no moment of them.
    letters = len("2025-10-10") if length and length % _DAY == _NONE else None
    texts: dict[datetime, list[str]] = {}
    sums: dict[datetime, float] = {}
    order = {name: index for index, name in enumerate(names)}
    sort = pl.col("series").replace_strict(order, return_dtype=pl.Int64)
    plain = rows.sort("at", sort).select("at", "series", pl.col("value").cast(pl.Float64))
    for at, series, value in plain.iter_rows():
        texts.setdefault(at, [numerals.clock(at)[:letters]]).append(
            f"{names[series]} {said(value)}"
        )
        sums[at] = sums.get(at, 0.0) + value
    if is_sum and len(order) > 1:
        for at, parts in texts.items():
            parts.append(f"together {said(sums[at])}")
    schema = pl.Schema({"at": rows.schema["at"], "said": pl.String()})
    whole = {"at": list(texts), "said": [" · ".join(parts) for parts in texts.values()]}
    return pl.DataFrame(whole, schema)


def until_next(told: pl.DataFrame, lasting: timedelta = _NONE) -> pl.DataFrame:
    """Return moments until the next; the last one lasts so long."""
    end = pl.col("at").last() + lasting
    return told.with_columns(until=pl.col("at").shift(-1).fill_null(end))
