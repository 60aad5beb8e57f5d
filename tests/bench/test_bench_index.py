"""
`perpscope index` end to end beside cryo 0.3.2, from the same node, in turns.

Both fetch the same logs. cryo keeps them in memory, raw. perpscope also fetches the header of
every block with logs, checks answers and headers against each other, decodes, derives facts and
commits all of it to DuckDB. Node and client have a core each.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest
from contest import Cost, cost, node, summary
from pytest_benchmark.fixture import BenchmarkFixture

LOGS = 200_000
PAIRS = 5
LOGS_PER_ANSWER = 25_000  # perpscope's own aim; cryo is told to ask for as much
EVERYTHING = "select count(*) from logs"


def stored_logs(path: Path) -> int:
    """Return how many logs a database holds."""
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute(EVERYTHING).fetchone()
    assert row is not None
    return int(row[0])


def note(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    costs: Mapping[str, Sequence[Cost]],
) -> None:
    """Keep what the clients cost with the benchmark, and show it."""
    for name, several in costs.items():
        benchmark.extra_info |= summary(name, several)
    with capsys.disabled():
        print(f"\n{benchmark.name}")
        for what, value in benchmark.extra_info.items():
            print(f"    {what}: {value}")


@pytest.mark.benchmark(group="index")
@pytest.mark.parametrize(
    ("event", "per_block"),
    [
        *(("LiquidatePosition", 25), ("OrderSettled", 25), ("LiquidatePosition", 250)),
        *(("WithdrawProfit", per_block) for per_block in (1, 2, 5, 25, 250)),
    ],
)
def test_index_beside_cryo(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    event: str,
    per_block: int,
) -> None:
    """Index 200,000 ten-word logs; before each run cryo fetches them, twice in two ways."""
    pytest.importorskip("cryo", reason="cryo 0.3.2 has wheels for Python 3.11 and 3.12 alone")
    costs: dict[str, list[Cost]] = {"perpscope": [], "cryo": [], "cryo_by_default": []}
    paths = [tmp_path / f"{turn}.duckdb" for turn in range(PAIRS)]
    with node(event, LOGS, per_block) as offer:

        def fetch() -> None:
            costs["cryo"].append(cost("cryo", offer, LOGS_PER_ANSWER // per_block))
            costs["cryo_by_default"].append(cost("cryo", offer, 0))

        def index() -> None:
            path = paths[len(costs["perpscope"])]
            costs["perpscope"].append(cost("perpscope", offer, 0, str(path)))

        benchmark.pedantic(  # type: ignore[no-untyped-call, unused-ignore]
            index, setup=fetch, rounds=PAIRS
        )

    assert [stored_logs(path) for path in paths[: len(costs["perpscope"])]] == [LOGS] * PAIRS
    note(benchmark, capsys, costs)


@pytest.mark.benchmark(group="memory")
@pytest.mark.parametrize("logs", [200_000, 1_000_000, 2_000_000])
def test_memory_of_a_long_range(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path, logs: int
) -> None:
    """Index ever longer ranges in one run; what was resident at most should not follow."""
    path, costs = tmp_path / "long.duckdb", []
    with node("LiquidatePosition", logs, 25) as offer:
        benchmark.pedantic(  # type: ignore[no-untyped-call, unused-ignore]
            lambda: costs.append(cost("perpscope", offer, 0, str(path))), rounds=1
        )

    assert stored_logs(path) == logs
    note(benchmark, capsys, {"perpscope": costs})
