"""Figures of the exits by force: how much was deleveraged, when, whose, and beside what."""

from datetime import datetime

import polars as pl

from analytics.clusters import gini, reached, smallest_window, top_share
from analytics.expressions import ratio

PERCENTS = (25, 50, 75, 90, 99)
_LARGEST = ("BTC", "ETH", "SOL", "HYPE", "XPL")
_FIRST_MINUTE = datetime(2025, 10, 10, 21, 16)
_MINUTES = 5


def adl_totals(adl_coins: pl.LazyFrame, adl_accounts: pl.LazyFrame) -> pl.LazyFrame:
    """
    What was deleveraged, in how many fills of how many coins and accounts.

    The same totals three times over, by coin, by account and by second (`adl_progress`), because
    only equal sums of three tables say that none of them lost a row.

    Formula:
        top3_ratio = Σ notional of the three largest coins / Σ notional
        mean_pnl_ratio = Σ mean PnL of a coin's ADLs x their number / Σ number, likewise by account

    Args:
        adl_coins: one row per coin: adl_notional, closed_pnl (USD), pnl_percent (mean of its ADLs,
            of their notional at the mark), num_events.
        adl_accounts: one row per account: the same, num_adl_events.

    Returns:
        One row: counts (Int64), sums (Decimal, USD), top3_ratio, mean_pnl_ratio,
        account_mean_pnl_ratio (Float64, 0.5 = 50 %).

    Source:
        ConejoCapital/HyperMultiAssetedADL, its tables by coin and by user.
    """
    notional = pl.col("adl_notional")
    coins = adl_coins.select(
        coins=pl.len().cast(pl.Int64),
        fills=pl.col("num_events").sum(),
        notional_usd=notional.sum(),
        closed_pnl_usd=pl.col("closed_pnl").sum(),
        mean_pnl_ratio=_mean_pnl("num_events"),
        top3_ratio=top_share(notional, 3),
        negative_equity_rows=pl.col("is_negative_equity").sum(),
        **{f"{coin.lower()}_usd": notional.filter(coin=coin).sum() for coin in _LARGEST},
    )
    accounts = adl_accounts.select(
        accounts=pl.col("user").n_unique().cast(pl.Int64),
        account_fills=pl.col("num_adl_events").sum(),
        account_notional_usd=notional.sum(),
        account_closed_pnl_usd=pl.col("closed_pnl").sum(),
        account_mean_pnl_ratio=_mean_pnl("num_adl_events"),
        negative_equity_accounts=pl.col("is_negative_equity").sum().cast(pl.Int64),
    )
    return pl.concat([coins, accounts], how="horizontal")


def _mean_pnl(count: str) -> pl.Expr:
    percent = pl.col("pnl_percent") * pl.col(count)
    return ratio(percent.sum(), pl.col(count).sum() * 100)


def adl_holders(adl_accounts: pl.LazyFrame) -> pl.LazyFrame:
    """
    How few accounts the deleveraging fell upon.

    Formula:
        top n = Σ notional of the n largest accounts / Σ notional; Gini as in `clusters.gini`

    Args:
        adl_accounts: one row per account: adl_notional (USD).

    Returns:
        One row: top1_ratio, top10_ratio, top100_ratio, gini_ratio (Float64, 0.5 = 50 %).

    Source:
        ConejoCapital/HyperMultiAssetedADL, its table by user.
    """
    return adl_accounts.select(holders(pl.col("adl_notional")))


def holders(amount: pl.Expr) -> list[pl.Expr]:
    """Return the shares of the 1, 10 and 100 largest holders and the Gini coefficient."""
    shares = [top_share(amount, count).alias(f"top{count}_ratio") for count in (1, 10, 100)]
    return [*shares, gini(amount).alias("gini_ratio")]


