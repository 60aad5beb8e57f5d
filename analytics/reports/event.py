"""The event a report looks into: when forced selling was worst, and the days around it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import polars as pl

from analytics.expressions import INSTANT, known_total
from analytics.reports.context import Context
from analytics.reports.numerals import clock
from analytics.reports.scope import Span
from analytics.reports.times import covered_times

_BEFORE, _AFTER = timedelta(hours=1), timedelta(hours=2)
# Limits as narrow as these name an event; wider ones are searched for it.
_NARROW = timedelta(hours=6)
_DAY = timedelta(days=1)
# What a stage is compared with: a day, and the hour before it that is left out.
_HISTORY = timedelta(hours=25)


@dataclass(frozen=True)
class Event:
    """
    A window of time.

    Attributes:
        start: its first moment, UTC.
        end: the first moment after it.
        words: how it was found, with its ends.
    """

    start: datetime
    end: datetime
    words: str

    @property
    def settings(self) -> dict[str, Any]:
        """The window as settings of a metric."""
        return {"event_start": self.start.isoformat(), "event_end": self.end.isoformat()}

    @property
    def span(self) -> Span:
        """The window as the time of facts."""
        return self.start, self.end

    @property
    def around(self) -> Span:
        """The window with the day it is compared with, and as long after it as it was."""
        return _shifted(self.start, -_HISTORY), _shifted(self.end, self.end - self.start)

    @property
    def priced(self) -> Span:
        """The window with the day before it, which its first prices may be from."""
        return _shifted(self.start, -_HISTORY), self.end - INSTANT

    def followed(self, hours: int) -> Span:
        """Return the window with its history and so many hours after it."""
        return _shifted(self.start, -_HISTORY), _shifted(self.end, timedelta(hours=hours))


def worst_hour(context: Context) -> datetime | None:
    """Return the start of the hour in which most was liquidated; None without a known notional."""
    hours = context.scope.metric("liquidations")
    total = hours.group_by("bucket_at").agg(known_total(pl.col("notional_usd"))).drop_nulls()
    ranked = total.sort("notional_usd", "bucket_at", descending=[True, False])
    found: datetime | None = ranked["bucket_at"].first()  # type: ignore[assignment]
    return found


def event(context: Context) -> Event | None:
    """
    Return the event: limits of six hours or less, else the time around the worst hour.

    The worst hour is the one of most liquidated notional; the event begins an hour before it and
    ends two hours after it began. Without a liquidation of known notional there is none.
    """
    limits = context.scope.limits
    if limits.since and limits.until and timedelta(0) < limits.until - limits.since <= _NARROW:
        ends = f"{clock(limits.since)} to {clock(limits.until)}"
        return Event(limits.since, limits.until, f"The event is what the report covers: {ends}.")
    worst = worst_hour(context)
    if worst is None:
        return None
    start, end = worst - _BEFORE, worst + _AFTER
    words = (
        f"The event is the time around the hour of most liquidations, which began {clock(worst)}: "
        f"{clock(start)} to {clock(end)}."
    )
    return Event(start, end, words)


def event_days(context: Context) -> Event | None:
    """
    Return the UTC days of the event, as far as every chain is covered, for what moves slowly.

    Without an event it is the report's limits, or else all the time that every chain is covered.
    None where nothing tells when that was.
    """
    found, (first, last) = event(context), _covered_by_all(context)
    limits = context.scope.limits
    low, high = limits.since or first, limits.until or last
    said = "No liquidation marks an event, so it is all of the time that every chain is covered"
    if found is not None:
        low = datetime.combine(found.start.date(), time())
        high = _shifted(datetime.combine((found.end - INSTANT).date(), time()), _DAY)
        said = "The event's days, as far as the report reaches and every chain is covered"
    start = max((each for each in (low, first, limits.since) if each), default=low)
    end = min((each for each in (high, last, limits.until) if each), default=high)
    if low is None or high is None or start is None or end is None or low >= high:
        return None
    if start >= end:
        start, end = low, high
        said = "No time of the event is covered on every chain; its days are"
    return Event(start, end, f"{said}: {clock(start)} until {clock(end)}.")


def _covered_by_all(context: Context) -> tuple[datetime | None, datetime | None]:
    chains = covered_times(context.scope).group_by("chain_id")
    ends = chains.agg(pl.col("first_at").min(), pl.col("last_at").max())
    row: tuple[datetime | None, datetime | None] = ends.select(
        pl.col("first_at").max(), pl.col("last_at").min()
    ).row(0)
    return row


def _shifted(moment: datetime, length: timedelta) -> datetime:
    try:
        return moment + length
    except OverflowError:  # as far as time reaches
        return datetime.max if length > timedelta() else datetime.min
