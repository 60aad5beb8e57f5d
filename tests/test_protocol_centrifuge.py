"""Centrifuge: three generations of pools, prices and flows, built from the ABIs (synthetic)."""

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import CELO, ETHEREUM, PLUME, Chain
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of, empty

CENTRIFUGE = PROTOCOLS["centrifuge"]
MANAGER, VAULT = "centrifuge/PoolManager", "centrifuge/Vault"
SPOKE, SHEET = "centrifuge/Spoke", "centrifuge/BalanceSheet"
CLASSES, HOLDINGS = "centrifuge/ShareClassManager", "centrifuge/Holdings"
MANAGER_V2 = "0x91808b5e2f6d7483d41a681034d7c9dbb64b9e29"
SPOKE_30, SPOKE_31 = (
    "0xd30da1d7f964e5f6c2d9fe2aaa97517f6b23fa2b",
    "0xec3582fcdc34078a4b7a8c75a5a3ae46f48525ab",
)
SHEET_30, SHEET_31 = (
    "0xbcc8d02d409e439d98453c0b1ffa398dffb31fda",
    "0x12a110ce5f0fc871cc72bc7ecaf35cf39dd0f43e",
)
CLASSES_30, CLASSES_31 = (
    "0xe88e712d60bfd23048dbc677feb44e2145f2cdf4",
    "0xaffc269c8fe18ee9c7ddb22301ac2c2507d69bef",
)
HOLDINGS_30, HOLDINGS_31 = (
    "0x0261fa29b3f2784af17874428b58d971b6652c47",
    "0x3f0c8d8d2637881c3f6d8531f51a47c2094c918d",
)
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
CLASS = bytes.fromhex("000100000000000a0000000000000001")
CLASS_ID = "0x" + CLASS.hex()
SHARE, FUND, INVESTOR, OTHER = ("0x" + digits * 20 for digits in ("5a", "b1", "c1", "c2"))
KEY = {"poolId": 10, "scId": CLASS}
OLD_KEY = {"poolId": 10, "trancheId": CLASS}
MOMENT = {"computedAt": 1_735_682_400}
NAV_AT = datetime(2024, 12, 31, 22, 0)
BLOCK = 900_000_000


def tokens() -> pl.DataFrame:
    """Return the two tokens whose decimals were asked for: shares of 18, assets of six."""
    known = [(1, SHARE, "SHR", 18, "call"), (1, USDC, "USDC", 6, "call")]
    return pl.DataFrame(known, columns_of("tokens"), orient="row")


def read(*logs: Built, chain: Chain = ETHEREUM) -> Facts:
    """Return the facts of one transaction, the children it announces known."""
    table = frame(logs, block=BLOCK)
    first = declared([CENTRIFUGE], chain)
    born = discovered([CENTRIFUGE], chain, table, first)
    headers = table.select(number="block_number").unique()
    return facts(
        [CENTRIFUGE],
        chain,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(first, Known(tokens(), empty("markets"), born)),
    )


def added(spoke: str = SPOKE_30, token: str = SHARE) -> Built:
    """Return the spoke's word that a share class has this token."""
    return log(SPOKE, "AddShareClass", spoke, **KEY, token=token)


def tranche() -> Built:
    """Return the deployment of a tranche's token."""
    return log(MANAGER, "DeployTranche", MANAGER_V2, **OLD_KEY, tranche=SHARE)


def vault() -> Built:
    """Return the deployment of a vault of the tranche, for USDC."""
    return log(MANAGER, "DeployVault", MANAGER_V2, **OLD_KEY, asset=USDC, vault=FUND)


# --- v2 -------------------------------------------------------------------------------------------


def test_a_vault_is_found_with_its_asset_and_its_share() -> None:
    """The tranche's token is known before the vault is, and becomes its parent."""
    result = read(tranche(), vault())

    found = discovered(
        [CENTRIFUGE],
        ETHEREUM,
        frame([tranche(), vault()], block=BLOCK),
        declared([CENTRIFUGE], ETHEREUM),
    )
    assert found.select("abi", "address", "parent").rows() == [(VAULT, FUND, MANAGER_V2)]
    assert result.markets.select("market", "index_token", "parent", "asset_class").rows() == [
        (CLASS_ID, SHARE, "10", "credit"),
        (FUND, USDC, SHARE, "credit"),
    ]


