"""Buyback programmes: what a protocol says, what it spends and burns, and how late it spends it."""

import polars as pl

from analytics.expressions import (
    REVENUE,
    check,
    day,
    divided,
    known_total,
    ratio,
    row_count,
    where_told,
    whole_total,
)

_DOLLARS = pl.Decimal(38, 18)
_DAY = ("protocol", "date")
_LAGGED = ("protocol", "lag_days")
_ZERO = pl.lit(0).cast(_DOLLARS)
# The first of these that is in force says what holders are to get.
_OF_REVENUE = "holders_share_of_revenue"
_DECLARED = (_OF_REVENUE, "holders_share")
_OF_FEES = ("fees_usd", "revenue_usd", "holders_usd", "fee_count")
_OF_BUYBACKS = ("spent_usd", "burned_tokens", "buyback_count")


def buyback_columns(
    buybacks: pl.LazyFrame,
    fees: pl.LazyFrame,
    policies: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
) -> pl.LazyFrame:
    """
    A day's buybacks three times: as the policy promises, as they were measured, as they burned.

    A dashboard that multiplies revenue by a declared rate shows the first and calls it the second.
    What was spent in a day was mostly earned before it, so compare sums over weeks. A share of
    revenue is of all that the protocol keeps, and unknown while nobody tells what of it is the
    holders'. A share of fees is in the split of the fees it covers, after what comes off them
    first, and in no other: dYdX's is not of liquidation fees, Hyperliquid's neither of builders'
    parts nor of spot. So under one, and where no policy speaks of holders, what the splits set
    aside for them is the promise. Rates change at midnight UTC.
    Where nothing that is indexed could tell of a protocol's fees, or of its purchases, their sums
    and counts are null and not zero.

    Formula:
        policy_usd(d) = revenue_usd(d) * holders_share_of_revenue(d) * buyback_share(d), or
        policy_usd(d) = holders_usd(d) * buyback_share(d); buyback_share is 1 where none is in force

    Args:
        buybacks: one row per purchase: spent_usd (USD), burned_tokens.
        fees: one row per fee charged: fee_usd, supply_side_usd, holders_usd (USD).
        policies: one row per rate: kind, value (1 = 100 %), valid_from, valid_to (null while in
            force).
        declared_facts: which facts the declarations of a protocol can tell: fact.

    Returns:
        One row per protocol and UTC day with a fee or a purchase, sorted: fees_usd, revenue_usd,
        holders_usd (Decimal, USD; null when any part is unknown), fee_count (Int64), spent_usd
        (Decimal, USD; null when any cost is unknown), burned_tokens (Decimal; what is known, null
        when nothing is, zero without a purchase), buyback_count (Int64), policy_kind (what applies;
        split where no policy does), policy_ratio (Decimal; null for split), buyback_share_ratio
        (Decimal, 1 where none is in force), policy_usd (Float64, a product of float values; null
        while unknown).

    Source:
        DefiLlama books holders revenue as revenue times a declared rate, 0.97 to 0.99 for
        Hyperliquid, whose purchases of 10 to 12 February 2026 were 0.745 of its revenue.
    """
    rates = [*_DECLARED, "buyback_share"]
    charged = where_told(_days(buybacks, fees), _OF_FEES, "fees", fees, declared_facts)
    return (
        where_told(charged, _OF_BUYBACKS, "buybacks", buybacks, declared_facts)
        .join(_in_force(policies, _days(buybacks, fees), rates), on=_DAY, how="left")
        .with_columns(
            policy_kind=pl.coalesce(
                *(pl.when(pl.col(kind).is_not_null()).then(pl.lit(kind)) for kind in _DECLARED),
                pl.lit("split"),
            ),
            policy_ratio=pl.coalesce(*_DECLARED),
            buyback_share_ratio=pl.coalesce("buyback_share", pl.lit(1).cast(_DOLLARS)),
        )
        .with_columns(policy_usd=_promised())
        .select(
            *(*_DAY, *_OF_FEES, *_OF_BUYBACKS),
            *("policy_kind", "policy_ratio", "buyback_share_ratio", "policy_usd"),
        )
        .sort(_DAY)
    )


