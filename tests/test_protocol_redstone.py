"""RedStone: values of many feeds by one adapter, built from the ABI (synthetic)."""

from datetime import datetime
from decimal import Decimal

import pytest
from goldens import Built, built_facts, log, reasons, rows

from indexer.chains import BASE, ETHEREUM, INK
from indexer.facts import feeds
from indexer.protocols import PROTOCOLS

ON_ETHEREUM = "0xd72a6BA4a87DDB33e801b3f1c7750b2d0911fC6C"
# The merged adapter of SPKCC's net asset value on Ethereum.
OF_SPKCC = "0x9e37DBF40fE5Fe9320E45fe6B95b000aa05459A9"
WRITTEN = 1_700_000_000


def value(feed: str, units: int, emitter: str = ON_ETHEREUM) -> Built:
    """Return a value of a feed."""
    return log(
        "redstone/MultiFeedAdapter",
        "ValueUpdate",
        emitter,
        value=units,
        dataFeedId=feed.encode().ljust(32, b"\0"),
        updatedAt=WRITTEN,
    )


@pytest.mark.parametrize(
    ("feed", "asset", "quote", "units", "price"),
    [
        ("ETH", "ETH", "USD", 250_012_345_678, "2500.12345678"),
        ("wstETH", "WSTETH", "USD", 1, "0.00000001"),
        ("wstETH/stETH", "WSTETH", "STETH", 120_000_000, "1.2"),
        ("SolvBTC/BTC", "SOLVBTC", "BTC", 99_900_000, "0.999"),
        ("ACRED_FUNDAMENTAL", "ACRED NAV", "NAV", 110_188_000_000, "1101.88"),
        ("syzUSD_FUNDAMENTAL/USD", "SYZUSD", "USD", 102_000_000, "1.02"),
    ],
)
def test_an_id_says_the_pair(feed: str, asset: str, quote: str, units: int, price: str) -> None:
    """A token alone is in dollars, a pair in its second half, a fund in NAV; all in 8 decimals."""
    result = built_facts("redstone", ETHEREUM, [value(feed, units)])

    assert rows(result, "oracle_updates") == [
        {
            "feed": feed,
            "asset": asset,
            "quote": quote,
            "oracle_price_quote": Decimal(price),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "provider": "redstone",
        }
    ]
    assert reasons(result) == []


def test_other_ids_are_passed_over() -> None:
    """A fundamental value is in no stated unit, and an unknown id is nobody's feed: no reject."""
    logs = [value("LBTC_FUNDAMENTAL", 1), value("NOBODY", 1), value("ETH ", 1)]

    result = built_facts("redstone", ETHEREUM, logs)

    assert rows(result, "oracle_updates") == []
    assert reasons(result) == []


def test_an_adapter_is_read_on_its_own_chain() -> None:
    """The adapter of Ethereum says nothing on Base."""
    assert rows(built_facts("redstone", BASE, [value("ETH", 1)]), "oracle_updates") == []


@pytest.mark.parametrize(
    ("feed", "name", "kind", "due"),
    [
        ("SolvBTC/BTC", "SOLVBTC/BTC", "price", (21_600, 50)),
        ("wstETH/stETH", "WSTETH/STETH EXCHANGE RATE", "exchange_rate", (21_600, 50)),
        ("BUIDL_I_ETHEREUM_FUNDAMENTAL", "BUIDL-I NAV", "nav", (86_400, 1)),
    ],
)
def test_a_feed_keeps_its_spelling_and_its_heartbeat(
    feed: str, name: str, kind: str, due: tuple[int, int]
) -> None:
    """The id is as the adapter has it, so that facts and feeds meet; what it tells is its kind."""
    named = feeds([PROTOCOLS["redstone"]], ETHEREUM).filter(feed=feed)

    assert named.select("name", "kind", "heartbeat_seconds", "threshold_bps", "basis").rows() == [
        (name, kind, *due, "documentation")
    ]


def test_chains_have_adapters_of_their_own() -> None:
    """Ink's adapter tells the price of USDe there, and Ethereum's does not."""
    on_ink = "0xFB1267A29C0aa19daae4a483ea895862A69e4AA5"
    logs = [value("USDe", 99_990_000, on_ink), value("USDe", 99_980_000)]

    (row,) = rows(built_facts("redstone", INK, logs), "oracle_updates")

    assert (row["asset"], row["oracle_price_quote"]) == ("USDE", Decimal("0.9999"))


def test_a_merged_adapter_says_one_value_and_is_the_feed_of_it() -> None:
    """SPKCC's net asset value has 8 decimals, and is no token's price."""
    answer = log(
        "redstone/MergedAdapter",
        "AnswerUpdated",
        OF_SPKCC,
        current=103_456_789,
        roundId=412,
        updatedAt=WRITTEN,
    )

    result = built_facts("redstone", ETHEREUM, [answer])

    assert rows(result, "oracle_updates") == [
        {
            "feed": OF_SPKCC.lower(),
            "asset": "SPKCC NAV",
            "quote": "NAV",
            "oracle_price_quote": Decimal("1.03456789"),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "round_id": "412",
            "provider": "redstone",
        }
    ]
    assert reasons(result) == []
    named = feeds([PROTOCOLS["redstone"]], ETHEREUM).filter(feed=OF_SPKCC.lower())
    assert named.select("name", "kind", "heartbeat_seconds", "threshold_bps").rows() == [
        ("SPKCC_NAV", "nav", 43_200, None)
    ]
