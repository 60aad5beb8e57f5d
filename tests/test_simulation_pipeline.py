"""The whole pipeline against the simulator's own books, row by row, to the last digit."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from simulated_world import SEED, total, totals, world

from analytics import load
from analytics.compute import compute
from analytics.queries import query_named
from indexer.simulation.demo import index_served
from indexer.simulation.ledger import ROW_ORDER, Row
from indexer.simulation.node import serve
from indexer.tables import fact_tables


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return the database that the ordinary client makes of the served world."""
    path = tmp_path_factory.mktemp("simulated") / "simulated.duckdb"
    with serve(world().chains) as node:
        for chain in world().chains:
            index_served(path, chain, node.urls[chain.slug])
    with load.database(path) as connection:
        yield connection


def metric(con: duckdb.DuckDBPyConnection, name: str, **settings: object) -> pl.DataFrame:
    """Return a metric over everything that was indexed."""
    return compute(name, partial(load.facts, con), **settings).collect()


CRASH = pl.col("block_timestamp").is_between(
    datetime(2026, 1, 6, 20, 50), datetime(2026, 1, 6, 21, 30)
)
BEFORE = pl.col("block_timestamp") < datetime(2026, 1, 6, 20, 45)


def day(row: Row) -> tuple[object, date]:
    """Return protocol and UTC day of a row."""
    at = row["block_timestamp"]
    assert isinstance(at, datetime)
    return row["protocol"], at.date()


def hour(row: Row) -> tuple[object, object, datetime]:
    """Return protocol, market and UTC hour of a row."""
    at = row["block_timestamp"]
    assert isinstance(at, datetime)
    return row["protocol"], row["market"], at.replace(minute=0, second=0)


def by_day(frame: pl.DataFrame, column: str) -> dict[Any, Any]:
    """Return the sum of a metric's column by protocol and day."""
    sums = frame.group_by("protocol", "date").agg(pl.col(column).sum())
    return {(row[0], row[1]): row[2] for row in sums.select("protocol", "date", column).iter_rows()}


def by_hour(frame: pl.DataFrame, column: str) -> dict[Any, Any]:
    """Return a metric's column by protocol, market and hour."""
    return {
        row[:3]: row[3] for row in frame.select("protocol", "market", "bucket_at", column).rows()
    }


@pytest.mark.parametrize("table", fact_tables())
def test_a_table_is_what_the_simulator_wrote_down(
    con: duckdb.DuckDBPyConnection, table: str
) -> None:
    """Encoded, served, fetched, decoded and stored, every row equals its entry in the books."""
    found = load.facts(con, table).collect().sort(ROW_ORDER)

    assert found.equals(world().ledger.table(table))


def test_nothing_is_rejected(con: duckdb.DuckDBPyConnection) -> None:
    """Every log that a declaration wants becomes its row."""
    assert load.facts(con, "rejects").collect().is_empty()


