"""
How far the cascade metrics are from what was simulated: `python tests/cascade_errors.py` prints it.

Facts are the simulator's own books, which the pipeline is held against elsewhere to the last digit.
An error is estimate minus truth; an alarm is a stage that was seen and did not happen.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import pairwise
from statistics import correlation, mean, median

import polars as pl
from simulated_world import told_by

from analytics.budgets import haircuts, needed_budgets, overshoot
from analytics.compute import collected, compute
from analytics.waves import in_waves
from indexer.chains import ARBITRUM
from indexer.protocols import PROTOCOLS
from indexer.simulation.ledger import moment, text
from indexer.simulation.prices import CALM_SECONDS, Prices, block_times, depth, paths
from indexer.simulation.scenarios import ONE, SCENARIOS, Scenario
from indexer.simulation.truth import Truth
from indexer.simulation.world import World, simulated

NAMES = ("calm", "crash_with_adl", "oracle_failure", "liquidity_void", "wick_and_recovery")
EVENT_SECONDS = 1_200
DISLOCATION_BPS = 500
WAVE_MILLISECONDS, HORIZON_MILLISECONDS = 5_000, 60_000
# The worlds are hours long, so the time a threshold leaves out is minutes.
STAGE_SETTINGS = {"settled_seconds": 1_200}


@dataclass(frozen=True)
class Finding:
    """
    One estimate beside the truth.

    Attributes:
        what: is estimated, with its unit.
        whose: asset or protocol.
        truth: None where it did not happen.
        estimate: None where it was not seen.
    """

    what: str
    whose: str
    truth: float | None
    estimate: float | None

    @property
    def error(self) -> float | None:
        """Estimate minus truth; None where one of them is missing."""
        if self.truth is None or self.estimate is None:
            return None
        return self.estimate - self.truth

    @property
    def is_alarm(self) -> bool:
        """Whether something was seen that did not happen."""
        return self.truth is None and self.estimate is not None

    @property
    def is_missed(self) -> bool:
        """Whether something happened that was not seen."""
        return self.truth is not None and self.estimate is None


@cache
def world(name: str, seed: int) -> World:
    """Return the world of a scenario and a seed, made once."""
    return simulated(seed, SCENARIOS[name])


def measured(metric: str, found: World, **settings: object) -> pl.DataFrame:
    """Return a metric of the simulator's own books."""
    return collected(compute(metric, lambda name: told_by(found, name).lazy(), **settings))


def event(scenario: Scenario) -> dict[str, object]:
    """Return the twenty minutes after the crash began, as settings."""
    ends = (scenario.crash, scenario.crash + EVENT_SECONDS)
    names = ("event_start", "event_end")
    return {name: moment(at).isoformat() for name, at in zip(names, ends, strict=True)}


@cache
def findings(name: str, seed: int) -> list[Finding]:
    """Return every estimate of a world."""
    found = world(name, seed)
    return [
        *stage_findings(found.truth, measured("cascade_stages", found, **STAGE_SETTINGS)),
        *lag_findings(found),
        *correlation_findings(found, seed),
        *shape_findings(found, seed),
        *adl_findings(found, seed),
    ]


def stage_findings(truth: Truth, stages: pl.DataFrame) -> Iterator[Finding]:
    """Yield when stages began and ended, in seconds after the crash."""
    crash = truth.scenario.crash
    seen = stages.filter(pl.col("verdict") == "seen").with_columns(
        (pl.col("start_at", "end_at").dt.epoch("s") - crash).cast(pl.Float64)
    )
    after = partial(_after, crash)
    yield Finding("trigger, s", "any", after(truth.trigger_at), _min(seen, 1))
    overrun, cuts = truth.overrun() or (None, None), [cut.time for cut in truth.cuts]
    of_v2 = seen.filter(protocol="gmx_v2")
    yield Finding("liquidation, s", "gmx_v2", after(overrun[0]), _min(of_v2, 2))
    yield Finding("first ADL, s", "gmx_v2", after(min(cuts, default=None)), _min(seen, 3))
    for asset in ("ETH", "BTC"):
        wrong = truth.wrong(asset, DISLOCATION_BPS) or (None, None)
        of_asset = seen.filter(asset=asset)
        yield Finding("feed off, s", asset, after(wrong[0]), _min(of_asset, 4))
        yield Finding("feed right, s", asset, after(wrong[1]), _max(of_asset, 4))
        largest = float(truth.largest_error_bps(asset)) if wrong[0] else None
        yield Finding("feed off by, bps", asset, largest, _peak(of_asset, 4))


