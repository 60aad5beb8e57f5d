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
