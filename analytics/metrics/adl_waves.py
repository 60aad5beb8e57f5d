"""ADLs in time: in which waves they came, how long after liquidations, and beside how many."""

import polars as pl

from analytics.expressions import (
    known_total,
    ratio,
    row_count,
    seconds_between,
    unknown_count,
    whole_total,
)
from analytics.waves import during, progress, waves

_MARKET = ("chain_id", "protocol", "version", "market")
_LIQUIDATED = (
    "liquidation_count",
    "backstop_count",
    "liquidation_notional_usd",
    "backstop_notional_usd",
)
_RATIOS = ("adl_to_liquidation_ratio", "adl_to_backstop_ratio")
_DOLLARS = pl.Decimal(38, 18)
_GAPS_SECONDS = (1, 2, 5, 10, 30, 60, 300)


def adl_waves(
    adls: pl.LazyFrame, liquidations: pl.LazyFrame, *, gap_milliseconds: int = 5000
) -> pl.LazyFrame:
    """
    ADLs in waves: runs that no silence longer than the gap interrupts, beside what was liquidated.

    Over the chains and markets of a protocol together. Every wave is a row, also the smallest: what
    a study leaves out must be seen. Liquidations are those between the first and the last moment of
    a wave, both included; backstop ones are those that an account the venue names took over.
    An address is an account of each chain.

    Formula:
        a wave begins where block_timestamp - previous block_timestamp > gap_milliseconds
        adl_to_liquidation_ratio = Σ notional_usd of ADLs / Σ notional_usd of liquidations
        adl_to_backstop_ratio = Σ notional_usd of ADLs / Σ notional_usd of those with a liquidator

    Args:
        adls: one row per position cut: notional_usd (closed), realized_pnl_usd (USD), account,
            market.
        liquidations: one row per liquidated position: notional_usd (USD, one-sided), liquidator.
        gap_milliseconds: the longest silence within a wave.

    Returns:
        One row per protocol and wave, sorted: wave (Int64, from 1), first_at, last_at, adl_count,
        account_count (null where none is told), market_count, unknown_notional_count (Int64),
        notional_usd, realized_pnl_usd (Decimal, USD, sums of what is known, null when nothing is),
        liquidation_count, backstop_count (Int64), liquidation_notional_usd, backstop_notional_usd
        (Decimal, USD; zero without one, null when one of them is unknown), length_seconds,
        notional_share (Float64, of the protocol's; null while a notional is unknown),
        adl_to_liquidation_ratio, adl_to_backstop_ratio (Float64; null while a notional is unknown
        and while there was none).

    Raises:
        ValueError: gap_milliseconds is below 1 or longer than a century.

    Source:
        The 5 s rule of studies of 10 October 2025, which kept 16 of 36 waves; ADL notional /
        one-sided liquidation notional, backstop alone and all.
    """
    pnl = known_total(pl.col("realized_pnl_usd")).alias("realized_pnl_usd")
    cut = waves(adls, gap_milliseconds, pnl)
    beside = during(liquidations, cut).group_by("protocol", "wave").agg(*_liquidated())
    return (
        cut.join(beside, on=["protocol", "wave"], how="left")
        .with_columns(*_where_absent())
        .with_columns(*_ratios())
        .select(
            *("protocol", "wave", "first_at", "last_at"),
            pl.col("event_count").alias("adl_count"),
            *("account_count", "market_count", "unknown_notional_count"),
            *("notional_usd", "realized_pnl_usd", *_LIQUIDATED),
            *("length_seconds", "notional_share", *_RATIOS),
        )
        .sort("protocol", "wave")
    )


