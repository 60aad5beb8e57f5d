"""Ethena: logs built from the ABIs (synthetic), and what is read of sUSDe."""

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import Built, log, reasons, rows, usd
from lending_rig import answered, built

from indexer.chains import ETHEREUM
from indexer.facts.asking import narrow_filters
from indexer.protocols import PROTOCOLS

SLUG = "ethena"
USDE = "0x4c9edd5852cd905f086c759e8383e09bff1e68b3"
SUSDE = "0x9d39a5de30e57443bff2a8307a4256c8797a3497"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
FUND = "0x2b5ab59163a6e93b4486f6055d33ca4a115dd4d5"
SILO = "0x7fc7c91d556b400afa565013e3f32055a0713425"
MINTERS = {
    "EthenaMinting": "0x2cc440b721d2cafd6d64908d6d8c4acc57f8afc3",
    "EthenaMintingV2": "0xe3490297a08d6fc8da46edb7b6142e4f461b62d3",
}
USER, OTHER, THIRD = "0x" + "aa" * 20, "0x" + "dd" * 20, "0x" + "ee" * 20
WAD = 10**18


def staked(name: str, **arguments: Any) -> Built:
    """Return a log of sUSDe."""
    return log("ethena/StakedUSDeV2", name, SUSDE, **arguments)


def facts_of(*logs: Built) -> Any:
    """Return the facts of one transaction."""
    return built(SLUG, {WETH: 18}, *logs)


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (
            staked("Deposit", sender=OTHER, owner=USER, assets=11 * WAD, shares=10 * WAD),
            "deposit",
        ),
        (
            staked(
                "Withdraw",
                sender=USER,
                receiver=SILO,
                owner=USER,
                assets=11 * WAD,
                shares=10 * WAD,
            ),
            "withdrawal",
        ),
    ],
)
def test_a_stake_belongs_to_its_owner_not_to_the_silo(one: Built, kind: str) -> None:
    """What waits out its cooldown is sent to the silo; whose it was is the account."""
    result = facts_of(one)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": SUSDE,
            "account": USER,
            "asset_token": USDE,
            "asset_tokens": usd("11"),
            "share_tokens": usd("10"),
        }
    ]


def test_stakes_are_read_from_the_deployment_on() -> None:
    """SUSDe is of block 18,571,359; its window began two months later."""
    one = staked("Deposit", sender=OTHER, owner=USER, assets=WAD, shares=WAD)

    result = built(SLUG, {}, one, block=18_571_360)

    assert len(rows(result, "pool_flows")) == 1


def test_rewards_are_supply_side_of_fees_nobody_knows() -> None:
    """USDe at par, so assumed; the fee itself and the treasury's part stay null."""
    result = facts_of(staked("RewardsReceived", amount=1_000 * WAD))

    assert rows(result, "fees") == [
        {
            "market": SUSDE,
            "fee_kind": "interest",
            "fee_token": USDE,
            "supply_side_usd": usd("1000"),
            "split_basis": "none",
        }
    ]
    assert result.tables["fees"]["evidence"].to_list() == ["assumed"]


def test_the_audited_shape_of_rewards_is_not_read() -> None:
    """Its two arguments have another topic; nothing on the chain carries it."""
    deployed = staked("RewardsReceived", amount=1)

    assert deployed.topics[0] == keccak(text="RewardsReceived(uint256)")
    assert deployed.topics[0].hex().startswith("bb28dd7c")
    assert len(deployed.topics) == 1


@pytest.mark.parametrize("minter", MINTERS)
@pytest.mark.parametrize(("name", "kind"), [("Mint", "mint"), ("Redeem", "redemption")])
def test_a_mint_counts_collateral_and_usde(minter: str, name: str, kind: str) -> None:
    """USDT has six decimals, USDe eighteen; who gets it is the account."""
    caller = "minter" if name == "Mint" else "redeemer"
    order = {"order_id": b"\x01" * 32} if minter.endswith("V2") else {}
    one = order_log(
        minter,
        name,
        **{caller: THIRD},
        **order,
        benefactor=OTHER,
        beneficiary=USER,
        collateral_asset=USDT,
        collateral_amount=1_001_000_000,
        usde_amount=1_000 * WAD,
    )

    result = facts_of(one)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": USDE,
            "account": USER,
            "asset_token": USDT,
            "asset_tokens": usd("1001"),
            "share_tokens": usd("1000"),
        }
    ]
    assert reasons(result) == []


