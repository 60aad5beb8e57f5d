"""The questions in `queries/`: their headers are true, and each gives the answer known by hand."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from handmade import at, fill, shown, table
from polars.testing import assert_frame_equal
from test_twins import TWINNED

from analytics.errors import UserError, WorldError
from analytics.load import rows
from analytics.queries import Query, arguments, parsed, queries, query_named, typed
from analytics.reports.asked import AskedQuery
from analytics.reports.scope import Limits, Scope
from analytics.trace import Question, traced
from indexer.tables import tables

QUESTIONS = sorted(queries())
GIVEN = {"transaction_facts": {"tx_hash": "0xcafe"}}
WINDOW = {"since": at(0).isoformat(), "until": at(3600).isoformat()}

GMX = {"chain_id": 42161, "protocol": "gmx"}
SNX = {"chain_id": 10, "protocol": "snx"}
LINK = {"chain_id": 1, "protocol": "chainlink"}
MAPLE = {"chain_id": 1, "protocol": "maple"}


def moment(seconds: float) -> dict[str, object]:
    """Return the time column of an event this long after 21:00."""
    return {"block_timestamp": at(seconds)}


def exits() -> dict[str, pl.DataFrame]:
    """Return a small cascade: four liquidations, two ADLs of one account, and what was lost."""
    first = {"tx_hash": "0xcafe", "collateral_usd": 10, "fee_usd": 1, "shortfall_usd": 2}
    return {
        "liquidations": table(
            "liquidations",
            GMX | moment(0) | first | {"notional_usd": 100, "realized_pnl_usd": -12},
            GMX | moment(30) | {"account": "0xb", "notional_usd": 50, "is_long": False},
            GMX | moment(90) | {"notional_usd": 25, "is_long": True, "shortfall_usd": 0},
            SNX | moment(95) | {"account": "0xc"},
        ),
        "adls": table(
            "adls",
            GMX
            | moment(70)
            | {"account": "0xd", "notional_usd": 60, "realized_pnl_usd": 20}
            | {"counterparty": "0xvault"},
            GMX | moment(130) | {"account": "0xd", "notional_usd": 40, "realized_pnl_usd": -1},
        ),
        "accounts": table(
            "accounts", GMX | {"account": "0xvault", "name": "a vault", "source": "a page"}
        ),
        "imports": table(
            "imports",
            SNX
            | {"file": "b.lz4", "sha256": "bb", "kind": "node_fills", "entries_read": 9}
            | {"entries_used": 8, "rejects": 1, "imported_at": at(0), "from_at": at(5)},
            SNX
            | {"file": "a.lz4", "sha256": "aa", "kind": "node_fills", "entries_read": 3}
            | {"entries_used": 3, "rejects": 0, "imported_at": at(9), "from_at": at(1)},
        ),
        "shortfalls": table(
            "shortfalls",
            *(
                venue | moment(5) | {"kind": kind, "shortfall_usd": usd}
                for venue, kind, usd in (
                    *((GMX, "bad_debt", 1), (GMX, "bad_debt", 2), (GMX, "insurance_in", 4)),
                    *(
                        (GMX, "insurance_in", 5),
                        (SNX, "insurance_out", 6),
                        (SNX, "insurance_out", 1),
                    ),
                )
            ),
        ),
    }


def exposure() -> dict[str, pl.DataFrame]:
    """Return a market whose open interest falls by what a liquidation and a trade closed."""
    return {
        "open_interest": table(
            "open_interest",
            GMX | moment(-60) | {"open_interest_usd": 200, "open_interest_delta_usd": 200},
            GMX | moment(80) | {"open_interest_usd": 75},
        ),
        "position_changes": table(
            "position_changes",
            GMX | moment(-60) | {"notional_delta_usd": 200},
            GMX | moment(0) | {"notional_delta_usd": -100, "cause": "liquidation"},
            GMX | moment(80) | {"notional_delta_usd": -40},
            GMX | moment(81) | {"notional_delta_usd": 15},
        ),
        "markets": table(
            "markets",
            GMX
            | {"market": "BTC", "symbol": "btc", "index_token": "0xg", "asset_class": "crypto"}
            | {"known_by": "event"},
            MAPLE
            | {"market": "0xloan", "parent": "0xpool", "borrower": "0xa", "asset_class": "credit"}
            | {"known_by": "event", "block_number": 2},
        ),
    }


def oracles() -> dict[str, pl.DataFrame]:
    """
    Return a venue's oracle that is 3 % high for a minute, and an asset that halves.

    The venue also prices a wrapped token of the same asset, and the asset in euros.
    """
    btc = {"asset": "BTC", "oracle_price_quote": 100}
    eth = LINK | {"asset": "ETH", "feed": "0xe"}
    return {
        "oracle_updates": table(
            "oracle_updates",
            LINK | btc | moment(0) | {"feed": "0xc"},
            LINK | btc | moment(600) | {"feed": "0xc"},
            GMX | btc | moment(0) | {"feed": "0xg"},
            GMX | btc | moment(60) | {"feed": "0xg", "oracle_price_quote": 103},
            GMX | btc | moment(120) | {"feed": "0xg"},
            GMX | btc | moment(85) | {"feed": "0xwrapped", "oracle_price_quote": "100.7"},
            GMX | btc | moment(85) | {"feed": "0xeuro", "quote": "EUR"},
            eth | moment(0) | {"oracle_price_quote": 200},
            eth | moment(1) | {"oracle_price_quote": 100},
            eth | moment(2) | {"oracle_price_quote": 150},
        )
    }


def income() -> dict[str, pl.DataFrame]:
    """Return two fees of a day, one without a split, and two buybacks, one without a price."""
    split = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
    bought = GMX | {"bought_tokens": 10, "destination_kind": "distribution"}
    return {
        "fees": table(
            "fees",
            GMX | moment(0) | split | {"tx_hash": "0xcafe", "log_index": 9},
            GMX | moment(1) | {"fee_usd": 5, "split_basis": "none"},
        ),
        "buybacks": table(
            "buybacks",
            bought | moment(0) | {"spent_usd": 20},
            bought | moment(1),
        ),
        "tokens": table(
            "tokens",
            {"chain_id": 42161, "address": "GOV", "symbol": "GMX", "decimals": 18}
            | {"known_by": "call"},
            {"chain_id": 1, "address": "0xusdc", "symbol": "USDC", "decimals": 6}
            | {"known_by": "call"},
        ),
    }


def lending() -> dict[str, pl.DataFrame]:
    """Return a payment to a lender without liquidations, and a liquidation elsewhere."""
    seized = {"principal_tokens": 30, "collateral_tokens": 1, "asset_token": "0xusdc"}
    lost = {"loss_tokens": 8, "asset_token": "0xusdc"}
    return {
        "credit_events": table(
            "credit_events",
            MAPLE | moment(10) | {"kind": "payment"},
            MAPLE | moment(0) | {"kind": "funded", "account": "0xd", "principal_tokens": 7},
            {"protocol": "aave", "kind": "liquidation", "account": "0xe"} | moment(20) | seized,
            {"protocol": "aave", "kind": "default"} | moment(20) | lost,
        )
    }


def pools() -> dict[str, pl.DataFrame]:
    """Return a manager that lends, is paid back and is read at the block of its last log."""
    manager = MAPLE | {"part": "0xmanager", "asset_token": "0xusdc"}
    return {
        "pool_states": table(
            "pool_states",
            manager | moment(0) | {"block_number": 1, "principal_tokens": 50, "assets_tokens": 60},
            manager | moment(9) | {"block_number": 9, "log_index": 3, "principal_tokens": 40},
            manager
            | moment(9)
            | {"block_number": 9, "log_index": -2, "principal_tokens": 41, "status": "active"},
            manager | moment(5) | {"block_number": 5, "unrealized_loss_tokens": 0},
        ),
        "pool_flows": table(
            "pool_flows",
            *(
                MAPLE | moment(seconds) | {"kind": kind, "share_tokens": shares}
                for seconds, kind, shares in (
                    *((0, "deposit", 9), (1, "withdrawal_request", 4), (2, "withdrawal", 3)),
                )
            ),
        ),
        "share_prices": table(
            "share_prices",
            MAPLE | moment(0) | {"supply_tokens": 12, "nav_at": at(-60)},
            MAPLE | moment(40) | {"share_price_tokens": 2},
        ),
    }


def bookkeeping() -> dict[str, pl.DataFrame]:
    """Return a chain without a gap, one with a gap, and three rejects for two reasons."""
    texts = {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "h"}
    ranges = [(MAPLE, 1, 10), (MAPLE, 11, 20), (GMX, 1, 5), (GMX, 8, 10)]
    times = [(1, 5, -10), (1, 15, 3600), (42161, 1, -10), (42161, 10, 3600)]
    reject = {"event": "Swap", "fact": "fees", "reason": "unknown decimals", "protocol": "gmx"}
    return {
        "coverage": table(
            "coverage",
            *(
                whose
                | texts
                | {"from_block": first, "to_block": last}
                | {"finality": "finalized", "proof": "fetched" if first == 1 else "bloom"}
                for whose, first, last in ranges
            ),
        ),
        "blocks": table(
            "blocks",
            *(
                {"chain_id": chain, "number": number, "hash": b"h", "parent_hash": b"p"}
                | {"timestamp": at(seconds)}
                for chain, number, seconds in times
            ),
        ),
        "rejects": table(
            "rejects",
            reject | {"tx_hash": "0x2", "block_number": 2},
            reject | {"tx_hash": "0x1", "block_number": 1},
            reject | {"reason": "too large"},
        ),
        "audits": table("audits", *audits()),
        "declared_facts": table(
            "declared_facts",
            *(whose | {"fact": fact} for whose, fact in ((GMX, "adls"), (GMX, "funding"))),
            SNX | {"fact": "fees"},
        ),
    }


def code() -> dict[str, pl.DataFrame]:
    """
    Return two upgrades of one contract and the logs around the second, at block 12 of 20.

    A rare event fell silent with it, another before it, a third went on and a fourth began.
    """
    told = ((1, 0), (12, 0))
    logs = [
        *(("silent", block) for block in (1, 4, 5)),
        *(("ended", block) for block in (1, 2, 3)),
        *(("went on", block) for block in (4, 11, 13)),
        ("begun", 20),
        *(("upgraded", block) for block, _ in told),
    ]
    return {
        "upgrades": table(
            "upgrades",
            *(
                MAPLE | {"block_number": block, "log_index": index, "tx_hash": f"0x{block:064x}"}
                for block, index in told
            ),
        ),
        "logs": table(
            "logs",
            *(
                {"chain_id": 1, "block_number": block, "tx_index": 0, "block_hash": b"h"}
                | {"log_index": 0 if name == "upgraded" else 1 + place}
                | {"tx_hash": block.to_bytes(32), "address": b"\xc0" * 20, "data": b""}
                | {"topic0": name.encode()}
                for place, (name, block) in enumerate(logs)
            ),
            {"chain_id": 1, "address": b"other", "tx_hash": b"t", "topic0": b"silent"}
            | {"tx_index": 0, "block_hash": b"h", "data": b"", "block_number": 14},
        ),
    }


def audits() -> Iterator[dict[str, object]]:
    """Yield failed audits: two cleared, one in parts; one passed by a shallower look; more left."""
    looks = [
        ("gmx", 1, 5, "bloom", "failed", 0),
        ("gmx", 1, 10, "receipts", "passed", 9),
        ("maple", 3, 3, "receipts", "failed", 0),
        ("maple", 1, 20, "bloom", "passed", 9),
        ("maple", 7, 10, "receipts", "failed", 0),
        ("maple", 7, 8, "receipts", "passed", 1),
        ("maple", 9, 12, "receipts", "passed", 2),
        ("maple", 11, 16, "receipts", "failed", 0),
        ("maple", 11, 13, "receipts", "failed", 0),
        ("maple", 4, 6, "linked", "failed", 9),
        ("maple", 1, 20, "linked", "waived", 9),
        ("gmx", 31, 31, "agreed", "failed", 0),
        ("gmx", 30, 33, "receipts", "passed", 1),
        ("gmx", 32, 33, "agreed", "failed", 2),
        ("gmx", 30, 33, "bloom", "passed", 3),
        ("gmx", 32, 32, "agreed", "passed", 3),
        ("gmx", 34, 34, "bloom", "failed", 2),
        ("gmx", 34, 34, "agreed", "passed", 3),
        ("gmx", 35, 35, "agreed", "failed", 2),
        ("gmx", 35, 35, "receipts", "waived", 3),
    ]
    for protocol, first, last, level, verdict, seconds in looks:
        whose = GMX if protocol == "gmx" else MAPLE
        yield (
            whose
            | {"from_block": first, "to_block": last, "level": level}
            | {
                "verdict": verdict,
                "detail": "" if verdict == "passed" else "1 log left out",
                "audited_at": at(seconds),
            }
        )


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a database with an evening that can be checked in the head."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(
            connection,
            exits()
            | exposure()
            | oracles()
            | income()
            | lending()
            | pools()
            | bookkeeping()
            | code(),
        )
        yield connection


def given_for(name: str) -> dict[str, str]:
    """Return what a question cannot do without."""
    return GIVEN.get(name, {})


def answer(
    con: duckdb.DuckDBPyConnection, name: str, columns: str, **given: str
) -> list[tuple[object, ...]]:
    """Return some columns of an answer; decimals as short text."""
    query = query_named(name)
    frame = rows(con, query.sql, arguments(query, given_for(name) | given))
    return [tuple(shown(value) for value in row) for row in frame.select(columns.split()).rows()]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_header_is_complete(name: str) -> None:
    """Every question says what it asks, reads and returns, and in which units."""
    query = queries()[name]

    assert query.question.endswith("?")
    assert all((query.reads, query.grain, query.units))


def tables_in(tree: object) -> set[str]:
    """Return the names in a parsed query that stand where a table stands."""
    if isinstance(tree, list):
        return set().union(*(tables_in(each) for each in tree))
    if not isinstance(tree, dict):
        return set()
    own = {str(tree["table_name"])} if tree.get("type") == "BASE_TABLE" else set()
    return own.union(*(tables_in(each) for each in tree.values()))


@pytest.mark.parametrize("name", QUESTIONS)
def test_reads_is_true(name: str, con: duckdb.DuckDBPyConnection) -> None:
    """The tables the header names are those DuckDB's parser finds in the query."""
    query = queries()[name]

    tree = con.execute("select json_serialize_sql(?::varchar)", [query.sql]).fetchone()

    assert tree is not None
    assert set(query.reads) == tables_in(json.loads(tree[0])) & set(tables())


