"""
Five errors of the published record, each beside its correction and the evidence for it.

What was published is not wrong arithmetic: it counts another thing than its name says.
"""

from datetime import datetime

import polars as pl

from analytics.clusters import clustered
from analytics.expressions import divided, ratio

GAP_MS = 5000
_MAJORS = ("BTC", "ETH", "SOL")


def one_sided_liquidations(tickers: pl.LazyFrame, timeline: pl.LazyFrame) -> pl.LazyFrame:
    """
    Liquidations counted once per trade, where both sides of each were published.

    In raw fills every trade is two rows and both carry the liquidation. So each take-over by the
    backstop is in the published rows twice, and the losing leg of each ADL once. Two tests speak
    for it: what is left after the ADLs is even everywhere, and tickers that only saw ADLs have as
    many liquidations as ADLs. The raw rows are not among the files: this is inference, not proof.
    Liquidations at the market are outside these rows altogether.

    Formula:
        fills = (Σ liquidation rows - Σ ADL fills) / 2, notional likewise
        adl_ratio = Σ ADL notional / one-sided notional

    Args:
        tickers: one row per ticker: liq_notional, adl_notional, total_notional (USD), liq_events,
            adl_events, total_events.
        timeline: one row per second with an event: liq_rows, adl_fills.

    Returns:
        One row: tickers, even_tickers, seconds, even_seconds, adl_only_tickers, fills, events
        (Int64), notional_usd, both_usd (Decimal, USD; with the ADLs), adl_ratio, median_adl_ratio
        (Float64, over tickers with a take-over).

    Source:
        ConejoCapital, combined impact and timeline; node fills of 2025-10-27, where each of 3,383
        trades has two rows.
    """
    rows, cut = pl.col("liq_events"), pl.col("adl_events")
    twice = pl.col("liq_notional") - pl.col("adl_notional")
    adl = pl.col("adl_notional")
    # A decimal halved is exact: the last of nine places stands on a tenth of eighteen.
    half = twice.cast(pl.Decimal(38, 18)) / 2
    by_ticker = tickers.with_columns(half=half).select(
        tickers=pl.len().cast(pl.Int64),
        even_tickers=((rows - cut) % 2 == 0).sum().cast(pl.Int64),
        adl_only_tickers=((rows == cut) & (cut > 0)).sum().cast(pl.Int64),
        fills=(rows - cut).sum() // 2,
        events=pl.col("total_events").sum() // 2,
        notional_usd=pl.col("half").sum(),
        both_usd=pl.col("half").sum() + adl.sum(),
        adl_ratio=ratio(adl.sum(), pl.col("half").sum()),
        median_adl_ratio=ratio(adl, pl.col("half")).median(),
    )
    seconds = timeline.select(
        seconds=pl.len().cast(pl.Int64),
        even_seconds=((pl.col("liq_rows") - pl.col("adl_fills")) % 2 == 0).sum().cast(pl.Int64),
    )
    return pl.concat([by_ticker, seconds], how="horizontal")


def both_sides(node_fills: pl.LazyFrame) -> pl.LazyFrame:
    """
    How many rows a trade has in raw fills, and how many of them carry the liquidation.

    Formula:
        a perp is a coin whose name neither starts with @ nor holds a slash

    Args:
        node_fills: one row per side of a trade: coin, tid (the trade), liq_user (null without a
            liquidation).

    Returns:
        One row: perp_trades, two_row_trades, liquidations, liquidation_rows (Int64).

    Source:
        ConejoCapital/hyperanalyze, raw node fills of 2025-10-27.
    """
    is_spot = pl.col("coin").str.starts_with("@") | pl.col("coin").str.contains("/", literal=True)
    is_forced = pl.col("liq_user").is_not_null()
    rows, forced = pl.col("rows"), pl.col("forced")
    return (
        node_fills.filter(~is_spot)
        .group_by("tid")
        .agg(rows=pl.len(), forced=is_forced.sum())
        .select(
            perp_trades=pl.len().cast(pl.Int64),
            two_row_trades=(rows == 2).sum().cast(pl.Int64),
            liquidations=(forced > 0).sum().cast(pl.Int64),
            liquidation_rows=forced.sum().cast(pl.Int64),
        )
    )


