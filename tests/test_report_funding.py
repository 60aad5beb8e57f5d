"""Funding in a report: rates with their sign, payments both ways, and words where none is told."""

import re
from pathlib import Path

import pytest
from handmade import at, table
from report_rows import GMX, HOSTILE, written_market

from analytics import load
from analytics.reports import Limits
from analytics.reports.context import Context
from analytics.reports.parts import Section
from analytics.reports.scope import Scope
from analytics.reports.sections.funding import funding

RATE = GMX | {"market": "0xeth", "is_long": None, "account": None}


def shown(folder: Path, *rows: dict[str, object]) -> Section:
    """Return the section about these events of funding."""
    path = written_market(folder, funding=table("funding", *rows))
    with load.database(path) as con:
        return funding(Context(Scope(con)))


def texts(section: Section, place: int) -> dict[str, str]:
    """Return the first row of a table as it is read."""
    found = section.tables[place]
    names = [column.name for column in found.columns]
    return dict(zip(names, (cell.text for cell in found.rows[0]), strict=True))


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    """Return the section of three rates, one of them below zero, and two settlements."""
    paid = GMX | {"market": "0xeth", "account": "0xa"}
    return shown(
        tmp_path_factory.mktemp("funding"),
        RATE | {"funding_rate_daily_ratio": "0.003"},
        RATE | {"funding_rate_daily_ratio": "-0.006", "block_timestamp": at(3600)},
        RATE | {"funding_rate_daily_ratio": "0", "block_timestamp": at(7200)},
        paid | {"paid_usd": 9},
        paid | {"paid_usd": -4},
    )


def test_rates_are_per_eight_hours(section: Section) -> None:
    """0.3 % a day are 0.1 % in eight hours; one reading of three is below zero, zero is not."""
    row = texts(section, 0)

    assert (row["lowest_8h"], row["highest_8h"]) == ("-0.2000 %", "+0.1000 %")
    assert row["last_8h"] == "0 %"
    assert row["negative_ratio"] == "33.3 %"
    assert "Below zero: 1 of 3 rates told." in section.words


def test_payments_are_counted_both_ways(section: Section) -> None:
    """Nine paid, four received: five net."""
    row = texts(section, 1)

    assert (row["paid_usd"], row["received_usd"], row["net_paid_usd"]) == ("9.00", "4.00", "5.00")


def test_carry_is_what_holding_cost(section: Section) -> None:
    """An hour at 0.3 % a day and one at -0.6 %: -0.0125 % of the notional."""
    assert texts(section, 2)["carry_ratio"] == "-0.0125 %"


def test_rates_of_one_market_are_told_apart(tmp_path: Path) -> None:
    """Market 1 of two chains and of two collaterals: three lines, and three rows that say whose."""
    rates = (
        {"chain_id": 137, "funding_rate_daily_ratio": "0.003"},
        {"collateral_token": "0xusdc", "funding_rate_daily_ratio": "-0.006"},
        {"collateral_token": "0xweth", "funding_rate_daily_ratio": "0.009"},
    )
    section = shown(tmp_path, *(RATE | {"market": "1"} | rate for rate in rates))

    svg, rows = section.charts[0].svg, section.tables[0].rows
    lines = ("polygon", "arbitrum 0xusdc", "arbitrum 0xweth")
    assert all(f">gmx_v2 1 {line}<" in svg for line in lines)
    assert {row[3].text for row in rows} == {"any", "0xusdc", "0xweth"}
    assert {row[4].text for row in rows} == {"both"}


def test_the_charts_escape_the_market(section: Section) -> None:
    """Two charts, and a market that is called like a tag is text in them."""
    assert [chart.name for chart in section.charts] == ["funding_rate", "funding_below_zero"]
    assert all("<b>" not in chart.svg for chart in section.charts)
    assert texts(section, 0)["market"].startswith(HOSTILE)


def test_an_index_tells_a_rate_of_the_time_before_it(tmp_path: Path) -> None:
    """0.3 % a day for an hour, then ten times that: drawn over that time, also where cut in two."""
    readings = zip((0, 3600, 7200), ("0", "0.000125", "0.001375"), strict=True)
    told = (
        RATE | {"funding_rate_cumulative_ratio": index, "block_timestamp": at(second)}
        for second, index in readings
    )
    paid = GMX | {"market": "0xeth", "account": "0xa", "paid_usd": 9, "block_timestamp": at(1800)}
    path = written_market(tmp_path, funding=table("funding", *told, paid))
    with load.database(path) as con:
        whole, part = (
            funding(Context(Scope(con, Limits(since=since)))).charts[0].svg
            for since in (None, at(1800))
        )

    said = r"<title>[\d-]+ (\d\d:\d\d):00 · [^<]* ([\d.]+ %|n/k)"
    assert re.findall(said, whole) == [("21:00", "0.1 %"), ("22:00", "1.0 %"), ("23:00", "n/k")]
    assert re.findall(said, part) == [("21:30", "0.1 %"), ("22:00", "1.0 %"), ("23:00", "n/k")]


def test_payments_alone_tell_no_rate(tmp_path: Path) -> None:
    """A venue that only settles has no rate, and none is drawn as zero."""
    section = shown(tmp_path, GMX | {"market": "0xeth", "account": "0xa", "paid_usd": 9})

    assert section.charts == ()
    assert "No rate is told, only payments." in section.words


def test_no_funding_is_said_with_the_blocks(tmp_path: Path) -> None:
    """Nothing told is no zero: the blocks looked at are named."""
    section = shown(tmp_path)

    assert section.tables == ()
    assert section.words[0].startswith("No funding rates or payments in the covered blocks: ")


def test_a_rate_that_never_fell_below_zero_draws_no_share(tmp_path: Path) -> None:
    """Zero of one is a sentence, not a chart of nothing."""
    section = shown(tmp_path, RATE | {"funding_rate_daily_ratio": "0.003"})

    assert [chart.name for chart in section.charts] == ["funding_rate"]
    assert "Below zero: 0 of 1 rate told." in section.words