def wave_sensitivity(adls: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    How many waves there are, and how large the largest is, by the silence that ends one.

    Nobody announces a wave: where one ends is a rule of whoever counts. What is said of waves of 5
    s holds as far as the rows beside it say the same.

    Formula:
        `adl_waves` and `liquidation_waves` with gaps of 1, 2, 5, 10, 30, 60 and 300 seconds

    Args:
        adls: one row per position cut: notional_usd (closed).
        liquidations: one row per liquidated position: notional_usd (USD, one-sided).

    Returns:
        One row per protocol, cause (adl, liquidation) and gap, sorted: gap_seconds, event_count,
        wave_count, single_count (waves of one event; Int64), longest_seconds (Float64, of the
        longest wave), largest_share (Float64, of the protocol's notional in the largest wave; null
        while a notional is unknown).

    Source:
        Of one rule of 5 s for ADLs of 10 October 2025 a study told 16 waves and its rows give 36.
    """
    causes = {"adl": adls, "liquidation": liquidations}
    counted = [
        _counted(waves(events, 1000 * seconds), cause, seconds)
        for cause, events in causes.items()
        for seconds in _GAPS_SECONDS
    ]
    return pl.concat(counted).sort("protocol", "cause", "gap_seconds")


def _counted(found: pl.LazyFrame, cause: str, seconds: int) -> pl.LazyFrame:
    events = pl.col("event_count")
    return (
        found.group_by("protocol")
        .agg(
            event_count=events.sum(),
            wave_count=row_count(),
            single_count=(events == 1).sum().cast(pl.Int64),
            longest_seconds=pl.col("length_seconds").max(),
            largest_share=pl.col("notional_share").max(),
        )
        .select(
            "protocol",
            pl.lit(cause).alias("cause"),
            pl.lit(seconds, pl.Int64).alias("gap_seconds"),
            *("event_count", "wave_count", "single_count", "longest_seconds", "largest_share"),
        )
    )


def adl_progress(adls: pl.LazyFrame) -> pl.LazyFrame:
    """
    When a quarter, half, three quarters, 90 % and 99 % of the notional had been deleveraged.

    Over the chains and markets of a protocol together, and over what is known.

    Formula:
        reached_at(p) = first t with Σ notional_usd until t ≥ p % of Σ notional_usd

    Args:
        adls: one row per position cut: notional_usd (USD, closed).

    Returns:
        One row per protocol and share, sorted: share_percent (Int64: 25, 50, 75, 90, 99), first_at
        (the first ADL), reached_at, notional_usd (Decimal, USD, until reached_at and with it),
        total_notional_usd (Decimal, USD, of what is known, null when nothing is),
        unknown_notional_count (Int64, of all), elapsed_seconds (Float64, from first_at to
        reached_at). reached_at and what follows from it are null where no notional above zero is
        known.

    Source:
        Time to p % as in the studies of 10 October 2025.
    """
    return progress(adls)


def adl_to_liquidation(adls: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    All ADLs of a protocol beside all its liquidations, and beside those with a backstop.

    Where an event is meant, limit the time to it. Counting each liquidating trade twice, once per
    side, makes this ratio half of what it is.

    Formula:
        adl_to_liquidation_ratio = Σ notional_usd of ADLs / Σ notional_usd of liquidations
        adl_to_backstop_ratio = Σ notional_usd of ADLs / Σ notional_usd of those with a liquidator

    Args:
        adls: one row per position cut: notional_usd (USD, closed).
        liquidations: one row per liquidated position: notional_usd (USD, one-sided), liquidator.

    Returns:
        One row per protocol with an ADL, sorted: adl_count, unknown_notional_count (Int64),
        notional_usd (Decimal, USD, a sum of what is known, null when nothing is),
        liquidation_count, backstop_count (Int64), liquidation_notional_usd, backstop_notional_usd
        (Decimal, USD; zero without one, null when one of them is unknown),
        adl_to_liquidation_ratio, adl_to_backstop_ratio (Float64; null while a notional is unknown
        and while there was none).

    Source:
        ADL notional / one-sided backstop notional, and / all one-sided liquidations.
    """
    cut = adls.group_by("protocol").agg(
        adl_count=row_count(),
        unknown_notional_count=unknown_count("notional_usd"),
        notional_usd=known_total(pl.col("notional_usd")),
    )
    beside = liquidations.group_by("protocol").agg(*_liquidated())
    return (
        cut.join(beside, on="protocol", how="left")
        .with_columns(*_where_absent())
        .with_columns(*_ratios())
        .select(
            *("protocol", "adl_count", "unknown_notional_count", "notional_usd"),
            *_LIQUIDATED,
            *_RATIOS,
        )
        .sort("protocol")
    )


def adl_trigger_lag(adls: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    How long after its first liquidation a protocol began to deleverage.

    Of all that is looked at: limit the time to one event, or the first liquidation is one of
    another year. Below zero the ADL came first.

    Formula:
        lag_seconds = first ADL - first liquidation

    Args:
        adls: one row per position cut; only its time is read.
        liquidations: one row per liquidated position; only its time is read.

    Returns:
        One row per protocol with an ADL, sorted: first_liquidation_at (null without one),
        first_adl_at, lag_seconds (Float64; null without a liquidation).

    Source:
        Trigger lag of 10 October 2025 on Hyperliquid: 61.7 s.
    """
    return _lag(adls, liquidations, ("protocol",))


def adl_market_lag(adls: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    How long after its first liquidation a market was deleveraged.

    As `adl_trigger_lag`, within each market.

    Formula:
        lag_seconds = first ADL of the market - first liquidation of the market

    Args:
        adls: one row per position cut; only its time and market are read.
        liquidations: one row per liquidated position; only its time and market are read.

    Returns:
        One row per chain, protocol, version and market with an ADL, sorted: first_liquidation_at
        (null without one), first_adl_at, lag_seconds (Float64; null without a liquidation).

    Source:
        First ADL - first liquidation.
    """
    return _lag(adls, liquidations, _MARKET)


def _lag(adls: pl.LazyFrame, liquidations: pl.LazyFrame, by: tuple[str, ...]) -> pl.LazyFrame:
    first = pl.col("block_timestamp").min()
    return (
        adls.group_by(by)
        .agg(first.alias("first_adl_at"))
        .join(liquidations.group_by(by).agg(first.alias("first_liquidation_at")), on=by, how="left")
        .select(
            *by,
            "first_liquidation_at",
            "first_adl_at",
            seconds_between("first_liquidation_at", "first_adl_at").alias("lag_seconds"),
        )
        .sort(by)
    )


def _liquidated() -> list[pl.Expr]:
    notional, is_backstop = pl.col("notional_usd"), pl.col("liquidator").is_not_null()
    return [
        row_count().alias("liquidation_count"),
        is_backstop.sum().cast(pl.Int64).alias("backstop_count"),
        whole_total(notional).alias("liquidation_notional_usd"),
        whole_total(notional.filter(is_backstop)).alias("backstop_notional_usd"),
    ]


def _where_absent() -> list[pl.Expr]:
    # Without a liquidation all of it is a measured zero; a sum that is null otherwise is unknown.
    is_absent = pl.col("liquidation_count").is_null()
    sums = ("liquidation_notional_usd", "backstop_notional_usd")
    nothing = pl.lit(0).cast(_DOLLARS)
    return [
        pl.col("liquidation_count", "backstop_count").fill_null(0),
        *(pl.when(is_absent).then(nothing).otherwise(name).alias(name) for name in sums),
    ]


def _ratios() -> list[pl.Expr]:
    is_whole = pl.col("unknown_notional_count") == 0
    return [
        pl.when(is_whole)
        .then(ratio(pl.col("notional_usd"), pl.col(f"{kind}_notional_usd")))
        .alias(f"adl_to_{kind}_ratio")
        for kind in ("liquidation", "backstop")
    ]
