"""
What the stages of a cascade are seen by: looks at a measure, and the stretches beyond a threshold.

A look is how high a measure was at a moment, what it would have to exceed, and whether it did. All
looks have the same columns, whatever they look at, so that one timeline holds them all.
"""

from datetime import timedelta

import polars as pl

from analytics.clusters import clustered
from analytics.expressions import check, divided, held, unknown_count, whole_total
from analytics.prices import SERIES
from analytics.series import relative

_NAMES = {
    0: "build_up",
    1: "trigger",
    2: "liquidation",
    3: "deleveraging",
    4: "dislocation",
    5: "recovery",
}
# Of a stage without a single look nothing is known, but of events: they did not happen where
# something that is indexed would have told of one.
_WITHOUT_LOOKS = (
    (0, "open_interest_usd", None),
    (0, "funding_rate_daily_ratio", None),
    (1, "return_bps", None),
    (2, "velocity_usd_per_second", "liquidations"),
    (3, "adl_notional_usd", "adls"),
    (4, "deviation_bps", None),
    (5, "deviation_bps", None),
)
_WHOSE = ("protocol", "asset", "feed")
_KEY = ("stage", "measure", *_WHOSE)
_AT = "block_timestamp"
_ALWAYS = pl.lit(value=True)


class Past:
    """
    How much of the past a threshold is taken of, and how much just before it leaves out.

    Raises:
        ValueError: history_seconds is below 1, settled_seconds negative, or one of them too long.
    """

    def __init__(self, history_seconds: int, settled_seconds: int) -> None:
        check("history_seconds", history_seconds, least=1)
        check("settled_seconds", settled_seconds, least=0)
        self.history = timedelta(seconds=history_seconds)
        self.settled = timedelta(seconds=settled_seconds)

    def usual(self, frame: pl.LazyFrame, by: tuple[str, ...], statistic: pl.Expr) -> pl.LazyFrame:
        """Return the frame with `usual`: a statistic of `known` when the past of each row ended."""
        at = pl.col(_AT)
        # Each row once more, knowing nothing, when its past ended: a window is as old as it is.
        asked = frame.with_columns(at - self.settled, asked_at=at).drop("known")
        return (
            pl.concat([frame, asked], how="diagonal")
            .sort(*by, _AT)
            .with_columns(usual=statistic.over(by))
            .filter(pl.col("asked_at").is_not_null())
            .with_columns(pl.col("asked_at").alias(_AT))
        )

    def heard(self, frame: pl.LazyFrame, events: pl.LazyFrame, by: tuple[str, ...]) -> pl.LazyFrame:
        """Return the frame with `heard_at`: the last event of a row's history and of its moment."""
        last = events.select(*by, pl.col(_AT).alias("heard_at")).sort("heard_at")
        return frame.sort(_AT).join_asof(
            last,
            left_on=_AT,
            right_on="heard_at",
            by=[*by],
            tolerance=self.history,
            coalesce=False,
            check_sortedness=False,
        )

    def total(self, flows: pl.LazyFrame, by: tuple[str, ...], amount: str) -> pl.LazyFrame:
        """Return the flows with `total`: the exact sum of those in the past, zero without one."""
        so_far = flows.sort(*by, _AT).with_columns(so_far=pl.col(amount).cum_sum().over(by))
        found = so_far
        for name, age in (("begin", self.settled + self.history), ("end", self.settled)):
            known = so_far.select(*by, pl.col(_AT).alias("known_at"), pl.col("so_far").alias(name))
            found = _then(found, age, known, by)
        begin, end = (pl.col(name).fill_null(0) for name in ("begin", "end"))
        return found.with_columns(total=end - begin)


def _then(
    frame: pl.LazyFrame, ago: timedelta, known: pl.LazyFrame, by: tuple[str, ...]
) -> pl.LazyFrame:
    """Return the frame with what was last known, at `known_at`, so long before each row."""
    asked = frame.with_columns(asked_at=pl.col(_AT) - ago).sort("asked_at")
    return asked.join_asof(
        known.sort("known_at"),
        left_on="asked_at",
        right_on="known_at",
        by=[*by],
        check_sortedness=False,
    )


