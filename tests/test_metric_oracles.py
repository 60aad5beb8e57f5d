"""Oracles against each other, on prices that can be compared in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from handmade import at, column, table

from analytics.metrics.oracles import oracle_deviation

BTC = {"asset": "BTC"}
OWN = BTC | {"feed": "0xown"}
OTHER = BTC | {"feed": "0xother"}


def price(source: dict[str, str], seconds: float, quote: object) -> dict[str, object]:
    """Return an update of a source this long after 21:00."""
    return source | {"block_timestamp": at(seconds), "oracle_price_quote": quote}


def compared(*updates: Mapping[str, object], tolerance_seconds: int = 3600) -> pl.DataFrame:
    """Return how far these updates are from each other."""
    frame = table("oracle_updates", *updates).lazy()
    return oracle_deviation(frame, tolerance_seconds=tolerance_seconds).collect()


def test_an_update_is_compared_with_the_latest_price_of_the_other() -> None:
    """99 against 100 is -100 bps; what the other says later does not count yet."""
    result = compared(price(OTHER, 0, 100), price(OWN, 7, 99), price(OTHER, 8, 50))

    own = result.filter(feed="0xown")
    assert column(own, "deviation_bps") == [-100.0]
    assert column(own, "staleness_seconds") == [7]
    assert column(own, "reference_price_quote") == ["100"]


def test_both_directions_are_given() -> None:
    """Each source is compared when it speaks."""
    result = compared(price(OTHER, 0, 100), price(OWN, 1, 102), price(OTHER, 2, 51))

    assert column(result, "feed") == ["0xother", "0xown"]
    assert column(result, "deviation_bps") == [-5000.0, 200.0]


def test_the_same_second_counts_as_known() -> None:
    """Two sources that speak in one second are compared with each other, at no age."""
    result = compared(price(OTHER, 0, 100), price(OWN, 0, 101))

    assert column(result, "deviation_bps") == [-99.00990099009901, 100.0]
    assert column(result, "staleness_seconds") == [0, 0]


def test_of_one_second_the_last_price_is_the_reference() -> None:
    """Two updates of the other source in one second: the later log counts."""
    result = compared(price(OTHER, 0, 80), price(OTHER, 0, 100), price(OWN, 1, 110))

    assert column(result.filter(feed="0xown"), "deviation_bps") == [1000.0]


@pytest.mark.parametrize(("seconds", "rows"), [(60, 1), (61, 0), (60.000001, 0)])
def test_the_tolerance_is_inclusive(seconds: float, rows: int) -> None:
    """A reference exactly as old as the tolerance is compared, an older one is not."""
    result = compared(price(OTHER, 0, 100), price(OWN, seconds, 100), tolerance_seconds=60)

    assert result.height == rows


def test_an_old_reference_is_not_replaced_by_an_older_one() -> None:
    """Only the latest price of a source can be the reference."""
    result = compared(
        price(OTHER, 0, 1), price(OTHER, 10, 100), price(OWN, 20, 100), tolerance_seconds=15
    )

    assert column(result, "reference_price_quote") == ["100"]


def test_other_quotes_and_unknown_assets_are_not_compared() -> None:
    """BTC in USDT is no reference for BTC in USD, nor is a price of nobody knows what."""
    result = compared(
        price(OWN, 1, 100),
        price(OTHER | {"quote": "USDT"}, 0, 100),
        price({"feed": "0xunknown"}, 0, 100),
        price({"feed": "0xunknown2"}, 0, 100),
    )

    assert result.is_empty()


def test_a_source_is_chain_protocol_and_feed() -> None:
    """The same feed address on two chains is two sources, in two versions it is one."""
    result = compared(
        price(OWN, 0, 100),
        price(OWN, 1, 100) | {"chain_id": 2},
        price(OWN | {"version": "v2"}, 2, 100),
    )

    assert column(result, "chain_id") == [1, 2]
    assert column(result, "reference_chain_id") == [2, 1]


@pytest.mark.parametrize("reference", [0, -5])
def test_without_a_positive_reference_there_is_no_deviation(reference: int) -> None:
    """A reference of zero or below gives null, not infinity."""
    result = compared(price(OTHER, 0, reference), price(OWN, 1, 100))

    assert column(result, "deviation_bps") == [None]


def test_a_negative_tolerance_is_refused() -> None:
    """Nothing can be younger than now."""
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0, got -1"):
        compared(tolerance_seconds=-1)
