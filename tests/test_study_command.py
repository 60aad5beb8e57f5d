"""`perpscope study`: what is printed, what is written, and what a mistake looks like."""

import json
import re
import shlex
from collections.abc import Callable
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from handmade import at, table, write_database
from typer.testing import CliRunner, Result

from analytics.errors import UserError
from analytics.reports.digests import file_digest
from analytics.studies.files import FILES
from perpscope import app

Run = Callable[..., Result]

STUDY = "hyperliquid-2025-10-10"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder with one file of the study, of three clusters that overshoot 28 times."""
    path = tmp_path / "data" / FILES["queue_clusters"].path
    path.parent.mkdir(parents=True)
    path.write_text("deficit_usd,overshoot_queue_usd\n1,20\n1,36\n0,0\n", encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with a liquidation and two waves of ADLs, a minute apart."""
    exits = [{"block_timestamp": at(seconds), "notional_usd": "50"} for seconds in (0, 60, 120)]
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    frames = {
        "liquidations": table("liquidations", exits[0]),
        "adls": table("adls", *exits[1:]),
        "coverage": table("coverage", {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")),
    }
    return write_database(tmp_path_factory.mktemp("study") / "p.duckdb", frames)


@pytest.fixture(scope="module")
def run() -> Run:
    """Return what calls `perpscope study`; what it raises on purpose is raised."""
    return lambda *arguments: CliRunner().invoke(
        app, ["study", *map(str, arguments)], catch_exceptions=False
    )


def test_without_a_name_the_studies_are_listed(run: Run) -> None:
    """A line each."""
    result = run()

    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [STUDY, "event"]


def test_what_was_open_before_the_window_counts(run: Run, tmp_path: Path) -> None:
    """300 were open, then 200, then 120 at 21:05: two fifths went. Silent markets have no row."""
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    told = ((-1200, "300"), (-600, "200"), (300, "120"))
    is_open = [
        {
            "block_number": number,
            "block_timestamp": at(seconds),
            "open_interest_usd": usd if is_long else "0",
            "is_long": is_long,
        }
        for number, (seconds, usd) in enumerate(told)
        for is_long in (True, False)
    ]
    silent = [row | {"market": "ETH"} for row in is_open[:4]]
    frames = {
        "open_interest": table("open_interest", *is_open, *silent),
        "coverage": table("coverage", {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")),
    }
    database = write_database(tmp_path / "p.duckdb", frames)
    words = ("event", "--from", "2025-10-10T21:00", "--format", "json", "--database", database)

    found = json.loads(run(*words).stdout)

    drawdowns = [each["value"] for each in found if each["figure"] == "drawdown_usd_ratio"]
    assert drawdowns == ["-0.4"]


def test_an_unknown_study_is_a_mistake(run: Run) -> None:
    """It exits 2, as every wrong request does."""
    assert run("nope").exit_code == 2
    assert run(STUDY).exit_code == 2
    for option in ("--gap-ms", "--limit-bps"):
        assert run("event", option, "9" * 40).exit_code == 2


def test_a_table_per_theme(run: Run, data: Path) -> None:
    """Verdicts first; a figure that differs is a finding, not a failure."""
    result = run(STUDY, "--data", data)

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{STUDY}: match: 1, differs: 1, unpublished: 2, ")
    assert "\nCorrection 3: waves left out\n" in result.stdout
    assert "hyperliquid/adl_by_coin_REALTIME.csv.gz is not there" in result.stdout


def test_rows_for_other_programs(run: Run, data: Path) -> None:
    """JSON has every claim with all digits; Parquet needs a place."""
    found = json.loads(run(STUDY, "--data", data, "--format", "json").stdout)
    multiple = next(each for each in found if each["key"] == "queue_overshoot.overshoot_multiple")

    assert (multiple["published"], multiple["computed"]) == ("28", "28.0")
    assert multiple["verdict"] == "match"
    with pytest.raises(UserError, match="--output"):
        run(STUDY, "--data", data, "--format", "parquet")


def test_nothing_to_read_is_an_error(run: Run, tmp_path: Path) -> None:
    """It exits 2: the user named another folder."""
    with pytest.raises(UserError, match="--data"):
        run(STUDY, "--data", tmp_path)


def test_a_study_is_written_like_a_report(run: Run, data: Path, tmp_path: Path) -> None:
    """Pages, rows and a manifest with the digests of what was read and of what was written."""
    folder = tmp_path / "out"

    result = run(STUDY, "--data", data, "--output", folder)

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    read = {each["file"]: each["sha256"] for each in manifest["inputs"]["files"]}
    assert result.stdout == f"{folder / 'report.html'}\n"
    assert read[FILES["queue_clusters"].path] == file_digest(data / FILES["queue_clusters"].path)
    assert manifest["files"]["report.md"] == file_digest(folder / "report.md")
    clusters = rf"{read[FILES['queue_clusters'].path]} \| [\d,]+ \| none \|"
    assert re.search(clusters, (folder / "report.md").read_text(encoding="utf-8"))
    assert "Σ overshoot / Σ deficit" in (folder / "report.html").read_text(encoding="utf-8")
    assert pl.read_parquet(folder / "parquet" / "figures.parquet").height == 181


def ranked(cell: tuple[str, str]) -> int:
    """Return the place of a cell in its column."""
    return int(cell[0])


def test_what_a_study_says_is_sorted_and_not_grey(run: Run, data: Path, tmp_path: Path) -> None:
    """Every cell that says something has a place in its column: numbers by value, then words."""
    run(STUDY, "--data", data, "--output", tmp_path / "out")

    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    theme = page.partition('id="theme-1"')[2].partition("</table>")[0]
    cells = re.findall(r'<td class="number[^"]*" data-rank="(\d+)"[^>]*>([^<]+)</td>', theme)
    amounts = [float(text.replace(",", "")) for _, text in sorted(cells, key=ranked)]
    assert len(amounts) > 15
    assert amounts == sorted(amounts)
    assert not re.search(r'unknown"[^>]*>[^<]', theme)


def test_writing_twice_gives_the_same_bytes(run: Run, data: Path, tmp_path: Path) -> None:
    """A study in the folder is replaced; no clock is in it."""
    folder = tmp_path / "out"

    run(STUDY, "--data", data, "--output", folder)
    first = (folder / "manifest.json").read_bytes()
    run(STUDY, "--data", data, "--output", folder)

    assert (folder / "manifest.json").read_bytes() == first


def test_another_folder_is_not_replaced(run: Run, data: Path) -> None:
    """What is no study stays."""
    with pytest.raises(UserError, match="will not be replaced"):
        run(STUDY, "--data", data, "--output", data)


def test_an_event_of_the_database(run: Run, database: Path) -> None:
    """Two waves of ADLs a minute after the liquidation, and what did not happen."""
    result = run("event", "--database", database)

    assert result.exit_code == 0
    assert "\n- Finality: " in result.stdout
    assert "\nADL waves\n" in result.stdout
    assert "Nothing in this window for: Drawdowns, Funding signs" in result.stdout


def test_an_event_is_limited_to_its_window(run: Run, database: Path) -> None:
    """The second ADL is after the end, a pause of a minute is inside a longer gap."""
    until = ("event", "--database", database, "--to", "2025-10-10T21:01", "--format", "csv")
    joined = ("event", "--database", database, "--gap-ms", 60_000, "--format", "csv")

    assert "forced_exits,venue,,adl_count,1" in run(*until).stdout
    assert "adl_waves,venue,wave=1,adl_count,2" in run(*joined).stdout


def test_each_number_of_an_event_has_a_name_of_its_own(run: Run, database: Path) -> None:
    """Two sources that published one total are two; asked of a venue, every venue is none."""
    words = ("event", "--database", database, "--format", "json")

    found = json.loads(run(*words).stdout)
    own = json.loads(run(*words, "--protocol", "venue").stdout)

    names = [(each["table"], each["protocol"], each["subject"], each["figure"]) for each in found]
    assert len(names) == len(set(names))
    assert ("published_totals", "every venue") in {name[:2] for name in names}
    assert {each["protocol"] for each in own} == {"venue"}


def test_an_event_since_the_first_year_is_one_without_a_beginning(run: Run, database: Path) -> None:
    """No minute is before it, and none is looked for."""
    asked = ("event", "--database", database, "--format", "csv")

    assert run(*asked, "--from", "0001-01-01").stdout == run(*asked).stdout


def test_an_event_is_written_with_its_facts(run: Run, database: Path, tmp_path: Path) -> None:
    """Each number's rows are there, each row with its transaction."""
    folder = tmp_path / "out"

    run("event", "--database", database, "--output", folder)

    facts = pl.read_parquet(folder / "parquet" / "adls.parquet")
    assert facts.height == 2
    assert facts["tx_hash"].null_count() == 0
    assert "## ADL waves" in (folder / "report.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def written(run: Run, database: Path) -> Path:
    """Return the folder about an event that ends before the last ADL."""
    words = ("--database", database, "--to", "2025-10-10T21:01", "--protocol", "venue")
    run("event", *words, "--output", database.with_name("out"))
    return database.with_name("out")


@pytest.fixture(scope="module")
def page(written: Path) -> str:
    """Return the page in it."""
    text = (written / "report.html").read_text(encoding="utf-8")
    return unescape(re.sub("</?span>", "", text))


def test_an_event_is_compared_with_nothing(page: str, written: Path) -> None:
    """No change stands beside a number, not even one that is not known."""
    assert 'class="card"' in page
    assert 'class="change"' not in page
    assert "| | |  | | |" in (written / "report.md").read_text(encoding="utf-8")


def test_a_command_of_an_event_is_of_its_window(page: str, database: Path) -> None:
    """The card says 50 dollars cut by the end of the window, and so does its command."""
    commands = re.findall(r"<code>perpscope (.*?)</code>", page)
    (cut,) = (each for each in commands if each.startswith("trace adls "))

    result = CliRunner().invoke(app, [*shlex.split(cut), "--database", str(database)])

    assert all("--protocol venue --to 2025-10-10T21:01" in each for each in commands)
    assert "$50.00" in page
    assert "  notional_usd = 50.0" in result.stdout


def test_a_figure_has_a_command_of_its_own(page: str, run: Run, database: Path) -> None:
    """The study itself gives it again, with the settings that it was made with."""
    said = "perpscope study event --gap-ms 5000 --protocol venue --to 2025-10-10T21:01"

    assert f"<code>{said}" in page
    words = shlex.split(said)[2:]
    assert (
        "adl_waves,venue,wave=1,adl_count,1"
        in run(*words, "--format", "csv", "--database", database).stdout
    )


def test_no_link_of_a_study_leads_nowhere(
    page: str, written: Path, run: Run, data: Path, tmp_path: Path
) -> None:
    """What a page links to is on it or in its folder."""
    run(STUDY, "--data", data, "--output", tmp_path / "record")
    record = (tmp_path / "record" / "report.html").read_text(encoding="utf-8")

    for folder, text in ((written, page), (tmp_path / "record", record)):
        targets = {f"#{each}" for each in re.findall(r' id="([^"]+)"', text)}
        links = set(re.findall(r' href="(?!https:)([^"]+)"', text))
        files = {each for each in links if not each.startswith("#")}
        assert links - files <= targets
        assert {"tables.xlsx", "dictionary.md"} <= files
        assert [each for each in files if not (folder / each).is_file()] == []


def test_what_adls_took_is_told_of_any_window(run: Run, database: Path) -> None:
    """Budget, overshoot, leverage and the share of a backstop are tables of an event."""
    found = json.loads(run("event", "--database", database, "--format", "json").stdout)

    told = {(each["table"], each["figure"]) for each in found}
    assert told >= {
        ("adl_budget", "needed_budget_usd"),
        ("adl_budget", "haircut_usd"),
        ("adl_budget", "overshoot_usd"),
        ("adl_to_liquidation", "adl_to_backstop_ratio"),
        ("leverage_at_liquidation", "median_leverage"),
    }


def test_positions_opened_before_the_window_owe_as_well(run: Run, tmp_path: Path) -> None:
    """Two shorts owe 30 each, one opened three days before; a long has 40 to win, two thirds."""
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    opened = {
        "size_delta_tokens": 2,
        "size_tokens": 2,
        "execution_price_usd": 80,
        "collateral_delta_usd": 10,
        "is_long": False,
    }
    positions = (
        opened | {"account": "0xb", "block_timestamp": at(days=-3)},
        opened | {"account": "0xc", "block_timestamp": at(0), "block_number": 2},
        opened | {"account": "0xd", "block_timestamp": at(0), "block_number": 2, "is_long": True},
    )
    cut = {"account": "0xe", "is_long": True, "execution_price_usd": 100}
    frames = {
        "position_changes": table("position_changes", *positions),
        "adls": table("adls", cut | {"block_timestamp": at(60), "block_number": 3}),
        "coverage": table("coverage", {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")),
    }
    database = write_database(tmp_path / "p.duckdb", frames)
    words = ("event", "--from", "2025-10-10T21:00", "--database", database)

    found = json.loads(run(*words, "--format", "json").stdout)
    run(*words, "--output", tmp_path / "study")

    figures = {(each["table"], each["figure"]): each["value"] for each in found}
    assert figures["adl_deficits", "position_count"] == "3"
    assert figures["adl_deficits", "deficit_usd"] == "60.0"
    assert figures["adl_solvency", "ptsr"].startswith("0.66666")
    page = (tmp_path / "study" / "report.md").read_text(encoding="utf-8")
    assert "| gains, USD | deficit, USD | PTSR | PMR | needed |" in page
    assert "| 40.00 | 60.00 | 0.667 | 1.333 | 100.0 % |" in page
    setting = "--setting gap_milliseconds=5000 --where protocol=venue"
    assert f"`perpscope trace adl_deficits {setting} --from 2025-10-10T21:00:00`" in page


@pytest.mark.parametrize(
    "wrong",
    [
        ("--from", "yesterday"),
        ("--from", "2025-10-11", "--to", "2025-10-10"),
        ("--protocol", "nobody"),
    ],
)
def test_a_wrong_window_is_a_mistake(run: Run, database: Path, wrong: tuple[str, ...]) -> None:
    """The message says which option."""
    with pytest.raises(UserError):
        run("event", "--database", database, *wrong)
