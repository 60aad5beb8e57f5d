"""Who moves first and what moves together, on series whose answer is built in."""

from collections.abc import Sequence
from math import nextafter

import polars as pl
import pytest
from handmade import at, column, load, table
from hypothesis import given
from hypothesis import strategies as st

from analytics.compute import collected, compute
from analytics.errors import UserError
from analytics.lags import best_lags, either_way, quote_lags

Row = dict[str, object]
# Prices without a pattern: no shift of them looks like another.
WALK = [100, 103, 101, 106, 104, 103, 109, 107, 112, 108, 110, 105, 107, 101, 104, 102, 106]


def quotes(
    venue: str, delay: float, walk: Sequence[int] = WALK, asset: str = "BTC", every: int = 60
) -> list[Row]:
    """Return a venue's quotes of a walk, one a minute, this many seconds late."""
    return [
        {
            "asset": asset,
            "protocol": venue,
            "feed": f"0x{venue}",
            "oracle_price_quote": price,
            "block_timestamp": at(every * number + delay),
        }
        for number, price in enumerate(walk)
    ]


def lags(updates: list[Row], liquidations: Sequence[Row] = (), **given: object) -> pl.DataFrame:
    """Return who leads."""
    frames = {
        "oracle_updates": table("oracle_updates", *updates),
        "liquidations": table("liquidations", *liquidations),
    }
    return collected(compute("venue_lead_lag", load(**frames), **given))


@pytest.mark.parametrize(("late", "lag", "leader"), [(30, 30, "a"), (0, 0, None), (-20, -20, "b")])
def test_the_later_venue_follows(late: int, lag: int, leader: str | None) -> None:
    """The same prices, so many seconds later: that is the lag, and every move fits."""
    result = lags(quotes("a", 100) + quotes("b", 100 + late))

    assert column(result, "lag_seconds") == [lag]
    assert column(result, "leader") == [leader]
    assert column(result, "correlation") == [pytest.approx(1.0)]
    assert result["second_correlation"][0] < result["correlation"][0]
    assert result["significance"][0] > 2


def test_a_venue_that_speaks_half_as_often_is_not_late() -> None:
    """Every other quote of the same prices at the same moments lags by nothing."""
    rare = [row for number, row in enumerate(quotes("b", 0)) if number % 2 == 0]

    assert column(lags(quotes("a", 0) + rare, least_moves=8), "lag_seconds") == [0]


def test_of_two_quotes_of_a_moment_the_later_in_its_block_counts() -> None:
    """In whatever order the rows come."""
    told = [row | {"log_index": 1} for row in quotes("a", 0) + quotes("b", 30)]
    overtaken = [row | {"log_index": 0, "oracle_price_quote": 500} for row in told]

    assert lags(told + overtaken).equals(lags(told))
    assert lags(overtaken + told).equals(lags(told))


def swinging(venue: str, every: int, late: int) -> list[Row]:
    """Return a venue's quotes of one price that swings, every so many seconds and so much late."""
    moments = range(0, 3_600, every)
    prices = [1_000 + 3 * (second // 60 * 7 % 31) + second // 20 * 5 % 11 for second in moments]
    return [
        row | {"block_timestamp": at(second + late)}
        for row, second in zip(quotes(venue, 0, prices), moments, strict=True)
    ]


@pytest.mark.parametrize("rare", ["a", "z"])
def test_who_leads_is_not_a_matter_of_names(rare: str) -> None:
    """Every 20 s, and every 70 s and 15 s late: the latter follows, however it is named."""
    result = lags(swinging("m", 20, 0) + swinging(rare, 70, 15))

    assert column(result, "leader") == ["m"]
    assert column(result, "lag_seconds") == [15 if rare == "z" else -15]


def test_liquidations_are_compared_in_steps() -> None:
    """One venue liquidates 10, 50, 20 and the other the same 15 seconds later."""
    sizes = ((0, 10), (40, 50), (95, 20))
    rows = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(second + late)}
        for venue, late in (("a", 0), ("b", 15))
        for second, size in sizes
    ]

    result = lags([], rows, least_moves=3)

    assert column(result, "measure") == ["liquidations"]
    assert column(result, "lag_seconds") == [15]
    assert column(result, "sample_count") == [23]
    assert column(result, "leader") == ["a"]


def test_what_is_liquidated_the_other_way_round_is_not_alike() -> None:
    """100 to 400 and 400 to 100 correlate by -1 in the same steps, and by 0.5 one apart."""
    rows = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(5 * number)}
        for venue, sizes in (("a", (100, 200, 300, 400)), ("b", (400, 300, 200, 100)))
        for number, size in enumerate(sizes)
    ]

    result = lags([], rows, least_moves=3, most_steps=1)

    assert column(result, "correlation") == [pytest.approx(0.5)]
    assert column(result, "second_lag_seconds") == [0]
    assert column(result, "second_correlation") == [pytest.approx(-1.0)]


