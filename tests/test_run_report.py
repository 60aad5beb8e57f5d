"""`perpscope index --report FILE`: what was asked, what was done, and nothing secret."""

import json
import os
from errno import EROFS
from functools import partial
from importlib.metadata import PackageNotFoundError
from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import Any
from unittest.mock import Mock

import pytest
from rich.console import Console
from sync_rig import FIRST, blocks, rows, served

from indexer.chains import ETHEREUM
from indexer.cli.progress import shown
from indexer.cli.run_report import write_run_report
from indexer.errors import UserError, WorldError
from indexer.simulation.node import serve
from indexer.store import program_version
from perpscope import app, outcome

COUNT = 100
KEY = "0123456789abcdef0123456789abcdef"


def index(folder: Path, url: str, *more: object) -> tuple[int, dict[str, Any]]:
    """Index with a report; return the exit code and the report."""
    report = folder / "run.json"
    words = (
        *("index", "--chain", "ethereum", "--rpc", url, "--protocol", "chainlink"),
        *("--from", FIRST, "--database", folder / "a.duckdb", "--report", report, *more),
    )
    code = outcome(partial(app, [str(word) for word in words], standalone_mode=False))
    return code, json.loads(report.read_text("utf-8")) if report.is_file() else {}


def impatient(folder: Path) -> tuple[str, Path]:
    """Return the option that makes a run give up at once."""
    path = folder / "quick.toml"
    path.write_text("[retries]\ntries = 1\nfirst_wait_seconds = 0.01\n", encoding="utf-8")
    return "--config", path


def test_a_run_that_ended_well(tmp_path: Path) -> None:
    """The counts are those of the database, and coverage says what it rests on."""
    with serve([served(blocks(COUNT))]) as node:
        code, said = index(tmp_path, f"{node.url}ethereum?key={KEY}")

    facts = rows(tmp_path / "a.duckdb", "select count(*) from oracle_updates")[0][0]
    assert (code, said["outcome"], said["error"]) == (0, "done", None)
    assert said["asked"]["protocols"] == ["chainlink"]
    assert said["asked"]["from_block"] == FIRST
    assert said["done"]["blocks"] == COUNT
    assert said["done"]["facts"] == {"oracle_updates": facts}
    assert said["done"]["head"] == FIRST + COUNT - 1
    assert said["done"]["requests"] > said["done"]["ranges"] > 0
    assert [(row["from_block"], row["to_block"]) for row in said["coverage"]][-1][1] == (
        FIRST + COUNT - 1
    )
    assert set(said["versions"]) == {"perpscope", "duckdb", "polars", "web3", "python"}
    assert KEY not in json.dumps(said)


def test_a_checkout_that_nobody_installed_has_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is as good as any, and its report says so."""
    where = "indexer.store.connection.version"
    monkeypatch.setattr(where, Mock(side_effect=PackageNotFoundError("perpscope")))
    program_version.cache_clear()
    try:
        with serve([served(blocks(COUNT))]) as node:
            code, said = index(tmp_path, node.url)
    finally:
        program_version.cache_clear()

    assert (code, said["versions"]["perpscope"]) == (0, "unknown")


def test_a_run_that_failed(tmp_path: Path) -> None:
    """The sentence that people saw; what was not done is not known, which is not zero."""
    code, said = index(tmp_path, f"http://127.0.0.1:9/{KEY}", *impatient(tmp_path))

    assert (code, said["outcome"]) == (1, "failed")
    assert "127.0.0.1:9" in said["error"]
    assert said["done"] is None
    assert said["coverage"] is None
    assert KEY not in json.dumps(said)


def test_a_report_that_cannot_be_written_in_the_end_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its folder was there when the run began; what was indexed by then is kept."""
    folder = tmp_path / "reports"
    folder.mkdir()

    def intercept(_slug: str, _body: bytes) -> None:
        rmtree(folder, ignore_errors=True)

    with serve([served(blocks(COUNT))], intercept=intercept) as node:
        code, _ = index(tmp_path, node.url, "--report", folder / "run.json")

    said = "run.json cannot be written (No such file or directory); make room for it there"
    assert code == 1
    assert said in capsys.readouterr().err
    assert rows(tmp_path / "a.duckdb", "select max(to_block) from coverage") == [
        (FIRST + COUNT - 1,)
    ]


def test_a_run_between_moments(tmp_path: Path) -> None:
    """What was asked for by its day is told by its day."""
    days = "--from", "2025-10-10", "--to", "2025-10-12"
    _, said = index(tmp_path, "http://127.0.0.1:9", *days, *impatient(tmp_path))

    asked = said["asked"]["from_block"], said["asked"]["to_block"]
    assert asked == ("2025-10-10T00:00:00Z", "2025-10-12T00:00:00Z")


