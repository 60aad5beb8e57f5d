"""What trades cost beyond the price, and so how deep a market was when they were made."""

from typing import Literal

import polars as pl

from analytics.expressions import EVENT_ORDER, divided, place
from analytics.series import relative

# The prices of one transaction are of different tokens; the traded one is next to what was paid.
_FARTHEST = 0.1
# By which price one is judged that sells, buys, or does neither that is known.
_QUOTES = {-1: "oracle_price_min_quote", 1: "oracle_price_max_quote", 0: "oracle_price_quote"}
_TOLD = ("chain_id", "tx_hash", "side")


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
    size, cost = pl.col("notional_delta_usd").abs().cast(pl.Float64), pl.col("cost_ratio")
    side, prices = pl.col("side"), _prices(oracle_updates)
    lower, upper = (relative(pl.col("paid"), pl.col(name)) for name in ("lower", "upper"))
    is_first = (lower.abs() == upper.abs()) & (pl.col("lower_place") <= pl.col("upper_place"))
    is_lower = (lower.abs() < upper.abs()) | is_first | upper.is_null()
    return (
        position_changes.filter(pl.col("notional_delta_usd") != 0)
        .with_columns(side=_side(), paid="execution_price_usd")
        .filter(pl.col("paid").is_not_null())
        # Of prices on either side of what was paid the next is nearest: no pairs are held.
        .pipe(_next, prices, "lower", "backward")
        .pipe(_next, prices, "upper", "forward")
        .with_columns(beyond=pl.when(is_lower).then(lower).otherwise(upper))
        .filter(pl.col("beyond").abs() <= _FARTHEST)
        .with_columns(cost_ratio=pl.when(side != 0).then(pl.col("beyond") * side))
        .with_columns(depth_usd=pl.when(cost > 0).then(divided(size, cost) * (move_bps / 10_000)))
        .drop("side", "paid", "beyond", "lower", "lower_place", "upper", "upper_place")
        .sort("chain_id", *EVENT_ORDER)
    )


def _prices(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """Return the prices of each transaction that a side is judged by, and where each is first."""
    middle = pl.col("oracle_price_quote")
    told = [
        oracle_updates.select(
            *("chain_id", "tx_hash", place().alias("place")),
            side=pl.lit(side, pl.Int64),
            price=pl.coalesce(quote, middle),
        )
        for side, quote in _QUOTES.items()
    ]
    return (
        pl.concat(told)
        .filter(pl.col("price") > 0)
        .group_by(*_TOLD, "price")
        .agg(pl.col("place").min())
    )


def _next(
    trades: pl.LazyFrame,
    prices: pl.LazyFrame,
    name: str,
    strategy: Literal["forward", "backward"],
) -> pl.LazyFrame:
    """Return the trades with the next price at or beyond what was paid, and its place."""
    told = prices.rename({"price": name, "place": f"{name}_place"})
    return trades.sort("paid").join_asof(
        told.sort(name),
        left_on="paid",
        right_on=name,
        by=list(_TOLD),
        strategy=strategy,
        coalesce=False,
        check_sortedness=False,
    )


def _side() -> pl.Expr:
    is_buy = pl.col("is_long") == (pl.col("notional_delta_usd") > 0)
    return pl.when(is_buy).then(1).when(~is_buy).then(-1).otherwise(0).cast(pl.Int64)
