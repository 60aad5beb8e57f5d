"""
Charts as SVG that needs no script and no network, and is the same wherever it is drawn.

Each is drawn for a page and for a phone, and carries its numbers: over every moment lies a mark
that is not seen, whose `<title>` says the values. A browser shows it as it is; the page's script
shows it sooner, and to the keyboard. A charting library would be a thousand times that script, and
would have to be trusted with what the chain says.

Colours are those of Okabe and Ito, which the colour-blind tell apart; lines differ by dashes, too.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from altair.utils.schemapi import debug_mode

from analytics.plain_text import visible
from analytics.reports import numerals
from analytics.reports.chart_style import STYLE
from analytics.reports.moments import broken, moments, until_next
from analytics.reports.parts import Chart, Reach, Source

BLUE, VERMILION, ORANGE, GREEN = "#0072b2", "#d55e00", "#e69f00", "#009e73"
SKY, PURPLE, BLACK, GREY = "#56b4e9", "#cc79a7", "#222222", "#8c8c8c"
# Three greys of their own on a print without colour: 34, 68 and 55 % light.
LONG, SHORT, UNKNOWN_SIDE = BLUE, ORANGE, GREY
LIQUIDATED, DELEVERAGED = PURPLE, GREEN
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK, GREY)
_DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 1], [12, 4], [1, 3], [5, 5])
_DOLLARS = "replace(format(datum.value, '$~s'), 'G', 'B')"
_PERCENT = "format(datum.value * 100, ',~f') + ' %'"
_PLAIN = "format(datum.value, ',~f')"
UNITS: Mapping[str, str] = {"USD": _DOLLARS, "%": _PERCENT, "bps": _PLAIN}
_LETTERS = 38
_NONE = timedelta(0)
TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"
_MOMENT = re.compile(r'<path (aria-label="([^"]*)"[^>]*)/>')


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
        source: the rows behind it.
    """

    name: str
    title: str
    quantity: str
    unit: str
    colors: Mapping[str, str]
    source: Source


@dataclass(frozen=True)
class Size:
    """How large a chart is drawn, and how much text has room in it."""

    width: int
    height: int
    ticks: int
    letters: int
    legend_columns: int
    dates: Sequence[str]


SIZES = (
    Size(860, 250, 8, 110, 4, ("%b %Y", "%b %d", "%b %d %H:%M", "%b %d %H:%M", "%H:%M")),
    Size(290, 210, 3, 38, 1, ("%b %Y", "%b %d", "%b %d", "%b %d %H:%M", "%H:%M")),
)
# Marks are never clipped: the renderer numbers clip paths over the life of the process, and the
# same chart would be drawn with other bytes the second time.
_Marks = Callable[[Size], alt.Chart]
# The rows of a drawing by the names its layers call them: altair copies and checks a chart many
# times while it is built, and would copy rows inside it as often.
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
VALUES, SPANS = "values", "spans"


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
    first, last = _ends(canvas, rows, length)

    def marks(size: Size) -> alt.Chart:
        width = max(1.0, min(90.0, size.width * (length / (last - first)) - 1))
        marked: alt.Chart = named(VALUES).mark_bar(width=width, aria=False)
        return marked

    told = _said(drawing, rows, length, is_sum=True)
    spans = told.with_columns(until=pl.col("at") + length)
    middle = rows.with_columns(pl.col("at") + length / 2)
    return _drawn(canvas, drawing, marks, middle, spans, ends=(first, last), is_stacked=True)


def areas(canvas: Canvas, drawing: Drawing, rows: pl.DataFrame) -> Chart:
    """Return a chart of stacked areas that keep a value until the next; rows as for `bars`."""

    def marks(_: Size) -> alt.Chart:
        marked: alt.Chart = named(VALUES).mark_area(
            interpolate="step-after", opacity=0.9, aria=False
        )
        return marked

    spans, ends = until_next(_said(drawing, rows, is_sum=True)), _ends(canvas, rows)
    return _drawn(canvas, drawing, marks, rows, spans, ends=ends, is_stacked=True)


