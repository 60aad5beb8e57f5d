"""Liquidations and ADLs of a window, from facts: how much, when, in which waves, whose."""

import polars as pl

from analytics.clusters import clustered, reached, smallest_window
from analytics.expressions import (
    account_count,
    known_total,
    ratio,
    row_count,
    unknown_count,
    where_told,
    whole_total,
)
from analytics.studies.exits import PERCENTS, holders

_TIME = "block_timestamp"
_WINDOW_PERCENT = 70
_NOTIONAL = pl.col("notional_usd")


def forced_exits(
    adls: pl.LazyFrame, liquidations: pl.LazyFrame, declared_facts: pl.LazyFrame
) -> pl.LazyFrame:
    """
    How much was liquidated and deleveraged, and how long after the first liquidation ADLs began.

    Formula:
        trigger_lag = first ADL - first liquidation
        adl_to_liquidation_ratio = Σ ADL notional / Σ one-sided liquidation notional

    Args:
        adls: one row per position cut: notional_usd, account.
        liquidations: one row per liquidated position: notional_usd (one-sided), is_long, account.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.

    Returns:
        One row per protocol with either: counts (Int64), sums (Decimal, USD, of what is known),
        both null where nothing that is indexed could tell of one, first_…_at (Datetime),
        trigger_lag_ms (Int64, null without both), long_ratio,
        adl_to_liquidation_ratio (Float64; null while a notional or a side is unknown).

    Source:
        ADL notional / one-sided liquidation notional, as in the metric `adls`.
    """
    cut = adls.group_by("protocol").agg(*_sums("adl"), adl_whole=whole_total(_NOTIONAL))
    forced = liquidations.group_by("protocol").agg(
        *_sums("liquidation"),
        liquidation_whole=whole_total(_NOTIONAL),
        long_usd=pl.when(pl.col("is_long").null_count() == 0).then(
            whole_total(_NOTIONAL.filter(pl.col("is_long")))
        ),
    )
    lag = (pl.col("first_adl_at") - pl.col("first_liquidation_at")).dt.total_milliseconds()
    sums = forced.join(cut, on="protocol", how="full", coalesce=True).with_columns(_zeros())
    return (
        _told(sums, adls, liquidations, declared_facts)
        .with_columns(
            trigger_lag_ms=lag,
            long_ratio=ratio(pl.col("long_usd"), pl.col("liquidation_whole")),
            adl_to_liquidation_ratio=ratio(pl.col("adl_whole"), pl.col("liquidation_whole")),
        )
        .drop("adl_whole", "liquidation_whole", "long_usd")
        .sort("protocol")
    )


def _zeros() -> list[pl.Expr]:
    # No event at all is a measured zero; events without a notional or an account are not.
    return [
        pl.when(pl.col(f"{name}_count").is_not_null())
        .then(pl.col(f"^{name}_(.*count|notional_usd|whole)$"))
        .otherwise(0)
        for name in ("adl", "liquidation")
    ]


def _told(
    sums: pl.LazyFrame,
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
) -> pl.LazyFrame:
    cut = where_told(sums, ["^adl_.*$"], "adls", adls, declared_facts)
    return where_told(cut, ["^liquidation_.*$"], "liquidations", liquidations, declared_facts)


def _sums(name: str) -> list[pl.Expr]:
    return [
        row_count().alias(f"{name}_count"),
        account_count().alias(f"{name}_account_count"),
        unknown_count("notional_usd").alias(f"{name}_unknown_notional_count"),
        known_total(_NOTIONAL).alias(f"{name}_notional_usd"),
        pl.col(_TIME).min().alias(f"first_{name}_at"),
    ]


def adl_holders(adls: pl.LazyFrame) -> pl.LazyFrame:
    """
    How few accounts the deleveraging fell upon; an address is one of each chain.

    Formula:
        top n = Σ notional of the n largest accounts / Σ notional; Gini as in `clusters.gini`

    Args:
        adls: one row per position cut: account, notional_usd.

    Returns:
        One row per protocol with an ADL of a known account, sorted: adl_account_count (Int64),
        top1_ratio, top10_ratio, top100_ratio, gini_ratio (Float64; null while one of the notionals
        is unknown).

    Source:
        As of the published tables by account, see `exits.adl_holders`.
    """
    return (
        adls.filter(pl.col("account").is_not_null())
        .group_by("protocol", "chain_id", "account")
        .agg(whole_total(_NOTIONAL))
        .group_by("protocol")
        .agg(row_count().alias("adl_account_count"), *holders(_NOTIONAL))
        .sort("protocol")
    )


def adl_times(adls: pl.LazyFrame) -> pl.LazyFrame:
    """
    When the deleveraging had come to 25, 50, 75, 90 and 99 percent of its notional.

    Formula:
        p(x) = first moment with Σ notional up to it >= x % of all

    Args:
        adls: one row per position cut: notional_usd.

    Returns:
        One row per protocol with an ADL and percent, sorted: percent (Int64), reached_at (Datetime,
        null while a notional is unknown, and where all are zero).

    Source:
        As of the published seconds, see `exits.adl_progress`.
    """
    return reached(adls, PERCENTS, time=_TIME, amount="notional_usd", by=["protocol"])


