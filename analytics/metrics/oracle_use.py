"""Venues and the oracles they go by: at which price, how old and how far off, positions end."""

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket, check, row_count
from analytics.prices import (
    MICROSECONDS,
    PAIR,
    REFERENCE,
    SERIES,
    as_of,
    as_reference,
    assets_of,
    beside_reference,
    deviation_bps,
    in_seconds,
    is_current,
    is_used,
    latest_prices,
    microseconds_between,
    of_own_feeds,
    with_reference_names,
)

_MARKET = ("chain_id", "protocol", "market")
_EXIT = (*_MARKET, "account", "is_long", "notional_usd", "block_timestamp", *EVENT_ORDER)
_MOST_BPS = 1_000_000


def oracle_age_at_exits(
    liquidations: pl.LazyFrame,
    adls: pl.LazyFrame,
    markets: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
) -> pl.LazyFrame:
    """
    How old the venue's own price was when it liquidated or deleveraged a position.

    The price is the latest one of the venue's feed of the market's asset. Where the venue prices
    several tokens of one asset, the one of the market's own index token or number is the one it
    uses from when that first speaks. An exit of a venue without a feed of its own, or before its
    first price, has no row.

    Formula:
        age_seconds = time of the exit - when the price had been seen

    Args:
        liquidations: one row per liquidated position and event: market, account, is_long,
            notional_usd.
        adls: one row per deleveraged position and event, the same columns.
        markets: symbol (the asset) and index_token of a market.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, observed_at.

    Returns:
        One row per exit and feed, sorted by time: cause (liquidation, adl), chain_id, protocol,
        market, account, is_long, notional_usd (Decimal, USD), asset, quote, feed,
        oracle_price_quote (Decimal), price_at, seen_at, age_seconds (Float64, >= 0 unless the
        source claims to have seen the price later).

    Source:
        Staleness a = t - t_update; where the source says when it saw the price, that is t_update.
    """
    exits = pl.concat(
        frame.select(*_EXIT, cause=pl.lit(cause))
        for cause, frame in (("liquidation", liquidations), ("adl", adls))
    )
    priced = exits.join(_own_feeds(markets, oracle_updates), on=_MARKET).filter(is_used())
    age = in_seconds(microseconds_between("seen_at", "block_timestamp"))
    return (
        as_of(
            priced,
            latest_prices(oracle_updates),
            on="block_timestamp",
            price_at="price_at",
            by=SERIES,
        )
        .select(
            *("block_timestamp", *EVENT_ORDER, "cause", *_EXIT[:6], *PAIR, "feed"),
            *(pl.col("price_quote").alias("oracle_price_quote"), "price_at", "seen_at"),
            age_seconds=age,
        )
        .sort("block_timestamp", "chain_id", *EVENT_ORDER, "cause", "protocol", *PAIR, "feed")
    )


def liquidations_off_oracle(
    liquidations: pl.LazyFrame,
    markets: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    threshold_bps: int = 50,
    tolerance_seconds: int = 3600,
) -> pl.LazyFrame:
    """
    Liquidations executed while the venue's own oracle was off another protocol's source.

    Both prices are the latest ones at the liquidation, of the market's asset and one quote. Where
    the venue prices several tokens of one asset, the feed of the market's own index token or number
    is the one it uses from when that first speaks. A row does not say who was right, only that the
    two disagreed when the position was taken.

    Formula:
        deviation_bps = (oracle_price - reference_price) / reference_price * 10,000
        off: |deviation_bps| > threshold_bps

    Args:
        liquidations: one row per liquidated position and event: market, account, is_long,
            notional_usd.
        markets: symbol (the asset) and index_token of a market.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp.
        threshold_bps: a difference above this, either way, is off.
        tolerance_seconds: how old either price may be and still count, inclusive; of what was read
            at a block also how long before the source may have seen it.

    Returns:
        One row per liquidation and source of another protocol (reference_…) beyond the threshold,
        sorted by time: chain_id, protocol, market, account, is_long, notional_usd (Decimal, USD),
        asset, quote, feed, oracle_price_quote, reference_price_quote (Decimal), price_at,
        reference_at, deviation_bps (Float64, venue against reference, signed).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        Liu, Szalachowski, Zhou: A First Look into DeFi Oracles, arXiv 2005.04377: liquidations
        depend on what the oracle of the venue says.
    """
    check("threshold_bps", threshold_bps, least=0, most=_MOST_BPS)
    check("tolerance_seconds", tolerance_seconds, least=0)
    own = _own_feeds(markets, oracle_updates)
    prices = latest_prices(oracle_updates.filter(is_current(tolerance_seconds)))
    others = with_reference_names(prices.select(SERIES).unique())
    asked = (
        liquidations.select(_EXIT)
        .join(own, on=_MARKET)
        .filter(is_used())
        .join(others, on=PAIR)
        .filter(pl.col("protocol") != pl.col("reference_protocol"))
    )
    oldest = tolerance_seconds * MICROSECONDS
    return (
        beside_reference(asked, prices)
        .filter(pl.col("deviation_bps").abs() > threshold_bps)
        .filter(microseconds_between("price_at", "block_timestamp") <= oldest)
        .filter(microseconds_between("reference_at", "block_timestamp") <= oldest)
        .select(
            *("block_timestamp", *EVENT_ORDER, *_EXIT[:6], *PAIR, "feed", *REFERENCE),
            *(pl.col("price_quote").alias("oracle_price_quote"), "reference_price_quote"),
            *("price_at", "reference_at", "deviation_bps"),
        )
        .sort(
            *("block_timestamp", "chain_id", *EVENT_ORDER, "protocol"),
            *(*PAIR, "feed", *REFERENCE),
        )
    )


