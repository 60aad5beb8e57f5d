"""Figures of fees, revenue, buybacks, open interest and funding around the event."""

from datetime import date, datetime

import polars as pl

from analytics.expressions import ratio

EVENT_DAY = date(2025, 10, 10)
_NEXT_DAY = date(2025, 10, 11)
_QUIET_DAY = date(2025, 10, 8)
_MONTH = (date(2025, 10, 1), date(2025, 10, 20))
_STAGE = 5
# The first transfer of the published total of the stage; what came before is not in it.
_COUNTED_FROM = datetime(2025, 12, 25, 3, 41, 49)


def fees_of_the_day(declared_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    What Hyperliquid earned in fees on 10 October 2025, against its other days.

    Formula:
        multiple = fees of the day / mean of the 30 days before it

    Args:
        declared_days: one row per protocol and day: protocol, date, fees_usd.

    Returns:
        One row: fees_usd, days, rank (Int64, 1 is the highest), multiple (Float64).

    Source:
        DefiLlama by day, as kept by BitPickles/tev-dashboard; four days are missing there.
    """
    fees = pl.col("fees_usd")
    of_the_day = fees.filter(pl.col("date") == EVENT_DAY).sum()
    before = pl.col("date").is_between(date(2025, 9, 10), date(2025, 10, 9))
    return declared_days.filter(pl.col("protocol") == "hyperliquid").select(
        fees_usd=of_the_day,
        days=pl.len().cast(pl.Int64),
        rank=(fees > of_the_day).sum().cast(pl.Int64) + 1,
        multiple=ratio(of_the_day * before.sum(), fees.filter(before).sum()),
    )


def declared_shares(declared_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    What part of fees or revenue two protocols book for their holders.

    Formula:
        Σ holders_revenue_usd / Σ fees_usd, Σ revenue_usd / Σ fees_usd (GMX, from September 2025)
        Σ holders_revenue_usd / Σ revenue_usd (Maple, from November 2025)

    Args:
        declared_days: one row per protocol and day: fees_usd, revenue_usd, holders_revenue_usd.

    Returns:
        One row: gmx_holders_ratio, gmx_revenue_ratio, maple_holders_ratio (Float64, 0.25 = 25 %).

    Source:
        DefiLlama by day, as kept by BitPickles/tev-dashboard; Maple's MIP-019.
    """
    gmx = (pl.col("protocol") == "gmx") & (pl.col("date") >= date(2025, 9, 1))
    maple = (pl.col("protocol") == "maple") & (pl.col("date") >= date(2025, 11, 1))
    holders, revenue = pl.col("holders_revenue_usd"), pl.col("revenue_usd")
    fees = pl.col("fees_usd")
    return declared_days.select(
        gmx_holders_ratio=ratio(holders.filter(gmx).sum(), fees.filter(gmx).sum()),
        gmx_revenue_ratio=ratio(revenue.filter(gmx).sum(), fees.filter(gmx).sum()),
        maple_holders_ratio=ratio(holders.filter(maple).sum(), revenue.filter(maple).sum()),
    )


def aster_buybacks(aster_transfers: pl.LazyFrame) -> pl.LazyFrame:
    """
    ASTER bought back, from the token's own transfers to the buyback addresses.

    The published total of stage 5 is, to the token, what came from one transfer of 25 December on:
    everything before it was lost.

    Formula:
        Σ value of the transfers of a stage

    Args:
        aster_transfers: one row per transfer: stage, block_timestamp, transaction_hash, log_index,
            value (tokens).

    Returns:
        One row: transfers, distinct_transfers, days (Int64), stage5_tokens, counted_tokens,
        lost_tokens (Decimal, tokens; from the first transfer that was counted, and before).

    Source:
        BitPickles/tev-dashboard, transfers on BSC with transaction and log.
    """
    value, at = pl.col("value"), pl.col("block_timestamp")
    is_stage = pl.col("stage") == _STAGE
    return aster_transfers.select(
        transfers=pl.len().cast(pl.Int64),
        distinct_transfers=pl.struct("transaction_hash", "log_index").n_unique().cast(pl.Int64),
        days=at.dt.date().n_unique().cast(pl.Int64),
        stage5_tokens=value.filter(is_stage).sum(),
        counted_tokens=value.filter(is_stage & (at >= _COUNTED_FROM)).sum(),
        lost_tokens=value.filter(is_stage & (at < _COUNTED_FROM)).sum(),
    )


def aster_days(aster_transfers: pl.LazyFrame) -> pl.LazyFrame:
    """
    ASTER bought back by UTC day.

    Formula:
        Σ value of the transfers of a day

    Args:
        aster_transfers: one row per transfer: block_timestamp, value (tokens).

    Returns:
        One row per day with a transfer, sorted: date, bought_tokens (Decimal), transfers (Int64).

    Source:
        BitPickles/tev-dashboard, transfers on BSC with transaction and log.
    """
    return (
        aster_transfers.group_by(date=pl.col("block_timestamp").dt.date())
        .agg(bought_tokens=pl.col("value").sum(), transfers=pl.len().cast(pl.Int64))
        .sort("date")
    )


def open_interest_change(open_interest_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    How much open interest went from the open of 10 October to the close of 11 October 2025.

    In dollars, which mix size with price. Most large rows are Binance's coin-margined perps, a
    part of each coin's market.

    Formula:
        change = Σ oi_close(11 Oct) / Σ oi_open(10 Oct) - 1

    Args:
        open_interest_days: one row per perp and day: symbol, date, oi_open, oi_close (USD).

    Returns:
        One row: perps (Int64, with both days), change_ratio, median_ratio, btc_ratio, eth_ratio,
        sol_ratio, xrp_ratio, doge_ratio, four_ratio (Float64, -0.5 = half went; four are BTC, ETH,
        SOL and XRP together).

    Source:
        Coinalyze by day, as kept by smoothbrainquant/trading-for-new-dads.
    """
    opened, closed = pl.col("oi_open"), pl.col("oi_close")
    perps = (
        open_interest_days.group_by("symbol")
        .agg(
            oi_open=opened.filter(pl.col("date") == EVENT_DAY).first(),
            oi_close=closed.filter(pl.col("date") == _NEXT_DAY).first(),
        )
        .drop_nulls()
    )
    change = ratio(closed.sum() - opened.sum(), opened.sum())
    is_four = pl.col("symbol").is_in([f"{coin}USD_PERP.A" for coin in ("BTC", "ETH", "SOL", "XRP")])
    singles = {
        f"{coin.lower()}_ratio": _within(pl.col("symbol") == f"{coin}USD_PERP.A")
        for coin in ("BTC", "ETH", "SOL", "XRP", "DOGE")
    }
    return perps.select(
        perps=pl.len().cast(pl.Int64),
        change_ratio=change,
        median_ratio=ratio(closed - opened, opened).median(),
        four_ratio=_within(is_four),
        **singles,
    )


def _within(condition: pl.Expr) -> pl.Expr:
    opened, closed = pl.col("oi_open").filter(condition), pl.col("oi_close").filter(condition)
    return ratio(closed.sum() - opened.sum(), opened.sum())


def open_interest_drawdown(open_interest_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    How far open interest fell from its highest close of 1 to 20 October 2025 to a later one.

    Over perps that have every day of the window, so that none joins or leaves the sum. A close is
    one moment of a day: what was lower in between is not in it.

    Formula:
        drawdown = (min over d of Σ oi_close(d) / max of Σ oi_close up to and with d) - 1

    Args:
        open_interest_days: one row per perp and day: symbol, date, oi_close (USD).

    Returns:
        One row: perps (Int64), drawdown_ratio (Float64, -0.5 = half went), peak_on, lowest_on
        (Date; the highest close before the lowest, relative to it).

    Source:
        Coinalyze by day, as kept by smoothbrainquant/trading-for-new-dads.
    """
    closed = pl.col("oi_close")
    window = open_interest_days.filter(pl.col("date").is_between(*_MONTH))
    is_whole = pl.len().over("symbol") == pl.col("date").n_unique()
    days = (
        window.filter(is_whole)
        .group_by("date")
        .agg(closed.sum(), perps=pl.len().cast(pl.Int64))
        .sort("date")
    )
    peak = closed.cum_max()
    fall = ratio(closed - peak, peak)
    peak_on = pl.col("date").filter(closed == peak.sort_by(fall).first()).first()
    return days.select(
        perps=pl.col("perps").max(),
        drawdown_ratio=fall.min(),
        peak_on=peak_on,
        lowest_on=pl.col("date").sort_by(fall).first(),
    )


def funding_signs(funding_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    On what part of perps shorts paid longs, the day after the event and before it.

    Formula:
        share(d) = perps whose funding rate is below zero / perps with a rate on day d

    Args:
        funding_days: one row per perp and day: date, funding_rate (percent per interval).

    Returns:
        One row: perps (Int64, of the day after), negative_ratio, quiet_ratio (Float64; 11 and 8
        October 2025).

    Source:
        Coinalyze by day, as kept by smoothbrainquant/trading-for-new-dads.
    """
    rate, day = pl.col("funding_rate"), pl.col("date")
    after, quiet = rate.filter(day == _NEXT_DAY), rate.filter(day == _QUIET_DAY)
    return funding_days.select(
        perps=after.count().cast(pl.Int64),
        negative_ratio=ratio((after < 0).sum(), after.count()),
        quiet_ratio=ratio((quiet < 0).sum(), quiet.count()),
    )