def test_what_is_liquidated_evenly_has_no_lag() -> None:
    """The same in every step never varies: that it ends somewhere is no move."""
    rows = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(5 * number)}
        for venue, sizes in (("a", (100, 200, 300)), ("b", (7, 7, 7)))
        for number, size in enumerate(sizes)
    ]

    assert lags([], rows, least_moves=3).is_empty()


def test_a_few_liquidations_have_no_lag() -> None:
    """A venue that liquidates in nine steps is not compared by default; in ten it is."""
    rows: list[Row] = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(60 * number)}
        for venue in ("a", "b")
        for number, size in enumerate(WALK[:10])
    ]

    assert lags([], rows[:-1]).is_empty()
    assert column(lags([], rows), "lag_seconds") == [0]


@pytest.mark.parametrize("rare", ["a", "b"])
def test_a_few_moves_have_no_lag(rare: str) -> None:
    """A venue that moves nine times is not compared by default, whichever is named first."""
    (often,) = {"a", "b"} - {rare}

    few, enough = (quotes(rare, 0, WALK[:count], every=90) for count in (10, 11))

    assert lags(quotes(often, 0) + few).is_empty()
    assert not lags(quotes(often, 0) + enough).is_empty()


def test_venues_that_hardly_liquidate_at_one_time_have_no_leader() -> None:
    """A step shared by chance was a lag; without one the later name led by the longest lag."""
    rows: list[Row] = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(600 * number + late)}
        for venue, late in (("a", 0), ("b", 300))
        for number, size in enumerate(WALK)
    ]
    shared = [row | {"block_timestamp": at(900)} for row in rows[:1]]

    assert lags([], rows).is_empty()
    assert lags([], rows + shared).is_empty()


def test_venues_that_hardly_speak_at_one_time_are_not_compared() -> None:
    """One begins ten minutes after the other, which goes on for six: few moves are of both."""
    assert lags(quotes("a", 0) + quotes("b", 600)).is_empty()
    assert not lags(quotes("a", 0) + quotes("b", 600), least_moves=5).is_empty()


@pytest.mark.parametrize("most_steps", [24, 200])
def test_two_moves_do_not_outweigh_sixteen(most_steps: int) -> None:
    """However far they are shifted, the lag is not that at which few moves are left to agree."""
    unlike = [price + number % 2 for number, price in enumerate(WALK)]

    result = lags(quotes("a", 0) + quotes("b", 0, unlike), least_moves=3, most_steps=most_steps)

    assert column(result, "lag_seconds") == [0]
    assert column(result, "sample_count") == [16]


def test_only_sources_of_one_asset_and_quote_are_compared() -> None:
    """Bitcoin on one venue and ether on another have no lead, nor have dollars and tether."""
    other = [row | {"quote": "USDT"} for row in quotes("b", 0)]

    assert lags(quotes("a", 0) + quotes("b", 0, asset="ETH")).is_empty()
    assert lags(quotes("a", 0) + other).is_empty()


def test_a_price_that_never_moves_has_no_lag() -> None:
    """Without a move there is nothing to follow: no row, not a zero."""
    assert lags(quotes("a", 0) + quotes("b", 0, [100] * 17)).is_empty()


def test_two_feeds_of_one_protocol_have_no_leader() -> None:
    """They are compared, but a protocol does not lead itself."""
    second = [row | {"feed": "0xz"} for row in quotes("a", 30)]

    result = lags(quotes("a", 0) + second)

    assert column(result, "lag_seconds") == [30]
    assert column(result, "leader") == [None]


def test_of_equally_good_lags_the_shortest_counts() -> None:
    """What the order of a sum decides is no difference: 0.9 and the next larger float."""
    told = {"kind": "price", "who": "a", "other": "b", "sample_count": 100}
    found = ((-2, 0.5), (1, 0.9), (3, nextafter(0.9, 1)), (4, 0.8))
    rows = pl.LazyFrame([told | {"lag": lag, "correlation": value} for lag, value in found])

    best = best_lags(rows, 10).collect()

    assert best.select("lag", "second_lag").rows() == [(1, 3)]


def test_pairs_that_are_alike_both_ways_round_do_not_depend_on_the_order_of_rows() -> None:
    """Feeds of one price: the next best lag is as good before as behind, and before counts."""
    told = {"kind": "price", "sample_count": 100, "lag": 0, "correlation": 1.0, "significance": 2.0}
    ways = [
        told | {"who": who, "other": other, "second_lag": 10, "second_correlation": 0.9}
        for number in range(20)
        for who, other in ((f"a{number}", f"b{number}"), (f"b{number}", f"a{number}"))
    ]

    found = [either_way(pl.LazyFrame(rows)).collect() for rows in (ways, ways[::-1])]

    assert [column(one, "second_lag") for one in found] == [[-10] * 20] * 2


