"""The commands on a page: each of them runs, and gives the number that stands beside it."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import unescape
from io import StringIO
from pathlib import Path

import polars as pl
import pytest
from handmade import at, table, write_database
from report_rows import report_of, written_market
from simulated_world import world
from typer.testing import CliRunner

from analytics import load
from analytics.export import encoded
from analytics.formats import Format
from analytics.metrics import METRICS
from analytics.reports import summary as summary_of
from analytics.reports.cards import cards
from analytics.reports.commands import (
    answer_command,
    chart_commands,
    number_command,
    table_command,
)
from analytics.reports.context import Context
from analytics.reports.pages import html, markdown
from analytics.reports.parts import Origin, Source, Table
from analytics.reports.report import UNSHOWN, Report
from analytics.reports.scope import FACTS, Limits, Scope
from analytics.reports.sections.credit import credit
from analytics.reports.sections.exits import exits
from perpscope import app


def said(database: Path, command: str, *more: str) -> str:
    """Return what a command of a page prints."""
    given = [*shlex.split(command)[1:], "--database", str(database), *more]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, f"{command}: {result.exception}"
    return result.stdout


def numbers(database: Path, command: str) -> dict[str, str]:
    """Return the numbers that a trace says it is the trace of."""
    return dict(re.findall(r"^  (\w+) = (\S+)$", said(database, command), re.MULTILINE))


@dataclass(frozen=True)
class Shown:
    """A database and a report on it."""

    database: Path
    report: Report

    def said(self, command: str, *more: str) -> str:
        """Return what a command of the page prints."""
        return said(self.database, command, *more)

    def numbers(self, command: str) -> dict[str, str]:
        """Return the numbers that a trace says it is the trace of."""
        return numbers(self.database, command)


def simulated_books(folder: Path) -> Path:
    """Return the books of the simulated world as a database."""
    facts = {name: world().ledger.table(name) for name in FACTS}
    keys, number = ["chain_id", "protocol"], pl.col("block_number")
    each = [frame.group_by(keys).agg(number.min(), last=number.max()) for frame in facts.values()]
    spans = pl.concat(each).group_by(keys).agg(from_block=number.min(), to_block=pl.max("last"))
    return write_database(
        folder / "books.duckdb", facts | {"coverage": table("coverage", *spans.to_dicts())}
    )


SITUATIONS: dict[str, tuple[Callable[[Path], Path], Limits]] = {
    "small market": (written_market, Limits(since=at(0), until=at(80_000))),
    "simulated": (
        simulated_books,
        Limits(
            protocol="gmx_v2",
            chain_id=42161,
            since=datetime(2026, 1, 6, 20),
            until=datetime(2026, 1, 6, 23),
        ),
    ),
}


@pytest.fixture(
    scope="module",
    params=["small market", pytest.param("simulated", marks=pytest.mark.soak)],
)
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Return a report on a window, and one on a window of one protocol."""
    write, limits = SITUATIONS[request.param]
    database = write(tmp_path_factory.mktemp("commands"))
    return Shown(database, report_of(database, limits))


def test_every_trace_gives_the_number_beside_it(shown: Shown) -> None:
    """The first row of each table is traced, and its amounts come out to the last digit."""
    checked = 0
    for each in (each for section in shown.report.sections for each in section.tables):
        command = table_command(each, shown.report.limits)
        # A row of a fact names its own transaction; the trace is of the metric it is counted in.
        if not command.startswith("perpscope trace") or "tx_hash" in each.frame.columns:
            continue
        traced, row = shown.numbers(command), each.frame.row(0, named=True)
        beside = {name: f"{row[name]:f}" for name in traced if isinstance(row.get(name), Decimal)}

        assert beside.items() <= traced.items(), command
        checked += len(beside)
    assert checked > 5


def test_every_card_is_traced(shown: Shown) -> None:
    """The numbers at the top are the sums of what their commands trace."""
    summary, limits = shown.report.summary, shown.report.limits
    sums = {
        "fees_usd": summary.income.fees_usd,
        "spent_usd": summary.accrual.spent_usd,
        "notional_usd": summary.liquidations.notional_usd,
    }
    income, accrual, liquidations, _, deviation, exposure = (
        number_command(card.origins[0], limits) for card in shown.report.cards
    )

    for command, (name, value) in zip((income, accrual, liquidations), sums.items(), strict=True):
        if value:
            assert shown.numbers(command)[name] == f"{value:f}"
    assert summary.deviation is None or "--where worst_at=" in deviation
    if summary.exposure.peak_usd is not None:
        peak = shown.numbers(exposure)["open_interest_total_usd"]
        assert peak == f"{summary.exposure.peak_usd:f}"


