"""Heartbeats of Chainlink's ETH/USD and BTC/USD on Ethereum, from a year of real rounds."""

from pathlib import Path

import polars as pl
import pytest
from handmade import table

from analytics.metrics.feeds import heartbeat_breaches

HOUR = 3600


def rounds(shared: Path, asset: str) -> pl.DataFrame:
    """Return the rounds of a feed as updates, without the empty one its series begins with."""
    told = (
        pl.read_csv(shared / f"data/decoded/chainlink_{asset.lower()}_usd_rounds.csv.gz")
        .filter(pl.col("update") > 0)
        .select(
            block_timestamp=pl.from_epoch("update").cast(pl.Datetime("us")),
            oracle_price_quote=pl.col("answer").cast(pl.Decimal(38, 18)),
        )
    )
    one = table("oracle_updates", {"asset": asset})
    return one.drop(told.columns).join(told, how="cross").select(one.columns)


@pytest.mark.parametrize(
    ("asset", "late"), [("ETH", {0: 1328, 60: 36, 120: 0}), ("BTC", {0: 1423, 60: 48, 120: 0})]
)
def test_an_answer_comes_within_two_minutes_of_its_hour(
    shared: Path, asset: str, late: dict[int, int]
) -> None:
    """One round in eight is a little late, and none by more than two minutes."""
    stated = {"protocol": "venue", "feed": "0xf", "name": asset, "asset": asset, "kind": "price"}
    feeds = table("feeds", stated | {"heartbeat_seconds": HOUR}).lazy()
    spoken = rounds(shared, asset).lazy()

    found = {
        grace: heartbeat_breaches(spoken, feeds, grace_seconds=grace).collect().height
        for grace in late
    }

    assert found == late
