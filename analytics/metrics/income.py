"""
The income statement: fees = supply side + revenue, and revenue = treasury + holders.

Every metric here keeps one row per day, chain, protocol, version, market and kind of fee, so that
a reader can add up whatever is needed without meeting a fee twice.
"""

from collections.abc import Sequence

import polars as pl

from analytics.expressions import (
    REVENUE,
    annualised,
    day,
    known_total,
    ratio,
    row_count,
    trailing,
    unknown_count,
    whole_total,
)

_GRAIN = ("date", "chain_id", "protocol", "version", "market", "fee_kind")
_SPLIT = pl.col("supply_side_usd") + pl.col("treasury_usd") + pl.col("holders_usd")
_ANNUAL = ("fees", "revenue", "holders")


def fees(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    Everything users paid to a protocol in a day, whoever received it.

    A fee in a token without a price is counted but cannot be added, so `fees_usd` is a lower
    bound wherever `unpriced_count` is above zero.

    Formula:
        fees_usd(d) = Σ fee_usd of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: fee_usd (USD, null while no price is known), fee_kind.

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: fees_usd (Decimal,
        USD; null when no fee of the row has a price), fee_count, unpriced_count (Int64).

    Source:
        DefiLlama/dimension-adapters GUIDELINES.md: fees are gross, "everything the protocol
        could charge".
    """
    return _by_grain(
        fees,
        fees_usd=known_total(pl.col("fee_usd")),
        fee_count=row_count(),
        unpriced_count=unknown_count("fee_usd"),
    )


def supply_side(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    The part of the fees that goes to those who supply the capital: LPs, lenders, referrers.

    A fee of which this part is unknown makes its whole row unknown: null, not zero.

    Formula:
        supply_side_usd(d) = Σ supply_side_usd of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: supply_side_usd (USD, null while unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: supply_side_usd
        (Decimal, USD; null when that of any fee is unknown), unsplit_count (Int64).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: supply side revenue is the cost of funds.
    """
    return _by_grain(
        fees,
        supply_side_usd=whole_total(pl.col("supply_side_usd")),
        unsplit_count=unknown_count("supply_side_usd"),
    )


def protocol_revenue(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    What the protocol keeps of the fees, and the part of it that goes to the treasury.

    What the supply side leaves of a fee is revenue, also where nobody tells how treasury and
    holders share it. A fee of which its part is unknown makes the whole row unknown: null, not
    zero.

    Formula:
        revenue_usd(d) = Σ (fee_usd - supply_side_usd) of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: fee_usd, supply_side_usd, treasury_usd (USD, null while
            unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: revenue_usd,
        treasury_usd (Decimal, USD; null when that of any fee is unknown), unsplit_count (Int64,
        fees whose revenue is unknown).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: revenue = fees - supply side revenue, and
        revenue = treasury + holders. The second is an attribution when the fee is charged.
    """
    return _by_grain(
        fees,
        revenue_usd=whole_total(REVENUE),
        treasury_usd=whole_total(pl.col("treasury_usd")),
        unsplit_count=REVENUE.null_count().cast(pl.Int64),
    )


def holders_revenue(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    The part of the fees set aside for token holders, by any way: buyback, burn, distribution.

    Attributed to the day the fee is charged. What was really spent is `buybacks`, on other days.

    Formula:
        holders_usd(d) = Σ holders_usd of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: holders_usd (USD, null while the split is unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: holders_usd
        (Decimal, USD; null when the split of any fee is unknown), unsplit_count (Int64).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: holders revenue is all value to token
        holders.
    """
    return _by_grain(
        fees,
        holders_usd=whole_total(pl.col("holders_usd")),
        unsplit_count=unknown_count("holders_usd"),
    )


def treasury_revenue(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    The part of the fees that stays with the protocol: treasury, team, insurance, stability fund.

    Formula:
        treasury_usd(d) = Σ treasury_usd of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: treasury_usd (USD, null while the split is unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: treasury_usd
        (Decimal, USD; null when the split of any fee is unknown), unsplit_count (Int64).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: protocol revenue is the treasury's part of
        revenue, the rest is holders revenue.
    """
    return _by_grain(
        fees,
        treasury_usd=whole_total(pl.col("treasury_usd")),
        unsplit_count=unknown_count("treasury_usd"),
    )


def take_rate(supply_side: pl.LazyFrame, protocol_revenue: pl.LazyFrame) -> pl.LazyFrame:
    """
    The share of a day's fees that a protocol keeps.

    Formula:
        take_rate(d) = Σ revenue_usd / (Σ supply_side_usd + Σ revenue_usd) on UTC day d

    Args:
        supply_side: one row per day, market and fee kind: supply_side_usd (USD).
        protocol_revenue: one row per day, market and fee kind: revenue_usd (USD).

    Returns:
        One row per day and protocol, sorted: supply_side_usd, revenue_usd (Decimal, USD; null when
        that of any fee is unknown), take_rate (Float64, 0.37 = 37 %; null while unknown or
        while the fees are zero or negative).

    Source:
        Token Terminal, "take rate": the share of fees that is not paid to the supply side.
    """
    keys = ["date", "protocol"]
    earned = _by_protocol(protocol_revenue, keys, "revenue_usd")
    paid_out = _by_protocol(supply_side, keys, "supply_side_usd")
    revenue, charged = pl.col("revenue_usd"), pl.col("supply_side_usd") + pl.col("revenue_usd")
    return (
        paid_out.join(earned, on=keys)
        .with_columns(take_rate=ratio(revenue, charged))
        .sort(keys, nulls_last=True)
    )


def fees_by_kind(fees: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a protocol's fees are for, kind by kind, who received each, and each one's part of a day.

    Formula:
        fees_share_ratio(d, kind) = Σ fee_usd of the kind / Σ fee_usd, on UTC day d

    Args:
        fees: one row per fee charged: fee_kind, fee_usd, supply_side_usd, treasury_usd,
            holders_usd (USD, null while unknown).

    Returns:
        One row per day, protocol and fee kind, sorted: fees_usd (Decimal, USD; what is known),
        supply_side_usd, treasury_usd, holders_usd (Decimal, USD; null when the split of any fee is
        unknown), fee_count, unpriced_count, unsplit_count (Int64), fees_share_ratio (Float64, 0.4 =
        40 %; null when any fee of the day has no price, or they are zero or negative together).

    Source:
        The kinds are those of the venues' own events; DefiLlama's `breakdownMethodology` lists the
        same ones by label.
    """
    kinds = ["date", "protocol", "fee_kind"]
    of_day = kinds[:2]
    priced = pl.col("unpriced_count").sum().over(of_day) == 0
    share = ratio(pl.col("fees_usd"), pl.col("fees_usd").sum().over(of_day))
    return (
        fees.group_by(day(), *kinds[1:])
        .agg(
            fees_usd=known_total(pl.col("fee_usd")),
            supply_side_usd=whole_total(pl.col("supply_side_usd")),
            treasury_usd=whole_total(pl.col("treasury_usd")),
            holders_usd=whole_total(pl.col("holders_usd")),
            fee_count=row_count(),
            unpriced_count=unknown_count("fee_usd"),
            unsplit_count=_SPLIT.null_count().cast(pl.Int64),
        )
        .with_columns(fees_share_ratio=pl.when(priced).then(share))
        .sort(kinds)
    )


def run_rate(fees: pl.LazyFrame, *, window_days: int = 30) -> pl.LazyFrame:
    """
    What a protocol would earn in a year that went on like the days up to this one.

    A window that begins before the first fee would be spread too thin, so there is no annual figure
    until a protocol's fees reach back a whole window. The day of the first one counts, though it is
    rarely whole.

    Formula:
        fees_annual_usd(d) = Σ fee_usd over (d - window_days, d] * 365 / window_days
        revenue_annual_usd and holders_annual_usd alike

    Args:
        fees: one row per fee charged: fee_usd, supply_side_usd, holders_usd (USD, null while
            unknown).
        window_days: how many UTC days count, this day being the last of them.

    Returns:
        One row per protocol and UTC day with a fee, sorted: fees_usd, revenue_usd, holders_usd
        (Decimal, USD, over the window; null when any part is unknown), fees_annual_usd,
        revenue_annual_usd, holders_annual_usd (Float64, USD a year; null also while the window is
        not full).

    Raises:
        ValueError: window_days is below 1 or above 36,600.

    Source:
        Token Terminal annualises 30 days by 365 / 30.
    """
    charged = fees.select(
        "protocol",
        day(),
        fees_usd="fee_usd",
        revenue_usd=REVENUE,
        holders_usd="holders_usd",
    )
    begun = charged.group_by("protocol").agg(first_on=pl.col("date").min())
    annual = [
        annualised(f"{name}_usd", window_days).alias(f"{name}_annual_usd") for name in _ANNUAL
    ]
    return (
        trailing(charged, ["protocol"], [f"{name}_usd" for name in _ANNUAL], window_days)
        .join(begun, on="protocol")
        .with_columns(annual)
        .drop("first_on")
        .sort("protocol", "date")
    )


def _by_grain(fees: pl.LazyFrame, **sums: pl.Expr) -> pl.LazyFrame:
    grain = [day(), *_GRAIN[1:]]
    return fees.group_by(grain).agg(**sums).sort(_GRAIN, nulls_last=True)


def _by_protocol(income: pl.LazyFrame, keys: Sequence[str], column: str) -> pl.LazyFrame:
    return income.group_by(keys).agg(whole_total(pl.col(column)).alias(column))
