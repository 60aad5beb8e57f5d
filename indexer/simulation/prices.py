"""
The prices the simulated world agrees on, and when its blocks come.

Prices are integers in 1e-8 dollars. Each asset walks at random and follows one common fall, scaled
by how much it exaggerates the others. Nothing is a float: the same seed gives the same prices on
every machine.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from indexer.simulation.scenarios import ONE, THREE_DAYS, Scenario

START, CRASH, END = THREE_DAYS.start, THREE_DAYS.crash, THREE_DAYS.end
CALM_SECONDS, CRASH_SECONDS = 60, 5


@dataclass(frozen=True)
class Asset:
    """
    Something with a price.

    Attributes:
        symbol: upper case.
        start: first price, 1e-8 USD.
        swing: largest part of one random step of a minute, ppm; four parts make a step.
        beta: how much of the common fall it takes, ppm.
    """

    symbol: str
    start: int
    swing: int
    beta: int


ASSETS = (
    Asset("ETH", 3_180_00000000, 2_400, ONE),
    Asset("BTC", 92_400_00000000, 1_700, 620_000),
    Asset("SOL", 137_50000000, 3_300, 1_350_000),
    Asset("GMX", 11_80000000, 2_800, 900_000),
    Asset("USDC", 1_00000000, 30, 9_000),
)

Prices = Mapping[str, int]


def block_times(scenario: Scenario = THREE_DAYS) -> tuple[int, ...]:
    """Return the seconds of the blocks of the trading chain: every minute, in the crash every 5."""
    first, last = (scenario.crash + seconds for seconds in scenario.watched)
    return (
        *range(scenario.start, first, CALM_SECONDS),
        *range(first, last, CRASH_SECONDS),
        *range(last, scenario.end, CALM_SECONDS),
    )


def paths(seed: int, times: Sequence[int], scenario: Scenario = THREE_DAYS) -> dict[int, Prices]:
    """Return the price of each asset (1e-8 USD) at each of these seconds."""
    walks = {asset.symbol: _path(asset, seed, times, scenario) for asset in ASSETS}
    return {
        time: {symbol: walk[index] for symbol, walk in walks.items()}
        for index, time in enumerate(times)
    }


def delayed(prices: Mapping[int, Prices], seconds: int) -> dict[int, Prices]:
    """Return for each second the prices that somebody sees who sees them this much later."""
    times = list(prices)
    places = [max(0, bisect_right(times, time - seconds) - 1) for time in times]
    return {time: prices[times[place]] for time, place in zip(times, places, strict=True)}


def _path(asset: Asset, seed: int, times: Sequence[int], scenario: Scenario) -> list[int]:
    random = Random(f"{seed} {asset.symbol}")
    level = asset.start
    found = [level]
    for before, time in pairwise(times):
        # A short step moves less than a long one, and in a fall more than it would in calm.
        quarters = scenario.unrest_quarters if time - before < CALM_SECONDS else 4
        unrest = asset.swing * quarters // 4
        step = sum(random.randint(-unrest, unrest) for _ in range(4))
        level = level * (4 * ONE + step) // (4 * ONE)
        fall = between(scenario.fall, time - scenario.crash)
        found.append(level * (ONE + asset.beta * fall // ONE) // ONE)
    return found


def depth(time: int, scenario: Scenario = THREE_DAYS) -> int:
    """Return how much of the usual depth the book has at this second, ppm."""
    return between(scenario.depth, time - scenario.crash)


def between(points: Sequence[tuple[int, int]], place: int) -> int:
    """Return the value at `place` on the straight lines through (place, value) points."""
    if place <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if place <= right:
            return low + (high - low) * (place - left) // (right - left)
    return points[-1][1]
