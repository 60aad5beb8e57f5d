"""Securitize: shares issued and burned, and the supply, all built from the ABIs (synthetic)."""

import pytest
from asked import answered
from goldens import built_facts, log, reasons, rows, usd

from indexer.chains import ARBITRUM, AVALANCHE, BSC, ETHEREUM, OPTIMISM, POLYGON, Chain

ABI = "securitize/DSToken"
BUIDL = "0x7712c34205737192402172409a8f7ccef8aa2aec"
BUIDL_I = "0x6a9da2d710bb9b700acde7cb81f10f1ff8c89041"
POLYGON_BUIDL = "0x2893ef551b6dd69f661ac00f11d93e5dc5dc0e99"
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
    """One dollar is what the terms say, and the row says that nobody measured it."""
    result = answered("securitize", ETHEREUM, "supply", {("totalSupply", BUIDL): 3 * 10**15})

    assert rows(result, "share_prices") == [
        {
            "pool": BUIDL,
            "asset_token": "USD",
            "share_price_tokens": usd("1"),
            "supply_tokens": usd("3000000000"),
        }
    ]
    assert set(result.tables["share_prices"]["evidence"]) == {"assumed"}
