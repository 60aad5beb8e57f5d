"""The stages of a cascade: when each was entered and left, in every protocol and asset."""

import polars as pl

from analytics.expressions import check, check_positive
from analytics.metrics.liquidations import liquidation_velocity
from analytics.metrics.open_interest import open_interest as interest_by_period
from analytics.series import quoted
from analytics.stages import (
    Past,
    built_up,
    deleveraging,
    deviations,
    funded,
    liquidating,
    look,
    moves,
    recovering,
    timeline,
    usual_rates,
)


def cascade_stages(  # noqa: PLR0917 -- one parameter per input
    liquidations: pl.LazyFrame,
    oracle_deviation: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    adls: pl.LazyFrame,
    open_interest: pl.LazyFrame,
    funding: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    window_seconds: int = 60,
    quiet_seconds: int = 600,
    history_seconds: int = 86_400,
    settled_seconds: int = 3_600,
    build_up_ratio: float = 1.25,
    funding_daily_ratio: float = 0.001,
    return_seconds: int = 60,
    trigger_deviations: float = 6.0,
    trigger_bps: float = 100.0,
    least_returns: int = 30,
    velocity_ratio: float = 10.0,
    least_liquidations: int = 3,
    adl_share_ratio: float = 0.99,
    dislocation_bps: float = 500.0,
    recovery_bps: float = 100.0,
) -> pl.LazyFrame:
    """
    The timeline of a cascade: build-up, trigger, liquidation, deleveraging, dislocation, recovery.

    Each stage is judged for each protocol or asset on its own; nothing is assumed of their order.
    A threshold that compares with the past leaves out the time just before (`settled_seconds`),
    so that a cascade is not compared with itself: the whole history ends there. What the facts
    cannot tell is "not known"; where nothing was beyond, the highest value that could be decides.

    Formula:
        0 open interest > build_up_ratio * its median of the history, or what was open last where
          the history is silent; |funding| > its setting
        1 |price / price return_seconds ago - 1| > max(trigger_deviations * sd, trigger_bps)
        2 Σ notional_usd of the window_seconds that follow / window_seconds > velocity_ratio * the
          rate of the whole history (0 without a liquidation in it, not known while the notional of
          one is not, but no less than what is told), with at least least_liquidations in the window
          and no ADL of the protocol in the history_seconds up to now; not known while only a
          notional nobody tells could make it so
        3 from the first ADL until adl_share_ratio of the ADL notional is done of an event, which a
          pause longer than history_seconds ends; until its last ADL while a notional is unknown,
          or where all are zero
        4 |oracle_deviation| > dislocation_bps for any two sources of the asset
        5 after a dislocation: the last deviation > recovery_bps, if deviations are known until
          quiet_seconds later and none of them is

    Args:
        liquidations: one row per liquidated position: notional_usd (USD).
        oracle_deviation: the metric: one row per update and other source (bps).
        tolerance_seconds: of it.
        oracle_updates: one row per update: asset, quote, source, oracle_price_quote; what is read
            at a block and was seen more than a day and an hour before is no price, nor is zero.
        adls: one row per position cut: notional_usd (USD).
        open_interest: one row per event: open interest by side (USD); judged hour by hour, by what
            was open at its end, and told of its start.
        funding: one row per event: funding_rate_daily_ratio.
        declared_facts: which facts declarations can tell: fact; liquidations and ADLs of which
            nothing could tell are not known.
        window_seconds: over which a velocity is measured.
        quiet_seconds: a pause longer than this ends a stage.
        history_seconds: how much of the past a median or sd is taken of, and belongs to an event.
        settled_seconds: how long before a moment that past ends; it is as long, and shifted.
        build_up_ratio: of the median open interest.
        funding_daily_ratio: a day's funding.
        return_seconds: over which a price move is measured, from the price known then.
        trigger_deviations: standard deviations of such moves.
        trigger_bps: the least move that is a trigger, basis points.
        least_returns: fewer moves in the history leave a standard deviation unknown; then a move
            up to trigger_bps is none, and of a larger one it is not known.
        velocity_ratio: of the usual rate.
        least_liquidations: in the window of the velocity.
        adl_share_ratio: of the notional, at which deleveraging is over.
        dislocation_bps: between two sources of one asset, basis points.
        recovery_bps: below which sources agree again, basis points; at most dislocation_bps.

    Returns:
        One row per stage, measure, protocol, asset, feed and episode, sorted: stage (Int64), name,
        measure, protocol, asset, feed (null where the stage has none), verdict (seen, not seen,
        not known), start_at, end_at (Datetime: first and last moment beyond the threshold; null
        unless seen), observed_value (Float64: what crossed; null while not known), threshold
        (Float64; the lowest one where not seen; -1 of ADLs: any is beyond), peak_value (Float64:
        the highest known, also where not seen). Values are in the unit the measure names.

    Raises:
        ValueError: a setting in seconds, basis points or a count is too small, a ratio is not
            positive, adl_share_ratio is above 1, or recovery_bps above dislocation_bps.

    Source:
        Stages as told of 10 October 2025: prices from 20:50 UTC, liquidations alone from 21:15:03,
        ADL from 21:16:04 to 21:20:08, collateral off from 21:20; the thresholds are proposals.
    """
    check("quiet_seconds", quiet_seconds, least=0)
    check("return_seconds", return_seconds, least=1)
    check("least_returns", least_returns, least=2)
    check("least_liquidations", least_liquidations, least=1)
    check_positive("build_up_ratio", build_up_ratio)
    check_positive("trigger_deviations", trigger_deviations)
    check_positive("velocity_ratio", velocity_ratio)
    check_positive("adl_share_ratio", adl_share_ratio, most=1)
    check("funding_daily_ratio", funding_daily_ratio, least=0)
    check("trigger_bps", trigger_bps, least=0)
    check("dislocation_bps", dislocation_bps, least=0)
    check("recovery_bps", recovery_bps, least=0, most=dislocation_bps)
    past = Past(history_seconds, settled_seconds)
    moved = moves(quoted(oracle_updates), return_seconds, past, least_returns)
    apart = deviations(oracle_deviation).cache()
    velocity = liquidation_velocity(liquidations, window_seconds=window_seconds)
    rates = past.heard(usual_rates(liquidations, past), adls, ("protocol",))
    usual_moves = trigger_deviations * pl.col("usual")
    looks = [
        built_up(interest_by_period(open_interest), past, build_up_ratio),
        funded(funding, funding_daily_ratio),
        look(1, moved, usual_moves, ("protocol", "asset", "feed"), floor=trigger_bps),
        liquidating(velocity, rates, velocity_ratio, least_liquidations),
        deleveraging(adls, past, adl_share_ratio),
        look(4, apart, pl.lit(dislocation_bps), ("asset",)),
        recovering(apart, quiet_seconds, dislocation_bps, recovery_bps),
    ]
    looked = pl.concat(looks, how="vertical_relaxed")
    return timeline(looked, quiet_seconds, declared_facts)
