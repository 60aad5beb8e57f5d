"""The shape of an event, or of two beside each other: how far prices fell, and what came back."""

from datetime import datetime, timedelta

import polars as pl

from analytics.expressions import (
    bucket,
    check,
    check_positive,
    known_total,
    ratio,
    row_count,
    unknown_count,
)
from analytics.impact import trade_depths
from analytics.prices import SERIES
from analytics.series import LONGEST_SECONDS, between, main_sources, optional_moment, quoted

_MARKET = ("chain_id", "protocol", "version", "market")

Window = tuple[int, datetime, datetime]


def executed_depth(
    position_changes: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    move_bps: float = 200.0,
    bucket_seconds: int = 3600,
) -> pl.LazyFrame:
    """
    How deep a market was by what its trades cost: the size that would have moved the price so far.

    For venues whose price impact grows with the size and whose oracle price is in the same
    transaction, such as GMX v2. A venue that caps the impact looks deeper than it is when it is
    thin, and one that pays traders for balance says nothing in those trades.

    Formula:
        depth = median over trades of |notional_delta_usd| / cost * move
        cost = execution_price_usd / reference - 1 for a buy, 1 - that ratio for a sale
        reference = the price of the same transaction that the execution's is nearest to and within
        a tenth of, as parts of the price, and the first of two as near: where a spread is posted,
        its high for a buy and its low for a sale

    Args:
        position_changes: one row per change, whatever its cause: notional_delta_usd,
            execution_price_usd (USD), is_long.
        oracle_updates: one row per update: prices of the same transaction (quote units).
        move_bps: the move of the price, basis points.
        bucket_seconds: length of a bucket, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and bucket with a trade that has a reference,
        sorted: trade_count, costly_count (Int64: of them, those known to have cost something; of
        a trade whose side is not told it is not known), depth_usd (Float64, median; null where
        none did).

    Raises:
        ValueError: bucket_seconds is below 1, or move_bps is not positive.

    Source:
        GMX v2 PricingUtils: impact grows with the size of the order; the linear reading is an
        approximation of it. Depth within 2 % as market makers quote it.
    """
    check_positive("move_bps", move_bps)
    depth = pl.col("depth_usd")
    return (
        trade_depths(position_changes, oracle_updates, move_bps)
        .group_by(*_MARKET, bucket(bucket_seconds))
        .agg(
            trade_count=row_count(),
            costly_count=depth.is_not_null().sum().cast(pl.Int64),
            depth_usd=depth.median(),
        )
        .sort(*_MARKET, "bucket_at")
    )


def event_drops(
    oracle_updates: pl.LazyFrame,
    *,
    event_start: str = "2025-10-10T20:50",
    event_end: str = "2025-10-10T22:50",
    other_start: str = "",
    other_end: str = "",
    recovery_hours: int = 72,
) -> pl.LazyFrame:
    """
    How far each asset fell in an event, and how much of it came back; of one event or two.

    Of each asset that source of dollar prices is taken that speaks most in the event, so that a
    source that is wrong for a while is not taken for a fall. An asset without a dollar price in it
    is left out; what was read at a block and seen more than a day and an hour before is none. Of
    several prices of a source at one moment the last counts.

    Formula:
        drop_ratio = (before - low) / before
        recovery_ratio = (after - low) / (before - low)

    Args:
        oracle_updates: one row per update: asset, quote, source, oracle_price_quote.
        event_start: UTC moment when the event began; by default that of 10 October 2025.
        event_end: the first moment after it, UTC.
        other_start: the same of an event to compare with; empty for none.
        other_end: the same.
        recovery_hours: how long after the end prices may come back, the last moment excluded.

    Returns:
        One row per event (Int64: 1, 2) and asset quoted in dollars in it, sorted: quote (USD),
        chain_id, protocol, feed, before_price_quote (the last at or before the start; null where
        none is of the day and the hour up to it), low_price_quote, after_price_quote (Decimal; the
        last of the event and the time to recover), low_at, after_at (Datetime), drop_ratio
        (Float64, null without a price before), recovery_ratio (Float64, null where nothing fell).

    Raises:
        ValueError: recovery_hours is negative, or a window is no two moments in order.

    Source:
        March 2020 and October 2025 are told by the fall of each asset and its return in days.
    """
    check("recovery_hours", recovery_hours, least=0, most=876_000)
    windows = _windows(event_start, event_end, other_start, other_end)
    quotes, patience = quoted(oracle_updates), timedelta(hours=recovery_hours)
    frames = [_drops(quotes, each, patience) for each in windows]
    return pl.concat(frames).sort("event", "asset")