def lines(
    canvas: Canvas, drawing: Drawing, rows: pl.DataFrame, *, lasting: timedelta = _NONE
) -> Chart:
    """
    Return a chart of one line per series, broken where nothing is known.

    Args:
        canvas: what all charts share.
        drawing: what this one says.
        rows: as for `bars`; a value stands until the next of its series, a null for not known.
        lasting: how long a value stands, next or not, where it is of a period.
    """
    rows = rows.drop_nulls("value") if lasting else rows
    points = rows.group_by("series").len()["len"].max()
    has_points = not lasting and isinstance(points, int) and points <= 40

    def marks(_: Size) -> alt.Chart:
        point = alt.OverlayMarkDef(size=18, aria=False) if has_points else False
        marked: alt.Chart = named(VALUES).mark_line(
            interpolate="step-after", strokeWidth=1.8, point=point, aria=False
        )
        return marked

    spans = until_next(_said(drawing, rows, lasting, is_sum=False), lasting)
    drawn = broken(rows, lasting)
    return _drawn(canvas, drawing, marks, drawn, spans, ends=_ends(canvas, drawn), is_stacked=False)


def _drawn(
    canvas: Canvas,
    drawing: Drawing,
    marks: _Marks,
    rows: pl.DataFrame,
    spans: pl.DataFrame,
    *,
    ends: tuple[datetime, datetime],
    is_stacked: bool,
) -> Chart:
    told = {VALUES: _values(drawing, rows), SPANS: _spans(spans)}

    def draw(reach: Reach | None) -> tuple[str, str]:
        def layers(size: Size) -> Any:
            mark = _encoded(drawing, marks(size), size, ends, reach, is_stacked=is_stacked)
            return alt.layer(mark, said_over())

        return rendered(canvas, drawing, SIZES, layers, lambda _: told)

    reach = _reach(rows, is_stacked=is_stacked)
    return Chart(drawing.name, drawing.title, draw, drawing.source, reach)


def _reach(rows: pl.DataFrame, *, is_stacked: bool) -> Reach:
    value = pl.col("value").cast(pl.Float64)
    lowest, highest = value.clip(upper_bound=0), value.clip(lower_bound=0)
    if is_stacked:
        lowest, highest = lowest.sum().over("at"), highest.sum().over("at")
    found: Reach = rows.select(lowest.min().alias("least"), highest.max().alias("most")).row(0)
    return found


def _encoded(
    drawing: Drawing,
    mark: alt.Chart,
    size: Size,
    ends: tuple[datetime, datetime],
    reach: Reach | None,
    *,
    is_stacked: bool,
) -> alt.Chart:
    names = [_name(each) for each in drawing.colors]
    symbol = "square" if is_stacked else "stroke"
    legend = alt.Legend(symbolType=symbol, columns=size.legend_columns)
    colors = alt.Scale(domain=names, range=list(drawing.colors.values()))
    dashes = alt.Scale(domain=names, range=[_DASHES[i % len(_DASHES)] for i in range(len(names))])
    dashed = {} if is_stacked else {"strokeDash": _by_series(alt.StrokeDash, dashes, legend, names)}
    encoded: alt.Chart = mark.encode(
        x=time_axis(ends, size),
        y=alt.Y(
            "value:Q",
            title=f"{drawing.quantity}, {drawing.unit}",
            stack="zero" if is_stacked else None,
            scale=alt.Undefined if reach is None else alt.Scale(domain=list(reach), nice=True),
            axis=alt.Axis(labelExpr=UNITS[drawing.unit], tickCount=5),
        ),
        color=_by_series(alt.Color, colors, legend, names),
        order=alt.Order("rank:Q"),
        **dashed,
    )
    return encoded


def time_axis(ends: tuple[datetime, datetime], size: Size) -> alt.X:
    """Return the axis of time of a chart: the field `at`, UTC."""
    scale = alt.Scale(type="utc", domain=[_iso(end) for end in ends])
    shown: dict[str, Any] = {"grid": False, "labelOverlap": True, "labelFlush": True}
    shown["labelSeparation"] = 8  # or two of them read as one
    axis = alt.Axis(**shown, tickCount=size.ticks, format=_ticks(ends, size))
    return alt.X("at:T", title="time, UTC", scale=scale, axis=axis)