@pytest.mark.parametrize("name", QUESTIONS)
def test_limits_that_hold_everything_change_no_answer(
    name: str, con: duckdb.DuckDBPyConnection
) -> None:
    """Limits come before a query's own steps, however it begins."""
    everything = Limits(since=datetime(1970, 1, 1), until=datetime(9999, 12, 31))
    given = given_for(name)

    whole, limited = (Scope(con, limits).query(name, **given) for limits in (Limits(), everything))

    assert_frame_equal(limited, whole)


def test_a_beginning_forgets_no_state(con: duckdb.DuckDBPyConnection) -> None:
    """What a pool said before it stands until it says something else."""
    late = Limits(since=datetime(9999, 1, 1))
    whole, begun = (Scope(con, each).query("pool_states_latest") for each in (Limits(), late))

    assert_frame_equal(begun, whole)
    assert whole.height


def test_no_window_is_filtered() -> None:
    """DuckDB takes quadratic time for it: a count over half a million rows took two minutes."""
    filtered = re.compile(r"filter \(where(?:[^()]|\([^()]*\))*\)\s+over\b")

    assert filtered.search("count(*) filter (where a > (1)) over (order by b)")
    assert [name for name in QUESTIONS if filtered.search(queries()[name].sql)] == []


@pytest.mark.parametrize("name", QUESTIONS)
def test_parameters_are_declared(name: str) -> None:
    """The parameters in the header are those the query uses."""
    query = queries()[name]
    body = re.sub(r"--.*", "", query.sql)

    used = set(re.findall(r"\$(\w+)", body))

    assert {parameter.name for parameter in query.parameters} == used


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_empty_database_gives_an_empty_answer(
    name: str, empty: duckdb.DuckDBPyConnection
) -> None:
    """Without rows there is an answer without rows, not an error."""
    query = queries()[name]

    result = rows(empty, query.sql, arguments(query, given_for(name)))

    assert result.is_empty()
    assert result.width > 0


