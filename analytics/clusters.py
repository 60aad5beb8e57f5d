"""
How events bunch: in time, and in few hands. Pure expressions and frames, for metrics and studies.

A frame of events has a column of times (Datetime) and one of amounts; which ones, the caller says.
Amounts of the same moment are added first, so the order of rows never matters. An amount that is
not known is null, and makes null what it would have changed.
"""

from collections.abc import Sequence

import polars as pl

from analytics.expressions import CENTURY_MILLISECONDS, check, ratio, whole_total

_ALL = "_all"


def clustered(
    events: pl.LazyFrame, gap_ms: int, *, time: str, by: Sequence[str] = ()
) -> pl.LazyFrame:
    """
    Return the events in order of time, with the number of their cluster.

    A cluster ends where nothing happens for longer than the gap: events exactly one gap apart
    are of one cluster. It is counted over everything of a group, not market by market.

    Args:
        events: one row per event: time (Datetime), and the columns of `by`.
        gap_ms: the longest pause inside a cluster, in milliseconds.
        time: name of the column of times.
        by: columns whose values are clustered apart.

    Returns:
        The events, sorted by `by` and time, with cluster (Int64, from 1 in each group).

    Raises:
        ValueError: gap_ms is below 0 or longer than a century.
    """
    check("gap_ms", gap_ms, least=0, most=CENTURY_MILLISECONDS)
    pause = pl.col(time).diff()
    begins = (pause > pl.duration(milliseconds=gap_ms)).fill_null(value=False)
    number = begins.cast(pl.Int64).cum_sum() + 1
    return events.sort(*by, time).with_columns(cluster=number.over(*by) if by else number)


def reached(
    events: pl.LazyFrame,
    percents: Sequence[int],
    *,
    time: str,
    amount: str,
    by: Sequence[str] = (),
) -> pl.LazyFrame:
    """
    Return when so many percent of an amount had come together.

    Args:
        events: one row per event: time (Datetime), amount (Decimal or Float64, >= 0).
        percents: whole percents of the total, 1 to 100, in rising order.
        time: name of the column of times.
        amount: name of the column of amounts.
        by: columns whose values have a total each.

    Returns:
        One row per group with an event and percent, sorted: percent (Int64), reached_at (Datetime:
        the first moment at which the sum of everything up to it is that much; null with a total of
        zero or with an unknown amount).

    Raises:
        ValueError: a percent is below 1 or above 100.
    """
    for percent in percents:
        check("percent", percent, least=1, most=100)
    total = pl.col("total")
    # A hundredfold instead of a hundredth: exact in decimals.
    hundredfold = pl.when(total > 0).then(pl.col("cumulated") * 100)
    return (
        _cumulated(events, time, amount, by)
        .group_by(*by, _ALL)
        .agg(
            pl.col(time).filter(hundredfold >= total * percent).min().alias(str(percent))
            for percent in percents
        )
        .drop(_ALL)
        .unpivot(index=list(by), variable_name="percent", value_name="reached_at")
        .with_columns(pl.col("percent").cast(pl.Int64))
        .sort(*by, "percent")
    )


def smallest_window(
    events: pl.LazyFrame, percent: int, *, time: str, amount: str, by: Sequence[str] = ()
) -> pl.LazyFrame:
    """
    Return the shortest stretch of time that holds so many percent of an amount.

    Args:
        events: one row per event: time (Datetime), amount (Decimal or Float64, >= 0).
        percent: whole percents of the total, 1 to 100.
        time: name of the column of times.
        amount: name of the column of amounts.
        by: columns whose values have a total each.

    Returns:
        One row per group with an event, none with an unknown amount or a total of zero, sorted:
        from_at, to_at (Datetime, both inside), milliseconds (Int64), amount as it is named (the sum
        inside). The earliest of the shortest.

    Raises:
        ValueError: percent is below 1 or above 100.
    """
    check("percent", percent, least=1, most=100)
    moments = _cumulated(events, time, amount, by).filter(pl.col("total") > 0)
    before = pl.col("cumulated") - pl.col(amount)
    # Exact in decimals, as in `reached`.
    starts = moments.select(
        *by, _ALL, from_at=time, before=before, goal=before * 100 + pl.col("total") * percent
    )
    ends = moments.group_by(*by, _ALL, goal=pl.col("cumulated") * 100).agg(
        to_at=pl.col(time).min(), reached=pl.col("cumulated").first()
    )
    pause = pl.col("to_at") - pl.col("from_at")
    return (
        starts.sort("goal")
        .join_asof(
            ends.sort("goal"), on="goal", by=[*by, _ALL], strategy="forward", check_sortedness=False
        )
        .filter(pl.col("to_at").is_not_null())
        .with_columns(milliseconds=pause.dt.total_milliseconds())
        .sort(*by, "milliseconds", "from_at")
        .unique([*by, _ALL], keep="first", maintain_order=True)
        .with_columns((pl.col("reached") - pl.col("before")).alias(amount))
        .select(*by, "from_at", "to_at", "milliseconds", amount)
    )


def gini(amount: pl.Expr) -> pl.Expr:
    """
    Return how unequally an amount is held, Float64: 0 all hold the same, near 1 one holds all.

    Σ (2i - n - 1) x_i / (n Σ x_i) with the x in rising order, i from 1: sums stay exact until the
    one division. Null where an amount is not known and where nothing is held. One row is a holder.
    """
    held, count = amount.sort(), amount.len()
    weight = pl.int_range(1, count + 1) * 2 - count - 1
    return ratio(whole_total(held * weight), whole_total(amount) * count)


def top_share(amount: pl.Expr, holders: int) -> pl.Expr:
    """
    Return what part of an amount its largest holders have, Float64: 0.5 = 50 %.

    Null where an amount is not known and where nothing is held. One row is a holder.

    Raises:
        ValueError: holders is below 1.
    """
    check("holders", holders, least=1)
    return ratio(amount.top_k(holders).sum(), whole_total(amount))


def _cumulated(events: pl.LazyFrame, time: str, amount: str, by: Sequence[str]) -> pl.LazyFrame:
    # One value for all, so that there is a group also where no column makes one.
    groups = [*by, _ALL]
    is_whole = pl.col(amount).null_count().over(groups) == 0
    # The last of the running sums is the total, also of floats, which add up in order only.
    return (
        events.with_columns(pl.lit(0).alias(_ALL))
        .group_by(*groups, time)
        .agg(whole_total(pl.col(amount)))
        .sort(*by, time)
        .with_columns(cumulated=pl.col(amount).cum_sum().over(groups))
        .with_columns(total=pl.when(is_whole).then(pl.col("cumulated").last().over(groups)))
    )
