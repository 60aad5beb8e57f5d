"""When covered blocks are of."""

from datetime import datetime, time, timedelta

import polars as pl

from analytics.expressions import INSTANT
from analytics.reports.numerals import counted, day
from analytics.reports.scope import Scope, Span

_DAY = timedelta(days=1)
# No block is at midnight to the second, and of quiet chains few blocks have a known time.
SLACK = timedelta(minutes=5)


def covered_times(scope: Scope) -> pl.DataFrame:
    """
    Return when the covered blocks of each chain and protocol begin and end, as far as is known.

    Returns:
        One row per pair with a known time: chain_id, protocol, first_at, last_at (UTC).
    """
    keys = ["chain_id", "protocol"]
    ends = [pl.col("from_block").min(), pl.col("to_block").max()]
    blocks = scope.facts("blocks").select("chain_id", "number", "timestamp")
    at = pl.col("timestamp")
    return (
        scope.facts("coverage")
        .group_by(keys)
        .agg(ends)
        .join(blocks, on="chain_id")
        .filter(pl.col("number").is_between(pl.col("from_block"), pl.col("to_block")))
        .group_by(keys)
        .agg(first_at=at.min(), last_at=at.max())
        .collect()
    )


def whole_days(scope: Scope) -> Span | None:
    """
    Return the first and the last moment of the whole UTC days of a scope; None where it has none.

    A day is whole if the limits and the blocks that are covered by anything reach within five
    minutes of its ends.
    """
    begun, ended = scope.spans.select(pl.col("from_at").min(), pl.col("to_at").max()).row(0)
    if begun is None or ended is None:
        return None
    first, last = max(begun, scope.limits.since or begun), min(ended, scope.limits.until or ended)
    # After the last of all days there is no midnight.
    if first > last or last > datetime.max - _DAY:
        return None
    start, end = _midnight(first - SLACK - INSTANT) + _DAY, _midnight(last + SLACK)
    return (start, end - INSTANT) if start < end else None


def day_count(days: Span) -> int:
    """Return how many days whole days are."""
    return (days[1] - days[0]).days + 1


def named_days(days: Span) -> str:
    """Return which days whole days are, in words."""
    return f"{counted(day_count(days), 'whole UTC day')} up to {day(days[1].date())}"


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time())
