"""Securitize: shares issued and burned, and the supply, all built from the ABIs (synthetic)."""

import pytest
from asked import answered
from goldens import built_facts, log, reasons, rows, usd

from indexer.chains import (
    ARBITRUM,
    AVALANCHE,
    BSC,
    ETHEREUM,
    INK,
    MANTLE,
    OPTIMISM,
    PLUME,
    POLYGON,
    SEI,
    ZKSYNC,
    Chain,
)

ABI = "securitize/DSToken"
BUIDL = "0x7712c34205737192402172409a8f7ccef8aa2aec"
BUIDL_I = "0x6a9da2d710bb9b700acde7cb81f10f1ff8c89041"
POLYGON_BUIDL = "0x2893ef551b6dd69f661ac00f11d93e5dc5dc0e99"
ACRED = "0x17418038ecf73ba4026c4f428547bf099706f27b"
ACRED_FEED = "0xd6bcbbc87bfb6c8964ddc73dc3eae6d08865d51c"
BCAP = "0x57fd71a86522dc06d6255537521886057c1772a3"
BCAP_FEED = "0x0ef2418216476ab5264821070b8c24b6b458f796"
HOLDER = "0x" + "a1" * 20


def test_shares_issued_are_a_mint_without_money() -> None:
    """A dividend is issued like a subscription: shares are told, what was paid is not known."""
    issued = log(ABI, "Issue", BUIDL, to=HOLDER, value=1_234_567_890, valueLocked=5)

    result = built_facts("securitize", ETHEREUM, [issued])

    assert rows(result, "pool_flows") == [
        {
            "kind": "mint",
            "pool": BUIDL,
            "account": HOLDER,
            "asset_token": "USD",
            "share_tokens": usd("1234.56789"),
        }
    ]
    assert reasons(result) == []


def test_shares_burned_are_redeemed_by_their_holder() -> None:
    """The reason is text beside the amount and no part of it."""
    burned = log(ABI, "Burn", BUIDL_I, burner=HOLDER, value=2_000_000, reason="redemption")

    assert rows(built_facts("securitize", ETHEREUM, [burned]), "pool_flows") == [
        {
            "kind": "redemption",
            "pool": BUIDL_I,
            "account": HOLDER,
            "asset_token": "USD",
            "share_tokens": usd("2"),
        }
    ]


@pytest.mark.parametrize(
    ("chain", "fund"),
    [
        (POLYGON, POLYGON_BUIDL),
        (AVALANCHE, "0x53fc82f14f009009b440a706e31c9021e1196a2f"),
        (OPTIMISM, "0xa1cdab15bba75a80df4089cafba013e376957cf5"),
        (ARBITRUM, "0xa6525ae43edcd03dc08e775774dcabd3bb925872"),
        (BSC, "0x2d5bdc96d9c8aabbdb38c9a27398513e7e5ef84f"),
        (ETHEREUM, "0x2255718832bc9fd3be1caf75084f4803da14ff01"),
        (AVALANCHE, "0x7f4546ef315efc65336187fe3765ea779ac90183"),
        (BSC, "0x14d72634328c4d03bba184a48081df65f1911279"),
        (ETHEREUM, ACRED),
        (ETHEREUM, "0x51c2d74017390cbbd30550179a16a1c28f7210fc"),
        (ETHEREUM, "0xda2ffa104356688e74d9340519b8c17f00d7752e"),
        (POLYGON, "0xfce60bbc52a5705cec5b445501fbaf3274dc43d0"),
        (POLYGON, "0x4c5ca366e26409845624e29b62c388a06961a792"),
        (AVALANCHE, "0x7c64925002bfa705834b118a923e9911bee32875"),
        (INK, "0x53ad50d3b6fcacb8965d3a49cb722917c7dae1f3"),
        (SEI, "0xf7fa6725183e603059fc23d95735bf67f72b2d78"),
        (OPTIMISM, "0x720f86f4b5b5d5d0ea3e5718ec43071d4d05134b"),
        (PLUME, "0x175c2abf6ddb7401c4aaa669cabdc55e7a5e172a"),
        (MANTLE, "0x671642ac281c760e34251d51bc9eef27026f3b7a"),
    ],
)
def test_every_chain_has_its_own_tokens(chain: Chain, fund: str) -> None:
    """A chain reads its own tokens and no other chain's."""
    elsewhere = POLYGON_BUIDL if chain == ETHEREUM else BUIDL
    logs = [
        log(ABI, "Issue", address, to=HOLDER, value=10**6, valueLocked=0)
        for address in (fund, elsewhere)
    ]

    flows = rows(built_facts("securitize", chain, logs), "pool_flows")

    assert [(row["pool"], row["share_tokens"]) for row in flows] == [(fund, usd("1"))]


def test_the_supply_is_read_and_the_price_assumed() -> None:
    """One dollar is what the terms say, and nobody measured it; of ACRED they do not say it."""
    supplies = {("totalSupply", token): 3 * 10**15 for token in (BUIDL, ACRED)}

    result = answered("securitize", ETHEREUM, "supply", supplies)

    assert rows(result, "share_prices") == [
        {
            "pool": BUIDL,
            "asset_token": "USD",
            "share_price_tokens": usd("1"),
            "supply_tokens": usd("3000000000"),
        }
    ]
    assert set(result.tables["share_prices"]["evidence"]) == {"assumed"}
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("chain", "fund", "feed", "supply"),
    [(ETHEREUM, ACRED, ACRED_FEED, "50000"), (ZKSYNC, BCAP, BCAP_FEED, "500000000")],
)
def test_a_feed_says_what_a_share_of_another_fund_is_worth(
    chain: Chain, fund: str, feed: str, supply: str
) -> None:
    """In dollars, eight places; shares have six, BCAP's two."""
    answers = {
        ("latestAnswer", feed): 110_188_000_000,
        ("decimals", feed): 8,
        ("totalSupply", fund): 50_000_000_000,
    }

    result = answered("securitize", chain, "price", answers)

    assert rows(result, "share_prices") == [
        {
            "pool": fund,
            "asset_token": "USD",
            "share_price_tokens": usd("1101.88"),
            "supply_tokens": usd(supply),
        }
    ]
    assert set(result.tables["share_prices"]["evidence"]) == {"state"}


def test_a_feed_that_refuses_leaves_the_day_without_a_price() -> None:
    """It does so when its value is old; the supply alone is no row."""
    answers = {("decimals", ACRED_FEED): 8, ("totalSupply", ACRED): 50_000_000_000}

    assert rows(answered("securitize", ETHEREUM, "price", answers), "share_prices") == []


def test_shares_of_bcap_have_two_places() -> None:
    """A share of it is a hundred of its token's smallest units."""
    issued = log(ABI, "Issue", BCAP, to=HOLDER, value=12_345, valueLocked=0)

    (row,) = rows(built_facts("securitize", ZKSYNC, [issued]), "pool_flows")

    assert (row["pool"], row["share_tokens"]) == (BCAP, usd("123.45"))
