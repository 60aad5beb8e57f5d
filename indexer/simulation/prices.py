"""
The prices the simulated world agrees on: three days with a crash on the second evening.

Prices are integers in 1e-8 dollars. Each asset walks at random and follows one common fall, scaled
by how much it exaggerates the others. Nothing is a float: the same seed gives the same prices on
every machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

START = 1_767_571_200  # 2026-01-05T00:00:00Z
END = START + 3 * 86_400
CRASH = START + 86_400 + 20 * 3_600 + 50 * 60  # day 2, 20:50 UTC

ONE = 1_000_000  # ppm of the whole
CALM_SECONDS, CRASH_SECONDS = 60, 5
# Blocks come faster while it matters: seconds after the crash began.
_WATCHED = (-5 * 60, 45 * 60)

# Seconds after the crash began -> common fall in ppm of the price, straight lines between.
_FALL = (
    (0, 0),
    (300, -35_000),
    (900, -90_000),
    (1_260, -130_000),
    (1_500, -260_000),  # the wick
    (1_560, -235_000),
    (1_800, -140_000),
    (4_200, -95_000),
    (24 * 3_600, -60_000),
    (7 * 24 * 3_600, -60_000),
)
# Seconds after the crash began -> share of the usual depth of the book, ppm.
_DEPTH = (
    (0, ONE),
    (240, 300_000),
    (1_200, 100_000),
    (1_800, 100_000),
    (3_600, 400_000),
    (6 * 3_600, ONE),
    (7 * 24 * 3_600, ONE),
)


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


def block_times() -> tuple[int, ...]:
    """Return the seconds of the blocks of the trading chain: every minute, in the crash every 5."""
    first, last = CRASH + _WATCHED[0], CRASH + _WATCHED[1]
    return (
        *range(START, first, CALM_SECONDS),
        *range(first, last, CRASH_SECONDS),
        *range(last, END, CALM_SECONDS),
    )


def paths(seed: int, times: Sequence[int]) -> dict[int, Prices]:
    """Return the price of each asset (1e-8 USD) at each of these seconds."""
    walks = {asset.symbol: _path(asset, seed, times) for asset in ASSETS}
    return {
        time: {symbol: walk[index] for symbol, walk in walks.items()}
        for index, time in enumerate(times)
    }


def _path(asset: Asset, seed: int, times: Sequence[int]) -> list[int]:
    random = Random(f"{seed} {asset.symbol}")
    level = asset.start
    found = [level]
    for before, time in pairwise(times):
        # Three times the usual unrest in a fall; a short step moves less than a long one.
        unrest = asset.swing * (3 if time - before < CALM_SECONDS else 4) // 4
        step = sum(random.randint(-unrest, unrest) for _ in range(4))
        level = level * (4 * ONE + step) // (4 * ONE)
        found.append(level * (ONE + asset.beta * between(_FALL, time - CRASH) // ONE) // ONE)
    return found


def depth(time: int) -> int:
    """Return how much of the usual depth the book has at this second, ppm."""
    return between(_DEPTH, time - CRASH)


def between(points: Sequence[tuple[int, int]], place: int) -> int:
    """Return the value at `place` on the straight lines through (place, value) points."""
    if place <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if place <= right:
            return low + (high - low) * (place - left) // (right - left)
    return points[-1][1]