def test_every_twin_belongs_to_a_metric() -> None:
    """The files in `queries/metrics` are named like the metrics that are to have one."""
    twins = {name.removeprefix("metrics/") for name in QUESTIONS if name.startswith("metrics/")}

    assert twins == set(TWINNED), "a metric has a twin of its name, or is in TWINLESS"


ANSWERS = [
    (
        "liquidated_accounts",
        "protocol account liquidation_count notional_usd collateral_usd shortfall_usd last_at",
        {},
        [
            ("gmx", "0xa", 2, "125", "10", "2", at(90)),
            ("gmx", "0xb", 1, "50", None, None, at(30)),
            ("snx", "0xc", 1, None, None, None, at(95)),
        ],
    ),
    (
        "liquidated_accounts",
        "account notional_usd",
        {"until": at(29).isoformat(), "accounts": "1"},
        [("0xa", "100")],
    ),
    (
        "cascade_timeline",
        "bucket_at protocol liquidation_count adl_count liquidated_usd deleveraged_usd"
        " cumulative_liquidated_usd cumulative_deleveraged_usd",
        {},
        [
            (at(0), "gmx", 2, 0, "150", None, "150", None),
            (at(60), "gmx", 1, 1, "25", "60", "175", "60"),
            (at(60), "snx", 1, 0, None, None, None, None),
            (at(120), "gmx", 0, 1, None, "40", "175", "100"),
        ],
    ),
    (
        "adl_victims",
        "account adl_count notional_usd realized_pnl_usd losing_count",
        {},
        [("0xd", 2, "100", "19", 1)],
    ),
    (
        "oracle_off",
        "asset protocol reference_protocol moments_off seconds_off first_off_at last_off_at",
        {},
        [
            ("BTC", "chainlink", "gmx", 1, 60.0, at(60), at(60)),
            ("BTC", "gmx", "gmx", 1, 35.0, at(85), at(85)),
        ],
    ),
    ("oracle_off", "asset", {"threshold_bps": "292"}, []),
    (
        "stale_feeds",
        "feed late_count oldest_seconds stale_seconds",
        {"heartbeat_seconds": "500", "tolerance_ratio": "0", "feed": "BTC/USD"},
        [("0xc", 1, 600.0, 100.0)],
    ),
    ("sequencer_downtime", "sequencer", {}, []),
    ("provider_deviation", "provider", {}, []),
    (
        "shortfall_by_venue",
        "protocol liquidation_count insolvent_count liquidation_shortfall_usd bad_debt_usd"
        " insurance_in_usd insurance_out_usd",
        {},
        [("gmx", 3, 1, "2", "3", "9", None), ("snx", 1, None, None, None, None, "7")],
    ),
    (
        "account_results",
        "account realized_pnl_usd liquidation_pnl_usd adl_pnl_usd closing_count unknown_count",
        {},
        [("0xa", None, None, "0", 2, 2)],
    ),
    # Nothing of the evening is closed by part: tests/test_query_positions.py asks about what is.
    ("open_by_position", "protocol", {}, []),
    ("liquidated_positions", "protocol", {}, []),
    (
        "fee_split",
        "protocol fees_usd supply_side_usd treasury_usd holders_usd unsplit_usd unsplit_count",
        {},
        [("gmx", "15", "6", "1", "3", "5", 1)],
    ),
    (
        "buyback_promises",
        "protocol day_count policy_usd spent_usd spent_to_policy_ratio buyback_count",
        {},
        [("gmx", 1, None, None, None, 2)],
    ),
    (
        "split_changed",
        "fee_count left_out_count fees_usd new_supply_side_usd new_treasury_usd new_holders_usd",
        {"supply_side_share": "0.5", "holders_share_of_revenue": "0.5"},
        [(1, 1, "10", 5.0, 2.5, 2.5)],
    ),
    (
        "borrowers",
        "account principal_tokens pool_ratio unknown_count",
        {},
        [("0xd", "7", None, 0), (None, None, None, 1)],
    ),
    (
        "lenders",
        "account shares_tokens pool_ratio flow_count",
        {},
        [("0xa", "6", 0.5, 2)],
    ),
    (
        "redemption_queue",
        "counted_in requested_tokens removed_tokens paid_tokens waiting_tokens last_paid_at",
        {},
        [("shares", "4", None, "3", "1", at(2))],
    ),
    (
        "nav_ages",
        "price_count stated_count nav_at age_seconds replaced_seconds oldest_seconds moved_at",
        {},
        [(2, 1, at(40), 3560.0, 100.0, 3560.0, at(40))],
    ),
    (
        "credit_losses",
        "protocol symbol default_count defaulted_tokens bad_debt_tokens unknown_count",
        {},
        [("aave", "USDC", 1, "8", None, 0)],
    ),
    (
        "pool_states_latest",
        "part asset_token assets_tokens principal_tokens unrealized_loss_tokens status",
        {},
        [("0xmanager", "0xusdc", "60", "41", "0", "active")],
    ),
    (
        "pool_states_latest",
        "part principal_tokens unrealized_loss_tokens status",
        {"until": at(8).isoformat()},
        [("0xmanager", "50", "0", None)],
    ),
    (
        "pool_zero_liquidations",
        "pool loan_count default_count is_covered is_proven",
        WINDOW,
        [("0xpool", 1, 0, True, True)],
    ),
    (
        "imported_files",
        "protocol file entries_read entries_used rejects",
        {},
        [("snx", "a.lz4", 3, 3, 0), ("snx", "b.lz4", 9, 8, 1)],
    ),
    ("imported_files", "file", {"protocol": "gmx"}, []),
    (
        "coverage_gaps",
        "protocol gap_from_block gap_to_block gap_blocks",
        {},
        [("gmx", 6, 7, 2)],
    ),
    (
        "coverage_proof",
        "protocol proof from_block to_block blocks range_count",
        {},
        [
            ("maple", "bloom", 11, 20, 10, 1),
            ("maple", "fetched", 1, 10, 10, 1),
            ("gmx", "bloom", 8, 10, 3, 1),
            ("gmx", "fetched", 1, 5, 5, 1),
        ],
    ),
    (
        "failed_audits",
        "protocol from_block to_block level detail",
        {},
        [
            ("maple", 3, 3, "receipts", "1 log left out"),
            ("maple", 4, 6, "linked", "1 log left out"),
            ("maple", 11, 13, "receipts", "1 log left out"),
            ("maple", 11, 16, "receipts", "1 log left out"),
            ("gmx", 32, 33, "agreed", "1 log left out"),
            ("gmx", 34, 34, "bloom", "1 log left out"),
            ("gmx", 35, 35, "agreed", "1 log left out"),
        ],
    ),
    (
        "rejects_by_reason",
        "reason reject_count first_block last_block example_tx_hash",
        {"protocol": "gmx"},
        [("unknown decimals", 2, 1, 2, "0x1"), ("too large", 1, 1, 1, f"0x{2:064x}")],
    ),
    (
        "lending_liquidations",
        "protocol account liquidation_count repaid_tokens repaid_symbol seized_tokens",
        {},
        [("aave", "0xe", 1, "30", "USDC", "1")],
    ),
    (
        "price_moves",
        "asset protocol first_quote lowest_quote last_quote fall_ratio recovery_ratio",
        {"asset": "ETH"},
        [("ETH", "chainlink", "200", "100", "150", -0.5, 0.5)],
    ),
    (
        "upgrades",
        "block_number logs_before_count logs_after_count silent_events_count begun_events_count",
        {"at_least": "2"},
        [(1, 0, 8, 0, 4), (12, 8, 2, 1, 1)],
    ),
    (
        "upgrades",
        "block_number silent_topics",
        {"at_least": "2"},
        [(1, None), (12, f"0x{b'silent'.hex()}")],
    ),
    ("upgrades", "block_number silent_events_count", {}, [(1, 0), (12, 0)]),
    (
        "named_accounts",
        "protocol account name source",
        {},
        [("gmx", "0xvault", "a vault", "a page")],
    ),
    (
        "evidence_mix",
        "protocol fact evidence row_count row_ratio",
        {},
        [
            ("aave", "credit_events", "event", 2, 1.0),
            ("chainlink", "oracle_updates", "event", 5, 1.0),
            ("gmx", "adls", "event", 2, 1.0),
            ("gmx", "buybacks", "event", 2, 1.0),
            ("gmx", "fees", "event", 2, 1.0),
            ("gmx", "liquidations", "event", 3, 1.0),
            ("gmx", "open_interest", "event", 2, 1.0),
            ("gmx", "oracle_updates", "event", 5, 1.0),
            ("gmx", "position_changes", "event", 4, 1.0),
            ("gmx", "shortfalls", "event", 4, 1.0),
            ("maple", "credit_events", "event", 2, 1.0),
            ("maple", "pool_flows", "event", 3, 1.0),
            ("maple", "pool_states", "event", 4, 1.0),
            ("maple", "share_prices", "event", 2, 1.0),
            ("maple", "upgrades", "event", 2, 1.0),
            ("snx", "liquidations", "event", 1, 1.0),
            ("snx", "shortfalls", "event", 2, 1.0),
        ],
    ),
    (
        "availability",
        "chain_id protocol fact state row_count reject_count last_at covered_at",
        {},
        [
            (10, "snx", "fees", "available", 0, 0, None, None),
            (42161, "gmx", "adls", "available", 2, 0, at(130), at(3600)),
            (42161, "gmx", "funding", "available", 0, 0, None, at(3600)),
        ],
    ),
    (
        "transaction_facts",
        "fact protocol amount unit",
        {},
        [("liquidations", "gmx", "100", "notional_usd"), ("fees", "gmx", "10", "fee_usd")],
    ),
]