def lag_findings(found: World) -> Iterator[Finding]:
    """Yield how long GMX v1 follows GMX v2, in seconds, over the watched minutes."""
    scenario = found.truth.scenario
    ends = [moment(scenario.crash + seconds).isoformat() for seconds in scenario.watched]
    lags = measured("venue_lead_lag", found, event_start=ends[0], event_end=ends[1])
    for asset in ("ETH", "BTC"):
        pair = lags.filter(asset=asset, protocol="gmx_v1", other_protocol="gmx_v2")
        lag = -float(pair["lag_seconds"][0])
        yield Finding("lag of gmx_v1, s", asset, float(found.truth.lag_seconds), lag)


def correlation_findings(found: World, seed: int) -> Iterator[Finding]:
    """Yield the correlation of BTC and ETH by the minute, before and during the event."""
    scenario = found.truth.scenario
    pairs = measured("asset_correlation", found, **event(scenario))
    for window, start in (("before", -EVENT_SECONDS), ("during", 0)):
        told = pairs.filter(asset="BTC", other_asset="ETH", window=window)["correlation"]
        real = real_correlation(scenario, seed, scenario.crash + start)
        yield Finding(f"correlation {window}", "BTC, ETH", real, float(told[0]))


def shape_findings(found: World, seed: int) -> Iterator[Finding]:
    """Yield falls (%) and what was left of the book (%), beside the paths of the script."""
    scenario = found.truth.scenario
    window = event(scenario)
    drops = measured("event_drops", found, **window, recovery_hours=1)
    for asset in ("BTC", "ETH", "SOL"):
        told = drops.filter(asset=asset)["drop_ratio"][0]
        yield Finding("fall, %", asset, 100 * real_drop(scenario, seed, asset), 100 * told)
    shape = measured("event_shape", found, **window, recovery_hours=1)
    thinned = 100 * float(shape["depth_ratio"][0])
    yield Finding("book left, %", "gmx_v2", 100 * real_depth(found), thinned)


def adl_findings(found: World, seed: int) -> Iterator[Finding]:
    """Yield places told right (%), and what ADLs needed and took too much (USD, where known)."""
    cuts, nothing = found.truth.cuts, (None, None)
    ranks = measured("adl_ranks", found).select("block_timestamp", "position_id", "place_profit")
    places = {(at, key): place for at, key, place in ranks.iter_rows()}
    right = [places[moment(cut.time), text(cut.key)] == cut.rank for cut in cuts]
    yield Finding("places right, %", "gmx_v2", *((100, 100 * mean(right)) if cuts else nothing))
    horizon = {"horizon_milliseconds": HORIZON_MILLISECONDS}
    told = measured("adl_budget", found, **horizon).drop_nulls("overshoot_usd")
    real = real_budgets(found, seed).join(told.select("wave"), on="wave", how="semi")
    for what, column in (("needed", "needed_budget_usd"), ("overshoot", "overshoot_usd")):
        sums = (real[column].sum(), told[column].sum()) if told.height else nothing
        yield Finding(f"{what}, USD", "gmx_v2", *sums)


def real_budgets(found: World, seed: int) -> pl.DataFrame:
    """Return what each wave of ADLs needed and took, by the simulated prices at these moments."""
    end = pl.col("block_timestamp").max().over("protocol", "wave")
    cuts = in_waves(found.ledger.table("adls").lazy(), WAVE_MILLISECONDS).with_columns(
        asked_at=end + pl.duration(milliseconds=HORIZON_MILLISECONDS)
    )
    rows, sign = cuts.collect(), pl.when("is_long").then(1.0).otherwise(-1.0)
    walk, assets = _walk(found.truth.scenario, seed), _assets()
    priced = rows.with_columns(
        pl.Series(name, [_price(walk, at, assets[market]) for at, market in moments.iter_rows()])
        for name, moments in (
            ("mark_price_usd", rows.select("block_timestamp", "market")),
            ("later_price_usd", rows.select("asked_at", "market")),
        )
    ).lazy()
    executed, size = (
        pl.col(name).cast(pl.Float64) for name in ("execution_price_usd", "size_tokens")
    )
    lost = priced.with_columns(lost_usd=sign * (pl.col("later_price_usd") - executed) * size)
    needed, taken = (budget(lost, ["wave"]) for budget in (needed_budgets, haircuts))
    return needed.join(taken, on="wave").with_columns(overshoot()).collect()


