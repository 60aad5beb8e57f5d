"""Recorded fills of Hyperliquid, read in place, held against a plain reading of the same file."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from import_rig import FUND, brought, by_line, facts, written

from analytics import load
from analytics.identities import assessed, comparisons
from analytics.positions import histories
from indexer.protocols.hyperliquid.fills import HYPE_PAIRS

Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def file(shared: Path) -> Path:
    """Return a minute of node_fills_by_block of 27 October 2025."""
    return shared / "data/hyperliquid/node_fills_by_block_20251027.jsonl.gz"


@pytest.fixture(scope="module")
def events(file: Path) -> list[Event]:
    """Return its fills."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [(user, fill) for line in lines for user, fill in json.loads(line)["events"]]


@pytest.fixture(scope="module")
def path(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the file in it."""
    return brought(tmp_path_factory.mktemp("real"), "hyperliquid", file)


@pytest.fixture(scope="module")
def con(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield it, open for reading."""
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def is_perp(fill: dict[str, Any]) -> bool:
    """Tell whether a fill is of a perp."""
    return not fill["coin"].startswith("@") and "/" not in fill["coin"]


def before(fill: dict[str, Any]) -> Decimal:
    """Return the position before a fill of a perp, of which 48 here are printed as floats."""
    return round(Decimal(fill["startPosition"]), 6)


def test_every_fill_is_there_once(con: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """Each fill has one fee, and one trade id has two sides."""
    told = sorted(
        (fill["time"], fill["coin"], user, fill["hash"], Decimal(fill["fee"]))
        for user, fill in events
    )
    columns = "block_number, market, account, tx_hash, fee_tokens"

    found = con.execute(f"select {columns} from fees order by all").fetchall()

    assert len(found) == 7_282
    assert sorted(found) == told
    assert con.execute("select entries_read, entries_used, rejects from imports").fetchall() == [
        (7_282, 7_282, 0)
    ]


def test_positions_move_by_what_was_filled(
    con: duckdb.DuckDBPyConnection, events: list[Event]
) -> None:
    """Sizes and dollars per market, exact; what follows agrees with the venue's own labels."""
    expected: dict[tuple[str, bool, bool], tuple[int, Decimal, Decimal]] = {}
    for _, fill in events:
        if not is_perp(fill):
            continue
        start, size, price = before(fill), Decimal(fill["sz"]), Decimal(fill["px"])
        label = fill["dir"]
        parts = {
            "Open Long": [(True, size)],
            "Open Short": [(False, size)],
            "Close Long": [(True, -size)],
            "Close Short": [(False, -size)],
            "Long > Short": [(True, -abs(start)), (False, size - abs(start))],
            "Short > Long": [(False, -abs(start)), (True, size - abs(start))],
        }[label]
        for is_long, delta in parts:
            key = (fill["coin"], is_long, delta > 0)
            count, tokens, usd = expected.get(key, (0, Decimal(0), Decimal(0)))
            expected[key] = (count + 1, tokens + delta, usd + delta * price)

    found = con.execute(
        """select market, is_long, size_delta_tokens > 0, count(*),
        sum(size_delta_tokens), sum(notional_delta_usd) from position_changes group by all"""
    ).fetchall()

    assert {row[:3]: row[3:] for row in found} == expected
    assert sum(count for count, _, _ in expected.values()) == 6_907


def test_what_a_position_holds_last_is_what_its_last_fill_left(
    con: duckdb.DuckDBPyConnection, events: list[Event]
) -> None:
    """Fills of one millisecond, too; an account that bought and sold in one may differ."""
    expected: dict[tuple[str, str], Decimal] = {}
    for user, fill in events:
        start, size = before(fill), Decimal(fill["sz"])
        if is_perp(fill):
            end = start + size if fill["side"] == "B" else start - size
            expected[user, fill["coin"]] = end

    changes = histories(con.sql("from position_changes").pl().lazy()).collect()
    last = changes.group_by("account", "market", "is_long", maintain_order=True).last()
    wrong = [
        (account, market)
        for account, market, is_long, size in last.select(
            "account", "market", "is_long", "size_tokens"
        ).rows()
        if size != max(expected[account, market] * (1 if is_long else -1), Decimal(0))
    ]

    assert len(expected) == 1_847
    assert len(wrong) <= 1


def test_the_liquidation_is_one(con: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """Two fills carry it, one of them is of the liquidated account: a short of 890 WLFI."""
    assert sum("liquidation" in fill for _, fill in events) == 2

    found = con.execute(
        "select account, market, is_long, size_tokens, notional_usd, mark_price_usd, liquidator"
        " from liquidations"
    ).fetchall()

    account = "0xa59f55114ccb120487c4fb5766cb89b123c13563"
    numbers = (Decimal(890), Decimal("136.4103"), Decimal("0.15319"))
    assert found == [(account, "WLFI", False, *numbers, None)]


def test_the_split_balances(con: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    """99 % of what perps of the main exchange charge in USDC, less the builders' part."""
    charged = [
        (Decimal(fill["fee"]), Decimal(fill.get("builderFee", "0")))
        for _, fill in events
        if is_perp(fill) and ":" not in fill["coin"] and fill["feeToken"] == "USDC"
    ]
    fees, net = sum(fee for fee, _ in charged), sum(fee - part for fee, part in charged)

    found = con.execute(
        """select sum(fee_usd), sum(holders_usd), sum(supply_side_usd), sum(treasury_usd)
        from fees where split_basis = 'policy'"""
    ).fetchone()

    assert found is not None
    assert found[0] == fees
    assert found[0] == sum(found[1:])
    assert abs(found[1] - net * Decimal("0.99")) < Decimal("1e-12")


def test_hype_against_usdc_is_the_pair_107(events: list[Event]) -> None:
    """Spot, fees in one or the other, at the perp's price, and no other pair's are in HYPE."""
    pair = [fill for _, fill in events if fill["coin"] == "@107"]
    perp = [Decimal(fill["px"]) for _, fill in events if fill["coin"] == "HYPE"]

    assert {fill["dir"] for fill in pair} == {"Buy", "Sell"}
    assert {fill["feeToken"] for fill in pair} == {"HYPE", "USDC"}
    assert {fill["coin"] for _, fill in events if fill["feeToken"] == "HYPE"} == {"@107"}
    within = Decimal("0.999") * min(perp), Decimal("1.001") * max(perp)
    assert all(within[0] < Decimal(fill["px"]) < within[1] for fill in pair)
    assert HYPE_PAIRS["@107"] == "USDC"


def test_another_reading_of_the_same_minute_agrees(
    con: duckdb.DuckDBPyConnection, shared: Path
) -> None:
    """A table that others made of the same fills, in floats: the same trades, to their digits."""
    table = pl.read_parquet(shared / "data/hyperliquid/hl_node_fills_20251027_sample.parquet")

    mine = con.execute(
        "select market, count(*)::bigint, sum(fee_tokens)::double from fees group by all"
    ).fetchall()

    theirs = table.group_by("coin").agg(pl.len(), pl.col("fee").sum())
    assert {row[0]: row[1] for row in mine} == dict(theirs.select("coin", "len").rows())
    sums = dict(theirs.select("coin", "fee").rows())
    assert all(abs(row[2] - sums[row[0]]) < 1e-6 for row in mine)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_what_an_account_holds_of_hype_moves_by_its_fills(
    tmp_path: Path, events: list[Event], rank: int
) -> None:
    """Recorded fills of who traded HYPE most, as if each were the Assistance Fund: no break."""
    traders = Counter(user for user, fill in events if fill["coin"] in HYPE_PAIRS).most_common()
    as_fund = [(FUND, fill) for user, fill in events if user == traders[rank][0]]
    moments = {fill["time"] for _, fill in as_fund if fill["coin"] in HYPE_PAIRS}
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.lz4", by_line(*as_fund)))

    with load.database(path) as con:
        compared = comparisons(partial(load.facts, con)).filter(identity="imported_balance")
        broken, counts = assessed(compared)

    assert broken.is_empty()
    assert counts.filter(pl.col("reason").is_null())["row_count"].sum() == len(moments) - 1 > 5


def test_overlapping_pieces_in_any_order_are_the_whole(
    tmp_path: Path, path: Path, events: list[Event]
) -> None:
    """Three pieces that overlap, as another kind of file and out of order: the same rows."""
    pieces = [events[4_000:], events[:3_000], events[2_000:5_001]]
    files = [
        written(tmp_path, f"{place}.lz4", by_line(*piece)) for place, piece in enumerate(pieces)
    ]

    again = brought(tmp_path, "hyperliquid", *files)

    assert facts(again) == facts(path)


def test_every_position_begins_where_it_ended(path: Path) -> None:
    """Over a minute of all fills each position starts with what the moment before left."""
    with load.database(path) as con:
        compared = comparisons(partial(load.facts, con)).filter(identity="imported_position")
        broken, counts = assessed(compared)

    assert broken.is_empty()
    assert counts.filter(pl.col("reason").is_null())["row_count"].sum() == 2_837
