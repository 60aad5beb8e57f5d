"""What liquidated borrowers repaid and lost, also where two events tell of both."""

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

    with duckdb.connect() as con:
        fill(con, {"credit_events": table("credit_events", *events)})
        query = query_named("lending_liquidations")
        found = rows(con, query.sql, arguments(query, {}))

    assert [tuple(shown(value) for value in row) for row in found.select(COLUMNS).rows()] == [
        ("USDC", None, 2, "60", None),
        ("USDC", "WBTC", 0, None, "1"),
        ("USDC", "WETH", 0, None, "2"),
    ]
