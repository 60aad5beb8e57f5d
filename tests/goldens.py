"""
Logs for golden tests: built from the ABIs by `eth_abi`, or recorded ones, and their facts.

Synthetic logs prove that a declaration reads an event as its ABI says; recorded ones that the
chain says it so.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from indexer.chains import Chain
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS

ROOT = Path(__file__).resolve().parent.parent
AUTOMATIC = (
    "chain_id",
    "block_number",
    "log_index",
    "item_index",
    "tx_hash",
    "block_timestamp",
    "protocol",
    "version",
    "evidence",
)
NOON = datetime(2025, 6, 1, 12)
GROUPS = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
ITEMS = "(" + ",".join(f"((string,{kind})[],(string,{kind}[])[])" for kind in GROUPS) + ")"
LOGS = {
    "block_number": pl.Int64,
    "tx_index": pl.Int32,
    "log_index": pl.Int32,
    "block_hash": pl.Binary,
    "tx_hash": pl.Binary,
    "address": pl.Binary,
    "topic0": pl.Binary,
    "topic1": pl.Binary,
    "topic2": pl.Binary,
    "topic3": pl.Binary,
    "data": pl.Binary,
}


@dataclass(frozen=True)
class Built:
    """A log without its place: who emitted it, its topics and its data."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


def usd(number: str) -> Decimal:
    """Return the number at 18 places, cut off below: what a fact column of this value holds."""
    with localcontext() as context:
        context.prec = 90
        return Decimal(number).quantize(Decimal("1e-18"), rounding=ROUND_DOWN)