def test_a_price_of_v2_is_assets_per_share() -> None:
    """The asset is named: a tranche may have vaults in several."""
    price = log(
        MANAGER,
        "PriceUpdate",
        MANAGER_V2,
        **OLD_KEY,
        asset=USDC,
        price=1_050_000_000_000_000_001,
        **MOMENT,
    )

    assert rows(read(tranche(), price), "share_prices") == [
        {
            "pool": SHARE,
            "asset_token": USDC,
            "share_price_tokens": usd("1.050000000000000001"),
            "nav_at": NAV_AT,
        }
    ]


def claimed(name: str, emitter: str = FUND, **people: str) -> Built:
    """Return a claim of 105 USDC against 100 shares."""
    return log(VAULT, name, emitter, **people, assets=105_000_000, shares=100 * 10**18)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        (claimed("Deposit", sender=OTHER, owner=INVESTOR), "deposit"),
        (claimed("Withdraw", sender=OTHER, receiver=OTHER, owner=INVESTOR), "withdrawal"),
    ],
)
def test_a_claim_at_a_vault_is_a_flow_of_its_owner(claim: Built, kind: str) -> None:
    """Assets and shares have their own decimals; the pool is the share's token."""
    result = read(tranche(), vault(), claim)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": SHARE,
            "account": INVESTOR,
            "asset_token": USDC,
            "asset_tokens": usd("105"),
            "share_tokens": usd("100"),
        }
    ]
    assert set(result.tables["pool_flows"]["version"]) == {"2"}
    assert reasons(result) == []


def test_the_topic_of_every_vault_is_read_of_announced_ones_only() -> None:
    """Maple, Ethena and Sky log Deposit alike: what no pool manager announced is not ours."""
    stranger = claimed("Deposit", OTHER, sender=INVESTOR, owner=INVESTOR)

    result = read(tranche(), vault(), stranger)

    assert result.tables["pool_flows"].is_empty()
    assert reasons(result) == []


# --- v3: prices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "spoke", "version"),
    [
        ("UpdateSharePrice(uint64,bytes16,uint256,uint64)", SPOKE_30, "3.0"),
        ("UpdateSharePrice(uint64,bytes16,uint128,uint64)", SPOKE_31, "3.1"),
    ],
)
def test_a_price_of_a_spoke_is_of_the_shares_token(name: str, spoke: str, version: str) -> None:
    """The price's type changed and with it the topic; the price did not."""
    price = log(SPOKE, name, spoke, **KEY, price=1_050_000_000_000_000_000, **MOMENT)

    result = read(added(spoke), price)

    assert rows(result, "share_prices") == [
        {"pool": SHARE, "share_price_tokens": usd("1.05"), "nav_at": NAV_AT}
    ]
    assert set(result.tables["share_prices"]["version"]) == {version}
    assert reasons(result) == []


def test_a_price_of_a_class_without_a_token_is_kept_back() -> None:
    """Nothing is invented: the reject says what is missing."""
    name = "UpdateSharePrice(uint64,bytes16,uint256,uint64)"
    price = log(SPOKE, name, SPOKE_30, **KEY, price=1, **MOMENT)

    assert reasons(read(price)) == [(name, "share_prices", "pool is not known")]


def test_a_token_in_two_generations_is_one_pool() -> None:
    """While a pool moves, both spokes price it: the address is the same, the versions are not."""
    before = log(
        SPOKE,
        "UpdateSharePrice(uint64,bytes16,uint256,uint64)",
        SPOKE_30,
        **KEY,
        price=10**18,
        **MOMENT,
    )
    after = log(
        SPOKE,
        "UpdateSharePrice(uint64,bytes16,uint128,uint64)",
        SPOKE_31,
        **KEY,
        price=10**18,
        **MOMENT,
    )

    result = read(added(SPOKE_30), added(SPOKE_31), before, after)

    assert result.markets["asset_class"].to_list() == ["credit"]
    assert result.tables["share_prices"].select("pool", "version").rows() == [
        (SHARE, "3.0"),
        (SHARE, "3.1"),
    ]


@pytest.mark.parametrize(
    ("name", "emitter", "values", "moment"),
    [
        ("UpdateShareClass", CLASSES_30, {"navPoolPerShare": 2 * 10**18}, {}),
        (
            "UpdatePricePoolPerShare",
            CLASSES_31,
            {"price": 2 * 10**18, **MOMENT},
            {"nav_at": NAV_AT},
        ),
    ],
)
def test_a_price_of_the_hub_is_of_the_share_class(
    name: str, emitter: str, values: dict[str, Any], moment: dict[str, Any]
) -> None:
    """Hub and spoke may differ while a message travels: they are two series, never one."""
    result = read(added(), log(CLASSES, name, emitter, **KEY, **values))

    assert rows(result, "share_prices") == [
        {"pool": CLASS_ID, "share_price_tokens": usd("2"), **moment}
    ]


