"""Logs read by position are those the JSON parser reads, and nothing else is read so."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NodeAnswerWrong
from indexer.rpc.frames import log_frame
from indexer.rpc.strided import columns_of

Json = dict[str, Any]
Outcome = list[tuple[Any, ...]] | type[Exception]


def logs(seed: int, count: int = 40, *, topics: int = 4, size: int = 64) -> list[Json]:
    """Return logs as a node writes them, from a seed."""
    random = Random(seed)

    def octets(length: int) -> str:
        return "0x" + random.randbytes(length).hex()

    return [
        {
            "address": octets(20),
            "topics": [octets(32) for _ in range(topics)],
            "data": octets(size),
            "blockNumber": hex(random.randrange(1 << 12)),
            "blockTimestamp": hex(random.randrange(1 << 32)),
            "transactionHash": octets(32),
            "transactionIndex": hex(random.randrange(300)),
            "blockHash": octets(32),
            "logIndex": hex(place),
            "removed": False,
        }
        for place in range(count)
    ]


def compact(rows: list[Json]) -> bytes:
    """Return the JSON without spaces."""
    return json.dumps(rows, separators=(",", ":")).encode()


def outcome(answer: bytes) -> Outcome:
    """Return the rows of an answer's frame, or the kind of error."""
    try:
        return log_frame(answer).rows()
    except NodeAnswerWrong as error:
        return type(error)


def parsed(answer: bytes) -> Outcome:
    """Return the same with a space behind the list, which is never read by position."""
    assert columns_of(answer + b" ") is None
    return outcome(answer + b" ")


@given(
    st.integers(0, 1 << 32),
    st.integers(0, 4),
    st.sampled_from([0, 1, 12, 13, 32, 320]),
    st.permutations(list(logs(0, 1)[0])),
    st.booleans(),
)
def test_logs_written_alike_are_read_by_position(
    seed: int, topics: int, size: int, order: list[str], spaced: bool
) -> None:
    """Members in any order, with and without spaces, any number of topics, short data as well."""
    rows = [{name: log[name] for name in order} for log in logs(seed, topics=topics, size=size)]
    answer = json.dumps(rows).encode() if spaced else compact(rows)

    assert columns_of(answer) is not None
    assert outcome(answer) == parsed(answer)


def test_shapes_may_be_mixed() -> None:
    """Logs of several lengths come back with their own values, absent topics as null."""
    rows = logs(1, topics=0) + logs(2, topics=2, size=0) + logs(3, size=13) + logs(4, topics=1)
    Random(5).shuffle(rows)
    answer = compact(rows).replace(b"ab", b"AB")

    assert columns_of(answer) is not None
    assert outcome(answer) == parsed(answer)


@given(
    st.integers(0, 1 << 32), st.lists(st.tuples(st.integers(0), st.binary(max_size=3)), max_size=3)
)
def test_any_damage_ends_alike(seed: int, blows: list[tuple[int, bytes]]) -> None:
    """Bytes overwritten anywhere give the same frame or the same kind of error."""
    answer = bytearray(compact(logs(seed, 20, size=32)))

    for place, octets in blows:
        at = place % len(answer)
        answer[at : at + len(octets)] = octets

    assert outcome(bytes(answer)) == parsed(bytes(answer))


@given(st.integers(0, 1 << 32), st.integers(0), st.sampled_from(list('"{}[],:\\0xgG\x00 ')))
def test_structural_damage_ends_alike(seed: int, place: int, letter: str) -> None:
    """Letters that mean something to JSON or hex are no exception, put in or written over."""
    answer = compact(logs(seed, 20, size=32))
    at = place % len(answer)

    for skipped in (0, 1):
        hurt = answer[:at] + letter.encode() + answer[at + skipped :]
        assert outcome(hurt) == parsed(hurt)


@given(st.integers(0, 1 << 32), st.integers(0))
def test_cut_answers_end_alike(seed: int, place: int) -> None:
    """A list that stops early is refused."""
    answer = compact(logs(seed, 20, size=32))

    assert outcome(answer[: place % len(answer)]) is NodeAnswerWrong


