"""How liquidations lie in time, and what they cost: bursts, waves, halfway points, fees, debt."""

import polars as pl

from analytics.expressions import (
    bucket,
    check,
    divided,
    known_total,
    ratio,
    row_count,
    seconds_between,
    unknown_count,
    whole_total,
)
from analytics.waves import by_moment, progress, waves

_GRAIN = ("chain_id", "protocol", "version", "market", "bucket_at")


def liquidation_concentration(
    liquidations: pl.LazyFrame, *, share_percent: int = 70
) -> pl.LazyFrame:
    """
    The shortest time in which a given share of all liquidations of a protocol happened.

    Over its chains and markets together, and over what is known: a liquidation of unknown notional
    cannot be placed and is counted beside. Of windows of one length the earliest is meant.

    Formula:
        min (last_at - first_at) with Σ notional_usd in [first_at, last_at] ≥ share_percent % of all

    Args:
        liquidations: one row per liquidated position and event: notional_usd (USD, one-sided).
        share_percent: how much of the notional the window holds at least, in percent.

    Returns:
        One row per protocol with a liquidation, sorted: liquidation_count, unknown_notional_count
        (Int64, of all), total_notional_usd (Decimal, USD, of what is known, null when nothing is),
        first_at, last_at (both within the window), notional_usd (Decimal, USD, in the window),
        length_seconds, notional_share (Float64, the share of all that is known). The window is null
        where no notional above zero is known.

    Raises:
        ValueError: share_percent is below 1 or above 100.

    Source:
        Amberdata's charts of October 2025: 70 % of the notional within 40 minutes.
    """
    check("share_percent", share_percent, least=1, most=100)
    totals = _totals(liquidations)
    return (
        totals.join(_shortest(liquidations, totals, share_percent), on="protocol", how="left")
        .with_columns(
            length_seconds=seconds_between("first_at", "last_at"),
            notional_share=ratio(pl.col("notional_usd"), pl.col("total_notional_usd")),
        )
        .select(
            *("protocol", "liquidation_count", "unknown_notional_count", "total_notional_usd"),
            *("first_at", "last_at", "notional_usd", "length_seconds", "notional_share"),
        )
        .sort("protocol")
    )


def liquidation_waves(liquidations: pl.LazyFrame, *, gap_milliseconds: int = 5000) -> pl.LazyFrame:
    """
    Liquidations in waves: runs that no silence longer than the gap interrupts.

    Over the chains and markets of a protocol together. Every wave is a row, also the smallest: what
    a study leaves out must be seen. An address is an account of each chain.

    Formula:
        a wave begins where block_timestamp - previous block_timestamp > gap_milliseconds

    Args:
        liquidations: one row per liquidated position and event: notional_usd (USD, one-sided),
            account, market.
        gap_milliseconds: the longest silence within a wave.

    Returns:
        One row per protocol and wave, sorted: wave (Int64, from 1), first_at, last_at,
        liquidation_count, account_count (null where none is told), market_count,
        unknown_notional_count (Int64), notional_usd (Decimal, USD, a sum of what is known, null
        when nothing is), length_seconds (Float64), notional_share (Float64, of the protocol's; null
        while a notional is unknown).

    Raises:
        ValueError: gap_milliseconds is below 1 or longer than a century.

    Source:
        The 5 s rule of studies of 10 October 2025, which kept 16 of 36 waves of ADLs.
    """
    return waves(liquidations, gap_milliseconds).select(
        *("protocol", "wave", "first_at", "last_at"),
        pl.col("event_count").alias("liquidation_count"),
        *("account_count", "market_count", "unknown_notional_count"),
        *("notional_usd", "length_seconds", "notional_share"),
    )


