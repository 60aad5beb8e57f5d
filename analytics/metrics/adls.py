"""Auto-deleveraging: profitable positions closed by force because the losers could not pay."""

import polars as pl

from analytics.expressions import (
    bucket,
    distinct_count,
    known_total,
    ratio,
    row_count,
    unknown_count,
    whole_total,
)

_GRAIN = ("chain_id", "protocol", "version", "market", "bucket_at")
_DOLLARS = pl.Decimal(38, 18)


def adls(
    adls: pl.LazyFrame, liquidations: pl.LazyFrame, *, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    Profitable positions a venue closed by force: how much, whose, and beside which liquidations.

    The ratio compares with the liquidations of the same market and bucket. On GMX v2 an ADL
    protects the pool from its traders' profit, so it may stand alone: no ratio, not an error.

    Formula:
        adl_to_liquidation_ratio = Σ notional_usd of ADLs / Σ notional_usd of liquidations

    Args:
        adls: one row per position cut: notional_usd (closed), realized_pnl_usd (USD), account,
            is_long.
        liquidations: one row per liquidated position: notional_usd (USD, one-sided).
        bucket_seconds: length of a bucket, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and bucket with an ADL, sorted: adl_count,
        account_count (null where none is told), unknown_notional_count (Int64), notional_usd,
        notional_long_usd, notional_short_usd, realized_pnl_usd (Decimal, USD; sums of what is
        known, null when nothing is; a side that no row names is zero), liquidation_notional_usd
        (Decimal, USD; zero without a liquidation, null when one of them is unknown),
        adl_to_liquidation_ratio (Float64; null while a notional is unknown and while nothing was
        liquidated).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        ADL notional / one-sided liquidation notional; GMX v2 AdlUtils, dYdX v4 DeleveragingEventV1
        and Hyperliquid's documentation describe when a venue deleverages.
    """
    cut = _cut(adls, bucket_seconds)
    return (
        cut.join(_liquidated(liquidations, bucket_seconds), on=_GRAIN, how="left")
        .with_columns(liquidation_notional_usd=_liquidation_notional())
        .with_columns(adl_to_liquidation_ratio=_adl_to_liquidation())
        .drop("liquidation_count", "liquidated_usd")
        .sort(_GRAIN)
    )


def _cut(adls: pl.LazyFrame, bucket_seconds: int) -> pl.LazyFrame:
    notional = pl.col("notional_usd")
    return adls.group_by(*_GRAIN[:-1], bucket(bucket_seconds)).agg(
        adl_count=row_count(),
        account_count=distinct_count("account"),
        unknown_notional_count=unknown_count("notional_usd"),
        notional_usd=known_total(notional),
        notional_long_usd=known_total(notional.filter(pl.col("is_long"))),
        notional_short_usd=known_total(notional.filter(~pl.col("is_long"))),
        realized_pnl_usd=known_total(pl.col("realized_pnl_usd")),
    )


def _liquidated(liquidations: pl.LazyFrame, bucket_seconds: int) -> pl.LazyFrame:
    return liquidations.group_by(*_GRAIN[:-1], bucket(bucket_seconds)).agg(
        liquidation_count=row_count(), liquidated_usd=whole_total(pl.col("notional_usd"))
    )


def _liquidation_notional() -> pl.Expr:
    # No liquidation in the bucket is a measured zero; one without a notional is not.
    nothing = pl.lit(0).cast(_DOLLARS)
    is_absent = pl.col("liquidation_count").is_null()
    return pl.when(is_absent).then(nothing).otherwise(pl.col("liquidated_usd"))


def _adl_to_liquidation() -> pl.Expr:
    is_whole = pl.col("unknown_notional_count") == 0
    quotient = ratio(pl.col("notional_usd"), pl.col("liquidation_notional_usd"))
    return pl.when(is_whole).then(quotient)