@pytest.mark.parametrize(
    ("name", "columns", "given", "expected"),
    ANSWERS,
    ids=[f"{name}-{index}" for index, (name, *_) in enumerate(ANSWERS)],
)
def test_the_answer_known_by_hand(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: str,
    given: dict[str, str],
    expected: list[tuple[object, ...]],
) -> None:
    """Each question, asked about the small evening, gives what a reader can work out."""
    assert answer(con, name, columns, **given) == expected


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name, _, given, expected in ANSWERS if expected]
)
def test_every_answer_is_traced(
    con: duckdb.DuckDBPyConnection, name: str, given: dict[str, str]
) -> None:
    """First and last row of each answer: asked of the facts they are traced to, the same row."""
    asked = AskedQuery(Scope(con), name, given_for(name) | given)
    found = asked.rows.collect()

    for row in (found[place] for place in sorted({0, found.height - 1})):
        facts = traced(Question(asked.computed, row), asked.facts)

        assert Question(asked.computed, row).is_answered_by(facts)
        assert sum(map(len, facts.values()))


def test_an_answer_rests_on_its_own_rows_alone(con: duckdb.DuckDBPyConnection) -> None:
    """What an account lost is traced to its liquidations, not to those of others."""
    asked = AskedQuery(Scope(con), "liquidated_accounts", {})
    row = asked.rows.collect()[0]

    facts = traced(Question(asked.computed, row), asked.facts)["liquidations"]

    assert facts["account"].unique().to_list() == row["account"].to_list()
    assert facts.height == row["liquidation_count"].item()


