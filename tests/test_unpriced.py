"""What is no price, in metrics and in queries: one list of words, and who heeds it."""

import duckdb
import polars as pl
import pytest
from handmade import at, insert, load, table

from analytics.compute import collected, compute
from analytics.load import rows
from analytics.prices import UNPRICED
from analytics.queries import arguments, composed, queries
from indexer.protocols import PROTOCOLS

TWINNED = {
    *("oracle_deviation", "oracle_deviation_area", "oracle_deviation_extremes"),
    *("oracle_deviation_interval", "oracle_update_lag", "oracle_wicks", "missed_updates"),
}
METRICS = TWINNED | {"survival", "venue_lead_lag"}
QUERIES = {f"metrics/{name}" for name in TWINNED} | {
    *("oracle_off", "price_moves", "provider_deviation"),
}
SETTINGS = {"survival": {"window_seconds": 10}}


def told(quote: str) -> dict[str, pl.DataFrame]:
    """Return two sources of one asset, in this quote, that move together in turn, 20 times."""
    shared = {"asset": "WBTC PROOF OF RESERVES", "quote": quote}
    spoken = (
        {"provider": who, "protocol": who, "feed": who, "block_timestamp": at(10 * step + late)}
        | {"oracle_price_quote": 100 + 7 * (step % 3) - 3 * (step % 4)}
        for who, late in (("redstone", 0), ("chainlink", 5))
        for step in range(20)
    )
    stated = {"protocol": "chainlink", "feed": "chainlink", "name": "RESERVES", "kind": "price"}
    return {
        "oracle_updates": table("oracle_updates", *(shared | one for one in spoken)),
        "feeds": table("feeds", shared | stated | {"threshold_bps": 1}),
    }


def asked(con: duckdb.DuckDBPyConnection, name: str, quote: str) -> pl.DataFrame:
    """Return a query's answer to what is told in this quote."""
    frames = told(quote)
    for one in frames:
        con.execute(f"delete from {one}")
    insert(con, frames)
    query = queries()[name]
    return rows(con, query.sql, arguments(query, {}))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_of_prices_leaves_out_what_is_none(name: str) -> None:
    """What a share is worth has rows as a price in dollars has, a state or an amount has none."""

    def found(quote: str) -> int:
        metric = compute(name, load(**told(quote)), **SETTINGS.get(name, {}))
        return collected(metric).height

    assert found("NAV") == found("USD") > 0
    assert {quote: found(quote) for quote in UNPRICED} == dict.fromkeys(UNPRICED, 0)


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_of_prices_leaves_out_what_is_none(
    name: str, empty: duckdb.DuckDBPyConnection
) -> None:
    """The same words as in metrics, from the list of queries."""
    assert asked(empty, name, "NAV").height == asked(empty, name, "USD").height > 0
    assert [quote for quote in UNPRICED if asked(empty, name, quote).height] == []


def test_a_state_that_is_repeated_in_time_is_due_as_a_price_is() -> None:
    """Reserves that nobody posts any more are late; a sequencer's status never is."""
    frames = told("RESERVES")

    assert collected(compute("oracle_staleness", load(**frames))).height == 2
    assert collected(compute("oracle_staleness", load(**told("DOWN")))).is_empty()


def test_metrics_and_queries_know_the_same_words(empty: duckdb.DuckDBPyConnection) -> None:
    """One list each, which are one."""
    words = rows(empty, f"with {composed('-- part: unpriced')} x as (select 1) from unpriced", {})

    assert sorted(words["quote"]) == sorted(UNPRICED)


def test_every_declared_feed_is_a_price_or_none_by_its_word() -> None:
    """What a feed's kind says and what the word in place of its quote says are the same."""
    is_price = {"price", "capped", "exchange_rate", "calculated"}
    is_price |= {"nav", "bounded_nav", "share_price"}
    feeds = [feed for protocol in PROTOCOLS.values() for feed in protocol.feeds]

    assert {feed.quote for feed in feeds if feed.kind not in is_price} == set(UNPRICED)
    assert not {feed.quote for feed in feeds if feed.kind in is_price} & set(UNPRICED)
