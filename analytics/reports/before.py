"""The window of the same length before: its limits, and whether it is covered at all."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from analytics.expressions import INSTANT
from analytics.reports.context import Context
from analytics.reports.numerals import clock, counted, period
from analytics.reports.scope import Limits, Scope
from analytics.reports.times import SLACK, covered_times


def window_before(context: Context) -> Limits | None:
    """
    Return the limits of the time just before a report's, as long as it; None without a fact.

    A report without limits of time is as long as its facts.
    """
    scope = context.scope
    since = scope.limits.since or (scope.extent and scope.extent[0])
    until = scope.limits.until or (scope.extent and scope.extent[1])
    if since is None or until is None or since >= until:
        return None
    try:
        first = since - (until - since) - INSTANT
    except OverflowError:
        return None
    return replace(scope.limits, since=first, until=since - INSTANT)


def is_covered(context: Context, limits: Limits) -> bool:
    """
    Tell whether everything the report covers is covered in other limits as well, and to its end.

    A protocol with a gap anywhere counts as not covered: of a gap only block numbers are known.
    """
    has_gaps = context.scope.query("coverage_gaps").height > 0
    if limits.since is None or has_gaps or not _is_covered_to_its_end(context.scope):
        return False
    spans = [covered_times(context.scope).select("first_at", "last_at")]
    spans.append(context.imports.select(first_at="from_at", last_at="to_at"))
    times = pl.concat(spans)
    begins = times["first_at"].to_list()
    return bool(begins) and all(each is not None and each <= limits.since for each in begins)


def _is_covered_to_its_end(scope: Scope) -> bool:
    until = scope.limits.until
    ends = scope.spans.group_by("chain_id", "protocol").agg(pl.col("to_at").max())["to_at"]
    return until is None or all(each is not None and each >= until - SLACK for each in ends)


def sentences(limits: Limits | None, *, is_known: bool) -> tuple[str, str]:
    """Return what changes are against: a sentence, and a few words."""
    if limits is None or limits.since is None or limits.until is None:
        return "There is no time to compare with.", "change"
    words = f"against the {_length(limits.since, limits.until)} before"
    span = f"{clock(limits.since + INSTANT)} to {clock(limits.until + INSTANT)}"
    if is_known:
        return f"Changes are {words}: {span}.", words
    return (
        f"How much changed is not known (n/k): {span}, or the report's own time, is not "
        "all covered.",
        words,
    )


def _length(since: datetime, until: datetime) -> str:
    minutes = max(1, round((until - since) / timedelta(minutes=1)))
    if minutes >= 2 * 1440:
        return counted(round(minutes / 1440), "day")
    return period(minutes * 60)
