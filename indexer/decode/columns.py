"""Logs of one event as typed columns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.decode.abi import EventAbi
from indexer.decode.gather import Gathered, gathered, joined
from indexer.decode.layout import Kind, Node, body, leaf_kind, leaves, topics
from indexer.decode.template import Bytes, Mask, Template, matches, template
from indexer.decode.walk import check_word, walked

_TOPICS = 4
_BLOCK_BYTES = 1 << 19


@dataclass(frozen=True)
class Column:
    """
    One argument of every log of a batch.

    Attributes:
        kind: how the value reads; for a keyed item that is unsigned in one shape and signed in
            another "int", and `signed` tells them apart.
        words: (rows, 32), big-endian, possibly a strided view; None for bytes and string.
        values: Binary or String for those two, null where absent or rejected; else None.
        present: (rows,), whether the row has the value: false where rejected.
        signed: (rows,), whether the word is a two's complement.
        width: how many bytes of a word are the value, from the left: 16 for bytes16.
    """

    kind: Kind
    words: NDArray[np.uint8] | None
    values: pl.Series | None
    present: NDArray[np.bool_]
    signed: NDArray[np.bool_]
    width: int = 32


@dataclass(frozen=True)
class Decoded:
    """
    A batch of logs, decoded.

    Attributes:
        columns: by wanted name, with as many rows as the batch.
        accepted: (rows,), whether the log is canonical.
        reasons: row -> why it is not.
    """

    columns: dict[str, Column]
    accepted: NDArray[np.bool_]
    reasons: dict[int, str]


def decode(event: EventAbi, wanted: Collection[str], logs: pl.DataFrame) -> Decoded:
    """
    Return the wanted arguments of logs of one event.

    A log is accepted exactly when its data is the canonical encoding of the event's arguments
    and its topics are as many as the event has and within their types, whatever is wanted and
    whatever else is in the batch.

    Args:
        event: what the logs are; they were chosen by its topic0.
        wanted: argument names; tuples and fixed arrays by dotted path ("t.leverage",
            "assets.0"). Indexed dynamic arguments are their hash.
        logs: frame LOGS: topic0..topic3 Binary(32) or null, data Binary.

    Raises:
        ValueError: the event has no such argument, or it is no leaf.
    """
    root, indexed = layouts(event)
    in_data = {leaf.name: leaf for leaf in leaves(root)}
    in_topics = {node.name: node for node in indexed}
    _demand(event, wanted, [*in_data, *in_topics])
    first = 0 if event.anonymous else 1
    there = topics_there(logs)
    reasons = topic_count_reasons(there, np.full(logs.height, first + len(indexed)))
    words = {
        node.name: topic_words(logs, first + place, there[first + place])
        for place, node in enumerate(indexed)
    }
    for node in indexed:
        reasons = topic_word_reasons(node, words[node.name]) | reasons
    found = _body(root, [name for name in wanted if name in in_data], logs["data"])
    reasons = found.reasons | reasons
    accepted = found.accepted
    if reasons:
        accepted = accepted.copy()
        accepted[list(reasons)] = False
    columns = {
        name: _topic_column(in_topics[name], words[name], accepted)
        if name in in_topics
        else _column(in_data[name], found, accepted)
        for name in wanted
    }
    return Decoded(columns, accepted, reasons)


@lru_cache(maxsize=1024)
def layouts(event: EventAbi) -> tuple[Node, tuple[Node, ...]]:
    """Return the layout of an event's data and the leaves of its topics."""
    return body(event), topics(event)


def topics_there(logs: pl.DataFrame) -> list[Mask]:
    """Return, topic by topic, which rows have it as 32 bytes."""
    names = [f"topic{place}" for place in range(_TOPICS)]
    found = [name for name in names if name in logs.columns]
    found = [name for name in found if logs[name].null_count() < logs.height]
    there = dict.fromkeys(names, np.zeros(logs.height, np.bool_))
    if found:
        whole = logs.select((pl.col(found).bin.size() == 32).fill_null(value=False))
        there |= {name: whole[name].to_numpy() for name in found}
    return list(there.values())


