"""Fees: what users paid, and who received it."""

from collections.abc import Iterator

import polars as pl

from analytics.expressions import known_total, ratio
from analytics.reports.charts import BLUE, ORANGE, SKY, Drawing, bars
from analytics.reports.context import Context, by_period, long_rows
from analytics.reports.numerals import period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.scope import Scope, Span
from analytics.reports.sections.listed import Shown, ranked
from analytics.reports.sections.valued import valued
from analytics.reports.times import day_count, named_days, whole_days

_PARTS = {
    "supply_side_usd": ("supply side (LPs, lenders)", SKY),
    "treasury_usd": ("treasury", BLUE),
    "holders_usd": ("token holders", ORANGE),
    "unsplit_usd": ("split not known", "#bbbbbb"),
}
_SPLITS = {"Fees by protocol": ("protocol",), "Fees by kind": ("protocol", "fee_kind")}
_METRICS = (
    *("fees", "supply_side", "protocol_revenue", "treasury_revenue", "holders_revenue"),
    *("take_rate", "fees_by_kind"),
)
_ANNUAL = (
    *("protocol", "date", "fees_usd", "revenue_usd", "holders_usd"),
    *("fees_annual_usd", "revenue_annual_usd", "holders_annual_usd"),
)


_VALUED = Shown(
    *("fees_valued", "Fees with those told in tokens at the price of their moment, by day"),
    (
        *("date", "chain_id", "protocol", "market", "fee_kind", "fees_usd", "told_usd"),
        *("valued_usd", "valued_count", "unpriced_count"),
    ),
    keys=("date", "chain_id", "protocol", "market", "fee_kind"),
    largest_first="valued_usd",
    rows=10,
    headers={"told_usd": "told in dollars", "valued_usd": "valued, USD"},
)
_NO_DAY = "The time of the report has no whole UTC day, so nothing is told as a year."


def income(context: Context) -> Section:
    """Return the section about fees and their split."""
    frames = dict(zip(_METRICS, context.scope.metrics(_METRICS), strict=True))
    sources = tuple(Source(name, "metric", name, frame) for name, frame in frames.items())
    if frames["fees"].is_empty():
        words = (context.absence("fees", "fees"),)
        return Section("income", "Income", words, sources=sources)
    days, flows, charged = whole_days(context.scope), _flows(context), sources[0]
    yearly = () if days is None else (_as_a_year(context.scope, days),)
    settings = {"period_seconds": context.bar_seconds}
    worth, told = valued(context, _VALUED)
    rests = Source("fee_split", "query", "fee_split", context.scope.query("fee_split"))
    return Section(
        "income",
        "Income",
        (
            "Fees are everything users paid. Fees = supply side + revenue; revenue = treasury + "
            "token holders, as the venue's events or its stated policy split them.",
            *(() if yearly else (_NO_DAY,)),
        ),
        charts=_charts(context, flows, charged),
        tables=(*_tables(frames, charged), _basis(rests), *told, *yearly),
        sources=(
            *sources,
            rests,
            *worth,
            *(each.source for each in yearly if each.source),
            Source("fees_by_period", "facts", "fees", flows, settings),
        ),
    )


def _tables(frames: dict[str, pl.DataFrame], charged: Source) -> Iterator[Table]:
    for caption, keys in _SPLITS.items():
        yield table(caption, _split(frames, *keys), source=charged, keys=keys)


def _basis(source: Source) -> Table:
    columns = ("fee_count", "split_by_event_count", "split_by_policy_count", "unsplit_count")
    told = source.frame.group_by("protocol").agg(pl.col(columns).sum()).sort("protocol")
    return table("What the split of fees rests on", told, source=source, keys=("protocol",))


def _as_a_year(scope: Scope, days: Span) -> Table:
    settings = {"window_days": day_count(days)}
    frame = scope.metric("run_rate", between=days, window_days=day_count(days))
    yearly = Source("run_rate", "metric", "run_rate", frame, settings, between=days)
    last = frame.filter(pl.col("date") == pl.col("date").max().over("protocol"))
    caption = f"As a year, from {named_days(days)}"
    return table(caption, last, _ANNUAL, source=yearly, keys=("protocol",))


def _flows(context: Context) -> pl.DataFrame:
    facts = by_period(context.scope.facts("fees"), context.bar_seconds)
    parts = [pl.col(name) for name in _PARTS if name != "unsplit_usd"]
    is_unsplit = pl.any_horizontal(part.is_null() for part in parts)
    rest = pl.col("fee_usd") - pl.sum_horizontal(part.fill_null(0) for part in parts)
    return (
        facts.with_columns(unsplit_usd=pl.when(is_unsplit).then(rest))
        .group_by("at")
        .agg(known_total(pl.col(name)).alias(name) for name in ("fee_usd", *_PARTS))
        .sort("at")
        .collect()
    )


def _charts(context: Context, flows: pl.DataFrame, source: Source) -> tuple[Chart, ...]:
    rows = long_rows(flows, {column: name for column, (name, _) in _PARTS.items()})
    rows = rows.filter(pl.col("value") != 0)
    colors = {name: color for name, color in _PARTS.values() if name in set(rows["series"])}
    title = f"Fees per {period(context.bar_seconds)}, by who receives them"
    drawing = Drawing("income", title, "fees", "USD", colors, source)
    return (bars(context.canvas, drawing, rows, context.bar_seconds),) if rows.height else ()


def _split(frames: dict[str, pl.DataFrame], *keys: str) -> pl.DataFrame:
    def summed(metric: str, *columns: str) -> pl.DataFrame:
        sums = [known_total(pl.col(name)).alias(name) for name in columns]
        counts = [pl.col(name).sum() for name in frames[metric].columns if name.endswith("_count")]
        return frames[metric].group_by(keys).agg(*sums, *counts)

    revenue, supply = pl.col("revenue_usd"), pl.col("supply_side_usd")
    unknown = {"unsplit_count": "unknown_count"}  # fewer: the rest of a fee may be revenue
    rate = pl.when(pl.col("unknown_count") == 0).then(ratio(revenue, supply + revenue))
    split = (
        summed("fees", "fees_usd")
        .join(summed("supply_side", "supply_side_usd").drop("unsplit_count"), on=keys)
        .join(summed("protocol_revenue", "revenue_usd", "treasury_usd").rename(unknown), on=keys)
        .join(summed("holders_revenue", "holders_usd"), on=keys)
    )
    told = split.with_columns(take_rate=rate).select(
        *(*keys, "fees_usd", "supply_side_usd", "revenue_usd", "treasury_usd"),
        *("holders_usd", "take_rate", "fee_count", "unpriced_count", "unsplit_count"),
    )
    return ranked(told, pl.col("fees_usd"), keys)
