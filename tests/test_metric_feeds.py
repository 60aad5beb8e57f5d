"""Feeds by themselves: silences, heartbeats, thresholds and wicks, on times checked in the head."""

from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest
from both_engines import (
    feed_weekends,
    heartbeat_breaches,
    missed_updates,
    oracle_staleness,
    oracle_wicks,
)
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

LINK = {"protocol": "chainlink", "feed": "0xagg", "asset": "ETH"}
STONE = {"protocol": "redstone", "feed": "ETH", "asset": "ETH"}
READ = LINK | {"log_index": -1, "evidence": "state"}
STATED = {
    "protocol": "chainlink",
    "feed": "0xagg",
    "name": "ETH/USD",
    "asset": "ETH",
    "kind": "price",
    "heartbeat_seconds": 100,
    "threshold_bps": 50,
}


def price(
    source: Mapping[str, object], seconds: float, quote: object = 1, seen: float | None = None
) -> dict[str, object]:
    """Return an update this long after 21:00, of a price that may have been seen before."""
    observed = None if seen is None else at(seen)
    spoken = {"block_timestamp": at(seconds), "oracle_price_quote": quote}
    return dict(source) | spoken | {"observed_at": observed}


def updates(*rows: Mapping[str, object]) -> pl.LazyFrame:
    """Return these updates."""
    return table("oracle_updates", *rows).lazy()


def stated(**said: object) -> pl.LazyFrame:
    """Return the feed of ETH/USD as it is stated, with changes."""
    return table("feeds", STATED | said).lazy()


def breaches(
    *rows: Mapping[str, object], feed: pl.LazyFrame | None = None, grace_seconds: int = 0
) -> pl.DataFrame:
    """Return the prices that grew too old."""
    named = stated() if feed is None else feed
    return heartbeat_breaches(updates(*rows), named, grace_seconds=grace_seconds).collect()


def missed(*rows: Mapping[str, object], feed: pl.LazyFrame | None = None) -> pl.DataFrame:
    """Return the prices that were kept too long."""
    return missed_updates(updates(*rows), stated() if feed is None else feed).collect()


def test_a_silence_counts_where_it_ends() -> None:
    """Silent from 50 min to 70 min, the second hour has a gap of 20 min, and none before."""
    result = oracle_staleness(
        updates(price(LINK, 3000), price(LINK, 0), price(LINK, 4200), price(LINK, 4260))
    ).collect()

    assert column(result, "bucket_at") == [at(0), at(3600)]
    assert column(result, "update_count") == [2, 2]
    assert column(result, "longest_gap_seconds") == [3000.0, 1200.0]


def test_age_counts_from_when_the_price_was_seen() -> None:
    """Seen at 40 and posted at 50, a price is 60 s old when the next one comes at 100."""
    result = oracle_staleness(
        updates(price(LINK, 50, seen=40), price(LINK, 100, seen=99))
    ).collect()

    assert column(result, "longest_gap_seconds") == [50.0]
    assert column(result, "oldest_price_seconds") == [60.0]
    assert column(result, "longest_delay_seconds") == [10.0]


def test_a_first_update_ends_no_silence() -> None:
    """Before the first update nothing is known, and a source may not say when it saw a price."""
    result = oracle_staleness(updates(price(LINK, 0))).collect()

    assert column(result, "longest_gap_seconds") == [None]
    assert column(result, "oldest_price_seconds") == [None]
    assert column(result, "longest_delay_seconds") == [None]


def test_feeds_do_not_break_each_others_silence() -> None:
    """Another feed of the asset may speak meanwhile; an asset may be unknown."""
    result = oracle_staleness(
        updates(price(LINK, 0), price(STONE, 5), price(LINK, 9), price({"feed": "0xnobody"}, 3))
    ).collect()

    assert column(result, "asset") == ["ETH", "ETH", None]
    assert column(result, "longest_gap_seconds") == [9.0, None, None]


def test_a_price_older_than_the_heartbeat_is_a_breach() -> None:
    """Of gaps of 100 s and 130 s under a heartbeat of 100 s, the second is 30 s late."""
    result = breaches(price(LINK, 0), price(LINK, 100), price(LINK, 230))

    assert column(result, "price_at") == [at(100)]
    assert column(result, "replaced_at") == [at(230)]
    assert column(result, "age_seconds") == [130.0]
    assert column(result, "late_seconds") == [30.0]


