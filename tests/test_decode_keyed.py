"""GMX v2's EventEmitter envelope: items by key, absent or present, whatever the shape."""

from typing import Any

import eth_abi.abi
import numpy as np
import polars as pl
import pytest
from abi_rows import is_canonical, mutated, value_at
from eth_abi.tools._strategies import get_abi_strategy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.decode.columns import Decoded
from indexer.decode.keyed import decode_keyed

GROUPS = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
EVENT_DATA = ",".join(f"((string,{kind})[],(string,{kind}[])[])" for kind in GROUPS)
TYPES = ["address", "string", f"({EVENT_DATA})"]
SENDER = "0x" + "ab" * 20
TOPIC0 = {
    2: "7e3bde2ba7aca4a8499608ca57f3b0c1c1c93ace63ffd3741a9fab204146fc9a",
    3: "137a44067c8961cd7e1d876f4754a5a3a75989b4552f1843fc69c3b372def160",
    4: "468a25a7ba624ceea6e540ad6f49171b52495b648417ae91bca21676d8a24dc5",
}
SCHEMA = {f"topic{place}": pl.Binary for place in range(4)} | {"data": pl.Binary}

Items = dict[str, list[tuple[str, Any]]]


def envelope(items: Items, arrays: Items | None = None, name: str = "PositionDecrease") -> bytes:
    """The data of a log with these items by type."""
    groups = tuple((items.get(kind, []), (arrays or {}).get(kind, [])) for kind in GROUPS)
    return eth_abi.abi.encode(TYPES, [SENDER, name, groups])


def logs_of(datas: list[bytes], topics: int = 3) -> pl.DataFrame:
    """Logs of one of the three envelopes."""
    given_topics = [bytes.fromhex(TOPIC0[topics]), *(bytes([n]) * 32 for n in range(1, topics))]
    row = {f"topic{n}": topic for n, topic in enumerate(given_topics)}
    return pl.DataFrame([row | {"data": data} for data in datas], schema=SCHEMA)


def values(decoded: Decoded, name: str) -> list[Any]:
    """A column with None where the item is absent."""
    column = decoded.columns[name]
    return [
        value_at(column, row) if is_there else None for row, is_there in enumerate(column.present)
    ]


keys = st.text(max_size=40)


@st.composite
def random_items(draw: st.DrawFn) -> tuple[Items, Items]:
    """Items and array items under distinct keys."""
    names = draw(st.lists(keys, unique=True, max_size=8))
    items: Items = {}
    arrays: Items = {}
    for name in names:
        kind = draw(st.sampled_from(GROUPS))
        if draw(st.integers(0, 3)):
            items.setdefault(kind, []).append((name, draw(get_abi_strategy(kind))))
        else:
            arrays.setdefault(kind, []).append((name, draw(get_abi_strategy(f"{kind}[]"))))
    return items, arrays


@settings(max_examples=60)
@example(({"uint256": [("topic2", 7), ("topic3", 7)]}, {}), 1)
@given(random_items(), st.integers(1, 4))
def test_random_envelopes_decode_like_eth_abi(drawn: tuple[Items, Items], copies: int) -> None:
    """Items of all seven groups come out equal, array items are walked over."""
    items, arrays = drawn
    data = envelope(items, arrays)
    _, _, groups = eth_abi.abi.decode(TYPES, data)
    expected = {key: value for plain, _ in groups for key, value in plain}
    # These names are the log's topics, whatever items are called.
    own = {"topic2": b"\x02" * 32, "topic3": None}
    expected |= {key: own[key] for key in own.keys() & expected.keys()}

    decoded = decode_keyed(list(expected), logs_of([data] * copies))

    assert decoded.reasons == {}
    for key, value in expected.items():
        assert values(decoded, key) == [value] * copies


@st.composite
def hostile_envelopes(draw: st.DrawFn) -> list[bytes]:
    """Good envelopes of one shape and broken ones in any order."""
    items, arrays = draw(random_items())
    good = envelope(items, arrays)
    bad = [mutated(draw, good) for _ in range(draw(st.integers(1, 4)))]
    return draw(st.permutations([good] * 3 + bad))


