"""Exits, oracles and open interest in a report: waves, budgets, old prices and falls."""

from pathlib import Path

import polars as pl
import pytest
from handmade import at, table
from report_rows import GMX, LINK, written_market

from analytics import load
from analytics.reports.commands import answer_command
from analytics.reports.context import Context
from analytics.reports.parts import Section
from analytics.reports.scope import Limits, Scope
from analytics.reports.sections.exits import exits
from analytics.reports.sections.exposure import exposure
from analytics.reports.sections.oracles import oracles

LOST = GMX | {"market": "0xeth", "is_long": True, "collateral_usd": 10}
CUT = GMX | {"market": "0xeth", "is_long": False, "account": "0xw", "counterparty": "0xvault"}
MOVED = GMX | {"market": "0xeth", "is_long": True}
FORCED = {
    "liquidations": table(
        "liquidations",
        LOST | {"notional_usd": 600, "fee_usd": 6, "shortfall_usd": 3},
        LOST | {"notional_usd": 100, "fee_usd": 1, "shortfall_usd": 0, "block_timestamp": at(60)},
    ),
    "adls": table("adls", CUT | {"notional_usd": 400, "block_timestamp": at(62)}),
    "position_changes": table(
        "position_changes",
        MOVED | {"notional_delta_usd": 900, "block_timestamp": at(-60)},
        MOVED | {"notional_delta_usd": -400, "cause": "liquidation", "block_timestamp": at(60)},
    ),
}

FASTEST = ((0, 100), (1200, 900), (600, 900))


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Section]:
    """Return the three sections of two liquidations, an ADL and a position that shrank."""
    folder = tmp_path_factory.mktemp("forced")
    with load.database(written_market(folder, **FORCED)) as con:
        context = Context(Scope(con))
        return {each.slug: each for each in (s(context) for s in (exits, oracles, exposure))}


def rows(section: Section, caption: str) -> list[dict[str, str]]:
    """Return the rows of a table of a section as they are read."""
    (found,) = (each for each in section.tables if each.caption.startswith(caption))
    names = [column.name for column in found.columns]
    return [dict(zip(names, (cell.text for cell in row), strict=True)) for row in found.rows]


def test_waves_stand_largest_first(sections: dict[str, Section]) -> None:
    """A minute of silence parts two waves: six sevenths of the notional, and one."""
    waves = rows(sections["exits"], "Waves of liquidations")

    assert [(wave["wave"], wave["notional_share"]) for wave in waves] == [
        ("1", "85.7 %"),
        ("2", "14.3 %"),
    ]


def test_the_queue_is_named_where_positions_were_cut(sections: dict[str, Section]) -> None:
    """Metrics that a report does not show are named where a reader asks for them."""
    words = " ".join(sections["exits"].words)

    assert "`perpscope metric` with `adl_ranks`, `adl_allocation`" in words


def test_who_realised_what_is_shown(sections: dict[str, Section]) -> None:
    """The position that shrank is a result, though nobody says of how much."""
    (result,) = rows(sections["exits"], "What accounts realised")

    assert (result["closing_count"], result["unknown_count"]) == ("1", "1")


def test_the_event_says_its_worst_minute_and_its_lag(sections: dict[str, Section]) -> None:
    """600 in the first minute, then 500 in all; the ADL came 62 s after the first liquidation."""
    words = " ".join(sections["exits"].words)

    assert (
        "Its worst minute began 2025-10-10 21:00:00: $600.00 liquidated, 54.5 % of what "
        "the event is known to have closed by force." in words
    )
    (lag,) = rows(sections["exits"], "From the event's first liquidation")
    assert lag["lag_seconds"] == "62"


