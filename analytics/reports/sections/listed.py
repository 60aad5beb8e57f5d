"""
Sections that are a list of metrics: a line for each, and its table, file and method follow.

    oracles_off = listed(
        "oracles-off", "Oracles off each other", ("What it is about.",),
        Shown("oracle_deviation_area", "Time and area beyond the threshold", keys=("asset",)),
    )

stands in `analytics/reports/report.py` among `_SECTIONS` like any other section. A section that
draws charts or asks more than one question of a metric is a module of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from analytics.compute import facts_of
from analytics.reports.context import Context
from analytics.reports.parts import Section, Source, Table, table


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
        headers: other headers than the columns' own.
    """

    metric: str
    caption: str
    columns: Sequence[str] = ()
    keys: Sequence[str] = ()
    largest_first: str = ""
    rows: int = 20
    settings: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    with_past: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


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
        sources = [_source(context, each) for each in wanted]
        tables = [
            _table(context, each, source)
            for each, source in zip(wanted, sources, strict=True)
            if source.frame.height
        ]
        said = words if tables else (_absence(context, title, wanted),)
        return Section(slug, title, said, tables=tuple(tables), sources=tuple(sources))

    return section


def _source(context: Context, shown: Shown) -> Source:
    frame = context.scope.metric(shown.metric, with_past=shown.with_past, **shown.settings)
    return Source(shown.metric, "metric", shown.metric, frame, shown.settings)


def _table(context: Context, shown: Shown, source: Source) -> Table:
    frame = source.frame
    if shown.largest_first:
        frame = frame.sort(
            shown.largest_first, descending=True, nulls_last=True, maintain_order=True
        )
    columns = shown.columns or frame.columns
    if {"chain_id", "protocol", "market"} <= {*frame.columns}:
        frame = context.named(frame)
    return table(
        shown.caption,
        frame,
        columns,
        rows=shown.rows,
        headers=shown.headers,
        source=source,
        keys=shown.keys,
    )


def _absence(context: Context, title: str, wanted: Sequence[Shown]) -> str:
    facts = sorted({name for shown in wanted for name in facts_of(shown.metric)})
    return context.absence(f"rows for {title.lower()}", facts[0])
