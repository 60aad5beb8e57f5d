"""How the pool spreads questions over endpoints that are slow, limited, behind or dead."""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_rig import Backend, headers, logs, pooled, who
from virtual_time import VirtualTime

from indexer.errors import (
    HistoryPruned,
    NodeAnswerWrong,
    NodeBehind,
    NodeUnavailable,
    RangeTooLarge,
    WorldError,
)
from indexer.rpc import EndpointStatistics
from indexer.rpc.choosing import Standing, choice
from indexer.rpc.failures import KeyRefused, SlowDown, TooManyCalls
from indexer.rpc.pool import Pool

DOWN = NodeUnavailable("down")


STANDINGS = st.lists(
    st.builds(
        Standing,
        expected_seconds=st.floats(0, 10),
        is_resting=st.booleans(),
        is_barred=st.booleans(),
        is_away=st.booleans(),
    ),
    max_size=5,
)


@given(STANDINGS, st.booleans())
def test_a_choice_is_the_best_there_is(standings: list[Standing], is_desperate: bool) -> None:
    """Nobody who is away; the healthy before the resting, the barred last; none much slower."""
    place = choice(standings, is_desperate=is_desperate)

    ranks = [
        None
        if one.is_away or (one.is_barred and not is_desperate)
        else (one.is_barred, one.is_resting and not one.is_barred)
        for one in standings
    ]
    best = min((rank for rank in ranks if rank is not None), default=None)
    if place is None:
        assert best is None
        return
    assert ranks[place] == best
    peers = [one for one, rank in zip(standings, ranks, strict=True) if rank == best]
    fastest = min(one.expected_seconds for one in peers)
    assert standings[place].expected_seconds <= 2 * fastest
    assert all(one.expected_seconds > 2 * fastest for one in peers[: peers.index(standings[place])])


async def several(pool: Pool, questions: int) -> list[str]:
    """Ask one question after the other, and return who answered."""
    return [await logs(pool) for _ in range(questions)]


def test_the_first_endpoint_is_preferred() -> None:
    """Endpoints that are about as fast are used in the order given, after a look at each."""
    answered = pooled(lambda pool, _: several(pool, 10), Backend(), Backend(seconds=0.08))

    assert answered == ["a", "b", *"aaaaaaaa"]


def test_an_endpoint_that_is_much_faster_is_chosen() -> None:
    """Preference ends where an answer takes more than twice as long."""
    answered = pooled(lambda pool, _: several(pool, 10), Backend(seconds=1), Backend(seconds=0.1))

    assert answered == ["a", *"bbbbbbbbb"]


def test_a_slow_endpoint_is_tried_again_later() -> None:
    """After five minutes its answer times are forgotten."""
    first = Backend(seconds=1)

    async def work(pool: Pool, time: VirtualTime) -> list[str]:
        """Ask, wait six minutes, ask again."""
        await several(pool, 3)
        first.seconds = 0.1
        await time.sleep(360)
        return await several(pool, 3)

    assert pooled(work, first, Backend()) == ["a", "b", "a"]


def test_questions_at_once_spill_over() -> None:
    """What would wait too long for a place at the first endpoint goes to the second."""
    backends = Backend(), Backend()

    async def work(pool: Pool, _: VirtualTime) -> list[str]:
        """Ask thirty questions at once."""
        await several(pool, 4)
        return await asyncio.gather(*(logs(pool) for _ in range(30)))

    answered = pooled(work, *backends, concurrency=4)

    assert min(answered.count("a"), answered.count("b")) >= 8
    assert max(backend.most_at_once for backend in backends) == 4