def _by_series(channel: Any, scale: alt.Scale, legend: alt.Legend, names: list[str]) -> Any:
    return channel("series:N", title=None, sort=names, scale=scale, legend=legend)


def said_over() -> alt.Chart:
    """Return the layer without colour that says of each span what there is in it."""
    mark = named(SPANS).mark_rect(opacity=0, aria=True)
    said: alt.Chart = mark.encode(alt.X("at:T"), alt.X2("until:T"), alt.Description("said:N"))
    return said


def named(rows: str) -> alt.Chart:
    """Return a layer whose rows are given by name when the whole is rendered."""
    return alt.Chart(alt.NamedData(name=rows))


def rendered(
    canvas: Canvas,
    drawing: Drawing,
    sizes: tuple[Size, Size],
    layers: Callable[[Size], Any],
    rows: Callable[[Size], Rows],
) -> tuple[str, str]:
    """
    Return a drawing for a page and for a phone, as SVG with its title and stamp.

    Args:
        canvas: what all charts share.
        drawing: what this one says.
        sizes: for a page and for a phone.
        layers: the chart at a size.
        rows: its rows at a size.
    """
    # Altair would check each part when it is made. The whole is checked, once: a phone's differs
    # from it in numbers alone.
    with debug_mode(arg=False):
        charts = [layers(size).to_dict(validate=size is sizes[0]) for size in sizes]
    wide, narrow = (
        _svg(chart, _title(canvas, drawing, size), size, rows(size))
        for chart, size in zip(charts, sizes, strict=True)
    )
    return wide, narrow


def _svg(chart: dict[str, Any], title: alt.TitleParams, size: Size, rows: Rows) -> str:
    frame = {"width": size.width, "height": size.height, "config": STYLE, "datasets": rows}
    svg: str = vl_convert.vegalite_to_svg(chart | frame | {"title": title.to_dict(validate=False)})
    return _MOMENT.sub(r'<path class="moment" \1><title>\2</title></path>', svg)


def _title(canvas: Canvas, drawing: Drawing, size: Size) -> alt.TitleParams:
    stamp = [f"{canvas.stamp} · {numerals.clock(canvas.first)} to {numerals.clock(canvas.last)}"]
    return alt.TitleParams(
        text=wrap(drawing.title, size.letters),
        subtitle=[line for text in stamp for line in wrap(text, size.letters + 8)],
        anchor="start",
        offset=8,
        aria=False,
    )


def _said(
    drawing: Drawing, rows: pl.DataFrame, length: timedelta = _NONE, *, is_sum: bool
) -> pl.DataFrame:
    names = {name: _name(name) for name in drawing.colors}
    return moments(rows, names, drawing.unit, length=length, is_sum=is_sum)


def _spans(spans: pl.DataFrame) -> list[dict[str, Any]]:
    return spans.with_columns(pl.col("at", "until").dt.strftime(TIME)).to_dicts()


def _values(drawing: Drawing, rows: pl.DataFrame) -> list[dict[str, Any]]:
    ranks = {name: index for index, name in enumerate(drawing.colors)}
    names = {name: _name(name) for name in drawing.colors}
    plain = rows.select(
        pl.col("at").dt.strftime(TIME),
        pl.col("series").replace(names),
        pl.col("value").cast(pl.Float64),
        rank=pl.col("series").replace_strict(ranks, return_dtype=pl.Int64),
    )
    return plain.to_dicts()


def _name(series: str) -> str:
    # The end tells sides and tokens apart, and has to fit the legend.
    name = visible(series)
    return name if len(name) <= _LETTERS else f"{name[:18]}…{name[19 - _LETTERS :]}"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"


def _ticks(ends: tuple[datetime, datetime], size: Size) -> str:
    days = (ends[1] - ends[0]) / timedelta(days=1)
    place = 0 if days > 300 else 1 if days > 6 else 2 if days > 3 else 3 if days > 1 else 4
    return size.dates[place]


def _ends(
    canvas: Canvas, rows: pl.DataFrame, length: timedelta = _NONE
) -> tuple[datetime, datetime]:
    # A period begins before its first event, and what looks back may begin before the canvas.
    first, last = rows.select(first=pl.col("at").min(), last=pl.col("at").max()).row(0)
    return min(canvas.first, first), max(canvas.last, last + length)
