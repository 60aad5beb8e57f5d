"""Whether what winners are owed could be paid by losers, once a wave of ADLs was over."""

import polars as pl

from analytics.budgets import deficits, market_prices, with_price
from analytics.expressions import (
    EVENT_ORDER,
    INSTANT,
    check,
    distinct_count,
    millionths,
    ratio,
    row_count,
)
from analytics.positions import POSITION, Told, histories, open_at
from analytics.waves import in_waves

_VENUE = ("chain_id", "protocol")
_MARKET = (*_VENUE, "version", "market")
_WAVE = (*_MARKET, "wave")


def adl_solvency(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    *,
    gap_milliseconds: int = 5000,
    tolerance_seconds: int = 5,
) -> pl.LazyFrame:
    """
    What the winners of a market had left to win after a wave of ADLs, against what losers owed.

    Profit that somebody's debt stands behind is not paid by him: above 1 the winners could bear
    all of it, below 1 they could not, and deleveraging took too little. Equity is that of a
    position, its collateral and its profit: what an account holds beside it no event tells, so on
    venues with cross margin this says nothing, and neither do fees that accrued unseen.

    Formula:
        gains_usd = Σ max(0, gain), deficit_usd = Σ max(0, -(collateral + gain)), gain = ±(size x
        mark - entry), over all positions of the market that are open after its last ADL of the wave
        ptsr = gains_usd / deficit_usd, pmr = largest gain / largest deficit
        needed_ratio = min(1, deficit_usd / gains_usd): what all would give if all gave alike

    Args:
        adls: one row per position cut: market, execution_price_usd (the last of a wave is the mark
            where no liquidation tells one).
        liquidations: one row per liquidated position: mark_price_usd (the latest of a market).
        position_changes: one row per change: as `adl_ranks` reads them.
        gap_milliseconds: the longest silence within a wave.
        tolerance_seconds: how old a mark may be when it is used, inclusive.

    Returns:
        One row per chain, protocol, version, market and wave, sorted: last_at (the market's last
        ADL of the wave), mark_price_usd (Decimal), open_count, known_count (Int64, positions, those
        included whose size nobody tells, and those whose history tells gain and equity), gains_usd,
        deficit_usd (Float64, USD, in millionths), ptsr, pmr, needed_ratio (Float64; ptsr and pmr
        are null where nothing is owed, needed_ratio where nobody gains; all five null while a
        position is not known, the counts too where no position of the venue was ever told).

    Raises:
        ValueError: gap_milliseconds is below 1, tolerance_seconds negative, or one longer than a
            century.

    Source:
        arXiv 2512.01112 (PTSR, PMR, pro-rata haircuts), by position instead of by account. Who
        gives first in a queue, `adl_ranks` tells.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    ends = _ends(in_waves(adls, gap_milliseconds), liquidations, tolerance_seconds)
    columns = ("open_count", "known_count", *_MICROS)
    left = _open_after(ends, position_changes, _of_sides).group_by(_WAVE).agg(*_together())
    count, known = pl.col("open_count"), pl.col("known_count")
    return (
        _with_telling(ends, position_changes)
        .join(left, on=_WAVE, how="left")
        # Of a venue that tells positions, none that is open is a zero.
        .with_columns(pl.when("is_told").then(pl.col(columns).fill_null(0)))
        .with_columns(pl.when(known == count).then(pl.col(_MICROS)))
        .select(
            *(*_WAVE, "last_at", "mark_price_usd", count, known),
            gains_usd=millionths(pl.col("gains")),
            deficit_usd=millionths(pl.col("owed")),
            ptsr=ratio(pl.col("gains"), pl.col("owed")),
            pmr=ratio(pl.col("largest_gain"), pl.col("largest_owed")),
            needed_ratio=ratio(pl.min_horizontal("owed", "gains"), pl.col("gains")),
        )
        .sort(_WAVE)
    )


def adl_deficits(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    *,
    gap_milliseconds: int = 5000,
    tolerance_seconds: int = 5,
) -> pl.LazyFrame:
    """
    What losers owed beyond their equity over a whole episode of ADLs, each position once.

    Equity is a stock. A position that stands below zero after nine waves owes once, not nine times:
    adding up the deficits of waves, as `adl_solvency` tells them, counts it nine times. What one
    position owes another of its account does not pay: equity is that of a position alone, so on
    venues with cross margin this says nothing.

    Formula:
        deficit_usd = Σ over positions max(0, -min over waves equity), equity = collateral ±(size x
        mark - entry), after the last ADL of each wave in the position's market

    Args:
        adls: one row per position cut: as `adl_solvency` reads them. All of a protocol are one
            episode: ask for the facts of an event.
        liquidations: one row per liquidated position: mark_price_usd (the latest of a market).
        position_changes: one row per change: as `adl_ranks` reads them.
        gap_milliseconds: the longest silence within a wave.
        tolerance_seconds: how old a mark may be when it is used, inclusive.

    Returns:
        One row per protocol with an ADL, sorted: wave_count, position_count (open after a wave,
        those included whose size nobody tells), known_count (of these, whose history tells equity
        after every wave), owing_count (of these, below zero after one) (Int64), deficit_usd
        (Float64, USD, in millionths, ≥ 0; null while a position is not known); all but wave_count
        null where no position was ever told on one of its chains with an ADL.

    Raises:
        ValueError: gap_milliseconds is below 1, tolerance_seconds negative, or one longer than a
            century.

    Source:
        arXiv 2512.01112 (loser deficit), by position instead of by account, and a stock instead of
        a sum over waves.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    ends = _ends(in_waves(adls, gap_milliseconds), liquidations, tolerance_seconds)
    left = _open_after(ends, position_changes, _at_worst).select(
        *("protocol", "account", "equity"), equity_usd=millionths(pl.col("equity"))
    )
    counts = ("position_count", "known_count", "owing_count")
    # Nothing that is open owes nothing: zero is measured.
    deficit = pl.when(pl.col("position_count").is_null()).then(0.0).otherwise("deficit_usd")
    return (
        _with_telling(ends, position_changes)
        .group_by("protocol")
        .agg(wave_count=distinct_count("wave"), is_told=pl.col("is_told").is_not_null().all())
        .join(_known(left), on="protocol", how="left")
        .join(deficits(left, ["protocol"]), on="protocol", how="left")
        .with_columns(owing_count=pl.col("account_count"))
        .with_columns(
            pl.when("is_told").then(pl.col(counts).fill_null(0)),
            deficit_usd=pl.when("is_told").then(deficit),
        )
        .select("protocol", "wave_count", *counts, "deficit_usd")
        .sort("protocol")
    )