def test_a_run_that_was_killed_is_not_told_as_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands there while a run is under way is of this run."""
    report = tmp_path / "run.json"
    report.write_text('{"outcome": "done"}', encoding="utf-8")
    seen: list[dict[str, Any]] = []

    def killed(*_: object) -> None:
        seen.append(json.loads(report.read_text("utf-8")))
        raise UserError("killed")

    monkeypatch.setattr("indexer.cli.indexing.index", killed)
    index(tmp_path, "http://127.0.0.1:9")

    assert [said["outcome"] for said in seen] == ["failed"]
    assert "has not ended yet" in seen[0]["error"]


def test_a_report_that_cannot_be_written_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Why the run failed is said as well."""
    written = iter([None, WorldError("the report cannot be written")])

    def write(*_: object) -> None:
        if (failure := next(written)) is not None:
            raise failure

    monkeypatch.setattr("indexer.cli.indexing.write_run_report", write)
    code, _ = index(tmp_path, "http://127.0.0.1:9", *impatient(tmp_path))

    said = capsys.readouterr().err
    assert code == 1
    assert "the report cannot be written" in said
    assert "127.0.0.1:9" in said


def test_a_report_whose_place_is_taken_meanwhile_is_told(tmp_path: Path) -> None:
    """A folder has its name now: one sentence, and nothing half-written is left."""
    (tmp_path / "run.json").mkdir()

    with pytest.raises(WorldError, match=r"run.json cannot be written \(Is a directory\)"):
        write_run_report(tmp_path / "run.json", {})

    assert [item.name for item in tmp_path.iterdir()] == ["run.json"]


def test_a_report_without_a_place_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody indexes for an hour to learn that the report has no folder."""
    code, _ = index(tmp_path, "http://127.0.0.1:9", "--report", tmp_path / "no" / "run.json")

    assert code == 2
    assert "correct --report" in capsys.readouterr().err
    assert index(tmp_path, "http://127.0.0.1:9", "--report", "-")[0] == 2
    assert "expected a file; /dev/stdout is the standard output" in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()


def test_a_report_never_takes_a_databases_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one to be filled is not even made; another one, here of a run before, is as it was."""
    own = tmp_path / "a.duckdb"
    code, _ = index(tmp_path, "http://127.0.0.1:9", "--report", own)
    assert (code, own.exists()) == (2, False)
    with serve([served(blocks(COUNT))]) as node:
        index(tmp_path, node.url)
    before = own.read_bytes()

    code, _ = index(
        tmp_path, "http://127.0.0.1:9", "--database", tmp_path / "b.duckdb", "--report", own
    )

    assert code == 2
    assert "a.duckdb is a database: expected another file" in capsys.readouterr().err
    assert own.read_bytes() == before


def test_a_report_never_takes_the_place_of_what_the_run_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings, a list that they name, and the copy for readers, which may not be there yet."""
    phases, config = tmp_path / "phases.csv", tmp_path / "p.toml"
    phases.write_text("protocol,chain,contract,phase,address,block_number\n", encoding="utf-8")
    config.write_text(
        f"phases = ['{phases}']\nstorage.snapshot = '{tmp_path / 's.duckdb'}'\n", encoding="utf-8"
    )
    before = config.read_bytes(), phases.read_bytes()

    for taken in (config, phases, tmp_path / "s.duckdb"):
        more = "--config", config, "--report", taken
        assert index(tmp_path, "http://127.0.0.1:9", *more)[0] == 2

    assert capsys.readouterr().err.count("is named by them: expected another file") == 3
    assert (config.read_bytes(), phases.read_bytes()) == before


def test_a_report_on_a_disk_that_is_only_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That nothing of it can be removed hides nothing either."""

    def refuse(*_: object, **_named: object) -> None:
        raise OSError(EROFS, os.strerror(EROFS))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(WorldError, match=r"run.json cannot be written \(Read-only file system\)"):
        write_run_report(tmp_path / "run.json", {})


def test_a_report_that_its_owner_protects_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record of another run, say."""
    report = tmp_path / "run.json"
    report.write_text('{"outcome": "done"}', encoding="utf-8")
    report.chmod(0o444)

    assert index(tmp_path, "http://127.0.0.1:9")[1] == {"outcome": "done"}
    assert "run.json is protected from writing: expected another" in capsys.readouterr().err


def test_a_report_goes_through_links_and_into_pipes(tmp_path: Path) -> None:
    """What a link stands for is replaced; a pipe stays one, and is told once, in the end."""
    pipe, link = tmp_path / "pipe", tmp_path / "link.json"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    link.symlink_to(tmp_path / "target.json")
    index(tmp_path, "http://127.0.0.1:9", *impatient(tmp_path), "--report", pipe)
    with os.fdopen(reader, encoding="utf-8") as told:
        assert json.load(told)["outcome"] == "failed"
    index(tmp_path, "http://127.0.0.1:9", *impatient(tmp_path), "--report", link)

    assert pipe.is_fifo()
    assert link.is_symlink()
    assert json.loads((tmp_path / "target.json").read_text("utf-8"))["outcome"] == "failed"


def test_the_bar_says_how_fast_and_how_much_longer() -> None:
    """Blocks, logs, both rates and the time left, on one line."""
    console = Console(force_terminal=True, width=160, record=True, file=StringIO())
    with shown(ETHEREUM, console) as progress:
        progress(0, 1_000, 0)
        progress(500, 1_000, 12_345)

    text = console.export_text()
    assert "500/1000 blocks, 12,345 logs" in text
    assert "blocks/s" in text
    assert "logs/s" in text
    assert "left" in text
