"""What a report compares: with the window before where it is covered, and with another report."""

import json
import re
import shlex
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from browser import chromium, overflow, visit
from handmade import at, table
from report_rows import EVIL, GMX, market, written_market
from typer.testing import CliRunner

from analytics import load
from analytics.errors import UserError, WorldError
from analytics.reports import Limits, summary
from analytics.reports.before import is_covered, window_before
from analytics.reports.bundle import sides
from analytics.reports.commands import answer_command, number_command, table_command
from analytics.reports.comparison import compared
from analytics.reports.context import Context
from analytics.reports.pages import html, markdown
from analytics.reports.parts import Section, Source
from analytics.reports.parts import table as shown_table
from analytics.reports.report import Report, report
from analytics.reports.scope import Scope
from analytics.reports.sections.income import income
from analytics.reports.summary import summed_up
from perpscope import app

LATER = Limits(protocol="gmx_v2", since=at(3600), until=at(7200))
EARLIER = replace(LATER, since=at(0), until=at(3599))
NAMES = "2025-10-10 22:00 to 2025-10-10 23:00", "2025-10-10 21:00 to 2025-10-10 21:59"
COVERAGE = {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "0x"}


@dataclass(frozen=True)
class Sides:
    """A database and two reports on it, each made once."""

    database: Path
    first: Report
    second: Report

    @cached_property
    def compared(self) -> Report:
        """Both side by side."""
        return compared(self.first, self.second)


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Sides:
    """Return two hours of a market of which no block is missing."""
    path = whole(tmp_path_factory.mktemp("hours"))
    return Sides(path, reported(path, LATER), reported(path, EARLIER))


def whole(folder: Path, **replaced: pl.DataFrame) -> Path:
    """Return the database of the market as if no block were missing."""
    final = GMX | COVERAGE | {"proof": "receipts", "finality": "finalized"}
    fees = [
        GMX | {"fee_usd": usd, "block_timestamp": at(seconds)}
        for usd, seconds in ((10, 0), (5, 3600), (10, 7200))
    ]
    coverage = table("coverage", final | {"from_block": 100, "to_block": 200})
    return written_market(
        folder, **(replaced | {"coverage": coverage, "fees": table("fees", *fees)})
    )


def reported(path: Path, limits: Limits) -> Report:
    """Return a report in memory."""
    with load.database(path) as con:
        return report(Scope(con, limits))


def test_a_change_is_against_the_window_before(hours: Sides) -> None:
    """15 dollars in the second hour after 10 in the first are half as much again."""
    shown = hours.first

    (fees,) = (card for card in shown.cards if card.label == "Total fees")
    assert fees.change == "+50.0 %"
    assert shown.against == "against the hour before"
    assert "2025-10-10 21:00:00 to 2025-10-10 22:00:00" in shown.compared


def test_what_is_not_covered_is_no_change(hours: Sides) -> None:
    """Where the window before begins before the first block, every change is n/k."""
    shown = hours.second

    assert {card.change for card in shown.cards} == {"n/k"}
    assert "is not all covered" in shown.compared


def test_what_ends_before_the_report_does_is_no_change(tmp_path: Path) -> None:
    """Of 28 hours the last covered block is in the 25th: a fall to its fees would be no fall."""
    path = whole(tmp_path)
    ends = [reported(path, Limits(since=at(86_400), until=at(end))) for end in (90_000, 100_800)]

    assert [{card.change for card in each.cards} == {"n/k"} for each in ends] == [False, True]


def test_a_gap_makes_no_change(tmp_path: Path) -> None:
    """With a block missing somewhere nothing says that it was not in the window before."""
    with load.database(written_market(tmp_path)) as con:
        context = Context(Scope(con, LATER))
        before = window_before(context)

        assert before is not None
        assert (before.until, before.protocol) == (at(3599.999999), "gmx_v2")
        assert not is_covered(context, before)


def test_nothing_has_no_window_before(tmp_path: Path) -> None:
    """Without a fact there is no time whose past could be asked for."""
    with load.database(written_market(tmp_path, **_no_facts())) as con:
        assert window_before(Context(Scope(con))) is None


