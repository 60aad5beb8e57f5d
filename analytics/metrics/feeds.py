"""Feeds by themselves: how old their prices get, when they speak too late, how far they spike."""

import polars as pl

from analytics.expressions import EVENT_ORDER, INSTANT, bucket, check, day, row_count
from analytics.prices import (
    IS_PRICE,
    MICROSECONDS,
    PAIR,
    REFERENCE,
    SERIES,
    SOURCE,
    as_of,
    as_reference,
    deviation_bps,
    in_seconds,
    is_seen_since,
    latest_prices,
    microseconds_between,
    pairs_of_sources,
)

_SATURDAY = 6


def oracle_staleness(oracle_updates: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    How long a feed was silent, and how old its price had become when the next one replaced it.

    A silence counts in the period in which it ended, so a period without updates has no row. Where
    the source says when it saw the price, age counts from then, else from the block. What was read
    at a block is no update: between two readings a feed may have spoken. Whether a sequencer is
    up is told when it changes, and is not judged; reserves and all else that is no price are.

    Formula:
        gap = time of an update - time of the feed's update before
        age = time of an update - when the price before it had been seen
        delay = time of an update - when the source says it saw the price

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            block_timestamp, observed_at.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per asset (null while unknown), quote, chain, protocol, feed and period with an
        update, sorted: update_count (Int64), longest_gap_seconds, oldest_price_seconds (Float64;
        null for the feed's first update alone), longest_delay_seconds (Float64; null where the
        source does not say when it saw the price).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Staleness as age: a = t - t_update, measured when it is greatest, at the next update.
    """
    before = pl.col("block_timestamp").shift().over(SERIES)
    seen_before = pl.coalesce("observed_at", "block_timestamp").shift().over(SERIES)
    return (
        _spoken(oracle_updates)
        .sort("block_timestamp", *EVENT_ORDER)
        .with_columns(bucket(bucket_seconds), before=before, seen_before=seen_before)
        .group_by(*SERIES, "bucket_at")
        .agg(
            update_count=row_count(),
            longest_gap_seconds=_longest("before", "block_timestamp"),
            oldest_price_seconds=_longest("seen_before", "block_timestamp"),
            longest_delay_seconds=_longest("observed_at", "block_timestamp"),
        )
        .sort(*SERIES, "bucket_at", nulls_last=True)
    )


def heartbeat_breaches(
    oracle_updates: pl.LazyFrame, feeds: pl.LazyFrame, *, grace_seconds: int = 0
) -> pl.LazyFrame:
    """
    Prices that grew older than the feed's heartbeat before the next one came.

    The last price of a feed ages until the last update of any feed on its chain: later than that
    nothing is known. A feed of unknown heartbeat is due as the shortest one known of its pair,
    chain and protocol; one without either is not judged, and no price that was read at a block is:
    the feed may have spoken since. A transaction takes its time: of 11,106 rounds of ETH/USD up to
    January 2024, 1,328 came after their hour, none by over two minutes. Currencies, metals, shares
    and funds are not priced at weekends, and their feeds are silent: that is told, not excused.

    Formula:
        breach: age_seconds > heartbeat_seconds + grace_seconds
        age_seconds = time of the next update - when the price had been seen
        is_over_weekend: a whole Saturday (UTC) lies between the two

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, observed_at.
        feeds: what is stated of a feed: heartbeat_seconds, asset, quote, kind.
        grace_seconds: how much later than the heartbeat is still in time.

    Returns:
        One row per price that grew too old, sorted: asset, quote, chain_id, protocol, feed,
        price_at, seen_at, replaced_at (null while it is the last one), price_quote (Decimal),
        heartbeat_seconds (Int32), age_seconds, late_seconds (Float64, > 0, beyond the heartbeat),
        is_over_weekend (Boolean).

    Raises:
        ValueError: grace_seconds is negative or longer than a century.

    Source:
        Chainlink documentation, Data Feeds: an answer is due at the heartbeat or the deviation
        threshold, whichever comes first; off-chain assets trade in their market's hours alone.
    """
    check("grace_seconds", grace_seconds, least=0)
    prices = _judged(oracle_updates, feeds, "heartbeat_seconds")
    heartbeat = pl.col("heartbeat_seconds").cast(pl.Int64) * MICROSECONDS
    age = microseconds_between("seen_at", "ended_at")
    return (
        prices.filter(age > heartbeat + grace_seconds * MICROSECONDS)
        .select(
            *(*SERIES, "price_at", "seen_at", "replaced_at", "price_quote", "heartbeat_seconds"),
            age_seconds=in_seconds(age),
            late_seconds=in_seconds(age - heartbeat),
            is_over_weekend=_is_over_saturday("seen_at"),
        )
        .sort(*SERIES, "price_at", nulls_last=True)
    )


def feed_weekends(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """
    On how many Saturdays a feed has been silent so far, beside the days from Monday to Friday.

    Currencies, metals, shares and funds are priced in their market's hours, which no source here
    states; a feed of one is silent on every Saturday and speaks on other days. One that failed is
    silent on both, and one that posts once a month nearly always. A day counts where it begins
    after the feed's first update and is over by its chain's last one, and where any feed of the
    chain spoke of those that are read: what nobody collected is no silence. Sundays are not
    counted, on which some markets open. Markets that close on other days are not told from feeds
    that failed.

    Formula:
        silent: no update of the feed in all of the UTC day; what was read at a block is none, nor
        is what says whether a sequencer is up

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            block_timestamp.

    Returns:
        One row per asset (null while unknown), quote, chain, protocol and feed, sorted:
        saturday_count, silent_saturday_count, weekday_count, silent_weekday_count (Int64, >= 0).

    Source:
        Chainlink documentation, Selecting Data Feeds: market hours of the assets that are priced.
    """
    spoken = _spoken(oracle_updates).select(*SERIES, day()).unique()
    date = pl.col("date")
    days = spoken.select("chain_id", "date").unique()
    whole = days.filter(date < date.max().over("chain_id"))
    first = spoken.group_by(SERIES).agg(first_on=date.min())
    seen = first.join(whole, on="chain_id").filter(date > pl.col("first_on"))
    told = spoken.with_columns(has_spoken=pl.lit(value=True))
    beside = seen.join(told, on=[*SERIES, "date"], how="left", nulls_equal=True)
    is_silent, weekday = pl.col("has_spoken").is_null(), date.dt.weekday()
    counted = {
        "saturday_count": weekday == _SATURDAY,
        "silent_saturday_count": (weekday == _SATURDAY) & is_silent,
        "weekday_count": weekday < _SATURDAY,
        "silent_weekday_count": (weekday < _SATURDAY) & is_silent,
    }
    return (
        # A feed without a whole day has a row of zeros.
        pl.concat([beside, first], how="diagonal")
        .group_by(SERIES)
        .agg(**{name: is_such.sum().cast(pl.Int64) for name, is_such in counted.items()})
        .sort(SERIES, nulls_last=True)
    )


def missed_updates(oracle_updates: pl.LazyFrame, feeds: pl.LazyFrame) -> pl.LazyFrame:
    """
    Prices that a feed kept although another source had moved beyond the feed's own threshold.

    Judged whenever the other source speaks, by its price alone: a threshold is a promise about a
    move, whoever saw it. A price that came in the same second is not judged, it may be as new, nor
    is one that the other source had seen by then, as an answer of last year that is read today. A
    feed of unknown threshold has the smallest one known of its pair, chain and protocol. What was
    read of a feed at a block shows others overdue, and is neither judged nor an update that
    replaces a price: the feed may have spoken since. A market that is closed moves no feed,
    whatever is paid elsewhere: a silence over a weekend is told, not excused. States, amounts and
    statistics are no prices, and what is not above zero is none to move to or from.

    Formula:
        missed at t: |reference(t) - price| / price * 10,000 > threshold_bps and t > price_at and
        reference(t) was seen after price_at
        late_seconds = replaced_at - the first t at which it was missed
        is_over_weekend: a whole Saturday (UTC) lies between price_at and replaced_at, or for the
        last price the last update of any feed on its chain

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, observed_at.
        feeds: what is stated of a feed: threshold_bps, asset, quote, kind.

    Returns:
        One row per price and other source (reference_…) that showed it to be overdue, sorted:
        asset, quote, chain_id, protocol, feed, price_at, price_quote (Decimal), threshold_bps
        (Int32), replaced_at (null while it is the feed's last price), is_over_weekend (Boolean),
        first_missed_at, missed_count (Int64, updates of the reference beyond the threshold, of
        several in one second the last), largest_move_bps (Float64, > 0), late_seconds (Float64;
        null while it is the last price).

    Source:
        Missed update: |p_ref / p_last - 1| above the deviation threshold while the price is older
        than one block.
    """
    prices = oracle_updates.filter(IS_PRICE)
    judged = _judged(prices, feeds, "threshold_bps").with_columns(
        is_over_weekend=_is_over_saturday("price_at")
    )
    spoken = (
        judged.select(SERIES)
        .unique()
        .join(pairs_of_sources(prices), on=SERIES)
        .join(as_reference(latest_prices(prices), "seen_at"), on=[*PAIR, *REFERENCE])
    )
    move = deviation_bps("reference_price_quote", "price_quote").abs()
    price = ("price_at", "price_quote", "threshold_bps", "replaced_at", "is_over_weekend")
    return (
        as_of(spoken, judged, on="reference_at", price_at="price_at", by=SERIES)
        .filter(pl.min_horizontal("reference_at", "reference_seen_at") > pl.col("price_at"))
        .filter(move > pl.col("threshold_bps"), pl.col("reference_price_quote") > 0)
        .group_by(*SERIES, *REFERENCE, *price)
        .agg(
            first_missed_at=pl.col("reference_at").min(),
            missed_count=row_count(),
            largest_move_bps=move.max(),
        )
        .with_columns(
            late_seconds=in_seconds(microseconds_between("first_missed_at", "replaced_at"))
        )
        .sort(*SERIES, *REFERENCE, "price_at")
    )


def oracle_wicks(oracle_updates: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    The first, highest, lowest and last price of a feed in a period, and how far it spiked.

    A low far below the close is a wick: a price that did not last, though positions may have been
    liquidated at it. On a chart of closes it is not to be seen. What is no price has none: states,
    amounts and statistics. What was read at a block counts unless it had been seen before the
    period: it was the price of another one.

    Formula:
        wick_low_bps = (low - close) / close * 10,000
        wick_high_bps = (high - close) / close * 10,000

    Args:
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, observed_at.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per asset (null while unknown), quote, chain, protocol, feed and period with an
        update, sorted: update_count (Int64), open_price_quote, high_price_quote, low_price_quote,
        close_price_quote (Decimal), wick_low_bps (Float64, <= 0), wick_high_bps (Float64, >= 0;
        both null unless the close is positive).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        Candles; on 10 October 2025 USDe had a low of 0.6500 against a lowest close of 0.6651.
    """
    price = pl.col("oracle_price_quote")
    return (
        oracle_updates.with_columns(bucket(bucket_seconds))
        .filter(IS_PRICE & is_seen_since(pl.col("bucket_at")))
        .sort("block_timestamp", *EVENT_ORDER)
        .group_by(*SERIES, "bucket_at", maintain_order=True)
        .agg(
            update_count=row_count(),
            open_price_quote=price.first(),
            high_price_quote=price.max(),
            low_price_quote=price.min(),
            close_price_quote=price.last(),
        )
        .with_columns(
            wick_low_bps=deviation_bps("low_price_quote", "close_price_quote"),
            wick_high_bps=deviation_bps("high_price_quote", "close_price_quote"),
        )
        .sort(*SERIES, "bucket_at", nulls_last=True)
    )


def _spoken(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return what feeds told by themselves and again in time: what was read has a log index below 0.

    Whether a sequencer is up is told when it changes, and never late; other states, amounts and
    statistics are due as prices are.
    """
    return oracle_updates.filter((pl.col("quote") != "DOWN") & (pl.col("log_index") >= 0))


def _is_over_saturday(begun: str) -> pl.Expr:
    """Return whether all of a Saturday (UTC) lies between a moment and `ended_at`."""
    midnight = (pl.col(begun) + pl.duration(days=1) - INSTANT).dt.truncate("1d")
    saturday = midnight + pl.duration(days=(_SATURDAY + 7 - midnight.dt.weekday()) % 7)
    return saturday + pl.duration(days=1) <= pl.col("ended_at")


def _longest(earlier: str, later: str) -> pl.Expr:
    return in_seconds(microseconds_between(earlier, later).max())


def _judged(oracle_updates: pl.LazyFrame, feeds: pl.LazyFrame, limit: str) -> pl.LazyFrame:
    """Return the prices of feeds whose limit is known, with what came after each."""
    of_pair = (*PAIR, *SOURCE[:2])
    own = feeds.group_by(SOURCE).agg(pl.col(limit).min())
    shared = feeds.filter(kind="price").group_by(of_pair).agg(pl.col(limit).min().alias("shared"))
    return (
        latest_prices(_spoken(oracle_updates))
        .sort(*SERIES, "price_at")
        .with_columns(
            replaced_at=pl.col("price_at").shift(-1).over(SERIES),
            chain_ended_at=pl.col("price_at").max().over("chain_id"),
        )
        .with_columns(ended_at=pl.coalesce("replaced_at", "chain_ended_at"))
        .join(own, on=SOURCE, how="left")
        .join(shared, on=of_pair, how="left")
        .with_columns(pl.coalesce(limit, "shared").alias(limit))
        .filter(pl.col(limit).is_not_null())
    )
