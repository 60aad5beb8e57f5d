"""Spiko: shares made and burned, and published prices, built from the ABIs (synthetic)."""

from datetime import datetime

import pytest
from goldens import Built, built_facts, log, reasons, rows, usd

from indexer.chains import ARBITRUM, BASE, ETHEREUM, POLYGON, Chain

NOBODY, HOLDER, OTHER = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "a2" * 20
EUTBL = "0xa0769f7a8fc65e47de93797b4e21c073c117fc80"
USTBL = "0xe4880249745eac5f1ed9d8f7df844792d560e750"
USTBL_ARBITRUM = "0x021289588cd81dc1ac87ea91e91607eef68303f5"


def moved(source: str, target: str, value: int, fund: str = USTBL) -> Built:
    """Return a Transfer."""
    return log("erc20/Token", "Transfer", fund, **{"from": source, "to": target, "value": value})


@pytest.mark.parametrize(
    ("transfer", "kind"),
    [(moved(NOBODY, HOLDER, 12_345), "mint"), (moved(HOLDER, NOBODY, 12_345), "redemption")],
)
def test_shares_have_five_decimals(transfer: Built, kind: str) -> None:
    """A share is a hundred thousand of the smallest."""
    result = built_facts("spiko", ETHEREUM, [transfer])

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": USTBL,
            "account": HOLDER,
            "asset_token": "USD",
            "share_tokens": usd("0.12345"),
        }
    ]
    assert reasons(result) == []


def test_a_transfer_between_holders_is_no_flow() -> None:
    """Shares sent to be redeemed are not redeemed yet."""
    result = built_facts("spiko", ETHEREUM, [moved(HOLDER, OTHER, 1), moved(NOBODY, NOBODY, 0)])

    assert result.tables["pool_flows"].is_empty()


def published(oracle: str) -> Built:
    """Return a price of 1.05 as of the end of 2024."""
    return log(
        "spiko/Oracle",
        "Update",
        oracle,
        timepoint=1_735_682_400,
        price=1_050_000,
        round=3,
    )


@pytest.mark.parametrize(
    ("chain", "oracle", "fund", "currency"),
    [
        (ETHEREUM, "0x29503f31b73f0734455942eb888e13aca1588a4e", EUTBL, {"asset_token": "EUR"}),
        (ETHEREUM, "0x021289588cd81dc1ac87ea91e91607eef68303f5", USTBL, {"asset_token": "USD"}),
        (POLYGON, "0x021289588cd81dc1ac87ea91e91607eef68303f5", USTBL, {"asset_token": "USD"}),
        (
            ARBITRUM,
            "0xa260d72df8ff2696f3a8d0be46b7bc4d743be764",
            USTBL_ARBITRUM,
            {"asset_token": "USD"},
        ),
        (
            BASE,
            "0x27bb2b34998f127d03f44d90f148248a3932f492",
            "0xa260d72df8ff2696f3a8d0be46b7bc4d743be764",
            {"asset_token": "EUR"},
        ),
        (
            ETHEREUM,
            "0x903d5990119bc799423e9c25c56518ba7dd19474",
            "0xf695df6c0f3bb45918a7a82e83348fc59517734e",
            {"asset_token": "GBP"},
        ),
        (
            ARBITRUM,
            "0xd1f12049cc311dfb177f168046ed8e2bd341a7af",
            "0x97e7962bcd091e7ecfb583fc96289b1e1553ac6e",
            {"asset_token": "CHF"},
        ),
    ],
)
def test_a_published_price_is_of_the_oracles_fund(
    chain: Chain, oracle: str, fund: str, currency: dict[str, str]
) -> None:
    """As of the moment it names, in the fund's own currency, of six decimals."""
    result = built_facts("spiko", chain, [published(oracle)])

    assert rows(result, "share_prices") == [
        {
            "pool": fund,
            **currency,
            "share_price_tokens": usd("1.05"),
            "nav_at": datetime(2024, 12, 31, 22, 0),
        }
    ]


def test_a_fund_without_an_oracle_is_made_and_redeemed() -> None:
    """SAFO has its shares on Base, in dollars, and its price elsewhere."""
    safo = "0x0bb754d8940e283d9ff6855ab5dafbc14165c059"

    (mint,) = rows(built_facts("spiko", BASE, [moved(NOBODY, HOLDER, 12_345, safo)]), "pool_flows")

    assert (mint["pool"], mint["asset_token"]) == (safo, "USD")
    assert mint["share_tokens"] == usd("0.12345")


def test_one_address_is_a_token_here_and_an_oracle_there() -> None:
    """What USTBL's address logs on Arbitrum is the price of another fund."""
    here = built_facts("spiko", ETHEREUM, [published(USTBL)])
    there = built_facts("spiko", ARBITRUM, [published(USTBL), moved(NOBODY, HOLDER, 1, USTBL)])

    assert here.tables["share_prices"].is_empty()
    assert [row["pool"] for row in rows(there, "share_prices")] == [
        "0xcbeb19549054cc0a6257a77736fc78c367216ce7"
    ]
    assert there.tables["pool_flows"].is_empty()