def _no_facts() -> dict[str, pl.DataFrame]:
    kept = {"coverage", "origins", "blocks", "rejects", "markets", "policies"}
    return {name: frame.clear() for name, frame in market().items() if name not in kept}


def test_times_of_other_lengths_are_named(hours: Sides) -> None:
    """Two hours against one have twice the time, which nothing makes up for; a second is none."""
    longer = reported(hours.database, replace(LATER, until=at(10_800)))

    assert "not equally long" not in hours.compared.compared
    assert "not equally long, 2 and 1 hours" in compared(longer, hours.second).compared


def opened(*told: tuple[int, int]) -> pl.DataFrame:
    """Return what longs hold from a moment on, by second and dollars; nobody is short."""
    rows = (
        GMX
        | {"market": "0xeth", "is_long": is_long, "block_timestamp": at(second)}
        | {"open_interest_usd": usd * is_long}
        for second, usd in told
        for is_long in (True, False)
    )
    return table("open_interest", *rows)


def test_what_is_compared_has_equal_periods(tmp_path: Path) -> None:
    """Where a day's values are of the end of five minutes, those of the hour beside it are, too."""
    told = ((60, 900), (120, 100), (3660, 200), (86_400, 100), (172_799, 100))
    path = whole(tmp_path, open_interest=opened(*told))
    hour, day = Limits(since=at(0), until=at(3660)), Limits(since=at(86_400), until=at(172_799))

    with load.database(path) as con:
        alone, *beside = (Scope(con, hour), *sides(con, [hour, day]))
        peaks = [summed_up(scope).exposure.peak_usd for scope in (alone, *beside)]

    assert peaks == [900, 200, 100]
    assert [scope.period_seconds for scope in (alone, *beside)] == [60, 300, 300]
    assert [Context(scope).bar_seconds for scope in (alone, *beside)] == [60, 900, 900]


def test_a_change_is_one_of_equal_periods(tmp_path: Path) -> None:
    """The day before told of two minutes alone, and is compared by the five minutes of its next."""
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    ends = (
        block | {"number": n, "timestamp": at(time)} for n, time in ((100, -60), (200, 180_000))
    )
    path = whole(
        tmp_path,
        open_interest=opened((60, 900), (120, 100), (86_400, 300), (172_000, 300)),
        blocks=table("blocks", *ends),
    )
    limits = Limits("gmx_v2", since=at(86_400), until=at(172_799))

    (peak,) = (c for c in reported(path, limits).cards if c.label == "Peak open interest")

    assert peak.change == "+200.0 %"


def test_two_windows_are_laid_side_by_side(hours: Sides) -> None:
    """The same sections; each measure of both, its difference and its ratio, exact."""
    shown = section_of(hours.compared, "income")

    (row, *_) = (row for row in shown.tables[0].rows if row[1].text == "fees, USD")
    assert [cell.text for cell in row] == ["gmx_v2", "fees, USD", "15.00", "10.00", "5.00", "×1.5"]
    assert [column.header for column in shown.tables[0].columns][2:] == [
        *NAMES,
        "difference",
        "ratio",
    ]
    assert [chart.name for chart in shown.charts] == ["income", "compared_income"]
    assert {source.name for source in shown.sources} >= {"fees", "compared_fees"}


def test_what_one_side_alone_says_has_its_name(hours: Sides) -> None:
    """What both say is said once: of warnings, of the words of a section, and of methods."""
    told = (("both", "mine"), ("both", "theirs"))
    one, other = (
        replace(
            each,
            warnings=said,
            methods=tuple((name, "", "") for name in said),
            sections=(Section("s", "S", words=said),),
        )
        for each, said in zip((hours.first, hours.second), told, strict=True)
    )

    shown = compared(one, other)

    named = "both", f"{NAMES[0]}: mine", f"{NAMES[1]}: theirs"
    assert shown.warnings == shown.sections[0].words == named
    assert [name for name, *_ in shown.methods] == ["both", "mine", "theirs"]


