"""What `perpscope demo` replaces, and what it leaves alone; tests/test_wheel.py runs it whole."""

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
