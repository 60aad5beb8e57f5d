"""
Cross-correlation at many lags: of amounts on a grid of time, and of prices as they were quoted.

`kind` says which series are compared with each other, `who` whose a series is. On a grid, a step
without a row is a zero. Prices need no grid: a quote is compared with what the other one said
around it, which keeps how often each speaks out of the lag.
"""

from collections.abc import Iterator
from typing import Literal

import polars as pl
import polars.selectors as cs

from analytics.expressions import divided
from analytics.series import pearson, relative

PAIR = ("kind", "who", "other")
# Sums of floats in another order differ beyond; what differs there alone is equally good.
_DIGITS = 12
# So many are compared at once: some hundreds of megabytes.
_MOST_ROWS = 2_000_000


def cross_correlations(
    series: pl.LazyFrame, most_steps: int, *, is_silence_zero: bool = False, least_met: int = 0
) -> pl.LazyFrame:
    """
    Return the correlation of each pair of series at each lag.

    Formula:
        correlation(l) = Pearson(v(t), w(t + l)) over the sample_count steps t in which the series
        are known and those |l| beside them in which only the shifted one is; a series is zero where
        it is not known

    Args:
        series: kind, who (String), step (Int64), value (Float64); one row per step at most.
        most_steps: the longest lag.
        is_silence_zero: before its first and after its last step a series is zero, not unknown, so
            that the steps of either count, and not only those of both.
        least_met: a lag at which fewer rows meet one of the other series is left out.

    Returns:
        kind, who, other (who < other), sample_count (Int64: steps), lag (Int64: > 0 where the
        other series is later), correlation (Float64); no row where a series never varies, in no
        order.
    """
    # What never moves has no correlation, however many there are of it.
    series = series.filter((pl.col("value") != 0).any().over("kind", "who")).cache()
    pairs = _pairs(series, is_silence_zero=is_silence_zero)
    lags = pl.LazyFrame({"lag": range(-most_steps, most_steps + 1)}, schema={"lag": pl.Int64()})
    own, other = _side(series, pairs, "who"), _side(series, pairs, "other")
    shifted = other.join(lags, how="cross").with_columns(step=pl.col("step") - pl.col("lag"))
    products = (
        own.join(shifted, on=[*PAIR, "step"], suffix="_other")
        .group_by(*PAIR, "lag")
        .agg(both=_listed(pl.col("value") * pl.col("value_other"), "step"), met=pl.len())
        .pipe(_summed)
    )
    lag = pl.col("lag")
    correlation = pearson(
        # Shifted, one series begins and the other ends so much earlier: both are zero out there.
        (pl.col("sample_count") + lag.abs()).cast(pl.Float64),
        (pl.col("sum_who"), pl.col("sum_other")),
        (pl.col("square_who"), pl.col("square_other")),
        pl.col("both").fill_null(0.0),
    )
    return (
        pairs.join(_sums(own, "who"), on=[*PAIR])
        .join(_sums(other, "other"), on=[*PAIR])
        .join(lags, how="cross")
        .join(products, on=[*PAIR, "lag"], how="left")
        .select(*PAIR, "sample_count", "lag", "met", correlation=correlation)
        # What never varies does so at its ends once it is shifted.
        .filter(pl.col("correlation").filter(lag == 0).is_not_null().any().over(PAIR))
        .filter(pl.col("met").fill_null(0) >= least_met)
        .drop("met")
    )


