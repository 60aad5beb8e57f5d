"""Who bore the budget of an ADL, and who would have borne it in a queue or if all gave alike."""

import polars as pl

from analytics.budgets import (
    marks_and_trades,
    microdollars,
    pro_rata,
    queued,
    with_losses,
    with_price,
    worth,
)
from analytics.expressions import check_named, millionths, ratio, row_count, whole_total
from analytics.positions import POSITION, SCORES, SIDE, histories, open_at, scored
from analytics.waves import in_waves

_WAVE = (*SIDE, "wave")
_POSITION = (*POSITION, "wave")
_REST = ("account", "collateral_token", "position_id")


def adl_allocation(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    markets: pl.LazyFrame,
    *,
    gap_milliseconds: int = 5000,
    horizon_milliseconds: int = 0,
    tolerance_seconds: int = 5,
    rank: str = "bitmex",
) -> pl.LazyFrame:
    """
    What each winner lost to a wave of ADLs, beside what a queue and a pro rata cut would have cost.

    The budget of a side is what its ADLs needed to take: the distance of their prices from the
    mark. A queue takes it from the best placed first, all of their profit, until it is filled; pro
    rata takes the same part of everybody's. What a position did lose is told by where the market
    stood after the wave, as in `adl_budget`. Winners are the positions with a profit just before
    the side's first ADL of the wave; where one open position does not tell its profit, or one was
    cut that was not open then, nobody knows what the others would have borne.

    Formula:
        budget_usd = Σ |mark price - execution price| x size, of the side's ADLs of the wave
        haircut_usd = max(0, Σ ±(later price - execution price) x size), + for longs
        queue_usd = min(gain, max(0, budget - Σ gain of those placed before))
        pro_rata_usd = gain x min(1, budget / Σ gain), gain = max(0, ±(size x mark - entry))
        haircut_ratio = haircut / gain, overshoot_*_usd = haircut - what the rule would have taken

    Args:
        adls: one row per position cut: market, account, is_long, collateral_token, position_id,
            size_tokens, execution_price_usd.
        liquidations: one row per liquidated position: mark_price_usd (the latest of a market is its
            mark).
        position_changes: one row per change: as `adl_ranks` reads them; cause (the latest
            execution_price_usd of a trade in a market is its later price).
        oracle_updates: one row per update: asset, quote, feed, oracle_price_quote. The venue's own,
            on its chain and in dollars, are marks and later prices too: the youngest counts.
        markets: symbol (the asset) and index_token of a market; without a symbol no oracle's price
            is its own.
        gap_milliseconds: the longest silence within a wave.
        horizon_milliseconds: how long after the end of a wave the later price is taken.
        tolerance_seconds: how old a price may be when it is used, inclusive.
        rank: by what the queue stands, as `adl_ranks` states it: profit, documented, side_aware or
            bitmex. Equal ones stand in the order of account, collateral token and position.

    Returns:
        One row per chain, protocol, version, market, side, wave and position that was cut or had a
        profit, sorted; cuts of unknown account have no row, but their budget counts; those of
        unknown side are left out: first_at (the side's first ADL of the wave), adl_count (Int64, of
        the position), open_count, known_count (Int64, open positions of the side, and those whose
        history tells the profit), unplaced_count (Int64, winners without a place: with one, the
        queue is unknown), gain_usd (below zero of one that was cut at a loss, null while unknown),
        haircut_usd (zero of one that was not cut, null while a price or size is unknown),
        haircut_ratio (null without a gain), queue_usd, pro_rata_usd, overshoot_queue_usd,
        overshoot_pro_rata_usd (below zero: it gave less than the rule asks), budget_usd,
        capacity_usd (all gains of the side) (Float64, USD, in millionths; null while not known).
        Sizes times prices are products of floats.

    Raises:
        ValueError: gap_milliseconds is below 1, a horizon or tolerance negative, one longer than a
            century, or rank is none of the four.

    Source:
        arXiv 2512.01112 (pro rata haircuts of profits), by position instead of by account; arXiv
        2602.15182 (needed budget, production haircut). The queue is that of the venues whose
        ranks `adl_ranks` states.
    """
    check_named("rank", rank, SCORES)
    marks, later = marks_and_trades(adls, liquidations, position_changes, oracle_updates, markets)
    cut = with_losses(
        in_waves(adls, gap_milliseconds),
        marks,
        later,
        horizon_milliseconds=horizon_milliseconds,
        tolerance_seconds=tolerance_seconds,
    )
    sides = with_price(_sides(cut), "cut_at", marks, tolerance_seconds)
    told = [*_POSITION, "gain", pl.col(f"score_{rank}").alias("score")]
    gains = open_at(
        histories(position_changes), sides, lambda winners, _: scored(winners).select(told)
    ).with_columns(is_open=pl.lit(value=True))
    everyone = gains.join(_cuts(cut), on=_POSITION, how="full", nulls_equal=True, coalesce=True)
    return (
        _allocated(everyone.join(sides, on=_WAVE))
        .filter((pl.col("adl_count") > 0) | (pl.col("gain") > 0))
        .select(*_WAVE, *_REST, pl.col("cut_at").alias("first_at"), *_COUNTS, *_FIGURES)
        .sort(*_WAVE, *_REST)
    )


