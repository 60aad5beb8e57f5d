"""The commands that give a number again: what a reader types to check what a page shows."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from shlex import quote

import polars as pl

from analytics.beginnings import keeps_past, looks_back
from analytics.metrics import METRICS
from analytics.plain_text import visible
from analytics.reports.chain_names import chain_name
from analytics.reports.parts import Chart, Origin, Source, Table
from analytics.reports.scope import Limits

_TIMES = ("date", "bucket_at", "block_timestamp")
_KEYS = (
    *("chain_id", "protocol", "version", "market", "asset", "quote", "feed", "pool", "token"),
    *("account", "is_long", "kind"),
)
_OPTION = {"metric": "--setting", "query": "--param"}


def answer_command(source: Source, limits: Limits) -> str:
    """Return the command that gives the rows of a source again; nothing where a file is all."""
    if source.kind == "facts":
        return ""
    if source.kind == "check":
        return " ".join(["perpscope check", *_limits(source, limits)])
    if source.kind == "figure":
        chosen = (f"--{name.replace('_', '-')} {value}" for name, value in source.settings.items())
        return " ".join(["perpscope study event", *chosen, *_limits(source, limits)])
    return " ".join(
        [
            f"perpscope {source.kind} {source.asked}",
            *_options(_OPTION[source.kind], source.settings),
            *_limits(source, limits),
        ]
    )


def table_command(table: Table, limits: Limits) -> str:
    """Return the command that traces the first row of a table, or gives its rows again."""
    source = table.source
    if source is None:
        return ""
    if not table.frame.height or not _is_traced(source):
        return answer_command(source, limits)
    where, is_one = _first_row(table, source)
    is_told_when = is_one and not where.keys().isdisjoint(_TIMES)
    where |= {} if is_told_when else _since(source, limits)
    return _trace(source, where, limits, is_one=is_one)


def chart_commands(chart: Chart, limits: Limits) -> tuple[str, ...]:
    """Return the command that gives a chart's rows again, and the one that traces the first."""
    traced = chart.traced or chart.source
    rows = Table("", (), (), source=traced, frame=traced.frame)
    commands = answer_command(chart.source, limits), table_command(rows, limits)
    return tuple(dict.fromkeys(each for each in commands if each))


def number_command(origin: Origin, limits: Limits) -> str:
    """Return the command that traces a number of a card, or gives the rows it has none of."""
    source = Source(
        *("", "metric", origin.metric, pl.DataFrame(), origin.settings),
        with_past=origin.with_past,
        limits=origin.limits,
    )
    if origin.is_empty:
        return answer_command(source, limits)
    return _trace(source, origin.where, limits, is_one=bool(origin.where))


def anchor(source: Source) -> str:
    """Return where the methodology says how a source is made; nothing where it does not."""
    has_method = source.kind in {"metric", "query", "figure"}
    return f"{source.kind}-{source.asked}" if has_method else ""


def _is_traced(source: Source) -> bool:
    if source.kind == "metric":
        return source.asked in METRICS
    # What a query counts are stored rows; an amount of it has facts of its own.
    return source.kind == "query" and any(each.is_decimal() for each in source.frame.dtypes)


def _trace(source: Source, where: Mapping[str, object], limits: Limits, *, is_one: bool) -> str:
    # Alone the word null stands for what is not known.
    where = {name: r"\null" if value == "null" else value for name, value in where.items()}
    return " ".join(
        [
            f"perpscope trace {source.asked}",
            *_options(_OPTION[source.kind], source.settings),
            *_options("--where", where),
            *(() if is_one else ("--together",)),
            *_limits(source, limits),
        ]
    )


def _first_row(table: Table, source: Source) -> tuple[dict[str, object], bool]:
    """Say what tells the first row of a table apart, and whether it is one row of the metric."""
    first, rows = table.frame.row(0, named=True), source.frame
    # What a section shows under a name of its own keeps the metric's value beside it.
    first |= {name: first[f"{name}_id"] for name in first if f"{name}_id" in first}
    times = [name for name in _TIMES if name in first]
    others = [name for name in first if name not in {*table.keys, *times}]
    where: dict[str, object] = {}
    for name in (*table.keys, *times, *others):
        is_needed = name not in others or (rows.height > 1 and name.endswith(_KEYS))
        if is_needed and name in rows.columns:
            value = pl.lit(first[name], rows.schema[name])
            fitting = rows.filter(pl.col(name).eq_missing(value))
            if fitting.height:
                rows, where[name] = fitting, first[name]
    return where, rows.height == 1 and not (source.is_summed and where.keys().isdisjoint(_TIMES))


def _since(source: Source, limits: Limits) -> dict[str, object]:
    # What looks back is computed of more than the report's time, and shown from its start.
    times = [name for name in _TIMES if name in source.frame.columns]
    if not times or not source.with_past or (source.limits or limits).since is None:
        return {}
    return {f"{times[0]}>": source.frame[times[0]].min()}


def _options(option: str, pairs: Mapping[str, object]) -> Iterator[str]:
    # What a reader pastes into a shell holds no character that he does not see.
    for name, value in pairs.items():
        yield f"{option} {quote(visible(f'{name}={_said(value)}'))}"


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return "null" if value is None else value


def _limits(source: Source, limits: Limits) -> Iterator[str]:
    limits = source.limits or limits
    since = None if source.with_past else limits.since
    if source.between is not None:
        since, until = source.between
        limits = replace(limits, until=min(until, limits.until or until))
    if since is not None:
        yield f"--from {since.isoformat()}"
        has_past = looks_back if source.between is None else keeps_past
        if source.asked in METRICS and has_past(source.asked):
            yield "--cut-windows"
    if limits.protocol is not None:
        yield f"--protocol {quote(limits.protocol)}"
    if limits.chain_id is not None:
        yield f"--chain {quote(chain_name(limits.chain_id))}"
    if limits.until is not None:
        yield f"--to {limits.until.isoformat()}"