def test_who_tells_no_profit_tells_no_loss() -> None:
    """An ADL of dYdX, whose entry says no profit, may have been a losing one."""
    with duckdb.connect() as connection:
        fill(connection, {"adls": table("adls", {"notional_usd": 5})})

        assert answer(connection, "adl_victims", "adl_count losing_count") == [(1, None)]


def test_every_question_has_an_answer_known_by_hand() -> None:
    """No question outside `queries/metrics` goes without one."""
    asked = {name for name, *_ in ANSWERS}

    questions = {name for name in QUESTIONS if not name.startswith("metrics/")}
    assert asked == questions, "give ANSWERS what each says of rows that you made by hand"


def test_a_zone_in_a_time_is_honoured() -> None:
    """A time with an offset becomes the UTC time it means."""
    given = {"since": "2025-10-10T23:00:00+02:00"}

    values = arguments(query_named("fee_split"), given)

    assert values["since"] == datetime(2025, 10, 10, 21)


def test_an_address_is_found_as_an_explorer_writes_it() -> None:
    """Hex digits of addresses and hashes become lower-case, as they are stored; no other text."""
    mixed, other = "0x" + "aB" * 20, "0xAB:USD"
    longer = "0x" + "aB" * 32

    assert typed("text", f"{mixed}:long") == "0x" + "ab" * 20 + ":long"
    assert typed("text", other) == other
    asked = arguments(query_named("transaction_facts"), {"tx_hash": longer})
    assert asked["tx_hash"] == longer.lower()


