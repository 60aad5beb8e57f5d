"""The cascade in a report: stages with their verdicts, and words where nothing is judged."""

import re
from inspect import signature
from pathlib import Path

import polars as pl
import pytest
from handmade import at, table
from report_rows import GMX, LINK, written_market

from analytics import load
from analytics.metrics.cascade import cascade_stages
from analytics.reports.context import Context
from analytics.reports.parts import Section, Table
from analytics.reports.scope import Scope
from analytics.reports.sections.cascade import cascade

EVIL = "</text><script>alert(1)</script>\x1b[31m\u202e"
LOST = GMX | {"market": "0xeth", "is_long": True, "notional_usd": 600}
CUT = GMX | {"market": "0xeth", "is_long": False, "account": "0xw", "notional_usd": 40}


def shown(folder: Path, **replaced: pl.DataFrame) -> Section:
    """Return the section about the small market."""
    with load.database(written_market(folder, **replaced)) as con:
        return cascade(Context(Scope(con)))


@pytest.fixture(scope="module")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    """Return the section of three liquidations in a minute, an ADL, and prices 1,000 bps apart."""
    price = {"asset": EVIL, "quote": "USD"}
    moments = (-1800, 30, 60, 1800)
    return shown(
        tmp_path_factory.mktemp("cascade"),
        liquidations=table(
            "liquidations", *(LOST | {"block_timestamp": at(s)} for s in (0, 20, 40))
        ),
        adls=table("adls", CUT | {"block_timestamp": at(90)}),
        oracle_updates=table(
            "oracle_updates",
            *(
                LINK | price | {"feed": "0xc", "oracle_price_quote": 1000, "block_timestamp": at(s)}
                for s in moments
            ),
            *(
                GMX
                | price
                | {"feed": "0xg", "block_timestamp": at(s)}
                | {"oracle_price_quote": 1100 if 0 < s < 100 else 1000}
                for s in moments
            ),
        ),
    )


