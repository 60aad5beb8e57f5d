"""
The wheel, built and installed as a stranger would, and what its demo leaves.

Nothing of the checkout is within reach of the command.
"""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest
from browser import chromium, overflow, visit

from analytics.reports import summary

ROOT = Path(__file__).resolve().parent.parent
TRAVELS = ("abis/**/*.*", "queries/**/*.*", "indexer/**/*.*", "analytics/**/*.*")


@dataclass(frozen=True)
class Run:
    """What a run of the demo left: its folder, and what it printed."""

    folder: Path
    said: str


def done(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command away from the checkout; what it printed is shown where it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(
        command, cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built once from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    done(*build, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def perpscope(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command, installed once from the wheel into an environment of its own."""
    folder = tmp_path_factory.mktemp("stranger")
    venv.create(folder / "venv", with_pip=False)
    programs = folder / "venv" / "bin"
    # Our own pip, into their environment: one of its own would take as long as what it installs.
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "-qq", "--no-input")
    options = ("--no-compile", "--constraint", ROOT / "constraints.txt")
    done(*pip, "install", *options, wheel, cwd=folder)
    return programs / "perpscope"


@pytest.fixture(scope="module")
def run(perpscope: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the outcome of the demo with nothing said, run once."""
    folder = tmp_path_factory.mktemp("demo")
    return Run(folder / "perpscope-demo", done(perpscope, "demo", cwd=folder).stdout)


def test_everything_the_packages_read_travels(wheel: Path) -> None:
    """ABIs, queries, the schema and templates are in the wheel, tests are not."""
    written = {
        path.relative_to(ROOT).as_posix()
        for pattern in TRAVELS
        for path in ROOT.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }

    carried = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert "indexer/schema.sql" in carried
    assert carried == written | {"perpscope.py"}


def test_the_installed_command_knows_its_version(perpscope: Path, tmp_path: Path) -> None:
    """`perpscope --version` works where only the wheel is installed."""
    result = done(perpscope, "--version", cwd=tmp_path)

    assert f"perpscope {version('perpscope')}, " in result.stdout


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
