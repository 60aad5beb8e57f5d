"""Timelines: one line per thing, and on it bars from when to when it lasted."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from analytics.plain_text import visible
from analytics.reports.charts import SIZES, Canvas, Drawing, Size, rendered, time_axis
from analytics.reports.parts import Chart

_ROW = 30
_TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"
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
    height = _ROW * rows["line"].n_unique()
    wide, narrow = (
        rendered(
            canvas, drawing, replace(size, height=height), _layers(canvas, drawing, rows, size)
        )
        for size in SIZES
    )
    png = vl_convert.svg_to_png(wide, scale=2)
    return Chart(drawing.name, drawing.title, wide, narrow, png, drawing.source)


def _layers(canvas: Canvas, drawing: Drawing, rows: pl.DataFrame, size: Size) -> Any:
    ends = canvas.first, canvas.last
    place = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    lines = rows.unique("line", keep="first", maintain_order=True)
    x, colors = (
        time_axis(ends, size),
        alt.Scale(domain=list(drawing.colors), range=list(drawing.colors.values())),
    )
    bars = (
        alt.Chart(_bars(rows, ends))
        .mark_bar(height=9, yOffset=7, aria=False)
        .encode(x=x, x2="until:T", y=place, color=alt.Color("kind:N", scale=colors, legend=None))
    )
    labels = (
        alt.Chart(_texts(lines, ends, size))
        .mark_text(align="left", dy=-6, fontSize=12, color="#333", aria=False)
        .encode(x="at:T", y=place, text="label:N")
    )
    said = (
        alt.Chart(_texts(lines, ends, size))
        .mark_rect(opacity=0, aria=True)
        .encode(x="at:T", x2="until:T", y=place, description="said:N")
    )
    return alt.layer(bars, labels, said)


def _bars(rows: pl.DataFrame, ends: tuple[datetime, datetime]) -> alt.InlineData:
    thinnest = (ends[1] - ends[0]) * _THINNEST
    start = pl.col("start_at").clip(*ends)
    until = pl.max_horizontal(pl.col("end_at").clip(*ends), start + thinnest)
    shown = rows.drop_nulls("start_at").select(
        "line",
        "kind",
        start.dt.strftime(_TIME).alias("at"),
        until.dt.strftime(_TIME).alias("until"),
    )
    return alt.InlineData(values=shown.to_dicts())


def _texts(lines: pl.DataFrame, ends: tuple[datetime, datetime], size: Size) -> alt.InlineData:
    values = [
        {
            "line": row["line"],
            "label": _cut(row["label"], size),
            "said": visible(row["said"]),
            "at": ends[0].isoformat() + "Z",
            "until": ends[1].isoformat() + "Z",
        }
        for row in lines.iter_rows(named=True)
    ]
    return alt.InlineData(values=values)


def _cut(label: str, size: Size) -> str:
    text = visible(label)
    return text if len(text) <= size.letters else f"{text[: size.letters - 1]}…"
