"""The shape of events: falls, recoveries and depth that can be computed in the head."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from handmade import at, column, load, table

from analytics.compute import collected, compute
from analytics.errors import UserError

Row = dict[str, object]
EVENT = {"event_start": at(600).isoformat(), "event_end": at(1_200).isoformat()}


def quotes(asset: str, *points: tuple[float, object], feed: str = "0xf") -> list[Row]:
    """Return updates of an asset: seconds after 21:00, price."""
    return [
        {"asset": asset, "feed": feed, "block_timestamp": at(s), "oracle_price_quote": price}
        for s, price in points
    ]


def shaped(
    metric: str, settings: Mapping[str, object] = EVENT, **rows: Sequence[Row]
) -> pl.DataFrame:
    """Return a metric of these rows."""
    frames = {name: table(name, *each) for name, each in rows.items()}
    return collected(compute(metric, load(**frames), **settings))


def trade(second: float, paid: object, *, size: int = 100, is_long: bool = True) -> Row:
    """Return a change of a position and the transaction it is in."""
    return {
        "notional_delta_usd": size,
        "execution_price_usd": paid,
        "is_long": is_long,
        "tx_hash": f"0x{int(second)}",
        "block_timestamp": at(second),
    }


def posted(*seconds: float, price: object = 100) -> list[Row]:
    """Return the oracle prices of those transactions, with a spread of one on each side."""
    return [
        {
            "asset": "BTC",
            "oracle_price_quote": price,
            "oracle_price_min_quote": 99,
            "oracle_price_max_quote": 101,
            "tx_hash": f"0x{int(each)}",
            "block_timestamp": at(each),
        }
        for each in seconds
    ]


def test_a_drop_is_from_the_last_price_before() -> None:
    """100 before, 60 at the lowest, 90 in the end: a fall of 40 %, three quarters came back."""
    result = shaped(
        "event_drops", oracle_updates=quotes("BTC", (0, 50), (590, 100), (700, 60), (5_000, 90))
    )

    assert column(result, "drop_ratio") == [0.4]
    assert column(result, "recovery_ratio") == [0.75]
    assert column(result, "low_at") == [at(700)]
    assert column(result, "after_at") == [at(5_000)]


def test_only_dollar_prices_fall() -> None:
    """Ether halves in dollars; that it keeps its price in bitcoin, and reserves, change nothing."""
    dollars = quotes("ETH", (590, 4_000), (700, 2_000))
    bitcoins = quotes("ETH", (590, 1), (650, 1), (700, 1), feed="0xb")
    reserves = quotes("PAXG RESERVES", (590, 9), (700, 9))
    rows = [
        *dollars,
        *(row | {"quote": "BTC"} for row in bitcoins),
        *(row | {"quote": "RESERVES"} for row in reserves),
    ]

    drops = shaped("event_drops", oracle_updates=rows)
    shape = shaped("event_shape", oracle_updates=rows)

    assert column(drops, "asset") == ["ETH"]
    assert column(drops, "drop_ratio") == [0.5]
    assert column(shape, "breadth_ratio") == [1.0]


def test_a_source_is_one_of_the_event() -> None:
    """A feed that has gone silent since, or speaks more often later, is not that of the event."""
    gone = quotes("BTC", *((each, 1) for each in range(90)), feed="0xgone")
    later = quotes("BTC", (700, 90), (2e6, 1), (3e6, 1), feed="0xlater")
    rows = quotes("BTC", (590, 100), (700, 60), (800, 70))

    result = shaped("event_drops", oracle_updates=[*gone, *rows, *later])

    assert column(result, "drop_ratio") == [0.4]


def test_recovery_ends_after_its_hours() -> None:
    """What a price does two hours later is not of an hour's patience."""
    rows = quotes("BTC", (590, 100), (700, 60), (2_000, 70), (9_000, 100))

    result = shaped("event_drops", EVENT | {"recovery_hours": 1}, oracle_updates=rows)

    assert column(result, "recovery_ratio") == [0.25]