@pytest.mark.parametrize(
    ("seen", "replaced", "is_over_weekend"),
    [(0, 27, True), (3, 27, True), (3.001, 27, False), (0, 26.999, False), (27, 150, False)],
)
def test_a_silence_over_a_weekend_is_said_to_be_one(
    seen: float, replaced: float, *, is_over_weekend: bool
) -> None:
    """From 21:00 on a Friday, all of Saturday is between 3 and 27 hours later."""
    result = breaches(price(LINK, seen * 3600), price(LINK, replaced * 3600))

    assert column(result, "is_over_weekend") == [is_over_weekend]


DAY = 86_400
COUNTS = ("saturday_count", "silent_saturday_count", "weekday_count", "silent_weekday_count")


def weekends(*rows: Mapping[str, object]) -> dict[object, tuple[object, ...]]:
    """Return by feed on how many days it was silent; day 0 is a Friday."""
    result = feed_weekends(updates(*rows)).collect()
    return dict(zip(result["feed"], result.select(COUNTS).rows(), strict=True))


def spoken(source: Mapping[str, object], *days: int) -> list[dict[str, object]]:
    """Return updates at 21:00 on these days."""
    return [price(source, day * DAY) for day in days]


def test_a_market_that_closes_is_told_from_a_feed_that_failed() -> None:
    """
    Of 14 days after a Friday one is silent on both Saturdays, one from the second Sunday on, and a
    third speaks twice on a Saturday.
    """
    stocks = spoken(LINK | {"feed": "0xstocks"}, *(d for d in range(16) if d % 7 not in {1, 2}))
    failed = spoken(LINK | {"feed": "0xfailed"}, *range(9))

    told = weekends(*spoken(STONE, *range(16), 8), *stocks, *failed)

    assert told == {"ETH": (2, 0, 10, 0), "0xstocks": (2, 2, 10, 0), "0xfailed": (2, 0, 10, 5)}


def test_a_day_that_is_not_whole_or_that_nobody_saw_is_not_counted() -> None:
    """Neither a first or last day, nor a Saturday that was silent on the whole chain."""
    away = STONE | {"chain_id": 42161, "feed": "0xaway"}

    assert weekends(*spoken(STONE, 1, 8), *spoken(away, 1, 3, 8)) == {
        "ETH": (0, 0, 0, 0),
        "0xaway": (0, 0, 1, 0),
    }
    assert weekends(*spoken(STONE, 0, 1, 2), *spoken(LINK, 0, 5)) == {
        "ETH": (1, 0, 0, 0),
        "0xagg": (1, 1, 0, 0),
    }


def test_a_reading_is_no_word_of_a_feed() -> None:
    """Read on Saturday and silent by itself; of a feed that was only read nothing is known."""
    only = READ | {"feed": "0xread"}

    told = weekends(*spoken(STONE, 0, 1, 2), *spoken(LINK, 0), *spoken(READ, 1), *spoken(only, 1))

    assert told == {"ETH": (1, 0, 0, 0), "0xagg": (1, 1, 0, 0)}


def test_of_an_unknown_asset_days_are_counted_as_well() -> None:
    """A feed is one though nobody says of what, and each quote of it by itself."""
    unknown = {"protocol": "gmx", "feed": "0xnobody"}
    euros = unknown | {"quote": "EUR"}

    result = feed_weekends(
        updates(*spoken(unknown, 0, 1, 2), *spoken(euros, 0), *spoken(LINK, 0))
    ).collect()

    assert column(result, "asset") == ["ETH", None, None]
    assert column(result, "quote") == ["USD", "EUR", "USD"]
    assert column(result, "silent_saturday_count") == [1, 1, 0]


def test_the_last_price_ages_as_long_as_its_chain_goes_on() -> None:
    """Nothing replaced the price of second 0, and the chain is known until 150."""
    result = breaches(price(LINK, 0), price(STONE, 150))

    assert column(result, "replaced_at") == [None]
    assert column(result, "age_seconds") == [150.0]


def test_grace_is_beyond_the_heartbeat() -> None:
    """30 s late is in time with 30 s of grace, and late with 29."""
    rows = (price(LINK, 0), price(LINK, 130))

    assert breaches(*rows, grace_seconds=30).is_empty()
    assert column(breaches(*rows, grace_seconds=29), "late_seconds") == [30.0]


def test_a_price_seen_early_is_old_early() -> None:
    """Posted every 100 s, but seen 10 s before: 110 s old when replaced."""
    result = breaches(price(LINK, 0, seen=-10), price(LINK, 100, seen=90))

    assert column(result, "age_seconds") == [110.0]
    assert column(result, "seen_at") == [at(-10)]


