"""Fills and trades of dYdX: what each becomes, and that a trade and its fills are one entry."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from import_rig import brought, document, facts, rows, written

ACCOUNT = "dydx1aa"
EVENT = "0142" + "06fc" * 5
NAMESPACE = UUID("0f9da948-a6fb-4c45-9edc-4685c3f3317d")


def fill(whose: str = "TAKER", /, **said: Any) -> dict[str, Any]:
    """Return a fill: half an ETH sold at 4,000, and what is said."""
    usual = {
        "id": str(uuid5(NAMESPACE, f"{EVENT}-{whose}")),
        "side": "SELL",
        "liquidity": whose,
        "type": "LIMIT",
        "market": "ETH-USD",
        "marketType": "PERPETUAL",
        "price": "4000.5",
        "size": "0.5",
        "fee": "0.9",
        "affiliateRevShare": "0",
        "createdAt": "2025-10-10T21:16:04.831Z",
        "createdAtHeight": "54000000",
        "subaccountNumber": 3,
    }
    return usual | said


def trade(kind: str = "LIMIT", side: str = "SELL") -> dict[str, Any]:
    """Return the trade of those fills, as the tape of its market tells it."""
    return {
        "id": EVENT,
        "side": side,
        "size": "0.5",
        "price": "4000.5",
        "type": kind,
        "createdAt": "2025-10-10T21:16:04.831Z",
        "createdAtHeight": "54000000",
    }


def fills(folder: Path, *told: dict[str, Any], name: str = "fills.json") -> Path:
    """Import fills of the account, and return the database."""
    file = written(folder, name, document({"fills": told}))
    return brought(folder, "dydx", file, account=ACCOUNT)


def trades(folder: Path, *told: dict[str, Any]) -> Path:
    """Import trades of the market, and return the database."""
    file = written(folder, "trades.json", document({"trades": told}))
    return brought(folder, "dydx", file, market="ETH-USD")


def test_a_fill_pays_a_fee(tmp_path: Path) -> None:
    """A fee is what it says, below zero for some makers; a quarter is MegaVault's in 2025."""
    path = fills(tmp_path, fill(), fill("MAKER", fee="-0.2", side="BUY"))

    columns = ("account", "fee_usd", "supply_side_usd", "treasury_usd", "holders_usd")
    assert sorted(rows(path, "fees", *columns, "split_basis")) == [
        (f"{ACCOUNT}/3", "-0.2", "-0.05", "-0.02", "-0.13", "policy"),
        (f"{ACCOUNT}/3", "0.9", "0.225", "0.09", "0.585", "policy"),
    ]
    assert rows(path, "position_changes", "account") == []


@pytest.mark.parametrize(
    ("day", "split"),
    [
        ("2024-11-14", (None, None, None)),
        ("2024-11-15", ("0.5", "0.1", "0.4")),
        ("2025-03-01", ("0.25", "0.1", "0.65")),
    ],
)
def test_a_fee_is_split_by_the_vote_in_force(
    tmp_path: Path, day: str, split: tuple[str | None, ...]
) -> None:
    """Half went to MegaVault first, a quarter later; before the first split nothing is known."""
    path = fills(tmp_path, fill(fee="1", createdAt=f"{day}T12:00:00.000Z"))

    assert rows(path, "fees", "supply_side_usd", "treasury_usd", "holders_usd") == [split]


def test_the_liquidated_side_alone_is_a_liquidation(tmp_path: Path) -> None:
    """LIQUIDATED is who was liquidated, LIQUIDATION who bought from it."""
    path = fills(tmp_path, fill(type="LIQUIDATED"), fill("MAKER", type="LIQUIDATION", side="BUY"))

    columns = ("account", "is_long", "notional_usd", "size_tokens", "fee_usd")
    assert rows(path, "liquidations", *columns) == [(f"{ACCOUNT}/3", True, "2000.25", "0.5", "0.9")]
    assert rows(path, "position_changes", "cause", "notional_delta_usd") == [
        ("liquidation", "-2000.25")
    ]


def test_the_offsetting_side_of_a_deleveraging_is_the_adl(tmp_path: Path) -> None:
    """The side that could not pay is no second ADL and no liquidation."""
    path = fills(
        tmp_path,
        fill(type="DELEVERAGED", fee="0"),
        fill("MAKER", type="OFFSETTING", side="BUY", fee="0", subaccountNumber=4),
    )

    columns = ("account", "is_long", "notional_usd", "counterparty")
    assert rows(path, "adls", *columns) == [(f"{ACCOUNT}/4", False, "2000.25", None)]
    assert rows(path, "liquidations", "account") == []
    assert [row[0] for row in rows(path, "position_changes", "cause")] == ["adl", "adl"]


@pytest.mark.parametrize(
    ("kind", "other", "table"),
    [
        ("LIQUIDATED", fill(type="LIQUIDATED"), "liquidations"),
        ("DELEVERAGED", fill("MAKER", type="OFFSETTING", side="BUY", fee="0"), "adls"),
    ],
)
@pytest.mark.parametrize("is_trade_first", [True, False])
def test_a_trade_and_a_fill_of_one_side_are_one(
    tmp_path: Path, kind: str, other: dict[str, Any], table: str, is_trade_first: bool
) -> None:
    """The tape does not say whose it was; the fill does, whichever comes first."""
    if is_trade_first:
        trades(tmp_path, trade(kind))
    path = fills(tmp_path, other)
    if not is_trade_first:
        trades(tmp_path, trade(kind))

    assert rows(path, table, "account", "notional_usd", "tx_hash") == [
        (f"{ACCOUNT}/3", "2000.25", other["id"])
    ]
    assert rows(path, "rejects", "reason") == []
    assert facts(path)[table] == facts(fills(_other(tmp_path), other))[table]


def _other(folder: Path) -> Path:
    (folder / "other").mkdir()
    return folder / "other"


def test_the_tape_alone_has_no_accounts(tmp_path: Path) -> None:
    """A liquidation of somebody is one; ordinary trades state no fact and are counted as read."""
    path = trades(tmp_path, trade("LIQUIDATED", "BUY"), trade() | {"id": "0a"})

    assert rows(path, "liquidations", "account", "is_long", "size_tokens") == [(None, False, "0.5")]
    assert rows(path, "imports", "kind", "about", "entries_read", "entries_used") == [
        ("trades", "ETH-USD", 2, 1)
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"id": "no uuid"}, "badly formed hexadecimal UUID string"),
        ({"side": "LONG"}, "side is LONG: expected BUY or SELL"),
        ({"createdAt": "yesterday"}, "created_at is yesterday: expected a moment in UTC"),
        ({"createdAtHeight": "-4"}, "created_at_height is -4: expected a height"),
        ({"size": "-1"}, "size is -1: expected a number above zero"),
        ({"price": "NaN"}, "price is NaN: expected a decimal number"),
        ({"fee": 0.1}, "Expected `str`, got `float` - at `$.fee`"),
    ],
    ids=str,
)
def test_a_bad_entry_costs_itself(tmp_path: Path, said: dict[str, Any], reason: str) -> None:
    """It is named by its place in the answer; the others stand."""
    path = fills(tmp_path, fill(), fill("MAKER", **said))

    ((why, where),) = rows(path, "rejects", "reason", "tx_hash")
    assert why.startswith(reason)
    assert where == "fills.json, line 2"
    assert len(rows(path, "fees", "account")) == 1