def test_an_endpoint_that_fails_is_left_at_once() -> None:
    """No pause where another endpoint can answer."""
    first = Backend(failure=DOWN)

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Return how long one question takes."""
        started = time.now
        assert await logs(pool) == "b"
        return time.now - started

    assert pooled(work, first, Backend()) == pytest.approx(0.2)


def test_a_circuit_opens_and_a_probe_closes_it() -> None:
    """After three failures an endpoint is left alone; once it answers a probe it is used again."""
    first = Backend(failure=DOWN)

    async def work(pool: Pool, time: VirtualTime) -> tuple[int, int, str, str, str]:
        """Ask every three seconds while it is down, then while it is up."""
        for _ in range(7):
            await logs(pool)
            await time.sleep(3)
        while_down = first.count()
        state = pool.statistics()[0].state
        first.failure = None
        await time.sleep(60)
        before = await logs(pool)
        await time.sleep(1)
        return while_down, first.count(), state, before, await logs(pool)

    while_down, after, state, before, at_last = pooled(work, first, Backend())

    assert while_down == 3
    assert state == "open"
    assert before == "b"
    assert at_last == "a"
    assert after == while_down


def test_an_open_circuit_is_better_than_nothing() -> None:
    """Where all circuits are open, questions are asked nevertheless."""
    only = Backend(failure=DOWN)

    async def work(pool: Pool, _: VirtualTime) -> str:
        """Fail until the circuit is open, then ask a sound endpoint."""
        for _question in range(2):
            with pytest.raises(NodeUnavailable):
                await logs(pool)
        only.failure = None
        return await logs(pool)

    assert pooled(work, only) == "a"


def test_a_refused_key_is_not_tried_with_every_question() -> None:
    """One refusal is enough: the key stays wrong."""
    first = Backend(failure=KeyRefused("no such key"))

    answered = pooled(lambda pool, _: several(pool, 5), first, Backend())

    assert answered == ["b"] * 5
    assert first.count() == 1


def test_a_pause_is_kept_for_the_endpoint_that_asked_for_it() -> None:
    """Meanwhile the other endpoint serves without one."""
    first = Backend(failure=SlowDown("slow down", 20))

    async def work(pool: Pool, time: VirtualTime) -> tuple[list[str], float, str]:
        """Ask for a while, then after the pause."""
        started = time.now
        answered = await several(pool, 5)
        took = time.now - started
        first.failure = None
        await time.sleep(30)
        return answered, took, await logs(pool)

    answered, took, at_last = pooled(work, first, Backend())

    assert answered == ["b"] * 5
    assert took < 1
    assert at_last == "a"
    assert first.count() == 2


def test_a_lone_endpoint_is_waited_for() -> None:
    """Its pause is slept, once, and not a second less."""
    only = Backend(failure=SlowDown("slow down", 20))

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Return how long the question takes when the endpoint recovers meanwhile."""
        started = time.now
        asking = asyncio.create_task(logs(pool))
        await time.sleep(10)
        only.failure = None
        await asking
        return time.now - started

    assert 20 <= pooled(work, only) < 21


def test_a_pause_holds_for_those_who_wait_in_line_too() -> None:
    """Whoever had a turn before the refusal takes a new one after the pause."""
    only = Backend(failure=SlowDown("slow down", 20))

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Have five questions wait in line when the first is refused."""
        started = time.now
        asking = asyncio.gather(*(logs(pool) for _ in range(5)))
        await time.sleep(10)
        only.failure = None
        await asking
        return started

    started = pooled(work, only, requests_per_second=1.0)

    moments = [at - started for at, name in only.asked if name == "eth_getLogs"]
    assert [moment for moment in moments if 2 < moment < 20] == []
    assert len(moments) == 6


def test_nobody_waits_for_an_hour() -> None:
    """Where every endpoint wants to be left alone for longer than we wait, that is the error."""
    both = Backend(failure=SlowDown("slow down", 3_600)), Backend(failure=SlowDown("too", 7_200))

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Ask twice, and return how long that takes."""
        started = time.now
        for _question in range(2):
            with pytest.raises(SlowDown):
                await logs(pool)
        return time.now - started

    assert pooled(work, *both) < 1
    assert [backend.count() for backend in both] == [1, 1]


def test_nobody_waits_for_an_hour_in_line() -> None:
    """Whoever had a turn when the endpoint asked for an hour is told so, and does not sleep it."""
    only = Backend(failure=SlowDown("slow down", 3_600))

    async def work(pool: Pool, time: VirtualTime) -> tuple[float, list[object]]:
        """Have five questions wait in line when the first is refused."""
        started = time.now
        ends = await asyncio.gather(*(logs(pool) for _ in range(5)), return_exceptions=True)
        return time.now - started, list(ends)

    took, ends = pooled(work, only, requests_per_second=1.0)

    assert took < 10
    assert [type(end) for end in ends] == [SlowDown] * 5
    assert only.count() == 1