def test_a_feed_without_a_heartbeat_borrows_that_of_its_pair() -> None:
    """Another aggregator of the pair is due as the first is; another protocol's is not judged."""
    other = LINK | {"feed": "0xnew"}
    known = table("feeds", STATED | {"feed": "0xslow", "heartbeat_seconds": 500}, STATED)
    rows = (price(other, 0), price(other, 150), price(STONE, 0), price(STONE, 150))

    result = breaches(*rows, feed=known.lazy())

    assert column(result, "feed") == ["0xnew"]


def test_what_is_no_price_has_a_heartbeat_of_its_own() -> None:
    """Reserves are due as they are stated to be, and lend nobody their heartbeat."""
    reserves = stated(kind="reserves")
    other = LINK | {"feed": "0xnew"}

    assert column(breaches(price(LINK, 0), price(LINK, 130), feed=reserves), "late_seconds") == [30]
    assert breaches(price(other, 0), price(other, 130), feed=reserves).is_empty()


def test_nothing_is_said_of_a_feed_of_unknown_heartbeat() -> None:
    """Without a heartbeat there is no breach; a sequencer's uptime has none."""
    rows = (price(LINK, 0), price(LINK, 1000))
    down = {"quote": "DOWN"}

    assert breaches(*rows, feed=stated(heartbeat_seconds=None)).is_empty()
    assert breaches(*(row | down for row in rows)).is_empty()


def test_what_was_read_at_a_block_is_no_update() -> None:
    """Between two readings a feed may have spoken: it was not silent, late or overdue for that."""
    told = (price(READ, 0, 100), price(READ, 86_400, 110), price(STONE, 90_000, 120))

    assert column(oracle_staleness(updates(*told)).collect(), "feed") == ["ETH"]
    assert breaches(*told).is_empty()
    assert missed(*told).is_empty()


def test_a_status_of_a_sequencer_is_neither_late_nor_a_wick() -> None:
    """It is told when it changes, which may be in months, and then by all of itself."""
    down = LINK | {"asset": "BASE SEQUENCER", "quote": "DOWN"}
    told = (price(down, 0, 0), price(down, 86_400, 0), price(down, 86_460, 1))

    assert oracle_staleness(updates(*told)).collect().is_empty()
    assert oracle_wicks(updates(*told)).collect().is_empty()


def test_a_negative_grace_is_refused() -> None:
    """Nothing is late before it is due."""
    with pytest.raises(ValueError, match="grace_seconds must be at least 0"):
        breaches(grace_seconds=-1)


def test_a_price_is_missed_when_another_source_moved_beyond_the_threshold() -> None:
    """From 100 the other goes to 100.5 (at the threshold), 101, 102; an update comes at 30."""
    result = missed(
        price(LINK, 0, 100),
        price(STONE, 5, "100.5"),
        price(STONE, 10, 101),
        price(STONE, 20, 102),
        price(LINK, 30, 102),
        price(STONE, 40, 102),
    )

    assert column(result, "first_missed_at") == [at(10)]
    assert column(result, "missed_count") == [2]
    assert column(result, "largest_move_bps") == [200.0]
    assert column(result, "late_seconds") == [20.0]


def test_every_source_is_compared_by_what_it_said_itself() -> None:
    """One of two others has moved: the feed is overdue by that one alone."""
    still = STONE | {"feed": "still"}

    result = missed(price(LINK, 0, 100), price(STONE, 10, 102), price(still, 11, 100))

    assert result.select("reference_feed", "missed_count").rows() == [("ETH", 1)]


def test_a_price_of_the_same_second_is_not_judged() -> None:
    """Both speak at once and differ: the feed may not have known."""
    assert missed(price(LINK, 0, 100), price(STONE, 0, 110)).is_empty()


def test_only_what_is_known_by_then_is_judged() -> None:
    """What the other said before the feed spoke is no move since."""
    assert missed(price(STONE, 0, 200), price(LINK, 1, 100)).is_empty()


def test_a_miss_may_go_on() -> None:
    """A feed that says nothing more has missed it for an unknown time."""
    result = missed(price(LINK, 0, 100), price(STONE, 10, 90))

    assert column(result, "largest_move_bps") == [1000.0]
    assert column(result, "replaced_at") == [None]
    assert column(result, "late_seconds") == [None]


