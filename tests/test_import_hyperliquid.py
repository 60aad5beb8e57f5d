"""Fills of Hyperliquid: what each becomes, and that overlapping files change nothing."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from import_rig import (
    FUND,
    LOSER,
    T0,
    VAULT,
    WINNER,
    Event,
    brought,
    by_block,
    by_line,
    document,
    facts,
    fill,
    liquidation,
    rows,
    written,
)

CHANGE = ("account", "cause", "is_long", "notional_delta_usd", "size_delta_tokens")
LIQUIDATION = ("account", "is_long", "notional_usd", "size_tokens", "mark_price_usd", "fee_usd")

# A short of two is taken over by the vault, which is then cut against a trader who was long.
TAKEN_OVER: list[Event] = [
    (
        LOSER,
        fill(tid=5, sz="2", startPosition="-2", dir="Liquidated Cross Short", closedPnl="-50")
        | liquidation(),
    ),
    (
        VAULT,
        fill(tid=5, sz="2", side="A", dir="Liquidated Cross Short", fee="0.0", crossed=False)
        | liquidation(),
    ),
]
CUT: list[Event] = [
    (
        WINNER,
        fill(tid=6, sz="2", side="A", startPosition="3", dir="Auto-Deleveraging", closedPnl="80")
        | liquidation(user=VAULT),
    ),
    (
        VAULT,
        fill(tid=6, sz="2", startPosition="-2", dir="Liquidated Cross Short", closedPnl="-9")
        | liquidation(user=VAULT),
    ),
]


def imported(folder: Path, *events: Event, name: str = "hour.jsonl") -> Path:
    """Import one file of one block, and return the database."""
    return brought(folder, "hyperliquid", written(folder, name, by_block(events)))


def told_apart(folder: Path, fills: list[dict[str, Any]]) -> Path:
    """Import fills of one file, each of an account and a trade of its own."""
    return imported(
        folder, *((account(at), fill(tid=at, **said)) for at, said in enumerate(fills, 1))
    )


def account(place: int) -> str:
    """Return the account of the fill in this place."""
    return f"0x{place:040x}"


def of_account(found: list[tuple[Any, ...]], place: int) -> list[tuple[Any, ...]]:
    """Return the rest of the rows that begin with the account of the fill in this place."""
    return [row[1:] for row in found if row[0] == account(place)]


TURNS: list[tuple[dict[str, Any], list[tuple[Any, ...]]]] = [
    ({}, [("trade", True, "100", "1", None, "1")]),
    (
        {"side": "A", "startPosition": "-3", "dir": "Open Short"},
        [("trade", False, "100", "1", None, "4")],
    ),
    (
        {"side": "A", "startPosition": "3", "dir": "Close Long", "closedPnl": "-7.5"},
        [("trade", True, "-100", "-1", "-7.5", "2")],
    ),
    (
        {"startPosition": "-1", "dir": "Close Short", "closedPnl": "0.0"},
        [("trade", False, "-100", "-1", "0", "0")],
    ),
    (
        {"side": "A", "sz": "5", "startPosition": "2", "dir": "Long > Short", "closedPnl": "4"},
        [("trade", True, "-200", "-2", "4", "0"), ("trade", False, "300", "3", None, "3")],
    ),
    (
        {"sz": "5", "startPosition": "-2", "dir": "Short > Long", "closedPnl": "4"},
        [("trade", False, "-200", "-2", "4", "0"), ("trade", True, "300", "3", None, "3")],
    ),
]


@pytest.fixture(scope="module")
def turns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of all turns, each of an account of its own."""
    return told_apart(tmp_path_factory.mktemp("turns"), [said for said, _ in TURNS])


@pytest.mark.parametrize(
    ("place", "expected"),
    [(place, expected) for place, (_, expected) in enumerate(TURNS, 1)],
    ids=["open long", "open short", "close long", "close short", "long > short", "short > long"],
)
def test_a_fill_changes_a_position(
    turns: Path, place: int, expected: list[tuple[Any, ...]]
) -> None:
    """What was there before and the side decide; one that turns the position over is two rows."""
    columns = (*CHANGE, "realized_pnl_usd", "size_tokens")

    assert of_account(rows(turns, "position_changes", *columns), place) == expected


@pytest.mark.parametrize("printed", ["3135809.3999999999", "3135809.4000000001"])
def test_a_position_printed_as_a_float_is_closed_whole(tmp_path: Path, printed: str) -> None:
    """Nothing is left of it, and nothing is opened on the other side."""
    sold = fill(side="A", sz="3135809.4", startPosition=printed, dir="Close Long")

    path = imported(tmp_path, (WINNER, sold))

    columns = ("is_long", "size_delta_tokens", "size_tokens")
    assert rows(path, "position_changes", *columns) == [(True, "-3135809.4", "0")]