@pytest.mark.parametrize(("count", "said"), [(200, ""), (201, " (the first 200 lines)")])
def test_a_table_is_cut_after_two_hundred_lines(hours: Sides, count: int, said: str) -> None:
    """It says so, and counts no line that is zero on both sides."""
    fees = [*range(1, count + 1), 0]
    frame = pl.DataFrame({"protocol": [f"p{fee}" for fee in fees], "fee_count": fees})
    section = Section("s", "S", tables=(shown_table("T", frame, keys=("protocol",)),))
    one, other = (replace(each, sections=(section,)) for each in (hours.first, hours.second))

    (laid,) = compared(one, other).sections[0].tables

    assert (laid.caption, len(laid.rows)) == (f"T{said}", 200)


def incomes(path: Path, base: Report, *protocols: str) -> Report:
    """Return the incomes of two protocols side by side; what is above them is of another report."""
    sides = []
    for limits in (Limits(protocol=each) for each in protocols):
        with load.database(path) as con:
            sections = (income(Context(Scope(con, limits))),)
        sides.append(replace(base, limits=limits, sections=sections))
    return compared(*sides)


def test_two_protocols_are_laid_side_by_side(hours: Sides, tmp_path: Path) -> None:
    """Between protocols the protocol is no key: one line holds both."""
    both = [GMX | {"fee_usd": 8}, GMX | {"fee_usd": 2, "protocol": "chainlink"}]
    path = written_market(tmp_path, fees=table("fees", *both))

    shown = incomes(path, hours.first, "gmx_v2", "chainlink")

    (section,) = shown.sections
    assert shown.title == "gmx_v2 against chainlink"
    assert [cell.text for cell in section.tables[0].rows[0]] == [
        *("fees, USD", "8.00", "2.00", "6.00", "×4"),
    ]
    own, beside = (re.findall(r">\$([\d.]+)<", chart.svg) for chart in section.charts)
    assert own == beside
    assert float(own[-1]) == 8


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (8765, 0, ("8,765.00", "0", "8,765.00", "–")),
        (8765, 8, ("8,765.00", "8.00", "8,757.00", "×1,096")),
        (-4, 8, ("-4.00", "8.00", "-12.00", "–")),
        (1, 400_000, ("1.00", "400,000.00", "-399,999.00", "×<0.001")),
    ],
    ids=["zero", "a thousandth", "another sign", "next to nothing"],
)
def test_what_is_compared_with_zero_has_no_ratio(
    hours: Sides, tmp_path: Path, one: int, other: int, told: tuple[str, ...]
) -> None:
    """Against 0 and below it the difference is known, and the ratio none, not unknown."""
    both = [GMX | {"fee_usd": one}, GMX | {"fee_usd": other, "protocol": "chainlink"}]
    path = written_market(tmp_path, fees=table("fees", *both))

    (section,) = incomes(path, hours.first, "gmx_v2", "chainlink").sections

    assert [cell.text for cell in section.tables[0].rows[0]] == ["fees, USD", *told]


