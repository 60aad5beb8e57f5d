"""What oracles did to markets: time off, wicks, silences, and positions taken at old prices."""

import polars as pl

from analytics.expressions import ratio
from analytics.reports.sections.listed import Shown, ranked

_FEED = ("asset", "quote", "chain_id", "protocol", "feed")
_REFERENCE = ("reference_chain_id", "reference_protocol", "reference_feed")
_PAIR = (*_FEED, *_REFERENCE)
_BRIEF = ("asset", "chain_id", "protocol", "feed", "reference_protocol", "reference_feed")
_MARKET = ("chain_id", "protocol", "market")
_DAY, _HOUR = 86_400, 3600


def _time_off(metric: pl.DataFrame) -> pl.DataFrame:
    # In the order of days: a sum of floats depends on it.
    sums = pl.col("compared_seconds", "off_seconds", "area_bps_seconds").cum_sum().last()
    pairs = (
        metric.sort("bucket_at")
        .group_by(_PAIR, maintain_order=True)
        .agg(sums, pl.col("lowest_deviation_bps").min(), pl.col("highest_deviation_bps").max())
    )
    off = pairs.with_columns(off_ratio=ratio(pl.col("off_seconds"), pl.col("compared_seconds")))
    return ranked(off, pl.col("area_bps_seconds"), _PAIR)


def _means(metric: pl.DataFrame) -> pl.DataFrame:
    return ranked(metric, pl.col("mean_deviation_bps").abs(), _PAIR)


def _wicks(metric: pl.DataFrame) -> pl.DataFrame:
    size = pl.max_horizontal(pl.col("wick_low_bps").abs(), pl.col("wick_high_bps").abs())
    return ranked(metric.filter(size > 0), size, (*_FEED, "bucket_at"))


def _silences(metric: pl.DataFrame) -> pl.DataFrame:
    ages = ("longest_gap_seconds", "oldest_price_seconds", "longest_delay_seconds")
    feeds = metric.group_by(_FEED).agg(pl.col("update_count").sum(), pl.col(ages).max())
    return ranked(feeds, pl.col("oldest_price_seconds"), _FEED)


def _breaches(metric: pl.DataFrame) -> pl.DataFrame:
    feeds = metric.group_by(_FEED).agg(
        pl.col("heartbeat_seconds").max(),
        breach_count=pl.len().cast(pl.Int64),
        over_weekend_count=pl.col("is_over_weekend").sum().cast(pl.Int64),
        longest_late_seconds=pl.col("late_seconds").max(),
        first_at=pl.col("price_at").min(),
        last_at=pl.col("price_at").max(),
    )
    return ranked(feeds, pl.col("longest_late_seconds"), _FEED)


def _paused(metric: pl.DataFrame) -> pl.DataFrame:
    silent, keys = pl.col("silent_saturday_count"), (*_FEED, "silent_weekday_count")
    return ranked(metric.filter(silent > 0), silent, keys)


def _missed(metric: pl.DataFrame) -> pl.DataFrame:
    pairs = metric.group_by(_PAIR).agg(
        pl.col("threshold_bps").max(),
        price_count=pl.len().cast(pl.Int64),
        missed_count=pl.col("missed_count").sum(),
        over_weekend_count=pl.col("is_over_weekend").sum().cast(pl.Int64),
        largest_move_bps=pl.col("largest_move_bps").max(),
        longest_late_seconds=pl.col("late_seconds").max(),
    )
    return ranked(pairs, pl.col("largest_move_bps"), _PAIR)


def _off(metric: pl.DataFrame) -> pl.DataFrame:
    size, notional = pl.col("deviation_bps").abs(), pl.col("notional_usd")
    # A long is liquidated by a price that is too low, a short by one that is too high.
    is_against = pl.col("is_long") == (pl.col("deviation_bps") < 0)
    pairs = metric.group_by(_PAIR).agg(
        liquidation_count=pl.len().cast(pl.Int64),
        notional_usd=pl.when(notional.count() > 0).then(notional.sum()),
        against=is_against.sum(),
        known=is_against.count(),
        lowest_deviation_bps=pl.col("deviation_bps").min(),
        highest_deviation_bps=pl.col("deviation_bps").max(),
        example_tx_hash=pl.col("tx_hash")
        .sort_by(size, "tx_hash", descending=[True, False])
        .first(),
    )
    told = pairs.with_columns(against_ratio=ratio(pl.col("against"), pl.col("known")))
    return ranked(told.drop("against", "known"), pl.col("liquidation_count"), _PAIR)


def _ages(metric: pl.DataFrame) -> pl.DataFrame:
    age, keys = pl.col("age_seconds"), (*_MARKET, "cause")
    markets = metric.group_by(keys).agg(
        exit_count=pl.len().cast(pl.Int64),
        median_age_seconds=age.median(),
        highest_age_seconds=age.max(),
    )
    return ranked(markets, pl.col("highest_age_seconds"), keys)


def _bases(metric: pl.DataFrame) -> pl.DataFrame:
    keys = (*_MARKET, "asset", "price_kind", *_REFERENCE)
    markets = metric.group_by(keys).agg(
        pl.col("price_count").sum(),
        pl.col("low_basis_bps").min(),
        pl.col("high_basis_bps").max(),
    )
    size = pl.max_horizontal(pl.col("low_basis_bps").abs(), pl.col("high_basis_bps").abs())
    return ranked(markets, size, keys)


