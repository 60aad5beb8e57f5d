"""What moves together, and what moves first: venues against each other, assets with each other."""

import polars as pl

from analytics.expressions import check, known_total, window
from analytics.lags import best_lags, cross_correlations, either_way, quote_lags
from analytics.prices import SERIES
from analytics.series import between, main_sources, optional_moment, quoted, returns, step

_VENUE = SERIES[2:]
_MEASURED = ("measure", *SERIES)
_ORDER = (*_MEASURED, *(f"other_{name}" for name in _VENUE))
_WINDOWS = ("before", "during", "after")


def venue_lead_lag(
    oracle_updates: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    *,
    grid_seconds: int = 5,
    most_steps: int = 24,
    least_moves: int = 10,
    event_start: str = "",
    event_end: str = "",
) -> pl.LazyFrame:
    """
    Which venue moves first: by prices of one asset, and by what is liquidated in the same moments.

    Two series are shifted against each other, and the shift at which they agree best says who
    leads. Prices are compared quote by quote, so a venue that speaks rarely is not taken for a late
    one; what is liquidated is added up on a grid. Correlation says who is first, not who causes
    what, and two venues that follow a third are late by the difference.

    Formula:
        price: correlation(l) = Pearson(r, s) over the moves r of one source, from a to b, where s
        is how much the other moved from its last quote at or before a + l to its first at or after
        b + l; of the two ways round, which may differ, the one with the higher correlation is told
        liquidations: correlation(l) = Pearson(Σ notional_usd in step t of one, in step t + l of the
        other), over the steps from the first liquidation of either to the last, and those |l|
        beside them where only the shifted series is; a step without a liquidation is zero
        l = -most_steps ... most_steps steps of grid_seconds
        compared are the lags at which at least least_moves moves, or steps with a liquidation, have
        a counterpart; of moves at least half as many as at any lag
        significance = (best - mean of the correlations at the other lags) / their sd

    Args:
        oracle_updates: one row per update: asset, quote, source, oracle_price_quote; what is read
            at a block and was seen more than a day and an hour before is no price.
        liquidations: one row per liquidated position: notional_usd (USD).
        grid_seconds: length of a step, counted from 1970-01-01 UTC.
        most_steps: the longest shift, in steps.
        least_moves: fewer moves, or fewer steps in which it liquidates, tell nothing of a venue;
            nor do fewer with a counterpart of a lag.
        event_start: only events at or after this UTC moment; empty for all. A gap in what was
            indexed is one move, larger than all others: name an event without one.
        event_end: only events before this UTC moment; empty for all.

    Returns:
        One row per measure (price, liquidations) and pair of venues, sorted: asset, quote (null for
        liquidations), chain_id, protocol, feed (null for liquidations), other_…; sample_count
        (Int64: moves with a counterpart, or steps without those beside them), lag_seconds (Int64:
        > 0 where the other one follows), correlation (Float64, the highest), second_lag_seconds,
        second_correlation (the next highest), significance (Float64, standard deviations: below
        three a trend may have moved the lag; null for fewer than three lags), leader (the leading
        protocol; null at lag 0 and between feeds of one protocol). No row where a series never
        varies or there are too few moves.

    Raises:
        ValueError: grid_seconds or most_steps is below 1, least_moves is below 3, an end of the
            event is no moment, or they are in the wrong order.

    Source:
        Hayashi, Yoshida: On covariance estimation of non-synchronously observed diffusion
        processes, Bernoulli 11(2), 2005; shifted, as in Hoffmann, Rosenbaum, Yoshida: Estimation of
        the lead-lag parameter from non-synchronous data, Bernoulli 19(2), 2013.
    """
    check("grid_seconds", grid_seconds, least=1)
    check("most_steps", most_steps, least=1, most=10_000)
    check("least_moves", least_moves, least=3)
    start = optional_moment("event_start", event_start)
    inside = between(start, optional_moment("event_end", event_end))
    prices = _prices(quoted(oracle_updates.filter(inside)), least_moves)
    forced = _liquidated(liquidations.filter(inside), grid_seconds, least_moves)
    shifted = cross_correlations(forced, most_steps, is_silence_zero=True, least_met=least_moves)
    found = [
        either_way(quote_lags(prices, grid_seconds, most_steps, least_moves)),
        best_lags(shifted, least_moves),
    ]
    names = [each.select("kind", "who", *_MEASURED).unique() for each in (prices, forced)]
    return _told(pl.concat(found), pl.concat(names), grid_seconds).sort(_ORDER)


