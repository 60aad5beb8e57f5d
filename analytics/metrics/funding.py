"""Funding: the rate that a side pays, what accounts paid and received, what holding has cost."""

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket, distinct_count, divided, row_count
from analytics.prices import in_seconds, microseconds_between

_GRAIN = ("chain_id", "protocol", "version", "market", "bucket_at")
_SERIES = (*_GRAIN[:-1], "collateral_token", "is_long", "basis")
_RUN = (*_SERIES, "run")
_RATES = {"announced": "funding_rate_daily_ratio", "index": "funding_rate_cumulative_ratio"}
_ORDER = ("block_timestamp", *EVENT_ORDER)
_EIGHT_HOURS = 28_800_000_000  # microseconds
_DAY = 86_400_000_000


def funding_rate_8h(funding: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    What a position pays of its notional in eight hours, as venues quote it.

    Where a venue announces a rate, the last one of a period counts, in force from then on. Where
    it keeps a running index, the rate is the index's rise since the last period that told one, so
    after a pause it is the mean of the pause. One that is back at zero has begun again, as it does
    where nobody is left in the market, and tells no rate of the period. Above zero the side named
    pays, and longs where none is; whether to the other side or, as a fee for borrowing, to the
    pool, is the venue's to say.

    Formula:
        announced: funding_rate_8h = funding_rate_daily_ratio / 3
        index: funding_rate_8h = (index - index before) * 8 h / time between both

    Args:
        funding: one row per event: funding_rate_daily_ratio or funding_rate_cumulative_ratio.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market, collateral_token and is_long (null where the
        venue has one rate for all), basis (announced, index) and period with a rate, sorted:
        update_count (Int64), elapsed_seconds (Float64, between both readings of an index),
        funding_rate_8h (Float64, 0.0001 = 0.01 %; both null for the first reading of an index, and
        where it begins again).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Eight hours is what most venues settle or quote; venues pay hourly or by the second.
    """
    rise = pl.col("rate") - pl.col("rate").shift().over(_RUN)
    elapsed = microseconds_between("before_at", "block_timestamp")
    third = divided(pl.col("rate"), 3)
    is_index = pl.col("basis") == "index"
    before = pl.col("block_timestamp").shift().over(_RUN)
    return (
        _rates(funding, bucket_seconds)
        .group_by(*_SERIES, "bucket_at", maintain_order=True)
        .agg(pl.col("rate", "block_timestamp", "run").last(), update_count=row_count())
        .with_columns(before_at=pl.when(is_index).then(before), rise=rise)
        .select(
            *(*_SERIES, "bucket_at", "update_count"),
            elapsed_seconds=in_seconds(elapsed),
            funding_rate_8h=pl.when(is_index)
            .then(divided(pl.col("rise").cast(pl.Float64) * _EIGHT_HOURS, elapsed))
            .otherwise(third),
        )
        .sort(*_SERIES, "bucket_at", nulls_last=True)
    )


def funding_paid(funding: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    Funding that accounts paid and received in a period, in dollars.

    Booked when the venue settles it with an account, which may be long after it accrued. The two
    sums need not balance: a side may be settled while the other waits, or the pool be in between.

    Formula:
        net_paid_usd = Σ paid_usd = paid_usd - received_usd

    Args:
        funding: one row per settlement: paid_usd (USD, > 0: the account paid), account.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and period with a settlement, sorted:
        paid_usd, received_usd (Decimal, USD, >= 0), net_paid_usd (Decimal, USD, signed; all three
        null when no settlement of the row is known in dollars), settlement_count, account_count
        (null where none is told), unknown_count (Int64).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Settlements as each venue's events tell them.
    """
    paid = pl.col("paid_usd")
    is_known = paid.is_not_null().any()
    return (
        funding.filter(paid.is_not_null() | pl.col("account").is_not_null())
        .group_by(*_GRAIN[:-1], bucket(bucket_seconds))
        .agg(
            paid_usd=pl.when(is_known).then(paid.filter(paid > 0).sum()),
            received_usd=pl.when(is_known).then(-paid.filter(paid < 0).sum()),
            net_paid_usd=pl.when(is_known).then(paid.sum()),
            settlement_count=row_count(),
            account_count=distinct_count("account"),
            unknown_count=paid.null_count().cast(pl.Int64),
        )
        .sort(_GRAIN)
    )


def funding_carry(funding: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    What holding a position has cost since the venue's first rate, as a part of its notional.

    The notional stays the same throughout: what is paid is not added to it, so nothing compounds.
    An announced rate holds until the next one; what it costs after the last one is not known yet.
    An index that is back at zero has begun again, as it does where nobody is left in the market:
    nobody held a position throughout, and what it costs is told from there.

    Formula:
        announced: carry_ratio(t) = Σ rate a day * days until the next rate, up to t
        index: carry_ratio(t) = index(t) - first index since it began

    Args:
        funding: one row per event: funding_rate_daily_ratio or funding_rate_cumulative_ratio.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market, collateral_token and is_long (null where the
        venue has one rate for all), basis (announced, index) and period with a rate, sorted:
        since_at, until_at (the first rate and the last one of the period), carry_ratio (Float64,
        0.01 = 1 %; > 0: the side named has paid, or longs where none is).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Cumulative carry of a held perpetual, simple interest.
    """
    rate, moment = pl.col("rate"), pl.col("block_timestamp")
    lasted = (moment - moment.shift().over(_SERIES)).dt.total_microseconds().fill_null(0)
    # An index is no rate, and may be too large to be multiplied like one.
    held = pl.when(pl.col("basis") == "announced").then(rate).otherwise(0)
    accrued = (held.shift().over(_SERIES).fill_null(0) * lasted).cum_sum().over(_SERIES)
    units = pl.col("accrued").cast(pl.Float64)
    return (
        _rates(funding, bucket_seconds)
        .with_columns(
            since_at=moment.first().over(_RUN),
            accrued=accrued,
            rise=rate - rate.first().over(_RUN),
        )
        .group_by(*_SERIES, "bucket_at", maintain_order=True)
        .agg(
            pl.col("since_at").last(),
            moment.last().alias("until_at"),
            pl.col("accrued", "rise").last(),
        )
        .select(
            *(*_SERIES, "bucket_at", "since_at", "until_at"),
            carry_ratio=pl.when(pl.col("basis") == "index")
            .then(pl.col("rise").cast(pl.Float64))
            .otherwise(divided(units, _DAY)),
        )
        .sort(*_SERIES, "bucket_at", nulls_last=True)
    )


def _rates(funding: pl.LazyFrame, bucket_seconds: int) -> pl.LazyFrame:
    """Return every rate and reading of an index in the order of time, with its `run`."""
    rate = pl.col("rate")
    # An index that is back at zero has begun again.
    is_new = (pl.col("basis") == "index") & (rate == 0) & (rate.shift() != 0)
    return (
        pl.concat(
            funding.with_columns(rate=pl.col(column), basis=pl.lit(basis))
            for basis, column in _RATES.items()
        )
        .filter(pl.col("rate").is_not_null())
        .sort(_ORDER)
        .with_columns(run=is_new.fill_null(value=False).cast(pl.Int64).cum_sum().over(_SERIES))
        .select(*_RUN, *_ORDER, "rate", bucket(bucket_seconds))
    )