@pytest.mark.parametrize("limit", [5, 40])
def test_the_rate_limit_is_learned(limit: int) -> None:
    """Most of what the endpoint allows is used, and few calls are refused."""
    only = Backend(seconds=0.05, limit=limit)

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Return the calls answered a second, with eight questions at once."""
        started = time.now
        left = iter(range(40 * limit))

        async def worker() -> None:
            """Ask until nothing is left."""
            for _ in left:
                await logs(pool)

        await asyncio.gather(*(worker() for _ in range(8)))
        return 40 * limit / (time.now - started)

    pace = pooled(work, only, tries=50)

    assert 0.5 * limit < pace <= limit
    assert only.refused < 0.1 * only.count()


def test_a_cap_is_never_exceeded() -> None:
    """With `requests_per_second` no second sees more calls, refused or not."""
    only = Backend(seconds=0.01)

    async def work(pool: Pool, _: VirtualTime) -> None:
        """Ask forty questions at once."""
        await asyncio.gather(*(logs(pool) for _ in range(40)))

    pooled(work, only, requests_per_second=10.0, concurrency=20)

    moments = [at for at, _ in only.asked]
    assert all(sum(at <= other < at + 0.99 for other in moments) <= 10 for at in moments)


def test_an_endpoint_that_lags_is_passed_over_for_what_it_has_not_seen() -> None:
    """It still answers for blocks it has."""
    first, second = Backend(head=900_000), Backend(head=1_000_000)

    async def work(pool: Pool, time: VirtualTime) -> tuple[list[str], list[str]]:
        """Let the endpoints be compared, then ask for new and for old blocks."""
        await logs(pool)
        await time.sleep(31)
        await logs(pool)
        await time.sleep(1)
        new = [await logs(pool, 999_999) for _ in range(3)]
        return new, [await logs(pool, 800_000) for _ in range(3)]

    new, old = pooled(work, first, second)

    assert new == ["b", "b", "b"]
    assert "a" in old


def test_the_newest_block_is_not_asked_of_an_endpoint_that_lags() -> None:
    """Heads do not go backwards because the other endpoint's turn came."""
    first, second = Backend(head=999_000), Backend(head=1_000_000)

    async def work(pool: Pool, time: VirtualTime) -> str:
        """Let the endpoints be compared, then ask for the head."""
        await time.sleep(31)
        await logs(pool)
        await time.sleep(1)
        return await pool.ask([("eth_getBlockByNumber", ["latest", False])], who)

    assert pooled(work, first, second) == "b"


async def slow_once(pool: Pool, time: VirtualTime, slow: Backend) -> tuple[str, float]:
    """Make an endpoint's usual latency known, then ask once while it hangs."""
    await several(pool, 12)
    slow.seconds = 30
    started = time.now
    answered = await logs(pool)
    return answered, time.now - started


def test_a_slow_question_is_asked_elsewhere_too() -> None:
    """The first valid answer wins, soon after the usual time, and the other is given up."""
    first = Backend()

    answered, took = pooled(
        lambda pool, time: slow_once(pool, time, first), first, Backend(seconds=0.12)
    )

    assert answered == "b"
    assert took == pytest.approx(0.1 + 0.12)
    assert first.given_up == 1


def test_a_wrong_answer_wins_no_race() -> None:
    """The slow endpoint's valid answer is waited for."""
    first, second = Backend(), Backend(seconds=0.12)

    async def work(pool: Pool, _: VirtualTime) -> str:
        """Ask while the first is slow and the second lies."""
        await several(pool, 12)
        first.seconds, second.failure = 2, NodeAnswerWrong("lies")
        return await logs(pool)

    assert pooled(work, first, second) == "a"


def test_hedges_do_not_double_the_load_when_all_are_slow() -> None:
    """At most one request in ten, beyond a handful saved before, is sent twice."""
    both = Backend(), Backend(seconds=0.12)

    async def work(pool: Pool, _: VirtualTime) -> None:
        """Make latencies known, then ask a hundred times while both are slow."""
        await several(pool, 12)
        for backend in both:
            backend.seconds = 30
        await asyncio.gather(*(logs(pool) for _ in range(100)))

    pooled(work, *both, concurrency=200)

    assert 112 < sum(backend.count() for backend in both) <= 112 + 12


