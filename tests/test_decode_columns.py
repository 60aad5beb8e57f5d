"""Decoding of static and dynamic events equals eth_abi on good data and refuses all other data."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from abi_rows import (
    WORD,
    decoded_row,
    event_of,
    events_with_rows,
    expected_row,
    hostile_batches,
    is_canonical,
    logs_of,
    value_at,
)
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode
from hypothesis import given, settings

from indexer.decode.abi import Parameter, canonical
from indexer.decode.columns import decode


@settings(max_examples=100)
@given(events_with_rows())
def test_random_events_decode_like_eth_abi(
    drawn: tuple[tuple[Parameter, ...], list[tuple[Any, ...]]],
) -> None:
    """Nested tuples, arrays and all leaf types come out equal to the last digit."""
    parameters, rows = drawn
    types = [canonical(parameter) for parameter in parameters]
    datas = [encode(types, values) for values in rows]
    expected = [expected_row(parameters, abi_decode(types, data)) for data in datas]

    event = event_of(parameters)
    decoded = decode(event, list(expected[0]), logs_of(event, datas))

    assert decoded.reasons == {}
    for row, wanted in enumerate(expected):
        assert decoded_row(decoded, row, wanted) == wanted


@settings(max_examples=250)
@given(hostile_batches())
def test_exactly_the_canonical_encoding_is_accepted(
    drawn: tuple[tuple[Parameter, ...], list[bytes]],
) -> None:
    """A row is accepted when eth_abi reads it and writes the same bytes again, and only then."""
    parameters, datas = drawn
    types = [canonical(parameter) for parameter in parameters]
    event = event_of(parameters)

    decoded = decode(event, [], logs_of(event, datas))

    assert decoded.accepted.tolist() == [is_canonical(types, data) for data in datas]
    assert sorted(decoded.reasons) == np.flatnonzero(~decoded.accepted).tolist()


@settings(max_examples=100)
@given(hostile_batches())
def test_a_row_reads_the_same_alone_and_in_a_batch(
    drawn: tuple[tuple[Parameter, ...], list[bytes]],
) -> None:
    """Verdict, reason and values of a row depend on nothing but the row."""
    parameters, datas = drawn
    event = event_of(parameters)
    types = [canonical(parameter) for parameter in parameters]
    good = next(data for data in datas if is_canonical(types, data))
    like = expected_row(parameters, abi_decode(types, good))

    together = decode(event, list(like), logs_of(event, datas))
    for row, data in enumerate(datas):
        alone = decode(event, list(like), logs_of(event, [data]))

        assert alone.reasons.get(0) == together.reasons.get(row)
        if alone.accepted[0]:
            assert decoded_row(alone, 0, like) == decoded_row(together, row, like)


WORDS = (
    Parameter("owner", "address", indexed=False, components=()),
    Parameter("open", "bool", indexed=False, components=()),
    Parameter("tick", "int24", indexed=False, components=()),
    Parameter("note", "string", indexed=False, components=()),
)
GOOD = encode(["address", "bool", "int24", "string"], ["0x" + "11" * 20, True, -5, "hé"])


def broken(at: int, value: int) -> bytes:
    """GOOD with one word replaced."""
    return GOOD[: at * WORD] + value.to_bytes(WORD) + GOOD[(at + 1) * WORD :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GOOD[:31], "data is 31 bytes and ends, expected 128 or more"),
        (GOOD + bytes(WORD), "data is 224 bytes, expected 192"),
        (broken(0, 1 << 160), "padding of `owner` is not zero"),
        (broken(1, 2), "`open` is 2, expected 0 or 1"),
        (broken(2, 1 << 23), "`tick` is 8388608, outside int24"),
        (broken(2, 1 << 255), "`tick` is -2^255, outside int24"),
        (broken(3, 1 << 255), "offset of `note` is 2^255, expected 128"),
        (broken(4, 1 << 255), "length of `note` is 2^255, more than the data holds"),
        (broken(5, 0x68FFA9 << 232), "`note` is not UTF-8 at byte 1"),
        (broken(4, 1), "padding of `note` is not zero"),
    ],
)
def test_a_refused_row_says_what_was_seen_and_what_was_expected(data: bytes, reason: str) -> None:
    """The reason names the argument, the value and what it should have been."""
    event = event_of(WORDS)

    decoded = decode(event, ["tick"], logs_of(event, [GOOD, data, GOOD]))

    assert decoded.reasons == {1: reason}


ODD = {
    "uint56": (2**55, 5),
    "bool": (True, False),
    "int24": (-5, 5),
    "bytes5": (b"abcde", bytes(5)),
    "int256": (-1, 1),
    "string": ("hé", "hey"),
    "bytes": (b"\xff", b"\x01"),
}


@pytest.mark.parametrize(
    "types",
    [
        ["uint56", "bool", "bool", "int24", "bytes5", "int256"],
        ["bool", "int24", "string", "bytes"],
        ["int256"] * 6 + ["bool"],
    ],
    ids=["words", "text", "hardly any padding"],
)
@pytest.mark.parametrize("which", [0, 1], ids=["large", "small"])
def test_every_byte_of_a_row_is_looked_at(types: list[str], which: int) -> None:
    """Beside a good row that shows the shape: what one other byte makes of it is found or read."""
    event = event_of(
        tuple(
            Parameter(f"a{place}", kind, indexed=False, components=())
            for place, kind in enumerate(types)
        )
    )
    good = encode(types, [ODD[kind][which] for kind in types])
    changed = [
        good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
        for place in range(len(good))
        for change in (1, 0x80)
    ]

    decoded = decode(event, [], logs_of(event, [good, *changed]))

    assert decoded.accepted.tolist() == [is_canonical(types, data) for data in [good, *changed]]


@pytest.mark.parametrize("place", [0, 4_999, 9_999])
def test_one_hostile_row_of_words_is_found_among_ten_thousand(place: int) -> None:
    """Words alone are compared block by block, and read without a look at the single row."""
    event, length = event_of(WORDS[:3]), 3 * WORD
    datas = [broken(0, row)[:length] for row in range(10_000)]
    datas[place] = broken(1, 2)[:length]

    decoded = decode(event, ["owner"], logs_of(event, datas))

    owner = decoded.columns["owner"]
    assert decoded.reasons == {place: "`open` is 2, expected 0 or 1"}
    assert np.flatnonzero(~owner.present).tolist() == [place]
    assert owner.words is not None
    assert int.from_bytes(owner.words[(place + 1) % 10_000].tobytes()) == (place + 1) % 10_000


@pytest.mark.parametrize("place", [0, 4_999, 9_999])
def test_one_hostile_row_leaves_ten_thousand_others_right(place: int) -> None:
    """The others keep their values wherever the bad row stands."""
    event = event_of(WORDS)
    datas = [broken(0, row) for row in range(10_000)]
    datas[place] = broken(3, 1 << 255)

    decoded = decode(event, ["owner", "note"], logs_of(event, datas))

    owner, note = decoded.columns["owner"], decoded.columns["note"]
    assert list(decoded.reasons) == [place]
    assert owner.words is not None
    assert note.values is not None
    rows = [row for row in range(10_000) if row != place]
    assert [int.from_bytes(owner.words[row].tobytes()) for row in rows] == rows
    assert note.values.null_count() == 1
    assert note.values.drop_nulls().unique().to_list() == ["hé"]


@pytest.mark.parametrize(
    ("length", "shown"), [(2, "2"), (WORD, "32"), (2**255, "2^255"), (2**256 - 1, "about 2^255")]
)
def test_an_array_may_not_claim_more_than_the_row_holds(length: int, shown: str) -> None:
    """A length is refused before anything is allocated for it."""
    event = event_of((Parameter("many", "uint8[]", indexed=False, components=()),))
    data = WORD.to_bytes(WORD) + length.to_bytes(WORD) + bytes(WORD)

    decoded = decode(event, [], logs_of(event, [data]))

    assert decoded.reasons == {0: f"length of `many` is {shown}, more than the data holds"}


def test_text_of_every_length_in_one_batch_is_right() -> None:
    """More shapes than are kept at a time still give every row its own value."""
    event = event_of((Parameter("note", "string", indexed=False, components=()),))
    notes = ["é" * (row % 45) for row in range(600)]
    datas = [encode(["string"], [note]) for note in notes]

    decoded = decode(event, ["note"], logs_of(event, datas))

    assert decoded.columns["note"].values is not None
    assert decoded.columns["note"].values.to_list() == notes


INDEXED = (
    Parameter("who", "address", indexed=True, components=()),
    Parameter("size", "int128", indexed=False, components=()),
    Parameter("label", "string", indexed=True, components=()),
)


def test_indexed_arguments_come_from_topics() -> None:
    """Words keep their type; an indexed string is its hash."""
    event = event_of(INDEXED)
    who, label = (5).to_bytes(WORD), b"\x07" * WORD
    logs = logs_of(event, [encode(["int128"], [-9])], [who, label])

    decoded = decode(event, ["who", "size", "label"], logs)

    assert {name: (c.kind, value_at(c, 0)) for name, c in decoded.columns.items()} == {
        "who": ("address", f"0x{5:040x}"),
        "size": ("int", -9),
        "label": ("fixed_bytes", label),
    }


@pytest.mark.parametrize(
    ("topics", "reason"),
    [
        ([bytes(WORD)], "log has 2 topics of 32 bytes, expected 3"),
        ([bytes(WORD)] * 3, "log has 4 topics of 32 bytes, expected 3"),
        ([bytes(31), bytes(WORD)], "log has 2 topics of 32 bytes, expected 3"),
        ([b"\x01" * WORD, bytes(WORD)], "topic padding of `who` is not zero"),
    ],
)
def test_topics_that_do_not_fit_the_event_are_refused(topics: list[bytes], reason: str) -> None:
    """Both the number of topics and the range of indexed words count."""
    event = event_of(INDEXED)

    bad = logs_of(event, [bytes(WORD)], topics)
    good = logs_of(event, [bytes(WORD)], [(5).to_bytes(WORD), b"\x07" * WORD])
    decoded = decode(event, ["who", "size", "label"], pl.concat([bad, good], how="diagonal"))

    assert decoded.reasons == {0: reason}
    assert all(column.present.tolist() == [False, True] for column in decoded.columns.values())
    assert value_at(decoded.columns["who"], 1) == f"0x{5:040x}"
    assert value_at(decoded.columns["label"], 1) == b"\x07" * WORD


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("uint8", 255, None),
        ("uint8", 256, "`size` is 256, outside uint8"),
        ("int24", 2**23 - 1, None),
        ("int24", 2**23, "`size` is 8388608, outside int24"),
        ("int24", -(2**23), None),
        ("int24", -(2**23) - 1, "`size` is -8388609, outside int24"),
    ],
)
def test_a_number_may_be_as_large_as_its_type(kind: str, value: int, reason: str | None) -> None:
    """The last that fits is read, the next is refused: alone, and beside text."""
    size = Parameter("size", kind, indexed=False, components=())
    word, no_text = value.to_bytes(WORD, signed=value < 0), (2 * WORD).to_bytes(WORD) + bytes(WORD)

    for event, data in (
        (event_of((size,)), word),
        (event_of((size, WORDS[-1])), word + no_text),
    ):
        reasons = decode(event, ["size"], logs_of(event, [data])).reasons
        assert reasons == ({} if reason is None else {0: reason})


def test_short_bytes_are_as_wide_as_their_type() -> None:
    """In data and in topics: what follows them in the word is padding."""
    plain = Parameter("plain", "bytes16", indexed=False, components=())
    indexed = Parameter("indexed", "bytes4", indexed=True, components=())
    event = event_of((plain, indexed))

    columns = decode(
        event, ["plain", "indexed"], logs_of(event, [bytes(WORD)], [bytes(WORD)])
    ).columns

    assert {name: column.width for name, column in columns.items()} == {"plain": 16, "indexed": 4}


def test_an_indexed_integer_keeps_its_sign() -> None:
    """A tick below one is no large number."""
    event = event_of((Parameter("tick", "int24", indexed=True, components=()),))
    logs = logs_of(event, [b""], [(-5).to_bytes(WORD, signed=True)])

    assert value_at(decode(event, ["tick"], logs).columns["tick"], 0) == -5


def test_an_unknown_argument_is_named() -> None:
    """A wrong name in a declaration says which names there are."""
    event = event_of(INDEXED)

    with pytest.raises(ValueError, match=r"no argument `sise` .* it has size, who, label$"):
        decode(event, ["sise"], logs_of(event, []))


@pytest.mark.parametrize("wanted", [[], ["who", "size"]])
def test_no_logs_give_empty_columns(wanted: list[str]) -> None:
    """An empty batch is decoded without a shape to go by."""
    event = event_of(INDEXED)

    decoded = decode(event, wanted, logs_of(event, []))

    assert len(decoded.accepted) == 0
    assert list(decoded.columns) == wanted


def test_a_log_without_data_is_refused() -> None:
    """Null is not an empty encoding."""
    event = event_of(())
    logs = logs_of(event, [b"", b""]).with_columns(data=pl.Series([b"", None], dtype=pl.Binary))

    decoded = decode(event, [], logs)

    assert decoded.reasons == {1: "data is missing"}
