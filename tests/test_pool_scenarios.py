"""
What an event did to a pool whose share price is scripted: told from a reading a day, error stated.

The pool is the simulator's own. It earns every hour; the script says what is lost, what is made
good again and who leaves. The truth is what a share was worth at the ends of the event itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from handmade import load, table

from analytics.compute import collected, compute
from indexer.simulation.ledger import exact
from indexer.simulation.shares import Shares

HOUR = timedelta(hours=1)
FIRST, LAST = datetime(2025, 10, 8), datetime(2025, 10, 14)
BEGIN, END = datetime(2025, 10, 10, 21), datetime(2025, 10, 12, 21)
EVENT = {"event_start": BEGIN.isoformat(), "event_end": END.isoformat()}
# The readings nearest before the ends of the event, at midnight.
READ = (datetime(2025, 10, 10), datetime(2025, 10, 12))
SIX = 10**6  # a whole token in smallest units
INTEREST_PPM = 8  # an hour, 7 % a year


@dataclass(frozen=True)
class Script:
    """
    What happens to a pool, by the hour after the event began, in ppm.

    Attributes:
        losses: of the assets, written off; below zero what is made good.
        leaving: of the shares, paid out at their price.
    """

    losses: Mapping[int, int] = field(default_factory=dict)
    leaving: Mapping[int, int] = field(default_factory=dict)


SCRIPTS = {
    "calm": Script(),
    "a loss": Script({3: 40_000}),
    "a loss after the last reading": Script({46: 40_000}),
    "a loss made good": Script({3: 40_000, 20: -41_667}),
    "a run": Script(leaving={1: 30_000, 5: 60_000, 12: 90_000}),
    "a loss and a run": Script({2: 25_000, 30: -10_000}, {4: 150_000, 31: 50_000}),
}


@dataclass
class Played:
    """The rows that readers of a script have, and what was true at every hour."""

    prices: list[Mapping[str, object]] = field(default_factory=list)
    states: list[Mapping[str, object]] = field(default_factory=list)
    flows: list[Mapping[str, object]] = field(default_factory=list)
    worth: dict[datetime, float] = field(default_factory=dict)
    assets: dict[datetime, float] = field(default_factory=dict)
    paid: float = 0.0

    def change(self, first: datetime, last: datetime) -> float:
        """Return how a share's worth really changed."""
        return self.worth[last] / self.worth[first] - 1

    def told(self) -> dict[str, object]:
        """Return the one row of `pool_resilience` of these facts."""
        facts = {"share_prices": self.prices, "pool_states": self.states, "pool_flows": self.flows}
        frames = {name: table(name, *rows) for name, rows in facts.items()}
        frames["declared_facts"] = table("declared_facts", {"fact": "pool_flows"})
        (row,) = collected(compute("pool_resilience", load(**frames), **EVENT)).to_dicts()
        return row


def played(script: Script) -> Played:
    """Return what a pool of 1.1 billion tokens goes through, hour by hour."""
    pool, found, moment = (
        Shares(b"p" * 20, b"a" * 20, 6, 10**9 * SIX, 1_100_000_000 * SIX),
        Played(),
        FIRST,
    )
    while moment <= LAST:
        hour = round((moment - BEGIN) / HOUR)
        place: dict[str, object] = {"block_timestamp": moment}
        pool.earned(pool.assets * (INTEREST_PPM - script.losses.get(hour, 0)) // 1_000_000)
        if left := pool.supply * script.leaving.get(hour, 0) // 1_000_000:
            paid = left * pool.assets // pool.supply
            pool.moved(-paid, -left)
            found.paid += paid / SIX
            key = {"kind": "withdrawal", "pool": f"0x{pool.pool.hex()}"}
            asset = {"asset_token": f"0x{pool.asset.hex()}", "asset_tokens": exact(paid, 6)}
            found.flows.append(place | key | asset)
        if moment.hour == 0:
            price, state = (dict(each.cells) for each in pool.entries())
            found.prices.append(place | price)
            found.states.append(place | state)
        found.worth[moment] = pool.assets / pool.supply
        found.assets[moment] = pool.assets / SIX
        moment += HOUR
    return found


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_the_error_is_what_happened_since_the_readings(script: Script) -> None:
    """Between two readings nobody looks: the price change lacks just what they did not see."""
    pool = played(script)

    estimate, truth = pool.told()["price_change_ratio"], pool.change(BEGIN, END)

    unseen = (1 + pool.change(READ[1], END)) / (1 + pool.change(READ[0], BEGIN))
    assert isinstance(estimate, float)
    assert (1 + estimate) * unseen - 1 == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "truth_percent", "error_percent"),
    [
        ("calm", 0.04, 0.02),
        ("a loss", -3.96, 0.02),
        ("a loss after the last reading", -3.96, 4.0),
        ("a loss made good", 0.04, 0.02),
        ("a run", 0.04, 0.02),
        ("a loss and a run", -1.5, 0.99),
    ],
)
def test_a_loss_is_told_once_it_is_read(
    name: str, truth_percent: float, error_percent: float
) -> None:
    """A day's reading is two basis points late in calm, and misses a loss that comes after it."""
    pool = played(SCRIPTS[name])

    truth, told = pool.change(BEGIN, END), pool.told()["price_change_ratio"]

    assert isinstance(told, float)
    assert 100 * truth == pytest.approx(truth_percent, abs=0.02)
    assert 100 * abs(told - truth) == pytest.approx(error_percent, abs=0.02)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_who_left_is_told_to_the_reading(script: Script) -> None:
    """Outflow is of what the pool held at the reading before, which interest alone changed."""
    pool = played(script)

    told = pool.told()["outflow_ratio"]

    assert isinstance(told, float)
    assert told == pytest.approx(pool.paid / pool.assets[READ[0]], abs=1e-12)
    assert told == pytest.approx(pool.paid / pool.assets[BEGIN], abs=1e-4)