def test_the_worst_deviation_is_traced_from_within_an_hour(tmp_path: Path) -> None:
    """One that was larger in the same hour, and before the report begins, is not in the way."""
    told = (
        (0, "chainlink", 100),
        (60, "gmx_v2", 150),
        (120, "gmx_v2", 100),
        (900, "chainlink", 100),
        (960, "gmx_v2", 90),
    )
    ether = {"asset": "ETH", "quote": "USD", "chain_id": 1}
    updates = table(
        "oracle_updates",
        *(
            ether
            | {"block_timestamp": at(second), "protocol": protocol, "oracle_price_quote": price}
            for second, protocol, price in told
        ),
    )
    limits = Limits(since=at(900), until=at(80_000))
    database = written_market(tmp_path, oracle_updates=updates)

    shown = cards(summary_of(database, limits))
    (card,) = (each for each in shown if each.label == "Worst oracle deviation")
    traced = said(database, number_command(card.origins[0], limits))

    assert card.value == "-1,000.0 bps"
    assert "worst_deviation_bps=-1000.0" in traced.replace(" = ", "=")


def test_the_number_beside_is_traced_as_well(shown: Shown) -> None:
    """Protocol revenue is no fee, and what was open at the end no peak: each has a command."""
    limits, numbers = shown.report.limits, shown.report.summary
    seconds = {
        origin.said: number_command(origin, limits)
        for card in shown.report.cards
        for origin in card.origins[1:]
    }

    revenue = shown.numbers(seconds["protocol revenue"])["revenue_usd"]
    assert revenue == f"{numbers.income.revenue_usd:f}"
    if numbers.accrual.buyer is not None:
        told = shown.numbers(seconds["executed"])
        assert told["buyback_ratio"] == str(numbers.accrual.buyback_ratio or "not known")
    if "at the end" in seconds:
        final = shown.numbers(seconds["at the end"])["open_interest_total_usd"]
        assert final == f"{numbers.exposure.final_usd:f}"


def test_every_chart_is_traced(shown: Shown) -> None:
    """The first row behind a chart is traced, and its amounts come out to the last digit."""
    for chart in (each for section in shown.report.sections for each in section.charts):
        again, command = chart_commands(chart, shown.report.limits)
        source = chart.traced or chart.source

        assert again.startswith(("perpscope metric ", "perpscope query "))
        assert command.startswith(f"perpscope trace {source.asked} ")
        traced, row = shown.numbers(command), source.frame.row(0, named=True)
        beside = {name: f"{row[name]:f}" for name in traced if isinstance(row.get(name), Decimal)}
        assert "--together" in command or beside.items() <= traced.items(), command


def test_the_page_has_every_command(shown: Shown) -> None:
    """Both forms print the commands of cards and charts, and link each to its methodology."""
    report, limits = shown.report, shown.report.limits
    wanted = [number_command(each, limits) for card in report.cards for each in card.origins]
    for section in report.sections:
        wanted += [each for chart in section.charts for each in chart_commands(chart, limits)]

    page = unescape(re.sub("</?span>", "", html(report, {})))
    for text in (page, markdown(report, {})):
        assert [command for command in wanted if command not in text] == []
    assert "(#metric-protocol_revenue)" in markdown(report, {})


def test_the_peak_is_traced_to_what_was_open_then(tmp_path: Path) -> None:
    """Open interest of all markets at its peak: its number, and the latest event of each side."""
    rows = [
        {"chain_id": 42161, "protocol": "gmx_v2", "version": "v2.1", "market": market}
        | {"is_long": is_long, "open_interest_usd": usd, "log_index": place}
        | {
            "block_number": 100 + place,
            "block_timestamp": at(seconds),
            "tx_hash": f"0x{place:064x}",
        }
        for place, (market, is_long, usd, seconds) in enumerate(
            (
                *(("A", True, 8, -7200), ("A", False, 0, -7200), ("A", True, 10, -3600)),
                *(("B", True, "5.000000000000000001", 60), ("B", False, 7, 120)),
                *(("A", True, 1, 7200), ("B", False, 8, 7200)),
            )
        )
    ]
    database = written_market(tmp_path, open_interest=table("open_interest", *rows))
    limits = Limits(since=at(0), until=at(80_000))
    card = cards(summary_of(database, limits))[-1]

    command = number_command(card.origins[0], limits)

    assert card.exact == "$22.000000000000000001"
    assert numbers(database, command)["open_interest_total_usd"] == "22.000000000000000001"
    facts = pl.read_csv(StringIO(said(database, command, "--format", "csv")), infer_schema=False)
    assert facts["tx_hash"].to_list() == [f"0x{place:064x}" for place in (1, 2, 3, 4)]


def test_a_row_that_is_alone_in_the_window_is_traced_alone(tmp_path: Path) -> None:
    """A table without times has one row of a market, which earlier periods have rows of as well."""
    rows = [
        {"protocol": "gmx_v2", "chain_id": 42161, "market": "A", "log_index": place}
        | {"open_interest_delta_usd": usd, "block_timestamp": at(seconds)}
        for place, (usd, seconds) in enumerate(((8, -7200), (10, -3600), (5, 60)))
    ]
    database = written_market(tmp_path, open_interest=table("open_interest", *rows))
    limits = Limits(since=at(0), until=at(80_000))
    with load.database(database) as con:
        found = Scope(con, limits).metric("open_interest", with_past=True)
    source = Source("of_markets", "metric", "open_interest", found, with_past=True)
    shown = Table("Markets", (), (), source=source, keys=("market",), frame=found.select("market"))

    traced = said(database, table_command(shown, limits))

    assert found.height == 1
    assert re.findall(r"open_interest_long_usd = (\d+)", traced) == ["23"]