def event_shape(  # noqa: PLR0917 -- one parameter per input
    event_drops: pl.LazyFrame,
    oracle_deviation: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    event_start: str = "2025-10-10T20:50",
    event_end: str = "2025-10-10T22:50",
    other_start: str = "",
    other_end: str = "",
    fall_ratio: float = 0.05,
    recovered_ratio: float = 0.5,
    dislocation_bps: float = 500.0,
    void_ratio: float = 0.5,
    minute_ratio: float = 0.25,
) -> pl.LazyFrame:
    """
    Whether an event was a repricing or a failure of the market's machinery; of one event or two.

    A repricing stays: March 2020. A failure of the microstructure comes back within days, with
    sources that disagree, books that are empty and much of the forced selling in one minute:
    October 2025. Each of the four signs that can be measured has a vote.

    Formula:
        breadth_ratio = assets that fell by fall_ratio or more / assets quoted in dollars
        worst_minute_ratio = largest Σ notional_usd liquidated in a minute / that of the event
        depth_ratio = median over markets of (median depth in the event / in as long before)
        signs: median recovery_ratio of the fallen >= recovered_ratio; largest deviation >
        dislocation_bps; depth_ratio <= void_ratio; worst_minute_ratio >= minute_ratio
        verdict = microstructure if most of the known signs hold, repricing if fewer than half,
        undecided at half, no fall where no asset fell, null where no asset has a price before

    Args:
        event_drops: the metric: one row per event and asset.
        recovery_hours: of it.
        oracle_deviation: the metric: one row per update and other source (bps).
        tolerance_seconds: of it.
        liquidations: one row per liquidated position: notional_usd (USD).
        position_changes: one row per change, for the cost of trades.
        oracle_updates: one row per update, for the prices they were made at.
        declared_facts: which facts the declarations of a protocol can tell: fact.
        event_start: UTC moment when the event began; by default that of 10 October 2025.
        event_end: the first moment after it, UTC.
        other_start: the same of an event to compare with; empty for none.
        other_end: the same.
        fall_ratio: the least drop that is a fall.
        recovered_ratio: the least median recovery of a sign.
        dislocation_bps: the largest deviation of sources that agree, basis points.
        void_ratio: the largest depth_ratio of a sign.
        minute_ratio: the least worst_minute_ratio of a sign.

    Returns:
        One row per event (Int64: 1, 2) with an asset quoted in it, sorted: asset_count,
        fallen_count (Int64), breadth_ratio, median_drop_ratio, worst_drop_ratio,
        median_recovery_ratio (of the fallen), largest_deviation_bps, depth_ratio (Float64),
        liquidated_usd, worst_minute_usd (Decimal, USD, sums of what is known), worst_minute_ratio
        (Float64, null while a notional is unknown), sign_count, known_count (Int64), verdict. Null
        where the facts do not tell: no liquidation is $0 where any could have been told of.

    Raises:
        ValueError: a window is no two moments in order, fall_ratio is not above 0 and up to 1,
            minute_ratio not from 0 to 1, or another ratio or dislocation_bps negative.

    Source:
        The signs are those by which both events are described; that each counts the same is a
        proposal.
    """
    check_positive("fall_ratio", fall_ratio, most=1)
    check("minute_ratio", minute_ratio, least=0, most=1)
    check("recovered_ratio", recovered_ratio, least=0)
    check("dislocation_bps", dislocation_bps, least=0)
    check("void_ratio", void_ratio, least=0)
    windows = _windows(event_start, event_end, other_start, other_end)
    shape = _fallen(event_drops, fall_ratio)
    for each in (
        [_apart(oracle_deviation, window) for window in windows],
        [_worst_minute(liquidations, declared_facts, window) for window in windows],
        [_thinned(position_changes, oracle_updates, window) for window in windows],
    ):
        shape = shape.join(pl.concat(each), on="event", how="left")
    signs = [
        pl.col("median_recovery_ratio") >= recovered_ratio,
        pl.col("largest_deviation_bps") > dislocation_bps,
        pl.col("depth_ratio") <= void_ratio,
        pl.col("worst_minute_ratio") >= minute_ratio,
    ]
    return _judged(shape, signs).sort("event")


def _windows(*moments: str) -> list[Window]:
    """Return the numbers, starts and ends of one or two events."""
    names = ("event_start", "event_end", "other_start", "other_end")
    ends = [optional_moment(name, text) for name, text in zip(names, moments, strict=True)]
    found = []
    for number, (start, end) in enumerate(zip(ends[::2], ends[1::2], strict=True), start=1):
        if number == 2 and start is None and end is None:
            continue
        if start is None or end is None or start >= end:
            raise ValueError(f"an event must start before it ends, got {start} and {end}")
        found.append((number, start, end))
    return found