def _with_telling(ends: pl.LazyFrame, position_changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return the ends with is_told: true where any position of their venue was told, else null."""
    told = position_changes.filter(pl.col("is_long").is_not_null()).select(_VENUE).unique()
    return ends.join(told.with_columns(is_told=pl.lit(value=True)), on=_VENUE, how="left")


def _known(left: pl.LazyFrame) -> pl.LazyFrame:
    return (
        left.group_by("protocol", "account")
        .agg(is_known=pl.col("equity").is_not_null().all())
        .group_by("protocol")
        .agg(position_count=row_count(), known_count=pl.col("is_known").sum().cast(pl.Int64))
    )


def _open_after(ends: pl.LazyFrame, position_changes: pl.LazyFrame, told: Told) -> pl.LazyFrame:
    just_after = pl.col("last_at") + INSTANT
    sides = pl.LazyFrame({"is_long": [True, False]})
    moments = ends.select(*_WAVE, "mark_price_usd", cut_at=just_after).join(sides, how="cross")
    # Most markets have no ADL, and what is open there is not asked about.
    changes = position_changes.join(ends, on=_MARKET, how="semi")
    return open_at(histories(changes), moments, told)


_MICROS = ("gains", "owed", "largest_gain", "largest_owed")


def _ends(cut: pl.LazyFrame, liquidations: pl.LazyFrame, tolerance_seconds: int) -> pl.LazyFrame:
    price = pl.col("execution_price_usd")
    ends = (
        cut.sort(*EVENT_ORDER)
        .group_by(_WAVE)
        .agg(pl.col("block_timestamp").max().alias("last_at"), price.drop_nulls().last())
    )
    marks = market_prices(liquidations, pl.col("mark_price_usd"))
    return with_price(ends, "last_at", marks, tolerance_seconds).with_columns(
        mark_price_usd=pl.coalesce("mark_price_usd", price)
    )


def _of_sides(left: pl.LazyFrame, _moments: pl.LazyFrame) -> pl.LazyFrame:
    gain, owed = pl.col("gain").clip(0), (0 - pl.col("equity")).clip(0)
    return left.group_by(*_WAVE, "is_long").agg(
        open_count=row_count(),
        known_count=pl.col("equity").count().cast(pl.Int64),
        gains=gain.sum(),
        owed=owed.sum(),
        largest_gain=gain.max(),
        largest_owed=owed.max(),
    )


def _together() -> list[pl.Expr]:
    added = ("open_count", "known_count", "gains", "owed")
    return [pl.col(added).sum(), pl.col("largest_gain", "largest_owed").max()]


def _at_worst(left: pl.LazyFrame, _moments: pl.LazyFrame) -> pl.LazyFrame:
    # Of moments that are looked at together one is enough: the lowest, and unknown where one is.
    equity = pl.col("equity")
    lowest = pl.when(equity.is_not_null().all()).then(equity.min())
    return left.group_by("protocol", account=pl.struct(POSITION)).agg(equity=lowest)