def moves(
    quotes: pl.LazyFrame, return_seconds: int, past: Past, least_returns: int
) -> pl.LazyFrame:
    """Return how far each price is from the one known so long ago, and how far that usually is."""
    before = quotes.select(*SERIES, pl.col(_AT).alias("known_at"), pl.col("price").alias("before"))
    moved = (
        _then(quotes, timedelta(seconds=return_seconds), before, SERIES)
        .drop("asked_at")
        .with_columns(known=relative(pl.col("price"), pl.col("before")) * 10_000)
        .with_columns(value=pl.col("known").abs(), measure=pl.lit("return_bps"))
    )
    spread = pl.col("known").rolling_std_by(_AT, past.history, min_samples=least_returns)
    return past.usual(moved, SERIES, spread)


def deviations(oracle_deviation: pl.LazyFrame) -> pl.LazyFrame:
    """Return the largest deviation of each asset at each moment, whichever the sources."""
    return (
        oracle_deviation.group_by("asset", _AT)
        .agg(value=pl.col("deviation_bps").abs().max())
        .with_columns(measure=pl.lit("deviation_bps"))
    )


def built_up(interest: pl.LazyFrame, past: Past, build_up_ratio: float) -> pl.LazyFrame:
    """Return looks at the open interest of a protocol: that of all its markets as last known."""
    market = ("chain_id", "protocol", "version", "market")
    total = pl.col("open_interest_total_usd")
    by_protocol = (
        interest.filter(total.is_not_null())
        .sort(*market, "bucket_at")
        .with_columns(change=total - total.shift(1).over(market).fill_null(0))
        .group_by("protocol", pl.col("bucket_at").alias(_AT))
        .agg(pl.col("change").sum())
        .sort("protocol", _AT)
        .with_columns(value=held(pl.col("change").cum_sum().over("protocol")).cast(pl.Float64))
        .with_columns(known=pl.col("value"), measure=pl.lit("open_interest_usd"))
    )
    known = pl.col("known")
    # What was open stays open until it is told again: not so a median of what was open before.
    median = pl.coalesce(known.rolling_median_by(_AT, past.history), known.forward_fill())
    found = past.usual(by_protocol, ("protocol",), median)
    return look(0, found, build_up_ratio * pl.col("usual"), ("protocol",))


def funded(funding: pl.LazyFrame, funding_daily_ratio: float) -> pl.LazyFrame:
    """Return looks at the highest funding of a protocol at each moment, whoever pays."""
    rates = (
        funding.group_by("protocol", _AT)
        .agg(value=pl.col("funding_rate_daily_ratio").abs().max().cast(pl.Float64))
        .with_columns(measure=pl.lit("funding_rate_daily_ratio"))
    )
    return look(0, rates, pl.lit(funding_daily_ratio), ("protocol",))


def liquidating(
    velocity: pl.LazyFrame, rates: pl.LazyFrame, ratio: float, least: int
) -> pl.LazyFrame:
    """
    Return looks at how fast a protocol liquidates, beside its usual rate, before any ADL.

    What nobody tells of its past only raises that rate: what is not above what is told is usual.
    """
    key = "velocity_usd_per_second"
    found = velocity.join(rates, on=["protocol", _AT]).with_columns(value=key, measure=pl.lit(key))
    told = ratio * pl.col("known")
    usual = pl.when(pl.col("is_told") | (pl.col("value") <= told)).then(told)
    is_alone = (pl.col("liquidation_count") >= least) & pl.col("heard_at").is_null()
    is_whole = pl.when(is_alone).then(pl.col("unknown_notional_count") == 0)
    return look(2, found, usual, _WHOSE[:1], only=is_alone, is_whole=is_whole)


