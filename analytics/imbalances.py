"""
What a trade pays for the balance of a market, and how large one may be before that is too much.

A venue that takes its price from an oracle charges what a trade does to the balance of long and
short positions: factor * imbalance ** exponent, after the trade less before it. Trades that bring a
market nearer to balance get something, by a factor of their own, up to the point of balance; what
goes beyond pays again. A power is a float, and so is everything here.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket, divided, place, powered, raised
from analytics.prices import told_of

_VENUE = ("chain_id", "protocol", "version")
_MARKET = (*_VENUE, "market")
# Of every market: what `impact_parameters` calls them together.
_ALL = "all"
_TOLD = ("feed", "quote", "oracle_price_quote", "block_timestamp", *EVENT_ORDER[:3])

# Of what a double can tell apart, every interval is down to two neighbours by then.
_HALVINGS = 100


def in_force(
    books: pl.LazyFrame,
    impact_parameters: pl.LazyFrame,
    markets: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    bucket_seconds: int,
) -> pl.LazyFrame:
    """
    Return books with what a trade was priced by at the end of their period.

    Args:
        books: rows with chain_id, protocol, version, market and bucket_at.
        impact_parameters: the fact table.
        markets: the table.
        oracle_updates: the fact table.
        bucket_seconds: length of a period.

    Returns:
        The books with factor_trillionths and exponent (Decimal, of trades away from balance),
        better_trillionths and better_exponent (Decimal, towards it), is_in_tokens and price
        (Decimal, of the index token in dollars); null where it was not told by then.
    """
    in_tokens = impact_parameters.filter(pl.col("is_in_tokens"))
    counted = markets.join(in_tokens, on=["chain_id", "protocol"], how="semi")
    told = (
        (_parameters(impact_parameters, bucket_seconds), _MARKET),
        (_units(impact_parameters, bucket_seconds), _VENUE),
        (_prices(counted, oracle_updates, bucket_seconds), _MARKET),
    )
    for frame, keys in told:
        books = _until(books, frame, keys)
    return books


def sized(markets: pl.LazyFrame, move_ratio: float) -> pl.LazyFrame:
    """
    Return by how much a side may grow until what it pays is this part of it.

    With y, the imbalance that the trade leaves on its side, that is the largest y with

        worse_factor * y ** worse_exponent - before = move_ratio * (y - ahead)

    The left side is convex in y, the right one a line, and beyond that y the left one is larger for
    good. Where nothing is ahead, or the exponent is 2, y has a closed form; else the interval that
    holds it is halved until nothing is between its ends.

    Args:
        markets: Float64 columns ahead_usd (what is open on the side beyond the other; below zero
            where it is less), worse_factor, worse_exponent (of trades away from balance),
            better_factor, better_exponent (towards it).
        move_ratio: what is paid, as a part of the trade, above 0.

    Returns:
        The rows with depth_usd (Float64, >= 0; null where no size pays so much, where something is
        not known, and where an exponent is not above 1) and basis: impact, unbounded (a factor of
        zero) or unknown.
    """
    factor, exponent = pl.col("worse_factor"), pl.col("worse_exponent")
    above = pl.when((factor > 0) & (exponent > 1)).then(1 / (exponent - 1))
    return (
        markets.with_columns(move=pl.lit(move_ratio), above=above)
        .with_columns(rest=_before() - pl.col("move") * pl.col("ahead_usd"))
        # Where the two sides part fastest, and where the left one has certainly passed.
        .with_columns(lowest=powered(divided(pl.col("move"), exponent * factor), pl.col("above")))
        .with_columns(highest=_highest())
        .with_columns(depth_usd=_depth())
        .with_columns(basis=_basis())
        .drop("move", "above", "rest", "lowest", "highest")
    )


def _parameters(parameters: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return what each market is priced by at the end of every period with a change of it."""
    is_better, is_worse = pl.col("is_positive"), ~pl.col("is_positive")
    told = {
        "better_trillionths": pl.when(is_better).then("factor_trillionths"),
        "factor_trillionths": pl.when(is_worse).then("factor_trillionths"),
        "better_own": pl.when(is_better).then("exponent"),
        "worse_own": pl.when(is_worse).then("exponent"),
        "of_both": pl.when(pl.col("is_positive").is_null()).then("exponent"),
    }
    return _last(parameters.filter(pl.col("market") != _ALL), seconds, _MARKET, told).with_columns(
        exponent=pl.coalesce("worse_own", "of_both"),
        better_exponent=pl.coalesce("better_own", "of_both"),
    )


