"""What trades cost beyond the price, and so how deep a market was when they were made."""

import polars as pl

from analytics.expressions import EVENT_ORDER, divided
from analytics.series import relative

# The prices of one transaction are of different tokens; the traded one is next to what was paid.
_FARTHEST = 0.1
_QUOTES = ("oracle_price_quote", "oracle_price_min_quote", "oracle_price_max_quote")
_PRICED = (*_QUOTES, "price_log_index", "price_item_index")


def trade_depths(
    position_changes: pl.LazyFrame, oracle_updates: pl.LazyFrame, move_bps: float
) -> pl.LazyFrame:
    """
    Return how much one could have traded at each trade for a move of the price.

    The reference is the oracle price of the same transaction nearest to the execution price, and
    within a tenth of it: where a spread is posted, the side the trader takes.

    Args:
        position_changes: the fact table.
        oracle_updates: the fact table.
        move_bps: the move, basis points.

    Returns:
        The columns of position_changes, with cost_ratio (Float64: what the trader paid beyond the
        reference, as a part of it; null while the side is not known) and depth_usd (Float64:
        |notional_delta_usd| / cost_ratio * move; null unless the trade cost something), sorted;
        trades without a reference are left out.
    """
    event = ["chain_id", *EVENT_ORDER]
    nearest = pl.struct(pl.col("beyond").abs(), "price_log_index", "price_item_index")
    size = pl.col("notional_delta_usd").abs().cast(pl.Float64)
    cost = pl.when(_is_buy()).then(pl.col("beyond")).when(~_is_buy()).then(-pl.col("beyond"))
    depth = divided(size, pl.col("cost_ratio")) * (move_bps / 10_000)
    return (
        position_changes.filter(pl.col("notional_delta_usd") != 0)
        .join(_prices(oracle_updates), on=["chain_id", "tx_hash"])
        .with_columns(beyond=relative(pl.col("execution_price_usd"), _reference()))
        .filter(pl.col("beyond").abs() <= _FARTHEST)
        # Of the pairs of a transaction one a trade is held, not all of them to be sorted.
        .group_by(event)
        .agg(pl.exclude(*_PRICED, "beyond").first(), pl.col("beyond").min_by(nearest))
        .with_columns(cost_ratio=cost)
        .with_columns(depth_usd=pl.when(pl.col("cost_ratio") > 0).then(depth))
        .sort(event)
    )


def _prices(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    return oracle_updates.select(
        "chain_id",
        "tx_hash",
        *_QUOTES,
        price_log_index=pl.col("log_index"),
        price_item_index=pl.col("item_index"),
    )


def _reference() -> pl.Expr:
    middle, lowest, highest = (pl.col(name) for name in _QUOTES)
    taken = pl.when(_is_buy()).then(highest).when(~_is_buy()).then(lowest)
    return pl.coalesce(taken, middle)


def _is_buy() -> pl.Expr:
    return pl.col("is_long") == (pl.col("notional_delta_usd") > 0)