def usual_rates(liquidations: pl.LazyFrame, past: Past) -> pl.LazyFrame:
    """Return what protocols are known to have liquidated a second in the past of liquidations."""
    notional, unknown = pl.col("notional_usd"), unknown_count("notional_usd").alias("unknown")
    moments = liquidations.group_by("protocol", _AT).agg(notional.sum(), unknown)
    rate = divided(pl.col("total"), past.history.total_seconds())
    found, told = (past.total(moments, ("protocol",), name) for name in ("notional_usd", "unknown"))
    told = told.select("protocol", _AT, is_told=pl.col("total") == 0)
    return found.join(told, on=["protocol", _AT]).select("protocol", _AT, "is_told", known=rate)


def deleveraging(adls: pl.LazyFrame, past: Past, adl_share_ratio: float) -> pl.LazyFrame:
    """Return looks at the ADLs of a protocol, until most of an event's notional is done."""
    notional, event = pl.col("notional_usd"), ("protocol", "cluster")
    moments = adls.group_by("protocol", _AT).agg(whole_total(notional))
    pause = int(past.history.total_seconds()) * 1_000
    done = clustered(moments, pause, time=_AT, by=("protocol",)).with_columns(
        total=whole_total(notional).over(event).cast(pl.Float64),
        before=(notional.cum_sum() - notional).over(event).cast(pl.Float64),
        value=notional.cast(pl.Float64),
        measure=pl.lit("adl_notional_usd"),
    )
    is_under_way = pl.col("before") < adl_share_ratio * pl.col("total")
    # Where a notional is unknown, or all are zero, each ADL counts.
    is_blind = pl.col("total").is_null() | (pl.col("total") == 0)
    return look(3, done, pl.lit(-1.0), ("protocol",), only=is_under_way | is_blind)


def recovering(
    apart: pl.LazyFrame, quiet_seconds: int, dislocation_bps: float, recovery_bps: float
) -> pl.LazyFrame:
    """Return one look per stretch of disagreement, at its last moment."""
    at = pl.col(_AT)
    # A source whose reference says nothing does not agree with it.
    last = apart.drop_nulls("value").group_by("asset").agg(heard_until=at.max())
    disturbed = apart.filter(pl.col("value") > recovery_bps)
    stretches = (
        clustered(disturbed, quiet_seconds * 1_000, time=_AT, by=("asset",))
        .group_by("asset", "cluster")
        .agg(at.max(), peak=pl.col("value").max(), value=pl.col("value").last())
        .join(last, on="asset")
        .with_columns(measure=pl.lit("deviation_bps"))
    )
    is_proven = pl.col("heard_until") >= at + pl.duration(seconds=quiet_seconds)
    ended = stretches.filter(pl.col("peak") > dislocation_bps)
    others = apart.join(ended, on="asset", how="anti")
    proof = pl.when(is_proven).then(pl.lit(recovery_bps))
    undisturbed = look(5, others, pl.lit(recovery_bps), ("asset",), only=pl.lit(value=False))
    return pl.concat([look(5, ended, proof, ("asset",)), undisturbed])


def look(
    stage: int,
    frame: pl.LazyFrame,
    threshold: pl.Expr,
    whose: tuple[str, ...],
    *,
    floor: float | None = None,
    only: pl.Expr = _ALWAYS,
    is_whole: pl.Expr = _ALWAYS,
) -> pl.LazyFrame:
    """
    Return looks at the columns `measure` and `value` of a frame.

    Args:
        stage: 0 to 5.
        frame: one row per look: block_timestamp, measure, value, and the columns of `whose`.
        threshold: what the value must exceed; null where that is not known.
        whose: which of protocol, asset and feed it is about.
        floor: the least threshold.
        only: what must hold besides.
        is_whole: whether the value is all there was, and no part that with what nobody tells could
            have been enough; null where nothing could.
    """
    least = threshold.cast(pl.Float64)
    if floor is not None:
        # What is not above the floor is beyond no threshold, whichever it is.
        is_told = threshold.is_not_null() | (pl.col("value") <= floor)
        least = pl.when(is_told).then(pl.max_horizontal(threshold, pl.lit(floor)))
    return frame.select(
        pl.lit(stage, pl.Int64()).alias("stage"),
        "measure",
        *(name if name in whose else pl.lit(None, pl.String()).alias(name) for name in _WHOSE),
        _AT,
        "value",
        threshold=least,
        # What is not known is nothing at least.
        is_beyond=(pl.col("value").fill_null(0) > least) & only,
        is_whole=is_whole,
    )


