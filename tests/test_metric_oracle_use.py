"""Venues and their oracles: ages at exits, exits off the market, marks, checked in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import (
    liquidations_off_oracle,
    mark_oracle_basis,
    oracle_age_at_exits,
)
from handmade import at, column, table

OWN = {"feed": "0xown", "asset": "BTC"}
LINK = {"protocol": "chainlink", "feed": "0xagg", "asset": "BTC"}
INDEX = {"index_token": "0xown"}
MARKET = {"market": "BTC", "asset_class": "crypto", "known_by": "event", "symbol": "btc"}


def price(source: Mapping[str, object], seconds: float, quote: object) -> dict[str, object]:
    """Return an update this long after 21:00."""
    return dict(source) | {"block_timestamp": at(seconds), "oracle_price_quote": quote}


def prices(*rows: Mapping[str, object]) -> pl.LazyFrame:
    """Return these updates."""
    return table("oracle_updates", *rows).lazy()


def market(**said: object) -> pl.LazyFrame:
    """Return the market of BTC."""
    return table("markets", MARKET | said).lazy()


def liquidated(*seconds: float, **said: object) -> pl.LazyFrame:
    """Return liquidations at these moments."""
    return table("liquidations", *({"block_timestamp": at(each)} | said for each in seconds)).lazy()


def ages(
    *rows: Mapping[str, object], exits: pl.LazyFrame, where: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """Return the age of the venue's price at liquidations, with one ADL at second 90."""
    cut = table("adls", {"block_timestamp": at(90)}).lazy()
    markets = market() if where is None else where
    return oracle_age_at_exits(exits, cut, markets, prices(*rows)).collect()


def off(
    *rows: Mapping[str, object],
    exits: pl.LazyFrame,
    where: pl.LazyFrame | None = None,
    **settings: int,
) -> pl.DataFrame:
    """Return liquidations off another source."""
    markets = market() if where is None else where
    return liquidations_off_oracle(exits, markets, prices(*rows), **settings).collect()


def basis(
    *rows: Mapping[str, object], trades: list[tuple[float, object]], **settings: int
) -> pl.DataFrame:
    """Return the basis of executions at these moments and prices."""
    changes = table(
        "position_changes",
        *({"block_timestamp": at(when), "execution_price_usd": usd} for when, usd in trades),
    ).lazy()
    nothing = table("liquidations").lazy()
    return mark_oracle_basis(changes, nothing, market(), prices(*rows), **settings).collect()


def test_the_price_of_an_exit_is_the_latest_one_by_then() -> None:
    """Prices at 0 and 60: a liquidation at 59 met the first, an ADL at 90 the second."""
    result = ages(price(OWN, 0, 1), price(OWN, 60, 2), price(OWN, 91, 3), exits=liquidated(59))

    assert column(result, "cause") == ["liquidation", "adl"]
    assert column(result, "oracle_price_quote") == ["1", "2"]
    assert column(result, "age_seconds") == [59.0, 30.0]


def test_the_price_of_an_exit_is_its_own_venues() -> None:
    """Not that of another chain or protocol whose feed has the same name."""
    elsewhere = (price(OWN, 40, 7) | {"chain_id": 7}, price(OWN, 50, 8) | {"protocol": "other"})

    result = ages(price(OWN, 0, 1), *elsewhere, exits=liquidated(59))

    assert column(result, "oracle_price_quote") == ["1", "1"]


def test_age_at_an_exit_counts_from_when_the_price_was_seen() -> None:
    """Posted at 60 but seen at 50, a price is 40 s old at 90."""
    seen = price(OWN, 60, 2) | {"observed_at": at(50)}

    result = ages(seen, exits=liquidated())

    assert column(result, "seen_at") == [at(50)]
    assert column(result, "age_seconds") == [40.0]


def test_of_one_second_the_last_price_is_the_one_an_exit_met() -> None:
    """Two are posted at 60, in this order: at 90 the second counts, seen at 55."""
    first, last = (
        price(OWN, 60, quote) | {"observed_at": at(seen)} for quote, seen in ((3, 50), (2, 55))
    )

    result = ages(last | {"log_index": 7}, first | {"log_index": 6}, exits=liquidated())

    assert column(result, "oracle_price_quote") == ["2"]
    assert column(result, "age_seconds") == [35.0]


def test_the_feed_of_the_index_token_is_the_one_a_market_used() -> None:
    """The venue prices a wrapped token too, of the same asset, and later."""
    wrapped = price(OWN | {"feed": "0xwrapped"}, 80, 5)

    both = ages(price(OWN, 0, 1), wrapped, exits=liquidated())
    one = ages(price(OWN, 0, 1), wrapped, exits=liquidated(), where=market(**INDEX))

    assert column(both, "feed") == ["0xown", "0xwrapped"]
    assert column(one, "feed") == ["0xown"]


def test_until_the_index_token_is_priced_another_feed_is_the_one_a_market_uses() -> None:
    """What is told later changes no exit of before: at 59 s the other feed, at 60 s its own."""
    told = (price(OWN | {"feed": "0xwrapped"}, 0, 5), price(OWN, 60, 1), price(LINK, 0, 4))
    named, exits = market(**INDEX), liquidated(59, 60)

    aged, found = (made(*told, exits=exits, where=named) for made in (ages, off))

    assert column(aged, "feed") == ["0xwrapped", "0xown", "0xown"]
    assert column(found, "feed") == ["0xwrapped", "0xown"]


