"""Sections that are a list of metrics: a line each gives a table, its rows and its method."""

from pathlib import Path

import pytest
from handmade import at, table
from report_rows import GMX, written_market

from analytics import load
from analytics.errors import UserError
from analytics.reports.commands import table_command
from analytics.reports.context import Context
from analytics.reports.parts import Section
from analytics.reports.scope import Limits, Scope
from analytics.reports.sections.listed import Shown, listed

VELOCITY = Shown(
    "liquidation_velocity",
    "Fastest windows",
    ("protocol", "block_timestamp", "velocity_usd_per_second"),
    keys=("protocol", "block_timestamp"),
    largest_first="velocity_usd_per_second",
    rows=1,
    settings={"window_seconds": 10},
)


def shown(folder: Path, *wanted: Shown, **replaced: object) -> Section:
    """Return a section of these metrics about the small market."""
    lost = GMX | {"market": "0xeth", "is_long": True}
    liquidations = table(
        "liquidations",
        lost | {"notional_usd": 100},
        lost | {"notional_usd": 700, "block_timestamp": at(60)},
    )
    path = written_market(folder, **({"liquidations": liquidations} | replaced))  # type: ignore[arg-type]
    with load.database(path) as con:
        return listed("fast", "Fast", ("Words.",), *wanted)(Context(Scope(con)))


def test_a_line_is_a_table_with_its_source(tmp_path: Path) -> None:
    """The largest first, as many as asked for, computed with the settings."""
    section = shown(tmp_path, VELOCITY)

    (found,) = section.tables
    assert [cell.text for cell in found.rows[0]] == ["gmx_v2", "2025-10-10T21:01:00Z", "70"]
    assert (len(found.rows), found.left_out) == (1, 1)
    assert section.words == ("Words.",)
    assert [(one.asked, one.settings) for one in section.sources] == [
        ("liquidation_velocity", {"window_seconds": 10})
    ]


def test_markets_are_named(tmp_path: Path) -> None:
    """A market stands there with its symbol, and is traced by its address."""
    section = shown(tmp_path, Shown("liquidations", "By hour", keys=("market",)))

    (found,) = section.tables
    assert {row["market_id"] for row in found.frame.to_dicts()} == {"0xeth"}
    assert "(0xeth)" not in {column.name for column in found.columns}
    assert "market_id" not in {column.name for column in found.columns}


def test_a_price_stands_beside_what_it_is_in(tmp_path: Path) -> None:
    """An ether is 1,960 dollars or one wrapped ether; it is traced by asset and quote."""
    wicks = Shown("oracle_wicks", "Wicks", ("asset", "low_price_quote"), keys=("asset", "quote"))

    (found,) = shown(tmp_path, wicks).tables

    assert [column.header for column in found.columns] == ["asset", "low price"]
    assert [cell.text for cell in found.rows[0]] == ["ETH/USD", "1,960.00"]
    assert found.keys == ("asset",)  # beside which a comparison needs no column of quotes
    assert {"asset=ETH", "quote=USD"} < {*table_command(found, Limits()).split()}


def test_without_rows_it_says_so(tmp_path: Path) -> None:
    """A metric without rows gives no table, but a sentence about the blocks that were looked at."""
    section = shown(tmp_path, VELOCITY, liquidations=table("liquidations"))

    assert section.tables == ()
    assert section.words[0].startswith("No rows for fast in the covered blocks")
    assert len(section.sources) == 1


def test_an_unknown_metric_is_a_mistake(tmp_path: Path) -> None:
    """A name that is no metric is told at once, with the nearest ones."""
    with pytest.raises(UserError, match="did you mean liquidations"):
        shown(tmp_path, Shown("liquidatons", "Typo"))