def timeline(looks: pl.LazyFrame, quiet_seconds: int, declared_facts: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return the stages that looks show: stretches beyond the threshold, and what was not seen.

    Args:
        looks: as `look` gives them.
        quiet_seconds: a longer pause ends a stretch.
        declared_facts: which facts declarations can tell: fact.

    Returns:
        stage, name, measure, protocol, asset, feed, verdict, start_at, end_at, observed_value,
        threshold, peak_value, sorted; no rows without looks.
    """
    return (
        pl.concat([_seen(looks, quiet_seconds), _unseen(looks), _missing(looks, declared_facts)])
        .with_columns(name=pl.col("stage").replace_strict(_NAMES, return_dtype=pl.String()))
        .select("stage", "name", *_KEY[1:], *_COLUMNS)
        .sort(*_KEY, "start_at")
    )


_COLUMNS = ("verdict", "start_at", "end_at", "observed_value", "threshold", "peak_value")


def _seen(looks: pl.LazyFrame, quiet_seconds: int) -> pl.LazyFrame:
    value, threshold, at = pl.col("value"), pl.col("threshold"), pl.col(_AT)
    return (
        clustered(looks.filter("is_beyond"), quiet_seconds * 1_000, time=_AT, by=_KEY)
        .group_by(*_KEY, "cluster")
        .agg(
            verdict=pl.lit("seen"),
            start_at=at.min(),
            end_at=at.max(),
            observed_value=value.sort_by(at, value).first(),
            threshold=threshold.sort_by(at, value).first(),
            peak_value=value.max(),
        )
        .select(*_KEY, *_COLUMNS)
    )


def _unseen(looks: pl.LazyFrame) -> pl.LazyFrame:
    value, threshold, is_whole = (pl.col(name) for name in ("value", "threshold", "is_whole"))
    # Of what could be beyond the highest decides: is nothing known to compare it with, nothing is.
    could = pl.when(is_whole.is_not_null()).then(value)
    is_settled = could.filter(threshold.is_not_null()).max() == could.max()
    is_told = (is_settled & is_whole.all()) | is_whole.is_null().all()
    verdict = pl.when(is_told).then(pl.lit("not seen")).otherwise(pl.lit("not known"))
    return (
        looks.group_by(*_KEY)
        .agg(
            is_seen=pl.col("is_beyond").any(),
            verdict=verdict,
            threshold=threshold.min(),
            peak_value=value.max(),
        )
        .filter(~pl.col("is_seen"))
        .select(*_KEY, *_blank("verdict", "threshold", "peak_value"))
    )


def _missing(looks: pl.LazyFrame, declared_facts: pl.LazyFrame) -> pl.LazyFrame:
    schema = {"stage": pl.Int64(), "measure": pl.String(), "fact": pl.String()}
    told = declared_facts.select("fact", verdict=pl.lit("not seen")).unique()
    anything = looks.select(is_any=pl.col("stage").is_not_null()).head(1)
    whose = [pl.lit(None, pl.String()).alias(name) for name in _WHOSE]
    return (
        pl.LazyFrame(list(_WITHOUT_LOOKS), schema=schema, orient="row")
        .join(told, on="fact", how="left")
        .with_columns(pl.col("verdict").fill_null("not known"))
        .join(looks, on=["stage", "measure"], how="anti")
        .join(anything, how="cross")
        .select("stage", "measure", *whose, *_blank("verdict"))
    )


def _blank(*known: str) -> list[pl.Expr]:
    """Return the columns of a stage; those that are not known are null."""
    times = dict.fromkeys(("start_at", "end_at"), pl.Datetime("us"))
    kinds = dict.fromkeys(_COLUMNS, pl.Float64()) | times
    return [
        pl.col(name) if name in known else pl.lit(None, kinds[name]).alias(name)
        for name in _COLUMNS
    ]