def test_the_index_token_of_one_market_hides_no_feed_of_another() -> None:
    """Ether's market names no token: what its venue says of ether is its price all the same."""
    ether = {"feed": "0xe", "asset": "ETH"}
    where = table("markets", MARKET | INDEX, MARKET | {"market": "ETH", "symbol": "eth"}).lazy()

    result = ages(
        price(OWN, 0, 1), price(ether, 0, 2), exits=liquidated(59, market="ETH"), where=where
    )

    assert sorted(result.select("market", "feed").rows()) == [("BTC", "0xown"), ("ETH", "0xe")]


def test_the_feed_of_its_own_number_is_the_one_a_market_used() -> None:
    """The venue has a second price of the asset, which it checks the first one with."""
    numbered = price(OWN | {"feed": "BTC"}, 0, 1)

    result = ages(numbered, price(OWN, 80, 5), exits=liquidated())

    assert column(result, "feed") == ["BTC"]


def test_before_the_first_price_nothing_is_known() -> None:
    """No price, no age: not an age of zero."""
    assert ages(price(OWN, 91, 1), exits=liquidated(5)).is_empty()


def test_a_liquidation_is_off_when_the_venue_disagrees_with_another() -> None:
    """103 against 100 is 300 bps at 60; at 120 both say 100."""
    result = off(
        price(LINK, 0, 100),
        price(OWN, 30, 103),
        price(OWN, 100, 100),
        exits=liquidated(60, 120, notional_usd=25),
    )

    assert column(result, "block_timestamp") == [at(60)]
    assert column(result, "notional_usd") == ["25"]
    assert column(result, "deviation_bps") == [300.0]


@pytest.mark.parametrize(("threshold_bps", "rows"), [(299, 1), (300, 0)])
@pytest.mark.parametrize("own", [103, 97])
def test_off_is_beyond_the_threshold(own: int, threshold_bps: int, rows: int) -> None:
    """Either way; exactly at the threshold is not off."""
    spoken = (price(LINK, 0, 100), price(OWN, 0, own))

    assert off(*spoken, exits=liquidated(1), threshold_bps=threshold_bps).height == rows


@pytest.mark.parametrize(("tolerance_seconds", "rows"), [(60, 1), (59, 0)])
@pytest.mark.parametrize(("linked", "owned"), [(0, 50), (50, 0)])
def test_prices_that_are_too_old_prove_nothing(
    linked: int, owned: int, tolerance_seconds: int, rows: int
) -> None:
    """Either price may be as old as the tolerance."""
    spoken = (price(LINK, linked, 100), price(OWN, owned, 103))

    assert off(*spoken, exits=liquidated(60), tolerance_seconds=tolerance_seconds).height == rows


def test_another_feed_of_the_venue_is_no_reference() -> None:
    """A venue cannot be off itself."""
    wrapped = OWN | {"feed": "0xwrapped"}

    assert off(price(OWN, 0, 103), price(wrapped, 0, 100), exits=liquidated(1)).is_empty()


def test_what_comes_after_a_liquidation_does_not_count() -> None:
    """The venue's price moves one second later."""
    spoken = (price(LINK, 0, 100), price(OWN, 0, 100), price(OWN, 61, 200))

    assert off(*spoken, exits=liquidated(60)).is_empty()


def test_the_basis_is_taken_from_the_oracle_as_of_then() -> None:
    """Trades at 99, 101, 102 and 110 while the oracle says 100: low, lower middle and high."""
    result = basis(
        price(LINK, 0, 100),
        price(LINK, 50, 1000),
        trades=[(10, 101), (20, 99), (30, 110), (40, 102)],
    )

    assert column(result, "price_kind") == ["execution"]
    assert column(result, "price_count") == [4]
    assert column(result, "low_basis_bps") == [-100.0]
    assert column(result, "mid_basis_bps") == [100.0]
    assert column(result, "high_basis_bps") == [1000.0]


def test_a_basis_is_of_a_period() -> None:
    """Trades at 10 and at 20 s are of two periods of 20 s."""
    trades: list[tuple[float, object]] = [(10, 101), (20, 102)]

    result = basis(price(LINK, 0, 100), trades=trades, bucket_seconds=20)

    assert column(result, "bucket_at") == [at(0), at(20)]
    assert column(result, "mid_basis_bps") == [100.0, 200.0]


def test_marks_are_kept_apart_from_executions() -> None:
    """A liquidation tells a mark; its execution is told by the change of the position."""
    marks = liquidated(10, mark_price_usd=99)

    result = mark_oracle_basis(
        table("position_changes", {"block_timestamp": at(10), "execution_price_usd": 98}).lazy(),
        marks,
        market(),
        prices(price(OWN, 0, 100)),
    ).collect()

    assert column(result, "price_kind") == ["execution", "mark"]
    assert column(result, "mid_basis_bps") == [-200.0, -100.0]


def test_a_basis_needs_a_fresh_price_in_dollars() -> None:
    """An old price, one in another quote, one of zero and an unknown execution give no basis."""
    for second, rows in ((60, 1), (61, 0)):
        found = basis(price(LINK, 0, 100), trades=[(second, 100)], tolerance_seconds=60)
        assert found.height == rows
    assert basis(price(LINK | {"quote": "EUR"}, 0, 100), trades=[(1, 100)]).is_empty()
    assert basis(price(LINK, 0, 0), trades=[(1, 100)]).is_empty()
    assert basis(price(LINK, 0, 100), trades=[(1, None)]).is_empty()


def test_settings_have_bounds() -> None:
    """Thresholds and tolerances below zero, and periods of no length, are refused."""
    with pytest.raises(ValueError, match="threshold_bps must be at least 0"):
        off(exits=liquidated(), threshold_bps=-1)
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0"):
        off(exits=liquidated(), tolerance_seconds=-1)
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0"):
        basis(trades=[], tolerance_seconds=-1)
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1"):
        basis(trades=[], bucket_seconds=0)
