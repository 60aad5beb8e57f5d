"""What liquidated borrowers repaid and lost, also where two events tell of both."""

from collections.abc import Iterable, Mapping, Sequence

import duckdb
from handmade import fill, shown, table

from analytics.load import rows
from analytics.queries import arguments, query_named

ABSORBED = {"protocol": "comet", "pool": "0xp", "account": "0xb", "counterparty": "0xa"}
COLUMNS = ("asset_token", "collateral_token", "liquidation_count", "repaid_tokens", "seized_tokens")


def test_what_an_event_of_its_own_tells_was_seized() -> None:
    """A debt of 30 absorbed twice, and of two collaterals 1 and 2: three rows, two liquidations."""
    debt = ABSORBED | {"asset_token": "USDC", "kind": "liquidation", "principal_tokens": 30}
    taken = ABSORBED | {"asset_token": "USDC", "kind": "seizure"}
    events = (
        *(debt, debt),
        taken | {"collateral_token": "WBTC", "collateral_tokens": 1},
        taken | {"collateral_token": "WETH", "collateral_tokens": 2},
        taken | {"kind": "recovery", "collateral_token": "WETH", "collateral_tokens": 2},
    )

    assert answer(events, COLUMNS) == [
        ("USDC", None, 2, "60", None),
        ("USDC", "WBTC", 0, None, "1"),
        ("USDC", "WETH", 0, None, "2"),
    ]


def test_liquidators_that_nobody_told_are_not_none() -> None:
    """Maker's first auctions do not say who began them."""
    begun = ABSORBED | {"kind": "liquidation", "counterparty": None}

    assert answer((begun,), ("liquidation_count", "liquidator_count")) == [(1, None)]


def answer(events: Iterable[Mapping[str, object]], columns: Sequence[str]) -> list[object]:
    """Return some columns of the answer over these events; decimals as short text."""
    with duckdb.connect() as con:
        fill(con, {"credit_events": table("credit_events", *events)})
        query = query_named("lending_liquidations")
        found = rows(con, query.sql, arguments(query, {}))
    return [tuple(shown(value) for value in row) for row in found.select(columns).rows()]