def test_the_largest_loss_stands_first() -> None:
    """What only opens is no result, and a liquidation of unknown profit no loss of zero."""
    won = {"account": "0xw", "cause": "adl", "realized_pnl_usd": 9}
    lost = {"account": "0xl", "cause": "liquidation", "realized_pnl_usd": -7}
    sold = {"account": "0xl", "realized_pnl_usd": -2, "size_delta_tokens": -1}
    opened = {"account": "0xo", "notional_delta_usd": 5, "realized_pnl_usd": 0}
    untold = {"account": "0xu", "cause": "liquidation"}
    columns = "account realized_pnl_usd liquidation_pnl_usd adl_pnl_usd closing_count unknown_count"
    with duckdb.connect() as empty:
        changes = table("position_changes", won, lost, sold, opened, untold)
        fill(empty, {"position_changes": changes})
        found = answer(empty, "account_results", columns)

    assert found == [
        ("0xl", "-9", "-7", "0", 2, 0),
        ("0xw", "9", "0", "9", 1, 0),
        ("0xu", None, None, "0", 1, 1),
    ]


@pytest.mark.parametrize(
    ("change", "closing_count"),
    [
        ({"notional_delta_usd": -1}, 1),
        ({"size_delta_tokens": -1}, 1),
        ({"closed_ratio": Decimal("0.5")}, 1),
        ({"cause": "settlement"}, 1),
        # Whoever adds to a position of Synthetix v3 realises what it had won or lost.
        ({"notional_delta_usd": 1, "size_delta_tokens": 1, "realized_pnl_usd": -4}, 1),
        ({"notional_delta_usd": 0, "size_delta_tokens": 0}, 0),
        ({"notional_delta_usd": 1, "cause": "takeover"}, 0),
    ],
)
def test_a_result_is_of_what_closed_or_realised(
    change: dict[str, object], closing_count: int
) -> None:
    """Venues tell a closing by dollars, tokens, a part, or the cause; collateral alone is none."""
    with duckdb.connect() as empty:
        fill(empty, {"position_changes": table("position_changes", change)})
        found = answer(empty, "account_results", "closing_count")

    assert found == [(1,)] * closing_count


