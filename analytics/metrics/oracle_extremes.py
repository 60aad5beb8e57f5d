"""Oracles against each other, period by period: the worst of millions of comparisons."""

import polars as pl

from analytics.expressions import bucket, check, divided, row_count
from analytics.prices import (
    MICROSECONDS,
    REFERENCE,
    SERIES,
    deviation_bps,
    microseconds_between,
)
from analytics.sources import by_name, by_number, comparable, numbered, paired

_BOTH = (*SERIES, *REFERENCE)
# Of several prices of a source in one place the highest counts as the last: any rule would do.
_PLACE = ("block_timestamp", "block_number", "log_index", "item_index", "oracle_price_quote")
_KEY = ("pair", "bucket_at")
# Two ways of rounding differ by a thousandth of it.
_DIGITS = 1e-12


def oracle_deviation_extremes(
    oracle_updates: pl.LazyFrame, *, tolerance_seconds: int = 3600, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    The largest differences among all that `oracle_deviation` compares, by pair and period.

    What a chart of a busy market shows: every update is compared as there, none is sampled, and
    only the worst of each period is kept, with its place in the chain. States, amounts and
    statistics are no prices.

    Formula:
        worst_deviation_bps = deviation_bps of the largest size; the earliest of several

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        tolerance_seconds: oldest reference that is still compared, inclusive; of what was read at
            a block also how long before the source may have seen it.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per asset, quote, source, other source (reference_…) and period with an update that
        could be compared, sorted: comparison_count (Int64), lowest_deviation_bps,
        highest_deviation_bps, worst_deviation_bps (Float64, signed; null while no reference is
        positive), worst_at, worst_block_number, worst_log_index, worst_price_quote,
        worst_reference_price_quote (Decimal), longest_staleness_seconds (Int64).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        As `oracle_deviation`, of which this is the aggregate.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    updates = comparable(oracle_updates, tolerance_seconds)
    names = numbered(updates)
    pairs = paired(names).with_row_index("pair").cache()
    compared = _compared(_told(updates, names), pairs, tolerance_seconds)
    extremes = _extremes(compared.with_columns(bucket(bucket_seconds)))
    return by_name(extremes.join(pairs, on="pair").sort(_KEY), names).select(*_BOTH, *_COLUMNS)


_COLUMNS = (
    *("bucket_at", "comparison_count", "lowest_deviation_bps", "highest_deviation_bps"),
    *("worst_deviation_bps", "worst_at", "worst_block_number", "worst_log_index"),
    *("worst_price_quote", "worst_reference_price_quote", "longest_staleness_seconds"),
)


def _told(updates: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    return (
        by_number(updates, names)
        .select("source", *_PLACE)
        .sort("source", maintain_order=True)
        .map_batches(_in_place)
        .cache()
    )


def _in_place(told: pl.DataFrame) -> pl.DataFrame:
    """
    Return the rows of every source in order.

    A chain's rows come in the order of its blocks, so that parted by source they are sorted
    already: to see that takes a tenth of the time of sorting them.
    """
    source, at = pl.col("source"), pl.col("block_timestamp")
    is_later = (source == source.shift(1)) & (at > at.shift(1))
    # Of the others, fewer by far, every column is looked at.
    index = told.select(pl.arg_where(~is_later)).to_series()
    own, last, keys = told[index], told[index - 1], ("source", *_PLACE)
    is_after = pl.repeat(value=True, n=index.len(), eager=True)
    for name in reversed(keys):
        is_after = (own[name] > last[name]) | ((own[name] == last[name]) & is_after)
    return told if is_after.all() else told.sort(*keys)


def _compared(told: pl.LazyFrame, pairs: pl.LazyFrame, tolerance_seconds: int) -> pl.LazyFrame:
    references = told.select(
        reference="source", reference_at="block_timestamp", reference_price="oracle_price_quote"
    )
    age = microseconds_between("reference_at", "block_timestamp")
    return (
        told.join(pairs, on="source", maintain_order="left")
        .select("pair", *_PLACE)
        .join_asof(
            # Once for each source that asks, in the order of time, of which the last one counts.
            references.join(pairs, on="reference", maintain_order="left").select(
                "pair", "reference_at", "reference_price"
            ),
            left_on="block_timestamp",
            right_on="reference_at",
            by="pair",
            coalesce=False,
            check_sortedness=False,
        )
        .filter(age <= tolerance_seconds * MICROSECONDS)
        .with_columns(
            about=_about(pl.col("oracle_price_quote"), pl.col("reference_price")),
            staleness=age // MICROSECONDS,
        )
        .cache()
    )


def _about(price: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """
    Return how far a price is from a reference, as a part of that, but for the last digits.

    To divide by the scale, too, and round once takes ten times as long: of millions of comparisons
    only those count that may be the lowest or the highest.
    """
    above, below = (each.to_physical().cast(pl.Float64) for each in (price - reference, reference))
    return pl.when(reference > 0).then(divided(above, below))


def _extremes(compared: pl.LazyFrame) -> pl.LazyFrame:
    about, deviation = pl.col("about"), pl.col("deviation")
    periods = compared.group_by(_KEY).agg(
        comparison_count=row_count(),
        low=about.min() + _DIGITS * about.min().abs(),
        high=about.max() - _DIGITS * about.max().abs(),
        longest_staleness_seconds=pl.col("staleness").max(),
    )
    ends = (
        compared.join(periods, on=_KEY)
        .filter((about <= pl.col("low")) | (about >= pl.col("high")))
        .with_columns(deviation=deviation_bps("oracle_price_quote", "reference_price"))
        .cache()
    )
    extremes = ends.group_by(_KEY).agg(
        lowest_deviation_bps=deviation.min(),
        highest_deviation_bps=deviation.max(),
        size=deviation.abs().max(),
    )
    return periods.join(extremes, on=_KEY, how="left").join(
        _worst(ends, extremes), on=_KEY, how="left"
    )


def _worst(ends: pl.LazyFrame, extremes: pl.LazyFrame) -> pl.LazyFrame:
    return (
        ends.join(extremes.select(*_KEY, "size"), on=_KEY)
        .filter(pl.col("deviation").abs() == pl.col("size"))
        .sort(*_KEY, *_PLACE)
        .group_by(_KEY, maintain_order=True)
        .first()
        .select(
            *_KEY,
            worst_deviation_bps="deviation",
            worst_at="block_timestamp",
            worst_block_number="block_number",
            worst_log_index="log_index",
            worst_price_quote="oracle_price_quote",
            worst_reference_price_quote="reference_price",
        )
    )
