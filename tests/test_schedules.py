"""Schedules: intervals and crontab fields mean what people who write them expect."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer.schedules import seconds_of, trigger

SATURDAY = datetime(2025, 10, 11, 12, 0, tzinfo=UTC)


def following(text: str, count: int = 1) -> list[str]:
    """Return the next moments of a schedule after a Saturday noon, with their weekdays."""
    clock, moment, found = trigger(text), SATURDAY, []
    for _ in range(count):
        moment = clock.get_next_fire_time(None, moment + timedelta(seconds=1))
        found.append(f"{moment:%a %d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("5 min", 300), ("2h", 7_200), ("1d", 86_400)]
)
def test_an_interval_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """Seconds, minutes, hours and days."""
    assert seconds_of(text) == seconds
    assert trigger(text).interval == timedelta(seconds=seconds)


def test_five_fields_are_a_time_of_day_in_utc() -> None:
    """Minute and hour, wherever the machine stands."""
    assert following("15 3 * * *", 2) == ["Sun 12 03:15", "Mon 13 03:15"]


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", ["Sun"]),
        ("7", ["Sun"]),
        ("1", ["Mon"]),
        ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("0-6/3", ["Sun", "Wed", "Sat"]),
        ("*/2", ["Sun", "Tue", "Thu", "Sat"]),
        ("fri,MON", ["Mon", "Fri"]),
        ("5-7", ["Sun", "Fri", "Sat"]),
    ],
)
def test_weekdays_count_from_sunday(field: str, days: list[str]) -> None:
    """As in cron, not as in apscheduler, whose 0 is a Monday."""
    found = following(f"0 9 * * {field}", len(days))

    assert [moment[:3] for moment in found] == days


@pytest.mark.parametrize(
    "text",
    [
        *("", "0s", "30", "-5s", "1.5h", "soon", "* * * *", "61 * * * *", "* * * * 8"),
        *("* * * * 5-1", "* * * * mo", "* * * * 1/0", "* * * * */x", "* * 1 * 1"),
        *("36601d", "99999999999d"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """With the forms that are expected."""
    with pytest.raises(ValueError, match=r"interval such as 30s|either a day of the month"):
        trigger(text)


def test_a_day_that_never_comes_is_refused() -> None:
    """A task on 30 February would be asked for and never done."""
    with pytest.raises(ValueError, match="a day that the month has"):
        trigger("0 3 30 2 *")
    assert following("0 3 29 2 *") == ["Tue 29 03:00"]