def test_nothing_is_left_of_fees_that_are_split() -> None:
    """All parts are known: zero is unsplit; of what has no price nobody knows."""
    parts = dict.fromkeys(("supply_side_usd", "treasury_usd", "holders_usd"), 1)
    for fee, unsplit in (({"fee_usd": 3} | parts, "0"), ({"split_basis": "none"}, None)):
        with duckdb.connect() as empty:
            fill(empty, {"fees": table("fees", fee)})

            assert answer(empty, "fee_split", "unsplit_usd") == [(unsplit,)]


@pytest.mark.parametrize(
    ("known", "rest"),
    [
        ({"supply_side_usd": Decimal("8.51")}, "1.49"),
        ({"supply_side_usd": 6, "treasury_usd": 1}, "3"),
        ({"treasury_usd": 1, "holders_usd": 2}, "7"),
    ],
)
def test_what_is_not_split_is_what_known_parts_leave(
    known: Mapping[str, object], rest: str
) -> None:
    """Parts of 10 that are told, and the rest of which nobody says whose it is, are the fee."""
    with duckdb.connect() as empty:
        fill(empty, {"fees": table("fees", {"fee_usd": 10, "split_basis": "none", **known})})
        found = answer(empty, "fee_split", "fees_usd unsplit_usd unsplit_count")

    assert found == [("10", rest, 1)]


