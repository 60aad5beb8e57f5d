"""Depth of pools, on ranges small enough for the head, and against exact arithmetic."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import polars as pl
import pytest
from both_engines import depth
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st

from analytics.metrics.liquidity import depth_change
from indexer.decode.ticks import tick_price

START = {"kind": "start", "tick": 0, "price_quote": 1, "liquidity_tokens": 0}
# A factor of four in price is one of two in its root.
FOURFOLD = 30_000
# Both ticks, and liquidity in units of 1e-18.
Range = tuple[int, int, int]


def swap(liquidity: object = 100, *, tick: int = 0, price: object = 1) -> dict[str, object]:
    """Return a swap that leaves a pool at this tick."""
    return {
        "kind": "swap",
        "tick": tick,
        "price_quote": price,
        "liquidity_tokens": liquidity,
    }


def change(
    liquidity: object, lower: tuple[int, object], upper: tuple[int, object]
) -> dict[str, object]:
    """Return liquidity that comes or goes, between two ends: tick and price."""
    return {
        "kind": "added",
        "tick_lower": lower[0],
        "tick_upper": upper[0],
        "lower_price_quote": lower[1],
        "upper_price_quote": upper[1],
        "liquidity_delta_tokens": liquidity,
    }


def found(*events: Mapping[str, object], move_bps: int = FOURFOLD, **given: int) -> pl.DataFrame:
    """Return the depth after these events, which follow each other."""
    placed = [{"block_number": number} | dict(event) for number, event in enumerate(events)]
    return depth(table("pool_liquidity", *placed).lazy(), move_bps=move_bps, **given).collect()


def amounts(frame: pl.DataFrame) -> list[tuple[str, float, float]]:
    """Return basis, token0 and token1 of the last period: down, then up."""
    return frame.tail(2).select("basis", "token0_tokens", "token1_tokens").rows()


def test_the_active_liquidity_lasts_where_nothing_else_is_known() -> None:
    """From a root of 1 to 2: 100 * (2 - 1) of token1 for 100 * (1 - 1/2) of token0; and to 1/2."""
    result = found(swap())

    assert column(result, "direction") == ["down", "up"]
    assert amounts(result) == [("active", 100.0, 50.0), ("active", 50.0, 100.0)]
    assert column(result, "liquidity_tokens") == ["100", "100"]
    assert column(result, "price_quote") == ["1", "1"]


def test_a_price_counts_by_its_root() -> None:
    """At a price of 4 the root is 2: from 2 to 4, and from 2 to 1."""
    assert amounts(found(swap(price=4))) == [("active", 50.0, 100.0), ("active", 25.0, 200.0)]


FAR = ((-20_000, "0.1"), (20_000, "9"))


def test_a_move_leaves_a_range_where_it_ends() -> None:
    """Of 100, 60 end at a root of 1.6 above, at 0.625 below: the rest of the way is for 40."""
    result = found(START, change(40, *FAR), change(60, (-9400, "0.390625"), (9400, "2.56")), swap())

    ((basis, *down), (_, *up)) = amounts(result)
    assert basis == "ranges"
    assert down == pytest.approx([100 * 0.6 + 40 * 0.4, 100 * 0.375 + 40 * 0.125])
    assert up == pytest.approx([100 * 0.375 + 40 * 0.125, 100 * 0.6 + 40 * 0.4])


def test_a_move_meets_ranges_that_do_not_hold_the_price() -> None:
    """Above 1.6 begins a range of 60, and below nothing does."""
    result = found(START, change(100, *FAR), change(60, (9400, "2.56"), (20_000, 9)), swap())

    ((_, *down), (_, *up)) = amounts(result)
    assert down == [100.0, 50.0]
    assert up == pytest.approx([100 * 0.375 + 160 * 0.125, 100 * 0.6 + 160 * 0.4])


def test_what_was_removed_is_not_met() -> None:
    """Added and removed again: the stretch is one, to the last digit."""
    above = ((900, "1.52"), (20_000, 9))
    always = change("7.3", *FAR)

    result = found(START, always, change(60, *above), change(-60, *above), swap("7.3"))

    assert amounts(result) == amounts(found(START, always, swap("7.3")))


def test_what_happens_after_the_swap_does_not_count() -> None:
    """Nor does it in the period before."""
    above = change(60, (9400, "2.56"), (20_000, 9))
    later = {"block_timestamp": at(days=1)}

    result = found(START, change(100, *FAR), swap(), above, above | later, swap() | later)

    assert amounts(result[:2]) == [("ranges", 100.0, 50.0), ("ranges", 50.0, 100.0)]
    assert amounts(result)[1][2] == pytest.approx(100 * 0.6 + 220 * 0.4)


def test_a_range_may_end_beyond_what_a_column_holds() -> None:
    """An end without a price is met by no move."""
    result = found(START, change(100, (-887_220, 0), (887_220, None)), swap())

    assert amounts(result) == [("ranges", 100.0, 50.0), ("ranges", 50.0, 100.0)]


@pytest.mark.parametrize(("tick", "active"), [(0, 100), (-1, 40)])
def test_a_price_on_the_end_of_a_range_is_where_the_tick_says(tick: int, active: int) -> None:
    """At a price of 1 the pool stands above its tick of 0, or below it after a move down."""
    begins = change(60, (0, "1.000000000000000001"), (20_000, 9))

    result = found(START, change(40, *FAR), begins, swap(active, tick=tick))

    assert [row[0] for row in amounts(result)] == ["ranges", "ranges"]
    assert [row[2] for row in amounts(result)] == pytest.approx([20, 100])


def test_no_move_goes_back_to_the_end_of_a_range() -> None:
    """A price that was cut off may be beside the end that it stands on: the way begins at it."""
    begins = change(60, (0, "0.99"), (20_000, 9))

    result = found(START, change(40, *FAR), begins, swap(40, tick=-1))

    assert amounts(result) == [("ranges", 40.0, 20.0), ("ranges", 50.0, 100.0)]


def test_without_the_start_of_a_pool_its_ranges_are_not_walked() -> None:
    """What was added before is not known."""
    result = found(change(60, (-9400, "0.390625"), (9400, "2.56")), swap())

    assert amounts(result) == [("active", 100.0, 50.0), ("active", 50.0, 100.0)]


def test_ranges_that_hold_less_than_nothing_are_not_walked() -> None:
    """Where more ends than is there, a change is missing; the other way is not touched."""
    result = found(START, change(101, (-20_000, "0.1"), (9400, "2.56")), swap())

    assert amounts(result) == [("ranges", 100.0, 50.0), ("active", 50.0, 100.0)]


def test_a_period_ends_with_its_last_swap() -> None:
    """Two days, of which one has two swaps; hours, where that is asked."""
    events = [
        swap(1),
        swap(2) | {"block_timestamp": at(3600)},
        swap(3) | {"block_timestamp": at(days=1)},
    ]

    daily, hourly = found(*events), found(*events, bucket_seconds=3600)

    assert column(daily, "liquidity_tokens") == ["2", "2", "3", "3"]
    assert daily["bucket_at"].to_list()[::2] == [at(-21 * 3600), at(-21 * 3600, days=1)]
    assert column(hourly, "liquidity_tokens")[::2] == ["1", "2", "3"]


def test_pools_are_kept_apart() -> None:
    """The start of one is not that of another."""
    result = found(START, change(100, *FAR), swap() | {"pool": "0xother"}, swap())

    assert result.select("pool", "basis").rows() == [
        *[("0xother", "active")] * 2,
        *[("0xpool", "ranges")] * 2,
    ]


def test_a_pool_without_liquidity_has_no_depth() -> None:
    """Nothing is there at its start: measured."""
    assert amounts(found(START)) == [("ranges", 0.0, 0.0)] * 2


def test_without_a_price_there_is_no_row() -> None:
    """A price too small for its column has no root to move."""
    assert found(swap(price=0)).is_empty()
    assert found(swap(), swap(price=0)).is_empty()
    assert found(swap(), swap(price=None)).is_empty()


@pytest.mark.parametrize("move_bps", [-1, 1_000_001])
def test_a_move_out_of_bounds_is_refused(move_bps: int) -> None:
    """A fall by more than all, or a rise beyond reason."""
    with pytest.raises(ValueError, match="move_bps must be at"):
        found(move_bps=move_bps)


# --- properties -----------------------------------------------------------------------------------

RANGES = st.lists(
    st.tuples(st.integers(-90, 40), st.integers(1, 90), st.integers(0, 10**30)).map(
        lambda drawn: (10 * drawn[0], 10 * (drawn[0] + drawn[1]), drawn[2])
    ),
    max_size=8,
)
TICKS = st.integers(-300, 300)
MOVES = st.sampled_from([0, 1, 50, 200, 1000])


def price(tick: int) -> Decimal:
    """Return the price at a tick."""
    (value,) = tick_price([tick], [0], is_inverse=False)[0].to_pylist()
    assert isinstance(value, Decimal)
    return value


def pool(ranges: Sequence[Range], tick: int) -> list[dict[str, object]]:
    """Return a pool that got these ranges and stands at a tick."""
    added = [
        change(units(held), (lower, price(lower)), (upper, price(upper)))
        for lower, upper, held in ranges
    ]
    active = sum(held for lower, upper, held in ranges if lower <= tick < upper)
    return [START, *added, swap(units(active), tick=tick, price=price(tick))]


def exact(ranges: Sequence[Range], tick: int, move_bps: int) -> list[tuple[Decimal, Decimal]]:
    """Return token0 and token1 down and up, range by range and with sixty digits."""
    with localcontext(prec=60):
        here, move = price(tick).sqrt(), (1 + Decimal(move_bps) / 10_000).sqrt()
        totals = []
        for low, high in ((here / move, here), (here, here * move)):
            token0 = token1 = Decimal(0)
            for lower, upper, held in ranges:
                start, end = max(low, price(lower).sqrt()), min(high, price(upper).sqrt())
                if start < end:
                    token0 += units(held) * (1 / start - 1 / end)
                    token1 += units(held) * (end - start)
            totals.append((token0, token1))
        return totals


@given(ranges=RANGES, tick=TICKS, move_bps=MOVES)
def test_depth_is_what_each_range_gives(ranges: list[Range], tick: int, move_bps: int) -> None:
    """Range by range, without walking and without floats, it is the same."""
    rows = amounts(found(*pool(ranges, tick), move_bps=move_bps))

    for (basis, *tokens), expected in zip(rows, exact(ranges, tick, move_bps), strict=True):
        assert basis == "ranges"
        assert tokens == pytest.approx([float(one) for one in expected], rel=1e-9, abs=1e-6)


@given(ranges=RANGES, more=RANGES, tick=TICKS, move_bps=MOVES)
def test_more_liquidity_is_never_less_depth(
    ranges: list[Range], more: list[Range], tick: int, move_bps: int
) -> None:
    """Whatever is added, wherever it is."""
    less = amounts(found(*pool(ranges, tick), move_bps=move_bps))
    most = amounts(found(*pool([*ranges, *more], tick), move_bps=move_bps))

    for (_, *few), (_, *many) in zip(less, most, strict=True):
        assert all(after >= before * (1 - 1e-9) for before, after in zip(few, many, strict=True))


@given(ranges=RANGES, tick=TICKS, moves=st.lists(MOVES, min_size=2, max_size=2))
def test_a_longer_move_is_never_less_depth(
    ranges: list[Range], tick: int, moves: list[int]
) -> None:
    """And no move is no depth."""
    short, long, none = (
        amounts(found(*pool(ranges, tick), move_bps=bps)) for bps in (*sorted(moves), 0)
    )

    for (_, *few), (_, *many) in zip(short, long, strict=True):
        assert all(after >= before * (1 - 1e-9) for before, after in zip(few, many, strict=True))
    assert none == [("ranges", 0.0, 0.0)] * 2


@given(ranges=RANGES, tick=TICKS)
def test_the_order_of_the_tokens_does_not_matter(ranges: list[Range], tick: int) -> None:
    """The other way round, what was up is down, and what was token0 is token1."""
    turned = [(-upper, -lower, held) for lower, upper, held in ranges]

    (_, *down), (_, *up) = amounts(found(*pool(ranges, tick), move_bps=200))
    # A tick is the lower end of its step: a pool that stands on it stands below, turned round.
    events = pool(turned, -tick)
    active = pool(ranges, tick)[-1]["liquidity_tokens"]
    events[-1] |= {"tick": -tick - 1, "liquidity_tokens": active}
    (_, *turned_down), (_, *turned_up) = amounts(found(*events, move_bps=200))

    assert turned_down == pytest.approx(up[::-1], rel=1e-9, abs=1e-6)
    assert turned_up == pytest.approx(down[::-1], rel=1e-9, abs=1e-6)


@given(ranges=RANGES, tick=TICKS, part=st.integers(0, 10**30))
def test_splitting_a_change_in_two_changes_nothing(
    ranges: list[Range], tick: int, part: int
) -> None:
    """Two changes of one range are one, to the last digit."""
    whole: list[Any] = pool([*ranges, (-100, 200, 10**30)], tick)
    first, second = (
        whole[-2] | {"liquidity_delta_tokens": units(held)} for held in (part, 10**30 - part)
    )

    split = [*whole[:-2], first, second, whole[-1]]

    assert amounts(found(*split, move_bps=200)) == amounts(found(*whole, move_bps=200))


def stood(days: float, depth_usd: float, **said: object) -> dict[str, object]:
    """Return the depth of a pool in a period that begins so many days after 21:00."""
    return {
        "chain_id": 1,
        "protocol": "uniswap",
        "version": "v3",
        "pool": "0xpool",
        "bucket_at": at(days=days),
        "direction": "down",
        "basis": "ranges",
        "token0_tokens": depth_usd / 2,
        "token1_tokens": depth_usd,
    } | said


def changed(*depths: Mapping[str, object], **settings: int) -> pl.DataFrame:
    """Return how depth changed."""
    return depth_change(pl.LazyFrame(list(depths)), **settings).collect()


def test_depth_is_compared_with_the_day_before() -> None:
    """From 100 to 10, nine tenths are gone; half a day before does not count."""
    result = changed(stood(0, 100), stood(0.5, 500), stood(1, 10))

    assert column(result, "before_at") == [at()]
    assert column(result, "token1_before_tokens") == [100.0]
    assert column(result, "token1_change_ratio") == [-0.9]
    assert column(result, "token0_change_ratio") == [-0.9]


def test_a_pool_stays_as_it_was_left() -> None:
    """Without a swap on the day before, an older state stood there still."""
    result = changed(stood(0, 100), stood(9, 50))

    assert column(result, "token1_change_ratio") == [-0.5]


def test_depth_of_nothing_has_no_change() -> None:
    """What comes where nothing was is no ratio; directions and pools are kept apart."""
    assert column(changed(stood(0, 0), stood(1, 5)), "token1_change_ratio") == [None]
    assert changed(stood(0, 1), stood(1, 5, direction="up")).is_empty()
    assert changed(stood(0, 1), stood(1, 5, pool="0xother")).is_empty()


def test_a_change_needs_some_time() -> None:
    """Nothing has changed since now."""
    with pytest.raises(ValueError, match="ago_seconds must be at least 1, got 0"):
        changed(stood(0, 1), ago_seconds=0)