def test_the_end_of_an_event_is_outside_it() -> None:
    """What is told in its last second counts; what is told when it is over is of what follows."""
    rows = quotes("BTC", (590, 100), (1_199, 80), (1_200, 50))
    forced = [{"notional_usd": 5, "block_timestamp": at(each)} for each in (1_199, 1_200)]

    drops = shaped("event_drops", EVENT | {"recovery_hours": 0}, oracle_updates=rows)
    shape = shaped("event_shape", oracle_updates=rows, liquidations=forced)

    assert column(drops, "drop_ratio") == [0.2]
    assert column(drops, "after_price_quote") == ["80"]
    assert column(shape, "worst_drop_ratio") == [0.2]
    assert column(shape, "liquidated_usd") == ["5"]


def test_what_a_dead_feed_is_asked_for_is_no_asset_that_did_not_fall() -> None:
    """Read in the event, an answer of two days before is of no asset; one of a day is."""
    rows = quotes("BTC", (590, 100), (700, 60))
    asked = quotes("OLD", (590, 1), (800, 1))
    for days, assets in ((2, ["BTC"]), (1, ["BTC", "OLD"])):
        seen = {"log_index": -1, "observed_at": at(590, days=-days)}
        told = [*rows, *(row | seen for row in asked)]

        assert column(shaped("event_drops", oracle_updates=told), "asset") == assets


def test_without_a_price_before_nothing_is_known_of_a_drop() -> None:
    """An asset first quoted in the event has a low, and no drop."""
    result = shaped("event_drops", oracle_updates=quotes("BTC", (700, 60)))

    assert column(result, "low_price_quote") == ["60"]
    assert column(result, "drop_ratio") == [None]
    assert column(result, "recovery_ratio") == [None]


@pytest.mark.parametrize(("age", "drops"), [(90_000, [0.4]), (90_001, [None])])
def test_a_price_before_is_one_that_still_held(age: int, drops: list[float | None]) -> None:
    """What was quoted longer than a day and an hour before an event is no price before it."""
    result = shaped("event_drops", oracle_updates=quotes("BTC", (600 - age, 100), (700, 60)))

    assert column(result, "drop_ratio") == drops


def test_what_did_not_fall_fell_by_zero() -> None:
    """A zero has no sign: a table would show it as a fall of -0 %."""
    result = shaped("event_drops", oracle_updates=quotes("BTC", (590, 100), (700, 100)))

    assert [str(each) for each in column(result, "drop_ratio")] == ["0.0"]


def test_what_rose_has_no_recovery() -> None:
    """A drop below zero is a rise, and nothing has to come back."""
    result = shaped("event_drops", oracle_updates=quotes("BTC", (590, 100), (700, 110)))

    assert column(result, "drop_ratio") == [-0.1]
    assert column(result, "recovery_ratio") == [None]


def test_two_events_stand_beside_each_other() -> None:
    """The second window is told as event 2."""
    other = {"other_start": at(3_000).isoformat(), "other_end": at(4_000).isoformat()}
    rows = quotes("BTC", (590, 100), (700, 60), (2_900, 100), (3_500, 50))

    result = shaped("event_drops", EVENT | other, oracle_updates=rows)

    assert column(result, "event") == [1, 2]
    assert column(result, "drop_ratio") == [0.4, 0.5]


def test_depth_is_size_over_cost() -> None:
    """100 bought at 102 where 101 is asked costs 1/101: 2 % would be 202."""
    result = shaped(
        "executed_depth", {}, position_changes=[trade(1, 102)], oracle_updates=posted(1)
    )

    assert column(result, "depth_usd") == [pytest.approx(202.0)]
    assert column(result, "costly_count") == [1]


def test_a_sale_is_measured_from_the_bid() -> None:
    """A short of 100 opened at 98.01 where 99 is bid costs 1 %: 2 % would be 200."""
    sale = trade(1, "98.01", is_long=False)

    result = shaped("executed_depth", {}, position_changes=[sale], oracle_updates=posted(1))

    assert column(result, "depth_usd") == [pytest.approx(200.0)]


def test_a_close_is_measured_as_a_trade_of_its_other_side() -> None:
    """A long of 100 closed at 98.01 where 99 is bid costs 1 %, and so does a short at 102.01."""
    changes = [trade(1, "98.01", size=-100), trade(2, "102.01", size=-100, is_long=False)]

    for second, change in enumerate(changes, 1):
        result = shaped(
            "executed_depth", {}, position_changes=[change], oracle_updates=posted(second)
        )

        assert column(result, "depth_usd") == [pytest.approx(200.0)]


