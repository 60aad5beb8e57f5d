"""Sums of what was told in tokens only, at a price, of the days of the event."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl

from analytics.reports.context import Context
from analytics.reports.event import event, event_days
from analytics.reports.parts import Source, Table
from analytics.reports.sections.listed import Shown, answers


def valued(context: Context, shown: Shown) -> tuple[tuple[Source, ...], tuple[Table, ...]]:
    """
    Return the rows of a metric by day, and a table of the event's days.

    Without an event they are all days that every chain is covered. The files also have the day
    before, as far back as a price may be from.
    """
    days = event_days(context)
    if days is None:
        return answers(context, shown)
    of_event = "" if event(context) is None else " of the event"
    caption = f"{shown.caption}, by day{of_event}"
    since = _since(days.start.date())
    return answers(context, replace(shown, caption=caption, between=days.priced, summed=since))


def _since(first: date) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda metric: metric.filter(pl.col("date") >= first)
