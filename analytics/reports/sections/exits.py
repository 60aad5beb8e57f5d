"""Liquidations and ADLs: when, how much, whose, and what was left unpaid."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from analytics.expressions import INSTANT, known_total, ratio
from analytics.reports.charts import (
    DELEVERAGED,
    LIQUIDATED,
    LONG,
    SHORT,
    UNKNOWN_SIDE,
    Canvas,
    Drawing,
    bars,
)
from analytics.reports.context import Context, by_period, long_rows
from analytics.reports.event import Event, event
from analytics.reports.numerals import clock, percent, period, short_dollars
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.sections.exit_shape import SHAPE, in_event
from analytics.reports.sections.listed import answers, ranked

_HOUR = 3600
_SIDES = {"long": LONG, "short": SHORT, "side not known": UNKNOWN_SIDE}
_FACT = ("block_timestamp", "chain_id", "protocol", "market", "account", "is_long")
_LIQUIDATED = (*_FACT, "notional_usd", "mark_price_usd", "shortfall_usd", "tx_hash")
_CUT = (*_FACT, "notional_usd", "execution_price_usd", "realized_pnl_usd", "tx_hash")
_ACCOUNT = ("account", "chain_id", "protocol", "liquidation_count", "notional_usd")
_ACCOUNT_REST = ("collateral_usd", "realized_pnl_usd", "shortfall_usd")
_KEYS = {"liquidation_velocity": ("protocol",), "shortfall_by_venue": ("chain_id", "protocol")}
_RESULT = (
    *("account", "chain_id", "protocol", "realized_pnl_usd", "liquidation_pnl_usd"),
    *("adl_pnl_usd", "closing_count", "unknown_count"),
)
_QUEUE = (
    "Who stood where in the queue, what a queue or a pro rata cut would have taken from each, and "
    "what winners and losers had left follow from the whole history of every position, which this "
    "report does not retell: `perpscope metric` with `adl_ranks`, `adl_allocation`, `adl_solvency` "
    "or `adl_deficits` does."
)
_VICTIM = ("account", "chain_id", "protocol", "adl_count", "notional_usd", "realized_pnl_usd")


def exits(context: Context) -> Section:
    """Return the section about liquidations, ADLs, and how both lie in time."""
    found = event(context)
    sources = {source.name: source for source in _sources(context, found)}
    shape, shown = answers(context, *in_event(found), *SHAPE)
    silent = tuple(
        context.absence(what, name)
        for name, what in (("liquidations", "liquidations"), ("adls", "ADLs"))
        if sources[name].frame.is_empty()
    )
    minutes = sources.get("worst_hour")
    return Section(
        "exits",
        "Liquidations and ADLs",
        (
            "Notional is one-sided: the position that was closed, not also who took it over. An "
            "ADL closes a profitable position and is never counted as a liquidation. A wave is a "
            "run without a silence of over 5 s; an ADL takes more than it needed where its haircut "
            "is above its budget (overshoot), and less where it is below (under-coverage).",
            *_peak(found, minutes),
            *(() if sources["adls"].frame.is_empty() else (_QUEUE,)),
            *silent,
        ),
        charts=(*_hourly(context, sources), *_zoom(context, minutes, found)),
        tables=(*shown, *_tables(context, sources)),
        sources=(*sources.values(), *shape),
    )


def _sources(context: Context, found: Event | None) -> tuple[Source, ...]:
    scope, settings = context.scope, {"bucket_seconds": _HOUR}
    queries = ("account_results", "liquidated_accounts", "adl_victims", "shortfall_by_venue")
    sources = [
        Source("liquidations", "metric", "liquidations", scope.metric("liquidations"), settings),
        Source("adls", "metric", "adls", scope.metric("adls"), settings),
        Source(
            *("liquidation_velocity", "metric", "liquidation_velocity"),
            _fastest(scope.metric("liquidation_velocity")),
            {"window_seconds": 60},
        ),
        *(Source(name, "query", name, scope.query(name)) for name in queries),
    ]
    if found is not None:
        last = found.end - INSTANT
        window = {"since": found.start.isoformat(), "until": last.isoformat()}
        minutes = scope.query("cascade_timeline", **window)
        sources.append(Source("worst_hour", "query", "cascade_timeline", minutes, window))
    return tuple(sources)


def _peak(found: Event | None, minutes: Source | None) -> tuple[str, ...]:
    if found is None or minutes is None:
        return ()
    known = [known_total(pl.col(f"{name}_usd")) for name in ("liquidated", "deleveraged")]
    counts = pl.col("liquidation_count", "adl_count").sum()
    sums = minutes.frame.group_by("bucket_at").agg(*known, counts)
    whole = pl.sum_horizontal("liquidated_usd", "deleveraged_usd")
    worst = sums.with_columns(whole=whole).sort("whole", "bucket_at", descending=[True, False])
    if worst.is_empty() or not worst["whole"][0]:
        return (found.words,)
    first = worst.row(0, named=True)
    parts = [
        f"{short_dollars(first[amount])} {words}"
        for amount, count, words in (
            ("liquidated_usd", "liquidation_count", "liquidated"),
            ("deleveraged_usd", "adl_count", "closed by ADL"),
        )
        if first[count]
    ]
    share = worst.select(ratio(pl.col("whole").max(), pl.col("whole").sum())).item()
    return (
        f"{found.words} Its worst minute began {clock(first['bucket_at'])}: {' and '.join(parts)}, "
        f"{percent(share)} of what the event is known to have closed by force.",
    )


def _hourly(context: Context, sources: Mapping[str, Source]) -> tuple[Chart, ...]:
    seconds = max(_HOUR, context.bar_seconds)
    each = period(seconds)
    titles = {
        "liquidations": f"Liquidated notional per {each}, by side",
        "adls": f"Notional closed by ADL per {each}, by side",
    }
    return tuple(
        bars(
            context.canvas,
            Drawing(name, title, "notional", "USD", _present(rows), sources[name]),
            rows,
            seconds,
        )
        for name, title in titles.items()
        if (rows := _by_side(context.scope.facts(name), seconds)).height
    )


def _by_side(facts: pl.LazyFrame, seconds: int) -> pl.DataFrame:
    is_long = pl.col("is_long")
    side = pl.when(is_long).then(pl.lit("long")).when(~is_long).then(pl.lit("short"))
    return (
        by_period(facts, seconds)
        .group_by("at", series=side.otherwise(pl.lit("side not known")))
        .agg(value=known_total(pl.col("notional_usd")))
        .drop_nulls("value")
        .sort("at", "series")
        .collect()
    )


def _present(rows: pl.DataFrame) -> dict[str, str]:
    return {name: color for name, color in _SIDES.items() if name in set(rows["series"])}


def _zoom(context: Context, source: Source | None, found: Event | None) -> tuple[Chart, ...]:
    if source is None or found is None:
        return ()
    series = {"liquidated_usd": "liquidated", "deleveraged_usd": "closed by ADL"}
    sums = source.frame.group_by("bucket_at").agg(known_total(pl.col(name)) for name in series)
    rows = long_rows(sums.rename({"bucket_at": "at"}), series)
    colors = {"liquidated": LIQUIDATED, "closed by ADL": DELEVERAGED}
    title = "The event minute by minute: liquidated, and closed by ADL"
    canvas = Canvas(context.stamp, found.start, found.end)
    drawing = Drawing("worst_hour", title, "notional", "USD", colors, source)
    if rows.is_empty():
        return ()
    drawn = bars(canvas, drawing, rows, 60)
    return (replace(drawn, traced=_minutes(context, found)),)


def _minutes(context: Context, found: Event) -> Source:
    since = context.scope.limits.since or found.start
    settings: dict[str, Any] = {"bucket_seconds": 60}
    span = max(found.start, since), found.end - INSTANT
    liquidations, adls = (
        Source(
            *(name, "metric", name),
            context.scope.metric(name, between=span, **settings),
            settings,
            span,
        )
        for name in ("liquidations", "adls")
    )
    return liquidations if liquidations.frame.height else adls


def _tables(context: Context, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    wanted = (
        ("What accounts realised, largest loss first", "account_results", _RESULT),
        ("Liquidated accounts, largest first", "liquidated_accounts", _ACCOUNT + _ACCOUNT_REST),
        ("Fastest 60 s from a liquidation on, by protocol", "liquidation_velocity", ()),
        ("Bad debt and insurance by venue", "shortfall_by_venue", ()),
        ("Accounts closed by ADL, largest first", "adl_victims", _VICTIM),
    )
    shown = [
        table(caption, rows, columns, rows=15, source=sources[name], keys=_KEYS.get(name, ()))
        for caption, name, columns in wanted
        if (rows := sources[name].frame).height
    ]
    events = (
        ("Largest liquidations", "liquidations", _LIQUIDATED),
        ("Largest ADLs", "adls", _CUT),
    )
    largest = (
        (caption, _largest(context, name), columns, sources[name])
        for caption, name, columns in events
        if sources[name].frame.height
    )
    return (
        *shown,
        *(
            table(caption, rows, _with_size(rows, columns), rows=15, source=source)
            for caption, rows, columns, source in largest
        ),
    )


def _with_size(rows: pl.DataFrame, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return columns, and the size beside dollars where a row tells nothing else."""
    told = pl.col("notional_usd").is_null() & pl.col("size_tokens").is_not_null()
    place = columns.index("notional_usd")
    is_needed = rows.filter(told).height > 0
    return (*columns[:place], *(["size_tokens"] * is_needed), *columns[place:])


def _fastest(velocity: pl.DataFrame) -> pl.DataFrame:
    # A row of each liquidation would be as many again; the files hold the fastest ones, too.
    speed = pl.col("velocity_usd_per_second")
    fastest = velocity.filter(speed.eq_missing(speed.max().over("protocol")))
    order = ("protocol", "block_timestamp")
    return ranked(fastest, speed, order).group_by("protocol", maintain_order=True).first()


def _largest(context: Context, name: str) -> pl.DataFrame:
    order = ["notional_usd", "block_timestamp", "chain_id", "tx_hash", "log_index", "item_index"]
    falls = [True, *[False] * 5]
    largest = context.scope.facts(name).sort(order, descending=falls, nulls_last=True).head(15)
    return context.named(largest.collect(engine="streaming"))
