"""gToken vaults of gTrade: flows, prices, burns and refills, built from the ABI (synthetic)."""

from typing import Any

import pytest
from goldens import Built, facts_of, frame, log, rows, usd

from indexer.chains import APECHAIN, ARBITRUM, Chain
from indexer.facts import Facts

ABI = "gains/GToken"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
GNS = "0x18c11fd286c5ec11c3b683caa813b77f5163a122"
GNS_ON_APECHAIN = "0xe31c676d8235437597581b44c1c4f8a30e90b38a"
OF_USDC = "0xd3443ee1e91af28e5fb858fbd0d72a63ba8046e0"
OF_WETH = "0x5977a9682d7af81d347cfc338c61692163a2784c"
OF_APE = "0xdd9c98e5022af88b9c991ab24f02b4a8be81d860"
OWNER, SENDER = "0x" + "aa" * 20, "0x" + "bb" * 20


def vault(name: str, address: str = OF_USDC, **arguments: Any) -> Built:
    """Return a log of a vault."""
    people = {"sender": SENDER, "owner": OWNER, "receiver": SENDER}
    return log(ABI, name, address, **people | arguments)


def read(*logs: Built, chain: Chain = ARBITRUM) -> Facts:
    """Return the facts of one transaction."""
    return facts_of("gains", chain, frame(logs, block=400_000_000))


@pytest.mark.parametrize(("event", "kind"), [("Deposit", "deposit"), ("Withdraw", "withdrawal")])
def test_a_flow_is_the_owners_in_assets_and_shares(event: str, kind: str) -> None:
    """Both have the six places of USDC."""
    result = read(vault(event, assets=1_250_000, shares=1_000_000))

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": OF_USDC,
            "account": OWNER,
            "asset_token": USDC,
            "asset_tokens": usd("1.25"),
            "share_tokens": usd("1"),
        }
    ]
    assert result.tables["pool_flows"]["version"].to_list() == ["6-10"]


def test_a_share_price_has_eighteen_places_whatever_the_asset() -> None:
    """One share of the USDC vault is worth 1.25 USDC."""
    result = read(vault("ShareToAssetsPriceUpdated", newValue=125 * 10**16))

    assert rows(result, "share_prices") == [
        {"pool": OF_USDC, "asset_token": USDC, "share_price_tokens": usd("1.25")}
    ]


BURNT = {
    "bought_token": GNS,
    "bought_tokens": usd("400"),
    "burned_tokens": usd("400"),
    "destination_kind": "zero_burn",
}


def test_gns_is_burnt_for_a_vaults_excess() -> None:
    """1,000 USDC left the vault for 400 GNS that are burnt; dollars at par, by assumption."""
    result = read(vault("Depleted", assets=1_000 * 10**6, amountGns=400 * 10**18))

    spent = {"spent_token": USDC, "spent_tokens": usd("1000"), "spent_usd": usd("1000")}
    assert rows(result, "buybacks") == [BURNT | spent]
    assert result.tables["buybacks"]["evidence"].to_list() == ["assumed"]


def test_an_excess_of_ether_has_no_dollars() -> None:
    """What ether is worth the vault does not say."""
    result = read(vault("Depleted", OF_WETH, assets=10**18, amountGns=400 * 10**18))

    assert rows(result, "buybacks") == [
        BURNT | {"spent_token": WETH, "spent_tokens": usd("1")},
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == ["event"]


def test_what_is_burnt_is_the_gns_of_the_chain() -> None:
    """On ApeChain it has another address."""
    result = read(vault("Depleted", OF_APE, assets=1, amountGns=1), chain=APECHAIN)

    (row,) = rows(result, "buybacks")
    assert row["bought_token"] == GNS_ON_APECHAIN


@pytest.mark.parametrize(
    ("address", "asset", "assets", "tokens", "dollars"),
    [
        (OF_USDC, USDC, 1_000 * 10**6, "1000", {"shortfall_usd": usd("1000")}),
        (OF_WETH, WETH, 10**18, "1", {}),
    ],
)
def test_a_refilled_vault_was_short(
    address: str, asset: str, assets: int, tokens: str, dollars: dict[str, Any]
) -> None:
    """Assets came in for GNS that were minted: insurance, in dollars where the asset is one."""
    result = read(vault("Refilled", address, assets=assets, amountGns=400 * 10**18))

    assert rows(result, "shortfalls") == [
        {
            "kind": "insurance_in",
            "account": SENDER,
            "asset_token": asset,
            "shortfall_tokens": usd(tokens),
        }
        | dollars
    ]
