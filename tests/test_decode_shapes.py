"""One event in two shapes: a log is read as the one that has its number of topics."""

import polars as pl
import pytest
from eth_abi.abi import encode

from indexer.decode.abi import EventAbi, event_abis
from indexer.decode.int256 import from_column
from indexer.decode.shapes import decode_shapes

NAMES = ("topic0", "topic1", "topic2", "topic3")


def paid(*indexed: str) -> dict[str, object]:
    """Return the entry of Paid(uint256 key, uint256 sum) with these arguments indexed."""
    inputs = [
        {"type": "uint256", "name": name, "indexed": name in indexed} for name in ("key", "sum")
    ]
    return {"type": "event", "name": "Paid", "inputs": inputs}


def one(event: EventAbi, topics: list[int], words: list[int]) -> dict[str, bytes | None]:
    """Return a log with these topics after the first and these words as data."""
    raw = [event.topic0, *(number.to_bytes(32) for number in topics)]
    data = encode(["uint256"] * len(words), words)
    return {**dict(zip(NAMES, [*raw, *[None] * 4], strict=False)), "data": data}


def logs_of(*rows: dict[str, bytes | None]) -> pl.DataFrame:
    """Return these logs as a frame."""
    return pl.DataFrame(rows, dict.fromkeys([*NAMES, "data"], pl.Binary))


def test_each_log_is_read_in_its_own_shape_and_stays_in_its_place() -> None:
    """Indexed and plain keys of one event end in one column, in the order of the logs."""
    event = event_abis([paid(), paid("key")])["Paid"]
    logs = logs_of(one(event, [7], [70]), one(event, [], [8, 80]), one(event, [9], [90]))

    decoded = decode_shapes(event, ["key", "sum"], logs)

    numbers = {name: from_column(column).magnitude[0] for name, column in decoded.columns.items()}
    assert {name: values.tolist() for name, values in numbers.items()} == {
        "key": [7, 8, 9],
        "sum": [70, 80, 90],
    }
    assert decoded.accepted.all()


def test_texts_of_both_shapes_are_one_column() -> None:
    """A text is no word: it is kept apart, and stays with its log as words do."""
    memo = {"type": "string", "name": "memo", "indexed": False}
    entries = [paid(), paid("key")]
    for entry in entries:
        entry["inputs"] = [*entry["inputs"][:1], memo]  # type: ignore[index]
    event = event_abis(entries)["Paid"]
    logs = logs_of(
        one(event, [7], []) | {"data": encode(["string"], ["one"])},
        one(event, [], []) | {"data": encode(["uint256", "string"], [8, "two"])},
        one(event, [9], []) | {"data": encode(["string"], ["three"])},
    )

    texts = decode_shapes(event, ["memo"], logs).columns["memo"]

    assert texts.values is not None
    assert texts.values.cast(pl.Binary).to_list() == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("topics", "words", "reason"),
    [
        ([1, 2], [3], "log has 3 topics of 32 bytes, expected 1"),
        ([1], [2, 3], "data is 64 bytes, expected 32"),
    ],
)
def test_a_log_of_no_shape_is_refused_in_its_place(
    topics: list[int], words: list[int], reason: str
) -> None:
    """Too many topics, or data that the chosen shape does not have, refuse that log alone."""
    event = event_abis([paid(), paid("key")])["Paid"]
    logs = logs_of(one(event, [7], [70]), one(event, topics, words), one(event, [], [8, 80]))

    decoded = decode_shapes(event, ["sum"], logs)

    assert list(decoded.reasons) == [1]
    assert reason in decoded.reasons[1]
    assert decoded.accepted.tolist() == [True, False, True]
