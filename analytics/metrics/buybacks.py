"""Value that returns to token holders: tokens bought, where they went, and how it compares."""

import polars as pl

from analytics.expressions import (
    check,
    day,
    known_total,
    ratio,
    row_count,
    unknown_count,
    whole_total,
)

_GRAIN = (
    *("date", "chain_id", "protocol", "version"),
    *("destination_kind", "bought_token", "spent_token"),
)
_DOLLARS = pl.Decimal(38, 18)
_PARTS = ("spent_usd", "revenue_usd", "holders_usd")


def buybacks(buybacks: pl.LazyFrame) -> pl.LazyFrame:
    """
    Tokens a protocol bought back in a day, what it paid, and where the tokens went.

    A buyback is not a burn: tokens sent to a treasury or to stakers stay in supply, and tokens at
    a dead address are still counted by `totalSupply()`. `burned_tokens` is what left supply.

    Formula:
        spent_usd(d) = Σ spent_usd, bought_tokens(d) = Σ bought_tokens over UTC day d

    Args:
        buybacks: one row per purchase: bought_tokens, spent_tokens, spent_usd, burned_tokens,
            destination_kind (zero_burn, dead_burn, treasury, distribution, mixed).

    Returns:
        One row per day, chain, protocol, version, destination kind, bought and spent token,
        sorted: bought_tokens, spent_tokens, spent_usd, burned_tokens (Decimal; the last three are
        sums of what is known, null when nothing is), buyback_count, unpriced_count (Int64).

    Source:
        Token flows as in each token's own Transfer events; four destinations occur in practice.
    """
    return (
        buybacks.group_by(day(), *_GRAIN[1:])
        .agg(
            bought_tokens=pl.col("bought_tokens").sum(),
            spent_tokens=known_total(pl.col("spent_tokens")),
            spent_usd=known_total(pl.col("spent_usd")),
            burned_tokens=known_total(pl.col("burned_tokens")),
            buyback_count=row_count(),
            unpriced_count=unknown_count("spent_usd"),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def buyback_ratio(
    buybacks: pl.LazyFrame,
    protocol_revenue: pl.LazyFrame,
    holders_revenue: pl.LazyFrame,
    *,
    window_days: int = 30,
) -> pl.LazyFrame:
    """
    What part of its revenue a protocol put into its own token, over the days up to this one.

    Purchases come in lumps, paid for by revenue that built up before, so a single day on its own
    says little; the window holds both. Beside the executed ratio stands the declared one: what the
    splits in force set aside for holders, bought back or not.

    Formula:
        buyback_ratio(d) = Σ spent_usd / Σ revenue_usd over (d - window_days, d]
        declared_ratio(d) = Σ holders_usd / Σ revenue_usd over (d - window_days, d]

    Args:
        buybacks: one row per purchase: spent_usd (USD).
        protocol_revenue: one row per day, market and fee kind: revenue_usd (USD).
        holders_revenue: one row per day, market and fee kind: holders_usd (USD).
        window_days: how many UTC days count, this day being the last of them.

    Returns:
        One row per protocol and day on which it earned or bought, sorted: spent_usd, revenue_usd,
        holders_usd (Decimal, USD, over the window; null when any part is unknown), declared_ratio,
        buyback_ratio (Float64, 0.25 = 25 %; null while unknown or while revenue is zero or
        negative).

    Raises:
        ValueError: window_days is below 1 or above 36,600.

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md, which lets holders' revenue be booked on
        another day than the revenue behind it.
    """
    check("window_days", window_days, least=1, most=36_600)
    sums = [whole_total(pl.col(name)).alias(name) for name in _PARTS]
    revenue = pl.col("revenue_usd")
    return (
        _daily(buybacks, protocol_revenue, holders_revenue)
        .group_by("protocol", "date")
        .agg(sums)
        .sort("protocol", "date")
        .rolling("date", period=f"{window_days}d", group_by="protocol")
        .agg(sums)
        .with_columns(
            declared_ratio=ratio(pl.col("holders_usd"), revenue),
            buyback_ratio=ratio(pl.col("spent_usd"), revenue),
        )
        .sort("protocol", "date")
    )


def _daily(
    buybacks: pl.LazyFrame, protocol_revenue: pl.LazyFrame, holders_revenue: pl.LazyFrame
) -> pl.LazyFrame:
    # A purchase earns nothing and a fee spends nothing: these zeros are true, not unknown.
    nothing = {name: pl.lit(0).cast(_DOLLARS).alias(name) for name in _PARTS}
    return pl.concat(
        events.select(
            "protocol", date, *(pl.col(name) if name == known else nothing[name] for name in _PARTS)
        )
        for events, date, known in (
            (buybacks, day(), "spent_usd"),
            (protocol_revenue, pl.col("date"), "revenue_usd"),
            (holders_revenue, pl.col("date"), "holders_usd"),
        )
    )
