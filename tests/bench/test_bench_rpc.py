"""From an answer's bytes to a checked `LOGS` frame: 10-word logs, on one thread of Polars."""

import json
from random import Random
from typing import Any

import polars as pl
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from indexer.rpc import Filter, Header
from indexer.rpc.checks import check_logs
from indexer.rpc.frames import log_frame

LOGS = 20_000  # one range
PER_BLOCK = 25
WORDS = 10
RANDOM = Random(10)


def _hex(size: int) -> str:
    return "0x" + RANDOM.randbytes(size).hex()


@pytest.fixture(scope="module")
def logs() -> list[dict[str, Any]]:
    """Return a range's logs: one contract, one event, four topics, 25 logs in each block."""
    address, topic0 = _hex(20), _hex(32)
    blocks = [_hex(32) for _ in range(LOGS // PER_BLOCK)]
    return [
        {
            "address": address,
            "topics": [topic0, *(_hex(32) for _ in range(3))],
            "data": _hex(32 * WORDS),
            "blockNumber": hex(1_000 + place // PER_BLOCK),
            "transactionHash": _hex(32),
            "transactionIndex": hex(place % PER_BLOCK),
            "blockHash": blocks[place // PER_BLOCK],
            "logIndex": hex(place % PER_BLOCK),
            "removed": False,
        }
        for place in range(LOGS)
    ]


@pytest.fixture(scope="module")
def answer(logs: list[dict[str, Any]]) -> bytes:
    """Return the range as a node sends it."""
    return json.dumps(logs, separators=(",", ":")).encode()


def test_bytes_to_frame(benchmark: BenchmarkFixture, answer: bytes) -> None:
    """Parse, decode hex and sort 20,000 logs; the goal is 250,000 logs a second."""
    frame = benchmark(log_frame, answer)

    assert frame.height == LOGS


def test_frame_checks(
    benchmark: BenchmarkFixture, logs: list[dict[str, Any]], answer: bytes
) -> None:
    """Hold 20,000 logs to every rule of `check_logs`."""
    frame = log_frame(answer)
    first, last = logs[0], logs[-1]
    wanted = Filter((_octets(first["address"]),), (_octets(first["topics"][0]),))
    number = int(last["blockNumber"], 16)
    header = Header(number, _octets(last["blockHash"]), bytes(32), None, None)

    benchmark(check_logs, frame, wanted, 1_000, number, header)


def test_polars_hex_decoding(benchmark: BenchmarkFixture, answer: bytes) -> None:
    """Decode `data` alone with Polars' own `str.decode`, the yardstick of our bulk decoding."""
    data = pl.read_json(answer)["data"]

    benchmark(lambda: data.str.slice(2).str.decode("hex"))


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])