def test_a_number_of_no_rows_has_a_command_that_runs(tmp_path: Path) -> None:
    """Where there is nothing to trace, the command gives the rows, of which there are none."""
    nothing = {name: table(name) for name in FACTS}
    database = written_market(tmp_path, **nothing)

    for origin in (each for card in cards(summary_of(database)) for each in card.origins):
        command = number_command(origin, Limits())
        assert command.startswith(f"perpscope metric {origin.metric}")
        assert len(said(database, command, "--format", "csv").splitlines()) == 1, command


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Return a report on 30 hours that hold a whole day."""
    fee = {"protocol": "gmx_v2", "chain_id": 42161, "fee_usd": 1}
    hours = (0, 4, 20, 28)  # from 21:00 on: one before midnight, two of the next day, one after
    fees = table("fees", *(fee | {"block_timestamp": at(3600 * hour)} for hour in hours))
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    ends = [{"number": 100, "timestamp": at(0)}, {"number": 200, "timestamp": at(108_000)}]
    blocks = table("blocks", *(block | end for end in ends))
    database = written_market(tmp_path_factory.mktemp("day"), fees=fees, blocks=blocks)
    return Shown(database, report_of(database, Limits(since=at(0), until=at(108_000))))


def test_a_window_that_is_the_report_is_traced_as_that(whole_day: Shown) -> None:
    """A year is told from the whole day of 30 hours, without the hours beside it."""
    tables = [each for section in whole_day.report.sections for each in section.tables]
    yearly = next(each for each in tables if each.source and each.source.asked == "run_rate")

    traced = whole_day.numbers(table_command(yearly, whole_day.report.limits))

    assert yearly.caption == "As a year, from 1 whole UTC day up to 2025-10-11"
    assert yearly.frame["fees_annual_usd"].to_list() == [730]
    assert traced["fees_annual_usd"] == "730.0"


@pytest.mark.parametrize(
    "is_empty",
    # That commands without an answer run is shown above, by the cards of an empty market.
    [pytest.param(False, id="rows"), pytest.param(True, id="no rows", marks=pytest.mark.soak)],
)
def test_every_metric_gives_the_exported_rows_again(shown: Shown, is_empty: bool) -> None:
    """The command under a chart has the rows of its file, or more where it looks back."""
    for each in shown.report.sources:
        if each.kind != "metric" or each.name != each.asked or each.is_summed:
            continue
        if each.frame.is_empty() != is_empty:
            continue
        if each.asked == "liquidation_velocity":  # only the fastest window is exported
            continue
        told = shown.said(answer_command(each, shown.report.limits), "--format", "csv")
        if each.with_past:
            assert len(told.splitlines()) > each.frame.height, each.name
        else:
            assert told.encode() == encoded(each.frame, Format.CSV), each.name


def test_every_query_gives_the_exported_rows_again(shown: Shown) -> None:
    """The command of a query is limited as the report is, so its rows are those of the file."""
    for each in shown.report.sources:
        if each.kind == "query":
            told = shown.said(answer_command(each, shown.report.limits), "--format", "csv")

            assert told.encode() == encoded(each.frame, Format.CSV), each.name


def test_every_metric_is_shown_or_named(whole_day: Shown) -> None:
    """A report of whole days has rows of each metric, but for those that say why not."""
    asked = {each.asked for each in whole_day.report.sources if each.kind == "metric"}

    assert sorted(asked & UNSHOWN.keys()) == []
    unshown = sorted(METRICS.keys() - asked)
    assert unshown == sorted(UNSHOWN), "show it in a section, or say in UNSHOWN why not"


def test_every_account_is_exported(tmp_path: Path) -> None:
    """Of 60 accounts that were liquidated, cut or seized, none is left out of the files."""
    names = [{"account": f"0x{index:02}"} for index in range(60)]
    seized = {"kind": "liquidation", "pool": "0xp"}
    frames = {
        "liquidations": table("liquidations", *names),
        "adls": table("adls", *names),
        "credit_events": table("credit_events", *(seized | each for each in names)),
    }

    with load.database(written_market(tmp_path, **frames)) as con:
        context = Context(Scope(con))
        shown = [each for section in (exits, credit) for each in section(context).sources]
    sources = {each.asked: each for each in shown}

    for name in ("liquidated_accounts", "adl_victims", "lending_liquidations"):
        assert sources[name].frame.height == 60, name


@pytest.mark.parametrize(("market", "fee"), [(None, 3), ("null", 4)])
def test_a_market_that_is_called_null_is_not_the_unknown_one(
    tmp_path: Path, market: str | None, fee: int
) -> None:
    """Whoever names a market null is found by a command, and so is what has no market."""
    rows = ({"market": None, "fee_usd": 3}, {"market": "null", "fee_usd": 4})
    path = write_database(tmp_path / "p.duckdb", {"fees": table("fees", *rows)})

    command = number_command(Origin("fees", {"market": market}), Limits())

    assert Decimal(numbers(path, command)["fees_usd"]) == fee
