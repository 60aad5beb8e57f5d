"""Questions about oracles: heartbeats, sequencers and providers, on rows checked by hand."""

from collections.abc import Iterator, Mapping

import duckdb
import polars as pl
import pytest
from handmade import at, fill, shown, table

from analytics.load import rows
from analytics.queries import arguments, query_named
from analytics.reports.scope import Limits, Scope

LINK = {"protocol": "chainlink", "provider": "chainlink", "feed": "0xagg", "asset": "ETH"}
STONE = {"protocol": "redstone", "provider": "redstone", "feed": "ETH", "asset": "ETH"}
DOWN = {"protocol": "chainlink", "feed": "0xup", "asset": "BASE SEQUENCER", "quote": "DOWN"}
NAMED = {
    "protocol": "chainlink",
    "feed": "0xagg",
    "name": "ETH/USD",
    "asset": "ETH",
    "kind": "price",
    "heartbeat_seconds": 100,
}


def price(
    source: Mapping[str, object], seconds: float, quote: object, **more: object
) -> dict[str, object]:
    """Return an update this long after 21:00."""
    return dict(source) | {"block_timestamp": at(seconds), "oracle_price_quote": quote} | more


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return an empty database in memory."""
    with duckdb.connect(":memory:") as connection:
        yield connection


def answer(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: str,
    frames: Mapping[str, pl.DataFrame],
    **given: str,
) -> list[tuple[object, ...]]:
    """Return some columns of an answer over these tables; decimals as short text."""
    fill(con, frames)
    query = query_named(name)
    frame = rows(con, query.sql, arguments(query, given))
    return [tuple(shown(value) for value in row) for row in frame.select(columns.split()).rows()]


STALE = "name heartbeat_seconds update_count late_count oldest_seconds stale_seconds stale_ratio"


def spoken() -> dict[str, pl.DataFrame]:
    """Return a feed due every 100 s that speaks at 0, 100, 240, and a chain that goes on to 400."""
    return {
        "feeds": table("feeds", NAMED),
        "oracle_updates": table(
            "oracle_updates",
            price(LINK, 0, 1),
            price(LINK, 100, 1),
            price(LINK, 240, 1),
            price(STONE, 400, 1),
        ),
    }


def test_a_price_is_stale_beyond_heartbeat_and_tolerance(con: duckdb.DuckDBPyConnection) -> None:
    """110 s are in time at 10 %; of 140 s 30 count, and of the last 160 s 50."""
    told = answer(con, "stale_feeds", STALE, spoken(), tolerance_ratio="0.1")

    assert told == [("ETH/USD", 100, 3, 2, 160.0, pytest.approx(80), pytest.approx(0.2))]


@pytest.mark.parametrize(
    ("feed", "found"), [("eth/usd", 1), ("0xAGG", 1), ("ETH/USD", 1), ("BTC/USD", 0)]
)
def test_a_feed_is_found_by_name_or_address(
    con: duckdb.DuckDBPyConnection, feed: str, found: int
) -> None:
    """The pair, in any case, or the address names a feed; another pair names none."""
    assert len(answer(con, "stale_feeds", "feed", spoken(), feed=feed)) == found


def test_a_feed_is_found_by_a_name_in_small_letters(con: duckdb.DuckDBPyConnection) -> None:
    """A name is found however the declaration spells it."""
    named = {"feeds": table("feeds", NAMED | {"name": "eurFund_NAV"})}

    assert answer(con, "stale_feeds", "name", spoken() | named, feed="eurFund_NAV") == [
        ("eurFund_NAV",)
    ]


def test_a_heartbeat_of_the_pair_serves_its_other_aggregators(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """An aggregator that nobody named is due as the pair is; another protocol's only if asked."""
    frames = spoken()
    frames["oracle_updates"] = table(
        "oracle_updates",
        price(LINK | {"feed": "0xnew"}, 0, 1),
        price(STONE, 0, 1),
        price(STONE, 500, 1),
    )

    assert answer(con, "stale_feeds", "feed stale_seconds", frames, tolerance_ratio="0") == [
        ("0xnew", 400.0)
    ]


def test_a_heartbeat_is_of_a_feed_on_its_chain(con: duckdb.DuckDBPyConnection) -> None:
    """Of one address on two chains, silent for 400 s, the one due every 500 s is in time."""
    told = ((LINK, 0), (STONE, 400))
    frames = {
        "feeds": table("feeds", NAMED, NAMED | {"chain_id": 10, "heartbeat_seconds": 500}),
        "oracle_updates": table(
            "oracle_updates",
            *(price(who, when, 1, chain_id=chain) for chain in (1, 10) for who, when in told),
        ),
    }

    columns = "chain_id update_count stale_seconds"
    assert answer(con, "stale_feeds", columns, frames, tolerance_ratio="0") == [(1, 1, 300.0)]