def test_what_liquidations_cost(sections: dict[str, Section]) -> None:
    """Seven of 700 dollars in fees, three unpaid, all of it long; 60 and 10 times leverage."""
    (cost,) = rows(sections["exits"], "Fees, bad debt")
    (leverage,) = rows(sections["exits"], "Leverage at liquidation")

    assert (cost["fee_yield_ratio"], cost["shortfall_ratio"]) == ("1.0 %", "0.4 %")
    assert cost["long_share"] == "100.0 %"
    assert (leverage["median_leverage"], leverage["highest_leverage"]) == ("10", "60")


def test_whose_losses_and_whose_money(sections: dict[str, Section]) -> None:
    """One vault is the counterparty of every ADL, and one account holds each kind of exposure."""
    (vault,) = rows(sections["exits"], "For whose losses")
    few = rows(sections["exits"], "How much belongs to few")

    assert (vault["counterparty"], vault["notional_share"]) == ("0xvault", "100.0 %")
    assert {row["exposure"]: row["top_1_share"] for row in few} == {
        "deleveraged": "100.0 %",
        "liquidated": "100.0 %",
        "open": "100.0 %",
    }


def test_a_budget_that_nobody_can_price_is_not_known(sections: dict[str, Section]) -> None:
    """Without a mark or a size nothing says what the ADL needed to take."""
    (wave,) = rows(sections["exits"], "What each wave of ADLs around")

    assert (wave["adl_count"], wave["needed_budget_usd"]) == ("1", "n/k")


def test_open_interest_is_checked_two_ways(sections: dict[str, Section]) -> None:
    """From 900 to 500 open: 44.4 % less in dollars, unknown in base units, and all explained."""
    falls = {row["market"]: row for row in rows(sections["open-interest"], "Worst fall")}
    (moved,) = rows(sections["open-interest"], "Change of open interest")

    assert any(name.startswith("all markets") for name in falls)
    assert {row["drawdown_tokens_ratio"] for row in falls.values()} == {"n/k"}
    assert (moved["opened_usd"], moved["closed_by_liquidation_usd"]) == ("900.00", "400.00")


def test_old_prices_are_counted_in_the_window(tmp_path: Path) -> None:
    """One source 1,000 bps above the other for a minute: time, area, a liquidation meanwhile."""
    price = {"asset": "ETH", "quote": "USD"}
    updates = table(
        "oracle_updates",
        LINK | price | {"feed": "0xc", "oracle_price_quote": 1000},
        GMX | price | {"feed": "0xg", "oracle_price_quote": 1100},
        GMX | price | {"feed": "0xg", "oracle_price_quote": 1000, "block_timestamp": at(60)},
    )
    markets = table(
        "markets",
        GMX | {"market": "0xeth", "symbol": "ETH", "asset_class": "crypto", "known_by": "event"},
    )
    short = LOST | {"is_long": False, "notional_usd": 50, "block_timestamp": at(30)}
    replaced = {"oracle_updates": updates, "markets": markets}
    lost = table("liquidations", short)
    with load.database(written_market(tmp_path, liquidations=lost, **replaced)) as con:
        section = oracles(Context(Scope(con)))

    off = {row["protocol"]: row for row in rows(section, "Time and area off")}
    assert (off["gmx_v2"]["off_seconds"], off["gmx_v2"]["area_bps_seconds"]) == ("60", "54,000")
    (taken,) = rows(section, "Liquidations while the oracle was off")
    assert (taken["liquidation_count"], taken["notional_usd"]) == ("1", "50.00")
    assert (taken["highest_deviation_bps"], taken["against_ratio"]) == ("+1,000.0", "100.0 %")
    (age,) = rows(section, "How old the oracle's price")
    assert age["highest_age_seconds"] == "30"


def test_nothing_is_exported_that_grows_with_updates(sections: dict[str, Section]) -> None:
    """What a metric tells of single prices is exported by feed, pair or market."""
    names = {source.name for source in sections["oracles"].sources}

    assert {"missed_updates_by_pair", "heartbeat_breaches_by_feed"} <= names
    assert not {"missed_updates", "heartbeat_breaches", "oracle_age_at_exits"} & names