@pytest.mark.parametrize(
    ("kept", "replaced", "is_over_weekend"),
    [(3, 27, True), (3.001, 27, False), (0, 26.999, False), (0, None, True)],
)
def test_a_price_that_was_kept_over_a_weekend_is_said_to_be_one(
    kept: float, replaced: float | None, *, is_over_weekend: bool
) -> None:
    """All of Saturday is 3 to 27 hours after it was seen; what is kept is kept from its post on."""
    later = [] if replaced is None else [price(LINK, replaced * 3600, 110)]
    moved = [price(STONE, hours * 3600, 110) for hours in (4, 28)]

    result = missed(price(LINK, kept * 3600, 100, seen=0), *moved, *later)

    assert column(result, "is_over_weekend") == [is_over_weekend]


def test_a_price_that_was_replaced_by_nothing_is_missed_no_more() -> None:
    """After 100 the feed says 0, from which no move is measured: 100 misses nothing any more."""
    rows = (price(LINK, 0, 100), price(LINK, 10, 0), price(STONE, 20, 200), price(LINK, 30, 100))

    assert missed(*rows).is_empty()


def test_a_source_that_says_nothing_above_zero_has_not_moved() -> None:
    """Another source fails and says 0, then -1: from 100 nobody has moved."""
    assert missed(price(LINK, 0, 100), price(STONE, 10, 0), price(STONE, 20, -1)).is_empty()


def test_a_source_without_a_threshold_misses_nothing() -> None:
    """The other source, whose threshold nobody knows, is a reference only."""
    result = missed(price(STONE, 0, 100), price(LINK, 10, 110), price(STONE, 20, 100))

    assert column(result, "feed") == ["0xagg"]


def test_a_reading_shows_others_overdue() -> None:
    """What a feed answered at a block is a price like any other to compare with."""
    result = missed(price(LINK, 0, 100), price(READ | {"feed": "0xproxy"}, 10, 102))

    assert column(result, "reference_feed") == ["0xproxy"]


def test_a_wick_is_measured_from_the_close() -> None:
    """90, 120, 45, 100 in an hour: the low is 5,500 bps below the close, the high 2,000 above."""
    prices = [90, 120, 45, 100]
    spoken = [price(LINK, 60 * index, value) for index, value in enumerate(prices)]

    result = oracle_wicks(updates(*reversed(spoken))).collect()

    assert column(result, "open_price_quote") == ["90"]
    assert column(result, "high_price_quote") == ["120"]
    assert column(result, "low_price_quote") == ["45"]
    assert column(result, "close_price_quote") == ["100"]
    assert column(result, "wick_low_bps") == [-5500.0]
    assert column(result, "wick_high_bps") == [2000.0]


def test_an_answer_of_before_the_period_is_no_wick() -> None:
    """Read at 10 s, 100 of before 21:00 was not of this hour; 95 of 5 s was."""
    told = [price(LINK, -60, 100), price(READ, 10, 100, -60), price(LINK, 20, 90)]

    result = oracle_wicks(updates(*told)).collect()
    seen = oracle_wicks(updates(*told, price(READ, 15, 95, 5))).collect()

    assert column(result, "high_price_quote") == ["100", "90"]
    assert column(result, "wick_high_bps") == [0.0, 0.0]
    assert column(seen, "high_price_quote") == ["100", "95"]


def test_without_a_positive_close_there_is_no_wick() -> None:
    """A close of zero gives null, not infinity."""
    result = oracle_wicks(updates(price(LINK, 0, 5), price(LINK, 1, 0))).collect()

    assert column(result, "wick_high_bps") == [None]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=8), st.integers(1, 10**6))
def test_wicks_know_no_unit(prices: list[int], factor: int) -> None:
    """The same prices in another unit have the same wicks, and a wick never points inward."""
    wicks = [
        oracle_wicks(
            updates(*(price(LINK, index, Decimal(p) * scale) for index, p in enumerate(prices)))
        )
        .select("wick_low_bps", "wick_high_bps")
        .collect()
        .row(0)
        for scale in (1, factor)
    ]

    assert wicks[0] == pytest.approx(wicks[1])
    assert wicks[0][0] <= 0 <= wicks[0][1]


@pytest.mark.parametrize("metric", [oracle_staleness, oracle_wicks])
def test_a_period_has_a_length(metric: object) -> None:
    """A period of no seconds is refused."""
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1, got 0"):
        metric(updates(), bucket_seconds=0)  # type: ignore[operator]
