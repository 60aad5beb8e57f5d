"""Fills and trades of dYdX: what each becomes, and that a trade and its fills are one entry."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from commands import perpscope
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
        ("2023-10-25", (None, None, None)),
        ("2024-11-14", ("0", "0", "1")),
        ("2024-11-15", ("0.5", "0.1", "0.4")),
        ("2025-03-24", ("0.25", "0.1", "0.65")),
        ("2025-11-13", ("0.05", "0.05", "0.9")),
    ],
)
def test_a_fee_is_split_by_the_vote_in_force(
    tmp_path: Path, day: str, split: tuple[str | None, ...]
) -> None:
    """All went to stakers first; MegaVault got half, a quarter, then a twentieth."""
    path = fills(tmp_path, fill(fee="1", createdAt=f"{day}T12:00:00.000Z"))

    assert rows(path, "fees", "supply_side_usd", "treasury_usd", "holders_usd") == [split]


@pytest.mark.parametrize(
    ("whose", "said", "split"),
    [
        ("TAKER", {"affiliateRevShare": "100"}, ("200", "125", "10", "65")),
        ("MAKER", {"affiliateRevShare": "100"}, ("200", "50", "20", "130")),
        ("TAKER", {"orderRouterFee": "100"}, ("200", "125", "10", "65")),
        ("MAKER", {"orderRouterFee": "100"}, ("200", "125", "10", "65")),
        ("TAKER", {"builderFee": "100"}, ("300", "150", "20", "130")),
    ],
)
def test_what_others_get_of_a_fee_is_not_shared_out(
    tmp_path: Path, whose: str, said: dict[str, str], split: tuple[str, ...]
) -> None:
    """Affiliates are paid of the taker's fee, whichever fill names them; builders beside it."""
    path = fills(tmp_path, fill(whose, fee="200", **said))

    columns = ("fee_usd", "supply_side_usd", "treasury_usd", "holders_usd")
    assert rows(path, "fees", *columns) == [split]


def test_the_liquidated_side_alone_is_a_liquidation(tmp_path: Path) -> None:
    """LIQUIDATED is who was liquidated, LIQUIDATION who bought from it."""
    path = fills(tmp_path, fill(type="LIQUIDATED"), fill("MAKER", type="LIQUIDATION", side="BUY"))

    columns = ("account", "is_long", "notional_usd", "size_tokens", "fee_usd")
    assert rows(path, "liquidations", *columns) == [(f"{ACCOUNT}/3", True, "2000.25", "0.5", "0.9")]
    changed = ("cause", "is_long", "notional_delta_usd", "size_delta_tokens")
    assert rows(path, "position_changes", *changed) == [("liquidation", True, "-2000.25", "-0.5")]


@pytest.mark.parametrize(
    ("fee", "fees", "told", "moved"),
    [
        ("6", [("liquidation", "6", "0", "6", "0", "event")], ("6", "0"), [("insurance_in", "6")]),
        ("-50", [], ("0", "50"), [("bad_debt", "50"), ("insurance_out", "50")]),
        ("0", [], ("0", "0"), []),
    ],
)
def test_the_fee_of_who_is_liquidated_is_of_the_insurance_fund(
    tmp_path: Path,
    fee: str,
    fees: list[tuple[str, ...]],
    told: tuple[str, str],
    moved: list[tuple[str, str]],
) -> None:
    """The fund takes 6, or pays 50 that the account did not have, which is no fee below zero."""
    path = fills(tmp_path, fill(type="LIQUIDATED", fee=fee))

    split = ("fee_usd", "supply_side_usd", "treasury_usd", "holders_usd", "split_basis")
    assert rows(path, "fees", "fee_kind", *split) == fees
    assert rows(path, "liquidations", "fee_usd", "shortfall_usd", "shortfall_basis") == [
        (*told, "event")
    ]
    lacked = ("kind", "shortfall_usd", "shortfall_tokens", "asset_token")
    assert rows(path, "shortfalls", *lacked) == [(*one, one[1], "USDC") for one in moved]
    assert rows(path, "imports", "entries_used", "rejects") == [(1, 0)]


