"""The folder of a report: the same bytes every time, exact, whole or not there."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from errno import EBUSY, ENOSPC
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest
import vl_convert
from handmade import at, load, write_database
from polars.testing import assert_frame_equal
from report_rows import market, report_of, written_market
from test_report_dictionary import undescribed
from typer.testing import CliRunner, Result

from analytics.compute import collected, compute
from analytics.errors import AnalyticsError, UserError, WorldError
from analytics.load import database as opened
from analytics.reports import Limits, write_report
from analytics.reports.bundle import replace_folder
from analytics.reports.chain_names import CHAIN_NAMES
from analytics.reports.context import Context
from analytics.reports.digests import rows_digest
from analytics.reports.manifest import versions
from analytics.reports.scope import Scope
from analytics.reports.sections.exits import exits
from indexer.chains import CHAINS
from perpscope import app


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of the small market."""
    return written_market(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def folder(database: Path) -> Path:
    """Return its report, written once."""
    return write_report(database, database.parent / "report")


@pytest.fixture(scope="module")
def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of that report."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path inside."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def stated(folder: Path, word: str = "", *files: str) -> None:
    """Write the manifest of a report that has these files."""
    said = {"format": "perpscope-report/2", "word": word, "files": dict.fromkeys(files, "")}
    (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")


def run(*arguments: str | Path) -> Result:
    """Run `perpscope report`."""
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.mark.soak  # tests/test_replay_report.py writes reports again and compares
def test_twice_is_the_same(database: Path, folder: Path, tmp_path: Path) -> None:
    """The same database gives the same bytes in every file, drawn again in the same process."""
    again = write_report(database, tmp_path / "again")

    assert contents(again) == contents(folder)


def test_row_order_is_not_in_the_bytes(folder: Path, tmp_path: Path) -> None:
    """The same rows stored in another order give the same report."""
    turned = {name: frame.reverse() for name, frame in market().items()}
    path = write_database(tmp_path / "turned.duckdb", turned)

    again = write_report(path, tmp_path / "again")

    assert contents(again) == contents(folder)


def test_csv_and_parquet_are_the_metric(folder: Path) -> None:
    """The exported rows are the metric, with all digits."""
    expected = collected(compute("fees", load(**market())))

    parquet = pl.read_parquet(folder / "parquet" / "fees.parquet")
    csv = pl.read_csv(folder / "csv" / "fees.csv", infer_schema=False)

    assert_frame_equal(parquet, expected)
    assert [Decimal(text) for text in csv["fees_usd"]] == expected["fees_usd"].to_list()
    assert "20.000000000000000001" in csv["fees_usd"].to_list()


def test_every_export_is_in_every_form(folder: Path, manifest: dict[str, Any]) -> None:
    """Each source has one CSV, JSON and Parquet file and a sheet, with the rows of the manifest."""
    entries = [entry for section in manifest["sections"].values() for entry in section]

    names = [entry["name"] for entry in entries]

    assert len(names) == len(set(names))
    for form in ("csv", "json", "parquet"):
        assert {path.name for path in (folder / form).iterdir()} == {f"{n}.{form}" for n in names}
    with ZipFile(folder / "tables.xlsx") as book:
        sheets = re.findall(r'<sheet name="(\w+)"', book.read("xl/workbook.xml").decode())
    assert sheets == ["about", "dictionary", *names]
    for entry in entries:
        rows = pl.read_parquet(folder / "parquet" / f"{entry['name']}.parquet")
        plain = json.loads((folder / "json" / f"{entry['name']}.json").read_text("utf-8"))
        assert (rows.height, rows_digest(rows)) == (entry["rows"], entry["digest"])
        assert len(plain) == entry["rows"]


def test_a_workbook_alone_says_what_it_is(folder: Path) -> None:
    """Sent without its report it tells that its numbers are simulated, and what is missing."""
    with ZipFile(folder / "tables.xlsx") as book:
        texts = book.read("xl/sharedStrings.xml").decode()

    assert "<t>SIMULATED DATA</t>" in texts
    assert "<t>Gaps: " in texts


def test_every_exported_column_is_in_the_dictionary(folder: Path) -> None:
    """What is in the files is in it, in the same order, and each has a meaning of its own."""
    listed = pl.read_csv(folder / "dictionary.csv")

    files = (*folder.glob("parquet/*.parquet"), folder / "transactions.parquet")
    found = {path.stem: list(pl.read_parquet_schema(path)) for path in files}
    assert {
        table: frame["column"].to_list()
        for (table,), frame in listed.group_by("table", maintain_order=True)
    } == found
    assert listed["meaning"].null_count() == listed["dtype"].null_count() == 0
    assert undescribed(listed["column"].unique().sort()) == []


def test_every_chart_is_a_drawing_and_a_picture(folder: Path) -> None:
    """Beside each SVG lies the same as PNG, twice as large; what is not seen changes no pixel."""
    drawings = sorted(folder.glob("charts/*.svg"))
    pictures = {path.stem: path.read_bytes() for path in folder.glob("charts/*.png")}

    assert any('class="moment"' in path.read_text("utf-8") for path in drawings)
    assert pictures == {
        path.stem: vl_convert.svg_to_png(path.read_text("utf-8"), scale=2) for path in drawings
    }


def test_the_manifest_names_input_and_versions(manifest: dict[str, Any]) -> None:
    """Coverage with its digests, where the data is from, settings and versions are written down."""
    coverage = manifest["inputs"]["coverage"]

    assert {row["logs_digest"] for row in coverage} == {"ab"}
    assert {row["declaration_digest"] for row in coverage} == {"d1"}
    assert manifest["data"] == {"ethereum": "simulated", "arbitrum": "simulated"}
    assert set(manifest["versions"]) == {"perpscope", "duckdb", "polars"}
    assert manifest["summary"]["income"]["fees_usd"] == "25.000000000000000001"
    entries = {entry["name"]: entry for entry in manifest["sections"]["buybacks"]}
    assert entries["buyback_ratio"]["settings"] == {"window_days": 30}


def test_transactions_of_a_large_table_are_not_listed(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows and their digest are told; of the small ones, the transactions as well."""
    monkeypatch.setattr("analytics.reports.manifest._LISTED_ROWS", 2)

    output = write_report(database, tmp_path / "report")

    told = json.loads((output / "manifest.json").read_text(encoding="utf-8"))["inputs"]["facts"]
    assert told["fees"] == {"rows": 3, "digest": told["fees"]["digest"]}
    assert (told["buybacks"]["rows"], told["buybacks"]["transactions"]) == (1, 1)
    listed = set(pl.read_parquet(output / "transactions.parquet")["table"])
    assert {"buybacks", "fees"} & listed == {"buybacks"}


def test_what_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout that is run from its folder."""
    monkeypatch.setattr("analytics.reports.manifest._ENGINES", ("no-such-package",))

    assert versions() == {"no-such-package": "not installed"}


def test_the_manifest_digests_every_file(folder: Path, manifest: dict[str, Any]) -> None:
    """Each file but the manifest has its SHA-256 in it."""
    found = {
        name: sha256(content).hexdigest()
        for name, content in contents(folder).items()
        if name != "manifest.json"
    }

    assert manifest["files"] == found


def test_a_digest_sees_every_difference() -> None:
    """Row order does not matter; a digit, a type, a null or a column's name does."""
    rows = pl.DataFrame({"a": ["x", ""], "b": [1, 2]})

    digests = {
        rows_digest(frame)
        for frame in (
            rows,
            rows.reverse(),
            rows.with_columns(pl.col("b") + 1),
            rows.with_columns(pl.col("b").cast(pl.Int32)),
            rows.with_columns(a=pl.Series(["x", None])),
            rows.with_columns(a=pl.Series(["x", "\\N"])),
            rows.rename({"b": "c"}),
        )
    }

    assert len(digests) == 6


def test_limits_reach_every_query(database: Path) -> None:
    """With a protocol named, no exported row speaks of another one, but for prices."""
    whole = report_of(database, Limits(protocol="gmx_v2"))
    frames = {source.name: source.frame for source in whole.sources}
    found = {
        (name, protocol)
        for name, frame in frames.items()
        if "protocol" in frame.columns
        for protocol in frame["protocol"].unique()
    }

    others = {name for name, protocol in found if protocol != "gmx_v2"}
    assert others <= {"cascade_stages", "event_drops", "venue_lead_lag"}
    assert frames["liquidated_accounts"].height == 2


def test_time_limits_reach_queries(database: Path) -> None:
    """What happened before or after the time asked for is in no answer."""
    accounts = []
    for limits in (Limits(until=at(10)), Limits(since=at(10))):
        with opened(database) as con:
            sources = exits(Context(Scope(con, limits))).sources
        frames = {source.name: source.frame for source in sources}
        accounts.append(frames["liquidated_accounts"]["account"].to_list())

    assert accounts == [["0xb"], ["0xa"]]


def test_a_report_replaces_a_report(database: Path, folder: Path, tmp_path: Path) -> None:
    """Written again with other limits, nothing of the first report is left."""
    output = copytree(folder, tmp_path / "report")
    (output / "charts" / "stale.svg").write_text("old", encoding="utf-8")
    stated(output, "", *contents(output))

    write_report(database, output, Limits(chain_id=1))

    assert not (output / "charts" / "stale.svg").exists()
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    "names", [["notes.txt"], ["report.html"], ["manifest.json", "notes.txt"]], ids=" ".join
)
def test_what_is_not_a_report_is_never_replaced(
    database: Path, tmp_path: Path, names: list[str]
) -> None:
    """A folder with anything of the user's, or without a manifest, is refused and kept."""
    output = tmp_path / "mine"
    output.mkdir()
    for name in names:
        (output / name).write_text("mine", encoding="utf-8")

    with pytest.raises(UserError, match="is not a perpscope report"):
        write_report(database, output)

    assert contents(output) == dict.fromkeys(names, b"mine")


@pytest.mark.parametrize("name", ["csv/notes.csv", "charts/mine/drawn.svg"])
def test_a_file_that_no_manifest_names_is_never_lost(tmp_path: Path, name: str) -> None:
    """What a user put beside the tables of a report is not of the report, and has no copy."""
    output, mine = tmp_path / "report", tmp_path / "report" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    (mine.parent / "old").touch()
    stated(output, "", f"{name.rpartition('/')[0]}/old")

    with pytest.raises(UserError, match=rf"is not a perpscope report \(found {name}\)"):
        replace_folder(output, stated)

    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "said", ['{"name": "an app", "files": {}}', '{"format": "perpscope-report/2"}', "[]", "{"]
)
def test_a_manifest_of_something_else_makes_no_report(tmp_path: Path, said: str) -> None:
    """Data sets and web pages have one of this name, beside folders that are named as ours."""
    output = tmp_path / "app"
    output.mkdir()
    (output / "manifest.json").write_text(said, encoding="utf-8")

    with pytest.raises(UserError, match=r"found a manifest.json of something else"):
        replace_folder(output, stated)

    assert contents(tmp_path) == {"app/manifest.json": said.encode()}


def test_a_report_since_the_first_year_is_one_without_a_beginning(
    database: Path, tmp_path: Path
) -> None:
    """No period is before it, and none is looked for."""
    begun = write_report(database, tmp_path / "begun", Limits(since=datetime.min))
    whole = write_report(database, tmp_path / "whole")

    told = [
        {name: rows for name, rows in contents(folder).items() if name.startswith("csv/")}
        for folder in (begun, whole)
    ]
    assert told[0] == told[1] != {}


def test_a_full_disk_leaves_the_old_report(tmp_path: Path) -> None:
    """When writing stops halfway the folder is as it was, and nothing lies beside it."""
    output = tmp_path / "report"
    output.mkdir()
    stated(output, "old")
    old = contents(output)

    with pytest.raises(WorldError, match="No space left on device; make room"):
        replace_folder(output, running_out_of_space)

    assert contents(output) == old
    assert list(tmp_path.iterdir()) == [output]


KILLED = """
import os, sys
from pathlib import Path
from analytics.reports.bundle import replace_folder
def write(folder):
    (folder / "report.html").write_text("half", encoding="utf-8")
    os.kill(os.getpid(), 9)
replace_folder(Path(sys.argv[1]), write)
"""


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """It is as large as a report, and nobody sees it; who is still writing is left alone."""
    output = tmp_path / "report"
    subprocess.run([sys.executable, "-c", KILLED, str(output)], check=False)
    [left] = tmp_path.iterdir()

    def write(folder: Path) -> None:
        """Write, and somebody else does meanwhile."""
        assert not left.exists()
        stated(folder, "first")
        replace_folder(output, stated)
        assert folder.exists()

    replace_folder(output, write)

    assert b"first" in contents(output)["manifest.json"]
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("is_after", [True, False])
def test_two_reports_put_into_a_folder_at_once_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_after: bool
) -> None:
    """Another run is quicker between the two steps of ours, or before them: its report stands."""
    output, theirs, rename = tmp_path / "report", tmp_path / "theirs", Path.rename

    def raced(source: Path, target: Path) -> Path:
        """Rename, and let the other run have its turn before or after the first step."""
        if target.name.endswith(".old") and not is_after:
            rename(source, tmp_path / "aside")
        done = rename(source, target)
        if target.name.endswith(".old"):
            rename(theirs, source)
        return done

    for place in (output, theirs):
        place.mkdir()
        stated(place, place.name)
    monkeypatch.setattr(Path, "rename", raced)

    with pytest.raises(WorldError, match="another run put a report into"):
        replace_folder(output, stated)

    kept = output if is_after else tmp_path / "aside"
    assert (b"theirs" if is_after else b'report"') in contents(kept)["manifest.json"]
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_moved_keeps_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume that is mounted there is busy, which is said."""
    output = tmp_path / "report"
    output.mkdir()
    stated(output, "old")
    old = contents(output)

    def busy(*_: Path) -> Path:
        """Refuse as for a mount point."""
        raise OSError(EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "rename", busy)

    with pytest.raises(
        WorldError, match=r"written to .*report: Device or resource busy; mend that"
    ):
        replace_folder(output, stated)

    assert contents(output) == old
    assert list(tmp_path.iterdir()) == [output]


def test_what_came_into_the_folder_meanwhile_is_not_removed(tmp_path: Path) -> None:
    """A report takes minutes, and its folder is a user's place to keep notes in."""
    output = tmp_path / "report"

    def write(folder: Path) -> None:
        """Write, and the user does as well."""
        stated(folder)
        output.mkdir()
        (output / "notes.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(UserError, match=r"is not a perpscope report \(found notes.txt\)"):
        replace_folder(output, write)

    assert contents(output) == {"notes.txt": b"mine"}


def test_an_old_report_is_left_until_there_is_a_new_one(tmp_path: Path) -> None:
    """Who is killed between putting one aside and the other in its place has that one alone."""
    output, old = tmp_path / "report", tmp_path / f".report.{'0' * 32}.old"
    old.mkdir()
    stated(old)

    def write(folder: Path) -> None:
        """Write; the old one is still there."""
        assert old.exists()
        stated(folder)

    replace_folder(output, write)
    replace_folder(output, stated)

    assert list(tmp_path.iterdir()) == [output]


def running_out_of_space(folder: Path) -> None:
    """Write one file, and then find no space."""
    (folder / "report.html").write_text("half", encoding="utf-8")
    raise OSError(ENOSPC, "No space left on device")


def test_an_output_that_cannot_be_made_is_one_sentence(database: Path, tmp_path: Path) -> None:
    """A path below a file is the user's mistake, said in words."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(UserError, match="report cannot be a folder, it is in a file"):
        write_report(database, tmp_path / "file" / "report")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path, "there is no database at"),
        (lambda path: write_database(path, {}), "nothing is indexed in this database"),
    ],
    ids=["missing", "empty"],
)
def test_no_data_no_report(tmp_path: Path, make: Callable[[Path], Path], error: str) -> None:
    """Without a database, or without coverage in it, no folder appears."""
    path = make(tmp_path / "p.duckdb")

    with pytest.raises(WorldError, match=error):
        write_report(path, tmp_path / "report")

    assert not (tmp_path / "report").exists()


def test_the_command_takes_names_and_times(database: Path, tmp_path: Path) -> None:
    """Chain names, time zones and a folder; what is printed is where to look."""
    output = tmp_path / "report"
    window = ("--from", "2025-10-11T05:00:00+02:00", "--to", "2025-10-11T04:00:00")

    result = run("--database", database, "--output", output, "--chain", "arbitrum", *window)

    limits = json.loads((output / "manifest.json").read_text(encoding="utf-8"))["limits"]
    assert result.stdout.strip() == str(output / "report.html")
    assert limits["chain_id"] == 42161
    assert (limits["since"], limits["until"]) == ("2025-10-11T03:00:00Z", "2025-10-11T04:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--chain", "plasma-net"),
            "'plasma-net' is not a chain: expected its number or one of abstract, ",
        ),
        (
            ("--chain", "sepolai"),
            "'sepolai' is not a chain: expected its number or name; did you mean sepolia, ",
        ),
        (("--from", "yesterday"), "--from: 'yesterday' is not a UTC time"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    database: Path, tmp_path: Path, arguments: tuple[str, str], said: str
) -> None:
    """A chain or time that is none is the user's mistake."""
    result = run("--database", database, "--output", tmp_path / "report", *arguments)

    assert isinstance(result.exception, UserError)
    assert isinstance(result.exception, AnalyticsError)
    assert said in str(result.exception)


def test_chain_names_are_the_indexers() -> None:
    """The names reports use are those the indexer uses: the database only carries ids."""
    named = {chain.chain_id: chain.slug for chain in CHAINS}
    assert dict(CHAIN_NAMES) == named, "name it in analytics/reports/chain_names.py"
