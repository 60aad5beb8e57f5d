"""Forced exits by insufficient margin: how much, whose, how fast, and what was left unpaid."""

import polars as pl
from polars.lazyframe.group_by import LazyGroupBy

from analytics.expressions import (
    bucket,
    check,
    distinct_count,
    divided,
    known_total,
    row_count,
    unknown_count,
)

_GRAIN = ("chain_id", "protocol", "version", "market", "bucket_at")


def liquidations(liquidations: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    Positions closed by force for lack of margin: notional, accounts, sides, fees and bad debt.

    Notional is one-sided: the position that was liquidated, not also who took it over. An ADL is
    never counted here. Splitting a liquidation in two changes the count and nothing else.

    Formula:
        notional_usd = Σ notional_usd = long + short + unknown side

    Args:
        liquidations: one row per liquidated position and event: notional_usd, collateral_usd,
            realized_pnl_usd, fee_usd, shortfall_usd (USD, null where the venue does not say),
            is_long, account.
        bucket_seconds: length of a bucket, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and bucket with a liquidation, sorted:
        liquidation_count, account_count (null where none is told), long_count, short_count,
        unknown_notional_count (Int64), notional_usd, notional_long_usd, notional_short_usd,
        collateral_usd, realized_pnl_usd, fee_usd, shortfall_usd (Decimal, USD; sums of what is
        known, null when nothing is; a side that no row names is zero).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        One-sided notional: of the two fills of a liquidating trade only the liquidated leg counts.
    """
    notional = pl.col("notional_usd")
    return (
        liquidations.group_by(*_GRAIN[:-1], bucket(bucket_seconds))
        .agg(
            liquidation_count=row_count(),
            account_count=distinct_count("account"),
            long_count=pl.col("is_long").sum().cast(pl.Int64),
            short_count=(~pl.col("is_long")).sum().cast(pl.Int64),
            unknown_notional_count=unknown_count("notional_usd"),
            notional_usd=known_total(notional),
            notional_long_usd=known_total(notional.filter(pl.col("is_long"))),
            notional_short_usd=known_total(notional.filter(~pl.col("is_long"))),
            collateral_usd=known_total(pl.col("collateral_usd")),
            realized_pnl_usd=known_total(pl.col("realized_pnl_usd")),
            fee_usd=known_total(pl.col("fee_usd")),
            shortfall_usd=known_total(pl.col("shortfall_usd")),
        )
        .sort(_GRAIN)
    )


def liquidation_velocity(liquidations: pl.LazyFrame, *, window_seconds: int = 60) -> pl.LazyFrame:
    """
    How fast positions are liquidated: dollars per second in the window that follows each moment.

    Summed over the markets and chains of a protocol, because a cascade does not stop at one. The
    highest row is the peak.

    Formula:
        velocity(t) = Σ notional_usd in [t, t + window_seconds) / window_seconds
        acceleration(t) = (velocity(t) - velocity(t - window_seconds)) / window_seconds

    Args:
        liquidations: one row per liquidated position and event: notional_usd (USD).
        window_seconds: length of the window, its end excluded.

    Returns:
        One row per protocol and moment with a liquidation, sorted: liquidation_count,
        unknown_notional_count (Int64, in the window), notional_usd (Decimal, USD, in the window; a
        sum of what is known, null when nothing is), velocity_usd_per_second (Float64, of that sum),
        acceleration_usd_per_second_squared (Float64, > 0 while it gets faster; null while a
        notional of either window is unknown).

    Raises:
        ValueError: window_seconds is below 1 or longer than a century.

    Source:
        V_w(t) = N in [t, t + w) / w, and dV/dt of it; Amberdata's charts of October 2025 use one
        minute.
    """
    check("window_seconds", window_seconds, least=1)
    moments, notional = _by_moment(liquidations), pl.col("notional_usd")
    counts, unknown = ("liquidation_count", "unknown_notional_count"), "unknown_notional_count"
    ahead = _windows(moments, window_seconds, "0s").agg(pl.col(counts).sum(), known_total(notional))
    behind = _windows(moments, window_seconds, f"-{window_seconds}s").agg(
        before_usd=pl.when(pl.col(unknown).sum() == 0).then(notional.sum())
    )
    gained = pl.when(pl.col(unknown) == 0).then(notional - pl.col("before_usd"))
    return (
        ahead.join(behind, on=["protocol", "block_timestamp"])
        .with_columns(
            velocity_usd_per_second=divided(notional, window_seconds),
            acceleration_usd_per_second_squared=divided(
                gained, float(window_seconds) * window_seconds
            ),
        )
        .drop("before_usd")
        .sort("protocol", "block_timestamp")
    )


def _windows(moments: pl.LazyFrame, seconds: int, offset: str) -> LazyGroupBy:
    return moments.rolling(
        "block_timestamp", period=f"{seconds}s", offset=offset, closed="left", group_by="protocol"
    )


def _by_moment(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    return (
        liquidations.group_by("protocol", "block_timestamp")
        .agg(
            known_total(pl.col("notional_usd")),
            liquidation_count=row_count(),
            unknown_notional_count=unknown_count("notional_usd"),
        )
        .sort("protocol", "block_timestamp")
    )
