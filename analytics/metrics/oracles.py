"""Oracles against each other: how far one price is from another, and how old the other is."""

import polars as pl

from analytics.expressions import EVENT_ORDER, check

_SOURCE = ("chain_id", "protocol", "feed")
_PAIR = ("asset", "quote")
_REFERENCE = tuple(f"reference_{name}" for name in _SOURCE)
_MICROSECONDS = 1_000_000


def oracle_deviation(
    oracle_updates: pl.LazyFrame, *, tolerance_seconds: int = 3600
) -> pl.LazyFrame:
    """
    How far an oracle update is from the latest price of every other source of the same asset.

    Both directions of a pair are given: each source is compared when *it* speaks. Only sources
    with the same quote are compared, and updates whose asset is unknown cannot be. By design an
    oracle may differ by its own deviation threshold, so compare with that before calling it off.

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
    updates = oracle_updates.filter(pl.col("asset").is_not_null())
    age = pl.col("block_timestamp") - pl.col("reference_at")
    return (
        _compared(updates)
        .filter(age.dt.total_microseconds() <= tolerance_seconds * _MICROSECONDS)
        .with_columns(
            deviation_bps=_deviation_bps(),
            staleness_seconds=age.dt.total_microseconds() // _MICROSECONDS,
        )
        .select(*_columns())
        .sort(*_PAIR, *_SOURCE, *_REFERENCE, "block_timestamp", *EVENT_ORDER)
    )


def _compared(updates: pl.LazyFrame) -> pl.LazyFrame:
    keys = [*_PAIR, *_REFERENCE]
    asked = updates.join(_pairs(updates), on=[*_PAIR, *_SOURCE]).sort("block_timestamp")
    return asked.join_asof(
        _references(updates).sort("reference_at"),
        left_on="block_timestamp",
        right_on="reference_at",
        by=keys,
        coalesce=False,
        check_sortedness=False,
    ).filter(pl.col("reference_at").is_not_null())


def _pairs(updates: pl.LazyFrame) -> pl.LazyFrame:
    sources = updates.select(*_PAIR, *_SOURCE).unique()
    others = sources.rename(dict(zip(_SOURCE, _REFERENCE, strict=True)))
    is_same = pl.all_horizontal(
        pl.col(name) == pl.col(reference)
        for name, reference in zip(_SOURCE, _REFERENCE, strict=True)
    )
    return sources.join(others, on=[*_PAIR]).filter(~is_same)


def _references(updates: pl.LazyFrame) -> pl.LazyFrame:
    """Of several updates in one second only the last can be the latest price."""
    return (
        updates.sort(*EVENT_ORDER)
        .group_by(*_PAIR, *_SOURCE, "block_timestamp")
        .agg(pl.col("oracle_price_quote").last())
        .rename(
            dict(zip(_SOURCE, _REFERENCE, strict=True))
            | {"block_timestamp": "reference_at", "oracle_price_quote": "reference_price_quote"}
        )
    )


def _deviation_bps() -> pl.Expr:
    reference = pl.col("reference_price_quote")
    difference = (pl.col("oracle_price_quote") - reference).cast(pl.Float64)
    return pl.when(reference > 0).then(difference / reference.cast(pl.Float64) * 10_000)


def _columns() -> list[str]:
    event = ["block_timestamp", *EVENT_ORDER]
    prices = ["oracle_price_quote", "reference_price_quote"]
    return [*_PAIR, *_SOURCE, *_REFERENCE, *event, *prices, "deviation_bps", "staleness_seconds"]
