"""When a venue may deleverage: the traders' profit against what its pool allows."""

import polars as pl

from analytics.expressions import EVENT_ORDER, seconds_between
from analytics.positions import SIDE


def adl_state(adl_states: pl.LazyFrame) -> pl.LazyFrame:
    """
    How near the winners of a market's side were to being deleveraged, and when they might be.

    Where a pool stands behind the traders, deleveraging protects it from their profit, long before
    anybody's debt. The venue speaks when somebody asks it to look: between two rows the factor
    moves unseen, and only the switch stays where it is.

    Formula:
        headroom_ratio = max_pnl_to_pool_ratio - pnl_to_pool_ratio

    Args:
        adl_states: one row per look of the venue: market, is_long, pnl_to_pool_ratio,
            max_pnl_to_pool_ratio, is_enabled.

    Returns:
        One row per look, sorted by chain, protocol, version, market, side and event:
        block_timestamp, pnl_to_pool_ratio, max_pnl_to_pool_ratio (Decimal, 1 = all the pool has for
        the side), is_enabled, until_at (the next look; null at the last), headroom_ratio (Decimal;
        below zero above the threshold; null where the event does not say), enabled_since (the
        first look of those in a row that allowed it; null while it is not allowed), length_seconds
        (Float64, until the next look).

    Source:
        GMX v2 AdlUtils: enabled where pnlToPoolFactor > MAX_PNL_FACTOR_FOR_ADL of market and side,
        announced by AdlStateUpdated.
    """
    is_enabled, moment = pl.col("is_enabled"), pl.col("block_timestamp")
    return (
        adl_states.sort(*EVENT_ORDER)
        .with_columns(
            headroom_ratio=pl.col("max_pnl_to_pool_ratio") - pl.col("pnl_to_pool_ratio"),
            run=(~is_enabled).cast(pl.Int64).cum_sum().over(SIDE),
            until_at=moment.shift(-1).over(SIDE),
        )
        .with_columns(first=moment.filter(is_enabled).min().over(*SIDE, "run"))
        .with_columns(
            enabled_since=pl.when(is_enabled).then("first"),
            length_seconds=seconds_between("block_timestamp", "until_at"),
        )
        .sort(*SIDE, *EVENT_ORDER)
        .select(
            *(*SIDE, "block_timestamp", *EVENT_ORDER, "pnl_to_pool_ratio"),
            *("max_pnl_to_pool_ratio", "is_enabled", "until_at", "headroom_ratio"),
            *("enabled_since", "length_seconds"),
        )
    )