def test_a_window_is_in_the_command(sections: dict[str, Section]) -> None:
    """What was asked of a window says so, from its first moment to its last one or the report's."""
    (lag,) = (each for each in sections["exits"].sources if each.name == "adl_trigger_lag")

    whole = answer_command(lag, Limits(protocol="gmx_v2"))
    early = answer_command(lag, Limits(until=at(60)))

    asked = "perpscope metric adl_trigger_lag"
    window = "--from 2025-10-10T20:00:00"
    assert whole == f"{asked} {window} --protocol gmx_v2 --to 2025-10-10T23:00:00"
    assert early == f"{asked} {window} --to 2025-10-10T21:01:00"


def test_what_tells_no_dollars_has_its_size(tmp_path: Path, sections: dict[str, Section]) -> None:
    """Half an ether that nobody priced is more than n/k; where dollars are told they are enough."""
    lost = table("liquidations", LOST | {"notional_usd": 600}, LOST | {"size_tokens": "0.5"})
    with load.database(written_market(tmp_path, liquidations=lost)) as con:
        shown = rows(exits(Context(Scope(con))), "Largest liquidations")

    assert [(row["notional_usd"], row["size_tokens"]) for row in shown] == [
        ("600.00", "n/k"),
        ("n/k", "0.5000"),
    ]
    assert "size_tokens" not in rows(sections["exits"], "Largest liquidations")[0]


def test_the_fastest_minute_of_each_protocol_is_kept(tmp_path: Path) -> None:
    """The first of two alike; of a protocol that tells no amount the first of all."""
    told = [GMX | {"notional_usd": usd, "block_timestamp": at(moment)} for moment, usd in FASTEST]
    silent = [LINK | {"block_timestamp": at(moment)} for moment in (60, 0)]
    replaced = {"liquidations": table("liquidations", *told, *silent)}

    with load.database(written_market(tmp_path, **replaced)) as con:
        section = exits(Context(Scope(con)))

    (source,) = (each for each in section.sources if each.name == "liquidation_velocity")
    found = source.frame.sort("protocol")
    assert found.select("protocol", "block_timestamp").rows() == [
        ("chainlink", at(0)),
        ("gmx_v2", at(600)),
    ]


def test_the_fastest_minute_begins_at_its_time(tmp_path: Path) -> None:
    """100 dollars, then 900 half a minute later: 1,000 in the minute from the first of them on."""
    told = (
        GMX | {"notional_usd": usd, "block_timestamp": at(s)} for s, usd in ((0, 100), (30, 900))
    )

    with load.database(written_market(tmp_path, liquidations=table("liquidations", *told))) as con:
        (fastest,) = rows(exits(Context(Scope(con))), "Fastest 60 s from a liquidation on")

    assert fastest["block_timestamp"] == "2025-10-10T21:00:00Z"
    assert fastest["notional_usd"] == "1,000.00"


def test_without_exits_no_table_is_empty(tmp_path: Path) -> None:
    """No liquidation and no ADL: sentences with the blocks, and no table or chart of nothing."""
    empty: dict[str, pl.DataFrame] = {"liquidations": table("liquidations")}

    with load.database(written_market(tmp_path, **empty)) as con:
        section = exits(Context(Scope(con)))

    assert (section.tables, section.charts) == ((), ())
    assert "No liquidations in the covered blocks" in " ".join(section.words)
    assert "adl_ranks" not in " ".join(section.words)


def test_a_change_since_the_report_began_counts_what_was_open_before(tmp_path: Path) -> None:
    """Of a report that begins after the first reading, the fall from it is known."""
    limits = Limits(since=at(3600))
    with load.database(written_market(tmp_path, **FORCED)) as con:
        (row,) = rows(exposure(Context(Scope(con, limits))), "Change of open interest")

    assert row["open_interest_change_usd"] == "-400.00"