def test_of_two_ways_that_agree_alike_the_less_significant_is_told() -> None:
    """The other lags differ, and nothing else does: which way came first decides nothing."""
    told = {"kind": "price", "sample_count": 100, "correlation": 1.0, "second_correlation": 0.9}
    ways = [
        told | {"who": "a", "other": "b", "lag": 6, "second_lag": -18, "significance": 3.5},
        told | {"who": "b", "other": "a", "lag": -6, "second_lag": 18, "significance": 3.0},
    ]

    found = [either_way(pl.LazyFrame(rows)).collect() for rows in (ways, ways[::-1])]

    assert [column(one, "significance") for one in found] == [[3.0]] * 2
    flipped = [way | {"significance": 6.5 - float(str(way["significance"]))} for way in ways]
    assert column(either_way(pl.LazyFrame(flipped)).collect(), "significance") == [3.0]


def test_of_two_ways_that_agree_alike_that_with_the_better_next_lag_is_told() -> None:
    """Both agree best at no lag, of as many moves: 0.9 at the next one says more against it."""
    told = {"kind": "price", "sample_count": 100, "lag": 0, "correlation": 1.0, "significance": 2.0}
    ways = [
        told | {"who": "a", "other": "b", "second_lag": 6, "second_correlation": 0.8},
        told | {"who": "b", "other": "a", "second_lag": -6, "second_correlation": 0.9},
    ]

    found = either_way(pl.LazyFrame(ways)).collect()

    assert column(found, "second_correlation") == [0.9]


def test_rows_are_in_the_order_of_their_measures() -> None:
    """What is compared last comes first: liquidations, and then prices."""
    forced: list[Row] = [
        {"protocol": venue, "notional_usd": size, "block_timestamp": at(60 * number)}
        for venue in ("a", "b")
        for number, size in enumerate(WALK)
    ]

    result = lags(quotes("a", 0) + quotes("b", 0), forced)

    assert column(result, "measure") == ["liquidations", "price"]


def test_the_event_bounds_what_is_compared() -> None:
    """Quotes before the start and at the end are left out: of sixteen moves seven are inside."""
    window = {"event_start": at(300).isoformat(), "event_end": at(780).isoformat()}

    result = lags(quotes("a", 0) + quotes("b", 0), [], least_moves=7, **window)

    assert column(result, "sample_count") == [7]


@pytest.mark.parametrize("most_rows", [0, 100, 1_000])
def test_sources_and_lags_that_are_compared_one_after_the_other_are_the_same(
    most_rows: int,
) -> None:
    """Of many sources not all fit into memory at once, nor all lags; what is found is the same."""
    told = pl.concat(
        pl.LazyFrame(
            {
                "kind": "BTC",
                "who": venue,
                "block_timestamp": [at(60 * step + late) for step in range(len(WALK))],
                "price": pl.Series(WALK, dtype=pl.Decimal(38, 18)),
            }
        )
        for venue, late in (("a", 0), ("b", 20), ("c", 35))
    )
    order = ["who", "other"]

    at_once = quote_lags(told, 5, 24, 10).sort(order).collect()
    in_parts = quote_lags(told, 5, 24, 10, most_rows=most_rows).sort(order).collect()

    assert at_once.height == 6
    assert in_parts.equals(at_once)


@given(st.lists(st.integers(1, 10**6), min_size=4, max_size=12), st.integers(-60, 60))
def test_a_correlation_is_one_whatever_the_prices(walk: list[int], late: int) -> None:
    """No series correlates with another by more than one, however short or wild."""
    result = lags(quotes("a", 0, walk) + quotes("b", late, walk[::-1]), least_moves=3)

    assert all(-1 <= value <= 1 for value in result["correlation"])


def correlations(*updates: Row, **given: object) -> pl.DataFrame:
    """Return how much assets move together around 21:10 to 21:20."""
    window = {"event_start": at(600).isoformat(), "event_end": at(1_200).isoformat()} | given
    frames = {"oracle_updates": table("oracle_updates", *updates)}
    return collected(compute("asset_correlation", load(**frames), **window))


def test_assets_fall_together_only_in_the_event() -> None:
    """Equal moves in the event correlate by 1, opposite ones before it by nearly -1."""
    up = [100, 101] * 5
    fall = [90, 80, 85, 70, 60, 65, 50, 40, 45, 30]
    together = quotes("a", 0, up + fall, "BTC") + quotes("a", 0, up[::-1] + fall, "ETH")

    result = correlations(*together)

    assert column(result, "window") == ["before", "during"]
    assert column(result, "other_asset") == ["ETH", "ETH"]
    assert result["correlation"][0] < -0.9
    assert result["correlation"][1] > 0.99


