"""Sums of what was told in tokens only, at a price, of the days of the event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl

from analytics.expressions import INSTANT
from analytics.reports.context import Context
from analytics.reports.event import event_days
from analytics.reports.numerals import day
from analytics.reports.parts import Source, Table
from analytics.reports.sections.listed import Shown, answers


def valued(context: Context, shown: Shown) -> tuple[tuple[Source, ...], tuple[Table, ...]]:
    """
    Return the rows of a metric, and a table of those of the event's days, which its caption names.

    Without an event they are all days that every chain is covered. The files also have the day
    before, as far back as a price may be from.
    """
    days = event_days(context)
    if days is None:
        return answers(context, shown)
    first, last = days.start.date(), (days.end - INSTANT).date()
    of_days = " to ".join(day(each) for each in sorted({first, last}))
    asked = replace(shown, between=days.priced, summed=_since(first))
    sources, tables = answers(context, asked)
    more = any(source.frame.filter(_day(source.frame) < first).height for source in sources)
    said = f"{shown.caption}, {of_days}"
    said += "; the files have the day before as well" if more else ""
    return sources, tuple(replace(table, caption=said) for table in tables)


def _since(first: date) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda metric: metric.filter(_day(metric) >= first)


def _day(metric: pl.DataFrame) -> pl.Expr:
    return pl.col("date") if "date" in metric.columns else pl.col("block_timestamp").dt.date()
