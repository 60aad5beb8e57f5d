"""
When something is done again: an interval such as `30s`, or five fields as in a crontab, in UTC.

apscheduler counts weekdays from Monday and asks for both the day of the month and the weekday;
cron counts from Sunday and is content with either. So weekdays become names here, and a text that
restricts both days is refused.
"""

import re
from datetime import UTC, datetime
from typing import Any

_INTERVAL = re.compile(r"(\d+) ?(s|m|min|h|d)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = 36_600 * 86_400
_EXPECTED = "an interval such as 30s, 5m, 2h or 1d, or five fields as in a crontab"


def seconds_of(text: str) -> int | None:
    """Return the length of an interval in seconds, at most a century; None where it is none."""
    found = _INTERVAL.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    return seconds if 0 < seconds <= _LONGEST else None


def trigger(text: str) -> Any:
    """
    Return the apscheduler trigger of an interval or of a crontab's five fields.

    Raises:
        ValueError: the text is neither; the message says what was expected.
    """
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    if seconds := seconds_of(text):
        return IntervalTrigger(seconds=seconds, timezone="UTC")
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(_EXPECTED)
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise ValueError("either a day of the month or a weekday, and * for the other")
    try:
        clock = CronTrigger(
            minute=minute,
            hour=hour,
            day=day,
            month=month,
            day_of_week=_weekdays(weekday),
            timezone="UTC",
        )
    except ValueError:  # it speaks of its own fields, not of what was written
        raise ValueError(_EXPECTED) from None
    if clock.get_next_fire_time(None, datetime.now(UTC)) is None:
        raise ValueError("a day that the month has")
    return clock


def _weekdays(field: str) -> str:
    if field == "*":
        return field
    days = [day for part in field.lower().split(",") for day in _days(part)]
    return ",".join(dict.fromkeys(_DAYS[day % 7] for day in days))


def _days(part: str) -> range:
    span, _, step = part.partition("/")
    low, dash, high = ("0", "-", "6") if span == "*" else span.partition("-")
    first = _day(low)
    last = _day(high) if dash else first
    if last < first:
        raise ValueError(part)
    return range(first, last + 1, int(step or 1))


def _day(text: str) -> int:
    day = _DAYS.index(text) if text in _DAYS else int(text)
    if day > 7:
        raise ValueError(text)
    return day
