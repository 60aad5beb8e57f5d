"""
The scripts of the simulated world, as data: what falls, when, how thin the book gets, what breaks.

`THREE_DAYS` is the demo's world. The others are a few hours long and each has one thing to find;
what it is, is theirs to say: their figures are the truth that analytics are measured against.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

ONE = 1_000_000  # ppm of the whole

Points = tuple[tuple[int, int], ...]

_NEVER: Points = ((0, 0),)
_WHOLE: Points = ((0, ONE),)


@dataclass(frozen=True)
class Fault:
    """
    Something that is wrong with the Chainlink feeds of one asset. Seconds are after the crash.

    Attributes:
        asset: base symbol.
        first: from this second on.
        last: to this second, excluded.
        off_ppm: what its nodes add to the price, ppm of it.
        is_silent: nothing is posted.
        is_frozen: nodes go on seeing the price they saw last.
    """

    asset: str
    first: int
    last: int
    off_ppm: int = 0
    is_silent: bool = False
    is_frozen: bool = False


@dataclass(frozen=True)
class Scenario:
    """
    What happens in a world, apart from chance. Seconds of points are after the crash began.

    Attributes:
        name: as the demo's option spells it.
        start: first second, at a midnight UTC.
        crash: the second when prices begin to fall, or would.
        end: the second after the last.
        watched: between these seconds blocks come every 5 instead of every 60.
        fall: (second, common fall in ppm of the price), straight lines between.
        depth: (second, share of the usual depth of the book in ppm), straight lines between.
        unrest_quarters: of a short step, in quarters of that of a minute.
        orders_percent: of the blocks of a minute have an order.
        rush_percent: of the short blocks have an order.
        pool_percent: of the usual size of GMX v2's pools, which decides when ADL begins.
        vault_delay_seconds: how old the prices are that GMX v1 sees: what it lags by.
        vault_traders: how many trade on GMX v1.
        vault_act_seconds: between two of their orders.
        vault_deviation_bps: GMX v1 posts a price that moved by more.
        ethereum_seconds: between blocks of Ethereum, where Chainlink, Aave and Maple are.
        credit_hour_seconds: what an hour of the credit pool takes.
        keepers_seconds: between two looks of the liquidators while blocks are full.
        faults: what is wrong with the feeds.
    """

    name: str
    start: int
    crash: int
    end: int
    watched: tuple[int, int]
    fall: Points = _NEVER
    depth: Points = _WHOLE
    unrest_quarters: int = 3
    orders_percent: int = 34
    rush_percent: int = 11
    pool_percent: int = 100
    vault_delay_seconds: int = 0
    vault_traders: int = 12
    vault_act_seconds: int = 40 * 60
    vault_deviation_bps: int = 40
    ethereum_seconds: int = 120
    credit_hour_seconds: int = 3_600
    keepers_seconds: int = 20
    faults: tuple[Fault, ...] = ()

    @property
    def is_crash(self) -> bool:
        """Whether prices fall at all."""
        return any(fall for _, fall in self.fall)


_JANUARY_5 = 1_767_571_200  # 2026-01-05T00:00:00Z
_JANUARY_6 = _JANUARY_5 + 86_400

THREE_DAYS = Scenario(
    name="three_days",
    start=_JANUARY_5,
    crash=_JANUARY_5 + 86_400 + 20 * 3_600 + 50 * 60,  # day 2, 20:50 UTC
    end=_JANUARY_5 + 3 * 86_400,
    watched=(-5 * 60, 45 * 60),
    fall=(
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
    ),
    depth=(
        (0, ONE),
        (240, 300_000),
        (1_200, 100_000),
        (1_800, 100_000),
        (3_600, 400_000),
        (6 * 3_600, ONE),
        (7 * 24 * 3_600, ONE),
    ),
)

# Two hours in which positions are built up, ten watched minutes, then what the scenario is about.
_CALM = Scenario(
    name="calm",
    start=_JANUARY_6,
    crash=_JANUARY_6 + 7_800,
    end=_JANUARY_6 + 10_800,
    watched=(-10 * 60, 35 * 60),
    unrest_quarters=1,
    orders_percent=90,
    rush_percent=60,
    vault_delay_seconds=30,
    vault_traders=40,
    vault_act_seconds=120,
    vault_deviation_bps=2,
    ethereum_seconds=15,
    credit_hour_seconds=300,
)
_CRASH_WITH_ADL = replace(
    _CALM,
    name="crash_with_adl",
    fall=((0, 0), (5, -15_000), (300, -70_000), (900, -200_000), (1_200, -230_000)),
    depth=((0, ONE), (300, 300_000), (1_200, 200_000), (2_100, ONE)),
    pool_percent=50,
    vault_delay_seconds=20,
)
_ORACLE_FAILURE = replace(
    _CALM,
    name="oracle_failure",
    faults=(
        Fault("ETH", first=300, last=900, off_ppm=-80_000),
        Fault("BTC", first=600, last=1_500, is_silent=True),
    ),
)
_LIQUIDITY_VOID = replace(
    _CALM,
    name="liquidity_void",
    depth=((0, ONE), (60, 30_000), (1_200, 30_000), (1_500, ONE)),
    vault_delay_seconds=10,
)
_WICK_AND_RECOVERY = replace(
    _CALM,
    name="wick_and_recovery",
    fall=((0, 0), (5, -15_000), (90, -160_000), (120, -160_000), (300, -8_000), (600, 0)),
    depth=((0, ONE), (60, 50_000), (300, 50_000), (900, ONE)),
    vault_delay_seconds=15,
    faults=(Fault("ETH", first=60, last=600, is_frozen=True),),
)

SCENARIOS: Mapping[str, Scenario] = {
    each.name: each
    for each in (
        THREE_DAYS,
        _CALM,
        _CRASH_WITH_ADL,
        _ORACLE_FAILURE,
        _LIQUIDITY_VOID,
        _WICK_AND_RECOVERY,
    )
}