def asset_correlation(
    oracle_updates: pl.LazyFrame,
    *,
    event_start: str = "2025-10-10T20:50",
    event_end: str = "2025-10-10T22:50",
    grid_seconds: int = 60,
) -> pl.LazyFrame:
    """
    How much assets move together before, during and after an event.

    Of each asset that source of dollar prices is taken that speaks most in the three windows, so
    that two sources of one price are never mixed, nor two quotes. The windows before and after are
    as long as the event. Prices that are quoted at different moments of a step look less alike than
    they are: compare windows, not markets.

    Formula:
        correlation = Pearson(price / price before - 1) over the steps of a window from where both
        assets were quoted in it to where one is no more; a step without a quote is one without a
        move, as is an asset's first in the three windows: what was quoted before them may be of
        another year. A step that an end of a window cuts belongs to the window after it

    Args:
        oracle_updates: one row per update: asset, quote, source, oracle_price_quote; what is read
            at a block and was seen more than a day and an hour before is no price.
        event_start: UTC moment when the event began; by default that of 10 October 2025.
        event_end: UTC moment when it was over.
        grid_seconds: length of a step, counted from 1970-01-01 UTC.

    Returns:
        One row per pair of assets (asset < other_asset) and window (before, during, after), sorted:
        from_at, to_at (Datetime, the end excluded), sample_count (Int64: steps), correlation
        (Float64). No row where one of them does not move.

    Raises:
        ValueError: grid_seconds is below 1, an end of the event is no moment, or they are in the
            wrong order.

    Source:
        Correlations that rise in a fall: Longin, Solnik: Extreme correlation of international
        equity markets, Journal of Finance 56(2), 2001; Epps: Comovements in stock prices in the
        very short run, JASA 74, 1979, for what a fine grid hides.
    """
    check("grid_seconds", grid_seconds, least=1)
    # What Polars takes for a time may be before the year 1 or after 9999.
    start, end = (pl.lit(each) for each in window(event_start, event_end))
    windows, length = _windows(start, end), end - start
    at = pl.col("block_timestamp")
    around = at.is_between(start - length, end + length, closed="left")
    quotes = main_sources(quoted(oracle_updates), around).filter(around)
    moves = returns(quotes, grid_seconds)
    inside = (pl.col("step") >= pl.col("from_step")) & (pl.col("step") < pl.col("to_step"))
    series = (
        moves.join(_in_steps(windows, grid_seconds), how="cross")
        .filter(inside)
        .select(pl.col("window").alias("kind"), pl.col("asset").alias("who"), "step", "value")
    )
    order = pl.col("window").replace_strict(_WINDOWS, range(3))
    return (
        cross_correlations(series, 0)
        .rename({"kind": "window", "who": "asset", "other": "other_asset"})
        .join(windows, on="window")
        .select("asset", "other_asset", "window", "from_at", "to_at", "sample_count", "correlation")
        .sort("asset", "other_asset", order)
    )


def _prices(quotes: pl.LazyFrame, least_moves: int) -> pl.LazyFrame:
    kind = pl.concat_str(pl.lit("price"), "asset", "quote", separator=" ")
    measure = pl.lit("price").alias("measure")
    spoken = quotes.filter(pl.len().over(SERIES) > least_moves)
    return spoken.with_columns(kind.alias("kind"), _who("feed"), measure)


def _liquidated(liquidations: pl.LazyFrame, grid_seconds: int, least_steps: int) -> pl.LazyFrame:
    unknown = [pl.lit(None, pl.String()).alias(name) for name in ("asset", "quote", "feed")]
    measure = pl.lit("liquidations")
    return (
        liquidations.group_by("chain_id", "protocol", step=step(grid_seconds))
        .agg(value=known_total(pl.col("notional_usd")).cast(pl.Float64))
        .filter(pl.col("value").is_not_null())
        .filter(pl.len().over("chain_id", "protocol") >= least_steps)
        .with_columns(*unknown, measure.alias("measure"), measure.alias("kind"))
        .select("kind", _who(), *_MEASURED, "step", "value")
    )


def _who(*more: str) -> pl.Expr:
    return pl.concat_str("chain_id", "protocol", *more, separator=" ").alias("who")


def _told(found: pl.LazyFrame, names: pl.LazyFrame, grid_seconds: int) -> pl.LazyFrame:
    """Return what was found with the names of the venues, and lags in seconds."""
    others = names.select(
        "kind",
        pl.col("who").alias("other"),
        *(pl.col(name).alias(f"other_{name}") for name in _VENUE),
    )
    lag, own, other = pl.col("lag"), pl.col("protocol"), pl.col("other_protocol")
    leader = pl.when(lag > 0).then(own).when(lag < 0).then(other)
    return (
        found.join(names, on=["kind", "who"])
        .join(others, on=["kind", "other"])
        .select(
            *_ORDER,
            "sample_count",
            (lag * grid_seconds).alias("lag_seconds"),
            "correlation",
            (pl.col("second_lag") * grid_seconds).alias("second_lag_seconds"),
            "second_correlation",
            "significance",
            leader=pl.when(own != other).then(leader),
        )
    )


def _windows(start: pl.Expr, end: pl.Expr) -> pl.LazyFrame:
    length = end - start
    ends = zip(_WINDOWS, (start - length, start, end), (start, end, end + length), strict=True)
    return pl.concat(
        [
            pl.select(window=pl.lit(name), from_at=first, to_at=stop).lazy()
            for name, first, stop in ends
        ]
    )


def _in_steps(windows: pl.LazyFrame, grid_seconds: int) -> pl.LazyFrame:
    return windows.select(
        "window",
        from_step=pl.col("from_at").dt.epoch("s") // grid_seconds,
        to_step=pl.col("to_at").dt.epoch("s") // grid_seconds,
    )
