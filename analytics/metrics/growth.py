"""What protocols manage in dollars over all of their pools, and how it grows."""

import polars as pl

from analytics.expressions import (
    END_OF_DAY,
    POOL,
    check,
    known_total,
    ratio,
    row_count,
    unknown_count,
    whole_total,
)
from analytics.pools import POOL_SERIES, as_of_back, asset_key
from analytics.worth import managed_tokens, value_usd, valued

_POOL_DAY = ("date", *POOL)
_PRICED = ("date", "chain_id", "protocol", "asset_token")
_DAY = ("protocol", "date")
_DOLLARS = pl.Decimal(38, 18)


def tvl_growth_valued(
    tvl: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    window_days: int = 365,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What a protocol manages in dollars, all its pools of all chains together, and how it grew.

    Money that moves from one pool to another is no growth. A pool that told nothing has the tokens
    that it told last, at the price of this day's end: that its tokens moved is not known, what
    their price did is. One that fell silent stands for ever, and `oldest_days` says for how long;
    it is zero once it told zero, priced or not. A pool counts from its first word on, which is not
    its beginning if it is older than what is indexed: `younger_usd` is what such pools hold. A pool
    that says that it holds shares of other pools of its protocol, as a GLV vault of GMX v2 does, is
    left out, since they count it. What is told in dollars has no price to change: what its shares
    gained is a change of quantity.

    Formula:
        tvl_usd(d) = Σ tokens(d) * price_usd(d) over pools, each product as in `tvl_valued`
        growth_ratio(d) = (tvl_usd(d) - tvl_usd(e)) / tvl_usd(e), e the last day with a row that is
        at least window_days before d
        revaluation_usd = Σ tokens(e) * price_usd(d) - tvl_usd(e)
        quantity_change_usd = tvl_usd(d) - Σ tokens(e) * price_usd(d)

    Args:
        tvl: what each pool manages by day: assets_tokens, share_price_tokens, supply_tokens,
            holds_pools.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        window_days: how far back to look for the earlier day.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per protocol and day on which any of its pools told something, sorted: tvl_usd
        (Decimal, USD; null while a pool that stood has no value), known_usd (Decimal, USD; of the
        pools that have one, null where none has), pool_count, unpriced_count (Int64, the last
        without a value), oldest_days (Int64, >= 0, since the pool spoke that was silent for the
        longest of those not known to be empty; null where all are), earlier_date (Date),
        earlier_tvl_usd (Decimal), growth_ratio (Float64, 9 = ten times as much; null unless both
        are known and the earlier one is positive), revaluation_usd (Decimal; what the tokens of
        then gained by their prices), quantity_change_usd (Decimal; at the prices of now: flows, and
        what pools earned and lost), younger_count (Int64, pools that first spoke after
        earlier_date), younger_usd (Decimal; in them now). Without an earlier day all that is about
        it is null.

    Raises:
        ValueError: window_days is below 1 or longer than a century; tolerance_seconds is negative
            or longer than a century.

    Source:
        Growth of TVL as lenders quote it. The change is split as index numbers are: prices by the
        quantities of then, quantities by the prices of now, so that the two add up. What flowed is
        not told from what was earned: `net_flows_valued` has it, where a protocol tells of flows.
    """
    check("window_days", window_days, least=1, most=36_600)
    told = (
        tvl.filter(~pl.col("holds_pools"))
        .select(*_POOL_DAY, amount_tokens=managed_tokens(), asset=asset_key())
        .cache()
    )
    days = _days(told, window_days)
    one_each = _ones(told, days)
    priced = valued(one_each, tokens, oracle_updates, tolerance_seconds, par_symbols, by=_PRICED)
    prices = priced.select(*_PRICED, "price_usd")
    worth = _stood(told, days).join(prices, on=_PRICED, how="left", nulls_equal=True)
    return _beside_earlier(_totals(worth), days)


def _days(told: pl.LazyFrame, window_days: int) -> pl.LazyFrame:
    """Return the days of each protocol, each with the last one that is a window before it."""
    back = pl.col("date").dt.offset_by(f"-{window_days}d")
    days = told.select(_DAY).unique().with_columns(back=back)
    return as_of_back(days, days.select("protocol", earlier_date="date"), by=["protocol"])


def _stood(told: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    """Return, for each day, all pools that had spoken by then, and what they had told last."""
    pools = told.group_by(*POOL, "asset").agg(first_on=pl.col("date").min())
    there = days.join(pools, on="protocol").filter(pl.col("first_on") <= pl.col("date"))
    then = _last(there, told, "earlier_date", "then")
    return _last(then, told, "date", "now")


def _last(there: pl.LazyFrame, told: pl.LazyFrame, on: str, name: str) -> pl.LazyFrame:
    """Return pools with what they had told last on a day, and when; null before they told."""
    last = told.select(
        *POOL_SERIES, **{f"{name}_tokens": "amount_tokens", f"{name}_told_on": "date"}
    ).sort(f"{name}_told_on")
    return there.sort(on).join_asof(
        last, left_on=on, right_on=f"{name}_told_on", by=POOL_SERIES, check_sortedness=False
    )


def _ones(told: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    """Return one of each asset at the end of each day: many pools have one asset, and one price."""
    assets = told.select(_PRICED[1:]).unique()
    return (
        days.join(assets, on="protocol")
        .select(*_PRICED, block_timestamp=END_OF_DAY)
        .with_columns(amount_tokens=pl.lit(1).cast(_DOLLARS), token=pl.col("asset_token"))
    )


def _value(name: str) -> pl.Expr:
    # Nothing is worth nothing at any price.
    amount = pl.col(f"{name}_tokens")
    return pl.when(_is_empty(name)).then(pl.lit(0).cast(_DOLLARS)).otherwise(value_usd(amount))


def _is_empty(name: str) -> pl.Expr:
    return (pl.col(f"{name}_tokens") == 0).fill_null(value=False)


def _totals(worth: pl.LazyFrame) -> pl.LazyFrame:
    now, then = pl.col("now_usd"), pl.col("then_usd")
    age = (pl.col("date") - pl.col("now_told_on")).dt.total_days()
    is_young = pl.col("then_told_on").is_null()
    return (
        worth.with_columns(now_usd=_value("now"), then_usd=_value("then"))
        .group_by(_DAY)
        .agg(
            tvl_usd=whole_total(now),
            known_usd=known_total(now),
            pool_count=row_count(),
            unpriced_count=unknown_count("now_usd"),
            oldest_days=age.filter(~_is_empty("now")).max(),
            then_usd=whole_total(then.filter(~is_young)),
            younger_count=is_young.sum().cast(pl.Int64),
            younger_usd=whole_total(now.filter(is_young)),
        )
    )


def _beside_earlier(totals: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    now, then, at_prices = (pl.col(name) for name in ("tvl_usd", "earlier_tvl_usd", "then_usd"))
    earlier = totals.select("protocol", earlier_date="date", earlier_tvl_usd="tvl_usd")
    about_it = ("then_usd", "younger_count", "younger_usd")
    return (
        totals.join(days, on=_DAY)
        .join(earlier, on=["protocol", "earlier_date"], how="left")
        .with_columns(pl.when(pl.col("earlier_date").is_not_null()).then(pl.col(about_it)))
        .select(
            *(*_DAY, "tvl_usd", "known_usd", "pool_count", "unpriced_count", "oldest_days"),
            *("earlier_date", "earlier_tvl_usd"),
            growth_ratio=ratio(now - then, then),
            revaluation_usd=at_prices - then,
            quantity_change_usd=now - at_prices,
            younger_count="younger_count",
            younger_usd="younger_usd",
        )
        .sort(_DAY)
    )
