"""From JSON bytes to frames: the bulk decoding agrees with decoding one value at a time."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NodeAnswerWrong
from indexer.rpc import LOGS
from indexer.rpc.frames import HEADERS, header_frame, log_frame, odd_headers

Json = dict[str, Any]
ORDER = ["block_number", "tx_index", "log_index", "tx_hash"]


def spelled(content: bytes, *, upper: bool) -> str:
    """Return 0x hex with digits of either case."""
    return "0x" + (content.hex().upper() if upper else content.hex())


@st.composite
def answers(draw: st.DrawFn) -> Json:
    """Draw one log as a node may send it, members in any order, unknown ones among them."""
    upper = draw(st.booleans())
    topics = draw(st.lists(st.binary(min_size=32, max_size=32), max_size=4))
    members = {
        "address": spelled(draw(st.binary(min_size=20, max_size=20)), upper=upper),
        "topics": [spelled(topic, upper=upper) for topic in topics],
        "data": spelled(draw(st.binary(max_size=100)), upper=upper),
        "blockNumber": hex(draw(st.integers(0, 2**63 - 1))),
        "transactionIndex": hex(draw(st.integers(0, 2**31 - 1))),
        "logIndex": hex(draw(st.integers(0, 2**31 - 1))),
        "blockHash": spelled(draw(st.binary(min_size=32, max_size=32)), upper=upper),
        "transactionHash": spelled(draw(st.binary(min_size=32, max_size=32)), upper=upper),
        "blockTimestamp": "0x1",
        "removed": False,
    }
    return dict(draw(st.permutations(list(members.items()))))


def row(log: Json) -> Json:
    """Return the frame's row for one log, decoded by the standard library."""
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    return {
        "block_number": int(log["blockNumber"], 16),
        "tx_index": int(log["transactionIndex"], 16),
        "log_index": int(log["logIndex"], 16),
        "block_hash": bytes.fromhex(log["blockHash"][2:]),
        "tx_hash": bytes.fromhex(log["transactionHash"][2:]),
        "address": bytes.fromhex(log["address"][2:]),
        **{f"topic{place}": topic for place, topic in enumerate([*topics, *[None] * 4][:4])},
        "data": bytes.fromhex(log["data"][2:]),
    }


@given(st.lists(answers(), max_size=8))
def test_bulk_decoding_agrees_with_one_at_a_time(logs: list[Json]) -> None:
    """Any number of logs, of topics and of data bytes, digits of either case."""
    frame = log_frame(json.dumps(logs).encode())

    expected = pl.DataFrame([row(log) for log in logs], schema=LOGS).sort(ORDER)
    assert frame.rows() == expected.rows()
    assert dict(frame.schema) == LOGS


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(answer: bytes) -> None:
    """Garbage in place of a list of logs ends in one kind of error."""
    for text in (answer, b"[" + answer, b"[" + answer + b"]", b'[{"topics":' + answer + b"}]"):
        try:
            log_frame(text)
        except NodeAnswerWrong:
            continue
        assert json.loads(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "0x1",
        "0x123",
        "1234",
        "0X1234",
        "0xzz",
        "0x12 4",
        "0x12é4",
        "",
        "0x-1",
        "0x+1",
        "0x0x",
        "0x0x12",
    ],
)
def test_hex_that_is_none_is_refused(text: str) -> None:
    """Odd digits, a missing prefix and letters beyond f are not quietly repaired."""
    log = {
        "address": "0x" + "11" * 20,
        "topics": [],
        "data": text,
        "blockNumber": "0x1",
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "blockHash": "0x" + "22" * 32,
        "transactionHash": "0x" + "33" * 32,
    }

    with pytest.raises(NodeAnswerWrong, match='"data"'):
        log_frame(json.dumps([log]).encode())


