"""Events in time and in few hands: clusters, shares, windows, inequality."""

from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.clusters import clustered, gini, reached, smallest_window, top_share

START = datetime(2025, 10, 10, 21)
DOLLARS = pl.Decimal(38, 18)

pauses = st.lists(st.integers(0, 20), min_size=1, max_size=20)
amounts = st.lists(st.decimals(0, 1000, places=2), min_size=1, max_size=20)


def events(*pairs: tuple[float, str | None]) -> pl.LazyFrame:
    """Return events: seconds after the start, and dollars."""
    return pl.LazyFrame(
        {
            "at": [START + timedelta(seconds=seconds) for seconds, _ in pairs],
            "usd": [None if usd is None else Decimal(usd) for _, usd in pairs],
        },
        schema={"at": pl.Datetime("us"), "usd": DOLLARS},
    )


def held(*usd: str | None) -> pl.DataFrame:
    """Return one row per holder."""
    values = [None if each is None else Decimal(each) for each in usd]
    return pl.DataFrame({"usd": values}, schema={"usd": DOLLARS})


def seconds_of(moment: datetime | None) -> float | None:
    """Return how long after the start a moment is."""
    return None if moment is None else (moment - START).total_seconds()


def test_a_pause_longer_than_the_gap_begins_a_cluster() -> None:
    """With a gap of five seconds 0 and 5 belong together, 10.001 does not."""
    found = clustered(events((10.001, "1"), (0, "1"), (5, "1")), 5000, time="at").collect()

    assert found["cluster"].to_list() == [1, 1, 2]
    assert found.schema["cluster"] == pl.Int64


def test_each_group_is_clustered_apart() -> None:
    """Another venue's event does not bridge a pause."""
    two = events((0, "1"), (4, "1"), (8, "1")).with_columns(venue=pl.Series(["a", "b", "a"]))

    found = clustered(two, 5000, time="at", by=["venue"]).collect()

    assert found.select("venue", "cluster").rows() == [("a", 1), ("a", 2), ("b", 1)]


@given(pauses, st.integers(0, 20))
def test_clusters_are_the_pauses_above_the_gap_and_one(steps: list[int], gap: int) -> None:
    """There is one cluster more than there are pauses longer than the gap."""
    moments = [sum(steps[: i + 1]) for i in range(len(steps))]
    found = clustered(events(*((at, "1") for at in moments)), gap * 1000, time="at").collect()

    assert found["cluster"].max() == 1 + sum(step > gap for step in steps[1:])


def test_half_is_reached_with_the_event_that_makes_it_half() -> None:
    """Of 1 + 1 + 2 the half is there at the second event, all at the last."""
    found = reached(
        events((2, "2"), (0, "1"), (1, "1")), [25, 50, 51, 100], time="at", amount="usd"
    ).collect()

    assert [(p, seconds_of(at)) for p, at in found.rows()] == [(25, 0), (50, 1), (51, 2), (100, 2)]


@pytest.mark.parametrize("usd", ["0.01", "0.09", "0.17", "0.38"])
def test_a_share_that_is_reached_exactly_is_reached(usd: str) -> None:
    """Of a hundred equal amounts so many percent are there with the event of that number."""
    equal = events(*((number, usd) for number in range(1, 101)))

    found = reached(equal, [25, 50, 75, 90, 99], time="at", amount="usd").collect()

    assert [seconds_of(at) for _, at in found.rows()] == [25, 50, 75, 90, 99]


@pytest.mark.parametrize("pairs", [((0, "0"),), ((0, "1"), (1, None), (2, "1"))])
def test_nothing_is_reached_of_zero_or_the_unknown(pairs: tuple[tuple[float, str]]) -> None:
    """A total of zero and an unknown amount give null; no events give no row."""
    found = reached(events(*pairs), [50], time="at", amount="usd").collect()

    assert found.rows() == [(50, None)]
    assert reached(events(), [50], time="at", amount="usd").collect().is_empty()


def test_each_group_has_a_total_of_its_own() -> None:
    """Half of one venue does not wait for the other, nor does its window reach into it."""
    two = events((0, "1"), (1, "9"), (5, "1"), (7, "1")).with_columns(venue=pl.Series([*"abaa"]))

    half = reached(two, [50], time="at", amount="usd", by=["venue"]).collect()
    window = smallest_window(two, 60, time="at", amount="usd", by=["venue"]).collect()

    assert [(venue, seconds_of(at)) for venue, _, at in half.rows()] == [("a", 5), ("b", 1)]
    assert window.select("venue", "milliseconds").rows() == [("a", 2000), ("b", 0)]


