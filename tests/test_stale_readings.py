"""Answers that are long past when they are read at a block: a dead feed answers for ever."""

from datetime import timedelta

import duckdb
import polars as pl
import pytest
from both_engines import agreed
from handmade import at, insert, load, table

from analytics.compute import collected, compute
from analytics.load import rows
from analytics.queries import arguments, query_named

ETH = {"asset": "ETH", "oracle_price_quote": 100}
VENUE = {"protocol": "venue", "provider": "venue", "feed": "0xweth"}
PROXY = {"protocol": "proxies", "provider": "proxies", "feed": "0xproxy", "log_index": -1}
TOKEN = {"symbol": "ETH", "decimals": 18, "known_by": "declaration"}
MARKET = {"protocol": "venue", "market": "ETH", "symbol": "ETH", "asset_class": "crypto"}
MARKET |= {"known_by": "declaration"}
EXIT = {"protocol": "venue", "market": "ETH", "mark_price_usd": 100, "block_timestamp": at(20)}

METRICS = (
    *("oracle_deviation", "oracle_deviation_area", "oracle_deviation_extremes"),
    *("mark_oracle_basis", "liquidations_off_oracle"),
)
TOLERANCE = 60


def told(age: int) -> dict[str, pl.DataFrame]:
    """Return a venue's prices at 10 and 30 s, and an answer of 150 read at 11 s, of this age."""
    seen = at(11) - timedelta(seconds=age)
    read = ETH | PROXY | {"block_timestamp": at(11), "observed_at": seen}
    spoken = (ETH | VENUE | {"block_timestamp": at(second)} for second in (10, 30))
    return {
        "oracle_updates": table("oracle_updates", read | {"oracle_price_quote": 150}, *spoken),
        "markets": table("markets", MARKET),
        "liquidations": table("liquidations", EXIT),
        "fees": table("fees", {"fee_token": "0xt", "fee_tokens": 2, "block_timestamp": at(20)}),
        "tokens": table("tokens", TOKEN | {"address": "0xt"}),
        "token_supplies": table(
            "token_supplies", {"token": "0xt", "supply_tokens": 1, "block_timestamp": at(20)}
        ),
    }


def of_proxies(found: pl.DataFrame) -> int:
    """Return how many rows compare with the proxy."""
    return found.filter(pl.any_horizontal(pl.col("^.*protocol$") == "proxies")).height


@pytest.mark.parametrize("metric", METRICS)
def test_an_answer_is_compared_while_it_is_within_the_tolerance(metric: str) -> None:
    """Seen 60 s before it was read it is, of 61 s it is not, on either side of a comparison."""
    for age, is_compared in ((TOLERANCE, True), (TOLERANCE + 1, False)):
        computed = agreed(metric, told(age), tolerance_seconds=TOLERANCE)

        assert (of_proxies(computed) > 0) == is_compared


@pytest.mark.parametrize("query", ["oracle_off", "provider_deviation"])
def test_a_query_compares_it_as_long(query: str, empty: duckdb.DuckDBPyConnection) -> None:
    """The same answers, asked in SQL alone."""
    asked = query_named(query)
    given = arguments(asked, {"tolerance_seconds": str(TOLERANCE)})
    for age, found in ((TOLERANCE, 1), (TOLERANCE + 1, 0)):
        empty.execute("delete from oracle_updates")
        insert(empty, {"oracle_updates": told(age)["oracle_updates"]})

        assert rows(empty, asked.sql, given).height == found


@pytest.mark.parametrize("metric", ["income_valuations", "price_multiples"])
def test_nothing_is_worth_what_an_answer_of_long_ago_says(metric: str) -> None:
    """The venue's 100 of 10 s counts, though a dead feed's 150 was read after it."""
    for age, usd in ((TOLERANCE, 150), (TOLERANCE + 1, 100)):
        computed = agreed(metric, told(age), tolerance_seconds=TOLERANCE)

        assert computed["price_usd"].to_list() == [usd]


def test_what_a_source_says_itself_counts_when_it_says_it() -> None:
    """An update is news, however long before the source saw its price."""
    frames = told(TOLERANCE + 1)
    spoken = frames["oracle_updates"].with_columns(pl.col("log_index").abs())
    frames |= {"oracle_updates": spoken}

    computed = collected(compute("income_valuations", load(**frames), tolerance_seconds=TOLERANCE))

    assert computed["price_usd"].to_list() == [150]


def test_what_was_seen_before_shows_no_feed_overdue() -> None:
    """Read at 11 s, an answer of 11 s is a move since the venue's at 10 s; one of 10 s is none."""
    stated = VENUE | {"name": "ETH/USD", "asset": "ETH", "kind": "price", "threshold_bps": 50}
    for age, found in ((1, 0), (0, 1)):
        frames = told(age) | {"feeds": table("feeds", stated)}

        assert agreed("missed_updates", frames).height == found
