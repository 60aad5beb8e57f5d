"""What `perpscope demo` replaces, and what it leaves alone; tests/test_wheel.py runs it whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import perpscope

from perpscope import made_anew


def test_its_own_database_is_made_anew(tmp_path: Path) -> None:
    """The demo may be repeated in the same place: what the last run left is taken away first."""
    default = tmp_path / "demo" / "simulated.duckdb"
    default.parent.mkdir()
    default.write_text("from the last run")

    path = made_anew(None, default)

    assert path == default
    assert not path.exists()


def test_a_database_of_the_user_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that exists is named and left alone."""
    precious = tmp_path / "mine.duckdb"
    precious.write_text("precious")

    code = perpscope("demo", "--database", precious, "--output", tmp_path / "demo")

    assert code == 2
    assert str(precious) in capsys.readouterr().err
    assert precious.read_text() == "precious"


def test_a_folder_of_the_user_is_seen_before_anything_is_replaced(tmp_path: Path) -> None:
    """Where the report can have no place, what the last run left stays as well."""
    kept = {tmp_path / "report" / "notes.txt", tmp_path / "simulated.duckdb"}
    (tmp_path / "report").mkdir()
    for file in kept:
        file.write_text("mine")

    assert perpscope("demo", "--output", tmp_path) == 2
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == kept
    assert {file.read_text() for file in kept} == {"mine"}


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="a loop is then no error of its own")
def test_a_link_to_itself_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no place, and no fault of the program."""
    (tmp_path / "loop").symlink_to("loop")

    assert perpscope("demo", "--output", tmp_path / "loop") == 1
    assert "Symlink loop from" in capsys.readouterr().err


def test_the_shells_own_environment_is_not_cleaned_away(tmp_path: Path) -> None:
    """VENV is a name that others export; one that is named on the command line is meant."""
    words = ("make", "-n", "clean", "-C", str(Path(__file__).parent.parent))

    told = subprocess.run(
        words, env={**os.environ, "VENV": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert "rm -rf .venv " in told.stdout
    assert str(tmp_path) not in told.stdout


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who names a file, or a place in one, for the demo or a report is told so before any work."""
    notes = tmp_path / "notes"
    notes.write_text("mine")

    told = [
        perpscope("demo", "--output", notes),
        perpscope("demo", "--database", notes / "a.duckdb", "--output", tmp_path / "demo"),
        perpscope("report", "--output", notes / "report", "--database", tmp_path / "a.duckdb"),
    ]

    assert told == [2, 2, 2]
    assert capsys.readouterr().err.count("in a file") == 3
    assert notes.read_text() == "mine"