@pytest.fixture(scope="module")
def two_venues(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return two venues side by side: one market in common by its symbol, another of one only."""
    venues = ("gmx_v2", GMX | {"market": "0xe2"}), ("gmx_v1", GMX | {"market": "0xe1"})
    markets_open = ("gmx_v2", "0xe2", 900), ("gmx_v1", "0xe1", 300), ("gmx_v2", "0xb", 5)
    opened = [
        GMX
        | {"protocol": name, "market": at_address, "is_long": is_long}
        | {"open_interest_usd": usd if is_long else 0}
        for name, at_address, usd in markets_open
        for is_long in (True, False)
    ]
    known = {"asset_class": "crypto", "known_by": "event"}
    markets = [row | known | {"protocol": name, "symbol": "ETH"} for name, row in venues]
    splits = [
        GMX | {"fee_usd": 10, "supply_side_usd": kept, "treasury_usd": 10 - kept, "holders_usd": 0}
        for kept in (6, 7)
    ]
    fees = [row | {"protocol": name} for (name, _), row in zip(venues, splits, strict=True)]
    final = GMX | COVERAGE | {"proof": "receipts", "finality": "finalized", "to_block": 200}
    path = written_market(
        tmp_path_factory.mktemp("venues"),
        open_interest=table("open_interest", *opened),
        markets=table("markets", *markets),
        fees=table("fees", *fees),
        coverage=table("coverage", *(final | {"protocol": name} for name, _ in venues)),
    )
    return compared(*(reported(path, Limits(protocol=name)) for name, _ in venues))


def section_of(shown: Report, slug: str) -> Section:
    """Return a section of a report."""
    return next(section for section in shown.sections if section.slug == slug)


def lines(shown: Report, slug: str) -> list[list[str]]:
    """Return the rows of all tables of a section as texts."""
    found = section_of(shown, slug)
    return [[cell.text for cell in row] for each in found.tables for row in each.rows]


def test_a_market_of_two_protocols_is_one_line(two_venues: Report) -> None:
    """ETH is ETH at two addresses; a market that one side lacks has no numbers there."""
    found = lines(two_venues, "open-interest")

    assert ["arbitrum", "ETH", "peak, USD", "900.00", "300.00", "600.00", "×3"] in found
    assert ["arbitrum", "0xb", "peak, USD", "5.00", "–", "–", "–"] in found
    assert "– stands for a row that one side does not have" in two_venues.compared


def test_percentages_differ_by_points(two_venues: Report) -> None:
    """A take rate of 40 % is ten points above one of 30 %."""
    found = lines(two_venues, "income")

    assert ["take rate", "40.0 %", "30.0 %", "10.0 points", "×1.33"] in found


def test_a_key_is_no_measure(hours: Sides) -> None:
    """What tells rows apart is never compared with itself, though it is a number."""
    frame = pl.DataFrame({"market_count": [25], "fee_count": [3]})
    section = Section("s", "S", tables=(shown_table("T", frame, keys=("market_count",)),))
    one, other = (replace(each, sections=(section,)) for each in (hours.first, hours.second))

    assert lines(compared(one, other), "s") == [["25", "fees", "3", "3", "0", "×1"]]


def test_a_symbol_of_two_markets_tells_none_apart(hours: Sides) -> None:
    """Where one venue has two markets of ETH, each is a line of its own."""
    told = ("gmx_v2", {"ETH (0x1)": 1, "ETH (0x2)": 2}), ("gmx_v1", {"ETH (0x3)": 4})
    sides = []
    for protocol, fees in told:
        columns = {"market": [*fees], "market_symbol": "ETH", "fees_usd": [*fees.values()]}
        laid = shown_table("T", pl.DataFrame(columns), ("market", "fees_usd"), keys=("market",))
        section = Section("s", "S", tables=(laid,))
        sides.append(replace(hours.first, limits=Limits(protocol=protocol), sections=(section,)))

    assert lines(compared(*sides), "s") == [
        ["ETH (0x1)", "fees, USD", "1.00", "–", "–", "–"],
        ["ETH (0x2)", "fees, USD", "2.00", "–", "–", "–"],
        ["ETH (0x3)", "fees, USD", "–", "4.00", "–", "–"],
    ]


def test_a_market_is_its_symbol_between_two_protocols_alone(hours: Sides) -> None:
    """Of two times of one protocol it is itself; between two it is one line, and no second."""
    columns = {"market": ["ETH (0x1)"], "market_symbol": ["ETH"], "fees_usd": [1]}
    laid = shown_table("T", pl.DataFrame(columns), ("market", "fees_usd"), keys=("market",))
    one, other = (
        replace(each, sections=(Section("s", "S", tables=(laid,)),))
        for each in (hours.first, hours.second)
    )
    elsewhere = replace(other, limits=replace(other.limits, protocol="gmx_v1"))

    said = ["fees, USD", "1.00", "1.00", "0", "×1"]
    assert lines(compared(one, other), "s") == [["ETH (0x1)", *said]]
    between = compared(one, elsewhere)
    assert lines(between, "s") == [["ETH", *said]]
    assert between.title == f"gmx_v2, {NAMES[0]} against gmx_v1, {NAMES[1]}"


def test_a_chart_of_the_second_side_has_its_command(two_venues: Report) -> None:
    """Under each of two charts stands what gives the rows of that one."""
    section = section_of(two_venues, "open-interest")
    commands = {
        chart.name: answer_command(chart.source, Limits(protocol="gmx_v2"))
        for chart in section.charts
    }

    second = [text for name, text in commands.items() if name.startswith("compared_")]
    assert second
    assert all(text.endswith("--protocol gmx_v1") for text in second)
    assert all(
        text.endswith("--protocol gmx_v2")
        for name, text in commands.items()
        if not name.startswith("compared_")
    )


def traced(path: Path, command: str) -> str:
    """Return what a command of a page prints."""
    given = [*shlex.split(command)[1:], "--database", str(path)]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0, command
    return result.stdout


def test_both_sides_of_a_table_are_traced(hours: Sides) -> None:
    """15 dollars against 10: each has a command, in both forms, that comes to that."""
    shown = hours.compared
    own = section_of(shown, "income").tables[0]
    other = own.beside
    assert other is not None

    commands = [table_command(each, shown.limits) for each in (own, other)]

    assert "  fees_usd = 15.0" in traced(hours.database, commands[0])
    assert "  fees_usd = 10.0" in traced(hours.database, commands[1])
    page = unescape(re.sub("</?span>", "", html(shown, {})))
    for text in (page, markdown(shown, {})):
        assert [each for each in commands if each not in text] == []


def test_both_sides_of_a_card_are_traced(hours: Sides) -> None:
    """A card that names both numbers has the commands of both."""
    path, shown = hours.database, hours.compared

    own, revenue, other = shown.cards[0].origins

    assert revenue.said.endswith(", protocol revenue")
    assert "  fees_usd = 15.0" in traced(path, number_command(own, shown.limits))
    assert "  fees_usd = 10.0" in traced(path, number_command(other, shown.limits))


def test_a_line_of_one_side_is_traced_there_alone(hours: Sides) -> None:
    """Where a side has no such row, its command shows that it has none."""
    frames = (pl.DataFrame({"protocol": [name], "fees_usd": [1]}) for name in ("a", "b"))
    sections = [
        Section("s", "S", tables=(shown_table("T", frame, source=source, keys=("protocol",)),))
        for frame in frames
        for source in (Source("fees", "metric", "fees", frame),)
    ]
    one, other = (
        replace(each, sections=(section,))
        for each, section in zip((hours.first, hours.second), sections, strict=True)
    )

    (laid,) = compared(one, other).sections[0].tables

    assert laid.beside is not None
    assert table_command(laid, LATER).startswith("perpscope trace fees --where protocol=a ")
    assert table_command(laid.beside, LATER).startswith("perpscope metric fees ")


def by_day(base: Report, *days: date) -> Report:
    """Return a report whose only table has a dollar of fees on each day."""
    frame = pl.DataFrame({"date": days, "fees_usd": [1] * len(days)})
    shown = shown_table("T", frame, source=Source("fees", "metric", "fees", frame), keys=("date",))
    return replace(base, sections=(Section("s", "S", tables=(shown,)),))


def test_days_of_one_side_alone_are_not_compared(hours: Sides) -> None:
    """A table by day is of two protocols, and left out where they have no day in common."""
    friday, saturday = date(2025, 10, 10), date(2025, 10, 11)
    venue = replace(hours.second, limits=Limits(protocol="gmx_v1"))
    one, other, both = (
        by_day(hours.first, friday),
        by_day(venue, saturday),
        by_day(venue, saturday, friday),
    )

    assert compared(one, other).sections[0].tables == ()
    assert [row[0] for row in lines(compared(one, both), "s")] == ["2025-10-10", "2025-10-11"]


def test_an_hour_is_not_laid_beside_itself(hours: Sides) -> None:
    """Two times have no hour in common but one that is the same on both sides."""
    friday = date(2025, 10, 10)

    laid = compared(by_day(hours.first, friday), by_day(hours.second, friday))

    assert laid.sections[0].tables == ()


def test_a_transaction_is_of_one_side(hours: Sides) -> None:
    """Nothing makes two transactions one row: a table of them is left out."""
    keys = ("protocol", "tx_hash")
    sides = []
    for base, tx in ((hours.first, "0x1"), (hours.second, "0x2")):
        frame = pl.DataFrame({"protocol": ["gmx_v2"], "tx_hash": [tx], "fees_usd": [1]})
        laid = shown_table("T", frame, keys=keys)
        sides.append(replace(base, sections=(Section("s", "S", tables=(laid,)),)))

    assert compared(*sides).sections[0].tables == ()


def test_what_both_have_comes_first(hours: Sides) -> None:
    """Rows of one side alone are below those that can be compared."""
    sides = []
    for base, names in ((hours.first, "abc"), (hours.second, "dcb")):
        frame = pl.DataFrame({"protocol": [*names], "fees_usd": [1] * len(names)})
        laid = shown_table("T", frame, keys=("protocol",))
        sides.append(replace(base, sections=(Section("s", "S", tables=(laid,)),)))

    assert [row[0] for row in lines(compared(*sides), "s")] == ["b", "c", "a", "d"]


def test_the_number_compared_with_is_below_what_is_said_of_the_first(hours: Sides) -> None:
    """What is said of the first side is not read as the second's."""
    (fees, *_) = hours.compared.cards

    assert fees.details[-1].startswith("2025-10-10 21:00 to 2025-10-10 21:59: ")


def by_wave(base: Report, wave: str, **fees: int) -> Report:
    """Return a report whose only table has a wave per protocol, or several of one."""
    waves = [*range(len(fees))]
    frame = pl.DataFrame({wave: waves, "protocol": [name[:1] for name in fees]})
    frame = frame.with_columns(fees_usd=pl.Series([*fees.values()]))
    laid = shown_table("T", frame, ("protocol", wave, "fees_usd"), keys=("protocol", wave))
    return replace(base, sections=(Section("s", "S", tables=(laid,)),))


@pytest.mark.parametrize("wave", ["wave", "session"])
def test_waves_are_not_compared_by_their_number(wave: str, hours: Sides) -> None:
    """The second wave of one time is another wave than the second of another time."""
    several, one = by_wave(hours.first, wave, a1=1, a2=2), by_wave(hours.second, wave, a1=4)
    here, there = by_wave(hours.first, wave, b1=2, a1=1), by_wave(hours.second, wave, a1=4, b1=8)

    assert compared(several, one).sections[0].tables == ()
    assert lines(compared(here, there), "s") == [
        ["b", "fees, USD", "2.00", "8.00", "-6.00", "×0.25"],
        ["a", "fees, USD", "1.00", "4.00", "-3.00", "×0.25"],
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of two hours side by side, beside their database `market.duckdb`."""
    place = tmp_path_factory.mktemp("written")
    lost = GMX | {"market": "0xeth", "is_long": True, "notional_usd": 1_000_000}
    market_named = GMX | {"market": "0xeth", "asset_class": "crypto", "known_by": "event"}
    facts = _no_facts() | {
        "markets": table("markets", market_named | {"symbol": EVIL}),
        "liquidations": table(
            "liquidations", *(lost | {"block_timestamp": at(seconds)} for seconds in (0, 3600))
        ),
    }
    path = whole(place, **facts)
    times = ("--from", "2025-10-10T22:00:00", "--to", "2025-10-10T23:00:00")
    others = ("--compare-from", "2025-10-10T21:00:00", "--compare-to", "2025-10-10T21:59:59")

    result = CliRunner().invoke(
        app,
        ["report", "--database", str(path), "--output", str(place / "two"), *times, *others],
    )
    assert result.exit_code == 0, result.output
    return place / "two"


def test_a_comparison_is_written_whole(written: Path) -> None:
    """Both sides' rows are exported, and the manifest names both limits."""
    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["limits"]["since"] == "2025-10-10T22:00:00Z"
    assert manifest["compared_with"]["since"] == "2025-10-10T21:00:00Z"
    assert (written / "parquet" / "compared_fees.parquet").is_file()
    assert summary(written.with_name("market.duckdb"), LATER).income.fees_usd == Decimal(15)


def test_a_comparison_is_side_by_side(written: Path) -> None:
    """In a browser two windows stand beside each other, inside its window, and stay quiet."""
    with chromium() as browser, visit(browser, written / "report.html") as found:
        figures = found.page.locator(".beside figure[aria-label^='Liquidated notional']")
        boxes = [figure.bounding_box() for figure in figures.all()]

        assert found.complaints == []
        assert overflow(found.page) == []
        assert len(boxes) == 2
        assert len({round(box["y"]) for box in boxes if box}) == 1


def test_a_comparison_prints_side_by_side(written: Path) -> None:
    """On A4 as well: one below the other, each chart would fill a page."""
    with chromium() as browser, visit(browser, written / "report.html", width=703) as found:
        found.page.emulate_media(media="print")
        figures = found.page.locator(".beside figure[aria-label^='Liquidated notional']")
        boxes = [figure.bounding_box() for figure in figures.all()]

        assert len({round(box["y"]) for box in boxes if box}) == 1


def test_a_time_that_is_not_covered_is_said_aloud(hours: Sides, tmp_path: Path) -> None:
    """Beside something it is a warning; alone it would say nothing, and replace what does."""
    path, output = str(hours.database), tmp_path / "r"
    covered = ("--from", "2025-10-11T03:00:00", "--to", "2025-10-11T04:00:00")
    before = ("--from", "2020-01-01", "--to", "2020-01-02")
    runs = (
        (*covered, "--compare-from", "2020-01-01", "--compare-to", "2020-01-02"),
        before,
        (*before, "--compare-from", "2030-01-01", "--compare-to", "2030-01-02"),
    )

    beside, alone, neither = (
        CliRunner().invoke(app, ["report", "--database", path, "--output", str(output), *times])
        for times in runs
    )

    said = "no block of this time is covered: what is covered lies from"
    assert beside.exit_code == 0
    assert beside.stderr.startswith(f"perpscope: of what is compared with, {said}")
    assert len(beside.stderr.splitlines()) == 1
    for refused in (alone, neither):
        assert isinstance(refused.exception, WorldError)
        assert str(refused.exception).startswith(said)
        assert "Nothing was published" in str(refused.exception)
    assert "2020-01-01" in (output / "report.html").read_text()


def test_both_sides_share_no_instant(hours: Sides) -> None:
    """What happened at the end of one and the beginning of the other would count twice."""
    times = ("--from", "2025-10-10T22:00:00", "--compare-to", "2025-10-10T22:00:00")

    result = CliRunner().invoke(app, ["report", "--database", str(hours.database), *times])

    assert isinstance(result.exception, UserError)
    assert "both sides would hold 2025-10-10T22:00:00" in str(result.exception)


@pytest.mark.parametrize(
    "same",
    [
        ("--compare-protocol", "gmx_v2"),
        ("--from", "2025-10-10", "--compare-from", "2025-10-10"),
        ("--to", "2025-10-11", "--compare-to", "2025-10-11", "--compare-protocol", "gmx_v2"),
    ],
)
def test_nothing_is_compared_with_itself(hours: Sides, same: tuple[str, ...]) -> None:
    """Every difference would be a zero that says nothing."""
    arguments = ["report", "--database", str(hours.database), "--protocol", "gmx_v2", *same]

    result = CliRunner().invoke(app, arguments)

    assert isinstance(result.exception, UserError)
    assert "both sides are the same" in str(result.exception)


def test_one_protocol_alone_is_not_compared(hours: Sides) -> None:
    """A protocol against everything would compare a part with its whole."""
    arguments = ["report", "--database", str(hours.database), "--compare-protocol", "gmx_v2"]

    result = CliRunner().invoke(app, arguments)

    assert isinstance(result.exception, UserError)
    assert "name both protocols" in str(result.exception)