def deficit_once(deficit_waves: pl.LazyFrame) -> pl.LazyFrame:
    """
    The deficit of the losers with each account in it once, where it was summed wave by wave.

    A deficit is a stock: an account that is still under water in the next wave has not lost the
    sum again. The largest loss of nine waves is the same to the cent, so it is one account. That
    account is taken once; others may repeat too, so what is left is an upper bound.

    Formula:
        deficit = Σ deficit of the waves - Σ over repeated losses of (times - 1) x loss

    Args:
        deficit_waves: one row per wave: deficit_usd, max_loss_usd (USD, the largest single loss).

    Returns:
        One row: summed_usd, once_usd, repeated_usd (Decimal, USD; the loss that repeats most),
        repeated_waves (Int64: waves that hold it).

    Source:
        pluriholonomic/autodeleveraging-analysis, bad_debt_loser_waves.csv.
    """
    repeats = (
        deficit_waves.group_by("max_loss_usd")
        .agg(times=pl.len().cast(pl.Int64))
        .sort("times", "max_loss_usd")
        .select(
            again=((pl.col("times") - 1) * pl.col("max_loss_usd")).sum(),
            repeated_usd=pl.col("max_loss_usd").last(),
            repeated_waves=pl.col("times").last(),
        )
    )
    summed = deficit_waves.select(summed_usd=pl.col("deficit_usd").sum())
    return pl.concat([summed, repeats], how="horizontal").select(
        "summed_usd",
        "repeated_usd",
        "repeated_waves",
        once_usd=pl.col("summed_usd") - pl.col("again"),
    )


def all_waves(
    timeline: pl.LazyFrame, deficit_waves: pl.LazyFrame, adl_seconds: pl.LazyFrame
) -> pl.LazyFrame:
    """
    Every wave of ADLs that the stated rule makes, where only those with a deficit were kept.

    The numbers and the row counts of the published waves are those of ours with the same number,
    so the rule is the same and the others were left out.

    Formula:
        a wave ends where no ADL follows for more than 5 seconds, over all coins

    Args:
        timeline: one row per second with an event: ts (UTC), adl_fills.
        deficit_waves: one row per published wave: wave, n_rows, t_start_ms, t_end_ms.
        adl_seconds: one row per second with an ADL: time (ms), notionalInBucket (USD).

    Returns:
        One row: waves, published_waves, equal_waves (same number and row count), left_out_waves
        (Int64), left_out_usd, largest_left_out_usd, second_left_out_usd (Decimal, USD),
        left_out_ratio (Float64), largest_left_out_at (Datetime, UTC).

    Source:
        pluriholonomic/autodeleveraging-analysis with gap_ms=5000; ConejoCapital's timeline.
    """
    ours = (
        clustered(timeline.filter(pl.col("adl_fills") > 0), GAP_MS, time="ts")
        .group_by(wave="cluster")
        .agg(pl.col("adl_fills").sum())
    )
    counts = ours.join(deficit_waves, on="wave", how="left").select(
        waves=pl.len().cast(pl.Int64),
        published_waves=pl.col("n_rows").count().cast(pl.Int64),
        equal_waves=(pl.col("n_rows") == pl.col("adl_fills")).sum().cast(pl.Int64),
        left_out_waves=pl.col("n_rows").null_count().cast(pl.Int64),
    )
    notional = pl.col("notionalInBucket")
    left_out = notional.filter(~pl.col("is_kept"))
    sums = within_waves(adl_seconds, "time", deficit_waves).select(
        left_out_usd=left_out.sum(),
        left_out_ratio=ratio(left_out.sum(), notional.sum()),
        largest_left_out_usd=left_out.max(),
        second_left_out_usd=left_out.top_k(2).min(),
        largest_left_out_at=pl.from_epoch(
            pl.col("time").filter(~pl.col("is_kept")).sort_by(left_out).last(), time_unit="ms"
        ).cast(pl.Datetime("us")),
    )
    return pl.concat([counts, sums], how="horizontal")


def covered_majors(adl_coin_seconds: pl.LazyFrame, deficit_waves: pl.LazyFrame) -> pl.LazyFrame:
    """
    What part of the largest coins' ADLs lies inside the published waves.

    By notional, because no file has the quantities of what was left out.

    Formula:
        covered = Σ notional inside the waves / Σ notional

    Args:
        adl_coin_seconds: one row per second and coin: time_ms, coin, adl_notional_usd (USD).
        deficit_waves: one row per published wave: t_start_ms, t_end_ms.

    Returns:
        One row: btc_ratio, eth_ratio, sol_ratio (Float64, 0.5 = 50 %).

    Source:
        ConejoCapital, the visualizer's buckets; pluriholonomic/autodeleveraging-analysis.
    """
    notional = pl.col("adl_notional_usd")
    is_coin = {coin: pl.col("coin") == coin for coin in _MAJORS}
    return within_waves(adl_coin_seconds, "time_ms", deficit_waves).select(
        ratio(notional.filter(is_it & pl.col("is_kept")).sum(), notional.filter(is_it).sum()).alias(
            f"{coin.lower()}_ratio"
        )
        for coin, is_it in is_coin.items()
    )


