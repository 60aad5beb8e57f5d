"""Pyth: updates of known feed ids and the prices it holds, built from the ABI (synthetic)."""

from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest
from eth_abi.abi import encode
from goldens import NOON, Built, built_facts, log, reasons, rows

from indexer.chains import (
    ABSTRACT,
    APECHAIN,
    BASE,
    BLAST,
    ETHEREUM,
    FANTOM,
    INK,
    MEGAETH,
    SEI,
    Chain,
)
from indexer.facts import Facts, declared, feeds, log_filter, narrow_filters
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.spec import listed
from indexer.tables import columns_of

PYTH = PROTOCOLS["pyth"]
ON_BASE = "0x8250f4aF4B972684F7b336503E2D6dFeDeB1487a"
IDS = {row["asset"]: row["id"] for row in listed("pyth_feeds") if row["kind"] != "exchange_rate"}
PUBLISHED = 1_700_000_000


def update(feed: str, price: int, emitter: str = ON_BASE) -> Built:
    """Return an update of a feed."""
    return log(
        "pyth/Pyth",
        "PriceFeedUpdate",
        emitter,
        id=bytes.fromhex(feed[2:]),
        publishTime=PUBLISHED,
        price=price,
        conf=12_345,
    )


@pytest.mark.parametrize(
    ("asset", "price", "dollars"),
    [
        ("BTC", 6_395_282_153_102, "63952.82153102"),
        ("ETH", 195_656_091_864, "1956.56091864"),
        ("SOL", 7_313_007_563, "73.13007563"),
        ("NEAR", 183_487_211, "1.83487211"),
        ("NEAR", -1, "-0.00000001"),
    ],
)
def test_an_update_is_scaled_by_its_feeds_exponent(asset: str, price: int, dollars: str) -> None:
    """The id says the pair and eight decimals; the price is signed."""
    result = built_facts("pyth", BASE, [update(IDS[asset], price)])

    assert rows(result, "oracle_updates") == [
        {
            "feed": IDS[asset],
            "asset": asset,
            "quote": "USD",
            "oracle_price_quote": Decimal(dollars),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "provider": "pyth",
        }
    ]
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("chain", "emitter"),
    [
        (APECHAIN, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
        (INK, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
        (MEGAETH, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
        (SEI, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
        (ABSTRACT, "0x8739d5024B5143278E2b15Bd9e7C26f6CEc658F1"),
        (BLAST, "0xA2aa501b19aff244D90cc15a4Cf739D2725B5729"),
        (FANTOM, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    ],
)
def test_it_is_read_on_the_chains_of_the_venues(chain: Chain, emitter: str) -> None:
    """Gains, Nado, GMX, Vertex and MUX are there."""
    result = built_facts("pyth", chain, [update(IDS["BTC"], 1, emitter)])

    assert len(rows(result, "oracle_updates")) == 1


def test_ids_of_unknown_exponent_are_not_read() -> None:
    """An update of another id, or of another contract, gives neither row nor reject."""
    logs = [update(IDS["DOGE"], 1), update(IDS["BTC"], 1, "0x" + "12" * 20)]

    result = built_facts("pyth", BASE, logs)

    assert rows(result, "oracle_updates") == []
    assert reasons(result) == []


def test_a_node_is_asked_for_the_known_ids_alone() -> None:
    """One contract holds every feed: its other logs are not fetched, whatever else it is asked."""
    known = declared([PYTH], BASE)

    assert log_filter([PYTH], BASE, known).addresses == ()
    (narrow,) = narrow_filters([PYTH], BASE)
    assert narrow.addresses == (bytes.fromhex(ON_BASE[2:]),)
    assert narrow.others == (
        tuple(sorted(bytes.fromhex(IDS[asset][2:]) for asset in ("BTC", "ETH", "SOL", "NEAR"))),
    )


def test_state_alone_is_no_reason_to_ask_for_logs() -> None:
    """Beside a protocol with events, contracts that are only asked for state are not named."""
    both = [PROTOCOLS["chainlink"], PROTOCOLS["chainlink_proxies"]]

    asked = log_filter(both, ETHEREUM, declared(both, ETHEREUM))
    alone = log_filter(both[:1], ETHEREUM, declared(both[:1], ETHEREUM))

    assert asked == alone
    only_state = log_filter(both[1:], ETHEREUM, declared(both[1:], ETHEREUM))
    assert len(only_state.addresses) == 345


def held(price: int, expo: int, published: int) -> bytes:
    """Return what getPriceUnsafe returns."""
    return encode(["(int64,uint64,int32,uint256)"], [(price, 9, expo, published)])


@pytest.mark.parametrize(
    ("price", "expo", "dollars"),
    [(8_123_456_789, -8, "81.23456789"), (12_345, -10, "0.0000012345"), (250, 0, "250")],
)
def test_a_price_that_is_held_comes_with_its_exponent(price: int, expo: int, dollars: str) -> None:
    """What the contract answers is scaled by the exponent of the same answer."""
    (row,) = rows(read(held(price, expo, PUBLISHED)), "oracle_updates")

    assert (row["feed"], row["asset"]) == (IDS["AAVE"], "AAVE")
    assert row["oracle_price_quote"] == Decimal(dollars)
    assert row["observed_at"] == datetime(2023, 11, 14, 22, 13, 20)


def test_what_a_contract_pays_is_named_apart_from_what_is_traded() -> None:
    """SUSDE is traded in dollars and redeemed in USDE; a net asset value is of no token."""
    named = feeds([PYTH], BASE).filter(pl.col("asset").is_in(["SUSDE", "USDTB NAV"]))

    assert sorted(named.select("name", "quote", "kind").rows()) == [
        ("SUSDE/USD", "USD", "price"),
        ("SUSDE/USDE EXCHANGE RATE", "USDE", "exchange_rate"),
        ("USDTB NAV", "NAV", "nav"),
    ]


def test_a_feed_that_was_never_pulled_has_no_price() -> None:
    """A price without a time is none."""
    assert rows(read(held(0, 0, 0)), "oracle_updates") == []


def read(answer: bytes) -> Facts:
    """Return the facts of what Pyth on Base holds of AAVE/USD."""
    due = pl.DataFrame([("price", 900, b"\xbb" * 32, NOON)], DUE, orient="row")
    known = declared([PYTH], BASE)
    asked = questions(PYTH, BASE, known, due)
    mine = asked.filter(pl.col("input").bin.ends_with(bytes.fromhex(IDS["AAVE"][2:])))
    told = mine.with_columns(
        answer=pl.lit(answer, pl.Binary), state=pl.lit("available"), detail=pl.lit(None, pl.String)
    )
    assert (len(asked), len(told)) == (49, 1)
    return read_facts([PYTH], BASE, told.select(*columns_of("reads")), known)
