"""
A million fills of Hyperliquid into an empty database, as `perpscope import` takes them.

`make bench` runs it. The file is made here, seeded, lz4 as nodes write it; peak memory is that of
a process of its own.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import lz4.frame
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

FILLS = 1_000_000
COINS = ("BTC", "ETH", "SOL", "HYPE", "@107", "DOGE", "xyz:XYZ100")
MEASURED = """
import resource, sys
from perpscope import app
app(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def lines(fills: int) -> Iterator[bytes]:
    """Yield blocks of trades, both sides of each."""
    dice = random.Random(1)
    time, tid = 1_760_130_000_000, 10**14
    while fills > 0:
        time += dice.randint(20, 120)
        events = []
        for _ in range(dice.randint(1, 30)):
            tid += dice.randint(1, 10**9)
            trade = {
                "coin": dice.choice(COINS),
                "px": f"{dice.uniform(1, 100_000):.4f}",
                "sz": f"{dice.uniform(0.01, 50):.5f}",
                "time": time,
                "closedPnl": "1.25",
                "hash": f"0x{dice.getrandbits(256):064x}",
                "fee": "0.012345",
                "tid": tid,
                "feeToken": "USDC",
            }
            for side in "BA":
                fills -= 1
                start = dice.choice(("0.0", f"{dice.uniform(-100, 100):.5f}"))
                label = dice.choice(("Open Long", "Close Short"))
                own = {"side": side, "startPosition": start, "dir": label, "oid": fills}
                events.append([f"0x{dice.randint(1, 200_000):040x}", trade | own])
        block = {"block_time": "2025-10-10T21:00:00", "block_number": time, "events": events}
        yield json.dumps(block).encode() + b"\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file."""
    path = tmp_path_factory.mktemp("fills") / "21.lz4"
    with lz4.frame.open(path, "wb") as stream:
        for line in lines(FILLS):
            stream.write(line)
    return path


def test_a_million_fills(
    benchmark: BenchmarkFixture, root: Path, file: Path, tmp_path: Path
) -> None:
    """Fills a second, and the most memory the process had, MiB."""
    command = [sys.executable, "-c", MEASURED, "import", "hyperliquid", str(file)]
    command += ["--database", str(tmp_path / "a.duckdb")]
    told: list[str] = []
    started = perf_counter()

    benchmark.pedantic(  # type: ignore[no-untyped-call, unused-ignore]
        lambda: told.append(
            subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout
        ),
        rounds=1,
    )

    benchmark.extra_info["fills_per_second"] = round(FILLS / (perf_counter() - started))
    benchmark.extra_info["peak_mib"] = peak = int(told[0].split()[-1])
    assert peak < 1_500