def test_a_trade_that_costs_nothing_tells_no_depth() -> None:
    """Bought at the ask, the trade counts and its depth is not known."""
    result = shaped(
        "executed_depth", {}, position_changes=[trade(1, 101)], oracle_updates=posted(1)
    )

    assert column(result, "trade_count") == [1]
    assert column(result, "depth_usd") == [None]


def test_a_trade_of_unknown_side_tells_no_depth() -> None:
    """A change at 98 is cheap for a buyer and dear for a seller; which one it was is not said."""
    change = trade(1, 98) | {"is_long": None}

    result = shaped("executed_depth", {}, position_changes=[change], oracle_updates=posted(1))

    assert column(result, "trade_count") == [1]
    assert column(result, "costly_count") == [0]
    assert column(result, "depth_usd") == [None]


def test_a_trade_is_compared_with_its_own_token() -> None:
    """Of two prices in a transaction the one near what was paid counts; one far off does not."""
    stable = posted(1)[0] | {"oracle_price_quote": 1, "oracle_price_max_quote": 1}

    both = shaped(
        "executed_depth", {}, position_changes=[trade(1, 102)], oracle_updates=[stable, *posted(1)]
    )
    far = shaped("executed_depth", {}, position_changes=[trade(1, 120)], oracle_updates=posted(1))

    assert column(both, "depth_usd") == [pytest.approx(202.0)]
    assert far.is_empty()


def test_of_two_prices_equally_near_the_first_counts() -> None:
    """99 is a tenth above 90 and below 110: bought at the first it cost 10 %, or else nothing."""
    prices = [row | {"oracle_price_max_quote": ask} for ask in (90, 110) for row in posted(1)]

    for asked, costly in ((prices, 1), (prices[::-1], 0)):
        result = shaped("executed_depth", {}, position_changes=[trade(1, 99)], oracle_updates=asked)

        assert column(result, "trade_count") == [1]
        assert column(result, "costly_count") == [costly]


def shape(*assets: Row, **more: Sequence[Row]) -> dict[str, object]:
    """Return the one row of an event's shape."""
    return shaped("event_shape", EVENT, oracle_updates=assets, **more).to_dicts()[0]


FALL = (590, 100), (700, 60), (5_000, 62)
WICK = (590, 100), (700, 60), (5_000, 98)


def test_a_fall_that_stays_is_a_repricing() -> None:
    """Two of three assets fell by 40 %, a twentieth came back: the one known sign is no."""
    result = shape(
        *quotes("BTC", *FALL), *quotes("ETH", *FALL), *quotes("USDC", (590, 1), (700, 1))
    )

    assert (result["asset_count"], result["fallen_count"]) == (3, 2)
    assert result["breadth_ratio"] == 2 / 3
    assert result["median_recovery_ratio"] == 0.05
    assert (result["sign_count"], result["known_count"]) == (0, 1)
    assert result["verdict"] == "repricing"


def test_a_fall_that_comes_back_in_disorder_is_microstructure() -> None:
    """It came back, sources were 40 % apart, all was liquidated in a minute, depth is unknown."""
    late = quotes("BTC", (580, 100), (1_100, 100), feed="0xlate")
    forced = [{"notional_usd": 5, "block_timestamp": at(700)}]

    result = shape(*quotes("BTC", *WICK), *late, liquidations=forced)

    assert result["worst_minute_ratio"] == 1.0
    assert result["depth_ratio"] is None
    assert (result["sign_count"], result["known_count"]) == (3, 3)
    assert result["verdict"] == "microstructure"


def test_how_far_sources_were_apart_is_of_the_event_alone() -> None:
    """Two thirds apart before it and after it, a quarter in it."""
    late = quotes("BTC", (0, 100), (100, 60), (580, 100), (700, 48), (9_000, 100), feed="0xlate")

    result = shape(*quotes("BTC", (0, 100), *FALL, (9_000, 60)), *late)

    assert result["largest_deviation_bps"] == 2_500


def test_an_unknown_notional_leaves_the_worst_minute_unknown() -> None:
    """Of 6 and 4 and one nobody tells, 10 are known, and not which part fell into one minute."""
    sizes = (6, 4, None)
    forced: list[Row] = [
        {"notional_usd": size, "block_timestamp": at(600 + 60 * minute)}
        for minute, size in enumerate(sizes)
    ]

    result = shape(*quotes("BTC", *WICK), liquidations=forced)

    assert (result["liquidated_usd"], result["worst_minute_usd"]) == (10, 6)
    assert result["worst_minute_ratio"] is None
    assert (result["sign_count"], result["known_count"]) == (1, 1)


