"""The envelope of an answer with logs: its list is cut out without being looked through."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.errors import NodeAnswerWrong
from indexer.rpc.answers import Part, parts_before_logs, parts_of
from indexer.rpc.frames import log_frame

LOOKALIKE = ',{"jsonrpc":"2.0","id":7,"result":['
COMPACT, SPACED = (",", ":"), (", ", ": ")

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(LOOKALIKE),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_NO_LIST = _JSON.filter(lambda told: not isinstance(told, list))
_IDS = st.integers(0, 10**18)


def envelope(number: int, result: Any) -> dict[str, Any]:
    """Return one answer with its members in the order in which most nodes write them."""
    return {"jsonrpc": "2.0", "id": number, "result": result}


def content(parts: list[Part]) -> list[tuple[Any, bytes, bytes]]:
    """Return what the parts say, as bytes."""
    return [(part.id, bytes(part.result), bytes(part.error)) for part in parts]


@given(
    before=st.lists(st.builds(envelope, _IDS, _NO_LIST), max_size=3),
    logs=st.builds(envelope, _IDS, st.lists(_JSON, max_size=3)),
    separators=st.sampled_from([COMPACT, SPACED]),
    end=st.sampled_from(["", "\n", " \r\n"]),
)
@example(
    [envelope(1, [0, envelope(7, [])])], envelope(2, []), COMPACT, ""
)  # an answer in an answer
@example([], envelope(1, []), COMPACT, "")
def test_an_answer_with_logs_is_cut_where_a_parser_cuts_it(
    before: list[dict[str, Any]], logs: dict[str, Any], separators: tuple[str, str], end: str
) -> None:
    """Whatever came before the list, and however it is written."""
    body = (json.dumps([*before, logs], separators=separators) + end).encode()
    assert content(parts_before_logs(body)) == content(parts_of(body))


def test_a_list_of_logs_is_left_to_who_reads_it() -> None:
    """Looking for its end would take a third of the time of reading it."""
    body = json.dumps([envelope(1, {}), envelope(2, [])], separators=COMPACT).encode()
    spoilt = body.replace(b"[]", b"[nonsense]")
    assert content(parts_before_logs(spoilt))[1] == (2, b"[nonsense]", b"null")
    with pytest.raises(msgspec.DecodeError):
        parts_of(spoilt)


@pytest.mark.parametrize(
    "logs", [b"[nonsense]", b'[],"more":[]', b"[{}]]", b"[[[]", b'[{}],"a":[{}]']
)
def test_a_list_that_is_none_is_the_nodes_failure(logs: bytes) -> None:
    """Nothing behind the first list is passed over either."""
    with pytest.raises(NodeAnswerWrong):
        log_frame(logs)
