"""Timelines: one line per thing, and on it bars from when to when it lasted."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import altair as alt
import polars as pl

from analytics.plain_text import visible
from analytics.reports.charts import (
    SIZES,
    SPANS,
    TIME,
    VALUES,
    Canvas,
    Drawing,
    Size,
    named,
    rendered,
    said_over,
    time_axis,
)
from analytics.reports.parts import Chart, Reach

_ROW = 30
_LETTER = 6
# A moment is seen as well: nothing is thinner than this part of the axis.
_THINNEST = 1 / 250


def timeline(canvas: Canvas, drawing: Drawing, rows: pl.DataFrame) -> Chart:
    """
    Return a chart of what lasted from when to when.

    Args:
        canvas: what all charts share; its ends are those of the axis.
        drawing: what this one says; its colours are of the `kind` of a row.
        rows: `line` (which one, Int64), `label`, `kind`, `said`, `start_at`, `end_at`; several of a
            line are several bars, and null times none.
    """
    height, ends = _ROW * rows["line"].n_unique(), (canvas.first, canvas.last)
    page, phone = (replace(size, height=height) for size in SIZES)
    lines, bars = rows.unique("line", keep="first", maintain_order=True), _bars(rows, ends)

    def draw(_: Reach | None) -> tuple[str, str]:
        return rendered(
            canvas,
            drawing,
            (page, phone),
            lambda size: _layers(drawing, ends, size),
            lambda size: {VALUES: bars, SPANS: _texts(lines, ends, size)},
        )

    return Chart(drawing.name, drawing.title, draw, drawing.source)


def _layers(drawing: Drawing, ends: tuple[datetime, datetime], size: Size) -> Any:
    place = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    x, colors = (
        time_axis(ends, size),
        alt.Scale(domain=list(drawing.colors), range=list(drawing.colors.values())),
    )
    bars = (
        named(VALUES)
        .mark_bar(height=9, yOffset=7, aria=False)
        .encode(x, alt.X2("until:T"), place, alt.Color("kind:N", scale=colors, legend=None))
    )
    labels = (
        named(SPANS)
        .mark_text(align="left", dy=-6, fontSize=12, color="#333", aria=False)
        .encode(alt.X("at:T"), place, alt.Text("label:N"))
    )
    return alt.layer(bars, labels, said_over().encode(place))


def _bars(rows: pl.DataFrame, ends: tuple[datetime, datetime]) -> list[dict[str, Any]]:
    thinnest = (ends[1] - ends[0]) * _THINNEST
    start = pl.col("start_at").clip(*ends)
    until = pl.max_horizontal(pl.col("end_at").clip(*ends), start + thinnest)
    shown = rows.drop_nulls("start_at").select(
        "line",
        "kind",
        start.dt.strftime(TIME).alias("at"),
        until.dt.strftime(TIME).alias("until"),
    )
    return shown.to_dicts()


def _texts(
    lines: pl.DataFrame, ends: tuple[datetime, datetime], size: Size
) -> list[dict[str, Any]]:
    return [
        {
            "line": row["line"],
            "label": _cut(row["label"], size),
            "said": visible(row["said"]),
            "at": ends[0].isoformat() + "Z",
            "until": ends[1].isoformat() + "Z",
        }
        for row in lines.iter_rows(named=True)
    ]


def _cut(label: str, size: Size) -> str:
    text = visible(label)
    most = size.width // _LETTER
    return text if len(text) <= most else f"{text[: most - 1]}…"