def exit_windows(adls: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    The shortest stretch of time with 70 percent of the ADLs, and of the liquidations.

    Formula:
        min t2 - t1 with Σ notional in [t1, t2] >= 70 % of all

    Args:
        adls: one row per position cut: notional_usd.
        liquidations: one row per liquidated position: notional_usd.

    Returns:
        One row per protocol and kind of exit, the first of several as short, none while a notional
        is unknown or all are zero, sorted: exit (adl, liquidation), from_at, to_at (Datetime),
        milliseconds (Int64), notional_usd (Decimal, USD).

    Source:
        Amberdata, 7 charts: 70 % within 40 minutes.
    """
    windows = pl.concat(
        smallest_window(
            events, _WINDOW_PERCENT, time=_TIME, amount="notional_usd", by=["protocol"]
        ).select("protocol", pl.lit(name).alias("exit"), pl.exclude("protocol"))
        for name, events in (("adl", adls), ("liquidation", liquidations))
    )
    return windows.sort("protocol", "exit")


def adl_waves(adls: pl.LazyFrame, *, gap_ms: int = 5000) -> pl.LazyFrame:
    """
    Every wave of ADLs: a wave ends where none follows for longer than the gap, over all markets.

    No wave is left out, whatever the losers' deficit in it.

    Formula:
        a pause > gap_ms begins a wave

    Args:
        adls: one row per position cut: notional_usd.
        gap_ms: the longest pause inside a wave, in milliseconds.

    Returns:
        One row per protocol and wave, sorted: wave (Int64, from 1), from_at, to_at (Datetime),
        adl_count, unknown_notional_count (Int64), notional_usd (Decimal, USD, of what is known).

    Raises:
        ValueError: gap_ms is below 0 or longer than a century.

    Source:
        pluriholonomic/autodeleveraging-analysis with gap_ms=5000, all waves instead of some.
    """
    return (
        clustered(adls, gap_ms, time=_TIME, by=["protocol"])
        .group_by("protocol", wave="cluster")
        .agg(
            from_at=pl.col(_TIME).min(),
            to_at=pl.col(_TIME).max(),
            adl_count=row_count(),
            unknown_notional_count=unknown_count("notional_usd"),
            notional_usd=known_total(_NOTIONAL),
        )
        .sort("protocol", "wave")
    )


def exit_minutes(
    adls: pl.LazyFrame, liquidations: pl.LazyFrame, declared_facts: pl.LazyFrame
) -> pl.LazyFrame:
    """
    ADL and one-sided liquidation notional by the minute.

    Formula:
        m(t) = Σ notional in [t, t + 60 s)

    Args:
        adls: one row per position cut: notional_usd.
        liquidations: one row per liquidated position: notional_usd.
        declared_facts: as in `forced_exits`.

    Returns:
        One row per protocol and minute with either, sorted: minute_at (Datetime), adl_notional_usd,
        liquidation_notional_usd (Decimal, USD, of what is known; zero where nothing of it was, null
        where nothing that is indexed could tell of one).

    Source:
        As of the published seconds, see `exits.adl_progress`.
    """
    minute = pl.col(_TIME).dt.truncate("1m").alias("minute_at")
    keys = ["protocol", "minute_at"]
    return _beside(adls, liquidations, declared_facts, [pl.col("protocol"), minute], keys)


def exit_markets(
    adls: pl.LazyFrame, liquidations: pl.LazyFrame, declared_facts: pl.LazyFrame
) -> pl.LazyFrame:
    """
    ADL and one-sided liquidation notional by market.

    Formula:
        Σ notional of a market

    Args:
        adls: one row per position cut: market, notional_usd.
        liquidations: one row per liquidated position: market, notional_usd.
        declared_facts: as in `forced_exits`.

    Returns:
        One row per protocol, chain and market with either, most ADLs first: adl_notional_usd,
        liquidation_notional_usd (Decimal, USD, of what is known; zero where nothing of it was, null
        where nothing that is indexed could tell of one).

    Source:
        As of the published tables by coin, see `exits.adl_totals`.
    """
    keys = ["protocol", "chain_id", "market"]
    largest = ["adl_notional_usd", "liquidation_notional_usd"]
    return _beside(adls, liquidations, declared_facts, [pl.col(key) for key in keys], keys).sort(
        "protocol", *largest, "chain_id", "market", descending=[False, True, True, False, False]
    )


def _beside(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    groups: list[pl.Expr],
    keys: list[str],
) -> pl.LazyFrame:
    sums = [
        events.group_by(groups).agg(known_total(_NOTIONAL).alias(name), row_count().alias("rows"))
        for name, events in (("adl_notional_usd", adls), ("liquidation_notional_usd", liquidations))
    ]
    # No event at all is a measured zero; events without a notional are not.
    nothing = pl.lit(0).cast(pl.Decimal(38, 18))
    both = (
        sums[0]
        .join(sums[1], on=keys, how="full", coalesce=True)
        .with_columns(
            pl.when(pl.col(rows).is_null()).then(nothing).otherwise(pl.col(name)).alias(name)
            for name, rows in (
                ("adl_notional_usd", "rows"),
                ("liquidation_notional_usd", "rows_right"),
            )
        )
        .drop("rows", "rows_right")
    )
    return _told(both, adls, liquidations, declared_facts).sort(keys)