def topic_words(logs: pl.DataFrame, place: int, there: Mask) -> Bytes:
    """Return a topic as (rows, 32) words; zero where it is not `there` as 32 bytes."""
    if not there.any():
        return np.zeros((logs.height, 32), np.uint8)
    topic = logs[f"topic{place}"]
    if not there.all():
        topic = pl.select(
            pl.when(topic.bin.size() == 32).then(topic).otherwise(pl.lit(bytes(32)))
        ).to_series()
    return joined(topic, 32)


def topic_count_reasons(present: Sequence[Mask], expected: NDArray[np.int64]) -> dict[int, str]:
    """
    Return why rows whose topics are not 1 to `expected` without a hole are refused.

    Args:
        present: of `topics_there`.
        expected: (rows,), how many topics each has to have.
    """
    wrong = np.zeros(len(expected), np.bool_)
    for place, is_there in enumerate(present):
        wrong |= is_there != (place < expected)
    return {
        int(row): f"log has {sum(int(is_there[row]) for is_there in present)} topics of 32 bytes, "
        f"expected {expected[row]}"
        for row in np.flatnonzero(wrong)
    }


def topic_word_reasons(node: Node, words: Bytes) -> dict[int, str]:
    """Return why rows whose indexed argument is outside its type are refused."""
    shape = _word_template(Node(node.kind, node.name, node.left, node.right))
    reasons = {}
    for row in np.flatnonzero(~matches(shape, words)):
        try:
            check_word(node, words[row].tobytes(), 0)
        except ValueError as refusal:
            reasons[int(row)] = f"topic {refusal}"
    return reasons


@lru_cache(maxsize=256)
def _word_template(node: Node) -> Template:
    return _static_template(Node("tuple", "", children=(node,), size=32, head=32))


@lru_cache(maxsize=1024)
def _static_template(root: Node) -> Template:
    """The shape of a static layout: all zeros is always canonical."""
    return template(walked(root, bytes(root.head)), bytes(root.head))


def _body(root: Node, wanted: list[str], data: pl.Series) -> Gathered:
    if not root.dynamic and data.null_count() == 0 and (data.bin.size() == root.head).all():
        found = _whole(root, wanted, joined(data, root.head))
        if found:
            return found
    return gathered(root, wanted, data, pl.DataFrame(height=len(data)))


def _whole(root: Node, wanted: list[str], table: Bytes) -> Gathered | None:
    """A static batch without a single bad row: columns are views of it."""
    shape = _static_template(root)
    step = max(1, _BLOCK_BYTES // max(root.head, 1))
    if not all(matches(shape, table[at : at + step]).all() for at in range(0, len(table), step)):
        return None
    at = {node.name: at for node, at, _ in walked(root, bytes(root.head)).records}
    good = np.ones(len(table), np.bool_)
    words = {name: table[:, at[name] : at[name] + 32] for name in wanted}
    return Gathered(words, {}, dict.fromkeys(wanted, good), {}, good)


def _column(leaf: Node, found: Gathered, accepted: Mask) -> Column:
    signed = np.full(len(accepted), leaf.kind == "int")
    present = found.present[leaf.name] & accepted
    found_column = column(leaf_kind(leaf), leaf.name, found, present, signed)
    return replace(found_column, width=32 - leaf.right)


def column(kind: Kind, name: str, found: Gathered, present: Mask, signed: Mask) -> Column:
    """Return what was gathered under a name as a column of one kind."""
    if kind not in ("bytes", "string"):
        return Column(kind, found.words[name], None, present, signed)
    blobs: Mapping[int, bytes] = found.blobs[name]
    kept = {int(row): blobs[int(row)] for row in np.flatnonzero(present)}
    if kind == "bytes":
        raw = [kept.get(row) for row in range(len(present))]
        return Column(kind, None, pl.Series(name, raw, pl.Binary), present, signed)
    text = [kept[row].decode() if row in kept else None for row in range(len(present))]
    return Column(kind, None, pl.Series(name, text, pl.String), present, signed)


def _topic_column(node: Node, words: Bytes, accepted: Mask) -> Column:
    signed = np.full(len(accepted), node.kind == "int")
    return Column(leaf_kind(node), words, None, accepted, signed, 32 - node.right)


def _demand(event: EventAbi, wanted: Collection[str], leaf_names: Collection[str]) -> None:
    for name in wanted:
        if name not in leaf_names:
            raise ValueError(
                f"{event.name} has no argument `{name}` that a column can be made of; "
                f"it has {', '.join(leaf_names)}"
            )