@settings(max_examples=80)
@given(hostile_envelopes())
def test_exactly_the_canonical_envelope_is_accepted(datas: list[bytes]) -> None:
    """A broken log is refused, and the same one alone for the same reason."""
    decoded = decode_keyed([], logs_of(datas))

    # Of what is wrong in two ways one is named.
    twice = {row for row, reason in decoded.reasons.items() if "twice" in reason}
    broken = {row for row, data in enumerate(datas) if not is_canonical(TYPES, data)}
    assert decoded.reasons.keys() - twice == broken - twice
    for row, data in enumerate(datas):
        alone = decode_keyed(["a"], logs_of([data]))
        assert alone.reasons.get(0) == decoded.reasons.get(row)


def test_an_absent_key_is_not_zero() -> None:
    """Rows of an older shape lack the item; rows that say zero have it."""
    datas = [envelope({"uint256": [("size", 0)]}), envelope({"uint256": [("other", 7)]})]

    decoded = decode_keyed(["size"], logs_of(datas))

    assert values(decoded, "size") == [0, None]


def test_a_key_may_move_between_unsigned_and_signed() -> None:
    """Each row is read by the group its key was found in."""
    datas = [
        envelope({"uint256": [("delta", 2**256 - 1)]}),
        envelope({"int256": [("delta", -1)]}),
    ]

    decoded = decode_keyed(["delta"], logs_of(datas))

    assert decoded.columns["delta"].kind == "int"
    assert values(decoded, "delta") == [2**256 - 1, -1]


def test_a_key_that_is_a_word_and_a_text_is_no_column() -> None:
    """The text is refused with both kinds named; the other row stands."""
    datas = [envelope({"string": [("step", "x")]}), envelope({"uint256": [("step", 1)]})]

    decoded = decode_keyed(["step"], logs_of(datas))

    assert decoded.reasons == {0: "`step` is string here and uint in other logs"}


@pytest.mark.parametrize("groups", [("uint256", "uint256"), ("address", "string")])
def test_a_key_that_stands_twice_is_refused(groups: tuple[str, str]) -> None:
    """Which of the two is meant cannot be known, wanted or not."""
    zero = {"uint256": 0, "address": SENDER, "string": ""}
    items: Items = {}
    for kind in groups:
        items.setdefault(kind, []).append(("market", zero[kind]))

    decoded = decode_keyed([], logs_of([envelope(items)] * 3))

    assert set(decoded.reasons.values()) == {"key `market` stands there twice"}


def test_a_long_key_is_named_by_its_beginning() -> None:
    """A key may fill its log; the reason that refuses it is no log."""
    decoded = decode_keyed([], logs_of([envelope({"uint256": [("k" * 5_000, 0)] * 2})]))

    assert decoded.reasons == {0: f"key `{'k' * 80}` stands there twice"}
    assert not decoded.accepted.any()


def test_the_envelope_itself_can_be_asked_for() -> None:
    """Sender, name and the two free topics; EventLog has neither of them."""
    data = envelope({})
    logs = pl.concat([logs_of([data], topics) for topics in (2, 3, 4)])

    decoded = decode_keyed(["msgSender", "eventName", "topic2", "topic3"], logs)

    assert values(decoded, "msgSender") == [SENDER] * 3
    assert values(decoded, "eventName") == ["PositionDecrease"] * 3
    assert values(decoded, "topic2") == [None, b"\x02" * 32, b"\x02" * 32]
    assert values(decoded, "topic3") == [None, None, b"\x03" * 32]


def test_topics_must_be_as_many_as_the_envelope_has() -> None:
    """An EventLog1 without its second topic, and a stranger's topic0."""
    logs = pl.concat([logs_of([envelope({})])] * 2).with_columns(
        topic0=pl.Series([bytes.fromhex(TOPIC0[4]), bytes(32)], dtype=pl.Binary)
    )

    decoded = decode_keyed([], logs)

    assert decoded.reasons == {
        0: "log has 3 topics of 32 bytes, expected 4",
        1: "topic0 is not one of EventEmitter's envelopes",
    }


def test_a_thousand_odd_logs_leave_the_others_right() -> None:
    """Every second log has a shape of its own; the rest still read right."""
    datas = [
        envelope({"uint256": [(f"k{row}" if row % 2 else "size", row), ("end", row)]})
        for row in range(2_000)
    ]

    decoded = decode_keyed(["size", "end"], logs_of(datas))

    assert values(decoded, "size") == [None if row % 2 else row for row in range(2_000)]
    assert values(decoded, "end") == list(np.arange(2_000))