def _days(buybacks: pl.LazyFrame, fees: pl.LazyFrame) -> pl.LazyFrame:
    charged = fees.group_by("protocol", day()).agg(
        fees_usd=whole_total(pl.col("fee_usd")),
        revenue_usd=whole_total(REVENUE),
        holders_usd=whole_total(pl.col("holders_usd")),
        fee_count=row_count(),
    )
    bought = buybacks.group_by("protocol", day()).agg(
        spent_usd=whole_total(pl.col("spent_usd")),
        burned_tokens=known_total(pl.col("burned_tokens")),
        buyback_count=row_count(),
    )
    # A day without fees has none, and one without purchases spent nothing, where they are told.
    is_charged, is_bought = pl.col("fee_count") > 0, pl.col("buyback_count") > 0
    return charged.join(bought, on=_DAY, how="full", coalesce=True).with_columns(
        *(pl.when(is_charged).then(name).otherwise(_ZERO).alias(name) for name in _OF_FEES[:-1]),
        *(pl.when(is_bought).then(name).otherwise(_ZERO).alias(name) for name in _OF_BUYBACKS[:-1]),
        pl.col("fee_count", "buyback_count").fill_null(0),
    )


def _in_force(policies: pl.LazyFrame, days: pl.LazyFrame, kinds: list[str]) -> pl.LazyFrame:
    """Return the rate of each kind on each day; of several that begin together the highest."""
    begins, ends = pl.col("valid_from").dt.date(), pl.col("valid_to").dt.date()
    is_in_force = (begins <= pl.col("date")) & (ends.is_null() | (ends > pl.col("date")))
    return (
        days.select(_DAY)
        .join(policies.filter(pl.col("kind").is_in(kinds)), on="protocol")
        .filter(is_in_force)
        .sort("valid_from", "value")
        .group_by(_DAY)
        .agg(pl.col("value").filter(pl.col("kind") == kind).last().alias(kind) for kind in kinds)
    )


def _promised() -> pl.Expr:
    share = pl.col("buyback_share_ratio").cast(pl.Float64)
    of_revenue = pl.col("revenue_usd").cast(pl.Float64) * pl.col("policy_ratio").cast(pl.Float64)
    is_of_revenue = pl.col("policy_kind") == _OF_REVENUE
    set_aside = pl.col("holders_usd").cast(pl.Float64)
    promised = pl.when(is_of_revenue, set_aside.is_not_null()).then(of_revenue)
    return promised.otherwise(set_aside) * share