def test_no_liquidation_is_a_zero_where_one_would_have_been_told() -> None:
    """Prices alone tell of none; who declares liquidations, or had one on another day, does."""
    fall = quotes("BTC", *WICK)
    declared: list[Row] = [{"protocol": "venue", "fact": "liquidations"}]
    fees: list[Row] = [{"protocol": "venue", "fact": "fees"}]
    earlier: list[Row] = [{"notional_usd": 5, "block_timestamp": at(0)}]

    results = [
        shape(*fall),
        shape(*fall, declared_facts=fees),
        shape(*fall, declared_facts=declared),
        shape(*fall, liquidations=earlier),
    ]

    for column_name in ("liquidated_usd", "worst_minute_usd"):
        assert [result[column_name] for result in results] == [None, None, 0, 0]


def test_half_the_signs_leave_it_undecided() -> None:
    """It came back, but a fifth of what was liquidated fell into the worst minute."""
    forced = [{"notional_usd": 1, "block_timestamp": at(600 + 60 * minute)} for minute in range(5)]

    result = shape(*quotes("BTC", *WICK), liquidations=forced)

    assert result["worst_minute_ratio"] == 0.2
    assert result["verdict"] == "undecided"


def test_where_nothing_fell_there_is_no_shape() -> None:
    """A fall of 1 % is no fall."""
    assert shape(*quotes("BTC", (590, 100), (700, 99)))["verdict"] == "no fall"


def test_where_no_fall_is_known_there_is_no_verdict() -> None:
    """Prices that begin in the event tell neither a fall nor that there was none."""
    result = shape(*quotes("BTC", (700, 60)), *quotes("ETH", (700, 60)))

    assert result["asset_count"] == 2
    assert (result["fallen_count"], result["breadth_ratio"]) == (None, None)
    assert result["verdict"] is None


def test_an_event_may_end_where_time_does() -> None:
    """What would be as long before the year 1, or days after 9999, is no moment that must exist."""
    ends = {"event_start": "0001-01-01", "event_end": "9999-12-31"}
    rows = quotes("BTC", (590, 100), (700, 60))

    assert column(shaped("event_drops", ends, oracle_updates=rows), "after_at") == [at(700)]
    assert column(shaped("event_shape", ends, oracle_updates=rows), "asset_count") == [1]


def test_a_thin_book_is_compared_with_the_one_before() -> None:
    """At twice the cost in the event half of the depth is left: a sign up to that ratio."""
    trades = [trade(300, "102.01"), trade(900, "103.02")]
    told = {"oracle_updates": posted(300, 900), "position_changes": trades}

    ratio = shaped("event_shape", EVENT, **told)["depth_ratio"].item()
    signs = [
        shaped("event_shape", EVENT | {"void_ratio": largest}, **told)["sign_count"].item()
        for largest in (ratio, ratio - 0.01)
    ]

    assert ratio == pytest.approx(0.5)
    assert signs == [1, 0]


@pytest.mark.parametrize(
    ("metric", "settings"),
    [
        ("event_drops", {"recovery_hours": -1}),
        ("event_drops", {"event_end": "2025-10-10T20:50"}),
        ("event_drops", {"other_start": "2025-10-10T20:50"}),
        ("event_shape", {"event_start": "yesterday"}),
        ("event_shape", {"fall_ratio": -1.0}),
        ("event_shape", {"fall_ratio": 0.0}),
        ("event_shape", {"fall_ratio": 1.5}),
        ("event_shape", {"minute_ratio": 1.5}),
        ("event_shape", {"recovered_ratio": -0.1}),
        ("event_shape", {"void_ratio": float("nan")}),
        ("event_shape", {"dislocation_bps": -1.0}),
        ("executed_depth", {"move_bps": 0.0}),
        ("executed_depth", {"bucket_seconds": 0}),
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(metric: str, settings: dict[str, object]) -> None:
    """A window that ends before it starts, half a window, a move of nothing."""
    with pytest.raises(UserError):
        compute(metric, load(), **settings)