def test_the_offsetting_side_of_a_deleveraging_is_the_adl(tmp_path: Path) -> None:
    """The side that could not pay is no second ADL and no liquidation."""
    path = fills(
        tmp_path,
        fill(type="DELEVERAGED", fee="0"),
        fill("MAKER", type="OFFSETTING", side="BUY", fee="0", subaccountNumber=4),
    )

    columns = ("account", "is_long", "notional_usd", "size_tokens", "counterparty")
    assert rows(path, "adls", *columns) == [(f"{ACCOUNT}/4", False, "2000.25", "0.5", None)]
    assert rows(path, "liquidations", "account") == []
    changed = ("cause", "is_long", "notional_delta_usd", "size_delta_tokens")
    assert sorted(rows(path, "position_changes", *changed)) == [
        ("adl", False, "-2000.25", "-0.5"),
        ("adl", True, "-2000.25", "-0.5"),
    ]


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        ("2340.7442700369913687", "2340.7442700369913687"),
        ("0.33333333333333333333", "0.333333333333333333"),
    ],
)
def test_the_price_of_a_deleveraging_is_cut(tmp_path: Path, price: str, kept: str) -> None:
    """A quotient of 16 places, as one was recorded, or of 20, as PostgreSQL makes of a third."""
    path = fills(tmp_path, fill("MAKER", type="OFFSETTING", side="BUY", price=price, size="3"))

    notional = str(Decimal(kept) * 3)
    assert rows(path, "adls", "execution_price_usd", "notional_usd") == [(kept, notional)]
    assert rows(path, "rejects", "reason") == []


@pytest.mark.parametrize(
    ("kind", "other", "table", "is_trade_first"),
    [
        pytest.param(
            *case, is_trade_first, marks=[pytest.mark.soak] * (is_trade_first is not first)
        )
        for first, case in (
            (True, ("LIQUIDATED", fill(type="LIQUIDATED"), "liquidations")),
            (False, ("DELEVERAGED", fill("MAKER", type="OFFSETTING", side="BUY", fee="0"), "adls")),
        )
        for is_trade_first in (True, False)
    ],
)
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


BAD: list[tuple[dict[str, Any], str]] = [
    ({"id": "no uuid"}, "badly formed hexadecimal UUID string"),
    ({"side": "LONG"}, "side is LONG: expected BUY or SELL"),
    ({"createdAt": "yesterday"}, "created_at is yesterday: expected a moment in UTC"),
    ({"createdAt": "9" * 5_000}, f"created_at is {'9' * 80}: expected a moment in UTC"),
    ({"createdAtHeight": "-4"}, "created_at_height is -4: expected a height"),
    ({"size": "-1"}, "size is -1: expected a number above zero"),
    ({"price": "NaN"}, "price is NaN: expected a decimal number"),
    ({"affiliateRevShare": "all"}, "affiliate_rev_share is all: expected a decimal number"),
    ({"fee": 0.1}, "Expected `str`, got `float` - at `$.fee`"),
]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of an answer with every bad entry, after a good one."""
    folder = tmp_path_factory.mktemp("refused")
    return fills(folder, fill(), *(fill("MAKER", **said) for said, _ in BAD))


@pytest.mark.parametrize(
    ("place", "reason"),
    [(place, reason) for place, (_, reason) in enumerate(BAD, 2)],
    ids=[str(said) for said, _ in BAD],
)
def test_a_bad_entry_costs_itself(refused: Path, place: int, reason: str) -> None:
    """It is named by its place in the answer; the others stand."""
    found = rows(refused, "rejects", "reason", "tx_hash")

    (why,) = [why for why, where in found if where == f"fills.json, line {place}"]
    assert why.startswith(reason)
    assert len(found) == len(BAD)
    assert len(rows(refused, "fees", "account")) == 1


# --- files that are not what they should be -------------------------------------------------------


def test_an_entry_that_is_no_object_costs_itself(tmp_path: Path) -> None:
    """Whatever stands in its place in the list."""
    file = written(tmp_path, "fills.json", document({"fills": [fill(), None, [1], "text"]}))

    path = brought(tmp_path, "dydx", file, account=ACCOUNT)

    assert rows(path, "rejects", "reason", "tx_hash") == [
        ("the entry is no object", f"fills.json, line {number}") for number in (2, 3, 4)
    ]
    assert rows(path, "imports", "entries_read", "entries_used", "rejects") == [(4, 1, 3)]


def test_a_field_that_is_missing_is_named(tmp_path: Path) -> None:
    """An entry without a price is none; what may be missing is not missed."""
    whole = fill("MAKER")
    without = {name: whole[name] for name in whole if name != "price"}
    few = {name: value for name, value in fill().items() if name not in ("liquidity", "marketType")}

    path = fills(tmp_path, few, without)

    assert rows(path, "rejects", "reason", "tx_hash") == [
        ("Object missing required field `price`", "fills.json, line 2")
    ]
    assert len(rows(path, "fees", "account")) == 1


def test_fields_nobody_knows_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not used, and the entry is, of fills as of trades; the output says where."""
    fills(tmp_path, fill(), fill("MAKER", surprise=[1]))
    trades(tmp_path, trade("LIQUIDATED") | {"block": 1})

    out = capsys.readouterr().out
    assert "fills.json: field surprise is not known here and was not used, line 2" in out
    assert "trades.json: field block is not known here and was not used, line 1" in out
    path = tmp_path / "a.duckdb"
    assert len(rows(path, "fees", "account")) == 2
    assert len(rows(path, "liquidations", "account")) == 1


