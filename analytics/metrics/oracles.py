"""Oracles against each other: how far apart they are, for how long, and who follows whom."""

import polars as pl

from analytics.expressions import EVENT_ORDER, check, divided, row_count
from analytics.prices import (
    IS_PRICE,
    MICROSECONDS,
    REFERENCE,
    SERIES,
    as_of,
    deviation_bps,
    in_seconds,
    latest_prices,
    microseconds_between,
)
from analytics.sources import as_reference, by_name, by_number, comparable, numbered, paired

_BOTH = (*SERIES, *REFERENCE)
_KEY = ("source", "reference")
_UPDATE = ("block_timestamp", *EVENT_ORDER, "oracle_price_quote")
_MOST_BPS = 1_000_000
_MOST_CELLS = 1000
# Returns are whole billionths: their products add up exactly, in any order.
_PRECISION = 2_000_000_000


def oracle_deviation(
    oracle_updates: pl.LazyFrame, *, tolerance_seconds: int = 3600
) -> pl.LazyFrame:
    """
    How far an oracle update is from the latest price of every other source of the same asset.

    Both directions of a pair are given: each source is compared when *it* speaks. Only sources
    with the same quote are compared, and updates whose asset is unknown cannot be. By design an
    oracle may differ by its own deviation threshold, so compare with that before calling it off.
    States, amounts and statistics (health, reserves, indexes) are no prices. What was read at a
    block is not compared where the source had seen it longer than the tolerance before; else it
    was what the source answered at that block, and ages from there.

    Formula:
        deviation_bps = (oracle_price - reference_price) / reference_price * 10,000
        staleness_seconds = whole seconds since the reference's latest update

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        tolerance_seconds: oldest reference that is still compared, inclusive.

    Returns:
        One row per update and other source with a price within the tolerance, sorted: the source
        (chain_id, protocol, feed), the reference (reference_…), oracle_price_quote,
        reference_price_quote (Decimal, quote units), deviation_bps (Float64, signed; null unless
        the reference is positive), staleness_seconds (Int64, >= 0).

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        Liu, Szalachowski, Zhou: A First Look into DeFi Oracles, arXiv 2005.04377; deviation as
        risk teams use it: primary against secondary source.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    updates = comparable(oracle_updates, tolerance_seconds)
    names = numbered(updates)
    told = by_number(updates, names)
    age = microseconds_between("reference_at", "block_timestamp")
    compared = (
        as_of(
            told.join(paired(names), on="source"),
            as_reference(latest_prices(told, by=["source"])),
            on="block_timestamp",
            price_at="reference_at",
            by=["reference"],
        )
        .filter(age <= tolerance_seconds * MICROSECONDS)
        .with_columns(
            deviation_bps=deviation_bps("oracle_price_quote", "reference_price_quote"),
            staleness_seconds=age // MICROSECONDS,
        )
        .select(*_KEY, *_UPDATE, "reference_price_quote", "deviation_bps", "staleness_seconds")
        .sort(*_KEY, "block_timestamp", *EVENT_ORDER)
    )
    return by_name(compared, names).select(*_BOTH, pl.exclude(*_KEY, *_BOTH))


def oracle_deviation_area(
    oracle_updates: pl.LazyFrame,
    *,
    threshold_bps: int = 100,
    tolerance_seconds: int = 3600,
    bucket_seconds: int = 86_400,
) -> pl.LazyFrame:
    """
    For how long, and how far, an oracle was off every other source of the same asset.

    Both prices last until either source speaks again, and no longer than the tolerance: a wick of
    a second and an hour of being off are different things, which counting updates cannot tell.
    The last price of a pair has no end in the data and lasts for no time. States, amounts and
    statistics are no prices.

    Formula:
        deviation_bps(t) = (price(t) - reference(t)) / reference(t) * 10,000
        off_seconds = ∫ [|deviation_bps| > threshold_bps] dt
        area_bps_seconds = ∫ max(|deviation_bps| - threshold_bps, 0) dt
        over the part of the period in which both prices are fresh; both are step functions

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        threshold_bps: a difference above this, either way, is off.
        tolerance_seconds: how old either price may get and still count; read, how old it may be.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per asset, quote, source, other source (reference_…) and period with time in which
        both were fresh, sorted: compared_seconds, off_seconds (Float64), lowest_deviation_bps,
        highest_deviation_bps (Float64, signed), area_bps_seconds (Float64, >= 0).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        Time and area beyond a threshold as risk teams report a depeg: USDe in October 2025 was
        more than 100 bps off for 75 minutes on one venue.
    """
    check("threshold_bps", threshold_bps, least=0, most=_MOST_BPS)
    check("tolerance_seconds", tolerance_seconds, least=0)
    check("bucket_seconds", bucket_seconds, least=1)
    updates = comparable(oracle_updates, tolerance_seconds)
    names = numbered(updates)
    prices = latest_prices(by_number(updates, names), by=["source"])
    stretches = _stretches(_compared(prices, paired(names)), tolerance_seconds)
    beyond = pl.col("deviation_bps").abs() - threshold_bps
    lasting = microseconds_between("moment_at", "until_at")
    areas = (
        _in_buckets(stretches, bucket_seconds)
        .with_columns(
            lasting=lasting,
            off=pl.when(beyond > 0).then(lasting).otherwise(0),
            area=pl.when(beyond > 0).then(beyond * lasting.cast(pl.Float64)).otherwise(0.0),
        )
        .sort(*_KEY, "moment_at")
        .group_by(*_KEY, "bucket_at", maintain_order=True)
        .agg(
            compared_seconds=in_seconds(pl.col("lasting").sum()),
            off_seconds=in_seconds(pl.col("off").sum()),
            lowest_deviation_bps=pl.col("deviation_bps").min(),
            highest_deviation_bps=pl.col("deviation_bps").max(),
            # One after the other: a sum of floats depends on the order, and `sum` keeps none.
            area_bps_seconds=pl.col("area").cum_sum().last() * 1e-6,
        )
        .sort(*_KEY, "bucket_at")
    )
    return by_name(areas, names).select(*_BOTH, pl.exclude(*_KEY, *_BOTH))


def oracle_update_lag(
    oracle_updates: pl.LazyFrame, *, grid_seconds: int = 60, max_lag_seconds: int = 600
) -> pl.LazyFrame:
    """
    By how much one source repeats later what another one said: the lag at which both move alike.

    A cell of the grid in which a source is silent has a return of zero, so the lag tells of both,
    how seldom a source speaks and how late. Returns are relative to the mean of both prices: they
    stay within -2 and 2 and turn their sign with the direction, unlike a percentage. What
    is not positive is no price, nor are states, amounts and statistics. A gap in what was indexed
    is one large return, early for one source and late for another: ask for a time without one.

    Formula:
        return(n) = 2 * (price(n) - price(before)) / (price(n) + price(before)), cut to 1e-9
        correlation(k) = Σ return(n) * reference_return(n - k) / √(Σ return² * Σ reference_return²)
        lag_seconds = grid_seconds * the k of the highest correlation, |k| <= max_lag / grid
        over the cells between the first and the last update that both sources have; of equal
        correlations the smallest lag counts, and of k and -k the positive one

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        grid_seconds: length of a cell, counted from 1970-01-01 UTC.
        max_lag_seconds: how far the lag is looked for, either way; at most a thousand cells.

    Returns:
        One row per asset, quote, source and other source (reference_…) that both moved in the time
        they have in common, sorted: move_count, reference_move_count (Int64, cells with a return
        other than zero), lag_seconds (Int64, > 0: the source is later than the reference),
        correlation_ratio (Float64, at this lag; both null when they never moved alike),
        unlagged_correlation_ratio (Float64, at none; zero where they never moved together).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        The cross-correlation function of two series, without taking off their means, which are
        nearly zero for returns.
    """
    check("grid_seconds", grid_seconds, least=1)
    check("max_lag_seconds", max_lag_seconds, least=0, most=_MOST_CELLS * grid_seconds)
    is_usable = pl.col("asset").is_not_null() & (pl.col("oracle_price_quote") > 0)
    updates = oracle_updates.filter(is_usable & IS_PRICE)
    names = numbered(updates)
    returns = _returns(by_number(updates, names), grid_seconds).cache()
    moves = _shared_moves(returns, paired(names)).cache()
    strengths = _strengths(moves)
    norm = pl.col("root") * pl.col("reference_root")
    lags = (
        strengths.join(_swapped(strengths, "root", "move_count"), on=_KEY)
        .join(_best(moves, max_lag_seconds // grid_seconds), on=_KEY, how="left")
        .select(
            *(*_KEY, "move_count", "reference_move_count"),
            lag_seconds=pl.col("lag") * grid_seconds,
            correlation_ratio=divided(pl.col("product"), norm),
            unlagged_correlation_ratio=divided(pl.col("unlagged").fill_null(0), norm),
        )
        .sort(_KEY)
    )
    return by_name(lags, names).select(*_BOTH, pl.exclude(*_KEY, *_BOTH))


def _compared(prices: pl.LazyFrame, pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Return every moment at which one of two sources speaks, with what both said last."""
    spoken = prices.select("source", moment_at="price_at")
    moments = pl.concat(
        [
            pairs.join(spoken, on="source"),
            pairs.join(spoken, left_on="reference", right_on="source"),
        ]
    ).unique()
    own = as_of(moments, prices.drop("seen_at"), on="moment_at", price_at="price_at", by=["source"])
    return as_of(
        own, as_reference(prices), on="moment_at", price_at="reference_at", by=["reference"]
    ).with_columns(deviation_bps=deviation_bps("price_quote", "reference_price_quote"))


