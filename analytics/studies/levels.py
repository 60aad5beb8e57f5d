"""Open interest, funding, oracles and buybacks of a window, from facts and metrics."""

from datetime import datetime, timedelta

import polars as pl

from analytics.expressions import (
    EVENT_ORDER,
    REVENUE,
    check,
    ratio,
    row_count,
    where_told,
    whole_total,
)

# Feeds of Pyth have one id on every chain.
PAIR = (
    *("chain_id", "asset", "quote", "feed"),
    *("reference_chain_id", "reference_protocol", "reference_feed"),
)

_TIME = "block_timestamp"
_MINUTE = timedelta(minutes=1)
_PLACE = ("protocol", "chain_id", "market", "version")
_PARTS = ("spent_usd", "revenue_usd", "holders_usd")


def since_open(open_interest: pl.LazyFrame, since: datetime | None) -> pl.LazyFrame:
    """
    Return what a window tells of open interest, and what was open when it began.

    Args:
        open_interest: the metric by the minute, with what was before the window.
        since: when the window begins, UTC; all of it without.

    Returns:
        Of each market that is heard of in the window its rows from that minute on, and the last one
        before.
    """
    if since is None:
        return open_interest
    at = pl.col("bucket_at")
    is_before = at + _MINUTE <= since
    is_last = at == at.filter(is_before).max().over(_PLACE)
    is_heard = (~is_before).any().over(_PLACE)
    return open_interest.filter(is_heard & (is_last | ~is_before))


def drawdowns(open_interest: pl.LazyFrame) -> pl.LazyFrame:
    """
    How far open interest fell below its highest of the window, in dollars and in base units.

    Dollars mix size with price: only base units say that positions were closed.

    Formula:
        drawdown = (min over t of OI(t) / max OI up to and with t) - 1

    Args:
        open_interest: the metric by the minute: open_interest_total_usd and _total_tokens; also
            what was open when the window began, see `since_open`.

    Returns:
        One row per protocol and market, sorted, chains and versions apart: drawdown_usd_ratio,
        drawdown_tokens_ratio (Float64, -0.5 = half went; null where the unit is not known, or
        changes alone come to less than nothing).

    Source:
        Maximum drawdown as of any series of values.
    """
    columns = {unit: pl.col(f"open_interest_total_{unit}") for unit in ("usd", "tokens")}
    return (
        open_interest.sort(*_PLACE, "bucket_at")
        .with_columns(
            ratio(value - value.cum_max().over(_PLACE), value.cum_max().over(_PLACE)).alias(unit)
            for unit, value in columns.items()
        )
        .group_by(_PLACE)
        .agg(
            # Less than nothing is what changes alone come to: what was open before is missing.
            pl.when(value.min() >= 0).then(pl.col(unit).min()).alias(f"drawdown_{unit}_ratio")
            for unit, value in columns.items()
        )
        .sort(_PLACE)
    )


def funding_signs(funding: pl.LazyFrame) -> pl.LazyFrame:
    """
    On what part of the markets shorts paid longs, by each market's last rate of the window.

    Formula:
        negative_ratio = markets with a rate below zero / markets with a rate

    Args:
        funding: one row per event: market, funding_rate_daily_ratio (> 0: longs pay shorts).

    Returns:
        One row per protocol with a rate, sorted: market_count (chains and versions apart),
        negative_count (Int64), negative_ratio (Float64).

    Source:
        As of the published days, see `income.funding_signs`.
    """
    rate = pl.col("funding_rate_daily_ratio")
    return (
        funding.filter(rate.is_not_null())
        .sort(_TIME, *EVENT_ORDER)
        .group_by("protocol", "chain_id", "version", "market")
        .agg(rate.last())
        .group_by("protocol")
        .agg(market_count=row_count(), negative_count=(rate < 0).sum().cast(pl.Int64))
        .with_columns(negative_ratio=ratio(pl.col("negative_count"), pl.col("market_count")))
        .sort("protocol")
    )


def minutes_apart(oracle_deviation: pl.LazyFrame, *, limit_bps: int = 100) -> pl.LazyFrame:
    """
    In how many minutes two sources of one asset were further apart than a limit.

    Counted are minutes in which an update was: an oracle that is silent says nothing.

    Formula:
        distinct minutes with |deviation_bps| > limit_bps

    Args:
        oracle_deviation: the metric, one row per update and other source.
        limit_bps: what is still together, in basis points.

    Returns:
        One row per source and reference that were beyond the limit, chains apart, most minutes
        first: minute_count (Int64), worst_bps (Float64, signed, the furthest), first_at, last_at
        (Datetime).

    Raises:
        ValueError: limit_bps is below 0.

    Source:
        As of the published minutes, see `prices.usde_deviation`.
    """
    check("limit_bps", limit_bps, least=0)
    deviation = pl.col("deviation_bps")
    return (
        oracle_deviation.filter(deviation.abs() > limit_bps)
        .group_by("protocol", *PAIR)
        .agg(
            minute_count=pl.col(_TIME).dt.truncate("1m").n_unique().cast(pl.Int64),
            worst_bps=deviation.sort_by(deviation.abs(), deviation).last(),
            first_at=pl.col(_TIME).min(),
            last_at=pl.col(_TIME).max(),
        )
        .sort("minute_count", "protocol", *PAIR, descending=[True, *[False] * (1 + len(PAIR))])
    )


def executed(
    buybacks: pl.LazyFrame, fees: pl.LazyFrame, declared_facts: pl.LazyFrame
) -> pl.LazyFrame:
    """
    What was bought back in the window against what was earned in it, and what was declared.

    A window shorter than the pace of purchases says little: revenue is spent later than earned.

    Formula:
        executed_ratio = Σ spent_usd / Σ revenue_usd; declared_ratio = Σ holders_usd / Σ revenue_usd
        revenue_usd of each fee as in the metric protocol_revenue

    Args:
        buybacks: one row per purchase: spent_usd.
        fees: one row per fee: fee_usd, supply_side_usd, holders_usd.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.

    Returns:
        One row per protocol with either, sorted: spent_usd, revenue_usd, holders_usd (Decimal, USD;
        null when any part is unknown or nothing that is indexed could tell of it), executed_ratio,
        declared_ratio (Float64).

    Source:
        As of the published days, see `corrections.executed_buybacks`.
    """
    # A purchase earns nothing and a fee spends nothing: these zeros are true, not unknown.
    nothing = pl.lit(0).cast(pl.Decimal(38, 18))
    flows = pl.concat(
        [
            buybacks.select("protocol", "spent_usd", revenue_usd=nothing, holders_usd=nothing),
            fees.select(
                "protocol",
                nothing.alias("spent_usd"),
                REVENUE.alias("revenue_usd"),
                "holders_usd",
            ),
        ]
    )
    sums = flows.group_by("protocol").agg(whole_total(pl.col(name)) for name in _PARTS)
    earning = where_told(sums, _PARTS[1:], "fees", fees, declared_facts)
    revenue = pl.col("revenue_usd")
    return (
        where_told(earning, _PARTS[:1], "buybacks", buybacks, declared_facts)
        .with_columns(
            executed_ratio=ratio(pl.col("spent_usd"), revenue),
            declared_ratio=ratio(pl.col("holders_usd"), revenue),
        )
        .sort("protocol")
    )