def test_no_hedges_where_none_are_wanted() -> None:
    """A ratio of zero turns them off."""
    first, second = Backend(), Backend(seconds=0.12)

    answered, took = pooled(
        lambda pool, time: slow_once(pool, time, first), first, second, hedge_ratio=0.0
    )

    assert answered == "a"
    assert took == pytest.approx(30)


def test_one_endpoint_with_short_ranges_does_not_shorten_those_of_the_other() -> None:
    """It is asked for a long range once, and left out of long ranges from then on."""
    first, second = Backend(), Backend(most_blocks=10, seconds=0.01)

    async def work(pool: Pool, _: VirtualTime) -> tuple[list[str], str]:
        """Ask for eleven blocks at a time, then for ten."""
        long = await several(pool, 8)
        return long, await logs(pool, blocks=10)

    long, short = pooled(work, first, second)

    assert long == ["a"] * 8
    assert second.count() == 2
    assert short == "b"


def test_a_range_that_is_too_large_for_all_carries_the_best_proposal() -> None:
    """No try is repeated, nothing is said against the endpoints, and the longest range is told."""
    backends = Backend(most_blocks=3), Backend(most_blocks=7), Backend(most_blocks=5)

    async def work(pool: Pool, _: VirtualTime) -> tuple[RangeTooLarge, set[str]]:
        """Ask once."""
        with pytest.raises(RangeTooLarge) as caught:
            await logs(pool)
        return caught.value, {one.state for one in pool.statistics()}

    refusal, states = pooled(work, *backends)

    assert refusal.suggested == (499_990, 499_996)
    assert states == {"closed"}
    assert [backend.count() for backend in backends] == [1, 1, 1]


def test_a_range_that_is_too_large_is_told_although_another_endpoint_is_down() -> None:
    """Asking for less helps now; waiting for the other may not."""
    backends = Backend(most_blocks=3), Backend(failure=DOWN)

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Return how long it takes to be told."""
        started = time.now
        with pytest.raises(RangeTooLarge):
            await logs(pool)
        return time.now - started

    assert pooled(work, *backends) < 0.3


def test_calls_that_are_too_many_for_one_endpoint_go_to_another() -> None:
    """It is asked for so many once and then left out of such requests; it stays well spoken of."""
    first, second = Backend(most_calls=10), Backend()

    async def work(pool: Pool, _: VirtualTime) -> tuple[list[str], set[str]]:
        """Ask for eleven headers at a time, then for ten."""
        answerers = [await headers(pool, count) for count in (11, 11, 11, 10)]
        return answerers, {one.state for one in pool.statistics()}

    answerers, states = pooled(work, first, second)

    assert answerers == ["b", "b", "b", "a"]
    assert first.count("eth_getBlockByNumber") == 11 + 10
    assert states == {"closed"}


def test_calls_that_are_too_many_for_all_carry_the_best_proposal() -> None:
    """No try is repeated, and the number told is the largest that somebody takes."""
    backends = Backend(most_calls=3), Backend(most_calls=50), Backend(most_calls=10)

    async def work(pool: Pool, _: VirtualTime) -> TooManyCalls:
        """Ask once."""
        with pytest.raises(TooManyCalls) as caught:
            await headers(pool, 100)
        return caught.value

    assert pooled(work, *backends).most == 50
    assert [backend.count("eth_getBlockByNumber") for backend in backends] == [100, 100, 100]


def test_too_many_calls_are_told_although_another_endpoint_is_down() -> None:
    """Sending fewer helps now; waiting for the other may not."""

    async def work(pool: Pool, time: VirtualTime) -> float:
        """Return how long it takes to be told."""
        started = time.now
        with pytest.raises(TooManyCalls):
            await headers(pool, 100)
        return time.now - started

    assert pooled(work, Backend(most_calls=3), Backend(failure=DOWN)) < 0.3


def test_pruned_history_is_asked_elsewhere_and_not_again() -> None:
    """It never becomes an empty answer, and asking the same endpoint again cannot help."""
    first = Backend(failure=HistoryPruned("pruned"))

    assert pooled(lambda pool, _: several(pool, 1), first, Backend()) == ["b"]
    with pytest.raises(HistoryPruned):
        pooled(lambda pool, _: logs(pool), Backend(failure=HistoryPruned("pruned")))
    assert first.count() == 1


def test_null_for_an_old_block_means_pruned() -> None:
    """An endpoint that has shown a much newer block is not behind: the old one is thrown away."""
    only = Backend()

    def unknown(_parts: object, _endpoint: object) -> str:
        """Read an answer as a node's null."""
        raise NodeBehind("has not seen block 5 yet")

    async def work(pool: Pool, _: VirtualTime) -> None:
        """Show a new block, then ask for an old one."""
        await logs(pool, 900_000)
        await pool.ask([("eth_getBlockByNumber", ["0x5", False])], unknown)

    with pytest.raises(HistoryPruned, match="does not know block 5, though it has shown block 9"):
        pooled(work, only)
    assert only.count("eth_getBlockByNumber") == 1


