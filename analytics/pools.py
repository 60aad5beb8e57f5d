"""Pools by day: which series each is, and which day of it, or of a protocol, is the earlier one."""

from collections.abc import Sequence

import polars as pl

# A pool in one asset: `asset` is what `asset_key` gives.
POOL_SERIES = ("chain_id", "protocol", "pool", "asset")


def asset_key() -> pl.Expr:
    """Return asset_token, or an empty text: a join as of a day does not meet keys that are null."""
    return pl.col("asset_token").fill_null("")


def as_of_back(
    days: pl.LazyFrame, earlier: pl.LazyFrame, *, by: Sequence[str] = POOL_SERIES
) -> pl.LazyFrame:
    """
    Return days, each with the last earlier one of its own that is not after `back`.

    Args:
        days: rows with back (Date).
        earlier: rows with earlier_date (Date), and what is told of it.
        by: the columns that tell whose days they are.
    """
    return days.sort("back").join_asof(
        earlier.sort("earlier_date"),
        left_on="back",
        right_on="earlier_date",
        by=list(by),
        check_sortedness=False,
    )