def order_log(which: str, name: str, /, **arguments: Any) -> Built:
    """Return a log of a minter; the order's id, an indexed string, is its hash in a topic."""
    hashed = arguments.pop("order_id", None)
    plain = log(
        f"ethena/{which}",
        name,
        MINTERS[which],
        **arguments,
        **({"order_id": ""} if hashed else {}),
    )
    if hashed is None:
        return plain
    return Built(plain.address, (plain.topics[0], hashed, *plain.topics[2:]), plain.data)


def test_a_log_of_the_audited_layout_is_refused() -> None:
    """The same topic with amounts indexed: a party read as an amount fits no column."""
    topic0 = keccak(text="Mint(address,address,address,address,uint256,uint256)")
    indexed = [encode(["uint256"], [value]) for value in (int(WETH, 16), 10**18, 2_000 * WAD)]
    data = encode(["address"] * 3, [USER, OTHER, THIRD])

    result = facts_of(Built(MINTERS["EthenaMinting"], (topic0, *indexed), data))

    assert rows(result, "pool_flows") == []
    ((event, table, _),) = reasons(result)
    assert (event, table) == ("Mint", "pool_flows")


@pytest.mark.parametrize(
    ("source", "target", "kind", "account"),
    [(OTHER, FUND, "insurance_in", OTHER), (FUND, OTHER, "insurance_out", OTHER)],
)
def test_the_reserve_fund_is_insurance(source: str, target: str, kind: str, account: str) -> None:
    """What enters and leaves it, in the token's decimals, by whom and to whom; why is assumed."""
    one = log("erc20/Token", "Transfer", USDT, **{"from": source}, to=target, value=5_000_000)

    result = facts_of(one)

    assert result.tables["shortfalls"]["evidence"].to_list() == ["assumed"]
    assert rows(result, "shortfalls") == [
        {
            "kind": kind,
            "market": USDE,
            "account": account,
            "asset_token": USDT,
            "shortfall_tokens": usd("5"),
        }
    ]


@pytest.mark.parametrize(("source", "target"), [(OTHER, FUND), (FUND, OTHER)])
def test_who_moves_nothing_of_the_funds_moves_no_insurance(source: str, target: str) -> None:
    """Anybody may, of whose they like: addresses that look alike are made known so."""
    one = log("erc20/Token", "Transfer", USDT, **{"from": source}, to=target, value=0)

    assert rows(facts_of(one), "shortfalls") == []


def test_transfers_of_others_are_neither_read_nor_asked_for() -> None:
    """Tether moves all the time; only the fund's transfers are."""
    one = log("erc20/Token", "Transfer", USDT, **{"from": USER}, to=OTHER, value=1)
    asked = narrow_filters([PROTOCOLS[SLUG]], ETHEREUM)

    fund = bytes.fromhex(FUND[2:]).rjust(32, b"\0")
    assert rows(facts_of(one), "shortfalls") == []
    assert sorted(one.others for one in asked) == [((), (fund,)), ((fund,),)]


def test_a_share_is_worth_assets_over_supply() -> None:
    """The quotient is truncated once, at its eighteenth place."""
    answers = {
        (SUSDE, "totalAssets"): (10 * WAD).to_bytes(32),
        (SUSDE, "totalSupply"): (9 * WAD).to_bytes(32),
    }

    result = answered(SLUG, "share_price", answers, {})

    assert rows(result, "share_prices") == [
        {
            "pool": SUSDE,
            "asset_token": USDE,
            "share_price_tokens": usd("1.111111111111111111"),
            "supply_tokens": usd("9"),
        }
    ]


def test_nobody_knows_what_one_of_no_shares_is_worth() -> None:
    """Before the first deposit there is a reject and no price."""
    answers = {(SUSDE, call): (0).to_bytes(32) for call in ("totalAssets", "totalSupply")}

    result = answered(SLUG, "share_price", answers, {})

    assert rows(result, "share_prices") == []
    assert [why for _, _, why in reasons(result)] == ["share price tokens is not known"]