def scaled(value: int, decimals: int, over: int = 1) -> Decimal:
    """Return `value / 10**decimals / over` at 18 places, cut off: the reference for `Fixed`."""
    sign = -1 if value < 0 else 1
    with localcontext() as context:
        context.prec = 90
        return Decimal(sign * (abs(value) * 10**18 // (10**decimals * over))).scaleb(-18)


@cache
def abi_of(name: str) -> tuple[dict[str, Any], ...]:
    """Return the entries of `abis/<name>.json`."""
    return tuple(json.loads((ROOT / "abis" / f"{name}.json").read_text(encoding="utf-8")))


def spelled(argument: Mapping[str, Any]) -> str:
    """Return the argument's type as a signature spells it."""
    stem, bracket, rest = str(argument["type"]).partition("[")
    if stem == "tuple":
        stem = f"({','.join(spelled(part) for part in argument['components'])})"
    return stem + bracket + rest


def signature(entry: Mapping[str, Any]) -> str:
    """Return an ABI entry's canonical signature."""
    return f"{entry['name']}({','.join(spelled(argument) for argument in entry['inputs'])})"


def declared_as(entry: Mapping[str, Any]) -> str:
    """Return an ABI entry's signature with its indexed arguments marked."""
    spellings = (
        spelled(argument) + " indexed" * bool(argument.get("indexed"))
        for argument in entry["inputs"]
    )
    return f"{entry['name']}({','.join(spellings)})"


def log(abi: str, name: str, emitter: str, /, **values: Any) -> Built:
    """
    Return a log of the event, encoded by `eth_abi`.

    Args:
        abi: `<slug>/<Contract>`.
        name: the event; by signature where the ABI overloads it, and with "indexed" after the
            types that are where a signature has a twin.
        emitter: who emits it.
        values: every argument by name.
    """
    found = [one for one in abi_of(abi) if name in (one["name"], signature(one))]
    (entry,) = [one for one in abi_of(abi) if name == declared_as(one)] or found
    inputs = entry["inputs"]
    plain = [argument for argument in inputs if not argument.get("indexed")]
    topics = [keccak(text=signature(entry))] + [
        topic_of(argument, values[argument["name"]])
        for argument in inputs
        if argument.get("indexed")
    ]
    data = encode(
        [spelled(argument) for argument in plain],
        [values[argument["name"]] for argument in plain],
    )
    return Built(emitter, tuple(topics), data)


def topic_of(argument: Mapping[str, Any], value: Any) -> bytes:
    """Return a topic: the value's word, or a hash of what is longer or may be."""
    kind = spelled(argument)
    if kind in ("string", "bytes"):
        return keccak(text=value) if kind == "string" else keccak(value)
    word = encode([kind], [value])
    return keccak(word) if kind.endswith((")", "]")) else word


def keyed(
    name: str, emitter: str, topics: Sequence[bytes] = (), /, **groups: Mapping[str, Any]
) -> Built:
    """
    Return a log of GMX v2's EventEmitter.

    Args:
        name: the event inside the envelope.
        emitter: the EventEmitter.
        topics: what follows the hash of the name; its number chooses the envelope.
        groups: items by type: address, uint256, int256, bool, bytes32, bytes, string.
    """
    envelope = f"EventLog{len(topics) or ''}"
    kinds = ["address", "string", "string", *["bytes32"] * len(topics), ITEMS]
    topic0 = keccak(text=f"{envelope}({','.join(kinds)})")
    none: list[Any] = []
    filled = tuple((list(groups.get(kind, {}).items()), none) for kind in GROUPS)
    data = encode(["address", "string", ITEMS], ["0x" + "11" * 20, name, filled])
    return Built(emitter, (topic0, keccak(text=name), *topics), data)


def frame(*transactions: Sequence[Built], block: int) -> pl.DataFrame:
    """Return the logs of these transactions of one block as a LOGS frame."""
    placed = [(place, one) for place, logs in enumerate(transactions) for one in logs]
    table = [
        (
            *(block, place, number, b"\xbb" * 32, bytes([place + 1]) * 32),
            bytes.fromhex(one.address.removeprefix("0x")),
            *one.topics,
            *[None] * (4 - len(one.topics)),
            one.data,
        )
        for number, (place, one) in enumerate(placed)
    ]
    return pl.DataFrame(table, LOGS, orient="row")


def facts_of(slug: str, chain: Chain, logs: pl.DataFrame, at: datetime = NOON) -> Facts:
    """Return the facts that one protocol's declaration makes of the logs, all at one time."""
    blocks = logs.select(pl.col("block_number").unique())
    headers = blocks.select(number="block_number", timestamp=pl.lit(at, pl.Datetime("us")))
    protocols = [PROTOCOLS[slug]]
    return facts(protocols, chain, logs, headers, declared(protocols, chain))


def built_facts(
    slug: str, chain: Chain, *transactions: Sequence[Built], at: datetime = NOON
) -> Facts:
    """Return the facts of synthetic transactions, in a block after every declared start."""
    return facts_of(slug, chain, frame(*transactions, block=900_000_000), at)


def rows(result: Facts, table: str) -> list[dict[str, Any]]:
    """Return a table's rows: the declared columns that are known."""
    return [
        {name: value for name, value in row.items() if name not in AUTOMATIC and value is not None}
        for row in result.tables[table].iter_rows(named=True)
    ]


def reasons(result: Facts) -> list[tuple[str, str | None, str]]:
    """Return the rejects: event, table, reason."""
    return list(result.rejects.select("event", "fact", "reason").iter_rows())


def recorded_logs(path: Path) -> list[dict[str, Any]]:
    """Return recorded logs as their node gave them."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def arguments(one: Mapping[str, Any], abi: str, name: str) -> dict[str, Any]:
    """Return the arguments of a recorded log without indexed ones, as `eth_abi` reads them."""
    (entry,) = (entry for entry in abi_of(abi) if entry["name"] == name)
    values = decode([spelled(part) for part in entry["inputs"]], bytes.fromhex(one["data"][2:]))
    return dict(zip((part["name"] for part in entry["inputs"]), values, strict=True))


def items(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain items of a recorded EventEmitter log, as `eth_abi` reads them."""
    _, _, groups = decode(["address", "string", ITEMS], bytes.fromhex(one["data"][2:]))
    return {key: value for plain, _ in groups for key, value in plain}


def recorded(path: Path, chain: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return recorded logs of one chain as a LOGS frame, and the headers of their blocks."""
    logs = [one for one in recorded_logs(path) if one["_chain"] == chain]
    times = {int(one["blockNumber"], 16): int(one["blockTimestamp"], 16) for one in logs}
    headers = pl.DataFrame(
        {"number": list(times), "timestamp": list(times.values())},
        {"number": pl.Int64, "timestamp": pl.Int64},
    ).with_columns(pl.from_epoch("timestamp").cast(pl.Datetime("us")))
    return placed(logs), headers


def placed(logs: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return recorded logs of one chain as a LOGS frame."""
    table = pl.DataFrame([_placed(one) for one in logs], LOGS, orient="row")
    return table.unique(["tx_hash", "log_index"]).sort("block_number", "tx_index", "log_index")


def _placed(one: Mapping[str, Any]) -> tuple[Any, ...]:
    topics = [bytes.fromhex(topic[2:]) for topic in one["topics"]]
    numbers = (int(one[name], 16) for name in ("blockNumber", "transactionIndex", "logIndex"))
    raw = (bytes.fromhex(one[name][2:]) for name in ("blockHash", "transactionHash", "address"))
    return (*numbers, *raw, *topics, *[None] * (4 - len(topics)), bytes.fromhex(one["data"][2:]))
