"""Open interest of all markets and through a crash; leverage of what was liquidated."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from analytics.expressions import (
    EVENT_ORDER,
    bucket,
    held,
    known_total,
    level,
    ratio,
    row_count,
    unknown_count,
)
from analytics.metrics.open_interest import open_interest as open_by_bucket

_VENUE = ("chain_id", "protocol")
_MARKET = (*_VENUE, "version", "market")
# A venue's next release closes what an earlier one opened: positions and what is open are of all.
_ALL_RELEASES = (*_VENUE, "market")
_SERIES = (*_MARKET, "is_long", "collateral_token")
_UNITS = ("usd", "tokens")
_CAUSES = ("trade", "liquidation", "adl")


def open_interest_total(open_interest: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    What is open over all markets, in dollars, at the end of a period.

    A market stays as it is until it speaks again, and is that of all versions together. Base units
    of two markets do not add up, and nor do their dollars while one is unknown: the sums are of
    what is known, lower bounds while `unknown_market_count` is not zero.

    Formula:
        total(t) = Σ over markets, and versions, with a known one of the latest long + short at t

    Args:
        open_interest: one row per event, as the metric `open_interest` reads them.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per period with an event anywhere, sorted: bucket_at, market_count (Int64, markets
        that have spoken), unknown_market_count (of these, with a version without a known total),
        delta_market_count (with one that only announced changes: what was open before is missing),
        open_interest_long_usd, _short_usd and _total_usd (Decimal; each null while no market knows
        it).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Open interest of a venue = that of its markets, added; long + short = total.
    """
    markets = open_by_bucket(open_interest, bucket_seconds=bucket_seconds)
    is_unknown = pl.col("open_interest_total_usd").is_null()
    versions = {
        "market_count": pl.lit(1, pl.Int64),
        "unknown_market_count": is_unknown.cast(pl.Int64),
        "delta_market_count": (pl.col("basis") == "delta").cast(pl.Int64),
    }
    told = {
        **{name: pl.col(name).fill_null(0) for name in _OVER_ALL},
        **{f"{name}_known": pl.col(name).is_not_null().cast(pl.Int64) for name in _OVER_ALL},
    }
    of_market = _moved(markets, versions | told, (*_ALL_RELEASES, "bucket_at"))
    has_any = {name: (_so_far(name, _ALL_RELEASES) > 0).cast(pl.Int64) for name in versions}
    return (
        of_market.with_columns(**has_any)
        .with_columns(_steps(versions, _ALL_RELEASES))
        .group_by("bucket_at")
        .agg(pl.col(*versions, *told).sum())
        .sort("bucket_at")
        .with_columns(pl.col(*versions, *told).cum_sum())
        .with_columns(pl.when(pl.col(f"{name}_known") > 0).then(name) for name in _OVER_ALL)
        .select("bucket_at", *versions, *_OVER_ALL)
    )