@pytest.mark.parametrize(
    ("name", "told", "amount", "unit"),
    [
        ("position_changes", {"size_delta_tokens": 2}, "2", "size_delta_tokens"),
        (
            "position_changes",
            {"notional_delta_usd": 0, "closed_ratio": 1},
            "0",
            "notional_delta_usd",
        ),
        ("liquidations", {"size_tokens": 2}, "2", "size_tokens"),
        ("open_interest", {"open_interest_usd": 5}, "5", "open_interest_usd"),
        ("funding", {"funding_rate_daily_ratio": 3}, "3", "funding_rate_daily_ratio"),
        ("fees", {"fee_tokens": 4}, "4", "fee_tokens"),
        ("fees", {}, None, "fee_usd"),
        ("credit_events", {"loss_tokens": 6}, "6", "loss_tokens"),
        ("pool_flows", {"share_tokens": 7}, "7", "share_tokens"),
    ],
)
def test_a_fact_of_a_transaction_says_what_is_known_of_it(
    name: str, told: dict[str, object], amount: str | None, unit: str
) -> None:
    """Where dollars are not known, tokens are; a measured zero is known."""
    with duckdb.connect() as empty:
        fill(empty, {name: table(name, {"tx_hash": "0xcafe"} | told)})
        found = rows(empty, query_named("transaction_facts").sql, {"tx_hash": "0xcafe"})

    assert [(shown(row["amount"]), row["unit"]) for row in found.to_dicts()] == [(amount, unit)]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("fee_splt", {}, "no query is called fee_splt: did you mean fee_split?"),
        ("xyz", {}, "no query is called xyz: `perpscope query` lists them"),
        ("coverage_gaps", {"x": "1"}, "coverage_gaps has no parameter x: it has none"),
        ("rejects_by_reason", {"x": "1"}, "rejects_by_reason has no parameter x: it has protocol"),
        (
            "adl_victims",
            {"accounts": "many"},
            "parameter accounts: 'many' is not a whole number from 1 to 2147483647",
        ),
        (
            "adl_victims",
            {"accounts": "0"},
            "parameter accounts: '0' is not a whole number from 1 to 2147483647",
        ),
        (
            "upgrades",
            {"at_least": "0"},
            "parameter at_least: '0' is not a whole number from 1 to 2147483647",
        ),
        (
            "oracle_off",
            {"threshold_bps": "-5"},
            "parameter threshold_bps: '-5' is not a number from 0",
        ),
        (
            "metrics/liquidations_off_oracle",
            {"threshold_bps": "-5"},
            "parameter threshold_bps: '-5' is not a whole number from 0 to 2147483647",
        ),
        (
            "oracle_off",
            {"tolerance_seconds": "-1"},
            "parameter tolerance_seconds: '-1' is not a whole number from 0 to 2147483647",
        ),
        (
            "fee_split",
            {"since": "yesterday"},
            "parameter since: 'yesterday' is not a UTC time like 2025-10-10T21:15:00",
        ),
        (
            "transaction_facts",
            {},
            "transaction_facts needs --param tx_hash=...: the transaction, 0x hex",
        ),
        (
            "transaction_facts",
            {"tx_hash": "0x" + "aB" * 20},
            f"parameter tx_hash: '0x{'aB' * 20}' is not a transaction: 64 hex digits, not the 40 "
            "of an address",
        ),
    ],
)
def test_a_wrong_request_is_one_sentence(name: str, given: dict[str, str], message: str) -> None:
    """An unknown question, an unknown or missing parameter and a wrong value are named."""
    with pytest.raises(UserError) as raised:
        arguments(query_named(name), given)

    assert str(raised.value) == message


def test_a_total_that_does_not_fit_is_the_worlds_fault(con: duckdb.DuckDBPyConnection) -> None:
    """A sum beyond DECIMAL(38,18) is refused, never wrapped or rounded."""
    sql = "select sum(amount) as amount from unnest([$amount, $amount]) as amounts (amount)"

    with pytest.raises(WorldError, match="cannot answer the query"):
        rows(con, sql, {"amount": Decimal("99999999999999999999.000000000000000000")})


def test_a_param_line_must_be_whole() -> None:
    """A parameter without its meaning is refused when the file is read."""
    head = "-- question: q?\n-- reads: fees\n-- grain: g\n-- units: u\n"

    with pytest.raises(ValueError, match="name type default"):
        parsed("broken", head + "-- param: days integer 30\nselect 1")


def test_queries_travel_as_files(root: Path) -> None:
    """Every file in the folder is a question, or a part that one names; none is forgotten."""
    files = {
        path.relative_to(root / "queries").with_suffix("") for path in root.glob("queries/**/*.sql")
    }

    parts = {f"parts/{name}" for name in parts_named(root)}
    assert {path.as_posix() for path in files} == {*QUESTIONS, *parts}


def parts_named(root: Path) -> Counter[str]:
    """Return how many files name each part."""
    return Counter(
        name
        for path in root.glob("queries/**/*.sql")
        for name in re.findall(r"^-- part: (\w+)$", path.read_text("utf-8"), re.MULTILINE)
    )


def test_a_folder_of_the_same_name_on_the_path_adds_nothing(root: Path, tmp_path: Path) -> None:
    """Questions and ABIs are one copy's: a second checkout on the path is not mixed in."""
    for name in ("queries", "abis"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stray.sql").touch()
    told = "import importlib.resources as r\nprint(*(r.files(n) for n in ('queries', 'abis')))"
    path = os.pathsep.join(map(str, (tmp_path, root)))

    run = subprocess.run(
        (sys.executable, "-c", told),
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout.split() == [str(root / "queries"), str(root / "abis")]


def test_a_question_is_described() -> None:
    """A parsed question keeps its parameters in order, with type, default and meaning."""
    query: Query = query_named("metrics/liquidations")

    assert [(each.name, each.kind, each.default) for each in query.parameters] == [
        ("bucket_seconds", "count", "3600")
    ]


def test_a_part_stands_where_it_is_named() -> None:
    """Its steps follow those before it and come before those after it; its SELECT stays away."""
    header = "-- question: a\n-- reads: a\n-- grain: a\n-- units: a\n"

    sql = parsed("a", f"{header}with\n\n-- part: amount_values\n\nlast as (select 1)\n").sql

    assert "with\n\nsized as (\n\n    select" in sql
    assert "    from units\n\n),\n\nlast as (select 1)" in sql
    assert "from values_usd" not in sql


def test_a_part_is_named_by_several_queries(root: Path) -> None:
    """What one query alone needs stands in that query."""
    assert min(parts_named(root).values()) >= 2