def buyback_lag(
    buybacks: pl.LazyFrame,
    protocol_revenue: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    most_lag_days: int = 30,
    least_days: int = 10,
) -> pl.LazyFrame:
    """
    How many days after it was earned revenue is spent on the token: every lag tried, the best told.

    Ranks are correlated, not dollars: purchases come in lumps, one of which would decide Pearson's
    coefficient alone, and sums of whole ranks are exact. The days of a protocol run from its first
    fee or purchase to its last; one without either earned and spent nothing, which is true only
    where coverage has no gap. What a protocol earned whose fees nobody tells is not known.

    Formula:
        spent_rank_correlation(l) = Spearman's ρ of spent_usd(d) and revenue_usd(d - l)
        buyback_ratio(l) = Σ spent_usd(d) / Σ revenue_usd(d - l), over the days d that have both

    Args:
        buybacks: one row per purchase: spent_usd (USD).
        protocol_revenue: one row per day, market and fee kind: revenue_usd (USD).
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.
        most_lag_days: the longest lag tried, in days.
        least_days: how many pairs of days a correlation needs.

    Returns:
        One row per protocol with a purchase and lag from zero to most_lag_days that leaves a pair
        of days where both are known, sorted: day_count (Int64, such pairs), spent_usd, revenue_usd
        (Decimal, USD, over these), spent_rank_correlation (Float64, -1 to 1; null below least_days,
        or where all days are alike), buyback_ratio (Float64; null while revenue is zero or
        negative), is_best (Boolean: the highest correlation, of several the shortest lag).

    Raises:
        ValueError: most_lag_days is negative or above 3,660; least_days is below 2.

    Source:
        Spearman 1904. DefiLlama/dimension-adapters fees/GUIDELINES.md lets a buyback land on
        another day than the revenue behind it; this measures which.
    """
    check("most_lag_days", most_lag_days, least=0, most=3_660)
    check("least_days", least_days, least=2)
    calendar = _calendar(buybacks, protocol_revenue)
    days = where_told(calendar, ["revenue_usd"], "fees", protocol_revenue, declared_facts)
    lags = pl.LazyFrame({"lag_days": range(most_lag_days + 1)}, schema={"lag_days": pl.Int64})
    earlier = days.select("protocol", earned_on="date", revenue_usd="revenue_usd")
    enough = pl.when(pl.col("day_count") >= least_days)
    return (
        days.select(*_DAY, "spent_usd")
        .join(lags, how="cross")
        .with_columns(earned_on=pl.col("date") - pl.duration(days=pl.col("lag_days")))
        .join(earlier, on=["protocol", "earned_on"])
        .drop_nulls(["spent_usd", "revenue_usd"])
        .with_columns(_rank("spent_usd").alias("spent"), _rank("revenue_usd").alias("earned"))
        .group_by(_LAGGED)
        .agg(row_count().alias("day_count"), pl.col("spent_usd", "revenue_usd").sum(), *_moments())
        .with_columns(
            spent_rank_correlation=enough.then(_correlation()),
            buyback_ratio=ratio(pl.col("spent_usd"), pl.col("revenue_usd")),
        )
        .drop("spent", "earned", "products", "spent_squares", "earned_squares")
        .sort(_LAGGED)
        .with_columns(is_best=_is_best())
    )


def _calendar(buybacks: pl.LazyFrame, protocol_revenue: pl.LazyFrame) -> pl.LazyFrame:
    spent = buybacks.select("protocol", day(), spent_usd="spent_usd", revenue_usd=_ZERO)
    earned = protocol_revenue.select("protocol", "date", spent_usd=_ZERO, revenue_usd="revenue_usd")
    flows = pl.concat([spent, earned]).join(buybacks, on="protocol", how="semi")
    first, last = pl.col("date").min(), pl.col("date").max()
    calm = (
        flows.group_by("protocol")
        .agg(date=pl.date_ranges(first, last).first())
        .explode("date")
        .select(*_DAY, spent_usd=_ZERO, revenue_usd=_ZERO)
    )
    return (
        pl.concat([calm, flows])
        .group_by(_DAY)
        .agg(whole_total(pl.col(name)).alias(name) for name in ("spent_usd", "revenue_usd"))
    )


def _rank(column: str) -> pl.Expr:
    """Return twice the average rank: a whole number."""
    return (pl.col(column).rank("average").over(_LAGGED) * 2).cast(pl.Int64)


def _moments() -> list[pl.Expr]:
    spent, earned = pl.col("spent"), pl.col("earned")
    return [
        spent.sum(),
        earned.sum(),
        (spent * earned).sum().alias("products"),
        (spent * spent).sum().alias("spent_squares"),
        (earned * earned).sum().alias("earned_squares"),
    ]


def _correlation() -> pl.Expr:
    count, spent, earned = pl.col("day_count"), pl.col("spent"), pl.col("earned")
    together = count * pl.col("products") - spent * earned
    of_spent = (count * pl.col("spent_squares") - spent * spent).cast(pl.Float64)
    of_earned = (count * pl.col("earned_squares") - earned * earned).cast(pl.Float64)
    spread = (of_spent * of_earned).sqrt()
    return pl.when(spread > 0).then(divided(together, spread))


def _is_best() -> pl.Expr:
    found = pl.col("spent_rank_correlation")
    is_highest = (found == found.max().over("protocol")).fill_null(value=False)
    return is_highest & (is_highest.cast(pl.Int64).cum_sum().over("protocol") == 1)
