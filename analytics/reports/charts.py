"""Charts as SVG that needs no script and no network, and is the same wherever it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import altair as alt
import polars as pl
import vl_convert

from analytics.reports.parts import Chart

LONG, SHORT, UNKNOWN_SIDE = "#1f7a8c", "#c8553d", "#9a9a9a"
LIQUIDATED, DELEVERAGED = "#c8553d", "#6a4c93"
PALETTE = ("#1f5fa8", "#d98324", "#2e8b57", "#a63d57", "#6a4c93", "#7a7a3a", "#3aa6a6", "#8a5a44")
# Marks are never clipped: the renderer numbers clip paths over the life of the process, and the
# same chart would be drawn with other bytes the second time.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_WIDTH, _HEIGHT = 820, 240
_DOLLARS = "replace(format(datum.value, '$~s'), 'G', 'B')"
_PERCENT = "format(datum.value, '~%')"
_PLAIN = "format(datum.value, ',~f')"
UNITS: Mapping[str, str] = {"USD": _DOLLARS, "%": _PERCENT, "bps": _PLAIN}


@dataclass(frozen=True)
class Canvas:
    """
    What the charts of one report share.

    Attributes:
        stamp: what kind of data this is; under the title of every chart.
        first: left end of the time axis, UTC.
        last: right end of the time axis, UTC.
    """

    stamp: str
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Drawing:
    """
    What one chart says about itself.

    Attributes:
        name: the name of its file.
        title: what it shows.
        quantity: title of its value axis, without the unit.
        unit: USD, % (values are ratios) or bps.
        colors: its series, in order, with their colours.
    """

    name: str
    title: str
    quantity: str
    unit: str
    colors: Mapping[str, str]


def colored(series: Sequence[str]) -> dict[str, str]:
    """Return a colour for each series, in this order."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(series)}


def bars(canvas: Canvas, drawing: Drawing, rows: pl.DataFrame, period_seconds: int) -> Chart:
    """
    Return a chart of stacked bars, one stack per period.

    Args:
        canvas: what all charts share.
        drawing: what this one says.
        rows: `at` (start of a period), `series`, `value`.
        period_seconds: length of a period.
    """
    length = timedelta(seconds=period_seconds)
    first, last = _ends(canvas, rows)
    last = max(last, _moment(rows["at"].max()) + length)
    width = max(1.0, min(90.0, _WIDTH * (length / (last - first)) - 1))
    middle = rows.with_columns(pl.col("at") + length / 2)
    mark = alt.Chart(_values(drawing, middle)).mark_bar(width=width)
    return _finished(canvas, drawing, mark, (first, last), stack=True)


def areas(canvas: Canvas, drawing: Drawing, rows: pl.DataFrame) -> Chart:
    """Return a chart of stacked areas that keep a value until the next; rows as for `bars`."""
    mark = alt.Chart(_values(drawing, rows)).mark_area(interpolate="step-after", opacity=0.85)
    return _finished(canvas, drawing, mark, _ends(canvas, rows), stack=True)


def lines(
    canvas: Canvas, drawing: Drawing, rows: pl.DataFrame, *, interpolate: Any = "step-after"
) -> Chart:
    """Return a chart of one line per series; rows as for `bars`."""
    points = rows.group_by("series").len()["len"].max()
    has_points = isinstance(points, int) and points <= 40
    mark = alt.Chart(_values(drawing, rows)).mark_line(
        interpolate=interpolate,
        strokeWidth=1.8,
        point=alt.OverlayMarkDef(size=18) if has_points else False,
    )
    return _finished(canvas, drawing, mark, _ends(canvas, rows), stack=False)


def _finished(
    canvas: Canvas,
    drawing: Drawing,
    mark: alt.Chart,
    ends: tuple[datetime, datetime],
    *,
    stack: bool,
) -> Chart:
    names = list(drawing.colors)
    chart = mark.encode(
        x=alt.X(
            "at:T",
            title="time, UTC",
            scale=alt.Scale(type="utc", domain=[_iso(end) for end in ends]),
            axis=alt.Axis(grid=False, tickCount=8, labelOverlap=True, format=_ticks(ends)),
        ),
        y=alt.Y(
            "value:Q",
            title=f"{drawing.quantity}, {drawing.unit}",
            stack="zero" if stack else None,
            axis=alt.Axis(labelExpr=UNITS[drawing.unit], tickCount=5),
        ),
        color=alt.Color(
            "series:N",
            title=None,
            sort=names,
            scale=alt.Scale(domain=names, range=[drawing.colors[name] for name in names]),
            legend=alt.Legend(
                orient="top", labelLimit=260, symbolType="square" if stack else "stroke", columns=4
            ),
        ),
        order=alt.Order("rank:Q"),
    )
    return Chart(
        drawing.name,
        drawing.title,
        vl_convert.vegalite_to_svg(_styled(canvas, drawing, chart).to_dict()),
    )


def _styled(canvas: Canvas, drawing: Drawing, chart: alt.Chart) -> alt.Chart:
    title = alt.TitleParams(
        text=drawing.title,
        subtitle=f"{canvas.stamp} · {_iso(canvas.first)} to {_iso(canvas.last)}",
        anchor="start",
        offset=8,
    )
    styled: alt.Chart = (
        chart.properties(width=_WIDTH, height=_HEIGHT, title=title)
        .configure(font=_FONT, aria=False, padding={"left": 4, "right": 14, "top": 4, "bottom": 4})
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="#444",
            titleColor="#444",
            gridColor="#e6e6e6",
            domainColor="#999",
            tickColor="#999",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_title(fontSize=15, subtitleFontSize=12, subtitleColor="#8a3b00", color="#1a1a1a")
        .configure_legend(labelFontSize=12, labelColor="#333")
    )
    return styled


def _values(drawing: Drawing, rows: pl.DataFrame) -> alt.InlineData:
    ranks = {name: index for index, name in enumerate(drawing.colors)}
    plain = rows.select(
        pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        "series",
        pl.col("value").cast(pl.Float64),
        rank=pl.col("series").replace_strict(ranks, return_dtype=pl.Int64),
    )
    return alt.InlineData(values=plain.to_dicts())


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def _ticks(ends: tuple[datetime, datetime]) -> str:
    days = (ends[1] - ends[0]) / timedelta(days=1)
    if days > 300:
        return "%b %Y"
    return "%b %d" if days > 6 else "%b %d %H:%M" if days > 1 else "%H:%M"


def _ends(canvas: Canvas, rows: pl.DataFrame) -> tuple[datetime, datetime]:
    # A period begins before its first event, and what looks back may begin before the canvas.
    at = rows["at"]
    return min(canvas.first, _moment(at.min())), max(canvas.last, _moment(at.max()))


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"a chart needs times on its axis, got {value!r}")
    return value
