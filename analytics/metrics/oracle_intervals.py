"""Oracles against each other, on average: how far apart, and how sure that is."""

from collections.abc import Iterator

import polars as pl

from analytics.expressions import check, divided
from analytics.prices import (
    MICROSECONDS,
    PAIR,
    REFERENCE,
    SERIES,
    deviation_bps,
    latest_prices,
)
from analytics.sources import by_name, by_number, comparable, numbered

_BOTH = (*SERIES, *REFERENCE)
_KEY = ("source", "reference")
# Deviations are whole thousandths of a bp up to eleven times the other price: the squares of what
# a block adds up to fit 127 bits until there are some 60 million samples of a pair.
_PRECISION = 1000
_MOST_BPS = 100_000
# A block is this many times as long as its samples hold together, or nobody knows how long they do.
_LEAST_LENGTHS = 4
# So many samples are held at once, but those of one pair always: some hundreds of megabytes.
_MOST_SAMPLES = 2_000_000


def oracle_deviation_interval(
    oracle_updates: pl.LazyFrame,
    *,
    grid_seconds: int = 60,
    tolerance_seconds: int = 3600,
    block_count: int = 10,
) -> pl.LazyFrame:
    """
    The mean deviation of an oracle from every other source of its asset, and how sure it is.

    Both prices last until the source speaks again, and are looked at once in each cell of a grid,
    so that who speaks more often weighs no more. A deviation of one minute is much like that of the
    minute before: as if samples were independent, an interval would be far too narrow. The circular
    block bootstrap draws whole blocks of neighbours instead; here the variance over all draws is
    computed, not drawn, so it is the same each time. Blocks run over the samples that are known, as
    if nothing were missing between them, and the time is taken to be alike throughout: a step in it
    leaves no interval. States, amounts and statistics are no prices.

    Formula:
        x(t) = (price - reference) / reference * 10,000 at t = 0, grid_seconds, … from 1970-01-01,
        of prices told by then, to whole thousandths; from the moment both had spoken to the last
        one at which either did
        length b = n / block_count, rounded up; S(i) = x(i) + … + x(i + b - 1), around the end
        standard_error² = Σ (S(i) / b - mean)² / n * b / n; naive: the same with b = 1
        interval = mean ± c * standard_error, f = b / n,
        c = 1.96 + 2.9694 f + 0.4160 f² - 0.5324 f³, which is 2.26 for ten blocks: few blocks do not
        tell their own spread well
        told where b >= 4 and b >= 4 * standard_error_ratio²: else samples hold together longer than
        blocks can show, and the standard error is too small as well; so about one in twenty of all
        that are asked for is told and misses, also where the time is far too short

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed (the source),
            oracle_price_quote, block_timestamp.
        grid_seconds: time between two samples.
        tolerance_seconds: how old either price may be when it is looked at, inclusive.
        block_count: how many blocks make up the samples. Of 95 % that an interval should cover, ten
            blocks cover 95 % of independent samples and 94 % where each keeps 0.9 of the one before
            (a day of minutes), or 0.99 (a week); naive ones 95, 34 and 12 %. Two or three blocks
            cover 93 or 94 % of independent samples.

    Returns:
        One row per asset, quote, source and other source (reference_…) with a sample, sorted:
        sample_count (Int64, n), unsampled_count (Int64: samples left out, because a price was too
        old, the reference not positive, or the price further from it than ten times the reference),
        block_sample_count (Int64, b), mean_deviation_bps, standard_error_bps,
        naive_standard_error_bps, standard_error_ratio (by blocks, of the naive one; null where the
        deviation never moved, which leaves an interval of no width), interval_low_bps,
        interval_high_bps (Float64; null where not told).

    Raises:
        ValueError: a setting is out of bounds.

    Source:
        Politis, Romano: A circular block-resampling procedure for stationary data, 1992; c: Kiefer,
        Vogelsang: A new asymptotic theory for heteroskedasticity-autocorrelation robust tests,
        Econometric Theory 21, 2005, for the Bartlett weights that such blocks give.
    """
    check("grid_seconds", grid_seconds, least=1)
    check("tolerance_seconds", tolerance_seconds, least=0)
    check("block_count", block_count, least=2)
    updates = comparable(oracle_updates, tolerance_seconds)
    names = numbered(updates)
    told = _told(by_number(updates, names), grid_seconds)
    alike = names.select("source", alike=pl.struct(PAIR).rle_id())

    def spread(told: pl.DataFrame) -> pl.DataFrame:
        lasting = _lasting(told, grid_seconds, tolerance_seconds)
        found = (_spreads(_samples(lasting, some), block_count) for some in _beside(told))
        return pl.concat([pl.DataFrame(schema=_SPREADS), *found])

    spreads = told.join(alike, on="source").map_batches(
        spread,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        schema=_SPREADS,
    )
    return by_name(_errors(spreads).sort(_KEY), names).select(*_BOTH, *_COLUMNS)


_COLUMNS = (
    *("sample_count", "unsampled_count", "block_sample_count", "mean_deviation_bps"),
    *("standard_error_bps", "naive_standard_error_bps", "standard_error_ratio"),
    *("interval_low_bps", "interval_high_bps"),
)
_SPREADS = {
    **dict.fromkeys(_KEY, pl.UInt32()),
    **dict.fromkeys(("sample_count", "unsampled_count", "block_sample_count"), pl.Int64()),
    "total": pl.Int64(),
    **dict.fromkeys(("squares", "block_squares"), pl.Int128()),
}