def test_a_liquidation_is_counted_once(tmp_path: Path) -> None:
    """Both sides carry it: only the liquidated one is a row, with the vault that took it over."""
    path = imported(tmp_path, *TAKEN_OVER)

    assert rows(path, "liquidations", *LIQUIDATION) == [(LOSER, False, "200", "2", "99.5", "0.04")]
    assert rows(path, "liquidations", "liquidator", "realized_pnl_usd") == [(VAULT, "-50")]
    assert rows(path, "position_changes", *CHANGE) == [
        (LOSER, "liquidation", False, "-200", "-2"),
        (VAULT, "takeover", False, "200", "2"),
    ]
    assert rows(path, "adls", "account") == []


def test_a_liquidation_charged_in_another_token_has_no_fee_in_dollars(tmp_path: Path) -> None:
    """USDH is no USDC: the fee of such a fill is known in its token alone."""
    path = imported(tmp_path, (LOSER, fill(feeToken="USDH") | liquidation("market")))

    assert rows(path, "liquidations", "account", "fee_usd") == [(LOSER, None)]


def test_a_liquidation_into_the_book_has_no_liquidator(tmp_path: Path) -> None:
    """Who buys from the book liquidates nobody; the label of such a fill is an ordinary one."""
    sold = {"tid": 5, "side": "A", "startPosition": "1", "dir": "Close Long"}
    path = imported(
        tmp_path,
        (LOSER, fill(**sold) | liquidation("market")),
        (WINNER, fill(tid=5) | liquidation("market")),
    )

    assert rows(path, "liquidations", "account", "is_long", "liquidator") == [(LOSER, True, None)]
    assert [row[0] for row in rows(path, "position_changes", "cause")] == ["trade", "liquidation"]


def test_a_delisted_market_settles_what_is_open(tmp_path: Path) -> None:
    """Nobody traded: all of the position ends at the price the market was closed at."""
    path = imported(
        tmp_path, (WINNER, fill(side="A", startPosition="1", dir="Settlement", closedPnl="3"))
    )

    columns = (*CHANGE, "size_tokens")
    assert rows(path, "position_changes", *columns) == [
        (WINNER, "settlement", True, "-100", "-1", "0")
    ]


def test_an_outcome_that_did_not_come_true_settles_at_nothing(tmp_path: Path) -> None:
    """A price of zero is one there: the fill is read like that of the other outcome, at one."""
    settled = {"side": "A", "startPosition": "30.0", "dir": "Settlement", "fee": "0.0"}
    path = told_apart(
        tmp_path,
        [{"coin": "#10", "px": "1.0"} | settled, {"coin": "#11", "px": "0.0"} | settled],
    )

    assert rows(path, "fees", "market", "fee_usd") == [("#10", "0"), ("#11", "0")]
    assert rows(path, "rejects", "reason") == []


def test_an_adl_is_no_liquidation(tmp_path: Path) -> None:
    """The side that is cut is a row of `adls`; its loser, a vault, is not liquidated once more."""
    path = imported(tmp_path, *CUT)

    assert rows(path, "adls", "account", "is_long", "notional_usd", "size_tokens") == [
        (WINNER, True, "200", "2")
    ]
    assert rows(path, "adls", "counterparty", "realized_pnl_usd") == [(VAULT, "80")]
    assert rows(path, "liquidations", "account") == []
    assert rows(path, "position_changes", *CHANGE) == [
        (VAULT, "adl", False, "-200", "-2"),
        (WINNER, "adl", True, "-200", "-2"),
    ]


@pytest.mark.parametrize("is_winner_first", [pytest.param(True, marks=pytest.mark.soak), False])
def test_an_adl_is_no_liquidation_whichever_side_comes_first(
    tmp_path: Path, is_winner_first: bool
) -> None:
    """The loser's own fills look like a liquidation until the other side is known."""
    (winner, won), (vault, lost) = CUT
    one = written(tmp_path, "winner.json", document([won]))
    other = written(tmp_path, "vault.json", document([lost]))
    files = ((one, winner), (other, vault))
    for file, account in files if is_winner_first else files[::-1]:
        path = brought(tmp_path, "hyperliquid", file, account=account)

    assert rows(path, "liquidations", "account") == []
    assert {row[0] for row in rows(path, "position_changes", "cause")} == {"adl"}
    assert facts(path)["adls"] == facts(imported(_folder(tmp_path), *CUT))["adls"]


def _folder(folder: Path) -> Path:
    (folder / "other").mkdir()
    return folder / "other"


