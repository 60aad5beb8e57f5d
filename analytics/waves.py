"""
Forced exits in time: which of them make one wave, and when a part of them was done.

What is true of liquidations is true of ADLs, so the metrics of both are these, under their names. A
wave runs through the chains, versions and markets of a protocol, because a cascade does not stop at
one of them.
"""

import polars as pl

from analytics.clusters import clustered
from analytics.expressions import (
    CENTURY_MILLISECONDS,
    account_count,
    check,
    known_total,
    ratio,
    row_count,
    seconds_between,
    unknown_count,
)

PERCENTS = (25, 50, 75, 90, 99)


def in_waves(events: pl.LazyFrame, gap_milliseconds: int) -> pl.LazyFrame:
    """
    Return events with the number of their wave as `wave`: Int64, from 1 in each protocol.

    Args:
        events: rows with protocol and block_timestamp.
        gap_milliseconds: a longer silence than this starts another wave.

    Raises:
        ValueError: gap_milliseconds is below 1 or longer than a century.
    """
    check("gap_milliseconds", gap_milliseconds, least=1, most=CENTURY_MILLISECONDS)
    found = clustered(events, gap_milliseconds, time="block_timestamp", by=["protocol"])
    return found.rename({"cluster": "wave"})


def waves(events: pl.LazyFrame, gap_milliseconds: int, *more: pl.Expr) -> pl.LazyFrame:
    """
    Return one row per protocol and wave, sorted, with its moments, counts and notional.

    Args:
        events: a frame of `liquidations` or `adls`.
        gap_milliseconds: a longer silence than this starts another wave.
        more: further aggregates of a wave.

    Raises:
        ValueError: gap_milliseconds is below 1 or longer than a century.
    """
    moment = pl.col("block_timestamp")
    market = pl.struct("chain_id", "market")
    return (
        in_waves(events, gap_milliseconds)
        .group_by("protocol", "wave")
        .agg(
            moment.min().alias("first_at"),
            moment.max().alias("last_at"),
            row_count().alias("event_count"),
            account_count().alias("account_count"),
            market.n_unique().cast(pl.Int64).alias("market_count"),
            unknown_count("notional_usd").alias("unknown_notional_count"),
            known_total(pl.col("notional_usd")).alias("notional_usd"),
            *more,
        )
        .sort("protocol", "wave")
        .with_columns(notional_share=_share_of_protocol())
        .with_columns(length_seconds=seconds_between("first_at", "last_at"))
    )


def during(events: pl.LazyFrame, spans: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return the events within a wave, both ends included, each with its wave.

    Args:
        events: rows with protocol and block_timestamp.
        spans: waves that do not overlap within a protocol: protocol, wave, first_at, last_at.
    """
    return (
        events.sort("block_timestamp")
        .join_asof(
            spans.select("protocol", "wave", "first_at", "last_at").sort("first_at"),
            left_on="block_timestamp",
            right_on="first_at",
            by="protocol",
            check_sortedness=False,
        )
        .filter(pl.col("block_timestamp") <= pl.col("last_at"))
    )


def progress(events: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return when 25, 50, 75, 90 and 99 % of a protocol's notional was closed, sorted.

    Args:
        events: a frame of `liquidations` or `adls`.
    """
    shares = pl.LazyFrame({"share_percent": PERCENTS}, schema={"share_percent": pl.Int64})
    is_reached = pl.col("closed_usd") * 100 >= pl.col("total_usd") * pl.col("share_percent")
    reached = pl.col("block_timestamp").filter(is_reached & (pl.col("total_usd") > 0)).min()
    closed = pl.col("closed_usd").filter(is_reached & (pl.col("total_usd") > 0)).min()
    return (
        _closed_so_far(events)
        .join(shares, how="cross")
        .group_by("protocol", "share_percent")
        .agg(
            pl.col("block_timestamp").min().alias("first_at"),
            reached.alias("reached_at"),
            closed.alias("notional_usd"),
            pl.col("total_usd").first(),
            pl.col("unknown_notional_count").sum(),
        )
        .select(
            *("protocol", "share_percent", "first_at", "reached_at", "notional_usd"),
            pl.col("total_usd").alias("total_notional_usd"),
            "unknown_notional_count",
            seconds_between("first_at", "reached_at").alias("elapsed_seconds"),
        )
        .sort("protocol", "share_percent")
    )


def by_moment(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per protocol and moment, sorted: event_count, unknown ones, notional_usd."""
    return (
        events.group_by("protocol", "block_timestamp")
        .agg(
            row_count().alias("event_count"),
            unknown_count("notional_usd").alias("unknown_notional_count"),
            known_total(pl.col("notional_usd")).alias("known_usd"),
        )
        .sort("protocol", "block_timestamp")
    )


def _closed_so_far(events: pl.LazyFrame) -> pl.LazyFrame:
    known = pl.col("known_usd").fill_null(0)
    return by_moment(events).with_columns(
        closed_usd=known.cum_sum().over("protocol"),
        total_usd=known_total(pl.col("known_usd")).over("protocol"),
    )


def _share_of_protocol() -> pl.Expr:
    unknown = pl.col("unknown_notional_count").sum().over("protocol")
    total = pl.col("notional_usd").sum().over("protocol")
    return pl.when(unknown == 0).then(ratio(pl.col("notional_usd"), total))
