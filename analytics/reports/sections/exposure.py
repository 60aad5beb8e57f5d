"""Open interest: how much is open on each side, and how far it fell from its peak."""

from dataclasses import replace

import polars as pl

from analytics.expressions import held, known_total, whole_total
from analytics.reports.charts import BLACK, LONG, SHORT, Drawing, areas, lines
from analytics.reports.context import Context, long_rows
from analytics.reports.numerals import period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.scope import Scope
from analytics.reports.sections.listed import Shown, answers, ranked

_MARKET = ["chain_id", "protocol", "version", "market"]
_MARKET_KEYS = ("chain_id", "protocol", "market")
_COLUMNS = (
    *(*_MARKET, "basis", "peak_usd", "peak_at", "final_usd", "final_skew_usd"),
    "worst_drawdown_ratio",
)
_CLOSED = tuple(f"closed_by_{cause}_usd" for cause in ("trade", "liquidation", "adl", "other"))
_MOVED = ("open_interest_change_usd", "opened_usd", *_CLOSED)
_SIDES = {"open_interest_long_usd": "long", "open_interest_short_usd": "short"}


def exposure(context: Context) -> Section:
    """Return the section about open interest and its drawdown."""
    seconds = context.scope.period_seconds
    settings = {"bucket_seconds": seconds}
    metric = context.scope.metric("open_interest", with_past=True, bucket_seconds=seconds)
    whole = context.scope.metric("open_interest_total", with_past=True, bucket_seconds=seconds)
    total = with_drawdown(whole)
    sources = (
        Source("open_interest", "metric", "open_interest", metric, settings, with_past=True),
        Source(
            "open_interest_total", "metric", "open_interest_total", total, settings, with_past=True
        ),
    )
    if metric.is_empty():
        absent = (context.absence("open interest", "open_interest"),)
        return Section("open-interest", "Open interest", absent, sources=sources)
    words = (
        f"Values at the end of each {period(seconds)}; a market keeps its last value until it "
        "speaks again. Drawdown is the distance from the highest total so far. Where the basis is "
        "delta the venue only announces changes, and what was open before the first covered block "
        "is missing.",
        "Dollars mix size with price: a fall in base units is positions closed, a fall in dollars "
        "alone is the price. What was opened and closed explains the change of open interest but "
        "for the rest shown; and the sum of all position changes is held against what the venue "
        "says is open, the difference being the error.",
    )
    charts = _charts(context, total, sources[1])
    checked, tables = answers(context, *(replace(each, settings=settings) for each in _CHECKS))
    shown = (_markets(context, sources[0]), *tables)
    return Section("open-interest", "Open interest", words, charts, shown, (*sources, *checked))


def _worst_falls(metric: pl.DataFrame) -> pl.DataFrame:
    fall = pl.col("drawdown_usd_ratio")
    ordered = metric.sort(fall, "bucket_at", nulls_last=True)
    # The worst fall in base units may be another one than that in dollars.
    tokens = ("peak_tokens", "lowest_tokens", "drawdown_tokens_ratio")
    by_tokens = pl.col(tokens).sort_by("drawdown_tokens_ratio", "bucket_at", nulls_last=True)
    falls = ordered.group_by(_MARKET_KEYS, maintain_order=True)
    worst = falls.agg(pl.exclude(tokens).first(), by_tokens.first())
    everything = pl.col("market").fill_null("all markets")
    return worst.sort(fall, *_MARKET_KEYS, nulls_last=True).with_columns(market=everything)


def _by_cause(metric: pl.DataFrame) -> pl.DataFrame:
    known = [known_total(pl.col(name)) for name in _MOVED[1:]]
    whole = [whole_total(pl.col(name)) for name in (_MOVED[0], "unexplained_usd")]
    sums = metric.group_by(_MARKET_KEYS).agg(*known, *whole, known_total(pl.col("unknown_count")))
    return ranked(sums, pl.sum_horizontal(_CLOSED), _MARKET_KEYS)