def test_any_number_of_assets_that_never_move_takes_nothing_from_those_that_do() -> None:
    """Whoever lists ten thousand assets and quotes each once makes no pair of them."""
    moving = quotes("a", 0, asset="BTC") + quotes("a", 0, asset="ETH")
    still = [row | {"asset": f"A{n}", "feed": f"{n}"} for n in range(3) for row in moving[:1]]

    alone = correlations(*moving)

    assert alone.height == 2
    assert correlations(*moving, *still).equals(alone)


def test_of_each_asset_the_busiest_source_counts() -> None:
    """A second source of one asset that speaks less changes nothing."""
    pair = quotes("a", 0, WALK * 2, "BTC") + quotes("a", 0, WALK * 2, "ETH")

    assert correlations(*pair, *quotes("b", 0, [7, 5, 9])).equals(correlations(*pair))


def test_who_speaks_at_another_time_is_not_the_busiest_source() -> None:
    """A source that says more, but hours after the event, changes nothing."""
    pair = quotes("a", 0, WALK * 2, "BTC") + quotes("a", 0, WALK * 2, "ETH")

    assert correlations(*pair, *quotes("b", 9_000, WALK * 4)).equals(correlations(*pair))


def test_what_was_quoted_before_the_windows_is_no_move_into_them() -> None:
    """Of two episodes a year apart the way from one to the other made everything move alike."""
    pair = quotes("a", 0, WALK * 2, "BTC") + quotes("a", 0, WALK[::-1] * 2, "ETH")
    before = [row | {"block_timestamp": at(days=-365), "oracle_price_quote": 1} for row in pair]

    assert correlations(*before, *pair).equals(correlations(*pair))


@pytest.mark.parametrize(
    "ends", [("0001-01-01", "2025-10-10T22:00"), ("2025-10-10T20:00", "9999-12-31")]
)
def test_an_event_may_reach_to_where_time_ends(ends: tuple[str, str]) -> None:
    """What would be as long before the year 1, or after 9999, is no moment that must exist."""
    pair = quotes("a", 0, WALK * 2, "BTC") + quotes("a", 0, WALK * 2, "ETH")

    found = correlations(*pair, event_start=ends[0], event_end=ends[1])

    assert found.select("window", "correlation").rows() == [("during", pytest.approx(1))]


def test_what_is_quoted_in_another_asset_does_not_count() -> None:
    """Ether in bitcoin, said at more moments than ether in dollars, changes nothing."""
    pair = quotes("a", 0, WALK * 2, "BTC") + quotes("a", 0, WALK * 2, "ETH")
    cross = [row | {"quote": "BTC"} for row in quotes("b", 0, WALK * 4, "ETH", every=30)]

    assert correlations(*pair, *cross).equals(correlations(*pair))


def test_an_end_of_the_event_may_be_told_in_another_zone() -> None:
    """As in every metric of an event."""
    told = quotes("a", 0) + quotes("b", 30)
    utc, east = (f"{at(900 + hours * 3_600):%Y-%m-%dT%H:%M}" for hours in (0, 2))

    assert lags(told, event_end=utc).height == 1
    assert not lags(told, event_end=utc).equals(lags(told))
    assert lags(told, event_end=f"{east}+02:00").equals(lags(told, event_end=utc))


@pytest.mark.parametrize(
    ("metric", "setting", "message"),
    [
        ("venue_lead_lag", {"grid_seconds": 0}, "grid_seconds"),
        ("venue_lead_lag", {"most_steps": 0}, "most_steps"),
        ("venue_lead_lag", {"least_moves": 2}, "least_moves"),
        ("venue_lead_lag", {"event_start": "noon"}, "event_start must be a time"),
        ("venue_lead_lag", {"event_end": "9999-12-31T23:00-02:00"}, "event_end must be a time"),
        (
            "venue_lead_lag",
            {"event_start": "2025-10-10T21:00", "event_end": "2025-10-10T20:00"},
            "event_start must be before event_end",
        ),
        ("asset_correlation", {"grid_seconds": 0}, "grid_seconds"),
        ("asset_correlation", {"event_start": ""}, "event_start must be a time"),
        ("asset_correlation", {"event_end": "2025-10-10T20:50"}, "must be after event_start"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    metric: str, setting: dict[str, object], message: str
) -> None:
    """A grid of nothing, a word or a year 10000 for a time, an event that ends before it starts."""
    with pytest.raises(UserError, match=message):
        compute(metric, load(), **setting)
