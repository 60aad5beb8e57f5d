"""USDe on 10 October 2025, an exchange against a pool: published figures met from their rows."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from handmade import table

from analytics.metrics.feeds import oracle_wicks
from analytics.metrics.oracles import oracle_deviation, oracle_deviation_area

EVENING = (datetime(2025, 10, 10, 16), datetime(2025, 10, 11, 2))


@pytest.fixture(scope="module")
def candles(shared: Path) -> pl.DataFrame:
    """Return the minutes of USDe/USDT on Binance."""
    minutes = pl.read_parquet(shared / "data/oracles/usde_binance_1m.parquet")
    return minutes.filter(pl.col("ts").is_between(*EVENING))


@pytest.fixture(scope="module")
def pool(shared: Path) -> pl.DataFrame:
    """Return the price of USDe in USDT in a pool of Uniswap v3, block by block."""
    blocks = pl.read_parquet(shared / "data/oracles/usde_uniswap_v3_per_block.parquet")
    price = pl.col("token1Price").str.slice(0, 20).str.to_decimal(scale=18)
    return updates("uniswap", blocks.select(at=pl.from_epoch("timestamp"), price=price))


def updates(feed: str, prices: pl.DataFrame) -> pl.DataFrame:
    """Return prices at moments as updates of a feed."""
    one = table("oracle_updates", {"feed": feed, "asset": "USDE", "quote": "USDT"})
    told = prices.select(
        block_timestamp=pl.col("at").cast(pl.Datetime("us")),
        oracle_price_quote=pl.col("price").cast(pl.Decimal(38, 18)),
    )
    return one.drop(told.columns).join(told, how="cross").select(one.columns)


def at_second(candles: pl.DataFrame, second: int, name: str) -> pl.DataFrame:
    """Return one price of each minute, told at this second of it."""
    exact = pl.col(name).cast(pl.Decimal(38, 6))
    when = pl.col("ts") + pl.duration(seconds=second)
    return updates("binance", candles.select(at=when, price=exact))


def test_the_exchange_was_off_the_pool_by_a_third(
    candles: pl.DataFrame, pool: pl.DataFrame
) -> None:
    """Closes fell 3,347 bps below the pool, lows 3,499."""
    worst = [
        oracle_deviation(pl.concat([at_second(candles, 59, name), pool]).lazy())
        .filter(feed="binance")
        .select(pl.col("deviation_bps").min())
        .collect()
        .item()
        for name in ("close", "low")
    ]

    assert worst == [pytest.approx(-3347.44, abs=0.01), pytest.approx(-3499, abs=1)]


def test_the_exchange_was_off_for_75_minutes(candles: pl.DataFrame, pool: pl.DataFrame) -> None:
    """75 minutes beyond 100 bps, 45 of them beyond 500, all on the same day."""
    both = pl.concat([at_second(candles, 59, "close"), pool]).lazy()

    off = [
        oracle_deviation_area(both, threshold_bps=threshold)
        .filter(feed="binance")
        .select("bucket_at", "off_seconds")
        .collect()
        for threshold in (100, 500)
    ]

    day, next_day = datetime(2025, 10, 10), datetime(2025, 10, 11)
    assert off[0].rows() == [(day, 75 * 60.0), (next_day, 0.0)]
    assert off[1].rows() == [(day, 45 * 60.0), (next_day, 0.0)]


def test_the_last_breach_came_at_a_quarter_to_eleven(
    candles: pl.DataFrame, pool: pl.DataFrame
) -> None:
    """The minute of 22:45 is the last that closed more than 100 bps off."""
    both = pl.concat([at_second(candles, 59, "close"), pool]).lazy()

    beyond = oracle_deviation(both).filter(
        pl.col("deviation_bps").abs() > 100, pl.col("feed") == "binance"
    )

    last = beyond.select(pl.col("block_timestamp").max()).collect().item()
    assert last == datetime(2025, 10, 10, 22, 45, 59)


def test_the_low_was_a_wick(candles: pl.DataFrame) -> None:
    """0.65 in the minute of 21:54, which closed at 0.8304; the lowest close is 0.6651 at 21:43."""
    seconds = {"open": 0, "high": 20, "low": 40, "close": 59}
    told = pl.concat(at_second(candles, second, name) for name, second in seconds.items())

    wicks = oracle_wicks(told.lazy(), bucket_seconds=60).collect()

    lowest = wicks.sort("low_price_quote").row(0, named=True)
    closed = wicks.sort("close_price_quote").row(0, named=True)
    assert lowest["bucket_at"] == datetime(2025, 10, 10, 21, 54)
    assert lowest["low_price_quote"] == Decimal("0.65")
    assert lowest["wick_low_bps"] == pytest.approx(-2172.4, abs=0.1)
    assert closed["bucket_at"] == datetime(2025, 10, 10, 21, 43)
    assert closed["close_price_quote"] == Decimal("0.6651")


def test_the_pool_hardly_moved(pool: pl.DataFrame) -> None:
    """The pool's lowest price is 0.99413, at 23:01."""
    hours = oracle_wicks(pool.lazy(), bucket_seconds=60).collect().sort("low_price_quote")

    assert hours["bucket_at"][0] == datetime(2025, 10, 10, 23, 1)
    assert float(hours["low_price_quote"][0]) == pytest.approx(0.99413, abs=5e-6)