def test_a_feed_of_unknown_heartbeat_is_judged_when_one_is_given(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """The given heartbeat serves feeds that have none of their own."""
    told = answer(
        con,
        "stale_feeds",
        "feed heartbeat_seconds",
        {"oracle_updates": table("oracle_updates", price(STONE, 0, 1), price(STONE, 500, 1))},
        heartbeat_seconds="300",
    )

    assert told == [("ETH", 300)]


def test_what_was_read_at_a_block_is_never_stale(con: duckdb.DuckDBPyConnection) -> None:
    """A proxy that is asked once a day may have had another answer in between."""
    read = LINK | {"log_index": -1}
    frames = spoken()
    frames["oracle_updates"] = table("oracle_updates", price(read, 0, 1), price(read, 500, 1))

    assert answer(con, "stale_feeds", "feed", frames, heartbeat_seconds="300") == []


def test_age_counts_from_when_the_price_was_seen(con: duckdb.DuckDBPyConnection) -> None:
    """A price that was 90 s old when posted is stale 10 s later at no tolerance."""
    frames = spoken()
    frames["oracle_updates"] = table(
        "oracle_updates", price(LINK, 90, 1, observed_at=at(0)), price(LINK, 120, 1)
    )

    told = answer(con, "stale_feeds", "oldest_seconds stale_seconds", frames, tolerance_ratio="0")

    assert told == [(120.0, 20.0)]


OCTOBER = {"since": "2025-10-14T21:00:00", "until": "2025-10-20T21:00:00"}


@pytest.mark.parametrize(
    ("days", "asked", "found"),
    [
        ((0, 3, 5, 6, 7, 10), {}, (3, 2, 2, 2, 6, 1)),
        # What is late is of the window, and Saturdays are all up to its end.
        ((0, 3, 5, 6, 7, 10), OCTOBER, (2, 1, 2, 2, 5, 1)),
        # A weekend that is in time is none of the late ones; to Sunday's midnight it is whole.
        ((0, 3, 7), {"tolerance_ratio": "2"}, (2, 1, 2, 2, 6, 4)),
        ((0, 27 / 24), {"tolerance_ratio": "0.1"}, (2, 2, 2, 2, 6, 6)),
    ],
)
def test_a_silence_of_a_closed_market_is_seen_to_be_one(
    con: duckdb.DuckDBPyConnection,
    days: tuple[float, ...],
    asked: dict[str, str],
    found: tuple[int, ...],
) -> None:
    """From a Friday on, late on a Tuesday and over two weekends: both Saturdays were silent."""
    told = [price(LINK, day * 86_400, 1) for day in days]
    frames = {
        "feeds": table("feeds", NAMED | {"heartbeat_seconds": 86_400}),
        "oracle_updates": table(
            "oracle_updates", *told, *(price(STONE, day * 86_400, 1) for day in range(12))
        ),
    }
    late = "late_count over_weekend_count"
    seen = "saturday_count silent_saturday_count weekday_count silent_weekday_count"

    assert answer(con, "stale_feeds", f"{late} {seen}", frames, **asked) == [found]


def test_a_sequencer_is_down_until_it_says_it_is_up(con: duckdb.DuckDBPyConnection) -> None:
    """Repeated statuses count once; prices of its chain are not trusted for an hour after."""
    frames = {
        "oracle_updates": table(
            "oracle_updates",
            price(DOWN, 0, 0),
            price(DOWN, 100, 1),
            price(DOWN, 130, 1),
            price(DOWN, 160, 0),
            price(LINK, 99, 1),
            price(LINK, 100, 1),
            price(LINK, 3_759, 1),
            price(LINK, 3_760, 1),
            price(LINK | {"chain_id": 10}, 120, 1),
        )
    }

    columns = "sequencer down_at up_at down_seconds trusted_at update_count"
    assert answer(con, "sequencer_downtime", columns, frames) == [
        ("BASE SEQUENCER", at(100), at(160), 60.0, at(3_760), 2)
    ]


def test_sequencers_of_one_name_are_of_their_chains(con: duckdb.DuckDBPyConnection) -> None:
    """Down at 5 s here and at 7 s there, up at 20 s here and never there."""
    there = DOWN | {"chain_id": 10}
    told = (price(DOWN, 5, 1), price(there, 7, 1), price(DOWN, 20, 0))
    frames = {"oracle_updates": table("oracle_updates", *told)}

    columns = "chain_id down_at up_at"
    assert answer(con, "sequencer_downtime", columns, frames) == [
        (1, at(5), at(20)),
        (10, at(7), None),
    ]


@pytest.mark.parametrize("name", ["oracle_off", "price_moves"])
def test_a_status_of_a_sequencer_is_no_price(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """That it is up again is no fall by all of it, and no difference to who says so later."""
    proxy = DOWN | {"protocol": "chainlink_proxies", "feed": "0xproxy"}
    told = (price(proxy, 0, 1), price(DOWN, 5, 1), price(DOWN, 10, 0), price(proxy, 20, 0))

    assert answer(con, name, "asset", {"oracle_updates": table("oracle_updates", *told)}) == []


def test_a_sequencer_may_be_down_still(con: duckdb.DuckDBPyConnection) -> None:
    """Without a later status nothing is trusted again; what is told of reserves is no price."""
    told = (price(DOWN, 5, 1), price(LINK, 9, 1), price(LINK | {"quote": "RESERVES"}, 9, 1))
    frames = {"oracle_updates": table("oracle_updates", *told)}

    columns = "down_at up_at trusted_at update_count"
    assert answer(con, "sequencer_downtime", columns, frames) == [(at(5), None, None, 1)]


@pytest.mark.parametrize("up", [[], [price(DOWN, 12, 0)]], ids=["down", "up"])
def test_prices_count_up_to_the_end_of_the_window(
    con: duckdb.DuckDBPyConnection, up: list[dict[str, object]]
) -> None:
    """Of prices at 9, 20 and 21 s two are told by 20 s, whether it is down then or not trusted."""
    told = [price(DOWN, 5, 1), *up, *(price(LINK, second, 1) for second in (9, 20, 21))]
    frames = {"oracle_updates": table("oracle_updates", *told)}

    until = at(20).isoformat()
    found = answer(con, "sequencer_downtime", "update_count", frames, until=until)

    assert found == [(2,)]


def test_a_price_that_is_not_above_zero_is_none(con: duckdb.DuckDBPyConnection) -> None:
    """100, none, 80, 90: a fall of a fifth of which half came back; who says zero has no row."""
    told = ((LINK, 0, 100), (LINK, 1, 0), (LINK, 2, 80), (LINK, 3, 90), (LINK, 4, 0), (STONE, 0, 0))
    frames = {"oracle_updates": table("oracle_updates", *(price(*one) for one in told))}

    columns = "feed update_count first_quote lowest_quote last_quote fall_ratio recovery_ratio"
    assert answer(con, "price_moves", columns, frames) == [
        ("0xagg", 3, "100", "80", "90", -0.2, 0.5)
    ]


@pytest.mark.parametrize(("since", "found"), [(5, ("200", -0.5)), (6, ("100", 0.0))])
def test_an_answer_of_before_the_window_is_no_price_in_it(
    con: duckdb.DuckDBPyConnection, since: int, found: tuple[str, float]
) -> None:
    """Read at 10 s, 200 of 5 s is of a window that begins then, and of no later one."""
    read = price(LINK | {"log_index": -1}, 10, 200) | {"observed_at": at(5)}
    frames = {"oracle_updates": table("oracle_updates", read, price(LINK, 20, 100))}
    begun = at(since).isoformat()

    moved = answer(con, "price_moves", "first_quote fall_ratio", frames, since=begun)

    assert moved == [found]


def apart() -> dict[str, pl.DataFrame]:
    """Return 100 against 100 for 90 s, 101 for 9 s and 110 for 1 s, then silence."""
    return {
        "oracle_updates": table(
            "oracle_updates",
            price(STONE, 0, 100),
            price(LINK, 0, 100),
            price(LINK, 90, 101),
            price(LINK, 99, 110),
            price(LINK, 100, 100),
            price(LINK | {"chain_id": 10}, 50, 500),
        )
    }


def test_a_deviation_is_weighted_by_time(con: duckdb.DuckDBPyConnection) -> None:
    """(0 * 90 + 100 * 9 + 1,000 * 1) / 100 bps; 95 % of the time within 100, 99 % too."""
    columns = "provider reference_provider compared_seconds mean_bps p95_bps p99_bps max_bps"

    (told,) = answer(con, "provider_deviation", f"{columns} off_ratio", apart())

    assert told[:3] == ("chainlink", "redstone", 100.0)
    assert told[3:] == pytest.approx((19, 100, 100, 1_000, 0.1))


def test_an_old_price_is_not_compared(con: duckdb.DuckDBPyConnection) -> None:
    """With ten seconds of tolerance only the first ten of a silent reference count."""
    told = answer(
        con, "provider_deviation", "compared_seconds mean_bps", apart(), tolerance_seconds="10"
    )

    assert told == [(10.0, 0.0)]


def test_no_difference_lasts_while_the_reference_is_not_positive(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Equal for ten seconds, against zero for sixty, equal for ten: twenty are compared."""
    told = ((LINK, 0, 100), (STONE, 0, 100), (STONE, 10, 0), (STONE, 70, 100), (LINK, 80, 100))
    frames = {"oracle_updates": table("oracle_updates", *(price(*one) for one in told))}

    columns = "provider reference_provider compared_seconds mean_bps"
    assert answer(con, "provider_deviation", columns, frames) == [
        ("chainlink", "redstone", 20.0, 0.0)
    ]


@pytest.mark.parametrize(("pair", "found"), [("eth/usd", 1), ("BTC/USD", 0)])
def test_a_pair_is_found_by_its_symbols(
    con: duckdb.DuckDBPyConnection, pair: str, found: int
) -> None:
    """Only the asked pair is compared."""
    assert len(answer(con, "provider_deviation", "asset", apart(), pair=pair)) == found


WINDOW = Limits(since=at(100), until=at(200))


def of_window(
    name: str, columns: str, *told: Mapping[str, object], **given: str
) -> list[tuple[object, ...]]:
    """Return some columns of what `query` answers of 100 s to 200 s."""
    frames = {"oracle_updates": table("oracle_updates", *told), "feeds": table("feeds", NAMED)}
    with duckdb.connect(":memory:") as con:
        fill(con, frames)
        return Scope(con, WINDOW).query(name, **given).select(columns.split()).rows()


AGREED = (price(LINK, 0, 110), price(STONE, 50, 100))


def test_who_was_off_before_the_window_is_off_from_where_it_begins() -> None:
    """1,000 bps apart since 50 s: off from 100 s to 160 s; equal again at 100 s, not at all."""
    columns = "moments_off first_off_at last_off_at highest_deviation_bps seconds_off"
    off, again = price(LINK, 160, 100), price(LINK, 100, 100)

    assert of_window("oracle_off", columns, *AGREED, off) == [
        (1, at(100), at(100), pytest.approx(1_000), 60.0)
    ]
    assert of_window("oracle_off", columns, *AGREED, again, off) == []


def test_what_is_told_last_where_the_window_begins_is_a_moment_of_it() -> None:
    """Nothing follows 100 s: one moment off that lasts no time."""
    told = (AGREED[0], price(STONE, 100, 100))

    assert of_window("oracle_off", "moments_off seconds_off", *told) == [(1, 0.0)]


@pytest.mark.parametrize(
    ("name", "column"), [("oracle_off", "seconds_off"), ("provider_deviation", "compared_seconds")]
)
def test_what_is_too_old_where_the_window_begins_is_not_compared(name: str, column: str) -> None:
    """Of 0 s and 50 s, a price that counts 120 s is compared until 120 s, one of 100 s never."""
    told = (*AGREED, price(STONE, 160, 100))

    assert of_window(name, column, *told, tolerance_seconds="120") == [(20.0,)]
    assert of_window(name, column, *told, tolerance_seconds="100") == []


def test_a_feed_that_is_silent_all_through_a_window_is_stale() -> None:
    """Due at 110 s at the latest, 90 s of 100 s are late while its chain goes on to 200 s."""
    columns = "update_count late_count oldest_seconds stale_seconds stale_ratio last_update_at"
    told = (price(LINK, -500, 1), price(LINK, 10, 1), price(STONE, 200, 1))

    found = of_window("stale_feeds", columns, *told, tolerance_ratio="0")

    assert found == [(0, 1, 190.0, 90.0, pytest.approx(0.9), at(10))]


@pytest.mark.parametrize(("grace", "found"), [("40", []), ("41", [(at(10), at(60), 1)])])
def test_a_sequencer_that_was_down_before_a_window_is_not_trusted_in_it(
    grace: str, found: list[tuple[object, ...]]
) -> None:
    """Up again at 60 s, prices are trusted from 100 s on, or one second later."""
    told = (price(DOWN, 10, 1), price(LINK, 20, 1), price(DOWN, 60, 0), price(LINK, 100, 1))
    columns = "down_at up_at update_count"

    assert of_window("sequencer_downtime", columns, *told, grace_seconds=grace) == found
