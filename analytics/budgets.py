"""
What deleveraging took from the winners, against what the losers could not pay.

The arithmetic of the metrics of ADLs, open to any frame with the same columns: replayed tapes and
reconstructed accounts as well as facts. Dollars that come of a product or of somebody's floats are
rounded to a millionth and added as whole numbers, so that no sum depends on the order of its rows.
A null is not known, and makes the sum it belongs to unknown.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from analytics.expressions import (
    CENTURY_MILLISECONDS,
    EVENT_ORDER,
    check,
    millionths,
    ratio,
    whole_total,
)
from analytics.prices import is_used, of_own_feeds, told_of

_MARKET = ("chain_id", "protocol", "version", "market")
_WAVE = ("protocol", "wave")
_PLACED = (*_MARKET, "block_timestamp", *EVENT_ORDER)


def microdollars(dollars: pl.Expr) -> pl.Expr:
    """Return dollars of any dtype as whole millionths, Int128, halves up."""
    return (dollars.cast(pl.Float64) * 1_000_000 + 0.5).floor().cast(pl.Int128)


def worth(size: pl.Expr, price: pl.Expr) -> pl.Expr:
    """Return size times price in whole millionths of a dollar, Int128: one product of floats."""
    return microdollars(size.cast(pl.Float64) * price.cast(pl.Float64))


def market_prices(events: pl.LazyFrame, price: pl.Expr) -> pl.LazyFrame:
    """
    Return the prices of each market: of several at one moment the last event's.

    Args:
        events: a frame of facts of markets.
        price: which price of theirs, named as it shall be called.

    Returns:
        One row per market and moment with a price, in time: seen_at and the price.
    """
    return (
        events.filter(price.is_not_null())
        .sort(*EVENT_ORDER, maintain_order=True)
        .group_by(*_MARKET, pl.col("block_timestamp").alias("seen_at"))
        .agg(price.last())
        .sort("seen_at")
    )


def marks_and_trades(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    markets: pl.LazyFrame,
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """
    Return where the markets of ADLs stood, by their events and by the feeds of their venue.

    Args:
        adls: the facts whose markets are asked about.
        liquidations: the facts that tell marks.
        position_changes: the facts whose trades tell where a market stands.
        oracle_updates: the facts of which a venue's own dollar prices tell both.
        markets: the table that says of which asset a market is; of another none of them tells.

    Returns:
        Prices as `market_prices` returns them, mark_price_usd and later_price_usd: those of
        liquidations and those of trades, each with the venue's own.
    """
    own = _own_prices(adls, oracle_updates, markets)
    trades = position_changes.filter(pl.col("cause") == "trade")
    return (
        _beside(own, liquidations, pl.col("mark_price_usd")),
        _beside(own, trades, pl.col("execution_price_usd").alias("later_price_usd")),
    )


def _own_prices(
    adls: pl.LazyFrame, oracle_updates: pl.LazyFrame, markets: pl.LazyFrame
) -> pl.LazyFrame:
    venue = ("chain_id", "protocol")
    cut = adls.select(_MARKET).unique()
    named = markets.join(cut, on=[*venue, "market"], how="semi").with_columns(
        asset=pl.col("symbol").str.to_uppercase()
    )
    # A venue's version of its oracle is not that of its markets.
    kept = (*venue, "asset", "feed", "block_timestamp", *EVENT_ORDER, "oracle_price_quote")
    dollars = oracle_updates.filter(pl.col("quote") == "USD").select(kept)
    told = of_own_feeds(named, told_of(dollars, named, "asset")).filter(is_used())
    return cut.join(told, on=[*venue, "market"])


def _beside(own: pl.LazyFrame, events: pl.LazyFrame, price: pl.Expr) -> pl.LazyFrame:
    name = price.meta.output_name()
    of_feeds = own.select(*_PLACED, pl.col("oracle_price_quote").alias(name))
    # Of two in one place the market's own event is the last.
    return market_prices(pl.concat([of_feeds, events.select(*_PLACED, price)]), pl.col(name))


def with_price(
    rows: pl.LazyFrame, moment: str, prices: pl.LazyFrame, tolerance_seconds: int
) -> pl.LazyFrame:
    """
    Return rows with the latest price of their market; null where none is young enough.

    Args:
        rows: rows of markets.
        moment: the column of the moment at which the price is asked for, itself included.
        prices: as `market_prices` returns them.
        tolerance_seconds: how old a price may be, inclusive.
    """
    return rows.sort(moment).join_asof(
        prices,
        left_on=moment,
        right_on="seen_at",
        by=_MARKET,
        tolerance=timedelta(seconds=tolerance_seconds),
        coalesce=True,
        check_sortedness=False,
    )


def with_losses(
    cut: pl.LazyFrame,
    marks: pl.LazyFrame,
    later: pl.LazyFrame,
    *,
    horizon_milliseconds: int,
    tolerance_seconds: int,
) -> pl.LazyFrame:
    """
    Return ADLs with their mark, and what each took by where the market stood after its wave.

    Args:
        cut: a frame of `adls` with its waves.
        marks: prices that tell marks, as `marks_and_trades` returns them.
        later: prices that tell where a market stands, as it returns them.
        horizon_milliseconds: how long after the end of a wave the later price is taken.
        tolerance_seconds: how old a price may be when it is used, inclusive.

    Returns:
        The rows with mark_price_usd, later_price_usd (Decimal) and lost_usd (Float64: ±(later price
        - execution price) x size, + for longs; null without an account, and while a part of it is
        unknown).

    Raises:
        ValueError: a horizon or tolerance is negative or longer than a century.
    """
    check("horizon_milliseconds", horizon_milliseconds, least=0, most=CENTURY_MILLISECONDS)
    check("tolerance_seconds", tolerance_seconds, least=0)
    marked = with_price(cut, "block_timestamp", marks, tolerance_seconds)
    end = pl.col("block_timestamp").max().over(_WAVE)
    asked = marked.with_columns(asked_at=end + pl.duration(milliseconds=horizon_milliseconds))
    return with_price(asked, "asked_at", later, tolerance_seconds).with_columns(lost_usd=_lost())


def _lost() -> pl.Expr:
    rise = pl.col("later_price_usd") - pl.col("execution_price_usd")
    is_long, is_known = pl.col("is_long"), pl.col("account").is_not_null()
    gain = pl.when(is_long).then(rise).when(~is_long).then(-rise)
    return pl.when(is_known).then(gain.cast(pl.Float64) * pl.col("size_tokens").cast(pl.Float64))


def queued(capacity: pl.Expr, budget: pl.Expr, by: Sequence[str]) -> pl.Expr:
    """
    Return what each gives where a queue fills a budget: all it has, until nothing is needed.

    Args:
        capacity: what each can give, whole millionths of a dollar, at least zero.
        budget: what all shall give together, whole millionths; null while unknown.
        by: what a queue is of; its rows stand in the order of the queue.
    """
    ahead = (capacity.cum_sum() - capacity).over(by)
    left = pl.min_horizontal(capacity, (budget - ahead).clip(0))
    return pl.when(budget.is_not_null()).then(left)


def pro_rata(capacity: pl.Expr, budget: pl.Expr, by: Sequence[str]) -> pl.Expr:
    """
    Return the part of its capacity that each gives where all give alike, Float64, at most 1.

    Args:
        capacity: what each can give, at least zero.
        budget: what all shall give together; null while unknown.
        by: whose capacities bear a budget together; zero where they have none.
    """
    whole = capacity.sum().over(by)
    part = ratio(pl.min_horizontal(budget, whole), whole)
    return pl.when(budget.is_not_null()).then(part.fill_null(0))


def deficits(equities: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """
    Return what accounts owe beyond their equity at its lowest, each account once.

    Equity is a stock: an account that stands below zero in nine snapshots owes once, not nine
    times.

    Args:
        equities: one row per account and snapshot: the columns of `by`, account, equity_usd.
        by: what an episode is, for example ("protocol",).

    Returns:
        One row per episode: account_count (Int64, of those below zero), deficit_usd (Float64, ≥ 0;
        null while an equity is unknown).
    """
    owed = microdollars(-pl.col("equity_usd"))
    lowest = pl.when(owed.null_count() == 0).then(owed.max().clip(0))
    return (
        equities.group_by(*by, "account")
        .agg(lowest.alias("owed"))
        .group_by(by)
        .agg(
            account_count=(pl.col("owed") > 0).sum().cast(pl.Int64),
            deficit_usd=millionths(whole_total(pl.col("owed"))),
        )
    )


def needed_budgets(closes: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """
    Return Σ |mark - execution| x size: what closing at the execution price takes from a side.

    Args:
        closes: the columns of `by`, mark_price_usd, execution_price_usd, size_tokens.
        by: what a budget is of, for example ("protocol", "wave").

    Returns:
        One row per group: needed_budget_usd (Float64; null while a price or a size is unknown).
    """
    gap = (pl.col("mark_price_usd") - pl.col("execution_price_usd")).abs()
    needed = whole_total(worth(pl.col("size_tokens"), gap))
    return closes.group_by(by).agg(needed_budget_usd=millionths(needed))


def haircuts(losses: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """
    Return Σ over accounts of max(0, equity without ADL - equity with it).

    Args:
        losses: the columns of `by`, account, lost_usd (what an account would have more without
            ADL; below zero where it was spared a loss; several rows of an account are added).
        by: what a haircut is of, for example ("protocol", "wave").

    Returns:
        One row per group: haircut_usd (Float64, ≥ 0; null while a loss is unknown).
    """
    lost = whole_total(microdollars(pl.col("lost_usd")))
    return (
        losses.group_by(*by, "account")
        .agg(lost=lost.clip(0))
        .group_by(by)
        .agg(haircut_usd=millionths(whole_total(pl.col("lost"))))
    )


def overshoot() -> pl.Expr:
    """Return max(0, haircut_usd - needed_budget_usd): taken without need."""
    return (pl.col("haircut_usd") - pl.col("needed_budget_usd")).clip(0).alias("overshoot_usd")


def under_coverage() -> pl.Expr:
    """Return max(0, needed_budget_usd - haircut_usd): needed and not taken."""
    return (pl.col("needed_budget_usd") - pl.col("haircut_usd")).clip(0).alias("under_coverage_usd")
