"""Figures of the USDe dislocation: one exchange's price against the pool on chain."""

from datetime import datetime

import polars as pl

from analytics.expressions import divided

_BEGINS = datetime(2025, 10, 10, 20, 50)
_ENDS = datetime(2025, 10, 11)
_BPS = 10_000
_LIMIT_BPS = 100


def usde_lows(usde_minutes: pl.LazyFrame) -> pl.LazyFrame:
    """
    How low USDe went on Binance, and when it began.

    A close says where a minute ended, a low what one trade paid; they begin a quarter of an hour
    apart here.

    Formula:
        severe: the first minute that closes below 0.90, and the last; wick: the first whose low is
        0.90 or less

    Args:
        usde_minutes: one row per minute: ts (its start, UTC), low, close (USDT).

    Returns:
        One row: low_usdt, lowest_close_usdt (Float64), low_at, lowest_close_at, severe_at,
        last_severe_at, wick_at (Datetime, UTC).

    Source:
        QuantLet/onchain-insights, Binance USDEUSDT by minute.
    """
    at, low, close = pl.col("ts"), pl.col("low"), pl.col("close")
    return usde_minutes.filter(at.is_between(_BEGINS, _ENDS)).select(
        low_usdt=low.min(),
        low_at=at.sort_by(low, at).first(),
        lowest_close_usdt=close.min(),
        lowest_close_at=at.sort_by(close, at).first(),
        severe_at=at.filter(close < 0.9).min(),
        last_severe_at=at.filter(close < 0.9).max(),
        wick_at=at.filter(low <= 0.9).min(),
    )


def usde_deviation(usde_minutes: pl.LazyFrame, usde_blocks: pl.LazyFrame) -> pl.LazyFrame:
    """
    How far USDe on Binance was from the pool on chain, and for how long.

    A minute's close stands at the end of the minute; the reference is the last block up to then.

    Formula:
        deviation_bps = (Binance / Uniswap - 1) x 10,000, as of the end of each minute

    Args:
        usde_minutes: one row per minute: ts (its start, UTC), low, close (USDT).
        usde_blocks: one row per block: timestamp (s, UTC), token1Price (USDT per USDe).

    Returns:
        One row: minutes, beyond_minutes (Int64; the latter beyond 100 bps either way),
        worst_close_bps, worst_low_bps (Float64, signed), first_at, last_at (Datetime, UTC, of a
        close beyond 100 bps).

    Source:
        QuantLet/onchain-insights: Binance by minute, Uniswap v3 USDe/USDT by block.
    """
    blocks = usde_blocks.select(block_at=_moment(), pool="token1Price").sort("block_at")
    minute_end = pl.col("ts") + pl.duration(seconds=60)
    compared = (
        usde_minutes.with_columns(at=minute_end)
        .sort("at")
        .join_asof(blocks, left_on="at", right_on="block_at", tolerance="1m")
        .filter(pl.col("pool").is_not_null())
        .with_columns(
            bps=(divided(pl.col("close"), pl.col("pool")) - 1) * _BPS,
            low_bps=(divided(pl.col("low"), pl.col("pool")) - 1) * _BPS,
        )
    )
    is_beyond = pl.col("bps").abs() > _LIMIT_BPS
    return compared.select(
        minutes=pl.len().cast(pl.Int64),
        beyond_minutes=is_beyond.sum().cast(pl.Int64),
        worst_close_bps=pl.col("bps").min(),
        worst_low_bps=pl.col("low_bps").min(),
        first_at=pl.col("ts").filter(is_beyond).min(),
        last_at=pl.col("ts").filter(is_beyond).max(),
    )


def usde_pool(usde_blocks: pl.LazyFrame) -> pl.LazyFrame:
    """
    How low USDe went on chain, and what liquidity was left around the price there.

    Formula:
        change = liquidity in range at the lowest price / its median before 20:50 - 1

    Args:
        usde_blocks: one row per block: timestamp (s, UTC), token1Price (USDT per USDe), liquidity.

    Returns:
        One row: low_usdt (Float64), low_at (Datetime, UTC), liquidity_change_ratio (Float64).

    Source:
        QuantLet/onchain-insights, Uniswap v3 USDe/USDT by block.
    """
    price, liquidity = pl.col("token1Price"), pl.col("liquidity")
    before = liquidity.filter(_moment() < _BEGINS).median()
    return usde_blocks.select(
        low_usdt=price.min(),
        low_at=_moment().sort_by(price).first(),
        liquidity_change_ratio=liquidity.sort_by(price).first() / before - 1,
    )


def _moment() -> pl.Expr:
    return pl.from_epoch(pl.col("timestamp"), time_unit="s").cast(pl.Datetime("us"))
