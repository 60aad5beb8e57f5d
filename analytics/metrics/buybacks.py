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
    policies: pl.LazyFrame,
    *,
    window_days: int = 30,
) -> pl.LazyFrame:
    """
    Dollars spent buying back the token, per dollar of revenue, over a trailing window.

    Daily ratios mislead: a protocol earns every day and buys in batches, so a buyback belongs to
    revenue of earlier days. Beside the executed ratio stands the declared one, to compare.

    Formula:
        buyback_ratio(d) = Σ spent_usd / Σ revenue_usd over (d - window_days, d]

    Args:
        buybacks: one row per purchase: spent_usd (USD).
        protocol_revenue: one row per day, market and fee kind: revenue_usd (USD).
        policies: one row per stated policy: kind buyback_share, value (1 = 100 % of revenue),
            valid_from and valid_to (inclusive).
        window_days: length of the window in UTC days, including the day itself.

    Returns:
        One row per protocol and day with revenue or a buyback, sorted: spent_usd, revenue_usd
        (Decimal, USD, over the window; null when any part is unknown), declared_ratio (Float64; the
        policy in force when the UTC day began, null without one), buyback_ratio (Float64, 0.25 =
        25 %; null while unknown or while revenue is zero or negative).

    Raises:
        ValueError: window_days is below 1 or above 36,600.

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md: holders' revenue need not fall on the day
        the revenue was earned.
    """
    check("window_days", window_days, least=1, most=36_600)
    sums = [whole_total(pl.col(name)).alias(name) for name in ("spent_usd", "revenue_usd")]
    window = (
        _daily(buybacks, protocol_revenue)
        .group_by("protocol", "date")
        .agg(sums)
        .sort("protocol", "date")
        .rolling("date", period=f"{window_days}d", group_by="protocol")
        .agg(sums)
    )
    declared = _declared(window.select("protocol", "date"), policies)
    return (
        window.join(declared, on=["protocol", "date"], how="left")
        .with_columns(buyback_ratio=ratio(pl.col("spent_usd"), pl.col("revenue_usd")))
        .sort("protocol", "date")
    )


def _daily(buybacks: pl.LazyFrame, protocol_revenue: pl.LazyFrame) -> pl.LazyFrame:
    # A purchase brings no revenue and a fee spends nothing: these zeros are true, not unknown.
    nothing = pl.lit(0).cast(_DOLLARS)
    spent = buybacks.select("protocol", day(), "spent_usd", revenue_usd=nothing)
    earned = protocol_revenue.select("protocol", "date", nothing.alias("spent_usd"), "revenue_usd")
    return pl.concat([spent, earned])


def _declared(days: pl.LazyFrame, policies: pl.LazyFrame) -> pl.LazyFrame:
    midnight = pl.col("date").cast(pl.Datetime("us"))
    has_begun = pl.col("valid_from") <= midnight
    has_not_ended = pl.col("valid_to").is_null() | (pl.col("valid_to") >= midnight)
    newest = pl.col("value").sort_by("valid_from", "value").last()
    return (
        days.join(policies.filter(pl.col("kind") == "buyback_share"), on="protocol")
        .filter(has_begun & has_not_ended)
        .group_by("protocol", "date")
        .agg(declared_ratio=newest.cast(pl.Float64))
    )
