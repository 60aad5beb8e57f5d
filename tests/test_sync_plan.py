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


def test_segments_end_where_the_last_missing_block_does() -> None:
    """A border of finality on the end of what is missing cuts off no empty segment."""
    found = plan({}, {"a": (931, 960)}, HEADS)

    assert [(part.from_block, part.to_block, part.blocks) for part in found] == [(931, 960, 30)]


def test_nothing_is_missing() -> None:
    """A covered protocol, and one that starts above the head, need nothing."""
    assert plan({"a": [(0, 1_000)]}, {"a": (0, 1_000), "b": (2_000, 1_000)}, HEADS) == []


@pytest.mark.parametrize(
    ("logs", "blocks"), [(0, 800), (10, 800), (130, 200), (2_000, 50), (50_000, 25)]
)
def test_the_span_follows_its_target(logs: int, blocks: int) -> None:
    """Sparse answers make it longer, dense ones shorter, neither by more than is safe."""
    span = Span(target=1_000)

    span.answered(FIRST, logs)

    assert span.blocks == blocks


def test_a_block_is_asked_for_however_much_it_holds() -> None:
    """Nothing less than one block can be asked for."""
    span = Span(target=1_000)

    span.answered(1, 4_000)
    for _ in range(3):
        span.answered(span.blocks, 50_000)

    assert span.blocks == 1


def test_the_most_is_kept_from_the_first() -> None:
    """Whoever names a limit is never asked for more."""
    span = Span(target=1_000, most=7)
    first = span.blocks

    span.answered(7, 0)

    assert (first, span.blocks) == (7, 7)


def test_density_is_that_of_the_denser_of_two() -> None:
    """One empty answer among full ones does not promise that the next is small."""
    span = Span(target=1_000)
    seen = []
    for size in (200, 100, 50):
        span.answered(10, 0, size)
        seen.append(span.bytes_per_block)

    assert seen == [20, 20, 10]


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

    assert refusals <= 7
    assert span.blocks <= limit
    assert span.blocks > limit // 2 - 1


def test_a_refusal_is_forgotten_in_time() -> None:
    """Another endpoint may serve more; until then every length stays below the refused one."""
    span = Span(target=25_000)
    span.refused(1, 100, RangeTooLarge("too many blocks"))
    for _ in range(256):
        span.answered(span.blocks, 0)
    before = span.blocks

    span.answered(span.blocks, 0)

    assert before < 100 < span.blocks


def test_the_shortest_refused_counts() -> None:
    """Of several under way a longer one is refused later; dense answers still shorten the next."""
    span = Span(target=1_000)
    for blocks in (100, 200):
        span.refused(1, blocks, RangeTooLarge("too many blocks"))
    span.answered(50, 0)
    grown = span.blocks

    span.answered(75, 50_000)

    assert (grown, span.blocks) == (75, 18)


def test_what_was_served_is_not_halved() -> None:
    """A refusal does not go below the longest that was served."""
    span = Span(target=25_000)
    span.answered(100, 0)
    span.answered(10, 0)

    span.refused(1, 150, RangeTooLarge("too many blocks"))

    assert span.blocks == 100


def test_a_served_length_that_is_refused_held_too_much() -> None:
    """Then less is aimed at than the largest answer had: four fifths of its logs."""
    span = Span(target=1_000)
    span.answered(100, 400)
    span.answered(200, 800)
    span.answered(100, 300)

    span.refused(1, 200, RangeTooLarge("too large"))
    halved = span.blocks
    for blocks in (100, 150):
        span.answered(blocks, 4 * blocks)

    assert (halved, span.blocks) == (100, 800 * 4 // 5 // 4)


@pytest.mark.parametrize(("last", "blocks"), [(100, 1), (128, 29)])
def test_a_proposed_range_is_taken(last: int, blocks: int) -> None:
    """The node's own proposal beats halving."""
    span = Span(target=25_000)

    span.refused(100, 199, RangeTooLarge("too large", (100, last)))

    assert span.blocks == blocks


@pytest.mark.parametrize("proposal", [(5, 9), (100, 99), (100, 199)])
def test_a_proposal_elsewhere_is_not(proposal: tuple[int, int]) -> None:
    """A proposal that does not start where we ask, or is no shorter part of it, is ignored."""
    span = Span(target=25_000)

    span.refused(100, 199, RangeTooLarge("too large", proposal))

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
