"""What ADLs took from those who were cut, against what the liquidated could not pay."""

import polars as pl

from analytics.budgets import (
    haircuts,
    marks_and_trades,
    needed_budgets,
    overshoot,
    under_coverage,
    with_losses,
)
from analytics.expressions import ratio, row_count, whole_total
from analytics.waves import during, in_waves

_WAVE = ("protocol", "wave")
_ACCOUNT = ("chain_id", "account")
_DOLLARS = pl.Decimal(38, 18)


def adl_budget(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    markets: pl.LazyFrame,
    *,
    gap_milliseconds: int = 5000,
    horizon_milliseconds: int = 0,
    tolerance_seconds: int = 5,
) -> pl.LazyFrame:
    """
    What each wave of ADLs took from the winners, what it needed to take, and what was not paid.

    An ADL closes a winner at a price beside the market; the difference is what it contributes
    (needed). What it loses is another thing: where the market stands when the wave is over, with
    the position still open (haircut). An address is an account of each chain: what it won on one
    pays nothing on another. Taking more is overshoot, taking less under-coverage; waves have one or
    the other, so read the smallest and the largest beside a sum. Prices must be young:
    in simulated crashes those of five seconds gave the budget needed to the dollar and overshoot a
    minute later within 1 %, both known of 421 of 464 waves; of a venue without an oracle of its
    own they were known of 33, overshoot within 20 %, and marks of a minute needed ten times too
    much.

    Formula:
        needed_budget_usd = Σ |mark price - execution price| x size
        haircut_usd = Σ over accounts max(0, Σ ±(later price - execution price) x size), + for longs
        overshoot_usd = max(0, haircut - needed), under_coverage_usd = max(0, needed - haircut)
        haircut_ratio = haircut / Σ over accounts max(0, Σ realized_pnl_usd)
        severity_ratio = haircut / deficit

    Args:
        adls: one row per position cut: market, account, is_long, size_tokens, execution_price_usd,
            realized_pnl_usd.
        liquidations: one row per liquidated position: mark_price_usd (the latest of a market is
            its mark), shortfall_usd (what was not paid; a flow, so each part counts once).
        position_changes: one row per change: cause, execution_price_usd (the latest of a trade in a
            market is its later price).
        oracle_updates: one row per update: asset, quote, feed, oracle_price_quote. The venue's own,
            on its chain and in dollars, are marks and later prices too: the youngest counts.
        markets: symbol (the asset) and index_token of a market; without a symbol no oracle's price
            is its own.
        gap_milliseconds: the longest silence within a wave.
        horizon_milliseconds: how long after the end of a wave the later price is taken. At zero it
            is the mark of a wave of one moment where an oracle tells both: no overshoot is seen.
        tolerance_seconds: how old a price may be when it is used, inclusive.

    Returns:
        One row per protocol and wave, sorted: first_at, last_at, adl_count, unmarked_count (of
        unknown size, price or mark), unpriced_count (of unknown size, price, later price, side or
        account) (Int64), deficit_usd (of the wave's liquidations; zero without one, null while one
        does not tell), capacity_usd (Decimal, USD, the winners' profit on what was cut; null while
        one is unknown), needed_budget_usd, haircut_usd, overshoot_usd, under_coverage_usd (Float64,
        USD, in millionths; null while an ADL is unmarked or unpriced), haircut_ratio,
        severity_ratio (Float64; null while a part is unknown and where it is divided by zero).
        Sizes times prices are products of floats.

    Raises:
        ValueError: gap_milliseconds is below 1, a horizon or tolerance negative, or one longer than
            a century.

    Source:
        arXiv 2602.15182 (needed budget, production haircut, overshoot). What it asks of
        the equity of accounts no venue's events tell; of positions `adl_solvency` tells it.
    """
    cut = with_losses(
        in_waves(adls, gap_milliseconds),
        *marks_and_trades(adls, liquidations, position_changes, oracle_updates, markets),
        horizon_milliseconds=horizon_milliseconds,
        tolerance_seconds=tolerance_seconds,
    )
    spans = cut.group_by(_WAVE).agg(*_counts())
    return (
        spans.join(_deficits(liquidations, spans), on=_WAVE)
        .join(_capacities(cut), on=_WAVE)
        .join(needed_budgets(cut, _WAVE), on=_WAVE)
        .join(haircuts(cut.with_columns(account=pl.struct(_ACCOUNT)), _WAVE), on=_WAVE)
        .with_columns(overshoot(), under_coverage())
        .with_columns(
            haircut_ratio=ratio(pl.col("haircut_usd"), pl.col("capacity_usd")),
            severity_ratio=ratio(pl.col("haircut_usd"), pl.col("deficit_usd")),
        )
        .sort(_WAVE)
    )


def _counts() -> list[pl.Expr]:
    moment = pl.col("block_timestamp")
    told = ("size_tokens", "execution_price_usd", "mark_price_usd")
    is_unmarked = pl.any_horizontal(pl.col(name).is_null() for name in told)
    return [
        moment.min().alias("first_at"),
        moment.max().alias("last_at"),
        row_count().alias("adl_count"),
        is_unmarked.sum().cast(pl.Int64).alias("unmarked_count"),
        pl.col("lost_usd").null_count().cast(pl.Int64).alias("unpriced_count"),
    ]


def _deficits(liquidations: pl.LazyFrame, spans: pl.LazyFrame) -> pl.LazyFrame:
    unpaid = (
        during(liquidations, spans)
        .group_by(_WAVE)
        .agg(row_count().alias("count"), unpaid=whole_total(pl.col("shortfall_usd")))
    )
    # No liquidation during a wave leaves nothing unpaid: zero is measured.
    is_absent, nothing = pl.col("count").is_null(), pl.lit(0).cast(_DOLLARS)
    return (
        spans.select(_WAVE)
        .join(unpaid, on=_WAVE, how="left")
        .select(*_WAVE, deficit_usd=pl.when(is_absent).then(nothing).otherwise("unpaid"))
    )


def _capacities(cut: pl.LazyFrame) -> pl.LazyFrame:
    # What one account lost and won is one; of accounts that are not told nobody can say it.
    profit = whole_total(pl.col("realized_pnl_usd")).clip(0)
    is_told = pl.col("account").is_not_null()
    return (
        cut.group_by(*_WAVE, *_ACCOUNT)
        .agg(profit=profit)
        .with_columns(pl.when(is_told).then("profit").alias("profit"))
        .group_by(_WAVE)
        .agg(capacity_usd=whole_total(pl.col("profit")))
    )
