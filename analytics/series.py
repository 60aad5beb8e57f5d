"""
Prices as series: who said what when, returns on a grid of time, and how two series move together.

Whose a series is, and of what, are the columns of `prices.SERIES`. A grid counts steps of so many
seconds from 1970-01-01. A series is sparse: a step without a row is a step where nothing moved, and
`steps` says how many there are.
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from analytics import prices
from analytics.expressions import divided, moment, ratio
from analytics.prices import SERIES

# The longest usual heartbeat and an hour: an older price is not the current one.
LONGEST_SECONDS = 90_000


def optional_moment(setting: str, text: str) -> datetime | None:
    """
    Return the UTC time an ISO text says; None where it is empty.

    Raises:
        ValueError: the text is no time.
    """
    return moment(setting, text) if text else None


def between(start: datetime | None, end: datetime | None) -> pl.Expr:
    """
    Return whether an event is at or after the start and before the end; None is no bound.

    Raises:
        ValueError: the end is not after the start.
    """
    if start and end and start >= end:
        raise ValueError(f"event_start must be before event_end, got {start} and {end}")
    at = pl.col("block_timestamp")
    bounds = [at >= start] if start else []
    bounds += [at < end] if end else []
    return pl.all_horizontal(bounds) if bounds else pl.lit(value=True)


def quoted(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return the prices of each source, one a moment, in order; the last of several at once counts.

    States, amounts and statistics are no prices, nor is what was read at a block and seen more
    than a day and an hour before: a dead feed answers for ever.

    Args:
        oracle_updates: the fact table.

    Returns:
        asset, quote, chain_id, protocol, feed, block_timestamp, price (Decimal, quote units, > 0).
    """
    is_told = pl.col("asset").is_not_null() & (pl.col("oracle_price_quote") > 0)
    is_price = is_told & prices.IS_PRICE & prices.is_current(LONGEST_SECONDS)
    return (
        prices.latest_prices(oracle_updates.filter(is_price))
        .select(*SERIES, block_timestamp="price_at", price="price_quote")
        .sort(*SERIES, "block_timestamp")
        .cache()
    )


def main_sources(quotes: pl.LazyFrame, inside: pl.Expr) -> pl.LazyFrame:
    """
    Return the dollar prices of one source per asset: that which speaks most, by name if two do.

    What is quoted in anything else moves with that as well, or is no price at all.

    Args:
        quotes: as `quoted` gives them.
        inside: which of them count; who is silent there is no source, however much it says later.
    """
    rank = ["asset", "spoken", *SERIES[1:]]
    best = (
        quotes.filter(inside, quote="USD")
        .group_by(*SERIES)
        .agg(spoken=pl.len())
        .sort(rank, descending=[name == "spoken" for name in rank])
        .group_by("asset", maintain_order=True)
        .agg(pl.col(*SERIES[1:]).first())
    )
    return quotes.join(best, on=[*SERIES], how="semi").sort(*SERIES, "block_timestamp")


def returns(quotes: pl.LazyFrame, grid_seconds: int, *, by: Sequence[str] = SERIES) -> pl.LazyFrame:
    """
    Return how much each source moved in each step in which it spoke.

    Args:
        quotes: as `quoted` gives them.
        grid_seconds: length of a step.
        by: what tells series apart.

    Returns:
        The columns of `by`, step (Int64), value (Float64: price / price before - 1; zero in the
        first step, which has nothing before it), sorted.
    """
    price = pl.col("price")
    moved = relative(price, price.shift(1).over(by))
    return (
        quotes.with_columns(step=step(grid_seconds))
        .group_by(*by, "step")
        .agg(price.last())
        .sort(*by, "step")
        .with_columns(value=moved.fill_null(0.0))
        .select(*by, "step", "value")
    )


def step(grid_seconds: int) -> pl.Expr:
    """Return the number of the step an event falls into, Int64."""
    return pl.col("block_timestamp").dt.epoch("s") // grid_seconds


def pearson(
    count: pl.Expr, sums: tuple[pl.Expr, pl.Expr], squares: tuple[pl.Expr, pl.Expr], both: pl.Expr
) -> pl.Expr:
    """
    Return Pearson's correlation from sums over all steps; null where one series never varies.

    Args:
        count: how many steps there are, those where nothing moved included.
        sums: of each series.
        squares: of each series, squared.
        both: sum of the products.
    """
    spreads = [count * square - total * total for total, square in zip(sums, squares, strict=True)]
    product = spreads[0] * spreads[1]
    # Rounding can leave a spread of zero slightly above or below it.
    is_varied = pl.all_horizontal(
        spread > 1e-12 * count * square for spread, square in zip(spreads, squares, strict=True)
    )
    value = divided(count * both - sums[0] * sums[1], product.sqrt())
    return pl.when(is_varied).then(value.clip(-1.0, 1.0))


def relative(price: pl.Expr, reference: pl.Expr) -> pl.Expr:
    """Return how far a price is from another one, as a part of that; null unless it is positive."""
    return ratio(price - reference, reference)