def test_two_odd_values_do_not_make_an_even_one() -> None:
    """Digits of neighbouring rows lie side by side while they are decoded."""
    log = {"blockNumber": "0x1", "transactionIndex": "0x0", "logIndex": "0x0", "topics": []}
    log |= {"blockHash": "0x" + "22" * 32, "transactionHash": "0x" + "33" * 32}
    log |= {"address": "0x" + "11" * 20}
    logs = [log | {"data": "0x123"}, log | {"data": "0x456"}]

    with pytest.raises(NodeAnswerWrong, match="'0x123'"):
        log_frame(json.dumps(logs).encode())


@pytest.mark.parametrize(("size", "said"), [(150, "x" * 150), (5_000, "5,000 characters")])
def test_what_is_no_hex_is_quoted_whole_or_not_at_all(size: int, said: str) -> None:
    """The middle of a key that a node repeats would not be recognised as one."""
    log = {"blockNumber": "0x1", "transactionIndex": "0x0", "logIndex": "0x0", "topics": []}
    log |= {"address": "0x" + "11" * 20, "data": "0x", "blockHash": "0x" + "22" * 32}

    with pytest.raises(NodeAnswerWrong, match=f"\"transactionHash\" '?{said}'?,"):
        log_frame(json.dumps([log | {"transactionHash": "x" * size}]).encode())


def test_no_headers_make_an_empty_frame() -> None:
    """The schema is there without rows."""
    assert header_frame([]).is_empty()


def near_hex(size: int) -> st.SearchStrategy[str]:
    """Draw `size` bytes as hex, or something that is nearly that."""
    right = st.binary(min_size=size, max_size=size).map(lambda content: "0x" + content.hex())
    odd = st.tuples(right, st.sampled_from(["_", " ", "+", "\u0663", "g", "x", "0", ""])).map(
        "".join
    )
    return st.one_of(right, right, right, odd, odd.map(lambda text: text[2:] + "0x"))


def near_numbers() -> st.SearchStrategy[str]:
    """Draw a quantity, or something that int() takes for one."""
    right = st.integers(0, 2**64).map(hex)
    odd = st.sampled_from(
        ["0x1_0", " 0x1", "0x1 ", "-0x1", "+0x1", "0x\u0663", "1", "0X1", "0x", ""]
    )
    return st.one_of(right, right, right, odd)


NEAR_HEADERS = st.fixed_dictionaries(
    {"number": near_numbers(), "hash": near_hex(32), "parentHash": near_hex(32)},
    optional={
        "timestamp": st.one_of(st.none(), near_numbers(), st.just(hex(253_402_300_800))),
        "logsBloom": st.one_of(st.none(), near_hex(256)),
        "miner": st.just("0x" + "11" * 20),
    },
)


@given(st.lists(NEAR_HEADERS, max_size=2))
def test_headers_read_one_by_one_are_those_read_in_bulk(headers: list[Json]) -> None:
    """What the quick way takes, the other one reads alike; what either refuses is refused."""
    answers = [json.dumps(header).encode() for header in headers]
    try:
        expected = odd_headers(b"[" + b",".join(answers) + b"]")
    except NodeAnswerWrong as error:
        with pytest.raises(NodeAnswerWrong, match=re.escape(str(error))):
            header_frame(answers)
        return
    found = header_frame(answers)
    assert found.equals(expected)
    assert dict(found.schema) == HEADERS


def recorded_logs(folder: Path) -> Iterator[tuple[str, Json]]:
    """Yield (chain, log) of every recorded log."""
    with gzip.open(folder / "data" / "logs" / "all_logs.jsonl.gz", "rt") as lines:
        for line in lines:
            log = json.loads(line)
            yield log["_chain"], log


def test_every_recorded_log_is_read(shared: Path) -> None:
    """46,697 logs of 20 chains come through with every byte, read by two ways."""
    by_chain: dict[str, list[Json]] = defaultdict(list)
    for chain, log in recorded_logs(shared):
        by_chain[chain].append(log)

    for logs in by_chain.values():
        frame = log_frame(json.dumps(logs).encode())
        expected = pl.DataFrame([row(log) for log in logs], schema=LOGS)
        assert frame.sort(frame.columns).equals(expected.sort(frame.columns))