_FIGURES = (
    *("gain_usd", "haircut_usd", "haircut_ratio", "queue_usd", "pro_rata_usd"),
    *("overshoot_queue_usd", "overshoot_pro_rata_usd", "budget_usd", "capacity_usd"),
)
_COUNTS = ("adl_count", "open_count", "known_count", "unplaced_count")


def _sides(cut: pl.LazyFrame) -> pl.LazyFrame:
    gap = (pl.col("mark_price_usd") - pl.col("execution_price_usd")).abs()
    return cut.group_by(_WAVE).agg(
        cut_at=pl.col("block_timestamp").min(),
        budget=whole_total(worth(pl.col("size_tokens"), gap)),
    )


def _cuts(cut: pl.LazyFrame) -> pl.LazyFrame:
    lost = whole_total(microdollars(pl.col("lost_usd")))
    told = cut.filter(pl.col("account").is_not_null())
    return told.group_by(_POSITION).agg(adl_count=row_count(), haircut=lost.clip(0))


def _allocated(everyone: pl.LazyFrame) -> pl.LazyFrame:
    won, budget, haircut = pl.col("won"), pl.col("budget"), pl.col("haircut")
    # Where one does not tell its gain, or was cut and not open before, nobody's part is known.
    is_whole = pl.col("gain").is_not_null().all().over(_WAVE)
    is_placed = pl.col("unplaced_count") == 0
    is_cut = pl.col("adl_count").is_not_null()
    return (
        _in_line(everyone)
        .with_columns(
            won=pl.col("gain").clip(0), haircut=pl.when(is_cut).then(haircut).otherwise(0)
        )
        .with_columns(
            queue=pl.when(is_whole & is_placed).then(queued(won, budget, _WAVE)),
            part=pl.when(is_whole).then(pro_rata(won, budget, _WAVE)),
            capacity=pl.when(is_whole).then(won.sum().over(_WAVE)),
        )
        .with_columns(
            adl_count=pl.col("adl_count").fill_null(0),
            gain_usd=millionths(pl.col("gain")),
            haircut_usd=millionths(haircut),
            haircut_ratio=ratio(haircut, won),
            queue_usd=millionths(pl.col("queue")),
            pro_rata_usd=millionths(won) * pl.col("part"),
            overshoot_queue_usd=millionths(haircut - pl.col("queue")),
            budget_usd=millionths(budget),
            capacity_usd=millionths(pl.col("capacity")),
        )
        .with_columns(overshoot_pro_rata_usd=pl.col("haircut_usd") - pl.col("pro_rata_usd"))
    )


def _in_line(everyone: pl.LazyFrame) -> pl.LazyFrame:
    is_open, gain = pl.col("is_open"), pl.col("gain")
    is_unplaced = (gain > 0) & pl.col("score").is_null()
    order = {**dict.fromkeys(_WAVE, False), "score": True, **dict.fromkeys(_REST, False)}
    return everyone.sort(
        *order, descending=[*order.values()], nulls_last=[*order.values()]
    ).with_columns(
        open_count=is_open.count().over(_WAVE).cast(pl.Int64),
        known_count=gain.count().over(_WAVE).cast(pl.Int64),
        unplaced_count=is_unplaced.sum().over(_WAVE).cast(pl.Int64),
    )
