"""
The decoder against eth_abi on the same bytes: one core, from joined raw bytes to Arrow columns.

`make bench` runs it. A GMX log is a real one where the
recorded logs are at hand, else one of the same shape.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from indexer.decode.abi import EventAbi, Parameter
from indexer.decode.columns import Decoded, decode
from indexer.decode.int256 import fixed
from indexer.decode.keyed import decode_keyed

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "logs" / "gmx_v2.jsonl.gz"
OURS, THEIRS = 50_000, 1_000

STATIC = EventAbi(
    "Happened",
    tuple(Parameter(f"a{n}", "uint256", indexed=False, components=()) for n in range(10)),
    anonymous=False,
)

GROUPS = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
EVENT_DATA = ",".join(f"((string,{kind})[],(string,{kind}[])[])" for kind in GROUPS)
ENVELOPE = ["address", "string", f"({EVENT_DATA})"]
EVENT_LOG1 = bytes.fromhex("137a44067c8961cd7e1d876f4754a5a3a75989b4552f1843fc69c3b372def160")
KEYS: dict[str, list[str]] = {
    "address": ["account", "market", "collateralToken"],
    "uint256": [
        *("sizeInUsd", "sizeInTokens", "collateralAmount", "borrowingFactor"),
        *("fundingFeeAmountPerSize", "longTokenClaimableFundingAmountPerSize"),
        *("shortTokenClaimableFundingAmountPerSize", "executionPrice", "indexTokenPrice.max"),
        *("indexTokenPrice.min", "collateralTokenPrice.max", "collateralTokenPrice.min"),
        *("sizeDeltaUsd", "sizeDeltaInTokens", "collateralDeltaAmount"),
        *("values.priceImpactDiffUsd", "orderType", "decreasedAtTime"),
    ],
    "int256": ["priceImpactUsd", "basePnlUsd", "uncappedBasePnlUsd"],
    "bool": ["isLong"],
    "bytes32": ["orderKey", "positionKey"],
}
NUMBERS = {
    "sizeInUsd": 30,
    "sizeDeltaUsd": 30,
    "basePnlUsd": 30,
    "collateralTokenPrice.min": 24,
    "executionPrice": 12,
    "indexTokenPrice.min": 12,
    "sizeDeltaInTokens": 18,
    "collateralDeltaAmount": 6,
}
WANTED = [*NUMBERS, *KEYS["address"], "orderType", "isLong", "orderKey"]
EXACT = Context(prec=100)


def binary(table: NDArray[np.uint8]) -> pl.Series:
    """Rows of bytes that lie behind each other, as a Binary series."""
    rows, size = table.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * size
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(table))]
    return pl.Series(
        pl.from_arrow(pa.LargeBinaryArray.from_buffers(pa.large_binary(), rows, buffers))
    )


def logs_of(datas: NDArray[np.uint8], topics: list[bytes]) -> pl.DataFrame:
    """Logs with these data and the same topics on every row."""
    rows = len(datas)
    columns = {
        f"topic{n}": pl.Series([topics[n] if n < len(topics) else None], dtype=pl.Binary)
        for n in range(4)
    }
    repeated = {name: series.new_from_index(0, rows) for name, series in columns.items()}
    return pl.DataFrame(repeated | {"data": binary(datas)})


def position_decrease() -> bytes:
    """The data of one PositionDecrease."""
    if RECORDED.exists():
        with gzip.open(RECORDED, "rt") as lines:
            for log in map(json.loads, lines):
                if log.get("_gmx_event") == "PositionDecrease":
                    return bytes.fromhex(log["data"][2:])
    values = {"address": "0x" + "11" * 20, "bool": True, "bytes32": b"\x22" * 32}
    groups: tuple[tuple[list[tuple[str, Any]], list[Any]], ...] = tuple(
        ([(key, values.get(kind, 10**27 + n)) for n, key in enumerate(KEYS.get(kind, []))], [])
        for kind in GROUPS
    )
    return encode(ENVELOPE, ["0x" + "33" * 20, "PositionDecrease", groups])


def varied(data: bytes, rows: int) -> NDArray[np.uint8]:
    """Copies of one envelope whose numbers differ from row to row."""
    table = np.tile(np.frombuffer(data, np.uint8), (rows, 1))
    source = np.random.default_rng(1)
    for key in KEYS["uint256"] + KEYS["int256"]:
        text = len(key).to_bytes(32) + key.encode().ljust((len(key) + 31) // 32 * 32, b"\0")
        at = data.find((64).to_bytes(32), data.find(text) - 64) + 32
        if data.find(text) > 0 and key != "orderType":
            table[:, at + 22 : at + 32] = source.integers(0, 256, (rows, 10), dtype=np.uint8)
    return table


@pytest.fixture(scope="module")
def static_table() -> NDArray[np.uint8]:
    """Ten words of about 100 bits, each with the 30 decimals of a dollar amount."""
    table = np.zeros((OURS, 10, 32), np.uint8)
    table[:, :, 19:] = np.random.default_rng(0).integers(0, 256, (OURS, 10, 13), dtype=np.uint8)
    return table.reshape(OURS, 320)


@pytest.fixture(scope="module")
def keyed_table() -> NDArray[np.uint8]:
    """PositionDecrease after PositionDecrease."""
    return varied(position_decrease(), OURS // 5)


def scaled(decoded: Decoded, decimals: dict[str, int]) -> list[pa.Decimal128Array]:
    """Every number of the batch as DECIMAL(38,18)."""
    assert decoded.accepted.all()
    return [fixed(decoded.columns[name], places)[0] for name, places in decimals.items()]


def python_scaled(value: int, decimals: int) -> Decimal:
    """One number the way a row-wise decoder scales it."""
    size = abs(value) * 10**18 // 10**decimals
    return Decimal(-size if value < 0 else size).scaleb(-18, EXACT)


def static_rows(table: NDArray[np.uint8]) -> list[list[Decimal]]:
    """The static event by eth_abi."""
    types = ["uint256"] * 10
    return [
        [python_scaled(value, 30) for value in abi_decode(types, row.tobytes())] for row in table
    ]


def keyed_rows(table: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """The keyed event by eth_abi."""
    return [keyed_row(row.tobytes()) for row in table]


def keyed_row(data: bytes) -> dict[str, Any]:
    """One keyed log by eth_abi."""
    items = {key: value for plain, _ in abi_decode(ENVELOPE, data)[2] for key, value in plain}
    return {
        name: python_scaled(items[name], NUMBERS[name]) if name in NUMBERS else items[name]
        for name in WANTED
    }


@pytest.fixture(autouse=True)
def wide_context() -> Iterator[None]:
    """Decimals of 38 digits do not fit Python's default context."""
    with localcontext(EXACT):
        yield


