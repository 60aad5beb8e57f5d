"""Recorded logs beside the checkout, by first topic: as a LOGS frame, and as they were captured."""

import gzip
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from goldens import LOGS

Captured = dict[str, Any]


@cache
def captured(shared: Path, topic0: str) -> tuple[Captured, ...]:
    """Return every recorded log whose first topic is this, of whatever chain, in file order."""
    with gzip.open(shared / "data/logs/all_logs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines if f'"{topic0}' in line)


def of_chain(logs: Sequence[Captured], chain: str) -> pl.DataFrame:
    """Return the captured logs of one chain as a sorted LOGS frame."""
    placed = [_placed(one) for one in logs if one["_chain"] == chain]
    return pl.DataFrame(placed, LOGS, orient="row").sort("block_number", "tx_index", "log_index")


def words(one: Captured) -> list[int]:
    """Return the words of a log's data as unsigned integers."""
    data = bytes.fromhex(one["data"].removeprefix("0x"))
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


def address(word: str | int) -> str:
    """Return the address in a topic or a word."""
    number = int(word, 16) if isinstance(word, str) else word
    return f"0x{number:040x}"


def place(one: Captured) -> tuple[str, int]:
    """Return what identifies a log: transaction hash and log index."""
    return one["transactionHash"], int(one["logIndex"], 16)


def _placed(one: Captured) -> tuple[Any, ...]:
    numbers = [int(one[name], 16) for name in ("blockNumber", "transactionIndex", "logIndex")]
    names = ("blockHash", "transactionHash", "address")
    raw = [bytes.fromhex(one[name].removeprefix("0x")) for name in names]
    topics = [bytes.fromhex(topic[2:]) for topic in one["topics"]]
    rest = [*topics, *[None] * (4 - len(topics)), bytes.fromhex(one["data"].removeprefix("0x"))]
    return (*numbers, *raw, *rest)
