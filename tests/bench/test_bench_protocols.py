"""
What every protocol of a chain costs one that is busy: `perpscope index` of the same logs, in turns.

Only GMX v1 logs anything on the served chain; all others are asked for and give nothing. Reads of
state are left to themselves: the node answers no calls.
"""

from pathlib import Path

import pytest
from contest import Cost, cost, node
from pytest_benchmark.fixture import BenchmarkFixture
from test_bench_index import note, stored_logs

LOGS = 200_000
PER_BLOCK = 25
PAIRS = 3


@pytest.mark.benchmark(group="protocols")
def test_one_protocol_beside_all(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Index 200,000 ten-word logs of GMX v1, alone and with every protocol of Arbitrum."""
    costs: dict[str, list[Cost]] = {"alone": [], "with_all": []}
    with node("LiquidatePosition", LOGS, PER_BLOCK) as offer:

        def pair() -> None:
            """Run one after the other."""
            turn = len(costs["alone"])
            for name, client in (("alone", "one"), ("with_all", "all")):
                path = tmp_path / f"{name}-{turn}.duckdb"
                costs[name].append(cost(client, offer, 0, str(path)))
                assert stored_logs(path) == LOGS - PER_BLOCK

        benchmark.pedantic(pair, rounds=PAIRS)  # type: ignore[no-untyped-call, unused-ignore]
    note(benchmark, capsys, costs)