ODDITIES: dict[str, Callable[[Json], Json]] = {
    "removed": lambda log: log | {"removed": True},
    "removed as text": lambda log: log | {"removed": "0x0"},
    "null topics": lambda log: log | {"topics": None},
    "a null topic": lambda log: log | {"topics": [None]},
    "five topics": lambda log: log | {"topics": log["topics"][:1] * 5},
    "short topic": lambda log: log | {"topics": ["0x12"]},
    "topics as text": lambda log: log | {"topics": "0x12"},
    "odd data": lambda log: log | {"data": "0x123"},
    "no prefix": lambda log: log | {"data": "1234"},
    "data null": lambda log: log | {"data": None},
    "no number": lambda log: log | {"logIndex": "0x"},
    "number as such": lambda log: log | {"logIndex": 5},
    "number too large": lambda log: log | {"logIndex": "0xffffffff"},
    "largest number": lambda log: log | {"blockNumber": hex(2**63 - 1)},
    "a nested member": lambda log: log | {"more": {"data": "0x00"}},
    "an escape": lambda log: log | {"more": 'x"},{"'},
    "a member named like a column": lambda log: log | {"topic1": "0x11"},
    "an unknown list": lambda log: log | {"more": ["0x11"]},
    "member missing": lambda log: {name: log[name] for name in log if name != "data"},
    "optional member missing": lambda log: {name: log[name] for name in log if name != "removed"},
    "an unknown name": lambda log: log | {"pending": False},
}


@pytest.mark.parametrize("oddity", ODDITIES.values(), ids=ODDITIES)
def test_oddities_end_alike(oddity: Callable[[Json], Json]) -> None:
    """In the first log, in one of many and in all of them."""
    rows = logs(6)

    for odd in ({0}, {20}, {*range(40)}):
        answer = compact([oddity(log) if at in odd else log for at, log in enumerate(rows)])
        assert outcome(answer) == parsed(answer)


@pytest.mark.parametrize("mark", [b"", b" ", b";", b"}", b"{", b",,", b"],["])
def test_logs_are_parted_by_commas(mark: bytes) -> None:
    """Whatever else stands between two of them is the parser's to refuse."""
    answer = compact(logs(9)).replace(b"},{", b"}" + mark + b"{", 1)

    assert columns_of(answer) is None
    assert outcome(answer) is NodeAnswerWrong


@pytest.mark.parametrize("name", ["blockNumber", "transactionIndex", "logIndex", "data", "topics"])
@pytest.mark.parametrize("letter", ["g", " ", "-", "/", ":", "@", "`"])
def test_digits_are_hex(name: str, letter: str) -> None:
    """A value of the right length in a log of a known shape may still be no number."""
    rows = [logs(10, 1)[0] for _ in range(40)]
    held: Any
    held, at = (rows[20]["topics"], 1) if name == "topics" else (rows[20], name)
    held[at] = held[at][:-1] + letter

    assert columns_of(compact(rows)) is None
    assert outcome(compact(rows)) is NodeAnswerWrong


def test_two_odd_values_do_not_make_an_even_one() -> None:
    """Values of neighbouring logs lie side by side while they are decoded."""
    answer = compact([logs(11, 1)[0] | {"data": "0x123"} for _ in range(40)])

    assert columns_of(answer) is None
    assert outcome(answer) is NodeAnswerWrong


def test_members_told_twice_end_alike() -> None:
    """Which of two values counts is the parser's choice."""
    answer = compact(logs(7)).replace(b'"removed":false', b'"data":"0x12","removed":false')

    assert columns_of(answer) is None
    assert outcome(answer) == parsed(answer)


def test_many_shapes_are_left_to_the_parser() -> None:
    """Data of a hundred lengths is not worth a hundred shapes."""
    answer = compact([log for size in range(100) for log in logs(size, 2, size=size)])

    assert columns_of(answer) is None
    assert outcome(answer) == parsed(answer)


def test_columns_have_the_types_of_the_frame() -> None:
    """Frames of both ways can be put below each other."""
    answer = compact(logs(8))

    both = pl.concat([log_frame(answer), log_frame(answer + b" ")])

    assert both.height == 80