def adl_progress(adl_seconds: pl.LazyFrame) -> pl.LazyFrame:
    """
    When the deleveraging was done: by the minute, by percent, and its shortest 70 percent.

    Formula:
        p(x) = first second with Σ notional up to it >= x % of all
        m(t) = Σ notional in [t, t + 60 s)

    Args:
        adl_seconds: one row per second with an ADL: time (ms, UTC), notionalInBucket (USD),
            eventCount.

    Returns:
        One row: seconds, fills (Int64), notional_usd, m2116_usd to m2120_usd (Decimal, USD),
        largest_fills (Int64), largest_at, p25_at to p99_at (Datetime, UTC, starts of seconds),
        peak_minute_at (Datetime, UTC, the minute of most notional),
        window70_ms (Int64, from the start of its first second to that of its last).

    Source:
        ConejoCapital, the visualizer's buckets of a second.
    """
    notional, fills = pl.col("notionalInBucket"), pl.col("eventCount")
    events = _with_at(adl_seconds, "time")
    minute = pl.col("at").dt.truncate("1m")
    totals = events.select(
        seconds=pl.len().cast(pl.Int64),
        fills=fills.sum(),
        notional_usd=notional.sum(),
        largest_fills=fills.max(),
        largest_at=pl.col("at").sort_by(fills).last(),
        peak_minute_at=minute.sort_by(notional.sum().over(minute)).last(),
        **{
            f"m{start:%H%M}_usd": notional.filter(minute == start).sum()
            for start in (_FIRST_MINUTE.replace(minute=16 + i) for i in range(_MINUTES))
        },
    )
    when = reached(events, PERCENTS, time="at", amount="notionalInBucket")
    percents = when.select(
        pl.col("reached_at").filter(percent=percent).first().alias(f"p{percent}_at")
        for percent in PERCENTS
    )
    window = smallest_window(events, 70, time="at", amount="notionalInBucket")
    return pl.concat(
        [totals, percents, window.select(window70_ms=pl.col("milliseconds").first())],
        how="horizontal",
    )


def adl_sample(adl_seconds: pl.LazyFrame, adl_coin_seconds: pl.LazyFrame) -> pl.LazyFrame:
    """
    The first two bursts of deleveraging, which were published first, as a sample of two minutes.

    Formula:
        sums over the two first seconds with an ADL, 21:16:04 and 21:16:56

    Args:
        adl_seconds: one row per second with an ADL: time (ms), notionalInBucket (USD), eventCount.
        adl_coin_seconds: one row per second and coin with an ADL: time_ms, coin.

    Returns:
        One row: notional_usd (Decimal, USD), fills, coins (Int64).

    Source:
        ConejoCapital, the visualizer's buckets of a second; the sample is 21:15 to 21:17.
    """
    ends = _FIRST_MINUTE.replace(minute=17)
    sums = (
        _with_at(adl_seconds, "time")
        .filter(pl.col("at") < ends)
        .select(notional_usd=pl.col("notionalInBucket").sum(), fills=pl.col("eventCount").sum())
    )
    coins = (
        _with_at(adl_coin_seconds, "time_ms")
        .filter(pl.col("at") < ends)
        .select(coins=pl.col("coin").n_unique().cast(pl.Int64))
    )
    return pl.concat([sums, coins], how="horizontal")


def liquidation_rows(tickers: pl.LazyFrame) -> pl.LazyFrame:
    """
    The rows of liquidations and ADLs as they were published, both sides of every trade.

    What one side of them is, `one_sided_liquidations` says.

    Formula:
        published_ratio = Σ ADL notional / Σ notional of liquidation rows, as published

    Args:
        tickers: one row per ticker: liq_notional, adl_notional, total_notional (USD), liq_events,
            total_events.

    Returns:
        One row: rows, events (Int64), notional_usd, total_usd (Decimal, USD), published_ratio
        (Float64).

    Source:
        ConejoCapital, the combined impact by ticker.
    """
    liquidated = pl.col("liq_notional").sum()
    return tickers.select(
        rows=pl.col("liq_events").sum(),
        events=pl.col("total_events").sum(),
        notional_usd=liquidated,
        total_usd=pl.col("total_notional").sum(),
        published_ratio=ratio(pl.col("adl_notional").sum(), liquidated),
    )


def trigger_lag(timeline: pl.LazyFrame, deficit_waves: pl.LazyFrame) -> pl.LazyFrame:
    """
    How long liquidations ran before the first position was deleveraged.

    Formula:
        lag = first ADL - first liquidation

    Args:
        timeline: one row per second with an event: ts (UTC), liq_rows.
        deficit_waves: one row per wave: t_start_ms (of its first ADL).

    Returns:
        One row: lag_ms (Int64), first_liquidation_at, first_adl_at (Datetime, UTC).

    Source:
        ConejoCapital's timeline of the twelve minutes; pluriholonomic's waves have the millisecond.
    """
    first = timeline.filter(pl.col("liq_rows") > 0).select(first_liquidation_at=pl.col("ts").min())
    cut = deficit_waves.select(first_adl_at=_moment("t_start_ms").min())
    pause = pl.col("first_adl_at") - pl.col("first_liquidation_at")
    return pl.concat([first, cut], how="horizontal").with_columns(
        lag_ms=pause.dt.total_milliseconds()
    )


def _with_at(frame: pl.LazyFrame, milliseconds: str) -> pl.LazyFrame:
    return frame.with_columns(at=_moment(milliseconds))


def _moment(milliseconds: str) -> pl.Expr:
    return pl.from_epoch(pl.col(milliseconds), time_unit="ms").cast(pl.Datetime("us"))
