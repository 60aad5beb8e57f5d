"""
The expressions metrics share: exact sums that keep unknown apart from zero, one float division.

Two kinds of sums, because null means "not known":

    known_total   adds what is known: a lower bound, shown beside a count of the unknown rows
    whole_total   null as soon as one addend is unknown: for numbers that divide or balance
"""

import polars as pl

_CENTURY = 100 * 366 * 86_400

EVENT_ORDER = ("block_number", "log_index", "item_index", "tx_hash")


def check(setting: str, value: int, *, least: int, most: int = _CENTURY) -> None:
    """Raise ValueError unless a setting is between two bounds; the most is a century of seconds."""
    if value < least:
        raise ValueError(f"{setting} must be at least {least}, got {value}")
    if value > most:
        raise ValueError(f"{setting} must be at most {most}, got {value}")


def check_positive(setting: str, value: float) -> None:
    """Raise ValueError unless a setting is above zero and a number."""
    if not value > 0:
        raise ValueError(f"{setting} must be positive, got {value}")


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