def real_drop(scenario: Scenario, seed: int, asset: str) -> float:
    """Return how far the simulated price itself fell in the event."""
    prices = [each[asset] for _, each in _prices(scenario, seed, scenario.crash, EVENT_SECONDS)]
    return 1 - min(prices) / prices[0]


def real_correlation(scenario: Scenario, seed: int, start: int) -> float:
    """Return the correlation of the simulated prices of BTC and ETH by the minute."""
    window = _prices(scenario, seed, start - CALM_SECONDS, EVENT_SECONDS + CALM_SECONDS)
    last = {time // CALM_SECONDS: prices for time, prices in window if time < start + EVENT_SECONDS}
    rows = [last[step] for step in sorted(last)]
    moves = [
        [after[asset] / before[asset] - 1 for before, after in pairwise(rows)]
        for asset in ("BTC", "ETH")
    ]
    return correlation(*moves)


def real_depth(found: World) -> float:
    """Return the median share of the usual book that the script left to GMX v2's trades."""
    scenario = found.truth.scenario
    first, last = (moment(scenario.crash + seconds) for seconds in (0, EVENT_SECONDS))
    trades = found.ledger.table("position_changes").filter(
        pl.col("block_timestamp").is_between(first, last, closed="left"), protocol="gmx_v2"
    )
    times = trades["block_timestamp"].dt.epoch("s")
    return median(depth(time, scenario) for time in times) / ONE


@cache
def _walk(scenario: Scenario, seed: int) -> Mapping[int, Prices]:
    return paths(seed, block_times(scenario), scenario)


def _price(walk: Mapping[int, Prices], at: datetime, asset: str) -> float:
    seconds = int(at.replace(tzinfo=UTC).timestamp())
    return walk[max(time for time in walk if time <= seconds)][asset] / 1e8


@cache
def _assets() -> Mapping[str, str]:
    declared, plain = PROTOCOLS["gmx_v2"], {"WETH": "ETH"}
    tokens = {
        each.address.lower(): plain.get(each.symbol, each.symbol)
        for each in declared.tokens
        if each.chain == ARBITRUM
    }
    indexes = {each.market.lower(): str(each.index_token).lower() for each in declared.markets}
    return {market: tokens[index] for market, index in indexes.items() if index in tokens}


def _prices(scenario: Scenario, seed: int, start: int, seconds: int) -> list[tuple[int, Prices]]:
    walk = _walk(scenario, seed)
    return [(at, each) for at, each in walk.items() if start <= at <= start + seconds]


def _after(crash: int, at: int | None) -> float | None:
    return None if at is None else float(at - crash)


def _min(seen: pl.DataFrame, stage: int) -> float | None:
    return _number(seen.filter(stage=stage)["start_at"].min())


def _max(seen: pl.DataFrame, stage: int) -> float | None:
    return _number(seen.filter(stage=stage)["end_at"].max())


def _peak(seen: pl.DataFrame, stage: int) -> float | None:
    return _number(seen.filter(stage=stage)["peak_value"].max())


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def table(seeds: range) -> Iterator[str]:
    """Yield a Markdown table: per scenario and estimate the worst error over these seeds."""
    yield "| scenario | estimate | whose | truth | error, median | error, worst | alarms | missed |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in NAMES:
        runs = [findings(name, seed) for seed in seeds]
        for same in zip(*runs, strict=True):
            if any(one.truth is not None or one.estimate is not None for one in same):
                yield _line(name, same)


def _line(name: str, same: tuple[Finding, ...]) -> str:
    truths = [one.truth for one in same if one.truth is not None]
    errors = sorted((one.error for one in same if one.error is not None), key=abs)
    span = f"{min(truths):.3g} to {max(truths):.3g}" if truths else "-"
    middle, worst = (
        (f"{errors[len(errors) // 2]:.2g}", f"{errors[-1]:.2g}") if errors else ("-", "-")
    )
    counts = [sum(one.is_alarm for one in same), sum(one.is_missed for one in same)]
    cells = (name, same[0].what, same[0].whose, span, middle, worst, *counts)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    made_at = datetime.now(UTC).date()
    sys.stdout.write("\n".join([*table(range(1, 11)), f"10 seeds, {made_at}", ""]))
