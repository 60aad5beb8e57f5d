"""How many calls travel in one request: found out, remembered, and never at the cost of an item."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import NodeUnavailable
from indexer.rpc import Endpoint
from indexer.rpc.batches import MOST_CALLS, Batches
from indexer.rpc.failures import SlowDown, TimedOut, TooManyCalls

FIRST = 100


@dataclass
class Taker:
    """
    A node that takes so many calls in one request.

    Attributes:
        limit: the most it takes.
        is_telling: whether it names that number when it refuses more.
        beside: calls in each request that are of no item.
        failure: what it fails with above its limit instead of refusing.
        served: sizes of the requests it answered, in calls.
        refused: sizes of those it refused.
    """

    limit: int
    is_telling: bool = False
    beside: int = 0
    failure: NodeUnavailable | None = None
    served: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    async def ask(self, items: Sequence[int]) -> list[int]:
        """Return the items as they are."""
        await asyncio.sleep(0)
        calls = len(items) + self.beside
        if calls > self.limit:
            self.refused.append(calls)
            most = self.limit if self.is_telling else None
            raise self.failure or TooManyCalls("too many", calls, most)
        self.served.append(calls)
        return list(items)


def answered(batches: Batches, taker: Taker, count: int, **settings: int) -> list[int]:
    """Return what is answered to `count` items."""
    found = asyncio.run(batches.asked(range(count), taker.ask, **settings))
    return [item for part in found for item in part]


@given(
    limit=st.integers(1, 700),
    counts=st.lists(st.integers(0, 1_500), min_size=1, max_size=4),
    is_telling=st.booleans(),
)
def test_every_item_is_answered_once_and_in_order(
    limit: int, counts: list[int], is_telling: bool
) -> None:
    """Whatever the node takes, few requests are refused, and none of a size that was before."""
    batches, taker = Batches(FIRST), Taker(limit, is_telling)

    for count in counts:
        assert answered(batches, taker, count) == list(range(count))

    assert len(taker.refused) <= math.log2(FIRST) + 2
    assert len({*taker.refused}) == len(taker.refused)
    assert max(taker.served, default=0) <= MOST_CALLS


@given(limit=st.integers(1, 120), questions=st.integers(1, 8), count=st.integers(1, 300))
def test_questions_under_way_together_each_find_out_alone(
    limit: int, questions: int, count: int
) -> None:
    """Requests that were sent before the first refusal came back are refused as well, not more."""
    batches, taker = Batches(FIRST), Taker(limit)

    async def together() -> list[list[list[int]]]:
        work = [batches.asked(range(count), taker.ask) for _ in range(questions)]
        return await asyncio.gather(*work)

    for found in asyncio.run(together()):
        assert [item for part in found for item in part] == list(range(count))
    assert len(taker.refused) <= questions * (math.log2(FIRST) + 2)


@given(limit=st.integers(4, 200), count=st.integers(0, 400))
def test_calls_beside_the_items_are_counted(limit: int, count: int) -> None:
    """Witnesses and headers that travel with the items take their room, and items still come."""
    batches, taker = Batches(FIRST), Taker(limit, is_telling=True, beside=3)

    assert answered(batches, taker, count, spare=3, most=100) == list(range(count))
    assert max(taker.served, default=0) <= 100


def test_the_size_grows_while_full_requests_are_answered() -> None:
    """From a hundred to five hundred, a step for each full request; what is left comes at once."""
    batches, taker = Batches(FIRST), Taker(10_000)

    answered(batches, taker, 2_000)

    assert taker.served[:4] == [100, 200, 400, 500]
    assert sorted(taker.served[4:]) == [300, 500]
    assert batches.size == 500


def test_a_short_request_proves_nothing() -> None:
    """That ninety calls were answered does not say that two hundred would be."""
    batches, taker = Batches(FIRST), Taker(10_000)

    for _ in range(5):
        answered(batches, taker, 90)

    assert batches.size == FIRST


def test_a_number_that_is_told_is_taken_and_kept() -> None:
    """One refusal is enough where the node says how many calls it takes."""
    batches, taker = Batches(FIRST), Taker(30, is_telling=True)

    answered(batches, taker, 1_000)
    answered(batches, taker, 1_000)

    assert taker.refused == [100]
    assert batches.size == 30


def test_a_size_that_was_refused_is_not_tried_again() -> None:
    """It grows up to what was refused and stays below."""
    batches, taker = Batches(FIRST), Taker(250)

    answered(batches, taker, 5_000)

    assert taker.refused == [400]
    assert batches.size == 200


def test_a_single_item_that_is_refused_is_the_callers() -> None:
    """A node that takes no two calls cannot be asked for one item and a call beside it."""
    with pytest.raises(TooManyCalls):
        answered(Batches(FIRST), Taker(1, beside=1), 5, spare=1)


@pytest.mark.parametrize(
    "failure",
    [SlowDown("too fast"), TimedOut(Endpoint("http://127.0.0.1:1"))],
    ids=["slow", "late"],
)
def test_what_only_a_grown_request_suffers_is_cured(failure: NodeUnavailable) -> None:
    """A request of the first size must fail for itself; one that grew is made small again."""
    batches, taker = Batches(FIRST), Taker(150, failure=failure)

    assert answered(batches, taker, 1_000) == list(range(1_000))
    assert taker.refused == [200]
    with pytest.raises(type(failure)):
        answered(batches, Taker(50, failure=failure), 100)


def test_any_other_failure_is_passed_on() -> None:
    """A node that is down is asked no more often for being asked less."""
    taker = Taker(10, failure=NodeUnavailable("down"))

    with pytest.raises(NodeUnavailable, match="down"):
        answered(Batches(FIRST), taker, 100)
    assert taker.refused == [100]
