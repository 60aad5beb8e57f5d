"""Oracles: how far sources of one asset were apart, and how old their prices were."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from analytics.reports.charts import Drawing, colored, lines
from analytics.reports.context import Context, by_period
from analytics.reports.event import Event, event
from analytics.reports.numerals import clock, period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.scope import Scope
from analytics.reports.sections import oracle_use
from analytics.reports.sections.listed import answers, paired

_PAIR = ["asset", "quote", "chain_id", "protocol", "feed"]
_PAIR += ["reference_chain_id", "reference_protocol", "reference_feed"]
_PAIRS = (
    *("asset", "chain_id", "protocol", "feed", "reference_protocol", "reference_feed"),
    *("comparison_count", "worst_deviation_bps", "worst_at", "longest_staleness_seconds"),
)
_UPDATES = (
    *("worst_at", "asset", "protocol", "reference_protocol", "worst_price_quote"),
    *("worst_reference_price_quote", "worst_deviation_bps", "tx_hash"),
)
_HEADERS = {
    "worst_price_quote": "price",
    "worst_reference_price_quote": "reference price",
    "worst_deviation_bps": "worst, bps",
    "comparison_count": "comparisons",
    "worst_at": "worst at, UTC",
}
_READ = (
    "Each update is compared with the latest price of every other source of the same asset and "
    "quote that is at most an hour old. An oracle may differ by its own deviation threshold by "
    "design. The sign, and a little of the size, depend on which of the two is the reference. "
    "Staleness is the age of the price compared with. Every update is compared; of each period the "
    "worst is kept."
)
_USED = (
    "Time and area count how long both prices stood apart while both were fresh, so a wick of a "
    "second weighs a second. The mean's interval is that of blocks of neighbouring samples, wider "
    "than if each sample were news; none is told where the deviation moves too slowly for the time "
    "that is compared. A wick is how far an hour's extreme was from its last price. A liquidation "
    "is off to its disadvantage where the venue's price was lower than the other for a long, or "
    "higher for a short; who was right it does not say."
)
_LINES = 6
_WORST = 10


def oracles(context: Context) -> Section:
    """Return the section about oracle deviation and staleness."""
    scope = context.scope
    settings = {"bucket_seconds": scope.extreme_seconds}
    name = "oracle_deviation_extremes"
    source = Source(name, "metric", name, scope.extremes, settings, with_past=True)
    found = event(context)
    between = None if found is None else found.around
    wanted = (*oracle_use.FEEDS, *oracle_use.EXITS)
    used, shown = answers(context, *(replace(each, between=between) for each in wanted))
    if source.frame.is_empty():
        told = (_silence(context),)
        return Section("oracles", "Oracles", told, tables=shown, sources=(source, *used))
    return Section(
        "oracles",
        "Oracles",
        (_READ, f"{_USED} All of this is {_looked_at(found)}."),
        charts=_charts(context, source),
        tables=(*_tables(scope, source), *shown),
        sources=(source, *used),
    )


def _looked_at(found: Event | None) -> str:
    if found is None:
        return "of all the time the report covers"
    first, last = found.around
    return f"of the event and around it, {clock(first)} to {clock(last)}"


def _silence(context: Context) -> str:
    updates = context.scope.facts("oracle_updates").select(pl.len()).collect().item()
    if not updates:
        return context.absence("oracle updates", "oracle_updates")
    return (
        f"{updates:,} oracle updates, but no asset with two sources at most an hour apart: "
        "nothing to compare, so deviation is not known."
    )


def _pairs(extremes: pl.DataFrame) -> pl.DataFrame:
    return (
        _worst_first(extremes)
        .group_by(_PAIR, maintain_order=True)
        .agg(
            pl.col("comparison_count").sum(),
            pl.col("worst_deviation_bps", "worst_at").first(),
            pl.col("longest_staleness_seconds").max(),
        )
    )


def _worst_first(extremes: pl.DataFrame) -> pl.DataFrame:
    order = [pl.col("worst_deviation_bps").abs(), *map(pl.col, (*_PAIR, "bucket_at"))]
    down = [True, *[False] * (len(_PAIR) + 1)]
    return extremes.sort(order, descending=down, nulls_last=True)


def _charts(context: Context, source: Source) -> tuple[Chart, ...]:
    extremes, seconds = source.frame, context.scope.period_seconds
    asset = pl.concat_str("asset", pl.lit("/"), "quote")
    size = pl.col("worst_deviation_bps").abs()
    ranked = extremes.group_by(series=asset).agg(value=size.max()).drop_nulls()
    ranked = ranked.sort("value", "series", descending=[True, False]).head(_LINES)
    rows = (
        by_period(extremes.lazy().rename({"worst_at": "block_timestamp"}), seconds)
        .group_by("at", series=asset)
        .agg(value=size.max())
        .drop_nulls("value")
        .join(ranked.lazy().select("series"), on="series", how="semi")
        .sort("at", "series")
        .collect()
    )
    title = f"Largest oracle deviation per {period(seconds)}, by asset"
    colors = colored(ranked["series"].to_list())
    drawing = Drawing("oracle_deviation", title, "largest deviation", "bps", colors, source)
    lasting = timedelta(seconds=seconds)
    return (lines(context.canvas, drawing, rows, lasting=lasting),) if rows.height else ()


def _tables(scope: Scope, source: Source) -> tuple[Table, ...]:
    worst = _worst_first(source.frame).drop_nulls("worst_deviation_bps").head(_WORST)
    hashes = [scope.transaction(row) for row in worst.iter_rows(named=True)]
    worst = worst.with_columns(tx_hash=pl.Series(hashes, dtype=pl.String))
    wanted = (
        ("Pairs of sources, worst first", _pairs(source.frame), _PAIRS, _PAIRS[:6]),
        (f"Worst update of each {period(scope.extreme_seconds)}", worst, _UPDATES, ()),
    )
    return tuple(
        table(
            caption,
            paired(frame),
            columns,
            rows=15,
            headers=_HEADERS,
            source=source,
            keys=keys,
        )
        for caption, frame, columns, keys in wanted
        if frame.height
    )
