"""The event of a report: where it is looked for, how wide it is, and what is read of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from handmade import at, table
from report_rows import GMX, written_market

from analytics import load
from analytics.reports.context import Context
from analytics.reports.event import Event, event, event_days
from analytics.reports.scope import Limits, Scope
from analytics.reports.times import whole_days

LOST = GMX | {"market": "0xeth", "is_long": True}
BURST = table(
    "liquidations",
    LOST | {"notional_usd": 9, "block_timestamp": at(-7200)},
    LOST | {"notional_usd": 5, "block_timestamp": at(10)},
    LOST | {"notional_usd": 5, "block_timestamp": at(3599)},
)


def found(
    folder: Path, limits: Limits | None = None, **replaced: object
) -> tuple[Event | None, ...]:
    """Return the event of a market, and its days."""
    path = written_market(folder, **({"liquidations": BURST} | replaced))  # type: ignore[arg-type]
    with load.database(path) as con:
        context = Context(Scope(con, limits or Limits()))
        return event(context), event_days(context)


def test_the_event_is_around_the_worst_hour(tmp_path: Path) -> None:
    """Ten dollars from 21:00 on are more than nine before: an hour before it to two after."""
    hours, days = found(tmp_path)

    assert hours is not None
    assert (hours.start, hours.end) == (at(-3600), at(7200))
    assert "which began 2025-10-10 21:00:00" in hours.words
    assert hours.settings == {
        "event_start": "2025-10-10T20:00:00",
        "event_end": "2025-10-10T23:00:00",
    }
    # Its day, from where the first block is known.
    assert days is not None
    assert (days.start, days.end) == (at(-60), datetime(2025, 10, 11))


@pytest.mark.parametrize("hours", [5, 6])
def test_narrow_limits_are_the_event(tmp_path: Path, hours: int) -> None:
    """A report about six hours or less is about the event, wherever the burst was."""
    limits = Limits(since=at(-3600), until=at(3600 * (hours - 1)))

    one, _ = found(tmp_path, limits)

    assert one is not None
    assert (one.start, one.end) == (limits.since, limits.until)


@pytest.mark.parametrize(
    ("start", "around"),
    [
        (datetime.min, (datetime.min, datetime.min + timedelta(hours=6))),
        (datetime.max - timedelta(hours=3), (datetime.max - timedelta(hours=28), datetime.max)),
    ],
)
def test_an_event_may_be_where_time_ends(
    tmp_path: Path, start: datetime, around: tuple[datetime, datetime]
) -> None:
    """What would be a day before the year 1, or after 9999, is no moment that must exist."""
    end = start + timedelta(hours=3)

    one, days = found(tmp_path, Limits(since=start, until=end))

    assert one is not None
    assert one.around == around
    assert days is not None
    assert days.start <= start < end <= days.end


def test_wide_limits_are_searched(tmp_path: Path) -> None:
    """Seven hours hold an event and are none."""
    one, _ = found(tmp_path, Limits(since=at(-3600), until=at(6 * 3600)))

    assert one is not None
    assert one.end == at(7200)


def test_without_a_liquidation_there_is_no_event(tmp_path: Path) -> None:
    """No hour is the worst; what moves slowly is looked at over all that is covered."""
    hours, days = found(tmp_path, liquidations=table("liquidations"))

    assert hours is None
    assert days is not None
    assert (days.start, days.end) == (at(-60), at(90_000))
    assert days.words.startswith("No liquidation marks an event")


def test_without_a_known_time_there_are_no_days(tmp_path: Path) -> None:
    """Blocks whose time nobody knows cover no days."""
    nothing: dict[str, Any] = {"liquidations": table("liquidations"), "blocks": table("blocks")}

    assert found(tmp_path, **nothing) == (None, None)


@pytest.fixture(scope="module")
def days_apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of blocks from 21:00 to 23:58 two days later."""
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    ends = [
        {"number": 100, "timestamp": at(0)},
        {"number": 200, "timestamp": datetime(2025, 10, 12, 23, 58)},
    ]
    blocks = table("blocks", *(block | end for end in ends))
    return written_market(tmp_path_factory.mktemp("days"), blocks=blocks)


@pytest.mark.parametrize(
    ("since", "until", "dates"),
    [
        (None, None, (11, 12)),
        (at(0), at(days=1), None),  # 24 hours, and no day
        (at(0), datetime(2025, 10, 12), (11, 11)),
        (datetime(2025, 10, 11, 0, 5), datetime(2025, 10, 11, 23, 55), (11, 11)),
        (datetime(2025, 10, 11, 0, 6), datetime(2025, 10, 12), None),
        (datetime(2025, 10, 11), datetime(2025, 10, 11, 23, 54), None),
        (datetime(2025, 10, 12), datetime.max, (12, 12)),
        (datetime.max, None, None),
    ],
)
def test_whole_days_have_blocks_at_both_ends(
    days_apart: Path, since: datetime | None, until: datetime | None, dates: tuple[int, int] | None
) -> None:
    """Days count that a report has whole."""
    with load.database(days_apart) as con:
        days = whole_days(Scope(con, Limits(since=since, until=until)))

    assert (days and (days[0].day, days[1].day)) == dates


def test_the_last_of_all_days_is_not_whole(tmp_path: Path) -> None:
    """A block may say that it is of the year 9999; what ends that day cannot be said."""
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    late = datetime(9999, 12, 31, 12)
    ends = [{"number": 100, "timestamp": late}, {"number": 200, "timestamp": datetime.max}]

    with load.database(
        written_market(tmp_path, blocks=table("blocks", *(block | end for end in ends)))
    ) as con:
        assert whole_days(Scope(con, Limits())) is None


def test_days_that_no_chain_covers_are_kept(tmp_path: Path) -> None:
    """An event outside of what every chain covers keeps its day, and is said not to be covered."""
    late = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    blocks = table(
        "blocks",
        late | {"number": 100, "timestamp": at(days=3)},
        late | {"number": 200, "timestamp": at(days=4)},
    )

    _, days = found(tmp_path, blocks=blocks)

    assert days is not None
    assert days.start == datetime(2025, 10, 10)
    assert "No time of the event is covered on every chain" in days.words


def test_a_window_has_its_own_facts_and_states_their_past(tmp_path: Path) -> None:
    """Of a window only its liquidations count, but open interest is what it was before."""
    path = written_market(tmp_path, liquidations=BURST)
    with load.database(path) as con:
        scope = Scope(con)
        between = (at(0), at(60))
        inside = scope.metric("liquidations", between=between)
        opened = scope.metric("open_interest", between=(at(3600), at(9000)))

    assert inside["liquidation_count"].to_list() == [1]
    assert opened["open_interest_long_usd"].to_list() == [900, 500]


def test_a_window_ends_where_the_report_does(tmp_path: Path) -> None:
    """What is after the report's end is in none of its windows."""
    path = written_market(tmp_path, liquidations=BURST)
    with load.database(path) as con:
        scope = Scope(con, Limits(until=at(100)))
        inside = scope.metric("liquidations", between=(at(0), at(9000)))

    assert inside["liquidation_count"].to_list() == [1]
