"""When a venue may deleverage, on a few looks at one market."""

import polars as pl
from both_engines import adl_state
from handmade import at, column, table


def looked(*states: tuple[float, object, bool], **also: object) -> pl.DataFrame:
    """Return the metric of these looks: second, profit to pool, whether it is enabled."""
    rows = [
        {
            "block_timestamp": at(second),
            "pnl_to_pool_ratio": factor,
            "max_pnl_to_pool_ratio": "0.9",
            "is_enabled": is_enabled,
        }
        | also
        for second, factor, is_enabled in states
    ]
    return adl_state(table("adl_states", *rows).lazy()).collect()


def test_headroom_is_the_threshold_less_the_factor() -> None:
    """0.9 less 0.75 leaves 0.15; above the threshold it is below zero, for a loss above it."""
    result = looked((0, "0.75", False), (1, "0.95", True), (2, "-0.1", False))

    assert column(result, "headroom_ratio") == ["0.15", "-0.05", "1"]


def test_an_interval_begins_with_the_first_look_that_allows_it() -> None:
    """Allowed from 10 to 40 s over two looks, and again from 60 s on."""
    states = ((0, 0, False), (10, 1, True), (20, 1, True), (40, 0, False), (60, 1, True))

    result = looked(*states)

    assert column(result, "enabled_since") == [None, at(10), at(10), None, at(60)]
    assert column(result, "until_at") == [at(10), at(20), at(40), at(60), None]
    assert column(result, "length_seconds") == [10.0, 10.0, 20.0, 20.0, None]


def test_sides_and_markets_have_switches_of_their_own() -> None:
    """What one says ends nothing of the other."""
    frames = [
        table(
            "adl_states",
            {"block_timestamp": at(second), "market": market, "is_long": is_long},
        )
        for second, market, is_long in ((0, "BTC", True), (5, "BTC", False), (9, "ETH", True))
    ]

    result = adl_state(pl.concat(frames).lazy()).collect()

    assert column(result, "until_at") == [None, None, None]
    assert result["enabled_since"].equals(result["block_timestamp"], check_names=False)


def test_a_threshold_that_is_not_told_leaves_no_headroom() -> None:
    """Null, not zero."""
    result = looked((0, "0.5", False), max_pnl_to_pool_ratio=None)

    assert column(result, "headroom_ratio") == [None]
