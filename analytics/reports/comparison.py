"""Two reports side by side: the same sections, with differences and ratios."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal, localcontext
from typing import Any

from analytics.reports.cards import cards
from analytics.reports.headers import header
from analytics.reports.numerals import UNKNOWN, exact, number
from analytics.reports.parts import (
    Card,
    Cell,
    Chart,
    Column,
    Origin,
    Section,
    Source,
    Table,
    cell,
    ranks,
)
from analytics.reports.report import Report
from analytics.reports.scope import Limits

_ROWS = 200
# Counted from the beginning of the time asked for: the third wave of two days is no one wave.
_ORDINALS = ("wave", "session")
_EVENT = "tx_hash"
_ABSENT = Cell("–", "–", "no such row")
_NO_RATIO = Cell("–", "–", "no ratio to zero or with what is below it")
_Key = tuple[Any, ...]
_Rows = dict[_Key, Mapping[str, Any]]
_Names = tuple[str, str]
_Valued = tuple[Cell, Any]


def compared(first: Report, second: Report) -> Report:
    """
    Return one report out of two: the first, and how it differs from the second.

    A table is compared row by row where its keys tell its rows apart; between two protocols the
    protocol is no key, and a market is its symbol where that tells rows apart as well. The number
    of a wave or session is no key. Tables of single events are left out: nothing makes two events
    one row. So are those by day or hour of two times, of which one can only be beside itself, and
    of two protocols that have none in common. Rows of both sides come first. All rows of both
    reports are exported, those of the second as `compared_<name>`.
    """
    names = _names(first.limits, second.limits)
    dropped = ("protocol",) if first.limits.protocol != second.limits.protocol else ()
    pairs = zip(first.sections, second.sections, strict=True)
    warnings = [
        f"{name}: {text}" if text not in other.warnings else text
        for name, one, other in ((names[0], first, second), (names[1], second, first))
        for text in one.warnings
    ]
    return replace(
        first,
        title=f"{names[0]} against {names[1]}",
        extent=f"{names[0]}: {first.extent} · {names[1]}: {second.extent}",
        warnings=tuple(dict.fromkeys(warnings)),
        cards=tuple(_cards(first, second, names)),
        compared=(
            f"Changes, differences and ratios are those of {names[0]} against {names[1]}: "
            "the first less the second, and the first by the second. Lines without a number but "
            "zero on both sides are left out; – stands for a row that one side does not have, and "
            "for a ratio to zero or with what is below it. Events, and days and hours that the two "
            "cannot have in common, are in the files alone."
            f"{_unequal(first.limits, second.limits)}"
        ),
        against=f"against {names[1]}",
        sections=tuple(_section(one, other, names, dropped, second.limits) for one, other in pairs),
        methods=tuple(dict.fromkeys((*first.methods, *second.methods))),
        is_comparison=True,
        compared_with=second.limits,
    )


def _cards(first: Report, second: Report, names: _Names) -> Iterator[Card]:
    shown = cards(first.summary, second.summary)
    for card, other in zip(shown, second.cards, strict=True):
        # Last: the details are the first side's, and would be read as the second's below it.
        details = (*card.details, f"{names[1]}: {other.value}")
        origins = tuple(_origins(card, other, names, second.limits))
        yield replace(card, details=details, origins=origins)


def _origins(card: Card, other: Card, names: _Names, limits: Limits) -> Iterator[Origin]:
    for each in card.origins:
        yield replace(each, said=f"{names[0]}, {each.said}" if each.said else names[0])
    # Of the other side only the first number is shown.
    for each in other.origins[:1]:
        yield replace(each, said=names[1], limits=limits)


def _names(first: Limits, second: Limits) -> _Names:
    is_when = (first.since, first.until) != (second.since, second.until)
    one, other = (
        ", ".join(
            [
                *([limits.protocol or "all protocols"] * (first.protocol != second.protocol)),
                *([_span(limits)] * (is_when or first.protocol == second.protocol)),
            ]
        )
        for limits in (first, second)
    )
    return one, other


def _unequal(*limits: Limits) -> str:
    lengths = [each.until - each.since for each in limits if each.since and each.until]
    if len(lengths) < 2 or abs(lengths[0] - lengths[1]) <= timedelta(minutes=1):
        return ""
    one, other = (number(round(each / timedelta(hours=1), 1)) for each in lengths)
    return f" The times are not equally long, {one} and {other} hours: no sum is made up for that."


def _span(limits: Limits) -> str:
    since = "the first block" if limits.since is None else _short(limits.since, time(0))
    until = "the last block" if limits.until is None else _short(limits.until, time(23, 59))
    return since if since == until else f"{since} to {until}"


def _short(moment: datetime, usual: time) -> str:
    # A day from its first minute to its last is called by its name.
    is_usual = moment.time().replace(second=0, microsecond=0) == usual
    return f"{moment:%Y-%m-%d}" if is_usual else f"{moment:%Y-%m-%d %H:%M}"


def _section(
    first: Section,
    second: Section,
    names: _Names,
    dropped: tuple[str, ...],
    limits: Limits,
) -> Section:
    is_same = first.words == second.words
    said = [
        text if is_same or text in second.words else f"{names[0]}: {text}" for text in first.words
    ]
    said += [f"{names[1]}: {text}" for text in second.words if text not in first.words]
    others = {chart.name: chart for chart in second.charts}
    charts = []
    for chart in first.charts:
        other = others.pop(chart.name, None)
        own, *beside = (chart,) if other is None else _on_one_scale(chart, other)
        charts += [own, *(_beside(each, limits) for each in beside)]
    charts += [_beside(other, limits) for other in others.values()]
    return replace(
        first,
        words=tuple(said),
        charts=tuple(charts),
        tables=tuple(_tables(first, second, names, dropped, limits)),
        sources=(*first.sources, *(_renamed(source, limits) for source in second.sources)),
    )


def _on_one_scale(first: Chart, second: Chart) -> tuple[Chart, Chart]:
    if first.reach is None or second.reach is None:
        return first, second
    reach = min(first.reach[0], second.reach[0]), max(first.reach[1], second.reach[1])
    return replace(first, shown=reach), replace(second, shown=reach)


def _beside(chart: Chart, limits: Limits) -> Chart:
    source, traced = _renamed(chart.source, limits), chart.traced and _renamed(chart.traced, limits)
    return replace(chart, name=f"compared_{chart.name}", source=source, traced=traced)


def _renamed(source: Source, limits: Limits) -> Source:
    return replace(source, name=f"compared_{source.name}", limits=limits)


def _tables(
    first: Section,
    second: Section,
    names: _Names,
    dropped: tuple[str, ...],
    limits: Limits,
) -> Iterator[Table]:
    others = {_identity(table): table for table in second.tables}
    for table in first.tables:
        other = others.get(_identity(table))
        keys = [name for name in table.keys if name not in (*dropped, *_ORDINALS)]
        is_timed = any(table.frame.schema[name].is_temporal() for name in keys)
        if not table.keys or other is None or _EVENT in keys or (is_timed and not dropped):
            continue
        # Two protocols have a market in common by its symbol, never by its address.
        symbols = ["market_symbol" if name == "market" else name for name in keys]
        for wanted in (symbols, keys) if dropped else (keys,):
            rows = _paired(table, other, wanted)
            if rows and not (is_timed and rows[0].keys().isdisjoint(rows[1])):
                beside = replace(other, source=other.source and _renamed(other.source, limits))
                yield _side_by_side((table, beside), wanted, rows, names)
                break


def _paired(table: Table, other: Table, keys: Sequence[str]) -> tuple[_Rows, _Rows] | None:
    one, two = _rows(table, keys), _rows(other, keys)
    return None if one is None or two is None else (one, two)


def _identity(table: Table) -> tuple[str, tuple[str, ...]]:
    return (table.source.name if table.source else table.caption), table.keys


def _rows(table: Table, keys: Sequence[str]) -> _Rows | None:
    found: _Rows = {}
    for row in table.frame.iter_rows(named=True):
        key = tuple(row[name] for name in keys)
        if key in found:
            return None
        found[key] = row
    return found


def _side_by_side(
    tables: tuple[Table, Table], keys: Sequence[str], sides: tuple[_Rows, _Rows], names: _Names
) -> Table:
    table, (one, other) = tables[0], sides
    lines = [
        (key, _line(keys, key, column, tuple(side.get(key) for side in sides)))
        for key in sorted(one | other, key=lambda each: each not in one or each not in other)
        for column in table.columns
        if column.is_number and column.name not in table.keys
    ]
    told = [(key, line) for key, line in lines if line[-4][1] or line[-3][1]]
    own, beside = (_first(each, side, told) for each, side in zip(tables, sides, strict=True))
    more = f" (the first {_ROWS} lines)" if len(told) > _ROWS else ""
    words = [Column(name, header(name), is_number=False, is_hash=False) for name in keys]
    words.append(Column("measure", "measure", is_number=False, is_hash=False))
    numbers = (*names, "difference", "ratio")
    return replace(
        own,
        caption=f"{table.caption}{more}",
        columns=(
            *words,
            *(Column(name, name, is_number=True, is_hash=False) for name in numbers),
        ),
        rows=_ranked([line for _, line in told[:_ROWS]]),
        left_out=0,
        beside=beside,
    )


def _first(table: Table, rows: _Rows, told: Sequence[tuple[_Key, object]]) -> Table:
    """Return a side with only the row that the first line is of, if it has that."""
    places = {key: place for place, key in enumerate(rows)}
    place = places.get(told[0][0], table.frame.height) if told else table.frame.height
    return replace(table, frame=table.frame.slice(place, 1))


def _line(
    keys: Sequence[str],
    key: tuple[Any, ...],
    column: Column,
    rows: tuple[Mapping[str, Any] | None, ...],
) -> tuple[_Valued, ...]:
    values: list[Any] = [None if row is None else row[column.name] for row in rows]
    one, other = values
    is_known = one is not None and other is not None
    difference = _difference(one, other) if is_known else None
    ratio = float(one) / float(other) if is_known and one >= 0 < other else None
    said = UNKNOWN if ratio is None else f"×{_factor(ratio)}"
    divided = _NO_RATIO if is_known and ratio is None else Cell(said, said, exact(ratio))
    told = (
        *((cell(column.name, value), value) for value in (one, other)),
        (_points(cell(column.name, difference)), difference),
        (divided, ratio),
    )
    is_there = (rows[0] is not None, rows[1] is not None, *[None not in rows] * 2)
    return (
        *((cell(name, value), value) for name, value in zip(keys, key, strict=True)),
        (Cell(column.header, column.header, column.header), column.header),
        *(one if there else (_ABSENT, None) for one, there in zip(told, is_there, strict=True)),
    )


def _factor(ratio: float) -> str:
    if 0 < ratio < 0.0005:
        return "<0.001"
    return f"{ratio:,.3g}" if abs(ratio) < 999.5 else f"{ratio:,.0f}"


def _points(shown: Cell) -> Cell:
    text, short = (each.replace(" %", " points") for each in (shown.text, shown.short))
    return replace(shown, text=text, short=short)


def _ranked(lines: Sequence[tuple[_Valued, ...]]) -> tuple[tuple[Cell, ...], ...]:
    columns = [
        [replace(shown, rank=rank) for (shown, _), rank in zip(column, places, strict=True)]
        for column in zip(*lines, strict=True)
        for places in [ranks([value for _, value in column])]
    ]
    return tuple(zip(*columns, strict=True))


def _difference(one: Any, other: Any) -> Any:
    if isinstance(one, Decimal):
        with localcontext(prec=60):
            return one - other
    return one - other
