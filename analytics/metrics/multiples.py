"""What a protocol's token costs against what the protocol earns, and what its income is worth."""

import polars as pl

from analytics.expressions import (
    EVENT_ORDER,
    REVENUE,
    annualised,
    check,
    day,
    ratio,
    row_count,
    trailing,
)
from analytics.prices import MICROSECONDS, is_current, told_of

_DOLLARS = pl.Decimal(38, 18)
_NAMED = ("protocol", "symbol")
_ONE_CHAIN = ("protocol", "chain_id", "token")
_TOLD = ("asset", "quote", "chain_id", "oracle_price_quote", "block_timestamp", *EVENT_ORDER)
_INCOME = ("fees", "revenue", "holders")


def price_multiples(
    fees: pl.LazyFrame,
    token_supplies: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    window_days: int = 30,
    tolerance_seconds: int = 86_400,
) -> pl.LazyFrame:
    """
    How many years of fees, revenue and holders' revenue a token's market value is.

    The price is the latest any oracle told in dollars for an asset of the token's symbol, of
    several in one second the last of the lowest chain; one that was read at a block and seen longer
    than the tolerance before is none. All tokens within reach are counted, locked ones too:
    everything issued less what is at the dead address, more than the "circulating" supply of price
    pages. Income is the window's, as a year.

    Income is of all chains, and so is the supply: tokens of one symbol that a protocol's supply is
    read of are one token, and are added up. This assumes that a bridge between them burns where a
    token leaves and mints where it arrives, so that each is in one chain's supply; what a bridge
    locks instead would count twice. GMX is read on Arbitrum and Avalanche, GNS on Arbitrum, Polygon
    and Base; of no bridge of theirs is that confirmed. Other chains are missing.

    Formula:
        market_cap_usd = (Σ supply_tokens - Σ dead_tokens) * price_usd, over tokens of the symbol
        price_to_fees_years = market_cap_usd / (Σ fee_usd over (d - window_days, d] * 365 /
        window_days); revenue and holders' revenue alike

    Args:
        fees: one row per fee charged: fee_usd, supply_side_usd, holders_usd (USD, null while
            unknown).
        token_supplies: one row per reading: token, supply_tokens, dead_tokens.
        tokens: one row per token: chain_id, address, symbol.
        oracle_updates: one row per update: asset, quote, oracle_price_quote, of which USD counts.
        window_days: how many UTC days count, this day being the last of them.
        tolerance_seconds: oldest price that still counts at the reading, inclusive.

    Returns:
        One row per protocol, symbol (of the token's chain, else of any, else the token's own name)
        and UTC day with a reading (each token's last of the day), sorted: token_count (Int64, read
        so far), supply_tokens, dead_tokens (Decimal; null while one of these has no reading of the
        day), price_usd (Decimal; null without a positive price within the tolerance of the latest
        reading), priced_at (UTC), market_cap_usd (Float64, a product of float values),
        fees_annual_usd, revenue_annual_usd, holders_annual_usd (Float64, USD a year; null while
        unknown or the window is not full), price_to_fees_years, price_to_revenue_years,
        price_to_holders_revenue_years (Float64, years; null unless income is positive).

    Raises:
        ValueError: window_days is below 1 or above 36,600; tolerance_seconds is negative or longer
            than a century.

    Source:
        Token Terminal: P/F and P/S are market value over fees and revenue annualised from 30 days.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    supplies = _supplies(token_supplies, tokens)
    reach = pl.col("supply_tokens") - pl.col("dead_tokens")
    return (
        _priced(supplies, oracle_updates, tolerance_seconds)
        .with_columns(market_cap_usd=reach.cast(pl.Float64) * pl.col("price_usd").cast(pl.Float64))
        .join(_income(fees, supplies, window_days), on=["protocol", "date"], how="left")
        .select(
            *(*_NAMED, "date", "token_count", "supply_tokens", "dead_tokens"),
            *("price_usd", "priced_at", "market_cap_usd"),
            *(f"{name}_annual_usd" for name in _INCOME),
            price_to_fees_years=_years("fees"),
            price_to_revenue_years=_years("revenue"),
            price_to_holders_revenue_years=_years("holders"),
        )
        .sort(*_NAMED, "date")
    )


def _years(income: str) -> pl.Expr:
    return ratio(pl.col("market_cap_usd"), pl.col(f"{income}_annual_usd"))


def _supplies(token_supplies: pl.LazyFrame, tokens: pl.LazyFrame) -> pl.LazyFrame:
    """Return by day what there is of each name on all chains where it has been read so far."""
    readings = (
        token_supplies.sort(EVENT_ORDER)
        .group_by(*_ONE_CHAIN, day())
        .agg(pl.col("supply_tokens", "dead_tokens", "block_timestamp").last())
        .with_columns(is_first=pl.col("date") == pl.col("date").min().over(_ONE_CHAIN))
    )
    is_whole = pl.col("read_count") == pl.col("token_count")
    return (
        _named(readings, tokens)
        .group_by(*_NAMED, "date")
        .agg(
            pl.col("supply_tokens", "dead_tokens").sum(),
            pl.col("block_timestamp").max(),
            read_count=row_count(),
            token_count=pl.col("is_first").sum().cast(pl.Int64),
        )
        .sort(*_NAMED, "date")
        .with_columns(
            asset=pl.col("symbol").str.to_uppercase(),
            token_count=pl.col("token_count").cum_sum().over(_NAMED),
        )
        .with_columns(
            pl.when(is_whole).then(name).alias(name) for name in ("supply_tokens", "dead_tokens")
        )
    )


def _named(readings: pl.LazyFrame, tokens: pl.LazyFrame) -> pl.LazyFrame:
    """
    A venue that is no EVM chain names its tokens by their symbols; a token that was bridged to
    where it is bought is named where it is bought.
    """
    named = tokens.rename({"address": "token"})
    own = named.group_by("chain_id", "token").agg(pl.col("symbol").max())
    elsewhere = named.group_by("token").agg(any_symbol=pl.col("symbol").max())
    return (
        readings.join(own, on=["chain_id", "token"], how="left")
        .join(elsewhere, on="token", how="left")
        .with_columns(symbol=pl.coalesce("symbol", "any_symbol", "token"))
    )


def _priced(
    readings: pl.LazyFrame, oracle_updates: pl.LazyFrame, tolerance_seconds: int
) -> pl.LazyFrame:
    """Of one chain the last of several prices in one second; blocks of two cannot be compared."""
    current = oracle_updates.filter(is_current(tolerance_seconds))
    prices = (
        told_of(current.select(*_TOLD), readings, "asset")
        .filter((pl.col("quote") == "USD") & (pl.col("oracle_price_quote") > 0))
        .sort(-pl.col("chain_id"), *EVENT_ORDER)
        .group_by("asset", priced_at="block_timestamp")
        .agg(price_usd=pl.col("oracle_price_quote").last())
        .sort("priced_at")
    )
    age = (pl.col("block_timestamp") - pl.col("priced_at")).dt.total_microseconds()
    is_old = age > tolerance_seconds * MICROSECONDS
    return (
        readings.sort("block_timestamp")
        .join_asof(
            prices,
            left_on="block_timestamp",
            right_on="priced_at",
            by="asset",
            coalesce=False,
            check_sortedness=False,
        )
        .with_columns(
            pl.when(~is_old).then(name).alias(name) for name in ("price_usd", "priced_at")
        )
    )


def _income(fees: pl.LazyFrame, readings: pl.LazyFrame, window_days: int) -> pl.LazyFrame:
    columns = [f"{name}_usd" for name in _INCOME]
    charged = fees.select(
        "protocol",
        day(),
        fees_usd="fee_usd",
        revenue_usd=REVENUE,
        holders_usd="holders_usd",
    )
    # A reading charges nothing: these zeros are true, and give its day a window.
    nothing = {name: pl.lit(0).cast(_DOLLARS) for name in columns}
    begun = charged.group_by("protocol").agg(first_on=pl.col("date").min())
    return (
        trailing(
            pl.concat([charged, readings.select("protocol", "date", **nothing)]),
            ["protocol"],
            columns,
            window_days,
        )
        .join(begun, on="protocol")
        .select(
            *("protocol", "date"),
            *(
                annualised(f"{name}_usd", window_days).alias(f"{name}_annual_usd")
                for name in _INCOME
            ),
        )
    )


def discounted_cash_flow(
    price_multiples: pl.LazyFrame,
    *,
    growth_ratio: float = 0.0,
    discount_ratio: float = 0.15,
    years: int = 5,
    terminal_growth_ratio: float = 0.0,
) -> pl.LazyFrame:
    """
    What a protocol's income to token holders is worth today, if your assumptions hold.

    The model is as good as its four settings, none of which a chain knows: income starts at the
    trailing holders' revenue, grows for some years, then for ever at the terminal rate, and every
    year is discounted from its end. Set aside is not paid out: compare `buyback_columns`.

    Formula:
        q = (1 + growth_ratio) / (1 + discount_ratio)
        factor = Σ q^k over k = 1 … years + q^years * (1 + terminal_growth_ratio) /
        (discount_ratio - terminal_growth_ratio), by Horner's rule
        value_usd = holders_annual_usd * factor

    Args:
        price_multiples: one row per protocol, symbol and day: holders_annual_usd (USD a year),
            market_cap_usd (USD), supply_tokens, dead_tokens.
        growth_ratio: growth of income in each of the first years, 0.1 = 10 %.
        discount_ratio: what a year costs, 0.15 = 15 %.
        years: how many years grow at growth_ratio.
        terminal_growth_ratio: growth of income in every later year.
        window_days: the window behind holders_annual_usd, as in `price_multiples`.
        tolerance_seconds: oldest price of the market value, as in `price_multiples`.

    Returns:
        One row per protocol, symbol and day with a reading of the supply, sorted:
        holders_annual_usd, market_cap_usd, value_usd (Float64, USD), value_usd_per_token (Float64;
        null unless tokens are within reach), value_to_market_ratio (Float64, 1 = fairly priced
        under these assumptions; null unless the market value is positive); each null while what it
        rests on is unknown.

    Raises:
        ValueError: years is negative or above 1,000; growth is -100 % or less; discount_ratio is
            not above terminal_growth_ratio; or any of the three is 100 or above.

    Source:
        Gordon, Dividends, Earnings and Stock Prices (1959), for the terminal value.
    """
    check("years", years, least=0, most=1_000)
    _check_rates(growth_ratio, discount_ratio, terminal_growth_ratio)
    yearly = (1 + growth_ratio) / (1 + discount_ratio)
    factor = (1 + terminal_growth_ratio) / (discount_ratio - terminal_growth_ratio)
    for _ in range(years):
        factor = yearly * (1 + factor)
    reach = pl.col("supply_tokens") - pl.col("dead_tokens")
    return (
        price_multiples.with_columns(value_usd=pl.col("holders_annual_usd") * factor)
        .select(
            *(*_NAMED, "date", "holders_annual_usd", "market_cap_usd", "value_usd"),
            value_usd_per_token=ratio(pl.col("value_usd"), reach),
            value_to_market_ratio=ratio(pl.col("value_usd"), pl.col("market_cap_usd")),
        )
        .sort(*_NAMED, "date")
    )


def _check_rates(growth: float, discount: float, terminal: float) -> None:
    if not -1 < growth < 100:
        raise ValueError(f"growth_ratio must be above -1 and below 100, got {growth}")
    if not -1 < terminal < discount < 100:
        raise ValueError(
            "discount_ratio must be above terminal_growth_ratio, that above -1, and both below "
            f"100: got {discount} and {terminal}"
        )