def liquidation_progress(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    When a quarter, half, three quarters, 90 % and 99 % of the notional had been liquidated.

    Over the chains and markets of a protocol together, and over what is known.

    Formula:
        reached_at(p) = first t with Σ notional_usd until t ≥ p % of Σ notional_usd

    Args:
        liquidations: one row per liquidated position and event: notional_usd (USD, one-sided).

    Returns:
        One row per protocol and share, sorted: share_percent (Int64: 25, 50, 75, 90, 99), first_at
        (the first liquidation), reached_at, notional_usd (Decimal, USD, until reached_at and with
        it), total_notional_usd (Decimal, USD, of what is known, null when nothing is),
        unknown_notional_count (Int64, of all), elapsed_seconds (Float64, from first_at to
        reached_at). reached_at and what follows from it are null where no notional above zero is
        known.

    Source:
        Time to p % as in the studies of 10 October 2025.
    """
    return progress(liquidations)


def liquidation_burstiness(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    How bursty liquidations are: -1 like a clock, 0 at random, towards 1 in bursts.

    Between the moments at which a protocol liquidated, whatever happened at each, so that a
    liquidation told in two parts makes no burst. A clock of whole seconds, as most chains have it,
    tells no gap below one second: the share is then zero by measurement, not by calm.

    Formula:
        burstiness = (σ - μ) / (σ + μ), μ and σ mean and population standard deviation of the gaps

    Args:
        liquidations: one row per liquidated position and event; only its time is read.

    Returns:
        One row per protocol with a liquidation, sorted: liquidation_count, moment_count, gap_count
        (one less than moments), under_second_count (Int64), mean_gap_seconds, sd_gap_seconds,
        burstiness, under_second_share (Float64, of the gaps; all four null without a gap).

    Source:
        Goh and Barabási, Burstiness and memory in complex systems, EPL 81 (2008).
    """
    gap = pl.col("block_timestamp").diff().over("protocol").dt.total_microseconds()
    return (
        by_moment(liquidations)
        .with_columns(gap=gap)
        .group_by("protocol")
        .agg(
            liquidation_count=pl.col("event_count").sum(),
            moment_count=row_count(),
            gap_count=pl.col("gap").count().cast(pl.Int64),
            total=pl.col("gap").sum(),
            squares=(pl.col("gap").cast(pl.Int128) ** 2).sum(),
            under_second_count=(pl.col("gap") < 1_000_000).sum().cast(pl.Int64),
        )
        .with_columns(deviation=_deviation())
        .select(*_burstiness_columns())
        .sort("protocol")
    )


def liquidation_fee_yield(
    liquidations: pl.LazyFrame, *, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    What liquidations cost and left unpaid, per dollar liquidated, and how much of it was long.

    A ratio of a part would not be one of the whole: it is null while any liquidation of the bucket
    does not tell its half of it, and the counts say how many do not.

    Formula:
        fee_yield_ratio = Σ fee_usd / Σ notional_usd
        shortfall_ratio = Σ shortfall_usd / Σ notional_usd
        long_share = Σ notional_usd of longs / Σ notional_usd

    Args:
        liquidations: one row per liquidated position and event: notional_usd, fee_usd,
            shortfall_usd (USD, null where the venue does not say), is_long.
        bucket_seconds: length of a bucket, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and bucket with a liquidation, sorted:
        liquidation_count, unknown_notional_count, unknown_fee_count, unknown_shortfall_count,
        unknown_side_count (Int64), notional_usd, fee_usd, shortfall_usd (Decimal, USD; null as soon
        as one is unknown), fee_yield_ratio, shortfall_ratio, long_share (Float64; null while a part
        is unknown and while the notional is zero).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Liquidation fee yield and bad debt ratio as on risk dashboards of lending markets.
    """
    notional = pl.col("notional_usd")
    return (
        liquidations.group_by(*_GRAIN[:-1], bucket(bucket_seconds))
        .agg(
            liquidation_count=row_count(),
            unknown_notional_count=unknown_count("notional_usd"),
            unknown_fee_count=unknown_count("fee_usd"),
            unknown_shortfall_count=unknown_count("shortfall_usd"),
            unknown_side_count=unknown_count("is_long"),
            notional_usd=whole_total(notional),
            fee_usd=whole_total(pl.col("fee_usd")),
            shortfall_usd=whole_total(pl.col("shortfall_usd")),
            long_usd=notional.filter(pl.col("is_long")).sum(),
        )
        .with_columns(
            fee_yield_ratio=ratio(pl.col("fee_usd"), notional),
            shortfall_ratio=ratio(pl.col("shortfall_usd"), notional),
            long_share=pl.when(pl.col("unknown_side_count") == 0).then(
                ratio(pl.col("long_usd"), notional)
            ),
        )
        .drop("long_usd")
        .sort(_GRAIN)
    )


def _totals(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    return liquidations.group_by("protocol").agg(
        liquidation_count=row_count(),
        unknown_notional_count=unknown_count("notional_usd"),
        total_notional_usd=known_total(pl.col("notional_usd")),
    )


def _shortest(liquidations: pl.LazyFrame, totals: pl.LazyFrame, share_percent: int) -> pl.LazyFrame:
    moments = _rising(liquidations).join(totals, on="protocol")
    before = pl.col("closed_usd") - pl.col("known_usd")
    wanted = before * 100 + pl.col("total_notional_usd") * share_percent
    starts = moments.select(
        "protocol", before.alias("before_usd"), wanted.alias("wanted"), first_at="block_timestamp"
    )
    ends = moments.select(
        "protocol", "closed_usd", reached=pl.col("closed_usd") * 100, last_at="block_timestamp"
    )
    return (
        starts.sort("wanted")
        .join_asof(
            ends.sort("reached"),
            left_on="wanted",
            right_on="reached",
            by="protocol",
            strategy="forward",
            check_sortedness=False,
        )
        .filter(pl.col("last_at").is_not_null())
        .sort("protocol", pl.col("last_at") - pl.col("first_at"), "first_at")
        .unique("protocol", keep="first", maintain_order=True)
        .with_columns(notional_usd=pl.col("closed_usd") - pl.col("before_usd"))
        .select("protocol", "first_at", "last_at", "notional_usd")
    )


def _rising(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    # Every moment has notional above zero, so sums rise and each is reached at one moment.
    return (
        by_moment(liquidations)
        .filter(pl.col("known_usd") > 0)
        .with_columns(closed_usd=pl.col("known_usd").cum_sum().over("protocol"))
    )


def _deviation() -> pl.Expr:
    # n Σ g² - (Σ g)² is n² times the variance, in whole squared microseconds: exact in 128 bits.
    total = pl.col("total").cast(pl.Int128)
    return (pl.col("gap_count") * pl.col("squares") - total * total).cast(pl.Float64).sqrt()


def _burstiness_columns() -> list[pl.Expr | str]:
    count, deviation = pl.col("gap_count"), pl.col("deviation")
    spread, scale = pl.col("total").cast(pl.Float64), count * 1_000_000
    unevenness = divided(deviation - spread, deviation + spread)
    return [
        *("protocol", "liquidation_count", "moment_count", "gap_count", "under_second_count"),
        pl.when(count > 0).then(divided(spread, scale)).alias("mean_gap_seconds"),
        pl.when(count > 0).then(divided(deviation, scale)).alias("sd_gap_seconds"),
        pl.when(count > 0).then(unevenness).alias("burstiness"),
        ratio(pl.col("under_second_count"), count).alias("under_second_share"),
    ]