def _told(updates: pl.LazyFrame, grid_seconds: int) -> pl.LazyFrame:
    """Return of each source the last price before a sample, where it spoke since the one before."""
    length = grid_seconds * MICROSECONDS
    return (
        latest_prices(updates, by=["source"])
        .with_columns(at=pl.col("price_at").dt.epoch("us"))
        .group_by("source", cell=(pl.col("at") + length - 1) // length)
        .agg(pl.col("price_quote").max_by("at"), pl.col("at").max())
        .with_columns(last=pl.col("at") // length)
    )


def _lasting(told: pl.DataFrame, grid_seconds: int, tolerance_seconds: int) -> pl.LazyFrame:
    """Return the price of each source at each sample at which it is not too old."""
    last = (pl.col("at") + tolerance_seconds * MICROSECONDS) // (grid_seconds * MICROSECONDS)
    cell = pl.col("cell")
    until = pl.min_horizontal(last + 1, cell.shift(-1).over("source"))
    return (
        told.sort("source", "cell")
        .with_columns(until=until)
        .select("source", "price_quote", cell=pl.int_ranges("cell", "until"))
        .explode("cell")
        .lazy()
    )


def _beside(told: pl.DataFrame, *, most_samples: int = _MOST_SAMPLES) -> Iterator[pl.LazyFrame]:
    """Yield some pairs at a time, with their samples: both have spoken, and one still does."""
    ends = told.group_by("alike", "source").agg(pl.col("cell").min(), pl.col("last").max())
    others = ends.select("alike", reference="source", other_cell="cell", other_last="last")
    span_count = pl.col("to_cell") - pl.col("from_cell") + 1
    pairs = (
        ends.join(others, on="alike")
        .filter(pl.col("source") != pl.col("reference"))
        .select(
            *_KEY,
            from_cell=pl.max_horizontal("cell", "other_cell"),
            to_cell=pl.max_horizontal("last", "other_last"),
        )
        .sort(_KEY)
        .with_columns(span_count=span_count, piece=span_count.cum_sum() // most_samples)
    )
    for some in pairs.partition_by("piece", maintain_order=True):
        yield some.lazy()


def _samples(lasting: pl.LazyFrame, pairs: pl.LazyFrame) -> pl.LazyFrame:
    others = lasting.select("cell", reference="source", reference_price_quote="price_quote")
    deviation = pl.col("deviation_bps")
    return (
        lasting.join(pairs, on="source")
        .join(others, on=["reference", "cell"])
        .filter(pl.col("cell") <= pl.col("to_cell"))
        .with_columns(deviation_bps=deviation_bps("price_quote", "reference_price_quote"))
        .filter(deviation.abs() <= _MOST_BPS)
        .select(
            *(*_KEY, "span_count", "cell"),
            value=(deviation * _PRECISION + 0.5).floor().cast(pl.Int64),
        )
        .sort(*_KEY, "cell")
    )


def _spreads(samples: pl.LazyFrame, block_count: int) -> pl.DataFrame:
    """
    Return of each pair the sum of its samples, and the squares of single ones and of blocks.

    Both are about the mean, exactly, but for less than one: sums are of what lies above the mean's
    whole part, of which `rest` is left.
    """
    value, n = pl.col("value"), pl.len().cast(pl.Int64)
    above = value - value.sum() // n
    length = (n + block_count - 1) // block_count
    before, end = above.cum_sum() - above, pl.int_range(n) + length
    around = pl.when(end >= n).then(above.sum()).otherwise(0)
    count, rest = pl.col("sample_count"), pl.col("rest")
    return (
        samples.group_by(_KEY, maintain_order=True)
        .agg(
            sample_count=n,
            unsampled_count=pl.col("span_count").first() - n,
            block_sample_count=length,
            total=value.sum(),
            rest=above.sum(),
            squares=_square(above).sum(),
            block_squares=_square(before.gather(end % n) + around - before).sum(),
        )
        .with_columns(
            squares=pl.col("squares") - _square(rest) // count,
            block_squares=pl.col("block_squares")
            - _square(rest * pl.col("block_sample_count")) // count,
        )
        .select(*_SPREADS)
        .collect(engine="streaming")
    )


def _square(whole: pl.Expr) -> pl.Expr:
    return whole.cast(pl.Int128) ** 2


def _errors(spreads: pl.LazyFrame) -> pl.LazyFrame:
    length, ratio = pl.col("block_sample_count"), pl.col("standard_error_ratio")
    error, naive = pl.col("standard_error_bps"), pl.col("naive_standard_error_bps")
    scale = pl.col("sample_count") * _PRECISION
    is_shown = (ratio * ratio * _LEAST_LENGTHS <= length).fill_null(value=True)
    is_told = (length >= _LEAST_LENGTHS) & is_shown
    mean = pl.col("mean_deviation_bps")
    width = _critical(divided(length, pl.col("sample_count"))) * error
    return (
        spreads.with_columns(
            mean_deviation_bps=divided(pl.col("total"), scale),
            standard_error_bps=divided(divided(pl.col("block_squares"), length).sqrt(), scale),
            naive_standard_error_bps=divided(pl.col("squares").cast(pl.Float64).sqrt(), scale),
        )
        .with_columns(standard_error_ratio=pl.when(naive > 0).then(divided(error, naive)))
        .with_columns(
            interval_low_bps=pl.when(is_told).then(mean - width),
            interval_high_bps=pl.when(is_told).then(mean + width),
        )
    )


def _critical(part: pl.Expr) -> pl.Expr:
    """Return how many standard errors an interval reaches, by what part of all a block is."""
    return 1.96 + part * (2.9694 + part * (0.4160 - part * 0.5324))
