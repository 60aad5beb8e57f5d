"""
What really happened in the simulated world, apart from any fact: what estimates are held against.

Nothing here is on chain. Keepers note how many positions were due, whoever deleverages notes the
need, and each feed's answer is held beside the price it should have said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from indexer.simulation.scenarios import ONE, Scenario

_USD = 10**30


@dataclass(frozen=True, slots=True)
class Round:
    """
    One look of GMX v2's liquidators at the book.

    Attributes:
        time: seconds.
        due: positions that had too little margin.
        accounts: whose positions were closed, in order, 20 bytes each.
        closed_usd: how much was closed, 1e-30 dollars.
    """

    time: int
    due: int
    accounts: tuple[bytes, ...]
    closed_usd: int


@dataclass(frozen=True, slots=True)
class Cut:
    """
    One ADL of GMX v2.

    Attributes:
        time: seconds.
        market: 20 bytes.
        is_long: which side.
        key: of the position, 32 bytes.
        rank: of it, 1 for the largest profit per size.
        held: how many positions the side had.
        score_ppm: its profit per size.
        gain_usd: profit of the whole side before, 1e-30 dollars.
        allowed_usd: the profit at which deleveraging ends, 1e-30 dollars.
        taken_usd: the profit this cut realised, 1e-30 dollars.
    """

    time: int
    market: bytes
    is_long: bool
    key: bytes
    rank: int
    held: int
    score_ppm: int
    gain_usd: int
    allowed_usd: int
    taken_usd: int

    @property
    def overshoot_usd(self) -> int:
        """What was taken beyond the need, 1e-30 dollars."""
        return max(0, self.taken_usd - max(0, self.gain_usd - self.allowed_usd))


@dataclass(frozen=True, slots=True)
class Reading:
    """
    A feed's latest answer beside the price.

    Attributes:
        time: of the block, seconds.
        asset: base symbol.
        error_ppm: (answer / price - 1), truncated toward minus infinity.
    """

    time: int
    asset: str
    error_ppm: int


@dataclass(frozen=True)
class Truth:
    """
    The notes of a world.

    Attributes:
        scenario: what was scripted.
        rounds: of GMX v2's liquidators, those with nothing due left out.
        cuts: ADLs, in order.
        readings: of every Chainlink feed at every block of its chain.
    """

    scenario: Scenario
    rounds: list[Round] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    @property
    def trigger_at(self) -> int | None:
        """The second when prices began to fall; None where they do not."""
        return self.scenario.crash if self.scenario.is_crash else None

    @property
    def lag_seconds(self) -> int:
        """How long GMX v1 sees each price after GMX v2."""
        return self.scenario.vault_delay_seconds

    @property
    def overshoot_usd(self) -> int:
        """What all ADLs took beyond the need, 1e-30 dollars."""
        return sum(cut.overshoot_usd for cut in self.cuts)

    def waves(self) -> list[list[Round]]:
        """Return the rounds that closed something, parted where a round had nothing to close."""
        found: list[list[Round]] = []
        for each in self.rounds:
            if found and each.time - found[-1][-1].time <= self.scenario.keepers_seconds:
                found[-1].append(each)
            else:
                found.append([each])
        return found

    def overrun(self) -> tuple[int, int] | None:
        """Return the first and last second at which more was due than liquidators could close."""
        times = [each.time for each in self.rounds if each.due > len(each.accounts)]
        return (times[0], times[-1]) if times else None

    def wrong(self, asset: str, beyond_bps: int) -> tuple[int, int] | None:
        """Return the first and last second at which an asset's feed was further off than that."""
        times = [each.time for each in self._of(asset) if _bps(each) > beyond_bps]
        return (times[0], times[-1]) if times else None

    def largest_error_bps(self, asset: str) -> int:
        """Return how far an asset's feed was off at most, whole basis points."""
        return max(map(_bps, self._of(asset)), default=0)

    def _of(self, asset: str) -> Iterator[Reading]:
        return (each for each in self.readings if each.asset == asset)


def _bps(reading: Reading) -> int:
    return abs(reading.error_ppm) // 100


def error_ppm(answer: int, price: int) -> int:
    """Return how far an answer is from the price, ppm of the price."""
    return (answer - price) * ONE // price
