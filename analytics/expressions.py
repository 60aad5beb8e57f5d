"""
The expressions metrics share: exact sums that keep unknown apart from zero, one float division.

Two kinds of sums, because null means "not known":

    known_total   adds what is known: a lower bound, shown beside a count of the unknown rows
    whole_total   null as soon as one addend is unknown: for numbers that divide or balance
"""

from collections.abc import Sequence

import polars as pl

_CENTURY = 100 * 366 * 86_400
_CENTURY_DAYS = 36_600
_YEAR_DAYS = 365

EVENT_ORDER = ("block_number", "log_index", "item_index", "tx_hash")


def check(setting: str, value: int, *, least: int, most: int = _CENTURY) -> None:
    """Raise ValueError unless a setting is between two bounds; the most is a century of seconds."""
    if value < least:
        raise ValueError(f"{setting} must be at least {least}, got {value}")
    if value > most:
        raise ValueError(f"{setting} must be at most {most}, got {value}")


def known_total(value: pl.Expr) -> pl.Expr:
    """Return the sum of the known values; null where there are rows and none is known."""
    return pl.when(value.is_not_null().any() | (value.len() == 0)).then(value.sum())


def whole_total(value: pl.Expr) -> pl.Expr:
    """Return the sum of all values; null as soon as one of them is unknown."""
    return pl.when(value.null_count() == 0).then(value.sum())


def row_count() -> pl.Expr:
    """Return the number of rows of a group, Int64 like a count in SQL."""
    return pl.len().cast(pl.Int64)


def unknown_count(column: str) -> pl.Expr:
    """Return how many rows of a group do not know a column, Int64."""
    return pl.col(column).null_count().cast(pl.Int64)


def distinct_count(column: str) -> pl.Expr:
    """Return how many different known values a group has in a column, Int64."""
    return pl.col(column).drop_nulls().n_unique().cast(pl.Int64)


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Return the one float division of two exact sums; null unless the denominator is positive."""
    quotient = numerator.cast(pl.Float64) / denominator.cast(pl.Float64)
    return pl.when(denominator > 0).then(quotient)


def millionths(whole: pl.Expr) -> pl.Expr:
    """Return whole millionths, of a second or of a dollar, as Float64: one division of integers."""
    # Polars divides by a literal as if multiplying by its reciprocal, so the divisor is a column.
    return whole.cast(pl.Float64) / (whole * 0 + 1_000_000).cast(pl.Float64)


def seconds_between(first: str, last: str) -> pl.Expr:
    """Return the time from one column of moments to another, in seconds, Float64."""
    return millionths((pl.col(last) - pl.col(first)).dt.total_microseconds())


def day() -> pl.Expr:
    """Return the UTC day of an event as `date`."""
    return pl.col("block_timestamp").dt.date().alias("date")


def bucket(seconds: int) -> pl.Expr:
    """
    Return the start of the bucket an event falls into, counted from 1970-01-01, as `bucket_at`.

    Raises:
        ValueError: seconds is below 1 or longer than a century.
    """
    check("bucket_seconds", seconds, least=1)
    return pl.col("block_timestamp").dt.truncate(f"{seconds}s").alias("bucket_at")


def trailing(
    flows: pl.LazyFrame, keys: Sequence[str], columns: Sequence[str], window_days: int
) -> pl.LazyFrame:
    """
    Return what flowed over the days up to each day: sums over (date - window_days, date].

    Args:
        flows: one row per flow: keys, date, columns (Decimal); a column may be zero in a row.
        keys: whose flows they are.
        columns: what is summed; null as soon as one addend is unknown.
        window_days: how many UTC days count, the day itself being the last of them.

    Returns:
        One row per key and day with a flow, sorted.

    Raises:
        ValueError: window_days is below 1 or above 36,600.
    """
    check("window_days", window_days, least=1, most=_CENTURY_DAYS)
    sums = [whole_total(pl.col(name)).alias(name) for name in columns]
    return (
        flows.group_by(*keys, "date")
        .agg(sums)
        .sort(*keys, "date")
        .rolling("date", period=f"{window_days}d", group_by=list(keys))
        .agg(sums)
        .sort(*keys, "date")
    )


def annualised(column: str, window_days: int) -> pl.Expr:
    """Return the sum of a window as a year's, Float64; null until `first_on` is a window ago."""
    # As a column the window is divided by as IEEE 754 says; a literal is multiplied by its inverse.
    days = pl.lit(window_days, pl.Float64) + pl.col(column).cast(pl.Float64) * 0
    reached = (pl.col("date") - pl.col("first_on")).dt.total_days() + 1
    return pl.when(reached >= window_days).then(pl.col(column).cast(pl.Float64) * _YEAR_DAYS / days)
