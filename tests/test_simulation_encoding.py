"""The simulator's encoder writes the same bytes as eth_abi, for events plain and keyed."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from indexer.simulation.encoding import (
    ENVELOPES,
    Blob,
    Items,
    Signed,
    Value,
    keyed,
    plain,
    topic,
    word,
)

EMITTER, SENDER, TRADER = b"E" * 20, b"S" * 20, b"T" * 20
KINDS = ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
DATA = ",".join(f"((string,{kind})[],(string,{kind}[])[])" for kind in KINDS)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.binary(min_size=20, max_size=20),
    st.integers(0, 2**256 - 1),
    st.integers(-(2**255), 2**255 - 1).map(Signed),
    st.booleans(),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=70).map(Blob),
    st.text(max_size=40),
    st.lists(st.binary(min_size=20, max_size=20), max_size=3).map(tuple),
)
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=70)


def group_of(value: Value) -> int:
    """Return the group of the envelope that a value belongs to."""
    if isinstance(value, bytes) and not isinstance(value, Blob):
        return 0 if len(value) == 20 else 4
    kinds = ((bool, 3), (Signed, 2), (int, 1), (Blob, 5), (str, 6), (tuple, 0))
    return next(place for kind, place in kinds if isinstance(value, kind))


def reference(name: str, items: Items) -> bytes:
    """Return the data of a keyed event as eth_abi encodes it."""
    groups: list[tuple[list[Any], list[Any]]] = [([], []) for _ in KINDS]
    for key, value in items.items():
        groups[group_of(value)][isinstance(value, tuple)].append((key, value))
    return encode(["address", "string", f"({DATA})"], [SENDER, name, groups])


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
    st.dictionaries(KEYS, VALUES, max_size=9),
)
def test_keyed_items_are_encoded_as_eth_abi_does(name: str, items: Items) -> None:
    """Whatever the items, the data is byte for byte what eth_abi writes."""
    log = keyed(EMITTER, SENDER, name, items)

    assert log.data == reference(name, items)


def test_events_of_one_shape_keep_their_own_values() -> None:
    """The layout that events of one shape share carries nothing over from one to the next."""
    first = keyed(EMITTER, SENDER, "X", {"a": 1, "b": TRADER, "c": Signed(-1)})
    second = keyed(EMITTER, SENDER, "X", {"a": 2, "b": EMITTER, "c": Signed(5)})

    assert first.data == reference("X", {"a": 1, "b": TRADER, "c": Signed(-1)})
    assert second.data == reference("X", {"a": 2, "b": EMITTER, "c": Signed(5)})


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_envelope_follows_from_the_number_of_topics(count: int) -> None:
    """EventLog, EventLog1 and EventLog2 differ in topic0 and in how many topics follow it."""
    log = keyed(EMITTER, SENDER, "Name", {}, [TRADER] * count)

    assert log.topics[0] == keccak(ENVELOPES[count].encode("ascii"))
    assert log.topics[1:] == (keccak(b"Name"), *[bytes(12) + TRADER] * count)


def test_plain_arguments_are_words() -> None:
    """Indexed arguments become topics, all others words of the data, negatives included."""
    log = plain(EMITTER, "E(address,int256,bool)", [-5, True], [TRADER])

    assert log.topics == (topic("E(address,int256,bool)"), word(TRADER))
    assert log.data == encode(["int256", "bool"], [-5, True])
