"""Open interest: how much is open on each side, and how far it fell from its peak."""

import polars as pl

from analytics.reports.charts import LONG, SHORT, Drawing, areas, lines
from analytics.reports.context import Context, long_rows
from analytics.reports.numerals import period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.summary import total_open_interest

_MARKET = ["chain_id", "protocol", "version", "market"]
_MARKET_KEYS = ("chain_id", "protocol", "market")
_COLUMNS = (
    *(*_MARKET_KEYS, "basis", "peak_usd", "peak_at", "final_usd", "final_skew_usd"),
    "worst_drawdown_ratio",
)
_SIDES = {"open_interest_long_usd": "long", "open_interest_short_usd": "short"}


def exposure(context: Context) -> Section:
    """Return the section about open interest and its drawdown."""
    seconds = context.scope.period_seconds
    settings = {"bucket_seconds": seconds}
    metric = context.scope.metric("open_interest", with_past=True, bucket_seconds=seconds)
    total = with_drawdown(total_open_interest(metric))
    sources = (
        Source("open_interest", "metric", "open_interest", metric, settings),
        Source("open_interest_total", "metric", "open_interest", total, settings),
    )
    if metric.is_empty():
        words = (context.absence("open interest", "open_interest"),)
        return Section("open-interest", "Open interest", words, sources=sources)
    words = (
        f"Values at the end of each {period(seconds)}; a market keeps its last value until it "
        "speaks again. Drawdown is the distance from the highest total so far. Where the basis is "
        "delta the venue only announces changes, and what was open before the first covered block "
        "is missing.",
    )
    charts = _charts(context, total, sources[0])
    tables = (_markets(context, sources[0]),)
    return Section("open-interest", "Open interest", words, charts, tables, sources)


def _markets(context: Context, source: Source) -> Table:
    rows, keys = _by_market(context, source.frame), _MARKET_KEYS
    return table("Open interest by market", rows, _COLUMNS, rows=25, source=source, keys=keys)


def with_drawdown(total: pl.DataFrame) -> pl.DataFrame:
    """
    Return a series of open interest with its fall from the highest value so far.

    Args:
        total: bucket_at and open_interest_total_usd, sorted by time.

    Returns:
        The same rows with drawdown_ratio (Float64, 0 at a peak, -0.25 = 25 % below it; null before
        anything was open).
    """
    value = pl.col("open_interest_total_usd").cast(pl.Float64)
    peak = value.cum_max().forward_fill()
    return total.with_columns(drawdown_ratio=pl.when(peak > 0).then(value / peak - 1))


def _charts(context: Context, total: pl.DataFrame, source: Source) -> tuple[Chart, ...]:
    rows = total.rename({"bucket_at": "at"})
    # What is open stays open until the end, also where the last event is long before it.
    rows = pl.concat([rows, rows.tail(1).with_columns(at=pl.lit(context.canvas.last))])
    colors = {"long": LONG, "short": SHORT}
    sides = Drawing("open_interest", "Open interest", "open", "USD", colors, source)
    falls = Drawing(
        "drawdown",
        "Open interest of all markets below its highest value so far",
        "drawdown",
        "%",
        {"all markets": SHORT},
        source,
    )
    held, fallen = long_rows(rows, _SIDES), long_rows(rows, {"drawdown_ratio": "all markets"})
    drawn = [areas(context.canvas, sides, held)] if held.height else []
    return (*drawn, *([lines(context.canvas, falls, fallen)] if fallen.height else []))


def _by_market(context: Context, metric: pl.DataFrame) -> pl.DataFrame:
    value, moment = pl.col("open_interest_total_usd"), pl.col("bucket_at")
    falls = (value.cast(pl.Float64) / value.cast(pl.Float64).cum_max() - 1).fill_nan(None)
    markets = (
        metric.sort(*_MARKET, "bucket_at")
        .group_by(_MARKET, maintain_order=True)
        .agg(
            basis=pl.col("basis").last(),
            peak_usd=value.max(),
            peak_at=moment.sort_by(
                value, moment, descending=[True, False], nulls_last=True
            ).first(),
            final_usd=value.last(),
            final_skew_usd=pl.col("open_interest_skew_usd").last(),
            worst_drawdown_ratio=falls.min(),
        )
    )
    order = ["peak_usd", *_MARKET]
    ranked = markets.sort(order, descending=[True, *[False] * 4], nulls_last=True)
    return context.named(ranked).with_columns(
        peak_at=pl.when(pl.col("peak_usd").is_not_null()).then(pl.col("peak_at"))
    )
