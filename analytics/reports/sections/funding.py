"""Funding: the rates, what was paid, what holding has cost, and where shorts pay."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from analytics.expressions import known_total, ratio
from analytics.reports.chain_names import chain_name
from analytics.reports.charts import Drawing, colored, lines
from analytics.reports.context import Context
from analytics.reports.numerals import counted, period
from analytics.reports.parts import Chart, Section, Source
from analytics.reports.sections.listed import Shown, answers, ranked

_MARKET_VERSION = ("chain_id", "protocol", "version", "market")
_MARKET = ("chain_id", "protocol", "market")
_SERIES = (*_MARKET_VERSION, "collateral_token", "is_long", "basis")
_SIDE = (*_MARKET, "collateral_token", "is_long", "basis")
# Where a venue has one rate for all of them.
_ONE = {"collateral_token": "any", "is_long": "both"}
_LINES = 6


def funding(context: Context) -> Section:
    """Return the section about funding rates, payments and carry."""
    seconds = context.scope.period_seconds
    settings = {"bucket_seconds": seconds}
    told, tables = answers(context, *(replace(each, settings=settings) for each in _WANTED))
    said = (
        "Above zero the side named pays, and longs where none is named; below zero it is paid. An "
        "announced rate holds until the next one, an index gives the mean since its last reading "
        "and is drawn over that time. Payments are booked when an account settles, which may be "
        "long after they accrued. Carry is what holding has cost since the first rate, simple "
        "interest."
    )
    words = (said, *_below_zero(told[0].frame))
    if not tables:
        words = (context.absence("funding rates or payments", "funding"),)
    charts = _charts(context, told[0], seconds)
    return Section("funding", "Funding", words, charts, tables, told)


def _below_zero(metric: pl.DataFrame) -> tuple[str, ...]:
    known = metric["funding_rate_8h"].drop_nulls()
    if known.is_empty():
        return ("No rate is told, only payments.",)
    below = int((known < 0).sum())
    return (f"Below zero: {below:,} of {counted(known.len(), 'rate')} told.",)


def _ranges(metric: pl.DataFrame) -> pl.DataFrame:
    rate = pl.col("funding_rate_8h")
    known = metric.filter(rate.is_not_null()).sort("bucket_at")
    ranges = known.group_by(_SERIES).agg(
        lowest_8h=rate.min(),
        highest_8h=rate.max(),
        last_8h=rate.last(),
        rate_count=pl.len().cast(pl.Int64),
        below=(rate < 0).sum(),
    )
    largest = pl.max_horizontal(pl.col("lowest_8h").abs(), pl.col("highest_8h").abs())
    told = ranges.with_columns(negative_ratio=ratio(pl.col("below"), pl.col("rate_count")))
    return ranked(told, largest, _SERIES)


def _paid(metric: pl.DataFrame) -> pl.DataFrame:
    sums = ("paid_usd", "received_usd", "net_paid_usd", "settlement_count", "unknown_count")
    totals = metric.group_by(_MARKET_VERSION).agg(known_total(pl.col(sums)))
    return ranked(totals, pl.col("paid_usd"), _MARKET_VERSION)


def _last_carry(metric: pl.DataFrame) -> pl.DataFrame:
    last = (
        metric.sort("bucket_at")
        .group_by(_SERIES)
        .agg(pl.col("since_at", "until_at", "carry_ratio").last())
    )
    return ranked(last, pl.col("carry_ratio").abs(), _SERIES)


_WANTED = (
    Shown(
        *("funding_rate_8h", "Funding rates by market, largest first"),
        (*_SIDE, "lowest_8h", "highest_8h", "last_8h", "negative_ratio", "rate_count"),
        keys=_SIDE,
        with_past=True,
        summed=_ranges,
        nothing=_ONE,
        headers={
            "negative_ratio": "readings below zero",
            "lowest_8h": "lowest per 8 h",
            "highest_8h": "highest per 8 h",
            "last_8h": "last per 8 h",
        },
    ),
    Shown(
        *("funding_paid", "Funding paid and received by market"),
        (
            *(*_MARKET, "paid_usd", "received_usd", "net_paid_usd", "settlement_count"),
            *("unknown_count",),
        ),
        keys=_MARKET,
        summed=_paid,
        headers={"unknown_count": "of unknown amount"},
    ),
    Shown(
        *("funding_carry", "Cost of holding since the first rate, of the notional"),
        (*_SIDE, "since_at", "until_at", "carry_ratio"),
        keys=_SIDE,
        with_past=True,
        summed=_last_carry,
        nothing=_ONE,
    ),
)


def _charts(context: Context, source: Source, seconds: int) -> tuple[Chart, ...]:
    rate = pl.col("funding_rate_8h")
    known = source.frame.filter(rate.is_not_null())
    if known.is_empty():
        return ()
    named = _labelled(context, _in_force(source.frame, context.canvas.first))
    values = named.group_by("at", "series").agg(value=rate.sort_by(rate.abs()).last())
    size = values.group_by("series").agg(pl.col("value").abs().max()).drop_nulls()
    largest = size.sort("value", "series", descending=[True, False])["series"].head(_LINES)
    rows = values.filter(pl.col("series").is_in(largest.to_list())).sort("at", "series")
    below = known.group_by(at="bucket_at").agg(value=(rate < 0).sum() / pl.len())
    drawings = _drawings(source, largest.to_list(), period(seconds))
    shares = below.select("at", pl.lit("all markets").alias("series"), "value").sort("at")
    # A rate stands until the next, a share is of its period.
    parts = ((rows, timedelta(0)), (shares, timedelta(seconds=seconds)))
    return tuple(
        lines(context.canvas, drawing, values, lasting=lasting)
        for drawing, (values, lasting) in zip(drawings, parts, strict=True)
        if (values["value"] != 0).any()
    )


def _in_force(rates: pl.DataFrame, first: datetime) -> pl.DataFrame:
    """Return rates `at` the moment from which they are: an index tells one of the time before."""
    rate, is_index = pl.col("funding_rate_8h"), pl.col("basis") == "index"
    ordered = rates.sort(*_SERIES, "bucket_at", nulls_last=True).with_columns(at="bucket_at")
    following = pl.when(is_index).then(rate.shift(-1).over(_SERIES)).otherwise(rate)
    begun = ordered.filter(is_index).group_by(_SERIES, maintain_order=True).head(1)
    earlier = begun.filter(pl.col("at") > first, rate.is_not_null())
    return pl.concat(
        [
            earlier.select(ordered.columns).with_columns(at=pl.lit(first)),
            ordered.with_columns(funding_rate_8h=following),
        ]
    )


def _labelled(context: Context, known: pl.DataFrame) -> pl.DataFrame:
    """Return rates with their `series`: the market, and what tells it apart where that does not."""
    named = context.with_symbol(context.named(known), "collateral_token").with_columns(
        chain=pl.col("chain_id").map_elements(chain_name, return_dtype=pl.String)
    )
    side = pl.when("is_long").then(pl.lit(" long")).when(~pl.col("is_long")).then(pl.lit(" short"))
    apart = (
        pl.when(pl.col(name).n_unique().over("protocol", "market", "is_long") > 1)
        .then(pl.lit(" ") + pl.col(name))
        .fill_null("")
        for name in ("chain", "symbol")
    )
    words = (side.otherwise(pl.lit("")), *apart)
    return named.with_columns(series=pl.concat_str("protocol", pl.lit(" "), "market", *words))


def _drawings(source: Source, largest: list[str], each: str) -> tuple[Drawing, ...]:
    return (
        Drawing(
            "funding_rate",
            "Funding per 8 hours, largest markets",
            "rate per 8 h",
            "%",
            colored(largest),
            source,
        ),
        Drawing(
            "funding_below_zero",
            f"Share of rates told in each {each} that are below zero",
            "below zero",
            "%",
            colored(["all markets"]),
            source,
        ),
    )
