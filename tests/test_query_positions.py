"""Positions whose closings name them and nothing else, put together with their openings."""

from collections.abc import Iterator

import duckdb
import pytest
from handmade import at, fill, shown, table

from analytics.load import rows
from analytics.queries import arguments, query_named
from analytics.reports.asked import AskedQuery
from analytics.reports.scope import Limits, Scope

VENUE = {"chain_id": 42161, "protocol": "venue", "account": "0xa"}


def opening(number: str, seconds: int, tokens: int, *, is_long: bool) -> dict[str, object]:
    """Return an opening of these tokens at 100 dollars each."""
    return VENUE | {
        "position_id": number,
        "block_number": seconds,
        "block_timestamp": at(seconds),
        "market": "gold",
        "is_long": is_long,
        "size_delta_tokens": tokens,
        "notional_delta_usd": 100 * tokens,
    }


def closing(number: str, seconds: int, ratio: str) -> dict[str, object]:
    """Return a closing of a part of what is left."""
    return VENUE | {
        "position_id": number,
        "block_number": seconds,
        "block_timestamp": at(seconds),
        "market": "gold",
        "closed_ratio": ratio,
    }


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a venue with two longs, two shorts, and a closing of a trade before its time."""
    changes = [
        opening("1", 10, 4, is_long=True),
        closing("1", 20, "0.5"),
        closing("1", 30, "0.25"),
        opening("2", 11, 8, is_long=True),
        opening("3", 12, 16, is_long=False),
        closing("3", 40, "0.5"),
        closing("3", 50, "1"),
        opening("4", 13, 2, is_long=False),
        closing("9", 14, "1"),
        {"chain_id": 1, "protocol": "other", "position_id": "1", "size_delta_tokens": 3},
    ]
    liquidated = {"position_id": "3", "collateral_usd": 70, "derivation": "inferred"}
    placed = {"block_number": 50, "block_timestamp": at(50), "market": "gold", "log_index": 6}
    orphan = {"position_id": "9", "block_number": 14, "block_timestamp": at(14), "log_index": 8}
    frames = {
        "position_changes": table("position_changes", *changes),
        "liquidations": table(
            "liquidations",
            VENUE | liquidated | placed,
            VENUE | orphan | {"market": "gold"},
            VENUE | {"position_id": "5", "notional_usd": 1},
        ),
    }
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection, frames)
        yield connection


def asked(
    con: duckdb.DuckDBPyConnection, name: str, columns: str, **given: str
) -> list[tuple[object, ...]]:
    """Return some columns of an answer."""
    query = query_named(name)
    frame = rows(con, query.sql, arguments(query, given))
    return [tuple(shown(value) for value in row) for row in frame.select(columns.split()).rows()]


def test_what_is_open_is_what_no_closing_took_off(con: duckdb.DuckDBPyConnection) -> None:
    """4 tokens less a half less a quarter of the rest are 1.5, and 8 are untouched."""
    columns = "protocol market is_long open_positions closed_positions open_tokens open_usd"

    assert asked(con, "open_by_position", columns) == [
        ("venue", "gold", False, 1, 1, 2.0, 200.0),
        ("venue", "gold", True, 2, 0, 9.5, 950.0),
        ("venue", "gold", None, 0, 1, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("position", "closed", "tokens", "dollars"),
    [("2", "3", None, 1200.0), ("1", "3", None, 1200.0), ("2", "2", 4.0, 400.0)],
)
def test_an_opening_of_unknown_size_leaves_what_is_open_unknown(
    position: str, closed: str, tokens: float | None, dollars: float
) -> None:
    """Of another position or of the same one; what was closed since is nothing, however large."""
    silent = opening(position, 11, 8, is_long=True) | {"size_delta_tokens": None}
    changes = [opening("1", 10, 4, is_long=True), silent, closing(closed, 13, "1")]

    with duckdb.connect() as con:
        fill(con, {"position_changes": table("position_changes", *changes)})
        found = asked(con, "open_by_position", "is_long open_tokens open_usd")

    assert found[0] == (True, tokens, dollars)


def test_what_was_open_at_a_moment_leaves_out_what_came_after(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Before the second closing of trade 1 and any of trade 3."""
    found = asked(con, "open_by_position", "is_long open_tokens", until=at(25).isoformat())

    assert found == [(False, 18.0), (True, 10.0), (None, 0.0)]


def test_where_all_is_closed_nothing_is_open() -> None:
    """Of yen whose size in base units no opening says; while half is open it is not known."""
    yen = opening("1", 10, 4, is_long=True) | {"size_delta_tokens": None}
    changes = [yen, closing("1", 20, "0.5"), closing("1", 30, "1")]

    with duckdb.connect() as con:
        fill(con, {"position_changes": table("position_changes", *changes)})
        found = [
            asked(con, "open_by_position", "open_tokens open_usd", until=at(moment).isoformat())
            for moment in (25, 35)
        ]

    assert found == [[(None, 200.0)], [(0.0, 0.0)]]


def test_a_liquidation_is_as_large_as_what_was_left_before_it(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """Half of 16 tokens; what has no opening stays unknown, what says its notional is not asked."""
    columns = "position_id is_long notional_usd size_tokens collateral_usd derivation"

    assert asked(con, "liquidated_positions", columns) == [
        ("9", None, None, None, None, "direct"),
        ("3", False, 800.0, 8.0, "70", "inferred"),
    ]


@pytest.mark.parametrize(
    ("unsaid", "dollars", "tokens"),
    [("notional_delta_usd", None, 12.0), ("size_delta_tokens", 1200.0, None)],
)
def test_an_opening_of_unknown_size_leaves_a_liquidation_unknown(
    unsaid: str, dollars: float | None, tokens: float | None
) -> None:
    """4 tokens and 8 of which one thing is not said: that is unknown, not what the others say."""
    silent = opening("1", 11, 8, is_long=True) | {unsaid: None}
    liquidated = VENUE | {"position_id": "1", "block_number": 20, "block_timestamp": at(20)}
    frames = {
        "position_changes": table("position_changes", opening("1", 10, 4, is_long=True), silent),
        "liquidations": table("liquidations", liquidated),
    }

    with duckdb.connect() as con:
        fill(con, frames)
        found = asked(con, "liquidated_positions", "notional_usd size_tokens")

    assert found == [(dollars, tokens)]


@pytest.mark.parametrize("name", ["open_by_position", "liquidated_positions"])
def test_a_beginning_forgets_no_opening(name: str, con: duckdb.DuckDBPyConnection) -> None:
    """What was opened before it is as large as without one, in an answer and in its trace."""
    begun = AskedQuery(Scope(con, Limits(since=at(50))), name, {})
    whole = Scope(con).query(name)

    found = begun.rows.collect()
    traced = begun.facts("position_changes").collect().height

    assert found.equals(whole.tail(found.height))
    assert found.height
    assert traced == 10
