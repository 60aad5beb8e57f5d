"""Planning: which blocks, for whom, how many at once, and how final they are."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import RangeTooLarge
from indexer.rpc import Header
from indexer.sync.heads import Heads
from indexer.sync.plan import Segment, plan
from indexer.sync.span import FIRST, Span
from indexer.sync.tokens import decimals_of, symbol_of

HEADS = Heads(Header(1_000, b"", b"", datetime(2025, 1, 1), None), 960, 930, 930)


def test_gaps_of_several_protocols_share_one_pass() -> None:
    """Blocks that two protocols lack are fetched once for both, and cut where one is complete."""
    found = plan({"a": [(0, 99)], "b": [(50, 120)]}, {"a": (0, 200), "b": (0, 200)}, HEADS)

    assert [(part.from_block, part.to_block, part.protocols) for part in found] == [
        (0, 49, ("b",)),
        (100, 120, ("a",)),
        (121, 200, ("a", "b")),
    ]


def test_segments_end_where_finality_does() -> None:
    """No segment mixes blocks of different finality."""
    found = plan({}, {"a": (900, 1_000)}, HEADS)

    assert found == [
        Segment(900, 930, ("a",), "finalized", is_settled=True),
        Segment(931, 960, ("a",), "safe", is_settled=False),
        Segment(961, 1_000, ("a",), "latest", is_settled=False),
    ]


def test_nothing_is_missing() -> None:
    """A covered protocol, and one that starts above the head, need nothing."""
    assert plan({"a": [(0, 1_000)]}, {"a": (0, 1_000), "b": (2_000, 1_000)}, HEADS) == []


def test_the_span_grows_towards_its_target() -> None:
    """Sparse answers make it longer, and dense ones shorter."""
    span = Span(target=1_000)

    span.answered(FIRST, 10)
    grown = span.blocks
    span.answered(grown, 50_000)

    assert grown > FIRST
    assert span.blocks < grown


@given(st.integers(1, 5_000))
def test_a_limit_is_approached_and_kept(limit: int) -> None:
    """Against a node with a block limit few requests are refused, and the span comes close."""
    span = Span(target=25_000)
    refusals = 0
    for _ in range(200):
        if span.blocks > limit:
            refusals += 1
            span.refused(1, span.blocks, RangeTooLarge("too many blocks"))
        else:
            span.answered(span.blocks, 0)

    assert refusals <= 25
    assert span.blocks <= limit
    assert span.blocks > limit // 2 - 1


def test_a_proposed_range_is_taken() -> None:
    """The node's own proposal beats halving."""
    span = Span(target=25_000)

    span.refused(100, 199, RangeTooLarge("too large", (100, 128)))

    assert span.blocks == 29


def test_a_proposal_elsewhere_is_not() -> None:
    """A proposal that does not start where we ask is ignored."""
    span = Span(target=25_000)

    span.refused(100, 199, RangeTooLarge("too large", (5, 9)))

    assert span.blocks == 50


def test_one_block_cannot_be_halved() -> None:
    """A refused single block ends the run with its number."""
    with pytest.raises(RangeTooLarge, match="block 7 alone"):
        Span(target=25_000).refused(7, 7, RangeTooLarge("too large"))


@pytest.mark.parametrize(
    ("answer", "decimals"),
    [
        (bytes(31) + b"\x12", 18),
        (bytes(32), 0),
        (None, None),
        (b"", None),
        (b"\xff" * 32, None),
        (bytes(31) + b"\x4e", None),
        (bytes(31) + b"\x06" + b"tail", 6),
    ],
)
def test_decimals_are_read_or_unknown(answer: bytes | None, decimals: int | None) -> None:
    """Only an answer that can be a number of decimals is one."""
    assert decimals_of(answer) == decimals


@pytest.mark.parametrize(
    ("answer", "symbol"),
    [
        (bytes(31) + b"\x20" + bytes(31) + b"\x04" + b"USDC".ljust(32, b"\0"), "USDC"),
        (b"MKR".ljust(32, b"\0"), "MKR"),
        (None, None),
        (bytes(32), None),
        (b"\xff" * 32, None),
        (b"\xff" * 64, None),
        (bytes(31) + b"\x20" + bytes(31) + b"\x03" + b"a\nb".ljust(32, b"\0"), None),
    ],
)
def test_symbols_are_read_or_unknown(answer: bytes | None, symbol: str | None) -> None:
    """Strings and the older bytes32 are read; offsets out of range and control characters not."""
    assert symbol_of(answer) == symbol
