"""What a pool is worth, what moves in and out of it, and what its shares earn and how steadily."""

import polars as pl

from analytics.expressions import (
    INTO_POOL,
    IS_MEASURED,
    OUT_OF_POOL,
    POOL,
    STATE_ORDER,
    changes_by_day,
    check,
    day,
    divided,
    known_total,
    level,
    pool_level,
    powered,
    ratio,
    whole_total,
    window,
)
from analytics.pools import POOL_SERIES, as_of_back, asset_key

_GRAIN = ("date", *POOL)
_YEAR_SECONDS = 365 * 86_400


def tvl(pool_states: pl.LazyFrame, share_prices: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a pool manages at the end of a day: as it says, else its shares times their price.

    In tokens of the pool's asset, so that the asset's own price does not move it. What managers and
    strategies hold is inside what the pool manages and is never added. A pool that holds shares of
    other pools of its protocol, as a GLV vault of GMX v2 does, has a row like any other, and says
    so: what it manages is in theirs as well.

    Formula:
        tvl_tokens(d) = assets_tokens the pool told last, else the last share_price_tokens times
        supply_tokens of one row that knows both, as one product of two doubles

    Args:
        pool_states: one row per pool or part and moment: assets_tokens (whole tokens, absolute),
            holds_pools.
        share_prices: one row per pool and moment: share_price_tokens, supply_tokens.

    Returns:
        One row per day with either, chain, protocol, pool and asset, sorted: assets_tokens
        (Decimal; null before the pool told), share_price_tokens, supply_tokens (Decimal; null
        before a row knew both), tvl_tokens (Float64), holds_pools (Boolean, true where the pool
        ever said so: leave it out of sums over pools), basis (state, shares).

    Source:
        ERC-4626 totalAssets and convertToAssets; DefiLlama counts TVL of lending pools likewise.
    """
    own = changes_by_day(pool_states, "assets_tokens").filter(pl.col("own_change").is_not_null())
    both = pl.col("share_price_tokens", "supply_tokens")
    shares = (
        share_prices.filter(pl.col("supply_tokens").is_not_null())
        .sort(STATE_ORDER)
        .group_by(day(), *POOL)
        .agg(both.last())
    )
    return (
        pl.concat([own.drop("parts_change"), shares], how="diagonal")
        .group_by(_GRAIN)
        .agg(pl.col("own_change").drop_nulls().first(), both.drop_nulls().first())
        .sort(_GRAIN, nulls_last=True)
        .with_columns(both.forward_fill().over(POOL), assets_tokens=level("own_change", POOL))
        .join(_holding_pools(pool_states), on=POOL[:3], how="left", maintain_order="left")
        .with_columns(pl.col("holds_pools").fill_null(value=False))
        .with_columns(tvl_tokens=_worth(), basis=_basis())
        .select(*_GRAIN, "assets_tokens", both, "tvl_tokens", "holds_pools", "basis")
    )


def tvl_growth(tvl: pl.LazyFrame, *, window_days: int = 365) -> pl.LazyFrame:
    """
    How much more a pool manages than it did a year before.

    In tokens of the pool's asset, of one pool: money that moved from one pool of a protocol to
    another left one and made the other grow. A pool younger than the window grew out of nothing, by
    no rate.

    Formula:
        growth_ratio(d) = (tvl_tokens(d) - tvl_tokens(e)) / tvl_tokens(e), e the last day with a row
        of `tvl` that is at least window_days before d

    Args:
        tvl: what each pool manages by day: tvl_tokens.
        window_days: how far back to look for the earlier day.

    Returns:
        One row per row of `tvl`, sorted: date, chain_id, protocol, pool, asset_token, tvl_tokens
        (Float64), earlier_date (Date), earlier_tvl_tokens (Float64; both null without one),
        growth_ratio (Float64, 9 = ten times as much; null unless the earlier one is positive).

    Raises:
        ValueError: window_days is below 1 or longer than a century.

    Source:
        Growth of TVL as lenders quote it, by pool and without the price of its asset.
    """
    check("window_days", window_days, least=1, most=36_600)
    now, then = pl.col("tvl_tokens"), pl.col("earlier_tvl_tokens")
    back = pl.col("date").dt.offset_by(f"-{window_days}d")
    days = tvl.select(*_GRAIN, now, back=back, asset=asset_key())
    earlier = days.select(*POOL_SERIES, earlier_date="date", earlier_tvl_tokens=now)
    return (
        as_of_back(days, earlier)
        .sort(_GRAIN, nulls_last=True)
        .select(*_GRAIN, now, "earlier_date", then, growth_ratio=ratio(now - then, then))
    )


def net_flows(pool_flows: pl.LazyFrame) -> pl.LazyFrame:
    """
    Money that entered and left a pool in a day.

    Loans and what repays them are no flows, nor are requests to withdraw; what a liquidation takes
    of somebody's deposit is a withdrawal of theirs, where no other event tells it. Dividends paid
    in shares are new shares and no new money: shown apart, in neither sum. A flow without an amount
    makes its net unknown: null, not zero.

    Formula:
        net_tokens(d) = Σ asset_tokens of deposits and mints - Σ of withdrawals and redemptions

    Args:
        pool_flows: one row per flow: kind, asset_tokens, share_tokens (whole tokens; null where the
            venue does not say), account.

    Returns:
        One row per day with a flow, chain, protocol, pool and asset, sorted: inflow_count,
        outflow_count, unknown_count (Int64, the last of flows without asset_tokens), inflow_tokens,
        outflow_tokens (Decimal; sums of what is known, zero without such a flow, null when none
        tells), net_tokens, net_shares_tokens (Decimal; null while any amount is unknown),
        dividend_shares_tokens (Decimal; as inflow_tokens).

    Source:
        ERC-4626 Deposit and Withdraw; mints and redemptions of funds; BUIDL pays dividends in
        shares, by Issue.
    """
    kind, assets, shares = pl.col("kind"), pl.col("asset_tokens"), pl.col("share_tokens")
    is_in, is_out, is_dividend = kind.is_in(INTO_POOL), kind.is_in(OUT_OF_POOL), kind == "dividend"
    return (
        pool_flows.filter(is_in | is_out | is_dividend)
        .group_by(day(), *POOL)
        .agg(
            inflow_count=is_in.sum().cast(pl.Int64),
            outflow_count=is_out.sum().cast(pl.Int64),
            unknown_count=assets.filter(~is_dividend).null_count().cast(pl.Int64),
            inflow_tokens=known_total(assets.filter(is_in)),
            outflow_tokens=known_total(assets.filter(is_out)),
            net_tokens=whole_total(_signed(assets, is_in).filter(~is_dividend)),
            net_shares_tokens=whole_total(_signed(shares, is_in).filter(~is_dividend)),
            dividend_shares_tokens=known_total(shares.filter(is_dividend)),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def share_price_yield(
    share_prices: pl.LazyFrame, *, window_days: int = 30, reset_ratio: float = 0.5
) -> pl.LazyFrame:
    """
    What a share earned over the days before each, as a yearly rate: simple and compounded.

    From two prices and the time between them; daily rates are never averaged. A step larger than
    `reset_ratio` from one day's last price to the next known one is a new denomination and no
    yield: as long as one lies in the window both rates are null and `reset_count` says why. They
    are null as well where values were true less than half a window apart: a posted value may be an
    old one. A price that is assumed, by a fund's terms, is none here: such a fund pays its income
    in other ways, as BUIDL does in shares.

    Formula:
        growth = price(t) / price(t - w); simple = (growth - 1) * year / w; compounded =
        growth ^ (year / w) - 1, w the time between the two prices, a year 365 days

    Args:
        share_prices: one row per pool and moment: share_price_tokens (assets per share), nav_at
            (when a posted value was true; the block's time where it is not said), evidence.
        window_days: how far back to look for the earlier price: the last of a day at least so old.
        reset_ratio: the largest step that is still a yield or a loss, 0.5 = 50 %.

    Returns:
        One row per day with a price, chain, protocol, pool and asset, sorted: share_price_tokens
        (Decimal, the day's last), earlier_price_tokens (Decimal; null without one), elapsed_seconds
        (Int64, whole ones; null unless positive), reset_count (Int64, since the
        earlier price; null without one), yield_simple_ratio, yield_compounded_ratio (Float64, 0.05
        = 5 % a year; null without an earlier positive price or half a window between, and with a
        reset).

    Raises:
        ValueError: window_days is below 1 or longer than a century; reset_ratio is not positive.

    Source:
        APY over a window of ERC-4626 share prices, (pps(t) / pps(t - w)) ^ (year / w) - 1.
    """
    check("window_days", window_days, least=1, most=36_600)
    if not reset_ratio > 0:
        raise ValueError(f"reset_ratio must be above 0, got {reset_ratio}")
    prices = _daily(share_prices.filter(IS_MEASURED)).with_columns(
        resets=_is_reset(reset_ratio).cast(pl.Int64).cum_sum().over(POOL),
        back=pl.col("date").dt.offset_by(f"-{window_days}d"),
    )
    return (
        _with_earlier(prices)
        .with_columns(reset_count=pl.col("resets") - pl.col("earlier_resets"), seconds=_seconds())
        .with_columns(elapsed_seconds=pl.when(pl.col("seconds") > 0).then(pl.col("seconds")))
        .with_columns(_yearly(window_days))
        .sort(_GRAIN, nulls_last=True)
        .select(
            *(*_GRAIN, "share_price_tokens", "earlier_price_tokens", "elapsed_seconds"),
            *("reset_count", "yield_simple_ratio", "yield_compounded_ratio"),
        )
    )


def utilisation(pool_states: pl.LazyFrame) -> pl.LazyFrame:
    """
    The part of what a pool manages that is lent, at the end of a day.

    Formula:
        utilisation(d) = principal_tokens / assets_tokens, each the last that was told; principal
        is what the pool told, else the sum over its parts

    Args:
        pool_states: one row per pool or part and moment: principal_tokens, assets_tokens (whole
            tokens of the asset, absolute; null where an event is silent).

    Returns:
        One row per day with either, chain, protocol, pool and asset, sorted, of pools that ever
        told what they lend: principal_tokens, assets_tokens (Decimal; null before the first),
        utilisation (Float64, 0.9 = 90 %; null while either is unknown or nothing is managed).

    Source:
        Clearpool principal() over poolSize(); for Maple the managers' principal over totalAssets().
    """
    lent = changes_by_day(pool_states, "principal_tokens")
    managed = changes_by_day(pool_states, "assets_tokens").select(
        *_GRAIN, assets_change="own_change"
    )
    changes = pl.col("own_change", "parts_change", "assets_change")
    principal, assets = pl.col("principal_tokens"), pl.col("assets_tokens")
    return (
        pl.concat([lent, managed.filter(pl.col("assets_change").is_not_null())], how="diagonal")
        .group_by(_GRAIN)
        .agg(known_total(changes))
        .sort(_GRAIN, nulls_last=True)
        .with_columns(principal_tokens=pool_level(), assets_tokens=level("assets_change", POOL))
        .filter(principal.is_not_null().any().over(POOL))
        .select(*_GRAIN, principal, assets, utilisation=ratio(principal, assets))
    )


def yield_stability(
    share_prices: pl.LazyFrame,
    *,
    event_start: str = "2025-10-10T00:00:00",
    event_end: str = "2025-10-12T00:00:00",
    before_days: int = 30,
) -> pl.LazyFrame:
    """
    How steadily a pool's share price grew through an event, beside the days before it.

    Changes are from one day's last price to the next, the first of the event from the last before
    it, and are spread evenly over the days between, so that a pool that posts once a week is not
    taken for one that earns so much a day. The drawdown looks at every price. A price that is
    assumed is none: it would be steady whatever happened. Doubles are added in the order of days.

    Formula:
        mean = Σ change / n, sd = √(Σ (change - mean)² / (n - 1)), change = (price / earlier - 1) /
        days from the earlier date to this one, at least one
        worst drawdown = min over t of price(t) / max of the prices up to t - 1

    Args:
        share_prices: one row per pool and moment: share_price_tokens (assets per share), evidence.
        event_start: first moment of the event, UTC.
        event_end: the first moment after it, UTC.
        before_days: how many days before the event it is compared with.

    Returns:
        One row per chain, protocol, pool, asset and period (before, event) with a price, sorted:
        price_count, change_count (Int64), mean_change_ratio (Float64, per day; null without a
        change), worst_drawdown_ratio (Float64, <= 0; null while no price is positive),
        sd_change_ratio (Float64, per day; null without two changes).

    Raises:
        ValueError: a time is none, the event ends before it begins, or before_days is below 1.

    Source:
        Sample standard deviation; maximum drawdown with the last price before the period as a peak.
    """
    start, end = window(event_start, event_end)
    check("before_days", before_days, least=1, most=36_600)
    at = pl.col("block_timestamp")
    begun = pl.lit(start).dt.offset_by(f"-{before_days}d")
    period = pl.when(at < start).then(pl.lit("before")).otherwise(pl.lit("event"))
    inside = share_prices.filter(IS_MEASURED & (at >= begun) & (at < end))
    prices = inside.with_columns(day(), period=period)
    keys = (*POOL, "period")
    return (
        _steadiness(prices, keys)
        .join(_drawdowns(prices, keys), on=keys, how="left", nulls_equal=True)
        .select(
            *(*keys, "price_count", "change_count", "mean_change_ratio"),
            *("worst_drawdown_ratio", "sd_change_ratio"),
        )
        .sort(keys, nulls_last=True)
    )


def _daily(share_prices: pl.LazyFrame) -> pl.LazyFrame:
    return (
        share_prices.sort(STATE_ORDER)
        .with_columns(day(), valid_at=pl.coalesce("nav_at", "block_timestamp"))
        .group_by(_GRAIN)
        .agg(pl.col("share_price_tokens", "valid_at").last())
        .sort(_GRAIN, nulls_last=True)
    )


def _with_earlier(prices: pl.LazyFrame) -> pl.LazyFrame:
    named = prices.with_columns(asset=asset_key())
    earlier = named.select(
        *POOL_SERIES,
        earlier_date="date",
        earlier_at="valid_at",
        earlier_resets="resets",
        earlier_price_tokens="share_price_tokens",
    )
    return as_of_back(named, earlier)


def _change(keys: tuple[str, ...]) -> pl.Expr:
    price = pl.col("share_price_tokens")
    earlier = price.shift(1).over(keys)
    return ratio(price - earlier, earlier)


def _is_reset(largest: float) -> pl.Expr:
    return (_change(POOL).abs() > largest).fill_null(value=False)


def _seconds() -> pl.Expr:
    return (pl.col("valid_at") - pl.col("earlier_at")).dt.total_microseconds() // 1_000_000


def _yearly(window_days: int) -> list[pl.Expr]:
    growth = ratio(pl.col("share_price_tokens"), pl.col("earlier_price_tokens"))
    times = divided(pl.lit(_YEAR_SECONDS), pl.col("elapsed_seconds"))
    is_long = 2 * pl.col("elapsed_seconds") >= window_days * 86_400
    is_told = is_long & (pl.col("reset_count") == 0)
    return [
        pl.when(is_told).then((growth - 1) * times).alias("yield_simple_ratio"),
        pl.when(is_told).then(powered(growth, times) - 1).alias("yield_compounded_ratio"),
    ]


def _signed(amount: pl.Expr, is_in: pl.Expr) -> pl.Expr:
    return pl.when(is_in).then(amount).otherwise(-amount)


def _holding_pools(pool_states: pl.LazyFrame) -> pl.LazyFrame:
    says_so = pl.col("holds_pools") & (pl.col("part") == pl.col("pool"))
    return pool_states.filter(says_so).select(*POOL[:3], "holds_pools").unique()


def _worth() -> pl.Expr:
    shares, price = pl.col("supply_tokens"), pl.col("share_price_tokens")
    return pl.coalesce(
        pl.col("assets_tokens").cast(pl.Float64), price.cast(pl.Float64) * shares.cast(pl.Float64)
    )


def _basis() -> pl.Expr:
    is_told = pl.col("assets_tokens").is_not_null()
    return pl.when(is_told).then(pl.lit("state")).otherwise(pl.lit("shares"))


def _steadiness(prices: pl.LazyFrame, keys: tuple[str, ...]) -> pl.LazyFrame:
    change = pl.col("change")
    days = (pl.col("date") - pl.col("date").shift(1).over(POOL)).dt.total_days()
    # A running sum adds in order, as the twin does; a plain one need not.
    mean = divided(change.drop_nulls().cum_sum().last(), change.count())
    square = (change - pl.col("mean")) * (change - pl.col("mean"))
    variance = divided(square.drop_nulls().cum_sum().last(), change.count() - 1)
    return (
        prices.sort(STATE_ORDER)
        .group_by(*keys, "date")
        .agg(pl.col("share_price_tokens").last(), price_count=pl.len())
        .sort(*POOL, "date", "period", nulls_last=True)
        .with_columns(change=divided(_change(POOL), days.clip(lower_bound=1)))
        .with_columns(mean=mean.over(keys))
        .group_by(keys, maintain_order=True)
        .agg(
            price_count=pl.col("price_count").sum().cast(pl.Int64),
            change_count=change.count().cast(pl.Int64),
            mean_change_ratio=pl.col("mean").first(),
            sd_change_ratio=pl.when(change.count() > 1).then(variance.sqrt()),
        )
    )


def _drawdowns(prices: pl.LazyFrame, keys: tuple[str, ...]) -> pl.LazyFrame:
    price, peak = pl.col("share_price_tokens"), pl.col("peak")
    return (
        prices.sort(*POOL, "period", *STATE_ORDER)
        .with_columns(peak=pl.max_horizontal(price, price.shift(1).over(POOL)))
        .with_columns(peak.cum_max().over(keys))
        .group_by(keys)
        .agg(worst_drawdown_ratio=ratio(price - peak, peak).min())
    )
