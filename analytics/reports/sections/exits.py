"""Liquidations and ADLs: when, how much, whose, and what was left unpaid."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from analytics.expressions import known_total
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
from analytics.reports.numerals import moment
from analytics.reports.parts import Chart, Section, Source, Table, table

_HOUR = 3600
_SIDES = {"long": LONG, "short": SHORT, "side not known": UNKNOWN_SIDE}
_FACT = ("block_timestamp", "chain_id", "protocol", "market", "account", "is_long")
_LIQUIDATED = (*_FACT, "notional_usd", "mark_price_usd", "shortfall_usd", "tx_hash")
_CUT = (*_FACT, "notional_usd", "execution_price_usd", "realized_pnl_usd", "tx_hash")
_ACCOUNT = ("account", "chain_id", "protocol", "liquidation_count", "notional_usd")
_ACCOUNT_REST = ("collateral_usd", "realized_pnl_usd", "shortfall_usd")
_FAST = ("liquidation_velocity",)
_KEYS = {"liquidation_velocity": ("protocol",), "shortfall_by_venue": ("chain_id", "protocol")}
_VICTIM = ("account", "chain_id", "protocol", "adl_count", "notional_usd", "realized_pnl_usd")


def exits(context: Context) -> Section:
    """Return the section about liquidations, ADLs and the worst hour."""
    worst = _worst_hour(context.scope.metric("liquidations"))
    sources = {source.name: source for source in _sources(context, worst)}
    silent = tuple(
        context.absence(what, name)
        for name, what in (("liquidations", "liquidations"), ("adls", "ADLs"))
        if sources[name].frame.is_empty()
    )
    return Section(
        "exits",
        "Liquidations and ADLs",
        (
            "Notional is one-sided: the position that was closed, not also who took it over. An "
            "ADL closes a profitable position and is never counted as a liquidation.",
            *silent,
        ),
        charts=(*_hourly(context, sources), *_zoom(context, sources.get("worst_hour"), worst)),
        tables=_tables(context, sources),
        sources=(*sources.values(),),
    )


def _sources(context: Context, worst: datetime | None) -> tuple[Source, ...]:
    scope, settings = context.scope, {"bucket_seconds": _HOUR}
    queries = ("liquidated_accounts", "adl_victims", "shortfall_by_venue")
    sources = [
        Source("liquidations", "metric", "liquidations", scope.metric("liquidations"), settings),
        Source("adls", "metric", "adls", scope.metric("adls"), settings),
        Source(
            *("liquidation_velocity", "metric", "liquidation_velocity"),
            scope.metric("liquidation_velocity"),
            {"window_seconds": 60},
        ),
        *(Source(name, "query", name, scope.query(name)) for name in queries),
    ]
    if worst is not None:
        ends = (worst - timedelta(hours=1), worst + timedelta(hours=2, microseconds=-1))
        window = {"since": ends[0].isoformat(), "until": ends[1].isoformat()}
        minutes = scope.query("cascade_timeline", **window)
        sources.append(Source("worst_hour", "query", "cascade_timeline", minutes, window))
    return tuple(sources)


def _worst_hour(hours: pl.DataFrame) -> datetime | None:
    total = hours.group_by("bucket_at").agg(known_total(pl.col("notional_usd"))).drop_nulls()
    ranked = total.sort("notional_usd", "bucket_at", descending=[True, False])
    found: datetime | None = ranked["bucket_at"].first()  # type: ignore[assignment]
    return found


def _hourly(context: Context, sources: Mapping[str, Source]) -> tuple[Chart, ...]:
    titles = {
        "liquidations": "Liquidated notional per hour, by side",
        "adls": "Notional closed by ADL per hour, by side",
    }
    return tuple(
        bars(
            context.canvas,
            Drawing(name, title, "notional", "USD", _present(rows), sources[name]),
            rows,
            _HOUR,
        )
        for name, title in titles.items()
        if (rows := _by_side(context.scope.facts(name))).height
    )


def _by_side(facts: pl.LazyFrame) -> pl.DataFrame:
    is_long = pl.col("is_long")
    side = pl.when(is_long).then(pl.lit("long")).when(~is_long).then(pl.lit("short"))
    return (
        by_period(facts, _HOUR)
        .group_by("at", series=side.otherwise(pl.lit("side not known")))
        .agg(value=known_total(pl.col("notional_usd")))
        .drop_nulls("value")
        .sort("at", "series")
        .collect()
    )


def _present(rows: pl.DataFrame) -> dict[str, str]:
    return {name: color for name, color in _SIDES.items() if name in set(rows["series"])}


def _zoom(context: Context, source: Source | None, worst: datetime | None) -> tuple[Chart, ...]:
    if source is None or worst is None:
        return ()
    series = {"liquidated_usd": "liquidated", "deleveraged_usd": "closed by ADL"}
    sums = source.frame.group_by("bucket_at").agg(known_total(pl.col(name)) for name in series)
    rows = long_rows(sums.rename({"bucket_at": "at"}), series)
    colors = {"liquidated": LIQUIDATED, "closed by ADL": DELEVERAGED}
    title = f"Minute by minute around the worst hour, which began {moment(worst)}"
    canvas = Canvas(context.stamp, worst - timedelta(hours=1), worst + timedelta(hours=2))
    drawing = Drawing("worst_hour", title, "notional", "USD", colors, source)
    return (bars(canvas, drawing, rows, 60),) if rows.height else ()


def _tables(context: Context, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    wanted = (
        ("Liquidated accounts, largest first", "liquidated_accounts", _ACCOUNT + _ACCOUNT_REST),
        ("Fastest minute by protocol", "liquidation_velocity", ()),
        ("Bad debt and insurance by venue", "shortfall_by_venue", ()),
        ("Accounts closed by ADL, largest first", "adl_victims", _VICTIM),
    )
    shown = [
        table(caption, rows, columns, rows=15, source=sources[name], keys=_KEYS.get(name, ()))
        for caption, name, columns in wanted
        if (rows := _fastest(sources[name].frame) if name in _FAST else sources[name].frame).height
    ]
    events = (
        ("Largest liquidations", "liquidations", _LIQUIDATED),
        ("Largest ADLs", "adls", _CUT),
    )
    return (
        *shown,
        *(
            table(caption, _largest(context, name), columns, rows=15, source=sources[name])
            for caption, name, columns in events
            if sources[name].frame.height
        ),
    )


def _fastest(velocity: pl.DataFrame) -> pl.DataFrame:
    ranked = velocity.sort(
        *("velocity_usd_per_second", "protocol", "block_timestamp"),
        descending=[True, False, False],
        nulls_last=True,
    )
    return ranked.group_by("protocol", maintain_order=True).first()


def _largest(context: Context, name: str) -> pl.DataFrame:
    order = ["notional_usd", "block_timestamp", "chain_id", "tx_hash", "log_index", "item_index"]
    ranked = context.scope.facts(name).sort(order, descending=[True, *[False] * 5], nulls_last=True)
    return context.named(ranked.head(15).collect())