def test_repeated_entries_count_once(tmp_path: Path) -> None:
    """The same fill twice in an answer is one; a third that says otherwise is refused by name."""
    path = fills(tmp_path, fill(), fill(), fill(fee="0.8"))

    assert rows(path, "fees", "fee_usd") == [("0.9",)]
    ((reason, where),) = rows(path, "rejects", "reason", "tx_hash")
    assert reason.startswith("contradicts what is stored of the same trade: fee_tokens, fee_usd")
    assert where == "fills.json, line 3"


def test_pages_that_overlap_count_once(tmp_path: Path) -> None:
    """The API answers in pages: the second begins with the entry that the first ends with."""
    fills(tmp_path, fill(), name="one.json")
    path = fills(tmp_path, fill(), fill("MAKER", fee="-0.2"), name="two.json")

    assert sorted(rows(path, "fees", "fee_usd")) == [("-0.2",), ("0.9",)]
    assert rows(path, "rejects", "reason") == []


def test_a_file_that_was_imported_is_not_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes, under another name too, change nothing."""
    path = fills(tmp_path, fill())
    before = facts(path)
    capsys.readouterr()

    fills(tmp_path, fill(), name="copy.json")

    assert "before" in capsys.readouterr().out
    assert facts(path) == before
    assert rows(path, "imports", "file") == [("fills.json",)]


@pytest.mark.parametrize("suffix", [pytest.param("gz", marks=pytest.mark.soak), "lz4"])
def test_a_compressed_answer_is_the_answer(tmp_path: Path, suffix: str) -> None:
    """What a file is compressed with changes no row."""
    plain = fills(_other(tmp_path), fill(), fill("MAKER", type="LIQUIDATION", side="BUY"))

    packed = fills(
        tmp_path,
        fill(),
        fill("MAKER", type="LIQUIDATION", side="BUY"),
        name=f"fills.{suffix}",
    )

    assert facts(packed) == facts(plain)


@pytest.mark.parametrize(
    "suffix", [*(pytest.param(name, marks=pytest.mark.soak) for name in ("gz", "lz4")), "json"]
)
def test_a_file_that_is_cut_off_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    """Whatever it is compressed with: exit 1, one sentence, and the database as it was."""
    path = fills(tmp_path, fill())
    before = facts(path)
    told = [
        fill(id=str(uuid5(NAMESPACE, str(number))), size=f"{number}.5") for number in range(2_000)
    ]
    whole = written(tmp_path, f"more.{suffix}", document({"fills": told}))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    capsys.readouterr()

    code = perpscope("import", "dydx", whole, "--database", path, "--account", ACCOUNT)

    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (1, 1)
    assert f"more.{suffix}" in said
    assert "fetch it again" in said
    assert facts(path) == before
    assert rows(path, "imports", "file") == [("fills.json",)]
    assert [each.name for each in tmp_path.iterdir() if "import" in each.name] == []