def quote_lags(
    quotes: pl.LazyFrame,
    grid_seconds: int,
    most_steps: int,
    least_samples: int,
    *,
    most_rows: int = _MOST_ROWS,
) -> pl.LazyFrame:
    """
    Return the lag at which the price moves of each pair of sources agree best.

    Formula:
        correlation(l) = Pearson(r, s) over the moves r of one source, from a to b, where s is how
        much the other one moved from its last quote at or before a + l to its first at or after
        b + l

    Args:
        quotes: kind, who (String), block_timestamp, price (Decimal, > 0); one row per moment.
        grid_seconds: between two lags.
        most_steps: the longest lag, in such steps.
        least_samples: as `best_lags` has it.
        most_rows: about how many moves beside another source are held at a time, or lags of pairs.

    Returns:
        As `best_lags`, but each pair twice, because either may be the one whose moves are looked
        at: who. sample_count counts these moves that had a counterpart.
    """
    lags = pl.DataFrame({"lag": range(-most_steps, most_steps + 1)}, schema={"lag": pl.Int64()})
    texts = dict.fromkeys(PAIR, pl.String())
    numbers = {"sample_count": pl.Int64(), "lag": pl.Int64(), "correlation": pl.Float64()}
    nothing = pl.LazyFrame(schema={**texts, **numbers})
    schema = best_lags(nothing, least_samples).collect_schema()

    def compared(told: pl.DataFrame) -> pl.DataFrame:
        moves = _moves(told.lazy()).collect(engine="streaming")
        found = (best(told, some) for some in _beside(moves, lags.height, most_rows))
        return pl.concat([schema.to_frame(), *found])

    def best(told: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
        near = told.join(moves, on="kind", how="semi").lazy()
        slices = lags.iter_slices(max(1, most_rows // max(1, moves.height)))
        each = (_at_lags(moves.lazy(), near, some.lazy(), grid_seconds) for some in slices)
        correlations = pl.concat(one.collect(engine="streaming") for one in each)
        return best_lags(correlations.lazy(), least_samples).collect(engine="streaming")

    return quotes.map_batches(
        compared,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        schema=schema,
    ).cache()


def _at_lags(
    moves: pl.LazyFrame, quotes: pl.LazyFrame, lags: pl.LazyFrame, grid_seconds: int
) -> pl.LazyFrame:
    """Return how moves correlate with those of each other source, their moments shifted."""
    own, met = pl.col("move"), pl.col("met")
    shift = pl.duration(seconds=pl.col("lag") * grid_seconds)
    squares = {"own_square": own * own, "met_square": met * met}
    sums = {"own_sum": own, "met_sum": met, "both": own * met, **squares}
    correlation = pearson(
        pl.col("sample_count").cast(pl.Float64),
        (pl.col("own_sum"), pl.col("met_sum")),
        (pl.col("own_square"), pl.col("met_square")),
        pl.col("both"),
    )
    return (
        moves.join(lags, how="cross")
        .with_columns(pl.col("since", "until") + shift)
        .pipe(_met, quotes, "until", "after", "forward")
        .pipe(_met, quotes, "since", "before", "backward")
        .with_columns(met=relative(pl.col("after"), pl.col("before")))
        .filter(met.is_not_null())
        .group_by(*PAIR, "lag")
        .agg(
            sample_count=pl.len().cast(pl.Int64),
            **{name: _listed(value, "block_timestamp") for name, value in sums.items()},
        )
        .pipe(_summed)
        .select(*PAIR, "sample_count", "lag", correlation=correlation)
        .filter(pl.col("correlation").is_not_null())
    )


def _moves(quotes: pl.LazyFrame) -> pl.LazyFrame:
    """Return each move of each source, and the two moments it lies between."""
    series, price, at = ("kind", "who"), pl.col("price"), pl.col("block_timestamp")
    return (
        quotes.sort(*series, "block_timestamp")
        .with_columns(
            since=at.shift(1).over(series),
            until=at,
            move=relative(price, price.shift(1).over(series)),
        )
        .filter(pl.col("move").is_not_null())
        .drop("price")
    )


def _beside(moves: pl.DataFrame, lags: int, most_rows: int) -> Iterator[pl.DataFrame]:
    """Yield the moves of some sources at a time, each beside each other source."""
    sources = moves.group_by("kind", "who").len()
    others = sources.select("kind", other="who")
    rows = pl.max_horizontal("len", lags) * pl.len().over("kind")
    pieces = sources.sort("kind", "who").with_columns(piece=rows.cum_sum() // max(1, most_rows))
    for some in pieces.partition_by("piece", maintain_order=True):
        own = moves.join(some, on=["kind", "who"], how="semi")
        yield own.join(others, on="kind").filter(pl.col("who") != pl.col("other"))


def _met(
    moves: pl.LazyFrame,
    quotes: pl.LazyFrame,
    moment: str,
    name: str,
    strategy: Literal["forward", "backward"],
) -> pl.LazyFrame:
    """Return the moves with the other source's price around a moment of theirs."""
    other = quotes.select(
        "kind",
        pl.col("who").alias("other"),
        pl.col("block_timestamp").alias(moment),
        pl.col("price").alias(name),
    )
    return moves.sort(moment).join_asof(
        other.sort(moment),
        on=moment,
        by=["kind", "other"],
        strategy=strategy,
        check_sortedness=False,
    )


def best_lags(correlations: pl.LazyFrame, least_samples: int) -> pl.LazyFrame:
    """
    Return the lag at which each pair agrees best; of those equal to twelve digits the shortest.

    Of few samples some always agree: lags are compared that have enough of them, and at least half
    as many as the pair has at any lag.

    Args:
        correlations: as `cross_correlations` gives them.
        least_samples: fewer tell nothing of a lag.

    Returns:
        kind, who, other, sample_count, lag, correlation, second_lag, second_correlation (the next
        best, null for a single lag), significance (Float64: standard deviations between the best
        correlation and the mean of the others; null for fewer than two others).
    """
    value, lag, count = pl.col("correlation"), pl.col("lag"), pl.col("sample_count")
    is_told = (count >= least_samples) & (2 * count >= count.max().over(PAIR))
    # Of a list the sum is always the same one; of a group's pieces it depends on how many work.
    mean, spread = pl.col("others").list.mean(), pl.col("others").list.std()
    order = [*PAIR, value.round(_DIGITS), lag.abs(), lag]
    return (
        correlations.filter(is_told)
        .sort(order, descending=[*(False for _ in PAIR), True, False, False])
        .group_by(*PAIR, maintain_order=True)
        .agg(
            pl.col("sample_count").first(),
            lag=lag.first(),
            correlation=value.first(),
            second_lag=lag.get(1, null_on_oob=True),
            second_correlation=value.get(1, null_on_oob=True),
            others=value.slice(1),
        )
        .with_columns(significance=pl.when(spread > 0).then(divided(value - mean, spread)))
        .drop("others")
    )


def either_way(best: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return each pair once: the way round in which it agrees better, in the order of the names.

    A move of one source is set beside a longer one of the other, and what else that one holds hides
    the lag: more so one way round than the other, and names do not tell which. Of two ways that
    agree alike that with the better next lag is told, and then the less significant.

    Args:
        best: as `best_lags` gives them of pairs told both ways round.

    Returns:
        The rows with who < other.
    """
    value, lag = pl.col("correlation"), pl.col("lag")
    turned = best.filter(pl.col("who") > pl.col("other")).with_columns(
        who="other", other="who", lag=-lag, second_lag=-pl.col("second_lag")
    )
    good, next_good = value.round(_DIGITS), pl.col("second_correlation").round(_DIGITS)
    rest = (pl.col("second_lag"), pl.col("significance"))
    order = [*PAIR, good, pl.col("sample_count"), lag.abs(), lag, next_good, *rest]
    falls = [*(False for _ in PAIR), True, True, False, False, True, False, False]
    return (
        pl.concat([best.filter(pl.col("who") < pl.col("other")), turned])
        .sort(order, descending=falls)
        .unique(PAIR, keep="first", maintain_order=True)
    )


def _pairs(series: pl.LazyFrame, *, is_silence_zero: bool) -> pl.LazyFrame:
    ends = series.group_by("kind", "who").agg(first=pl.col("step").min(), last=pl.col("step").max())
    least, most = pl.min_horizontal, pl.max_horizontal
    later, earlier = (least, most) if is_silence_zero else (most, least)
    return (
        ends.join(ends.rename({"who": "other"}), on="kind")
        .filter(pl.col("who") < pl.col("other"))
        .select(
            *PAIR,
            first=later("first", "first_right"),
            last=earlier("last", "last_right"),
        )
        .with_columns(sample_count=pl.col("last") - pl.col("first") + 1)
        .filter(pl.col("sample_count") > 0)
    )


def _side(series: pl.LazyFrame, pairs: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return (
        pairs.join(series.rename({"who": name}), on=["kind", name])
        .filter(pl.col("step").is_between("first", "last"))
        .select(*PAIR, "step", "value")
    )


def _sums(side: pl.LazyFrame, name: str) -> pl.LazyFrame:
    value = pl.col("value")
    totals = {f"sum_{name}": value, f"square_{name}": value * value}
    lists = {key: _listed(one, "step") for key, one in totals.items()}
    return side.group_by(*PAIR).agg(**lists).pipe(_summed)


def _listed(value: pl.Expr, order: str) -> pl.Expr:
    # A sum of floats depends on their order, and on where a frame is cut in pieces: so that of a
    # list, which is never cut.
    return value.sort_by(order).implode()


def _summed(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.with_columns(cs.list().list.sum())