def _drops(quotes: pl.LazyFrame, window: Window, patience: timedelta) -> pl.LazyFrame:
    number, start, end = window
    price, at, low = pl.col("price"), pl.col("block_timestamp"), pl.col("low_price_quote")
    before, after = pl.col("before_price_quote"), pl.col("after_price_quote")
    inside = between(start, end)
    is_before = (at <= start) & (pl.lit(start) - at <= timedelta(seconds=LONGEST_SECONDS))
    lost = before - low
    return (
        main_sources(quotes, inside)
        .filter(at - pl.lit(end) < patience)
        .group_by(*SERIES)
        .agg(
            before_price_quote=price.filter(is_before).last(),
            low_price_quote=price.filter(inside).min(),
            low_at=at.filter(inside).sort_by(price.filter(inside), at.filter(inside)).first(),
            after_price_quote=price.last(),
            after_at=at.last(),
        )
        .filter(low.is_not_null())
        .select(
            pl.lit(number, pl.Int64()).alias("event"),
            *SERIES,
            "before_price_quote",
            "low_price_quote",
            "after_price_quote",
            "low_at",
            "after_at",
            drop_ratio=ratio(lost, before),
            recovery_ratio=ratio(after - low, lost),
        )
    )


def _fallen(drops: pl.LazyFrame, fall_ratio: float) -> pl.LazyFrame:
    drop = pl.col("drop_ratio")
    has_fallen = drop >= fall_ratio
    is_known = drop.is_not_null().any()
    return (
        drops.group_by("event")
        .agg(
            asset_count=row_count(),
            fallen_count=pl.when(is_known).then(has_fallen.sum().cast(pl.Int64)),
            median_drop_ratio=drop.median(),
            worst_drop_ratio=drop.max(),
            median_recovery_ratio=pl.col("recovery_ratio").filter(has_fallen).median(),
        )
        .with_columns(breadth_ratio=ratio(pl.col("fallen_count"), pl.col("asset_count")))
    )


def _apart(deviations: pl.LazyFrame, window: Window) -> pl.LazyFrame:
    number, start, end = window
    largest = pl.col("deviation_bps").abs().max().alias("largest_deviation_bps")
    return deviations.filter(between(start, end)).select(_event(number), largest)


def _worst_minute(
    liquidations: pl.LazyFrame, declared_facts: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    number, start, end = window
    notional, total = pl.col("notional_usd"), pl.col("liquidated_usd")
    declared = declared_facts.filter(pl.col("fact") == "liquidations")
    tellers = pl.concat([declared.select("protocol"), liquidations.select("protocol")])
    share = ratio(pl.col("worst_minute_usd"), total)
    return (
        liquidations.filter(between(start, end))
        .group_by(bucket(60))
        .agg(known_total(notional), unknown=unknown_count("notional_usd"))
        .select(
            _event(number),
            liquidated_usd=known_total(notional),
            worst_minute_usd=pl.when(pl.len() > 0).then(notional.max()).otherwise(0),
            unknown=pl.col("unknown").sum(),
        )
        .join(tellers.select(is_told=pl.len() > 0), how="cross")
        .with_columns(
            pl.when("is_told").then(pl.col("liquidated_usd", "worst_minute_usd")),
            worst_minute_ratio=pl.when(pl.col("unknown") == 0).then(share),
        )
        .drop("unknown", "is_told")
    )


def _thinned(
    position_changes: pl.LazyFrame, oracle_updates: pl.LazyFrame, window: Window
) -> pl.LazyFrame:
    number, start, end = window
    depth, at = pl.col("depth_usd"), pl.col("block_timestamp")
    is_during = at >= start
    is_asked = (pl.lit(start) - at <= end - start) & (at < end)
    # What is in one transaction has one time.
    trades, prices = (rows.filter(is_asked) for rows in (position_changes, oracle_updates))
    return (
        trade_depths(trades, prices, 200.0)
        .group_by(*_MARKET)
        .agg(before=depth.filter(~is_during).median(), during=depth.filter(is_during).median())
        .select(
            _event(number),
            ratio(pl.col("during"), pl.col("before")).median().alias("depth_ratio"),
        )
    )


def _event(number: int) -> pl.Expr:
    return pl.lit(number, pl.Int64()).alias("event")


def _judged(shape: pl.LazyFrame, signs: list[pl.Expr]) -> pl.LazyFrame:
    signed, known = pl.col("sign_count"), pl.col("known_count")
    fallen = pl.col("fallen_count")
    verdict = (
        pl.when(fallen == 0)
        .then(pl.lit("no fall"))
        .when(fallen.is_null() | (known == 0))
        .then(None)
        .when(signed * 2 > known)
        .then(pl.lit("microstructure"))
        .when(signed * 2 < known)
        .then(pl.lit("repricing"))
        .otherwise(pl.lit("undecided"))
    )
    return shape.with_columns(
        sign_count=pl.sum_horizontal(sign.cast(pl.Int64) for sign in signs),
        known_count=pl.sum_horizontal(sign.is_not_null().cast(pl.Int64) for sign in signs),
    ).select("event", *_SHAPE[:-1], verdict=verdict)


_SHAPE = (
    "asset_count",
    "fallen_count",
    "breadth_ratio",
    "median_drop_ratio",
    "worst_drop_ratio",
    "median_recovery_ratio",
    "largest_deviation_bps",
    "depth_ratio",
    "liquidated_usd",
    "worst_minute_usd",
    "worst_minute_ratio",
    "sign_count",
    "known_count",
    "verdict",
)