def _units(parameters: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return whether a venue counts tokens, at the end of every period in which it said so."""
    told = {"is_in_tokens": pl.col("is_in_tokens")}
    return _last(parameters.filter(pl.col("market") == _ALL), seconds, _VENUE, told)


def _prices(markets: pl.LazyFrame, oracle_updates: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return the last price of each market's index token in every period with one."""
    feed = ("chain_id", "protocol", "feed")
    named = markets.group_by(*feed[:2], "market").agg(feed=pl.col("index_token").max())
    return (
        told_of(oracle_updates.select(*_VENUE, *_TOLD), named, "feed")
        .filter(pl.col("quote") == "USD")
        .group_by(*_VENUE, "feed", bucket(seconds))
        .agg(price=pl.col("oracle_price_quote").max_by(place()))
        .join(named, on=feed)
        .drop("feed")
    )


def _last(
    events: pl.LazyFrame, seconds: int, keys: tuple[str, ...], told: Mapping[str, pl.Expr]
) -> pl.LazyFrame:
    """Return what was told last, value by value, by the end of each period with an event."""
    return (
        events.sort(*EVENT_ORDER)
        .with_columns(value.forward_fill().over(keys).alias(name) for name, value in told.items())
        .group_by(*keys, bucket(seconds), maintain_order=True)
        .agg(pl.col(*told).last())
    )


def _until(books: pl.LazyFrame, told: pl.LazyFrame, keys: tuple[str, ...]) -> pl.LazyFrame:
    """Return books with what was last told by the end of their period; null before."""
    return books.sort("bucket_at").join_asof(
        told.sort("bucket_at"), on="bucket_at", by=list(keys), check_sortedness=False
    )


def _before() -> pl.Expr:
    """Return what the imbalance before a trade counts for: on its side, or on the other."""
    ahead = pl.col("ahead_usd")
    own = pl.col("worse_factor") * powered(ahead.abs(), pl.col("worse_exponent"))
    factor = pl.min_horizontal("better_factor", "worse_factor")
    other = factor * powered(ahead.abs(), pl.col("better_exponent"))
    is_other = (ahead < 0) & pl.col("better_factor").is_not_null()
    return pl.when(ahead >= 0).then(own).when(is_other).then(other)


def _highest() -> pl.Expr:
    # Half of the left side is more than the line there, and the other half more than the rest.
    twice, factor = pl.lit(2.0), pl.col("worse_factor")
    line = powered(divided(twice * pl.col("move"), factor), pl.col("above"))
    rest = powered(divided(twice * pl.col("rest").clip(0), factor), 1 / pl.col("worse_exponent"))
    return pl.max_horizontal(line, rest)


def _halved(columns: Sequence[pl.Series]) -> pl.Series:
    """Return the upper end of the interval when nothing is left between its ends."""
    low, high, factor, exponent, move, rest = columns
    for _ in range(_HALVINGS):
        middle = (low + high) * 0.5
        is_beyond = factor * raised(middle, exponent) - move * middle >= rest
        before = low, high
        low, high = low.zip_with(is_beyond, middle), middle.zip_with(is_beyond, high)
        # Nothing moved, so nothing ever will.
        if low.equals(before[0]) and high.equals(before[1]):
            break
    return high


def _depth() -> pl.Expr:
    factor, move = pl.col("worse_factor"), pl.col("move")
    halved = pl.map_batches(
        ["lowest", "highest", factor, "worse_exponent", move, "rest"],
        _halved,
        return_dtype=pl.Float64,
        is_elementwise=True,
    )
    discriminant = (move * move + 4 * factor * pl.col("rest")).clip(0)
    after = (
        pl.when(pl.col("ahead_usd") == 0)
        .then(powered(divided(move, factor), pl.col("above")))
        .when(pl.col("worse_exponent") == 2)
        .then(divided(move + discriminant.sqrt(), 2 * factor))
        .otherwise(halved)
    )
    grown = (after - pl.col("ahead_usd")).clip(0)
    # Already the first dollar pays more.
    depth = pl.when(pl.col("ahead_usd") >= pl.col("lowest")).then(0.0).otherwise(grown)
    is_known = pl.col("rest").is_not_null() & pl.col("lowest").is_not_null()
    return pl.when(is_known & depth.is_finite()).then(depth)


def _basis() -> pl.Expr:
    return (
        pl.when(pl.col("worse_factor") == 0)
        .then(pl.lit("unbounded"))
        .when(pl.col("depth_usd").is_not_null())
        .then(pl.lit("impact"))
        .otherwise(pl.lit("unknown"))
    )