def per_row(benchmark: BenchmarkFixture, rows: int, work: Callable[[], object]) -> None:
    """Run a workload and note what one log costs."""
    benchmark(work)
    if benchmark.stats is not None:
        benchmark.extra_info["logs_per_second"] = round(rows / benchmark.stats.stats.min)


@pytest.mark.benchmark(group="static")
def test_ten_words_here(benchmark: BenchmarkFixture, static_table: NDArray[np.uint8]) -> None:
    """Ten scaled numbers of a static event, here."""
    logs, decimals = logs_of(static_table, [STATIC.topic0]), {f"a{n}": 30 for n in range(10)}

    per_row(benchmark, OURS, lambda: scaled(decode(STATIC, list(decimals), logs), decimals))

    numbers = scaled(decode(STATIC, list(decimals), logs.head(50)), decimals)
    assert static_rows(static_table[:50]) == [
        list(row) for row in zip(*(column.to_pylist() for column in numbers), strict=True)
    ]


@pytest.mark.benchmark(group="static")
def test_ten_words_by_eth_abi(benchmark: BenchmarkFixture, static_table: NDArray[np.uint8]) -> None:
    """The same ten numbers by eth_abi, not even scaled."""
    types, rows = ["uint256"] * 10, [row.tobytes() for row in static_table[:THEIRS]]

    per_row(benchmark, THEIRS, lambda: [abi_decode(types, row) for row in rows])


@pytest.mark.benchmark(group="keyed")
def test_position_decrease_here(
    benchmark: BenchmarkFixture, keyed_table: NDArray[np.uint8]
) -> None:
    """Fourteen columns of a PositionDecrease, numbers scaled, here."""
    logs = logs_of(keyed_table, [EVENT_LOG1, bytes(32), bytes(32)])

    per_row(benchmark, len(keyed_table), lambda: scaled(decode_keyed(WANTED, logs), NUMBERS))

    some = scaled(decode_keyed(WANTED, logs.head(20)), NUMBERS)
    theirs = keyed_rows(keyed_table[:20])
    assert [column.to_pylist() for column in some] == [
        [row[name] for row in theirs] for name in NUMBERS
    ]


@pytest.mark.benchmark(group="keyed")
def test_position_decrease_by_eth_abi(
    benchmark: BenchmarkFixture, keyed_table: NDArray[np.uint8]
) -> None:
    """The same logs by eth_abi, not even scaled."""
    rows = [row.tobytes() for row in keyed_table[: THEIRS // 5]]

    per_row(benchmark, len(rows), lambda: [abi_decode(ENVELOPE, row) for row in rows])
