"""
GMX v2's EventEmitter envelope: items by key, as if they were arguments.

EventLog, EventLog1 and EventLog2 carry the same data: (address msgSender, string eventName,
EventLogData), the last being seven groups of key and value by type, each with plain items and
array items. Keys come, go and move between groups with every release of the contracts, so a
column is found by its key alone, and what a row leaves out is absent, not zero.
"""

from collections.abc import Collection, Sequence
from functools import cache

import numpy as np
import polars as pl

from indexer.decode.abi import Parameter
from indexer.decode.columns import (
    Column,
    Decoded,
    column,
    topic_count_reasons,
    topic_words,
    topics_there,
)
from indexer.decode.gather import Gathered, gathered
from indexer.decode.layout import Kind, Node, array, branch, node_of
from indexer.decode.template import Mask

_TOPIC_COUNTS = {
    # EventLog, EventLog1, EventLog2
    bytes.fromhex("7e3bde2ba7aca4a8499608ca57f3b0c1c1c93ace63ffd3741a9fab204146fc9a"): 2,
    bytes.fromhex("137a44067c8961cd7e1d876f4754a5a3a75989b4552f1843fc69c3b372def160"): 3,
    bytes.fromhex("468a25a7ba624ceea6e540ad6f49171b52495b648417ae91bca21676d8a24dc5"): 4,
}
_GROUPS = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
_KINDS: tuple[Kind, ...] = (
    "int",
    "uint",
    "address",
    "bool",
    "fixed_bytes",
    "bytes",
    "string",
)
_TOPICS = {"topic2": 2, "topic3": 3}


def decode_keyed(wanted: Collection[str], logs: pl.DataFrame) -> Decoded:
    """
    Return the wanted items of EventEmitter logs; the three envelopes may be mixed.

    A log is accepted exactly when its data is the canonical encoding of the envelope, its topics
    are as many as topic0 says, and no plain item's key stands there twice.

    Args:
        wanted: keys of plain items ("sizeDeltaUsd", "collateralTokenPrice.min"; the dot is part
            of the key), and `msgSender`, `eventName`, `topic2`, `topic3` of the envelope.
        logs: frame LOGS: topic0..topic3 Binary(32) or null, data Binary.

    Returns:
        Columns by name; `present` is false where a row has no such item. A key that is no number
        in both of two shapes (text here, a word there) cannot be one column: rows of the kind
        that comes later in `int uint address bool fixed_bytes bytes string` are refused.
    """
    counts = logs["topic0"].replace_strict(_TOPIC_COUNTS, default=0, return_dtype=pl.Int64)
    expected = counts.fill_null(0).to_numpy()
    items = [name for name in wanted if name not in _TOPICS]
    found = gathered(_envelope(), items, logs["data"], logs.select("topic1"))
    there = topics_there(logs)
    reasons = found.reasons | topic_count_reasons(there, expected)
    strangers = np.flatnonzero(expected == 0).tolist()
    reasons |= dict.fromkeys(strangers, "topic0 is not one of EventEmitter's envelopes")
    kinds = {name: _kind(name, found, reasons) for name in items}
    accepted = found.accepted.copy()
    accepted[list(reasons)] = False
    columns = {
        name: _topic(logs, _TOPICS[name], there, accepted & (expected > _TOPICS[name]))
        if name in _TOPICS
        else _item(name, kinds[name], found, accepted)
        for name in wanted
    }
    return Decoded(columns, accepted, reasons)


@cache
def _envelope() -> Node:
    """The layout of the data of all three envelopes."""
    groups = tuple(
        branch("tuple", f"{name} items", (_items(name, ""), _items(name, "[]"))) for name in _GROUPS
    )
    sender, text = (_node("address", "msgSender"), _node("string", "eventName"))
    return branch("tuple", "", (sender, text, branch("tuple", "eventData", groups)))


def _items(solidity_type: str, suffix: str) -> Node:
    name = f"{solidity_type}{suffix} items"
    key = Node("key", f"key of {name}", dynamic=True)
    value = _node(solidity_type + suffix, f"value of {name}")
    return array(name, branch("item", f"one of {name}", (key, value)))


def _node(solidity_type: str, name: str) -> Node:
    return node_of(Parameter("", solidity_type, indexed=False, components=()), name)


def _kind(name: str, found: Gathered, reasons: dict[int, str]) -> Kind:
    """Settle on one kind; uint and int live together, whatever else disagrees is refused."""
    seen = [kind for kind in _KINDS if kind in found.kinds[name]]
    kind = seen[0] if seen else "uint"
    for other in seen[1:]:
        if (kind, other) != ("int", "uint"):
            for row in np.concatenate(found.kinds[name][other]).tolist():
                reasons.setdefault(row, f"`{name}` is {other} here and {kind} in other logs")
    return kind


def _item(name: str, kind: Kind, found: Gathered, accepted: Mask) -> Column:
    signed = np.zeros(len(accepted), np.bool_)
    for rows in found.kinds[name].get("int", []):
        signed[rows] = True
    return column(kind, name, found, found.present[name] & accepted, signed)


def _topic(logs: pl.DataFrame, place: int, there: Sequence[Mask], present: Mask) -> Column:
    signed = np.zeros(len(present), np.bool_)
    return Column("fixed_bytes", topic_words(logs, place, there[place]), None, present, signed)