def stages(section: Section) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of the table of stages by stage and what was measured."""
    (found,) = (each for each in section.tables if each.caption.startswith("Stages"))
    rows = (read(found, index) for index in range(len(found.rows)))
    return {(row["stage"], row["measured"]): row for row in rows}


def read(shown: Table, index: int) -> dict[str, str]:
    """Return one row of a table by the names of its columns."""
    names = (column.name for column in shown.columns)
    return dict(zip(names, (cell.text for cell in shown.rows[index]), strict=True))


def test_a_stage_that_was_seen_says_when_and_how_much(section: Section) -> None:
    """1,800 dollars in the minute from 21:00:00 on are 30 a second, and the history knows none."""
    row = stages(section)["2 liquidation", "liquidated"]

    assert (row["who"], row["verdict"]) == ("gmx_v2", "seen")
    assert (row["begun"], row["ended"]) == ("2025-10-10 21:00:00", "2025-10-10 21:00:00")
    assert (row["observed"], row["limit"]) == ("$30.00 a second", "$0 a second")


def test_the_largest_session_stands_in_order_of_entry(tmp_path: Path) -> None:
    """Of 100 dollars an hour later none is shown: in the larger one 600 came first, then 200."""
    lost = ((0, "gmx_v2", 600), (3_000, "gmx_v2", 100), (50, "snx", 200), (100, "gmx_v2", 200))
    rows = (
        LOST | {"block_timestamp": at(when), "protocol": who, "notional_usd": usd}
        for when, who, usd in lost
    )
    made = shown(tmp_path, liquidations=table("liquidations", *rows), adls=table("adls"))
    (largest,) = (each for each in made.tables if each.caption.startswith("The largest session"))

    names = ("protocol", "lag_seconds", "event_count", "notional_share", "session_seconds")
    lines = [tuple(read(largest, index)[name] for name in names) for index in range(2)]
    assert lines == [("gmx_v2", "0", "2", "80.0 %", "100"), ("snx", "50", "1", "20.0 %", "100")]
    assert len(largest.rows) == 2


def test_other_gaps_are_told_beside_it(section: Section) -> None:
    """Four exits within 90 s are four sessions by a rule of 5 s, and one by a rule of 60 s."""
    (gaps,) = (each for each in section.tables if each.caption.startswith("How many sessions"))
    rows = [read(gaps, index) for index in range(len(gaps.rows))]

    assert [row["gap_seconds"] for row in rows] == ["5", "12", "30", "60", "300", "900"]
    assert [row["session_count"] for row in rows] == ["4", "4", "2", "1", "1", "1"]


def test_an_adl_has_no_threshold(section: Section) -> None:
    """The first ADL enters the stage: what it exceeds is nothing."""
    row = stages(section)["3 deleveraging", "closed by ADL at once"]

    assert (row["verdict"], row["observed"], row["limit"]) == ("seen", "$40.00", "$0")


def test_without_an_adl_nothing_of_it_is_unknown(tmp_path: Path) -> None:
    """It was looked for and is not there: its highest value is none, not one nobody knows."""
    told = table("declared_facts", GMX | {"fact": "adls"})
    made = shown(tmp_path, adls=table("adls"), declared_facts=told)
    row = stages(made)["3 deleveraging", "closed by ADL at once"]

    assert row["verdict"] == "not seen"
    assert (row["observed"], row["limit"], row["highest"]) == ("none", "none", "none")


def test_the_least_of_a_stage_is_said(section: Section) -> None:
    """A rate above its threshold that is not seen needs a reason: too few in a window."""
    settings = signature(cascade_stages).parameters
    least, window = (settings[name].default for name in ("least_liquidations", "window_seconds"))

    assert (least, window) == (3, 60)
    assert "fewer than three liquidations in a minute are no stage" in section.words[1]
    assert "A recovery stands at the last difference beyond its threshold" in section.words[1]


def test_the_highest_is_of_the_event(tmp_path: Path) -> None:
    """What was cut the day before is a stretch of another time, however much it was."""
    lost = (LOST | {"block_timestamp": at(s)} for s in (0, 20, 40))
    cut = (
        CUT | {"block_timestamp": at(s), "notional_usd": usd}
        for s, usd in ((-72_000, 900), (90, 40))
    )

    made = shown(tmp_path, liquidations=table("liquidations", *lost), adls=table("adls", *cut))
    row = stages(made)["3 deleveraging", "closed by ADL at once"]

    assert (row["stretch_count"], row["observed"], row["highest"]) == ("1", "$40.00", "$40.00")


def test_not_seen_is_not_not_known(section: Section) -> None:
    """Nobody told funding: not known. Prices were apart: 1,000 bps, more than 500."""
    found = stages(section)

    assert found["0 build-up", "funding a day"]["verdict"] == "not known"
    assert found["0 build-up", "funding a day"]["begun"] == "n/k"
    apart = found["4 dislocation", "sources apart by"]
    assert (apart["verdict"], apart["highest"]) == ("seen", "1,000 bps")


def test_a_dislocation_that_did_not_happen_is_none(tmp_path: Path) -> None:
    """Sources that agree were looked at: not seen, with no time rather than an unknown one."""
    price = {"asset": "ETH", "quote": "USD", "oracle_price_quote": 5}
    prices = table(
        "oracle_updates",
        LINK | price | {"feed": "0xc"},
        GMX | price | {"feed": "0xg", "block_timestamp": at(60)},
    )

    row = stages(shown(tmp_path, oracle_updates=prices))["4 dislocation", "sources apart by"]

    assert (row["verdict"], row["begun"], row["observed"]) == ("not seen", "none", "none")
    assert row["limit"] == "500 bps"


def test_the_timeline_says_what_the_table_says(section: Section) -> None:
    """Each line is there with its verdict, its values at hand, and a hostile name as text."""
    (chart,) = section.charts
    said = re.findall(r"<title>([^<]*)</title>", chart.svg)

    assert sum("seen · liquidated · 2025-10-10 21:00:00" in each for each in said) == 1
    assert len(said) == len(section.tables[0].rows) == chart.svg.count('class="moment"')
    assert "2 liquidation, gmx_v2: seen" in chart.svg
    assert "0 build-up, anyone: not known, by funding a day" in chart.svg
    assert "0 build-up, anyone: not known, by open interest" in chart.svg
    assert ">0 build-up, anyone: not known, by open interest</text>" in chart.narrow
    assert "<script" not in chart.svg + chart.narrow
    assert "\x1b" not in chart.svg
    assert "&lt;script&gt;" in chart.svg


def test_the_window_is_said_and_can_be_asked_again(section: Section) -> None:
    """The words name the event; the source carries the time its facts are from."""
    stages_of = section.sources[0]

    assert "2025-10-10 20:00:00 to 2025-10-10 23:00:00" in section.words[0]
    assert (stages_of.asked, stages_of.between) == (
        "cascade_stages",
        (at(-25 * 3600 - 3600), at(18_000)),
    )


def test_without_a_liquidation_there_is_no_cascade(tmp_path: Path) -> None:
    """Nothing to judge is said with the blocks in which nothing was found."""
    section = shown(tmp_path, liquidations=table("liquidations"))

    assert (section.tables, section.charts, section.sources) == ((), (), ())
    assert "No liquidations, so no cascade, in the covered blocks: " in section.words[0]


def test_nobody_leads_who_moves_at_once(tmp_path: Path) -> None:
    """Two sources that move in the same seconds move together: the leader is not unknown."""
    moves = enumerate((100, 103, 101, 104, 99, 105, 102, 107, 103, 100, 106))
    told = [
        venue
        | {"feed": feed, "asset": "ETH", "quote": "USD", "oracle_price_quote": price}
        | {"block_timestamp": at(60 * minute)}
        for minute, price in moves
        for venue, feed in ((LINK, "0xc"), (GMX, "0xg"))
    ]

    section = shown(tmp_path, oracle_updates=table("oracle_updates", *told))

    led = next(each for each in section.tables if each.caption.startswith("Who moves first"))
    row = read(led, 0)
    assert (row["lag_seconds"], row["leader"]) == ("0", "together")