def test_the_smallest_window_is_where_most_comes_together() -> None:
    """7 of 10 lie between 10 s and 12 s; 70 % need no more."""
    crash = events((0, "1"), (10, "3"), (12, "4"), (60, "2"))

    found = smallest_window(crash, 70, time="at", amount="usd").collect()

    assert found.columns == ["from_at", "to_at", "milliseconds", "usd"]
    assert seconds_of(found["from_at"].item()) == 10
    assert found.select("milliseconds", "usd").row(0) == (2000, Decimal(7))


def test_one_moment_may_hold_enough() -> None:
    """Events of the same moment are added first, so the window may have no length."""
    found = smallest_window(events((0, "1"), (5, "4"), (5, "5")), 90, time="at", amount="usd")

    assert found.collect().select("milliseconds", "usd").row(0) == (0, Decimal(9))


@given(st.lists(st.tuples(st.integers(0, 50), st.decimals(0, 99, places=1).map(str)), max_size=9))
def test_no_shorter_window_holds_as_much(pairs: list[tuple[int, str]]) -> None:
    """Every pair of moments was tried: none that is nearer holds 70 percent."""
    found = smallest_window(events(*pairs), 70, time="at", amount="usd").collect()
    total = sum(Decimal(usd) for _, usd in pairs)
    lengths = [
        end - start
        for start, _ in pairs
        for end, _ in pairs
        if start <= end
        and sum(Decimal(usd) for at, usd in pairs if start <= at <= end) * 100 >= total * 70
    ]

    assert found["milliseconds"].to_list() == ([1000 * min(lengths)] if total > 0 else [])


def test_a_window_is_not_known_while_an_amount_is_not() -> None:
    """An unknown amount may lie anywhere."""
    assert (
        smallest_window(events((0, "1"), (1, None), (2, "1")), 70, time="at", amount="usd")
        .collect()
        .is_empty()
    )


def test_equal_holders_have_a_gini_of_zero() -> None:
    """One of two who holds all gives 1/2, of four 3/4."""
    assert held("5", "5", "5").select(gini(pl.col("usd"))).item() == 0
    assert held("0", "7").select(gini(pl.col("usd"))).item() == 0.5
    assert held("0", "7", "0", "0").select(gini(pl.col("usd"))).item() == 0.75


@pytest.mark.parametrize("usd", [(), ("0", "0"), ("1", None)])
def test_inequality_of_nothing_is_not_known(usd: tuple[str | None, ...]) -> None:
    """No holders, nothing held and an unknown amount give null."""
    one = held(*usd).select(gini=gini(pl.col("usd")), top=top_share(pl.col("usd"), 1))

    assert one.rows() == [(None, None)]


@given(amounts, st.integers(2, 9))
def test_the_scale_of_amounts_changes_no_inequality(usd: list[Decimal], factor: int) -> None:
    """Everybody holding so many times as much is as unequal, and gini stays within 0 and 1."""
    one = held(*map(str, usd)).select(gini(pl.col("usd"))).item()
    many = held(*(str(each * factor) for each in usd)).select(gini(pl.col("usd"))).item()

    assert one == pytest.approx(many)
    assert one is None or 0 <= one < 1


def test_the_largest_hold_their_share() -> None:
    """The largest of 5, 3, 2 has half, two have 80 %, ten have all."""
    shares = [top_share(pl.col("usd"), n).alias(str(n)) for n in (1, 2, 10)]

    assert held("2", "5", "3").select(shares).row(0) == (0.5, 0.8, 1.0)


def test_settings_that_make_no_sense_are_refused() -> None:
    """A negative gap, no percent, more than all and no holders raise ValueError."""
    nothing = events()

    with pytest.raises(ValueError, match="gap_ms"):
        clustered(nothing, -1, time="at")
    for percent in (0, 101):
        with pytest.raises(ValueError, match="percent"):
            reached(nothing, [percent], time="at", amount="usd")
        with pytest.raises(ValueError, match="percent"):
            smallest_window(nothing, percent, time="at", amount="usd")
    with pytest.raises(ValueError, match="holders"):
        top_share(pl.col("usd"), 0)
