"""Oracles against each other, period by period: the worst of millions of comparisons."""

import polars as pl

from analytics.expressions import bucket, check, row_count
from analytics.prices import (
    IS_PRICE,
    MICROSECONDS,
    PAIR,
    REFERENCE,
    SOURCE,
    deviation_bps,
    microseconds_between,
)
from analytics.sources import by_name, by_number, numbered, paired

_BOTH = (*PAIR, *SOURCE, *REFERENCE)
# Of several prices of a source in one place the highest counts as the last: any rule would do.
_PLACE = ("block_timestamp", "block_number", "log_index", "item_index", "oracle_price_quote")
_KEY = ("pair", "bucket_at")


def oracle_deviation_extremes(
    oracle_updates: pl.LazyFrame, *, tolerance_seconds: int = 3600, bucket_seconds: int = 3600
) -> pl.LazyFrame:
    """
    The largest differences among all that `oracle_deviation` compares, by pair and period.

    What a chart of a busy market shows: every update is compared as there, none is sampled, and
    only the worst of each period is kept, with its place in the chain. Whether a sequencer is up is
    no price.

    Formula:
        worst_deviation_bps = deviation_bps of the largest size; the earliest of several

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        tolerance_seconds: oldest reference that is still compared, inclusive.
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
    updates = oracle_updates.filter(pl.col("asset").is_not_null() & IS_PRICE)
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
    keys = ("source", *_PLACE)
    is_after = pl.lit(value=True)
    for name in reversed(keys):
        own, last = pl.col(name), pl.col(name).shift(1)
        is_after = (own > last) | ((own == last) & is_after)
    is_sorted = told.select(is_after.fill_null(value=True).all()).item()
    return told if is_sorted else told.sort(*keys)


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
            deviation=deviation_bps("oracle_price_quote", "reference_price"),
            staleness=age // MICROSECONDS,
        )
        .cache()
    )


def _extremes(compared: pl.LazyFrame) -> pl.LazyFrame:
    deviation = pl.col("deviation")
    periods = compared.group_by(_KEY).agg(
        comparison_count=row_count(),
        lowest_deviation_bps=deviation.min(),
        highest_deviation_bps=deviation.max(),
        longest_staleness_seconds=pl.col("staleness").max(),
    )
    size = pl.max_horizontal(-pl.col("lowest_deviation_bps"), "highest_deviation_bps")
    worst = (
        compared.join(periods.select(*_KEY, size=size), on=_KEY)
        .filter(deviation.abs() == pl.col("size"))
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
    return periods.join(worst, on=_KEY, how="left")
