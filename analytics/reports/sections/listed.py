"""
Sections that are a list of metrics: a line for each, and its table, file and method follow.

    oracles_off = listed(
        "oracles-off", "Oracles off each other", ("What it is about.",),
        Shown("oracle_deviation_area", "Time and area beyond the threshold", keys=("asset",)),
    )

stands in `analytics/reports/report.py` among `_SECTIONS` like any other section. A section that
draws charts or asks more than one question of a metric is a module of its own; `answers` gives it
the tables of its list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from analytics.compute import facts_of
from analytics.reports.availability import doubt
from analytics.reports.context import Context
from analytics.reports.parts import Section, Source, Table, table
from analytics.reports.scope import FACTS, Scope, Span

# What is shown by its symbol. Where a row has one of its own, it is of another token.
_TOKENS = ("asset_token", "collateral_token", "fee_token", "spent_token", "token0", "token1")


@dataclass(frozen=True)
class Shown:
    """
    One metric of a section, as a table.

    Attributes:
        metric: its name.
        caption: what the table shows.
        columns: which columns, in order; all by default.
        keys: the columns that tell rows apart: they are traced and compared with.
        largest_first: the column to sort by, descending; the metric's own order by default.
        rows: how many rows at most.
        settings: settings of the metric.
        with_past: whether it looks back before the report's first moment.
        between: only facts from one moment to another; all of the report's by default.
        headers: other headers than the columns' own.
        nothing: what null says in a column where it is known, in words.
        summed: makes what is shown of the metric's rows; they themselves by default.
        is_summed_only: whether the files, too, hold only that: for rows as many as oracle updates.
        name: the name of its files; that of the metric by default.
    """

    metric: str
    caption: str
    columns: Sequence[str] = ()
    keys: Sequence[str] = ()
    largest_first: str = ""
    rows: int = 20
    settings: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    with_past: bool = False
    between: Span | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    nothing: Mapping[str, str] = field(default_factory=dict)
    summed: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    is_summed_only: bool = False
    name: str = ""


def listed(
    slug: str, title: str, words: tuple[str, ...], *wanted: Shown
) -> Callable[[Context], Section]:
    """
    Return a section that shows metrics as tables.

    Args:
        slug: its anchor, of letters and dashes.
        title: its heading.
        words: what a reader must know, a paragraph each.
        wanted: the metrics, in order.

    Returns:
        A function of a Context, as all sections are. Where no metric has a row the section says
        what was not found, and in which blocks.
    """

    def section(context: Context) -> Section:
        sources, tables = answers(context, *wanted)
        said = words if tables else (_absence(context, title, wanted),)
        return Section(slug, title, said, tables=tables, sources=sources)

    return section


def ranked(rows: pl.DataFrame, size: pl.Expr, keys: Sequence[str]) -> pl.DataFrame:
    """Return rows by size, the largest first and unknown ones last; those of one size by keys."""
    falls = [True, *[False] * len(keys)]
    return rows.sort(size, *keys, descending=falls, nulls_last=True)


def paired(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the quote beside the asset: a price alone does not say what it is in."""
    pair = pl.concat_str("asset", pl.lit("/"), "quote")
    return rows.with_columns(asset=pair, asset_id="asset")


def answers(context: Context, *wanted: Shown) -> tuple[tuple[Source, ...], tuple[Table, ...]]:
    """Return the rows of metrics, and a table of each that has any."""
    _ask(context.scope, wanted)
    answered = [_answer(context, each) for each in wanted]
    tables = [
        _table(context, shown, source, frame)
        for shown, (source, frame) in zip(wanted, answered, strict=True)
        if frame.height
    ]
    return tuple(source for source, _ in answered), tuple(tables)


def _ask(scope: Scope, wanted: Sequence[Shown]) -> None:
    """Compute what is of one time and has the same settings together: much of it is shared."""
    alike: dict[object, list[Shown]] = {}
    for shown in wanted:
        key = (shown.with_past, shown.between, *sorted(shown.settings.items()))
        alike.setdefault(key, []).append(shown)
    for group in alike.values():
        names, (first, *_) = [each.metric for each in group], group
        scope.metrics(names, with_past=first.with_past, between=first.between, **first.settings)


def _answer(context: Context, shown: Shown) -> tuple[Source, pl.DataFrame]:
    rows = context.scope.metric(
        shown.metric, with_past=shown.with_past, between=shown.between, **shown.settings
    )
    frame = rows if shown.summed is None else shown.summed(rows)
    exported = frame if shown.is_summed_only else rows
    name = shown.name or shown.metric
    source = Source(
        name,
        "metric",
        shown.metric,
        exported,
        shown.settings,
        shown.between,
        with_past=shown.with_past,
        is_summed=shown.is_summed_only,
    )
    return source, frame


def _table(context: Context, shown: Shown, source: Source, frame: pl.DataFrame) -> Table:
    if shown.largest_first:
        frame = frame.sort(
            shown.largest_first, descending=True, nulls_last=True, maintain_order=True
        )
    columns, keys = shown.columns or frame.columns, shown.keys
    if {"chain_id", "protocol", "market"} <= {*frame.columns}:
        frame = context.named(frame)
    if {"asset", "quote"} <= {*frame.columns}:
        frame, keys = paired(frame), tuple(key for key in keys if key != "quote")
    for token in _TOKENS:
        if {"chain_id", token} <= {*frame.columns}:
            named = context.with_symbol(frame, token).rename({token: f"{token}_id"})
            frame = named.rename({"symbol": token})
    return table(
        shown.caption,
        frame,
        columns,
        rows=shown.rows,
        headers=shown.headers,
        source=source,
        keys=keys,
        nothing=shown.nothing,
    )


def _absence(context: Context, title: str, wanted: Sequence[Shown]) -> str:
    facts = sorted({name for shown in wanted for name in facts_of(shown.metric)})
    events = [name for name in facts if name in FACTS]
    doubted = (name for name in events if doubt(context.scope, name))
    return context.absence(f"rows for {title.lower()}", next(doubted, events[0]))