SPLITS: list[tuple[dict[str, Any], tuple[Any, ...]]] = [
    ({"time": T0}, ("0.04", "0.0004", "0", "0.0396", "policy")),
    ({"time": 1_740_000_000_000}, ("0.04", "0.0012", "0", "0.0388", "policy")),
    ({"fee": "-0.01"}, ("-0.01", "-0.0001", "0", "-0.0099", "policy")),
    ({"builderFee": "0.03"}, ("0.04", "0.0301", "0", "0.0099", "policy")),
    (
        {"coin": "xyz:XYZ100", "deployerFee": "0.02", "builderFee": "0.01"},
        ("0.04", "0.0301", "0", "0.0099", "policy"),
    ),
    ({"coin": "xyz:XYZ100"}, ("0.04", None, None, None, "none")),
    ({"feeToken": "USDH"}, (None, None, None, None, "none")),
    ({"coin": "@142", "dir": "Sell", "side": "A"}, ("0.04", None, None, None, "none")),
    ({"coin": "@142", "dir": "Buy", "feeToken": "UBTC"}, (None, None, None, None, "none")),
    ({"coin": "xyz:XYZ100", "fee": "0.0"}, ("0", "0", "0", "0", "policy")),
    ({"feeToken": "USDH", "fee": "0.0"}, ("0", "0", "0", "0", "policy")),
    (
        {"coin": "#10", "dir": "Buy", "feeToken": "+10", "fee": "0.0"},
        ("0", None, None, None, "none"),
    ),
]


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of all these fees, each of an account of its own."""
    return told_apart(tmp_path_factory.mktemp("splits"), [said for said, _ in SPLITS])


@pytest.mark.parametrize(
    ("place", "shares"),
    [(place, shares) for place, (_, shares) in enumerate(SPLITS, 1)],
    ids=[
        "99 %",
        "97 %",
        "rebate",
        "builder",
        "HIP-3",
        "HIP-3 of old",
        "other token",
        "spot sale",
        "spot purchase",
        "HIP-3 for nothing",
        "other token, nothing of it",
        "outcome for nothing",
    ],
)
def test_a_fee_is_split_where_the_split_is_known(
    splits: Path, place: int, shares: tuple[Any, ...]
) -> None:
    """The builder's part is no revenue; what is not known is null, and the fee stands."""
    columns = ("fee_usd", "supply_side_usd", "treasury_usd", "holders_usd", "split_basis")

    assert of_account(rows(splits, "fees", "account", *columns), place) == [shares]


@pytest.mark.parametrize("is_split_first", [True, False])
def test_a_fee_that_one_file_splits_and_another_does_not_is_one(
    tmp_path: Path, is_split_first: bool
) -> None:
    """Who deployed a perp has a part that not every form of a fill tells; the fee is the same."""
    told, untold = ({"coin": "xyz:XYZ100", **part} for part in ({"deployerFee": "0.02"}, {}))
    by_node = written(tmp_path, "node.jsonl", by_block([(WINNER, fill(**told))]))
    by_api = written(tmp_path, "api.json", document([fill(**untold)]))
    for file in (by_node, by_api)[:: 1 if is_split_first else -1]:
        path = brought(tmp_path, "hyperliquid", file, account=WINNER)

    columns = ("fee_usd", "supply_side_usd", "holders_usd", "split_basis")
    assert rows(path, "fees", *columns) == [("0.04", "0.0202", "0.0198", "policy")]


def test_the_funds_purchases_are_buybacks(tmp_path: Path) -> None:
    """HYPE bought by the Assistance Fund, exact; dollars where it was bought for USDC."""
    hype = {"coin": "@107", "px": "39.123456", "sz": "0.12345678", "dir": "Buy", "fee": "0.0"}
    path = imported(
        tmp_path,
        (FUND, fill(**hype, tid=1)),
        (FUND, fill(**(hype | {"coin": "@207", "px": "2", "sz": "3"}), tid=2)),
        (FUND, fill(**(hype | {"side": "A", "dir": "Sell"}), tid=3)),
        (FUND, fill(**(hype | {"coin": "@142"}), tid=4)),
        (WINNER, fill(**hype, tid=5)),
    )

    columns = ("bought_token", "bought_tokens", "spent_token", "spent_tokens", "spent_usd")
    assert rows(path, "buybacks", *columns) == [
        ("HYPE", "0.12345678", "USDC", "4.83005590023168", "4.83005590023168"),
        ("HYPE", "3", "USDT0", "6", None),
    ]
    assert rows(path, "position_changes", "account") == []


