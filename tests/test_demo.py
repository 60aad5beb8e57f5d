"""`perpscope demo`, run as a user runs it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser import chromium, overflow, visit
from commands import perpscope

from analytics.reports import summary
from perpscope import made_anew

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Run:
    """What a run of the demo left: its folder, and what it printed."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the outcome of the demo with nothing said, run once."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "perpscope", "demo"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return Run(folder / "perpscope-demo", result.stdout)


def test_it_says_simulated_before_any_number(run: Run) -> None:
    """Nobody can take the numbers for real ones."""
    assert run.said.index("simulated, not real") < run.said.index("protocol revenue $")


def test_it_prints_the_five_numbers(run: Run) -> None:
    """The numbers on the screen are those of the database it leaves."""
    lines = summary(run.folder / "simulated.duckdb").lines()

    assert len(lines) == 5
    assert all(line in run.said for line in lines)


def test_it_compared_itself_with_the_books(run: Run) -> None:
    """The facts were held against the simulator's own before they were reported."""
    assert "with the simulator's own books: equal" in run.said


def test_the_readme_shows_what_is_printed(run: Run) -> None:
    """The numbers in the quick start are those a reader sees; a line may be cut with dots."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, shown = readme.partition("```text\n")
    lines = [line.removesuffix("...") for line in shown.partition("```")[0].splitlines()]

    assert len(lines) > 5
    assert [line for line in lines if line not in run.said] == []


def test_it_leaves_a_report_that_says_simulated(run: Run) -> None:
    """The folder it names holds an HTML page, labelled."""
    pages = list(run.folder.rglob("*.html"))

    assert f"report: {run.folder.name}/report/report.html" in run.said
    assert pages
    assert all("simulated" in page.read_text(encoding="utf-8").lower() for page in pages)


@pytest.mark.parametrize("width", [390, 1280])
def test_its_report_fits_and_is_quiet(run: Run, width: int) -> None:
    """The page a newcomer sees first: no error, nothing fetched, nothing outside the window."""
    page = run.folder / "report" / "report.html"

    with chromium() as browser, visit(browser, page, width=width) as found:
        assert found.complaints == []
        assert found.requests == [page.resolve().as_uri()]
        assert overflow(found.page) == []
        assert found.page.locator("figure svg:visible").count() >= 8
    assert page.stat().st_size < 10_000_000


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
