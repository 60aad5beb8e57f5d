"""The wheel, built and installed as a stranger would: nothing of the checkout within reach."""

import os
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRAVELS = ("abis/**/*.*", "queries/**/*.*", "indexer/**/*.*", "analytics/**/*.*")


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


def test_the_demo_runs_outside_the_checkout(perpscope: Path, tmp_path: Path) -> None:
    """`perpscope demo` needs nothing but the wheel, and leaves a report where it was told to."""
    report = tmp_path / "report"

    result = done(perpscope, "demo", "--scenario", "calm", "--output", report, cwd=tmp_path)

    assert "simulated" in result.stdout.lower()
    assert [page.name for page in report.rglob("*.html")] != []