def open_interest_drawdown(
    open_interest: pl.LazyFrame, *, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    How far open interest fell from its highest point so far to its lowest one still to come.

    In dollars, which mix size with price, and in base units, which do not. Per market, and per
    protocol (market null) in dollars only, because base units of two markets do not add up.
    Versions are added: a venue's next release closes what an earlier one opened. The lowest row is
    the worst fall.

    Formula:
        drawdown(t) = min of OI(u) over u > t / max of OI(s) over s <= t - 1, OI = long + short

    Args:
        open_interest: one row per event, as `open_interest` reads them.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, market (null: all of them) and period with an event, sorted:
        open_interest_total_usd, peak_usd, lowest_usd (Decimal; a total is null while a market, or
        a version that has spoken, is unknown), drawdown_usd_ratio (Float64, -0.2 = fell by 20 %;
        null in the last period, while the peak is not positive, and where changes alone come to
        less than nothing), and the same four in tokens.

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        OI drawdown = min over u > t of OI_u / max over s <= t of OI_s - 1, in base units and USD.
    """
    markets = open_by_bucket(open_interest, bucket_seconds=bucket_seconds)
    places = (_added(markets, _UNITS, _ALL_RELEASES), _added(markets, ("usd",), _VENUE))
    return (
        pl.concat(places, how="diagonal")
        .sort(*_ALL_RELEASES, "bucket_at", nulls_last=True)
        .with_columns(_peak(unit) for unit in _UNITS)
        .with_columns(_lowest(unit) for unit in _UNITS)
        .with_columns(_fall(unit) for unit in _UNITS)
        .select(
            *(*_ALL_RELEASES, "bucket_at"),
            *(f"{name}_{unit}" for unit in _UNITS for name in _OF_DRAWDOWN),
            *(f"drawdown_{unit}_ratio" for unit in _UNITS),
        )
    )


def open_interest_against_closed(
    open_interest: pl.LazyFrame, position_changes: pl.LazyFrame, *, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    Whether the change of open interest is explained by the positions opened and closed meanwhile.

    Of all versions together: a venue's next release closes what an earlier one opened.

    Formula:
        unexplained = Σ change of open interest - (opened - closed), both sides added

    Args:
        open_interest: one row per event: absolute value or change in USD. An absolute value alone
            changed by what the latest one before it and the changes since leave of it; the first
            one of a series is a level, its change unknown.
        position_changes: one row per change: notional_delta_usd (USD, > 0 increases), cause.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, market and period with either, sorted:
        open_interest_change_usd (Decimal; zero without an event in a market that tells dollars,
        null while one is unknown), opened_usd, closed_by_trade_usd, closed_by_liquidation_usd,
        closed_by_adl_usd, closed_by_other_usd (Decimal; sums of what is known), unknown_count
        (Int64, changes without a notional; these are null in a market that tells no positions),
        unexplained_usd (Decimal; null while either is unknown and in a market that tells only one
        of them).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        dOI against closed notional: the counterpart check of an OI drawdown.
    """
    keys = (*_ALL_RELEASES, "bucket_at")
    states = _changed(open_interest, bucket_seconds)
    change, sums = pl.col("open_interest_change_usd"), [f"{name}_usd" for name in _TRADED]
    trades = _traded(position_changes, bucket_seconds).select(*keys, *sums, "unknown_count")
    net = pl.col("opened_usd") - pl.sum_horizontal(*sums[1:])
    has_states, has_trades = (
        pl.col(name).is_not_null().any().over(_ALL_RELEASES) for name in ("known", "unknown_count")
    )
    is_known = has_states & (pl.col("unknown_steps").fill_null(0) == 0)
    is_whole = has_trades & (pl.col("unknown_count").fill_null(0) == 0)
    return (
        pl.concat([states, trades], how="diagonal")
        .group_by(keys)
        .agg(known_total(pl.exclude(keys)))
        .with_columns(
            *(pl.when(has_trades).then(pl.col(*sums, "unknown_count").fill_null(0)),),
            open_interest_change_usd=pl.when(is_known).then(pl.col("known").fill_null(0)),
        )
        .select(
            *keys,
            change,
            *(*sums, "unknown_count"),
            unexplained_usd=pl.when(is_whole).then(change - net),
        )
        .sort(keys)
    )


def open_interest_reconciliation(
    open_interest: pl.LazyFrame, position_changes: pl.LazyFrame, *, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    Open interest two ways: what positions add up to, and what the venue says is open.

    Positions are summed from the first one indexed on. An error that stays is what was open before,
    one that grows is a change one of the two does not tell. Versions are added: a venue's next
    release closes what an earlier one opened.

    Formula:
        error(t) = Σ changes of positions up to t - (long + short at t); bps of the latter

    Args:
        open_interest: one row per event, as `open_interest` reads them.
        position_changes: one row per change: notional_delta_usd (USD), size_delta_tokens (base
            units), > 0 increases exposure.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, market and period with an event of open interest, sorted:
        events_usd, events_tokens (Decimal; null before the first position and from the first change
        on that does not tell it), state_usd, state_tokens (Decimal; null while a version that has
        spoken is unknown: one that tells dollars alone has no tokens while they are zero),
        error_usd, error_tokens (Decimal), error_usd_bps, error_tokens_bps (Float64; null while the
        state is not positive).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Identity: the sum of changes of positions is the open interest of a market.
    """
    keys = (*_ALL_RELEASES, "bucket_at")
    releases = open_by_bucket(open_interest, bucket_seconds=bucket_seconds)
    # In another order than a drawdown's: Polars would share these steps, not those before them.
    states = _added(releases, _UNITS[::-1], _ALL_RELEASES).select(
        *keys,
        *(pl.col(f"open_interest_total_{unit}").alias(f"state_{unit}") for unit in _UNITS),
        is_state=pl.lit(value=True),
    )
    moves = _traded(position_changes, bucket_seconds).select(
        *keys, *_UNITS, "unknown_tokens", unknown_usd="unknown_count"
    )
    return (
        pl.concat([states, moves], how="diagonal")
        .group_by(keys)
        .agg(pl.exclude(keys).max())
        .sort(keys)
        .with_columns(_summed(unit) for unit in _UNITS)
        .filter("is_state")
        .with_columns(_error(unit) for unit in _UNITS)
        .select(
            *keys,
            *(f"{name}_{unit}" for name in ("events", "state", "error") for unit in _UNITS),
            *(_error_bps(unit) for unit in _UNITS),
        )
    )


def leverage_at_liquidation(liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """
    How leveraged positions were when they were liquidated.

    Against the collateral posted, as the venue logs it: not against equity, which falls with the
    price, nor cash alone, which is why published medians differ by hundreds.

    Formula:
        leverage = notional_usd / collateral_usd; percentile p is the ceil(p n)-th smallest

    Args:
        liquidations: one row per liquidated position: notional_usd, collateral_usd (USD).

    Returns:
        One row per chain, protocol, version and market, sorted: liquidation_count, known_count
        (Int64, with both and a positive collateral), median_leverage, p95_leverage, p99_leverage,
        highest_leverage (Float64; null without a known one).

    Source:
        Nearest-rank percentiles, so that each is a position's own leverage.
    """
    leverage = ratio(pl.col("notional_usd"), pl.col("collateral_usd"))
    return (
        liquidations.with_columns(leverage=leverage)
        .group_by(_MARKET)
        .agg(
            liquidation_count=row_count(),
            known_count=pl.col("leverage").count().cast(pl.Int64),
            median_leverage=_percentile("leverage", 50),
            p95_leverage=_percentile("leverage", 95),
            p99_leverage=_percentile("leverage", 99),
            highest_leverage=pl.col("leverage").max(),
        )
        .sort(_MARKET)
    )


_OVER_ALL = tuple(f"open_interest_{name}_usd" for name in ("long", "short", "total"))
_OF_DRAWDOWN = ("open_interest_total", "peak", "lowest")
_TRADED = ("opened", *(f"closed_by_{cause}" for cause in (*_CAUSES, "other")))


def _added(markets: pl.LazyFrame, units: Sequence[str], place: Sequence[str]) -> pl.LazyFrame:
    """Return what is open at a place of several; null while one that has spoken is unknown."""
    totals = [f"open_interest_total_{unit}" for unit in units]
    # What is worth nothing is no tokens, whoever tells dollars alone.
    is_worthless = (pl.col("open_interest_total_usd") == 0).fill_null(value=False)
    is_zero = is_worthless & (pl.col("basis") == "absolute")
    told = {name: pl.col(name).fill_null(0) for name in totals}
    for name in totals:
        is_known = pl.col(name).is_not_null()
        told[f"known_{name}"] = is_known.cast(pl.Int64)
        told[f"unknown_{name}"] = (~(is_known | is_zero)).cast(pl.Int64)
    return _moved(markets, told, (*place, "bucket_at")).select(
        *(*place, "bucket_at"),
        *(
            pl.when(
                _so_far(f"unknown_{name}", place) == 0, _so_far(f"known_{name}", place) > 0
            ).then(_so_far(name, place))
            for name in totals
        ),
    )


def _moved(
    markets: pl.LazyFrame,
    told: Mapping[str, pl.Expr],
    place: Sequence[str],
) -> pl.LazyFrame:
    """
    Return by how much sums over several moved, sorted.

    A sum at any moment is the sum of how each of them moved before it.
    """
    return (
        markets.with_columns(**told)
        .with_columns(_steps(told, _MARKET))
        .group_by(place)
        .agg(pl.col(*told).sum())
        .sort(place)
    )


def _steps(names: Iterable[str], own: Sequence[str]) -> list[pl.Expr]:
    return [pl.col(name) - pl.col(name).shift(1).over(own).fill_null(0) for name in names]


def _so_far(name: str, place: Sequence[str]) -> pl.Expr:
    return pl.col(name).cum_sum().over(place)


def _peak(unit: str) -> pl.Expr:
    value = pl.col(f"open_interest_total_{unit}")
    return value.cum_max().forward_fill().over(_ALL_RELEASES).alias(f"peak_{unit}")


def _lowest(unit: str) -> pl.Expr:
    ahead = pl.col(f"open_interest_total_{unit}").shift(-1)
    return ahead.cum_min(reverse=True).backward_fill().over(_ALL_RELEASES).alias(f"lowest_{unit}")


def _fall(unit: str) -> pl.Expr:
    peak, lowest = pl.col(f"peak_{unit}"), pl.col(f"lowest_{unit}")
    fall = ratio(held(lowest) - peak, peak)
    return fall.alias(f"drawdown_{unit}_ratio")


def _changed(open_interest: pl.LazyFrame, bucket_seconds: int) -> pl.LazyFrame:
    steps = open_interest.sort(*EVENT_ORDER).with_columns(step=_step())
    # Who tells base units alone tells no dollars.
    is_told = pl.col("open_interest_usd", "open_interest_delta_usd").is_not_null().any()
    return steps.group_by(*_ALL_RELEASES, bucket(bucket_seconds)).agg(
        known=pl.when(pl.any_horizontal(is_told)).then(pl.col("step").sum()),
        unknown_steps=pl.col("step").null_count(),
    )


def _step() -> pl.Expr:
    value, change = pl.col("open_interest_usd"), pl.col("open_interest_delta_usd")
    # Less what moved so far, levels differ by what no change told.
    told = value - change.fill_null(0).cum_sum()
    untold = (told - told.forward_fill().shift(1)).over(_SERIES)
    is_silent = value.is_null() & change.is_null()
    return pl.when(is_silent).then(0).otherwise(pl.coalesce(change, untold))


def _traded(position_changes: pl.LazyFrame, bucket_seconds: int) -> pl.LazyFrame:
    change, cause = pl.col("notional_delta_usd"), pl.col("cause")
    is_named = {name: cause == name for name in _CAUSES} | {"other": ~cause.is_in(_CAUSES)}
    closed = {
        f"closed_by_{name}_usd": -change.filter(is_cause & (change < 0)).sum()
        for name, is_cause in is_named.items()
    }
    return position_changes.group_by(*_ALL_RELEASES, bucket(bucket_seconds)).agg(
        usd=change.sum(),
        tokens=pl.col("size_delta_tokens").sum(),
        opened_usd=change.filter(change > 0).sum(),
        **closed,
        unknown_count=unknown_count("notional_delta_usd"),
        unknown_tokens=unknown_count("size_delta_tokens"),
    )


def _summed(unit: str) -> pl.Expr:
    unknown = pl.col(f"unknown_{unit}").fill_null(0).cum_sum().over(_ALL_RELEASES)
    return pl.when(unknown == 0).then(level(unit, _ALL_RELEASES)).alias(f"events_{unit}")


def _error(unit: str) -> pl.Expr:
    return (pl.col(f"events_{unit}") - pl.col(f"state_{unit}")).alias(f"error_{unit}")


def _error_bps(unit: str) -> pl.Expr:
    part = ratio(pl.col(f"error_{unit}"), pl.col(f"state_{unit}"))
    return (part * 10_000).alias(f"error_{unit}_bps")


def _percentile(column: str, percent: int) -> pl.Expr:
    known = pl.col(column).drop_nulls()
    place = (known.len().cast(pl.Int64) * percent + 99) // 100 - 1
    return known.sort().get(place, null_on_oob=True)