def test_what_the_fund_holds_is_told_of_each_of_its_trades(tmp_path: Path) -> None:
    """Bought and sold, for whatever it was traded; a fee in HYPE is taken off, a rebate added."""
    hype = {"coin": "@107", "startPosition": "5.12345678", "sz": "2", "feeToken": "HYPE"}
    path = imported(
        tmp_path,
        (FUND, fill(**hype, fee="0.00000001", tid=1)),
        (FUND, fill(**(hype | {"side": "A", "coin": "@255"}), fee="-0.5", tid=2)),
        (FUND, fill(**(hype | {"feeToken": "USDC"}), fee="0.5", tid=3)),
        (FUND, fill(**(hype | {"coin": "@142"}), tid=4)),
        (WINNER, fill(**hype, tid=5)),
    )

    columns = ("account", "token", "delta_tokens", "balance_tokens")
    assert sorted(rows(path, "balances", *columns)) == [
        (FUND, "HYPE", "-1.5", "3.62345678"),
        (FUND, "HYPE", "1.99999999", "7.12345677"),
        (FUND, "HYPE", "2", "7.12345678"),
    ]


def test_vaults_have_names(tmp_path: Path) -> None:
    """Accounts that the declaration names are in the database once something is imported."""
    path = imported(tmp_path, *CUT)

    with duckdb.connect(str(path), read_only=True) as con:
        found = con.execute("select name from accounts where account = ?", [VAULT]).fetchall()
    assert found == [("HLP Liquidator",)]


@pytest.mark.parametrize(
    "suffix", [pytest.param("jsonl", marks=pytest.mark.soak), "jsonl.gz", "lz4"]
)
def test_compression_is_told_by_content(tmp_path: Path, suffix: str) -> None:
    """Plain, gzip and lz4 files hold the same."""
    path = imported(tmp_path, *TAKEN_OVER, name=f"hour.{suffix}")

    assert len(rows(path, "fees", "account")) == 2


def test_the_three_kinds_of_files_say_the_same(tmp_path: Path) -> None:
    """By block, by line and from the API: the same fills are the same rows, each once."""
    events = [*TAKEN_OVER, *CUT]
    path = brought(
        tmp_path,
        "hyperliquid",
        written(tmp_path, "blocks.jsonl", by_block(TAKEN_OVER, CUT)),
        written(tmp_path, "lines.jsonl", by_line(*events)),
    )
    before = facts(path)
    mine = [one for user, one in events if user == VAULT]
    brought(
        tmp_path,
        "hyperliquid",
        written(tmp_path, "mine.json", document(mine)),
        account=VAULT.upper().replace("0X", "0x"),
    )

    assert facts(path) == before
    assert rows(path, "imports", "kind", "entries_read", "entries_used", "rejects") == [
        ("node_fills_by_block", 4, 4, 0),
        ("node_fills", 4, 0, 0),
        ("user_fills", 2, 0, 0),
    ]


@pytest.mark.parametrize("entries", [1, 2, 3, 4, 5, 6])
def test_how_many_entries_are_taken_at_once_does_not_show(
    entries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a file is cut, both sides of a trade know each other; others stand alone."""
    events: list[Event] = []
    for tid, sides in enumerate((2, 1, 1, 2, 1, 2, 2, 1, 1, 1, 2), 1):
        both = liquidation() | {"tid": tid, "time": T0 + tid}
        loser = fill(**both, side="A", dir="Liquidated Cross Long", startPosition="1.0")
        events += [(LOSER, loser), (VAULT, fill(**both))][:sides]
    monkeypatch.setattr("indexer.imports.hyperliquid.ENTRIES", entries)

    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", by_line(*events)))

    told = [liquidator for (liquidator,) in rows(path, "liquidations", "liquidator")]
    assert (told.count(VAULT), told.count(None)) == (5, 6)


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    """One side alone, then the whole, or the reverse: the same rows, liquidator included."""
    (_, lost), _ = TAKEN_OVER
    whole = written(tmp_path, "whole.jsonl", by_block(TAKEN_OVER))
    alone = written(tmp_path, "alone.json", document([lost]))
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()

    brought(one, "hyperliquid", alone, account=LOSER)
    assert rows(one / "a.duckdb", "liquidations", "liquidator") == [(None,)]
    brought(one, "hyperliquid", whole)
    brought(other, "hyperliquid", whole)
    brought(other, "hyperliquid", alone, account=LOSER)

    assert facts(one / "a.duckdb") == facts(other / "a.duckdb")


def test_dust_has_no_trade_id_and_is_told_apart(tmp_path: Path) -> None:
    """Dust conversions all have tid 0: account and order tell them apart."""
    dust = {"coin": "@107", "tid": 0, "side": "A", "dir": "Spot Dust Conversion", "fee": "0.1"}
    file = [(WINNER, fill(**dust, oid=1)), (LOSER, fill(**dust, oid=2))]
    path = imported(tmp_path, *file)
    imported(tmp_path, *file, *TAKEN_OVER, name="again.jsonl")

    assert sorted(row[0] for row in rows(path, "fees", "account")) == sorted(
        [WINNER, LOSER, LOSER, VAULT]
    )
