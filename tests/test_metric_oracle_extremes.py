"""The worst of each period is the worst of all comparisons, and stands where it happened."""

import polars as pl
import pytest
from both_engines import agreed, oracle_deviation_extremes
from handmade import at, column, load, table
from simulated_world import world

from analytics.compute import collected, compute

PAIR = ["asset", "quote", "chain_id", "protocol", "feed"]
PAIR += ["reference_chain_id", "reference_protocol", "reference_feed"]


def extremes(*updates: dict[str, object], of: str = "0xf", **settings: int) -> pl.DataFrame:
    """Return the extremes of a source beside others of BTC."""
    rows = table("oracle_updates", *({"asset": "BTC"} | update for update in updates))
    found = agreed("oracle_deviation_extremes", {"oracle_updates": rows}, **settings)
    return found.filter(feed=of)


def test_the_worst_of_a_period_is_kept_with_its_place() -> None:
    """Prices 101, 110 and 99 beside 100: the worst is 1,000 bps, at the second update."""
    found = extremes(
        {"feed": "0xref", "oracle_price_quote": 100},
        {"oracle_price_quote": 101, "block_timestamp": at(10)},
        {"oracle_price_quote": 110, "block_timestamp": at(20), "block_number": 7, "log_index": 5},
        {"oracle_price_quote": 99, "block_timestamp": at(30)},
    )

    assert found.select(
        "comparison_count", "lowest_deviation_bps", "highest_deviation_bps", "worst_deviation_bps"
    ).row(0) == (3, -100.0, 1000.0, 1000.0)
    assert found.select("worst_at", "worst_block_number", "worst_log_index").row(0) == (
        at(20),
        7,
        5,
    )
    assert column(found, "worst_price_quote") == ["110"]
    assert column(found, "longest_staleness_seconds") == [30]


def test_of_two_alike_the_earlier_is_the_worst() -> None:
    """Ten per cent above and below are as bad as each other."""
    found = extremes(
        {"feed": "0xref", "oracle_price_quote": 100},
        {"oracle_price_quote": 90, "block_timestamp": at(1)},
        {"oracle_price_quote": 110, "block_timestamp": at(2)},
    )

    assert column(found, "worst_deviation_bps") == [-1000.0]


def test_periods_and_references_stand_apart() -> None:
    """An hour and the next, one reference and another: four rows."""
    later: dict[str, object] = {"block_timestamp": at(3600)}
    found = extremes(
        {"feed": "0xa", "oracle_price_quote": 100},
        {"feed": "0xb", "oracle_price_quote": 50},
        {"oracle_price_quote": 100, "block_timestamp": at(1)},
        later | {"oracle_price_quote": 200},
    )

    assert column(found, "worst_deviation_bps") == [0.0, 10_000.0, 10_000.0, 30_000.0]


def test_periods_and_patience_are_settings() -> None:
    """Beside a price of 0 s, prices of 5 and 15 s: in two periods of ten, one of them too late."""
    told: tuple[dict[str, object], ...] = (
        {"feed": "0xref", "oracle_price_quote": 100},
        {"oracle_price_quote": 101, "block_timestamp": at(5)},
        {"oracle_price_quote": 102, "block_timestamp": at(15)},
    )

    assert column(extremes(*told), "comparison_count") == [2]
    assert column(extremes(*told, bucket_seconds=10), "comparison_count") == [1, 1]
    assert column(extremes(*told, tolerance_seconds=14), "comparison_count") == [1]


def test_a_reference_without_a_price_leaves_nothing_to_say() -> None:
    """Beside a price of zero there was a comparison and no deviation."""
    found = extremes({"feed": "0xref", "oracle_price_quote": 0}, {"oracle_price_quote": 1})

    assert column(found, "comparison_count") == [1]
    assert column(found, "worst_deviation_bps") == [None]
    assert column(found, "worst_at") == [None]


def test_a_status_of_a_sequencer_has_no_extremes() -> None:
    """It is told like a price, in DOWN, and moves by all of itself."""
    told = [
        {"asset": "BASE SEQUENCER", "quote": "DOWN", "protocol": name, "oracle_price_quote": status}
        for name, status in (("proxy", 1), ("venue", 0))
    ]

    assert extremes(*told).is_empty()


def test_they_are_those_of_every_comparison() -> None:
    """In the simulated world, hour by hour, exactly."""
    updates = world().ledger.table("oracle_updates")
    every = collected(compute("oracle_deviation", load(oracle_updates=updates)))
    deviation = pl.col("deviation_bps")
    expected = (
        every.with_columns(bucket_at=pl.col("block_timestamp").dt.truncate("1h"))
        .group_by(*PAIR, "bucket_at")
        .agg(
            comparison_count=pl.len().cast(pl.Int64),
            lowest_deviation_bps=deviation.min(),
            highest_deviation_bps=deviation.max(),
            deviation_bps=deviation.abs().max(),
        )
        .sort(*PAIR, "bucket_at")
    )

    found = collected(compute("oracle_deviation_extremes", load(oracle_updates=updates)))

    worst = found.with_columns(deviation_bps=pl.col("worst_deviation_bps").abs())
    assert worst.select(expected.columns).equals(expected)
    assert expected.height > 100


@pytest.mark.parametrize("moved", [0, 1])
def test_the_order_of_rows_does_not_matter(moved: int) -> None:
    """Of two prices in one moment the later one in its block counts, of others the later moment."""
    reference = {"feed": "0xr", "oracle_price_quote": 100, "log_index": 9}
    told = [
        {"oracle_price_quote": price, "block_timestamp": at(60 + moved * index), "log_index": index}
        for index, price in enumerate((110, 120), start=1)
    ]
    asking = reference | {"block_timestamp": at(120)}

    forward = extremes(reference, *told, asking, of="0xr")
    backward = extremes(reference, *reversed(told), asking, of="0xr")

    assert forward.equals(backward)
    assert column(forward, "lowest_deviation_bps") == [pytest.approx((100 / 120 - 1) * 10_000)]


@pytest.mark.parametrize("settings", [{"tolerance_seconds": -1}, {"bucket_seconds": 0}])
def test_settings_out_of_bounds_are_refused(settings: dict[str, int]) -> None:
    """A tolerance below zero and a period without length."""
    with pytest.raises(ValueError, match="must be at least"):
        oracle_deviation_extremes(table("oracle_updates").lazy(), **settings)