def _largest_errors(metric: pl.DataFrame) -> pl.DataFrame:
    errors = ranked(metric, pl.col("error_usd").abs(), (*_MARKET_KEYS, "bucket_at"))
    return errors.group_by(_MARKET_KEYS, maintain_order=True).first()


_UNITS = ("usd", "tokens")
_FALLEN = [f"{name}_{unit}" for unit in _UNITS for name in ("peak", "lowest")]
_CHECKS = (
    Shown(
        *("open_interest_drawdown", "Worst fall of open interest, in dollars and base units"),
        (
            *(*_MARKET_KEYS, *_FALLEN[:2], "drawdown_usd_ratio", *_FALLEN[2:]),
            *("drawdown_tokens_ratio",),
        ),
        keys=_MARKET_KEYS,
        with_past=True,
        summed=_worst_falls,
    ),
    Shown(
        *("open_interest_against_closed", "Change of open interest against what was closed"),
        (*_MARKET_KEYS, *_MOVED, "unexplained_usd", "unknown_count"),
        keys=_MARKET_KEYS,
        with_past=True,
        summed=_by_cause,
        headers={"unknown_count": "changes without notional"},
    ),
    Shown(
        *("open_interest_reconciliation", "Positions summed against what the venue says"),
        (
            *(
                *_MARKET_KEYS,
                "bucket_at",
                "events_usd",
                "state_usd",
                "error_usd",
                "error_usd_bps",
            ),
            *("events_tokens", "state_tokens", "error_tokens"),
        ),
        keys=_MARKET_KEYS,
        with_past=True,
        summed=_largest_errors,
        headers={"bucket_at": "largest error in period from, UTC"},
    ),
)


def ask(scope: Scope) -> None:
    """Compute what this section and the cards show, together: most of it is shared."""
    names = ("open_interest", "open_interest_total", *(each.metric for each in _CHECKS))
    if scope.has("open_interest"):
        scope.metrics(names, with_past=True, bucket_seconds=scope.period_seconds)


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
        anything was open, and where less than nothing is).
    """
    value = held(pl.col("open_interest_total_usd")).cast(pl.Float64)
    peak = value.cum_max().forward_fill()
    return total.with_columns(drawdown_ratio=pl.when(peak > 0).then(value / peak - 1))


def _charts(context: Context, total: pl.DataFrame, source: Source) -> tuple[Chart, ...]:
    rows = total.rename({"bucket_at": "at"})
    # What is open stays open until the end, also where the last event is long before it.
    rows = pl.concat([rows, rows.tail(1).with_columns(at=pl.lit(context.canvas.last))])
    colors = {"long": LONG, "short": SHORT}
    is_whole = not total["unknown_market_count"].tail(1).sum()
    title = "Open interest" if is_whole else "Open interest, of what is known"
    sides = Drawing("open_interest", title, "open", "USD", colors, source)
    falls = Drawing(
        "drawdown",
        "Open interest of all markets below its highest value so far",
        "drawdown",
        "%",
        {"all markets": BLACK},
        source,
    )
    held = long_rows(rows, _SIDES)
    fallen = rows.select("at", pl.lit("all markets").alias("series"), value="drawdown_ratio")
    drawn = [areas(context.canvas, sides, held)] if held.height else []
    is_known = fallen["value"].is_not_null().any()
    return (*drawn, *([lines(context.canvas, falls, fallen)] if is_known else []))


def _by_market(context: Context, metric: pl.DataFrame) -> pl.DataFrame:
    total, moment = pl.col("open_interest_total_usd"), pl.col("bucket_at")
    fall = (total.cast(pl.Float64) / total.cast(pl.Float64).cum_max() - 1).fill_nan(None)
    falls = pl.when(total.min() >= 0).then(fall)
    value = held(total)
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
    return context.named(ranked(markets, pl.col("peak_usd"), _MARKET)).with_columns(
        peak_at=pl.when(pl.col("peak_usd").is_not_null()).then(pl.col("peak_at"))
    )