def within_waves(
    seconds: pl.LazyFrame, milliseconds: str, deficit_waves: pl.LazyFrame
) -> pl.LazyFrame:
    """Return rows of whole seconds with `is_kept`: whether a published wave holds the second."""
    spans = deficit_waves.select(
        start=pl.col("t_start_ms") // 1000, end=pl.col("t_end_ms") // 1000
    ).sort("start")
    return (
        seconds.with_columns(second=pl.col(milliseconds) // 1000)
        .sort("second")
        .join_asof(spans, left_on="second", right_on="start")
        .with_columns(is_kept=(pl.col("second") <= pl.col("end")).fill_null(value=False))
    )


def equity_leverage(outliers: pl.LazyFrame) -> pl.LazyFrame:
    """
    Leverage over equity, where notional over cash was published under the name.

    Cash without the unrealised profit is next to nothing in an account that is all position, so
    the published leverage of such rows is in the hundreds or millions. And the published profit is
    a part of the notional at the mark, not of the margin, so a short's may exceed 100 %.

    Formula:
        published leverage = |size| x price / cash; leverage = |size| x price / equity
        published profit = unrealised profit / (|size| x price)

    Args:
        outliers: one row per ADL: position_size, adl_price, account_value_realtime (cash),
            total_equity, leverage_realtime, position_unrealized_pnl, pnl_percent.

    Returns:
        One row: rows, cash_rows, profit_rows (Int64; those the two published formulas give to a
        billionth), median_cash_leverage, median_equity_leverage (Float64, 1 = once the money; the
        latter over all rows, below zero where equity is).

    Source:
        ConejoCapital, high_leverage_outliers_analysis.csv.
    """
    notional = pl.col("position_size").abs() * pl.col("adl_price")
    over_cash = divided(notional, pl.col("account_value_realtime"))
    profit = divided(pl.col("position_unrealized_pnl") * 100, notional)
    return outliers.select(
        rows=pl.len().cast(pl.Int64),
        cash_rows=_nearly(over_cash, pl.col("leverage_realtime")),
        profit_rows=_nearly(profit, pl.col("pnl_percent")),
        median_cash_leverage=pl.col("leverage_realtime").median(),
        median_equity_leverage=divided(notional, pl.col("total_equity")).median(),
    )


def _nearly(ours: pl.Expr, published: pl.Expr) -> pl.Expr:
    return ((ours - published).abs() <= published.abs() * 1e-9).sum().cast(pl.Int64)


def executed_buybacks(declared_days: pl.LazyFrame, hype_days: pl.LazyFrame) -> pl.LazyFrame:
    """
    What the Assistance Fund bought against what is booked for holders, over the same three days.

    DefiLlama books all revenue as holders' revenue, so a ratio of those two is 1 by definition.
    The purchases on record are of one pair of four, so their ratio is a lower bound. Three days are
    a window, not a law: revenue is spent later than it is earned.

    Formula:
        declared = Σ holders_revenue_usd / Σ revenue_usd
        executed = Σ hype x avg_price / Σ revenue_usd, both over 10 to 12 February 2026

    Args:
        declared_days: one row per protocol and day: revenue_usd, holders_revenue_usd.
        hype_days: one row per day: hype (tokens bought), avg_price (USD), usd, data_type.

    Returns:
        One row: declared_ratio, executed_ratio (Float64), revenue_usd (Int64, USD), executed_usd
        (Float64, USD, added in order of days), booked_days (Int64: days whose `usd` is the day's
        revenue, not a purchase).

    Source:
        BitPickles/tev-dashboard: DefiLlama by day, and purchases from the exchange's interface.
    """
    in_window = pl.col("date").is_between(
        datetime(2026, 2, 10).date(), datetime(2026, 2, 12).date()
    )
    hyperliquid = declared_days.filter(in_window & (pl.col("protocol") == "hyperliquid"))
    declared = hyperliquid.select(
        declared_ratio=ratio(pl.col("holders_revenue_usd").sum(), pl.col("revenue_usd").sum())
    )
    spent = pl.col("hype").cast(pl.Float64) * pl.col("avg_price")
    window = (
        hype_days.filter(in_window)
        .join(hyperliquid, on="date", how="left")
        .sort("date")
        .select(
            revenue_usd=pl.col("revenue_usd").sum(),
            executed_usd=spent.sum(),
            executed_ratio=ratio(spent.sum(), pl.col("revenue_usd").sum()),
            booked_days=(pl.col("usd") == pl.col("revenue_usd")).sum().cast(pl.Int64),
        )
    )
    return pl.concat([declared, window], how="horizontal")