def test_null_for_a_new_block_means_behind() -> None:
    """A block near the newest one may still come, and is asked for again."""
    only = Backend(failure=NodeBehind("has not seen it"))

    with pytest.raises(NodeBehind):
        pooled(lambda pool, _: logs(pool), only)
    assert only.count() == 3


def test_the_failure_that_may_pass_is_told() -> None:
    """Of a refusal and a breakdown the breakdown is worth another try, so it is tried and told."""
    backends = Backend(failure=KeyRefused("no such key")), Backend(failure=DOWN)

    with pytest.raises(NodeUnavailable, match="down"):
        pooled(lambda pool, _: logs(pool), *backends)
    assert [backend.count() for backend in backends] == [1, 3]


def test_statistics_tell_what_each_endpoint_did() -> None:
    """Requests, errors by kind, latency, pace and state, under an address without secrets."""
    first, second = Backend(failure=SlowDown("slow down", 50)), Backend()

    async def work(pool: Pool, _: VirtualTime) -> tuple[EndpointStatistics, ...]:
        """Ask four questions."""
        await several(pool, 4)
        return pool.statistics()

    limited, sound = pooled(work, first, second)

    assert limited.endpoint == "http://a"
    assert limited.state == "paused"
    assert limited.errors == {"SlowDown": 1}
    assert limited.calls_per_second == 25
    assert (sound.requests, sound.calls, sound.errors) == (5, 5, {})
    assert sound.latency_seconds == pytest.approx(0.1)
    assert sound.calls_per_second is None
    assert sound.newest_block == 500_000


@pytest.mark.parametrize("seed", range(5))
def test_every_question_is_answered_while_endpoints_come_and_go(seed: int) -> None:
    """Three endpoints fail, stall, limit and lie in turn, one at a time; no question is lost."""
    chance = Random(seed)
    backends = Backend(), Backend(seconds=0.3), Backend(limit=10)
    faults = [DOWN, NodeAnswerWrong("lies"), SlowDown("slow", 5), HistoryPruned("gone"), None]

    async def trouble(time: VirtualTime) -> None:
        """Break one endpoint at a time."""
        while True:
            backend = chance.choice(backends)
            backend.failure, backend.seconds = chance.choice(faults), chance.choice([0.1, 20])
            await time.sleep(chance.uniform(1, 20))
            backend.failure, backend.seconds = None, 0.1

    async def work(pool: Pool, time: VirtualTime) -> list[str]:
        """Ask two hundred questions, ten at once."""
        breaking = asyncio.create_task(trouble(time))
        left = iter(range(200))

        async def worker() -> list[str]:
            """Ask until nothing is left."""
            return [await logs(pool) for _ in left]

        answers = await asyncio.gather(*(worker() for _ in range(10)))
        breaking.cancel()
        return [answer for part in answers for answer in part]

    assert len(pooled(work, *backends)) == 200


def test_a_wrong_chain_is_never_passed_over() -> None:
    """It is a mistake to be corrected, not a failure to be worked around."""
    with pytest.raises(WorldError, match="other chain"):
        pooled(lambda pool, _: logs(pool), Backend(failure=WorldError("other chain")), Backend())