def _stretches(compared: pl.LazyFrame, tolerance_seconds: int) -> pl.LazyFrame:
    """Return from when to when each difference lasted while both prices were fresh."""
    oldest = pl.min_horizontal("price_at", "reference_at")
    return (
        compared.sort(*_KEY, "moment_at")
        .with_columns(
            until_at=pl.min_horizontal(
                oldest + pl.duration(seconds=tolerance_seconds),
                pl.col("moment_at").shift(-1).over(_KEY).fill_null(pl.col("moment_at")),
            )
        )
        .filter((pl.col("until_at") > pl.col("moment_at")) & pl.col("deviation_bps").is_not_null())
    )


def _in_buckets(stretches: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return stretches cut where a period ends, with the start of the period as bucket_at."""
    length = seconds * MICROSECONDS
    start = pl.col("moment_at").dt.truncate(f"{seconds}s").dt.timestamp("us")
    stop = pl.col("until_at").dt.timestamp("us")
    bucket_at = pl.col("bucket_at")
    return (
        stretches.with_columns(bucket_at=pl.int_ranges(start, stop, length))
        .explode("bucket_at")
        .with_columns(bucket_at.cast(pl.Datetime("us")))
        .with_columns(
            moment_at=pl.max_horizontal("moment_at", "bucket_at"),
            until_at=pl.min_horizontal("until_at", bucket_at + pl.duration(seconds=seconds)),
        )
    )


def _returns(updates: pl.LazyFrame, grid_seconds: int) -> pl.LazyFrame:
    """Return the last price of each source and cell, and its move: its return in billionths."""
    price, before = pl.col("price_quote"), pl.col("price_quote").shift().over("source")
    middle = price.cast(pl.Float64) + before.cast(pl.Float64)
    quotient = divided(price - before, middle)
    return (
        latest_prices(updates, by=["source"])
        .with_columns(cell=pl.col("price_at").dt.epoch("us") // (grid_seconds * MICROSECONDS))
        .group_by("source", "cell")
        .agg(pl.col("price_quote").max_by("price_at"))
        .sort("source", "cell")
        .with_columns(
            move=(quotient * _PRECISION).cast(pl.Int64).fill_null(0),
            first=pl.col("cell").min().over("source"),
            last=pl.col("cell").max().over("source"),
        )
    )


def _shared_moves(returns: pl.LazyFrame, pairs: pl.LazyFrame) -> pl.LazyFrame:
    """Return the moves of each source in the time that it has in common with each other one."""
    ends = returns.select("source", "first", "last").unique()
    others = ends.rename({name: f"reference_{name}" for name in ("first", "last")})
    spans = (
        pairs.join(ends, on="source")
        .join(others, left_on="reference", right_on="source")
        .select(
            *_KEY,
            since=pl.max_horizontal("first", "reference_first"),
            until=pl.min_horizontal("last", "reference_last"),
        )
    )
    return (
        spans.join(returns.filter(pl.col("move") != 0), on="source")
        .filter(pl.col("cell").is_between("since", "until"))
        .select(*_KEY, "cell", "move")
    )


def _swapped(frame: pl.LazyFrame, *names: str) -> pl.LazyFrame:
    """Return what is known of a pair as the pair the other way round sees it: of its reference."""
    sides = {"source": "reference", "reference": "source"}
    return frame.rename(sides | {name: f"reference_{name}" for name in names})


def _strengths(moves: pl.LazyFrame) -> pl.LazyFrame:
    square = pl.col("move").cast(pl.Int128) ** 2
    return moves.group_by(_KEY).agg(
        root=square.sum().cast(pl.Float64).sqrt(), move_count=row_count()
    )


def _best(moves: pl.LazyFrame, most: int) -> pl.LazyFrame:
    """Return the lag at which both move most alike, and the products there and at no lag."""
    lag = pl.col("lag")
    product = pl.col("move").cast(pl.Int128) * pl.col("reference_move").cast(pl.Int128)
    at_lags = (
        moves.with_columns(lag=pl.int_ranges(-most, most + 1))
        .explode("lag")
        .with_columns(cell=pl.col("cell") - lag)
        .join(_swapped(moves, "move"), on=[*_KEY, "cell"])
        .group_by(*_KEY, "lag")
        .agg(product=product.sum())
    )
    is_alike = pl.col("product") > 0
    return (
        at_lags.sort("product", lag.abs(), "lag", descending=[True, False, True])
        .group_by(_KEY, maintain_order=True)
        .agg(pl.col("lag", "product").first(), unlagged=pl.col("product").filter(lag == 0).first())
        .with_columns(lag=pl.when(is_alike).then(lag), product=pl.when(is_alike).then("product"))
    )
