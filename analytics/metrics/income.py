"""
The income statement: fees = supply side + revenue, and revenue = treasury + holders.

Every metric here keeps one row per day, chain, protocol, version, market and kind of fee, so that
a reader can add up whatever is needed without meeting a fee twice.
"""

from collections.abc import Sequence

import polars as pl

from analytics.expressions import day, known_total, ratio, row_count, unknown_count, whole_total

_GRAIN = ("date", "chain_id", "protocol", "version", "market", "fee_kind")
_REVENUE = pl.col("treasury_usd") + pl.col("holders_usd")


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

    A fee whose split is unknown (`split_basis` none) makes its whole row unknown: null, not zero.

    Formula:
        supply_side_usd(d) = Σ supply_side_usd of the fees charged on UTC day d

    Args:
        fees: one row per fee charged: supply_side_usd (USD, null while the split is unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: supply_side_usd
        (Decimal, USD; null when the split of any fee is unknown), unsplit_count (Int64).

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

    A fee whose split is unknown (`split_basis` none) makes its whole row unknown: null, not zero.

    Formula:
        revenue_usd(d) = Σ (treasury_usd + holders_usd) = fees_usd(d) - supply_side_usd(d)

    Args:
        fees: one row per fee charged: treasury_usd, holders_usd (USD, null while unknown).

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: revenue_usd,
        treasury_usd (Decimal, USD; null when the split of any fee is unknown), unsplit_count
        (Int64).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: revenue = fees - supply side revenue, and
        revenue = treasury + holders. The second is an attribution when the fee is charged.
    """
    return _by_grain(
        fees,
        revenue_usd=whole_total(_REVENUE),
        treasury_usd=whole_total(pl.col("treasury_usd")),
        unsplit_count=_REVENUE.null_count().cast(pl.Int64),
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
        the split of any fee is unknown), take_rate (Float64, 0.37 = 37 %; null while unknown or
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


def _by_grain(fees: pl.LazyFrame, **sums: pl.Expr) -> pl.LazyFrame:
    grain = [day(), *_GRAIN[1:]]
    return fees.group_by(grain).agg(**sums).sort(_GRAIN, nulls_last=True)


def _by_protocol(income: pl.LazyFrame, keys: Sequence[str], column: str) -> pl.LazyFrame:
    return income.group_by(keys).agg(whole_total(pl.col(column)).alias(column))