# --- v3: flows and holdings -----------------------------------------------------------------------

AMOUNTS = {"pricePoolPerShare": 10**18, "shares": 3 * 10**18}


@pytest.mark.parametrize(
    ("name", "sheet", "people", "kind"),
    [
        (
            "Issue(uint64,bytes16,address,uint128,uint128)",
            SHEET_30,
            {"to": INVESTOR},
            "mint",
        ),
        (
            "Issue(uint64,bytes16,address,address,uint128,uint128)",
            SHEET_31,
            {"sender": OTHER, "to": INVESTOR},
            "mint",
        ),
        (
            "Revoke(uint64,bytes16,address,uint128,uint128)",
            SHEET_30,
            {"from": INVESTOR},
            "redemption",
        ),
        (
            "Revoke(uint64,bytes16,address,address,uint128,uint128)",
            SHEET_31,
            {"sender": OTHER, "from": INVESTOR},
            "redemption",
        ),
    ],
)
def test_the_balance_sheet_makes_and_destroys_shares(
    name: str, sheet: str, people: dict[str, str], kind: str
) -> None:
    """The sender that v3.1 added is not the account, and the price is no amount."""
    result = read(added(), log(SHEET, name, sheet, **KEY, **people, **AMOUNTS))

    assert rows(result, "pool_flows") == [
        {"kind": kind, "pool": SHARE, "account": INVESTOR, "share_tokens": usd("3")}
    ]
    assert reasons(result) == []


def test_shares_that_change_chains_are_no_flow() -> None:
    """Neither end of a transfer between chains buys or redeems anything."""
    signature = "ExecuteTransferShares(uint64,bytes16,address,uint128)"
    topics = (
        keccak(text=signature),
        (10).to_bytes(32),
        CLASS.ljust(32, b"\0"),
        bytes.fromhex(INVESTOR[2:]).rjust(32, b"\0"),
    )

    result = read(added(), Built(SPOKE_30, topics, encode(["uint128"], [10**18])))

    assert result.tables["pool_flows"].is_empty()
    assert reasons(result) == []


@pytest.mark.parametrize("holdings", [HOLDINGS_30, HOLDINGS_31])
def test_only_a_holding_valued_down_is_an_impairment(holdings: str) -> None:
    """A rise in value is nothing to report; the amount of a fall is in units nobody tells."""
    changes = [
        log(HOLDINGS, "Update", holdings, **KEY, assetId=840, isPositive=rises, diffValue=10**18)
        for rises in (True, False)
    ]

    result = read(*changes)

    assert rows(result, "credit_events") == [
        {"kind": "impairment", "pool": CLASS_ID, "loan": "840"}
    ]
    assert result.tables["credit_events"].select("log_index", "evidence").rows() == [(1, "derived")]


# --- chains ---------------------------------------------------------------------------------------


def test_every_generation_is_read_on_its_own_chains() -> None:
    """Celo knows v2 only, Plume v3 only; v3.1 is on ten chains."""
    generations = {
        chain.slug: {one.version for one in CENTRIFUGE.contracts if one.chain == chain}
        for chain in {one.chain for one in CENTRIFUGE.contracts}
    }

    assert generations["ethereum"] == {"2", "3.0", "3.1"}
    assert generations[CELO.slug] == {"2"}
    assert generations[PLUME.slug] == {"3.0", "3.1"}
    assert sum("3.0" in versions for versions in generations.values()) == 6
    assert sum("3.1" in versions for versions in generations.values()) == 10


def test_a_share_class_is_read_on_another_chain_from_its_own_spoke() -> None:
    """Spokes have one address everywhere; what they announce is of their chain."""
    assert read(added(SPOKE_31), chain=PLUME).markets.select("chain_id", "index_token").rows() == [
        (98866, SHARE)
    ]
    assert read(added(SPOKE_31), chain=CELO).markets.is_empty()


def test_the_manager_on_celo_is_not_where_that_of_base_is() -> None:
    """Celo has its gateway there; its manager was deployed by hand, elsewhere."""
    manager = "0xa3ce97352c1469884eef3547ec9362329fe78cf0"
    deployed = log(MANAGER, "DeployTranche", manager, **OLD_KEY, tranche=SHARE)

    assert read(deployed, chain=CELO).markets.select("chain_id", "index_token").rows() == [
        (42220, SHARE)
    ]
