"""Oracles: how far sources of one asset were apart, and how old their prices were."""

from dataclasses import replace

import polars as pl

from analytics.reports.charts import Drawing, colored, lines
from analytics.reports.context import Context, by_period
from analytics.reports.event import Event, event
from analytics.reports.numerals import clock, period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.sections import oracle_use
from analytics.reports.sections.listed import answers

_PAIR = ["asset", "quote", "chain_id", "protocol", "feed"]
_PAIR += ["reference_chain_id", "reference_protocol", "reference_feed"]
_PAIRS = (
    *("asset", "chain_id", "protocol", "feed", "reference_protocol", "reference_feed"),
    *("comparison_count", "median_absolute_bps", "worst_bps", "worst_at"),
    *("median_staleness_seconds", "longest_staleness_seconds"),
)
_UPDATES = (
    *("block_timestamp", "asset", "protocol", "reference_protocol", "oracle_price_quote"),
    *("reference_price_quote", "deviation_bps", "staleness_seconds", "tx_hash"),
)
_HEADERS = {
    "oracle_price_quote": "price",
    "reference_price_quote": "reference price",
    "comparison_count": "comparisons",
    "worst_at": "worst at, UTC",
}
_READ = (
    "Each update is compared with the latest price of every other source of the same asset and "
    "quote that is at most an hour old. An oracle may differ by its own deviation threshold by "
    "design. The sign, and a little of the size, depend on which of the two is the reference. "
    "Staleness is the age of the price compared with."
)
_USED = (
    "Time and area count how long both prices stood apart while both were fresh, so a wick of a "
    "second weighs a second. A wick is how far an hour's extreme was from its last price. A "
    "liquidation is off to its disadvantage where the venue's price was lower than the other for a "
    "long, or higher for a short; who was right it does not say."
)
_LINES = 6
_TOLERANCE = {"tolerance_seconds": 3600}


def oracles(context: Context) -> Section:
    """Return the section about oracle deviation and staleness."""
    compared = context.scope.metric("oracle_deviation", with_past=True)
    pairs = _pairs(compared)
    found = event(context)
    between = None if found is None else found.around
    wanted = (*oracle_use.FEEDS, *oracle_use.EXITS)
    used, shown = answers(context, *(replace(each, between=between) for each in wanted))
    sources = (
        Source("oracle_deviation", "metric", "oracle_deviation", compared, _TOLERANCE),
        Source("oracle_pairs", "metric", "oracle_deviation", pairs, _TOLERANCE),
    )
    if compared.is_empty():
        told = (_silence(context),)
        return Section("oracles", "Oracles", told, tables=shown, sources=(*sources, *used))
    return Section(
        "oracles",
        "Oracles",
        (_READ, f"{_USED} All of this is {_looked_at(found)}."),
        charts=_charts(context, sources[0]),
        tables=(*_tables(*sources), *shown),
        sources=(*sources, *used),
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


def _pairs(compared: pl.DataFrame) -> pl.DataFrame:
    size, age = pl.col("deviation_bps").abs(), pl.col("staleness_seconds")
    worst = pl.col("deviation_bps").sort_by(size, descending=True, nulls_last=True).first()
    at = pl.col("block_timestamp").sort_by(size, descending=True, nulls_last=True).first()
    return (
        compared.group_by(_PAIR, maintain_order=True)
        .agg(
            comparison_count=pl.len().cast(pl.Int64),
            median_absolute_bps=size.median(),
            worst_bps=worst,
            worst_at=at,
            median_staleness_seconds=age.median(),
            longest_staleness_seconds=age.max(),
        )
        .sort(
            pl.col("worst_bps").abs(),
            *_PAIR,
            descending=[True, *[False] * len(_PAIR)],
            nulls_last=True,
        )
    )


def _charts(context: Context, source: Source) -> tuple[Chart, ...]:
    compared, seconds = source.frame, context.scope.period_seconds
    asset = pl.concat_str("asset", pl.lit("/"), "quote")
    size = pl.col("deviation_bps").abs()
    ranked = compared.group_by(series=asset).agg(size.max()).drop_nulls()
    ranked = ranked.sort("deviation_bps", "series", descending=[True, False]).head(_LINES)
    rows = (
        by_period(compared.lazy(), seconds)
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
    is_drawn = rows.height > 0
    return (lines(context.canvas, drawing, rows, interpolate="linear"),) if is_drawn else ()


def _tables(compared: Source, pairs: Source) -> tuple[Table, ...]:
    size = pl.col("deviation_bps").abs()
    worst = compared.frame.sort(size, descending=True, maintain_order=True, nulls_last=True)
    wanted = (
        ("Pairs of sources, worst first", pairs.frame, _PAIRS, compared, _PAIRS[:6]),
        ("Worst single updates", worst.head(10), _UPDATES, compared, ()),
    )
    return tuple(
        table(
            caption,
            _priced(frame),
            columns,
            rows=15,
            headers=_HEADERS,
            source=source,
            keys=keys,
        )
        for caption, frame, columns, source, keys in wanted
        if frame.height
    )


def _priced(rows: pl.DataFrame) -> pl.DataFrame:
    pair = pl.concat_str("asset", pl.lit("/"), "quote")
    return rows.with_columns(asset=pair, asset_id="asset")
