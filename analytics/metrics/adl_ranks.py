"""Which place an ADL took in the queue, by the formulas that venues publish."""

import polars as pl

from analytics.budgets import market_prices, with_price
from analytics.expressions import EVENT_ORDER, check, millionths, row_count
from analytics.positions import POSITION, SCORES, SIDE, histories, open_at, scored


def adl_ranks(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    *,
    tolerance_seconds: int = 60,
) -> pl.LazyFrame:
    """
    The place of each position that was cut among those open on its side, by four formulas.

    Just before the moment of the cut. Entry and profit come from the position's own history, so
    they are known only where it begins in the data and balances: what changed adds up to what the
    venue says is left, in dollars (it keeps them at entry prices) or in tokens. Hyperliquid's
    formula as written falls for shorts that win; side-aware it does not. Account value is taken as
    the position's collateral and its profit: a cross margin account that no event tells has no
    leverage here, and a place by profit alone.

    Formula:
        value = size x mark, entry = notional_usd where it is Σ notional_delta_usd within a cent,
            else Σ change of size x price ± Σ realised profit since it was opened
        profit = ±(value - entry) / entry, leverage = value / (collateral ± (value - entry))
        documented = mark / entry price x leverage; side_aware: entry price / mark for shorts
        bitmex = profit x leverage where there is profit, profit / leverage where there is loss
        place = 1 + open positions of the side with a larger score

    Args:
        adls: one row per position cut: market, account, is_long, collateral_token, position_id,
            execution_price_usd (where no liquidation tells a mark, that of the side's first cut of
            the moment is the mark).
        liquidations: one row per liquidated position: mark_price_usd (the latest of a market).
        position_changes: one row per change: the same keys, size_delta_tokens, size_tokens (after
            it), notional_delta_usd, notional_usd (after it), execution_price_usd,
            realized_pnl_usd, collateral_delta_usd.
        tolerance_seconds: how old a mark may be when it is used, inclusive.

    Returns:
        One row per chain, protocol, version, market, side, moment and position that was cut,
        sorted; those of unknown account or side are left out: adl_count (Int64), mark_price_usd,
        size_tokens (Decimal, before the cut), entry_usd, profit_ratio, leverage (Float64),
        place_profit, place_documented, place_side_aware, place_bitmex (Int64, 1 is cut first; what
        does not follow from the history is null), open_count (positions of known size on its
        side), profit_count, leverage_count (Int64, of them with a score without and with leverage).
        Sizes times prices are products of floats, in millionths of a dollar.

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        Hyperliquid docs, Auto-deleveraging; BitMEX docs, Auto-Deleveraging:
        PnL percentage x effective leverage, longs and shorts apart.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    cut = adls.filter(pl.col("account").is_not_null() & pl.col("is_long").is_not_null())
    moments = _moments(cut, liquidations, tolerance_seconds)
    ranked = open_at(histories(position_changes), moments, _ranked)
    keys = [*POSITION, "block_timestamp"]
    return (
        cut.group_by(keys)
        .agg(adl_count=row_count())
        .join(ranked, on=keys, how="left", nulls_equal=True)
        .with_columns(pl.col(_COUNTS).fill_null(0))
        .select(*keys, "adl_count", *_FIGURES, *_COUNTS)
        .sort(*SIDE, "block_timestamp", "account", "collateral_token", "position_id")
    )


_COUNTS = ("open_count", "profit_count", "leverage_count")
_FIGURES = (
    *("mark_price_usd", "size_tokens", "entry_usd", "profit_ratio", "leverage"),
    *(f"place_{name}" for name in SCORES),
)


def _moments(cut: pl.LazyFrame, liquidations: pl.LazyFrame, tolerance_seconds: int) -> pl.LazyFrame:
    """Return the positions that were cut at each moment, and the mark of their market."""
    price = pl.col("execution_price_usd")
    marks = market_prices(liquidations, pl.col("mark_price_usd"))
    moments = (
        cut.sort(*EVENT_ORDER)
        .group_by(*SIDE, pl.col("block_timestamp").alias("cut_at"))
        .agg(price.drop_nulls().first().alias("cut_price"))
    )
    named = cut.select(*POSITION, pl.col("block_timestamp").alias("cut_at")).unique()
    marked = with_price(moments, "cut_at", marks, tolerance_seconds).select(
        *SIDE, "cut_at", mark_price_usd=pl.coalesce("mark_price_usd", "cut_price")
    )
    return named.join(marked, on=[*SIDE, "cut_at"])


def _ranked(positions: pl.LazyFrame, cut: pl.LazyFrame) -> pl.LazyFrame:
    ranked = (
        scored(positions.filter(pl.col("size_tokens").is_not_null()))
        .with_columns(entry_usd=millionths(pl.col("entry")))
        .with_columns(
            *(_place(f"score_{name}").alias(f"place_{name}") for name in SCORES),
            pl.len().over("number").cast(pl.Int64).alias("open_count"),
            pl.col("profit_ratio").count().over("number").cast(pl.Int64).alias("profit_count"),
            pl.col("score_bitmex").count().over("number").cast(pl.Int64).alias("leverage_count"),
        )
    )
    keys = [*POSITION, "cut_at"]
    return (
        cut.select(*keys, "number")
        .join(ranked.select("number", *_COUNTS).unique(), on="number")
        .join(ranked.select(*keys, *_FIGURES), on=keys, how="left", nulls_equal=True)
        .rename({"cut_at": "block_timestamp"})
    )


def _place(score: str) -> pl.Expr:
    return pl.col(score).rank("min", descending=True).over("number").cast(pl.Int64)