def test_other_code_of_the_manager_silences_none_of_its_events(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """It claims payments of loans before and after."""
    rows = load.rows(con, query_named("upgrades").sql, {"at_least": 1})

    (row,) = rows.iter_rows(named=True)
    assert row["release"] == "301"
    assert row["logs_before_count"] > 0 < row["logs_after_count"]
    assert row["silent_events_count"] == 0


def test_every_block_is_covered(con: duckdb.DuckDBPyConnection) -> None:
    """Each chain is covered from the second served block to the last, for each protocol."""
    spans = load.rows(
        con, "select distinct chain_id, from_block, to_block from coverage order by 1", {}
    )

    served = [(one.chain_id, one.first + 1, one.head) for one in world().chains]
    assert spans.rows() == sorted(served)


def test_a_token_nobody_declared_was_asked(con: duckdb.DuckDBPyConnection) -> None:
    """The decimals of a borrower's collateral came from a call to the token."""
    asked = load.rows(con, "select symbol, decimals from tokens where known_by = 'call'", {})

    assert ("cbBTC", 8) in asked.rows()


def test_every_chain_says_simulated(con: duckdb.DuckDBPyConnection) -> None:
    """Reports can see that none of this is real."""
    kinds = load.rows(con, "select chain_id, kind from origins order by 1", {})

    assert kinds.rows() == [(1, "simulated"), (42161, "simulated")]


@pytest.mark.parametrize(
    ("name", "column", "parts"),
    [
        ("fees", "fees_usd", ("fee_usd",)),
        ("protocol_revenue", "revenue_usd", ("treasury_usd", "holders_usd")),
        ("holders_revenue", "holders_usd", ("holders_usd",)),
        ("supply_side", "supply_side_usd", ("supply_side_usd",)),
    ],
)
def test_income_by_day(
    con: duckdb.DuckDBPyConnection, name: str, column: str, parts: tuple[str, ...]
) -> None:
    """Fees and revenue of each protocol and day are those of the books."""
    found = by_day(metric(con, name), column)

    sums = [totals(world().ledger.rows("fees"), day, part) for part in parts]
    assert found == {key: sum(each[key] for each in sums) for key in sums[0]}


def test_buybacks_by_day(con: duckdb.DuckDBPyConnection) -> None:
    """What was spent on buying back, each day, is what the books say."""
    found = by_day(metric(con, "buybacks"), "spent_usd")

    assert found == totals(world().ledger.rows("buybacks"), day, "spent_usd")


def test_the_buyback_ratio_over_all_days(con: duckdb.DuckDBPyConnection) -> None:
    """Spending over revenue of the venue that bought, as one division of two exact sums."""
    last = metric(con, "buyback_ratio").filter(pl.col("protocol") == "gmx_v2").tail(1)

    charged = [row for row in world().ledger.rows("fees") if row["protocol"] == "gmx_v2"]
    revenue = total(charged, "treasury_usd") + total(charged, "holders_usd")
    spent = total(world().ledger.rows("buybacks"), "spent_usd")
    assert last["buyback_ratio"].item() == float(spent) / float(revenue)


@pytest.mark.parametrize("name", ["liquidations", "adls"])
def test_forced_closes_by_hour(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Notional closed by force, each hour and market, is what the books say."""
    found = by_hour(metric(con, name), "notional_usd")

    assert found == totals(world().ledger.rows(name), hour, "notional_usd")


@pytest.mark.parametrize(("is_long", "name"), [(True, "long"), (False, "short")])
def test_open_interest_at_the_end_of_each_hour(
    con: duckdb.DuckDBPyConnection, is_long: bool, name: str
) -> None:
    """In base units each side is what its position changes so far add up to, exactly."""
    found = by_hour(
        metric(con, "open_interest").filter(pl.col("protocol") == "gmx_v2"),
        f"open_interest_{name}_tokens",
    )

    rows = [row for row in world().ledger.rows("position_changes") if row["version"] == "2"]
    changed = totals([row for row in rows if row["is_long"] == is_long], hour, "size_delta_tokens")
    sums: dict[object, Any] = {}
    expected: dict[Any, Any] = {}
    for key in sorted({hour(row) for row in rows}, key=lambda key: key[2]):
        # Before a side's first trade nothing is known of it.
        if key in changed or key[1] in sums:
            sums[key[1]] = sums.get(key[1], 0) + changed.get(key, 0)
        expected[key] = sums.get(key[1])
    assert found == expected


def test_oracles_part_in_the_crash(con: duckdb.DuckDBPyConnection) -> None:
    """The venue runs away from the reference feed by percents in the crash, by bps before it."""
    compared = metric(con, "oracle_deviation").filter(
        pl.col("protocol") == "gmx_v2", pl.col("reference_protocol") == "chainlink"
    )

    worst = [
        compared.filter(part).select(pl.col("deviation_bps").abs().max()).item()
        for part in (CRASH, BEFORE)
    ]
    assert worst[0] > 300
    assert worst[1] < 100


def test_another_run_adds_nothing(tmp_path: Path) -> None:
    """Indexed again from the same node, the database stays row for row the same."""
    chain, path = world().chains[1], tmp_path / "twice.duckdb"

    with serve([chain]) as node:
        first = index_served(path, chain, node.url)
        second = index_served(path, chain, node.url)

    assert world().seed == SEED
    assert first.tally.logs > 0 == second.tally.logs
