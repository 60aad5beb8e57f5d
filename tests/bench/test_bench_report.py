"""
Analytics over ten million rows: the whole report, and each core metric beside its SQL twin.

The database holds 10 million position changes, 10 million oracle updates, a million liquidations
and a million rows or fewer of the others, made by DuckDB below `.bench`. The report runs in a
process of its own, so that its memory is its own.
"""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from large_market import ROOT, fill
from pytest_benchmark.fixture import BenchmarkFixture

from analytics import load
from analytics.compute import collected, compute
from analytics.queries import arguments, queries

CORE = (
    *("fees", "protocol_revenue", "buyback_ratio", "open_interest", "liquidations", "adls"),
    *("liquidation_waves", "liquidation_velocity", "oracle_deviation_extremes"),
)


def market(scale: int) -> Path:
    """Return the database of so many times ten million rows; made once, and kept."""
    path = ROOT / ".bench" / f"market-{load.SCHEMA_VERSION}-{scale}.duckdb"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        fill(unfinished, scale)
        unfinished.rename(path)
    return path


@pytest.mark.benchmark(group="report")
def test_report(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Write the whole report, from the start of the process to its end."""
    path = market(1)
    peaks: list[int] = []

    def write() -> None:
        words = ["-m", "perpscope", "report", "--database", str(path), "--output"]
        process = subprocess.Popen([sys.executable, *words, str(tmp_path / "report")], cwd=ROOT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(used.ru_maxrss)

    benchmark.pedantic(write, rounds=2)  # type: ignore[no-untyped-call, unused-ignore]
    benchmark.extra_info["peak_mib"] = max(peaks) // 1024
    with capsys.disabled():
        print(f"\nreport: {benchmark.extra_info}")


@pytest.mark.benchmark(group="metrics")
@pytest.mark.parametrize("name", CORE)
@pytest.mark.parametrize("scale", [1, 10])
def test_metric_beside_its_twin(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], name: str, scale: int
) -> None:
    """Compute a metric with Polars, and ask its twin of DuckDB before each time."""
    twin = queries()[f"metrics/{name}"]
    seconds: list[float] = []
    with load.database(market(scale)) as con:
        read = partial(load.facts, con, is_coded=True)

        def ask() -> None:
            started = monotonic()
            load.rows(con, twin.sql, arguments(twin, {}))
            seconds.append(monotonic() - started)

        benchmark.pedantic(  # type: ignore[no-untyped-call, unused-ignore]
            lambda: collected(compute(name, read)), setup=ask, rounds=2
        )
    benchmark.extra_info["twin_seconds"] = round(min(seconds), 2)
    with capsys.disabled():
        print(f"\n{name} x{scale}: {benchmark.extra_info}")