def mark_oracle_basis(
    position_changes: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    markets: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 3600,
    bucket_seconds: int = 3600,
) -> pl.LazyFrame:
    """
    How far the prices a venue values or trades at are from each oracle of the market's asset.

    Marks are told by liquidations, executions by every change of a position. An execution holds
    the venue's spread and price impact, a mark does not: `price_kind` keeps them apart.

    Formula:
        basis_bps = (price - oracle_price) / oracle_price * 10,000, oracle as of then
        mid = the median; of an even number the lower of the two in the middle

    Args:
        position_changes: one row per change of a position: market, execution_price_usd.
        liquidations: one row per liquidated position and event: market, mark_price_usd.
        markets: symbol (the asset) of a market.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp. Only quotes in USD are compared.
        tolerance_seconds: how old the oracle's price may be and still count, inclusive; of what was
            read at a block also how long before the source may have seen it.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, market, asset, price_kind (execution, mark), oracle source
        (reference_…) and period with a price, sorted: price_count (Int64), low_basis_bps,
        mid_basis_bps, high_basis_bps (Float64, signed; 1 = 0.01 %).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        Mark-oracle basis b = (mark - oracle) / oracle, mid, high and low of a period.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    current = oracle_updates.filter(is_current(tolerance_seconds))
    references = as_reference(latest_prices(current).filter(quote="USD"))
    sources = references.select(*PAIR, *REFERENCE).unique()
    asked = (
        _told(position_changes, liquidations)
        .join(assets_of(markets), on=_MARKET)
        .join(sources, on="asset")
    )
    by = [*PAIR, *REFERENCE]
    age = microseconds_between("reference_at", "block_timestamp")
    basis = pl.col("basis_bps")
    return (
        as_of(asked, references, on="block_timestamp", price_at="reference_at", by=by)
        .filter(age <= tolerance_seconds * MICROSECONDS)
        .with_columns(
            bucket(bucket_seconds), basis_bps=deviation_bps("price_usd", "reference_price_quote")
        )
        .filter(basis.is_not_null())
        .group_by(*_MARKET, "asset", "price_kind", *REFERENCE, "bucket_at")
        .agg(
            price_count=row_count(),
            low_basis_bps=basis.min(),
            mid_basis_bps=basis.quantile(0.5, interpolation="lower"),
            high_basis_bps=basis.max(),
        )
        .sort(*_MARKET, "asset", "price_kind", *REFERENCE, "bucket_at")
    )


def _told(position_changes: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    """Return the prices a venue traded and valued at."""
    told = (
        ("execution", position_changes, "execution_price_usd"),
        ("mark", liquidations, "mark_price_usd"),
    )
    return pl.concat(
        frame.select(*_MARKET, "block_timestamp", price_kind=pl.lit(kind), price_usd=column)
        for kind, frame, column in told
    )


def _own_feeds(markets: pl.LazyFrame, oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """Return the venue's own feeds of each market, and until when each was the one it used."""
    sources = oracle_updates.group_by(SERIES).agg(pl.col("block_timestamp").min())
    return of_own_feeds(markets, sources).select(*_MARKET, *PAIR, "feed", "used_until")