# Feeds by themselves, and each against another.
FEEDS = (
    Shown(
        *("oracle_deviation_area", "Time and area off by more than 100 bps"),
        (
            *(*_BRIEF, "compared_seconds", "off_seconds", "off_ratio", "area_bps_seconds"),
            *("lowest_deviation_bps", "highest_deviation_bps"),
        ),
        keys=_PAIR,
        rows=15,
        settings={"threshold_bps": 100, "bucket_seconds": _DAY},
        summed=_time_off,
        headers={"off_ratio": "off of compared"},
    ),
    Shown(
        *("oracle_deviation_interval", "Mean deviation, and its 95 % interval"),
        (
            *(*_BRIEF, "sample_count", "mean_deviation_bps"),
            *("interval_low_bps", "interval_high_bps", "standard_error_ratio"),
        ),
        keys=_PAIR,
        rows=15,
        settings={"grid_seconds": 5 * 60},
        summed=_means,
        headers={
            "sample_count": "samples",
            "interval_low_bps": "from, bps",
            "interval_high_bps": "to, bps",
            "standard_error_ratio": "error, of that of unrelated samples",
        },
    ),
    Shown(
        *("oracle_wicks", "Largest wicks within an hour, against the price it closed at"),
        (
            *("bucket_at", "asset", "chain_id", "protocol", "feed", "update_count"),
            *("low_price_quote", "close_price_quote", "high_price_quote"),
            *("wick_low_bps", "wick_high_bps"),
        ),
        keys=(*_FEED, "bucket_at"),
        rows=10,
        settings={"bucket_seconds": _HOUR},
        summed=_wicks,
    ),
    Shown(
        *("oracle_staleness", "Longest silences by feed"),
        (
            *("asset", "chain_id", "protocol", "feed", "update_count", "longest_gap_seconds"),
            *("oldest_price_seconds", "longest_delay_seconds"),
        ),
        keys=_FEED,
        rows=15,
        settings={"bucket_seconds": _DAY},
        summed=_silences,
    ),
    Shown(
        *("heartbeat_breaches", "Prices older than their feed's heartbeat"),
        (
            *("asset", "chain_id", "protocol", "feed", "heartbeat_seconds", "breach_count"),
            *("over_weekend_count", "longest_late_seconds", "first_at", "last_at"),
        ),
        keys=_FEED,
        rows=15,
        summed=_breaches,
        is_summed_only=True,
        name="heartbeat_breaches_by_feed",
        headers={"over_weekend_count": "over a weekend"},
    ),
    Shown(
        *(
            "feed_weekends",
            "Days on which feeds were silent: a market that closes, or a feed that failed",
        ),
        (
            *("asset", "chain_id", "protocol", "feed", "saturday_count", "silent_saturday_count"),
            *("weekday_count", "silent_weekday_count"),
        ),
        keys=_FEED,
        rows=15,
        with_past=True,
        summed=_paused,
    ),
    Shown(
        *("missed_updates", "Prices kept although another source had moved beyond the limit"),
        (
            *(*_BRIEF, "threshold_bps", "price_count", "missed_count", "largest_move_bps"),
            *("over_weekend_count", "longest_late_seconds"),
        ),
        keys=_PAIR,
        rows=15,
        summed=_missed,
        is_summed_only=True,
        name="missed_updates_by_pair",
        headers={
            "price_count": "prices kept",
            "missed_count": "updates beyond",
            "over_weekend_count": "kept over a weekend",
        },
    ),
    Shown(
        *("oracle_update_lag", "How much later than another source each one moved"),
        (
            *(*_BRIEF, "move_count", "reference_move_count", "lag_seconds"),
            *("correlation_ratio", "unlagged_correlation_ratio"),
        ),
        keys=_PAIR,
        largest_first="correlation_ratio",
        rows=15,
        headers={
            "correlation_ratio": "correlation then",
            "unlagged_correlation_ratio": "at the same time",
        },
    ),
)
# Oracles when positions were closed by force, and beside marks.
EXITS = (
    Shown(
        *("liquidations_off_oracle", "Liquidations while the oracle was off by over 50 bps"),
        (
            *("asset", "chain_id", "protocol", "reference_protocol", "reference_feed"),
            *("liquidation_count", "notional_usd", "against_ratio"),
            *("lowest_deviation_bps", "highest_deviation_bps", "example_tx_hash"),
        ),
        keys=_PAIR,
        rows=15,
        settings={"threshold_bps": 50},
        summed=_off,
        is_summed_only=True,
        name="liquidations_off_oracle_by_pair",
        headers={"example_tx_hash": "furthest off", "against_ratio": "off to its disadvantage"},
    ),
    Shown(
        *("oracle_age_at_exits", "How old the oracle's price was when positions were closed"),
        (*_MARKET, "cause", "exit_count", "median_age_seconds", "highest_age_seconds"),
        keys=(*_MARKET, "cause"),
        rows=15,
        summed=_ages,
        is_summed_only=True,
        name="oracle_age_by_market",
    ),
    Shown(
        *("mark_oracle_basis", "Marks and executions against each oracle of the asset"),
        (
            *(*_MARKET, "price_kind", "reference_protocol", "reference_feed", "price_count"),
            *("low_basis_bps", "high_basis_bps"),
        ),
        keys=(*_MARKET, "price_kind", *_REFERENCE),
        rows=15,
        settings={"bucket_seconds": _HOUR},
        summed=_bases,
        headers={"price_count": "prices"},
    ),
)
