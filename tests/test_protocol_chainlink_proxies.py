"""Chainlink's proxies: what is asked of them, and what their answers mean, built from the ABI."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest
from eth_abi.abi import encode
from goldens import NOON, reasons, rows

from indexer.chains import ARBITRUM, BASE, ETHEREUM, Chain
from indexer.facts import Facts, declared, feeds
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of

PROXIES = PROTOCOLS["chainlink_proxies"]
ETH_USD = "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"
SEQUENCER = "0xfdb631f5ee196f0ed6faa767959853a9f217697d"
ROUND = 6 * 2**64 + 3_506
POSTED, CHANGED = 1_689_270_011, 1_689_000_000
DATA = ["uint80", "int256", "uint256", "uint256", "uint80"]


def told(chain: Chain, read: str, emitter: str, answers: Sequence[bytes | None]) -> Facts:
    """Return the facts of one contract's answers to one read."""
    due = pl.DataFrame([(read, 17_686_120, b"\xbb" * 32, NOON)], DUE, orient="row")
    known = declared([PROXIES], chain)
    asked = questions(PROXIES, chain, known, due).filter(
        pl.col("emitter") == bytes.fromhex(emitter[2:])
    )
    states = ["source_error" if answer is None else "available" for answer in answers]
    read_rows = asked.with_columns(
        pl.Series("answer", answers, pl.Binary),
        pl.Series("state", states),
        pl.lit(None, pl.String).alias("detail"),
    ).select(*columns_of("reads"))
    return read_facts([PROXIES], chain, read_rows, known)


def latest(answer: int, started_at: int, updated_at: int) -> bytes:
    """Return what latestRoundData returns."""
    return encode(DATA, [ROUND, answer, started_at, updated_at, ROUND])


def test_a_proxy_answers_with_its_own_decimals() -> None:
    """The price is scaled by what decimals() says in the same block; the round is the proxy's."""
    result = told(
        ETHEREUM,
        "price",
        ETH_USD,
        [latest(198_808_020_095, CHANGED, POSTED), encode(["uint8"], [8])],
    )

    assert rows(result, "oracle_updates") == [
        {
            "feed": ETH_USD,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": Decimal("1988.08020095"),
            "observed_at": datetime(2023, 7, 13, 17, 40, 11),
            "round_id": str(ROUND),
            "provider": "chainlink",
        }
    ]
    assert result.tables["oracle_updates"]["evidence"].to_list() == ["state"]
    assert reasons(result) == []


def test_an_answer_may_be_below_zero() -> None:
    """Rates are signed."""
    result = told(ETHEREUM, "price", ETH_USD, [latest(-5, CHANGED, POSTED), encode(["uint8"], [8])])

    assert rows(result, "oracle_updates")[0]["oracle_price_quote"] == Decimal("-0.00000005")


def test_a_round_that_is_not_complete_is_no_price() -> None:
    """A round without a time was never answered."""
    result = told(ETHEREUM, "price", ETH_USD, [latest(0, 0, 0), encode(["uint8"], [8])])

    assert rows(result, "oracle_updates") == []
    assert reasons(result) == []


def test_a_price_without_decimals_is_none() -> None:
    """Where one of two calls reverts there is no row."""
    result = told(ETHEREUM, "price", ETH_USD, [latest(1, CHANGED, POSTED), None])

    assert rows(result, "oracle_updates") == []


@pytest.mark.parametrize("status", [0, 1])
def test_a_sequencer_is_observed_when_its_status_changed(status: int) -> None:
    """0 is up and 1 is down; the time is of the last change, not of the last look."""
    result = told(ARBITRUM, "uptime", SEQUENCER, [latest(status, CHANGED, POSTED)])

    (row,) = rows(result, "oracle_updates")
    assert (row["asset"], row["quote"]) == ("ARBITRUM SEQUENCER", "DOWN")
    assert row["oracle_price_quote"] == Decimal(status)
    assert row["observed_at"] == datetime(2023, 7, 10, 14, 40)


def test_sequencers_are_asked_hourly_and_prices_daily() -> None:
    """One uptime feed per layer 2, eight in all; every other proxy is asked for a price."""
    kinds = [contract.abi.rpartition("/")[2] for contract in PROXIES.contracts]

    assert (kinds.count("UptimeFeed"), kinds.count("Proxy")) == (8, 1_841)
    assert [(read.name, read.every.count) for read in PROXIES.reads] == [
        ("price", 86_400),
        ("uptime", 3_600),
    ]


def test_a_name_is_a_feed_of_its_chain() -> None:
    """ETH/USD of Base is found by name with its heartbeat; its variants say what they are."""
    named = feeds([PROXIES], BASE).filter(asset="ETH", quote="USD").sort("name")

    assert named.select("name", "feed", "heartbeat_seconds").row(0) == (
        "ETH/USD",
        "0x71041dddad3595f9ced3dccfbe3d1f4b0a16bb70",
        1_200,
    )
    assert "ETH/USD AAVE SVR" in named["name"]
