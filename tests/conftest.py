"""What every test may ask for: recorded data, an empty database, and one setting for hypothesis."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import duckdb

ROOT = Path(__file__).resolve().parent.parent

# Workers and a node share the cores; threads of their own would only wait for each other. Polars
# counts them when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

# What some tests import brings py_ecc, which allows a hundred times the depth when it is first
# imported: JSON of lists in lists then ends the process. perpscope undoes it (rpc/transport.py).
_DEPTH = sys.getrecursionlimit()
import_module("py_ecc")
sys.setrecursionlimit(_DEPTH)

# No deadline: CI machines are slow and shared. A seed that never changes makes CI repeatable;
# on a developer's machine every run tries other examples. `make soak` tries many more.
settings.register_profile(
    "perpscope",
    max_examples=int(os.environ.get("PERPSCOPE_EXAMPLES", "8")),
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("perpscope")


# Files that take half a minute or more go first: one begun last would leave the other cores idle.
_LONG = (
    *(
        "test_soak",
        "test_real_logs",
        "test_wheel",
        "test_twins",
        "test_trace",
        "test_cascade_scenarios",
        "test_sync_kill",
        "test_real_node",
    ),
    *(
        "test_demo",
        "test_simulation_pipeline",
        "test_simulation_world",
        "test_readers",
        "test_watch",
    ),
    "test_golden_rows",
    *("test_sync_converge", "test_sync_rederive", "test_sync_ahead", "test_rig_faults"),
    *("test_sync_proof", "test_sync_reads", "test_sync_reorgs", "test_sync_supplement"),
    *("test_replay_report", "test_sync_adversary", "test_sync_estimate", "test_report_pages"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Make a folder for what one worker makes and the others read; workers inherit its name."""
    if "SHARED_BY_WORKERS" not in os.environ:
        folder = TemporaryDirectory()
        os.environ["SHARED_BY_WORKERS"] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of recorded data beside the checkout; skip where it is missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared/data")
    return folder


@pytest.fixture(scope="module")
def empty() -> Iterator["duckdb.DuckDBPyConnection"]:
    """Yield a database in memory with every table and, at first, no row; one for a file."""
    import duckdb
    from handmade import fill

    # Few rows are one thread's work; a second one would only be woken.
    with duckdb.connect(config={"threads": 1}) as connection:
        fill(connection, {})
        yield connection
