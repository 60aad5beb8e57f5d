"""Scenarios as data, what is wrong with feeds, and the notes nobody on chain can read."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexer.simulation.feeds import Feed
from indexer.simulation.prices import block_times, delayed, paths
from indexer.simulation.scenarios import SCENARIOS, THREE_DAYS, Fault
from indexer.simulation.truth import Cut, Reading, Round, Truth, error_ppm

TRUTH = Truth(SCENARIOS["calm"])
MINUTE = 60


def answers(fault: Fault | None) -> list[int]:
    """Return what a feed says each minute of a price of 100, 110, 121; a fault is in the middle."""
    feed, said = Feed(bytes(20), "BTC"), []
    for number, price in enumerate((100, 100, 110, 110, 121, 121)):
        list(feed.acts(10_000 + MINUTE * number, price, fault if number in {2, 3} else None))
        said.append(feed.answer)
    return said


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, [100, 100, 100, 110, 110, 121]),
        (Fault("BTC", 0, 1, is_silent=True), [100, 100, 100, 100, 110, 121]),
        (Fault("BTC", 0, 1, is_frozen=True), [100, 100, 100, 100, 100, 121]),
        (Fault("BTC", 0, 1, off_ppm=-500_000), [100, 100, 100, 55, 55, 121]),
    ],
    ids=["none", "silent", "frozen", "off"],
)
def test_what_a_feed_says_while_it_is_wrong(fault: Fault | None, expected: list[int]) -> None:
    """Nodes post what they saw a block ago; a silent feed keeps looking, a frozen one does not."""
    assert answers(fault) == expected


def test_who_sees_prices_late_sees_the_latest_of_then() -> None:
    """Fifteen seconds late means the last block at least fifteen seconds ago, or the first one."""
    prices = {at: {"BTC": at} for at in (0, 10, 20, 40)}

    assert [each["BTC"] for each in delayed(prices, 15).values()] == [0, 0, 0, 20]
    assert delayed(prices, 0) == prices


def test_a_world_without_a_script_is_the_demo_s() -> None:
    """Nothing said, prices and blocks are those of the three days."""
    times = block_times()

    assert times == block_times(THREE_DAYS)
    assert paths(1, times) == paths(1, times, THREE_DAYS)
    assert paths(1, times) != paths(1, times, SCENARIOS["calm"])


def test_waves_end_where_a_round_had_nothing_to_close() -> None:
    """Rounds come every 20 seconds: 0, 20 and 60 are two waves."""
    rounds = [Round(at, 1, (b"a",), 1) for at in (0, 20, 60)]

    assert Truth(TRUTH.scenario, rounds).waves() == [rounds[:2], rounds[2:]]
    assert TRUTH.waves() == []


def test_liquidators_are_overrun_while_more_is_due_than_they_close() -> None:
    """From the first to the last round that left something over."""
    rounds = [Round(at, due, (b"a",), 1) for at, due in ((0, 1), (20, 2), (40, 1), (60, 5))]

    assert Truth(TRUTH.scenario, rounds).overrun() == (20, 60)
    assert Truth(TRUTH.scenario, rounds[:1]).overrun() is None


def test_overshoot_is_what_was_taken_beyond_the_need() -> None:
    """Of 100 only 60 may stay: 50 is 10 too many, 30 is not enough and no overshoot."""
    much, little = (
        Cut(
            0,
            b"m",
            is_long=True,
            key=b"k",
            rank=1,
            held=2,
            score_ppm=1,
            gain_usd=100,
            allowed_usd=60,
            taken_usd=taken,
        )
        for taken in (50, 30)
    )

    assert (much.overshoot_usd, little.overshoot_usd) == (10, 0)
    assert Truth(TRUTH.scenario, cuts=[much, little, much]).overshoot_usd == 20


def test_a_feed_is_wrong_from_its_first_to_its_last_wrong_block() -> None:
    """An answer of 94 where the price is 100 is 600 bps off; ether is not asked for."""
    readings = [
        Reading(at, asset, error_ppm(answer, 100))
        for at, asset, answer in ((0, "BTC", 100), (5, "BTC", 94), (9, "BTC", 106), (9, "ETH", 1))
    ]
    truth = Truth(TRUTH.scenario, readings=readings)

    assert truth.wrong("BTC", 500) == (5, 9)
    assert truth.wrong("BTC", 600) is None
    assert truth.largest_error_bps("BTC") == 600


def test_only_a_fall_is_a_trigger() -> None:
    """The calm, a failing oracle and an empty book have no second at which prices fell."""
    falling = {name for name, each in SCENARIOS.items() if Truth(each).trigger_at is not None}

    assert falling == {"three_days", "crash_with_adl", "wick_and_recovery"}


def test_the_demo_names_its_scenarios(tmp_path: Path) -> None:
    """A scenario nobody wrote is refused in one sentence with those there are, before any work."""
    command = [sys.executable, "-m", "perpscope", "demo", "--scenario", "storm"]

    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert all(name in result.stderr for name in SCENARIOS)
    assert list(tmp_path.iterdir()) == []
