"""Aave v1, v2 and v3: logs built from the ABIs (synthetic), and every recorded one."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from eth_utils.crypto import keccak
from goldens import Built, frame, log, reasons, rows, scaled, usd
from lending_rig import built, children, expected_rows, read, recorded, recorded_rows
from recordings import address, captured, of_chain, words

from indexer.chains import ARBITRUM, BASE, ETHEREUM, LINEA, MANTLE, MONAD, Chain
from indexer.facts import discovered
from indexer.facts.known import declared
from indexer.facts.routes import topic0s_of
from indexer.protocols import PROTOCOLS
from indexer.spec import chain_of, listed

AAVE_V1 = "0x398ec7346dcd622edc5ae82352f02be94c62d119"
AAVE_V2 = "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9"
AAVE_V3 = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
CONFIGURATOR = "0x64b761d848206f447fe2dd461b0c635ec39ebb27"
COLLECTOR = "0x464c71f6c2f760dda6093dcb91c24c39e5d6e18c"
AAVE_BASE = "0xa238dd80c259a72e81d7e4664a9801593f98d1c5"
BASE_CONFIGURATOR = "0x5731a04b1e775f0fdd454bf70f3335886e9a96be"
AAVE_L2 = "0x794a61358d6845594f94dc1db02a252b5b4814ad"
L2_CONFIGURATOR = "0x8145edddf43f50276641b55bd3ad95944510021e"
BASE_COLLECTOR = "0xba9424d650a4f5c80a0da641254d1acce2a37057"
A_WETH = "0x4d5f47fa6a74757f35c14fd3a6ef8e3c9bc514e8"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
ETHER = "0x" + "ee" * 20
USER, KEEPER, OTHER = "0x" + "aa" * 20, "0x" + "cc" * 20, "0x" + "dd" * 20
NOBODY = "0x" + "00" * 20

# What a node answers when it is asked for the tokens' decimals.
ASKED = {WETH: 18, USDC: 6, WBTC: 8}


def pool_log(name: str, pool: str = AAVE_V3, **arguments: Any) -> Built:
    """Return a log of a v2 or v3 pool."""
    return log("aave/Pool", name, pool, **arguments)


def liquidated(pool: str) -> dict[str, object]:
    """Return the row of a liquidation that took 1.05 ether for 2,000 dollars of debt."""
    return {
        "kind": "liquidation",
        "pool": pool,
        "account": USER,
        "counterparty": KEEPER,
        "asset_token": USDC,
        "principal_tokens": usd("2000"),
        "collateral_token": WETH,
        "collateral_tokens": usd("1.05"),
    }


def taken(pool: str, ether: str) -> dict[str, object]:
    """Return the row of ether that a liquidation pays out."""
    flow = {"kind": "withdrawal", "account": USER, "asset_token": WETH, "asset_tokens": usd(ether)}
    return {"pool": pool, **flow}


def liquidation_call(pool: str, *, is_kept: bool = False) -> Built:
    """Return 2,000 USDC of debt repaid for 1.05 WETH, which may be kept in the pool."""
    return pool_log(
        "LiquidationCall",
        pool,
        collateralAsset=WETH,
        debtAsset=USDC,
        user=USER,
        debtToCover=2_000_000_000,
        liquidatedCollateralAmount=105 * 10**16,
        liquidator=KEEPER,
        receiveAToken=is_kept,
    )


# --- v2 and v3 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pool", "version"), [("Deposit", AAVE_V2, "2"), ("Supply", AAVE_V3, "3")]
)
def test_a_deposit_belongs_to_whom_it_is_made_for(name: str, pool: str, version: str) -> None:
    """The receiver of the aTokens is the account, whoever paid; amounts are in token units."""
    code = "referral" if name == "Deposit" else "referralCode"
    one = pool_log(
        name, pool, reserve=USDC, user=OTHER, onBehalfOf=USER, amount=12_500_000, **{code: 3}
    )

    result = built("aave", ASKED, one)

    assert rows(result, "pool_flows") == [
        {
            "kind": "deposit",
            "pool": pool,
            "account": USER,
            "asset_token": USDC,
            "asset_tokens": usd("12.5"),
        }
    ]
    assert result.tables["pool_flows"]["version"].to_list() == [version]
    assert reasons(result) == []


def test_a_withdrawal_belongs_to_whose_deposit_shrinks() -> None:
    """Who receives the tokens is not who withdraws them."""
    one = pool_log("Withdraw", reserve=WETH, user=USER, to=OTHER, amount=3 * 10**17)

    result = built("aave", ASKED, one)

    assert rows(result, "pool_flows") == [
        {
            "kind": "withdrawal",
            "pool": AAVE_V3,
            "account": USER,
            "asset_token": WETH,
            "asset_tokens": usd("0.3"),
        }
    ]


@pytest.mark.parametrize(
    ("name", "pool", "arguments"),
    [
        (
            "Borrow(address,address,address,uint256,uint256,uint256,uint16)",
            AAVE_V2,
            {"borrowRateMode": 2, "referral": 0},
        ),
        (
            "Borrow(address,address,address,uint256,uint8,uint256,uint16)",
            AAVE_V3,
            {"interestRateMode": 2, "referralCode": 0},
        ),
    ],
)
def test_a_loan_is_the_debt_of_whom_it_is_made_for(
    name: str, pool: str, arguments: dict[str, int]
) -> None:
    """Both shapes of Borrow, which do not share a topic, give one kind of row."""
    one = pool_log(
        name,
        pool,
        reserve=USDC,
        user=OTHER,
        onBehalfOf=USER,
        amount=7_000_001,
        borrowRate=10**25,
        **arguments,
    )

    result = built("aave", ASKED, one)

    assert rows(result, "credit_events") == [
        {
            "kind": "funded",
            "pool": pool,
            "account": USER,
            "asset_token": USDC,
            "principal_tokens": usd("7.000001"),
        }
    ]


@pytest.mark.parametrize(
    ("name", "pool", "arguments"),
    [
        ("Repay(address,address,address,uint256)", AAVE_V2, {}),
        ("Repay(address,address,address,uint256,bool)", AAVE_V3, {"useATokens": True}),
    ],
)
def test_a_repayment_names_debtor_and_payer(
    name: str, pool: str, arguments: dict[str, bool]
) -> None:
    """The debtor is the account, who paid the counterparty, in both shapes."""
    one = pool_log(
        name, pool, reserve=USDC, user=USER, repayer=OTHER, amount=9_000_000, **arguments
    )

    result = built("aave", ASKED, one)

    assert rows(result, "credit_events") == [
        {
            "kind": "payment",
            "pool": pool,
            "account": USER,
            "counterparty": OTHER,
            "asset_token": USDC,
            "principal_tokens": usd("9"),
        }
    ]


@pytest.mark.parametrize(("pool", "version"), [(AAVE_V2, "2"), (AAVE_V3, "3")])
def test_a_liquidation_call_is_debt_repaid_and_collateral_received(pool: str, version: str) -> None:
    """Account, liquidator, both tokens and both amounts come from the event, in token units."""
    result = built("aave", ASKED, liquidation_call(pool))

    assert rows(result, "credit_events") == [liquidated(pool)]
    assert rows(result, "pool_flows") == [taken(pool, "1.05")]
    assert result.tables["credit_events"]["version"].to_list() == [version]
    assert reasons(result) == []


def test_a_liquidator_who_takes_atokens_leaves_the_money_in_the_pool() -> None:
    """The same liquidation, without a withdrawal."""
    result = built("aave", ASKED, liquidation_call(AAVE_V3, is_kept=True))

    assert rows(result, "credit_events") == [liquidated(AAVE_V3)]
    assert rows(result, "pool_flows") == []


@pytest.mark.parametrize(
    ("name", "kind", "arguments", "account"),
    [
        (
            "DeficitCreated",
            "bad_debt",
            {"user": USER, "debtAsset": USDC, "amountCreated": 12_345_678},
            USER,
        ),
        (
            "DeficitCovered",
            "insurance_out",
            {"reserve": USDC, "caller": OTHER, "amountCovered": 12_345_678},
            OTHER,
        ),
    ],
)
def test_a_deficit_is_bad_debt_until_it_is_covered(
    name: str, kind: str, arguments: dict[str, Any], account: str
) -> None:
    """What nobody will repay and what the DAO repays of it are rows of different kinds."""
    result = built("aave", ASKED, pool_log(name, **arguments))

    assert rows(result, "shortfalls") == [
        {
            "kind": kind,
            "market": AAVE_V3,
            "account": account,
            "asset_token": USDC,
            "shortfall_tokens": usd("12.345678"),
        }
    ]


def test_an_index_is_the_share_price_of_its_reserve() -> None:
    """The liquidity index, a ray, is a price; the rates and the index of debt are none."""
    one = pool_log(
        "ReserveDataUpdated",
        reserve=USDC,
        liquidityRate=1,
        stableBorrowRate=2,
        variableBorrowRate=3,
        liquidityIndex=1_046_000_000_000_000_000_123_456_789,
        variableBorrowIndex=5,
    )

    result = built("aave", ASKED, one)

    assert rows(result, "share_prices") == [
        {
            "pool": AAVE_V3,
            "asset_token": USDC,
            "share_price_tokens": usd("1.046000000000000000"),
        }
    ]


def test_what_the_treasury_takes_is_a_fee_without_dollars() -> None:
    """MintedToTreasury is the reserve's own token; no price is assumed, not even par."""
    result = built(
        "aave", ASKED, pool_log("MintedToTreasury", reserve=USDC, amountMinted=2_500_000)
    )

    assert rows(result, "fees") == [
        {
            "market": AAVE_V3,
            "fee_kind": "reserve",
            "fee_token": USDC,
            "fee_tokens": usd("2.5"),
            "split_basis": "event",
        }
    ]


def test_flash_loans_of_v2_and_v3_are_not_read() -> None:
    """Those state premiums that nobody paid, these what the treasury is minted again later."""
    topics = [
        topic
        for one in PROTOCOLS["aave"].events
        if one.abi == "aave/Pool" and one.into == "fees"
        for topic in topic0s_of(one.name, one.abi)
    ]

    assert topics == [keccak(text="MintedToTreasury(address,uint256)")]


# --- the treasury's part of a liquidation ---------------------------------------------------------


def initialized(configurator: str = CONFIGURATOR) -> Built:
    """Return the announcement of aWETH."""
    return log(
        "aave/PoolConfigurator",
        "ReserveInitialized",
        configurator,
        asset=WETH,
        aToken=A_WETH,
        stableDebtToken=NOBODY,
        variableDebtToken=OTHER,
        interestRateStrategyAddress=OTHER,
    )


def replaced(configurator: str) -> Built:
    """Return the announcement that aWETH has other code now."""
    return log(
        "aave/PoolConfigurator",
        "ATokenUpgraded",
        configurator,
        asset=WETH,
        proxy=A_WETH,
        implementation=OTHER,
    )


def moved(to: str, value: int, index: int, user: str = USER) -> Built:
    """Return aWETH that moves: a scaled amount and the index it is scaled by."""
    return log(
        "aave/AToken", "BalanceTransfer", A_WETH, **{"from": user}, to=to, value=value, index=index
    )


A_TOKENS = children("aave", ("aave/AToken", A_WETH, CONFIGURATOR))


def test_a_configurator_announces_a_token_and_what_it_is_worth() -> None:
    """ReserveInitialized makes the aToken readable and says which token its amounts are in."""
    logs = [initialized()]
    result = built("aave", ASKED, *logs)

    assert result.markets.select("market", "index_token", "parent").rows() == [
        (A_WETH, WETH, AAVE_V3)
    ]


def test_the_treasury_is_paid_in_scaled_tokens() -> None:
    """Scaled amount times index, 27 places, is what the account lost to the Collector."""
    fee = moved(COLLECTOR, 10**16, 1_010_000_000_000_000_000_000_000_000)

    result = built("aave", ASKED, initialized(), fee, liquidation_call(AAVE_V3), earlier=A_TOKENS)

    assert rows(result, "fees") == [
        {
            "market": AAVE_V3,
            "account": USER,
            "fee_kind": "liquidation",
            "fee_token": WETH,
            "fee_tokens": usd("0.0101"),
            "split_basis": "event",
        }
    ]
    assert result.tables["fees"]["version"].to_list() == ["3"]
    assert len(rows(result, "credit_events")) == 1


@pytest.mark.parametrize(("collector", "fees"), [(BASE_COLLECTOR, [AAVE_BASE]), (COLLECTOR, [])])
def test_each_pool_pays_the_collector_of_its_own(collector: str, fees: list[str]) -> None:
    """On Base the treasury is another account, and Ethereum's is anybody."""
    known = children("aave", ("aave/AToken", A_WETH, BASE_CONFIGURATOR))
    announced, fee = initialized(BASE_CONFIGURATOR), moved(collector, 10**16, 10**27)
    call = liquidation_call(AAVE_BASE)

    result = built("aave", ASKED, announced, fee, call, chain=BASE, earlier=known)

    assert [row["market"] for row in rows(result, "fees")] == fees
    assert reasons(result) == []


# Where v3.0.2 took the place of the first release, all aTokens of a pool in one transaction.
REPLACED = {
    "arbitrum": 89_267_099,
    "avalanche": 30_040_333,
    "optimism": 97_221_914,
    "polygon": 42_535_602,
}


def test_all_pools_of_v3_name_a_collector() -> None:
    """Of the first release, from where its aTokens were replaced: they logged another unit."""
    pools = [row for row in listed("aave") if row["version"] == "3"]
    starts = {row["chain"]: row["configurator_from"] for row in pools if row["configurator_from"]}

    assert all(row["configurator"] and row["collector"] for row in pools)
    assert starts == {chain: str(block) for chain, block in REPLACED.items()}


@pytest.mark.parametrize(("before", "found"), [(1, []), (0, [A_WETH])])
@pytest.mark.parametrize("chain", REPLACED)
def test_a_token_of_the_first_release_is_read_once_it_is_replaced(
    chain: str, before: int, found: list[str]
) -> None:
    """What is announced before logs transfers unscaled; the new code divides by the index."""
    protocols, where = [PROTOCOLS["aave"]], chain_of(chain)
    announced = initialized(L2_CONFIGURATOR) if before else replaced(L2_CONFIGURATOR)
    logs = frame([announced], block=REPLACED[chain] - before)

    born = discovered(protocols, where, logs, declared(protocols, where))

    assert born["address"].to_list() == found


def test_a_replaced_token_says_what_it_is_worth() -> None:
    """Its reserve began before anything of the configurator is read."""
    collector = "0x053d55f9b5af8694c503eb288a1b7e552f590710"
    known = children("aave", ("aave/AToken", A_WETH, L2_CONFIGURATOR), block=REPLACED["arbitrum"])
    fee = moved(collector, 10**16, 1_010_000_000_000_000_000_000_000_000)
    logs = [replaced(L2_CONFIGURATOR), fee, liquidation_call(AAVE_L2)]

    result = built("aave", ASKED, *logs, block=REPLACED["arbitrum"], chain=ARBITRUM, earlier=known)

    assert rows(result, "fees") == [
        {
            "market": AAVE_L2,
            "account": USER,
            "fee_kind": "liquidation",
            "fee_token": WETH,
            "fee_tokens": usd("0.0101"),
            "split_basis": "event",
        }
    ]
    assert result.markets.select("market", "index_token", "parent").rows() == [
        (A_WETH, WETH, AAVE_L2)
    ]


def test_a_token_that_is_replaced_again_is_one() -> None:
    """Later releases replace the code of tokens that are read already."""
    logs = [initialized(), replaced(CONFIGURATOR)]
    result = built("aave", ASKED, *logs)
    found = discovered(
        [PROTOCOLS["aave"]],
        ETHEREUM,
        frame(logs, block=20_000_000),
        declared([PROTOCOLS["aave"]], ETHEREUM),
    )

    assert result.markets["market"].to_list() == found["address"].to_list() == [A_WETH]


@pytest.mark.parametrize(("chain", "manager"), [("metis", 5_405_900), ("mantle", 90_172_810)])
def test_a_pool_is_read_from_its_acl_manager_on(chain: str, manager: int) -> None:
    """The manager is older than the pool that it guards."""
    starts = [int(row["from_block"]) for row in listed("aave") if row["chain"] == chain]

    assert starts == [manager]


def test_windows_start_with_registries_older_than_their_pools() -> None:
    """The first blocks of aave/protocol-subgraphs."""
    registries = {
        "linea": 12_430_823,
        "zksync": 41_579_797,
        "celo": 30_390_065,
        "sonic": 7_986_569,
        "soneium": 7_004_628,
        "megaeth": 6_657_947,
        "monad": 81_909_735,
    }

    starts = {row["chain"]: int(row["from_block"]) for row in listed("aave")}

    assert {chain: starts[chain] for chain in registries} == registries


@pytest.mark.parametrize("row", [row for row in listed("aave") if row["collector"]])
def test_every_pool_that_is_asked_has_a_fee_of_its_own(row: dict[str, str]) -> None:
    """Pool, configurator and Collector of a line belong together, on its chain."""
    configurator, block = row["configurator"].lower(), 100_000_000
    logs = [
        initialized(configurator),
        moved(row["collector"].lower(), 10**16, 10**27),
        liquidation_call(row["address"].lower()),
    ]
    known = children("aave", ("aave/AToken", A_WETH, configurator), block=block - 10)
    chain = chain_of(row["chain"])

    result = built("aave", ASKED, *logs, block=block, chain=chain, earlier=known)

    assert [one["market"] for one in rows(result, "fees")] == [row["address"].lower()]
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("fee", "call"),
    [
        (moved(OTHER, 10**16, 10**27), liquidation_call(AAVE_V3)),
        (moved(COLLECTOR, 10**16, 10**27, OTHER), liquidation_call(AAVE_V3)),
        (
            moved(COLLECTOR, 10**16, 10**27),
            pool_log("MintedToTreasury", reserve=USDC, amountMinted=0),
        ),
    ],
    ids=["to another", "of another", "without a liquidation"],
)
def test_other_transfers_are_no_fee(fee: Built, call: Built) -> None:
    """Only what goes from a liquidated account to the Collector in the same transaction counts."""
    result = built("aave", ASKED, initialized(), fee, call, earlier=A_TOKENS)

    assert [row for row in rows(result, "fees") if row["fee_kind"] == "liquidation"] == []


# --- v1 -------------------------------------------------------------------------------------------


def first(name: str, **arguments: Any) -> Built:
    """Return a log of the pool of v1."""
    return log(
        "aave/LendingPoolV1", name, AAVE_V1, **{"_user": USER, "_reserve": ETHER} | arguments
    )


def test_flows_of_v1_count_ether_as_a_token() -> None:
    """Deposits and redemptions of ether need no token contract."""
    result = built(
        "aave",
        ASKED,
        first("Deposit", _amount=10**18, _referral=0, _timestamp=1),
        first("RedeemUnderlying", _amount=5 * 10**17, _timestamp=1),
    )

    flows = [
        (row["kind"], row["asset_token"], row["asset_tokens"]) for row in rows(result, "pool_flows")
    ]
    assert flows == [("deposit", ETHER, usd("1")), ("withdrawal", ETHER, usd("0.5"))]
    assert set(result.tables["pool_flows"]["version"]) == {"1"}


def test_an_origination_fee_of_v1_counts_when_it_is_paid() -> None:
    """The loan states the fee and the repayment pays it: one row of fees, not two."""
    borrowed = first(
        "Borrow",
        _reserve=USDC,
        _amount=100_000_000,
        _borrowRateMode=2,
        _borrowRate=1,
        _originationFee=10,
        _borrowBalanceIncrease=0,
        _referral=0,
        _timestamp=1,
    )
    repaid = first(
        "Repay",
        _reserve=USDC,
        _repayer=OTHER,
        _amountMinusFees=60_000_000,
        _fees=10,
        _borrowBalanceIncrease=77,
        _timestamp=1,
    )

    result = built("aave", ASKED, borrowed, repaid)

    assert [(row["kind"], row["principal_tokens"]) for row in rows(result, "credit_events")] == [
        ("funded", usd("100")),
        ("payment", usd("60")),
    ]
    assert rows(result, "credit_events")[1]["counterparty"] == OTHER
    assert rows(result, "fees") == [
        {
            "market": AAVE_V1,
            "account": USER,
            "fee_kind": "origination",
            "fee_token": USDC,
            "fee_tokens": usd("0.00001"),
            "split_basis": "none",
        }
    ]


def test_a_repayment_of_v1_without_a_fee_is_no_fee() -> None:
    """Later repayments of one loan owe none."""
    repaid = first(
        "Repay", _repayer=USER, _amountMinusFees=1, _fees=0, _borrowBalanceIncrease=0, _timestamp=1
    )

    assert rows(built("aave", ASKED, repaid), "fees") == []


@pytest.mark.parametrize(
    ("is_kept", "out"), [(False, ["1.05", "0.0001"]), (True, ["0.0001"])], ids=["paid", "kept"]
)
def test_a_liquidation_of_v1_pays_the_origination_fee_too(*, is_kept: bool, out: list[str]) -> None:
    """Collateral for the fee goes beside that of the liquidator, and is told in the fee's token."""
    of_fee = first(
        "OriginationFeeLiquidated",
        _collateral=WETH,
        _reserve=USDC,
        _feeLiquidated=250_000,
        _liquidatedCollateralForFee=10**14,
        _timestamp=1,
    )
    call = first(
        "LiquidationCall",
        _collateral=WETH,
        _reserve=USDC,
        _purchaseAmount=2_000_000_000,
        _liquidatedCollateralAmount=105 * 10**16,
        _accruedBorrowInterest=77,
        _liquidator=KEEPER,
        _receiveAToken=is_kept,
        _timestamp=1,
    )

    result = built("aave", ASKED, of_fee, call)

    assert rows(result, "credit_events") == [liquidated(AAVE_V1)]
    assert rows(result, "pool_flows") == [taken(AAVE_V1, ether) for ether in out]
    assert rows(result, "fees") == [
        {
            "market": AAVE_V1,
            "account": USER,
            "fee_kind": "origination",
            "fee_token": USDC,
            "fee_tokens": usd("0.25"),
            "split_basis": "none",
        }
    ]


def test_a_flash_loan_of_v1_is_its_whole_fee() -> None:
    """The part that the protocol keeps is inside the total and is not counted beside it."""
    one = log(
        "aave/LendingPoolV1",
        "FlashLoan",
        AAVE_V1,
        _target=OTHER,
        _reserve=USDC,
        _amount=10**8,
        _totalFee=90_000,
        _protocolFee=27_000,
        _timestamp=1,
    )

    (row,) = rows(built("aave", ASKED, one), "fees")

    assert (row["fee_kind"], row["account"], row["fee_tokens"]) == (
        "flash_loan",
        OTHER,
        usd("0.09"),
    )


# --- whose logs -----------------------------------------------------------------------------------


def test_a_token_of_unknown_decimals_costs_the_row_and_is_asked_for() -> None:
    """Amounts are never guessed: the row is rejected and the token is named."""
    result = built("aave", {}, liquidation_call(AAVE_V3, is_kept=True))

    assert result.tables["credit_events"].is_empty()
    assert result.unknown_tokens == tuple(sorted([USDC, WETH]))
    assert [reason.split(" are ")[1] for _, _, reason in reasons(result)] == ["not known"]


def test_a_pool_is_read_on_its_own_chain_only() -> None:
    """The Ethereum pool's address means nothing on Linea, whose own pool is read."""
    linea = "0xc47b8c00b0f69a36fa203ffeac0334874574a8ac"

    elsewhere = built("aave", ASKED, liquidation_call(AAVE_V3), chain=LINEA)
    at_home = built("aave", ASKED, liquidation_call(linea), chain=LINEA)

    assert elsewhere.tables["credit_events"].is_empty()
    assert len(at_home.tables["credit_events"]) == 1


@pytest.mark.parametrize(
    ("chain", "pool"),
    [
        (MANTLE, "0x458f293454fe0d67ec0655f3672301301dd51422"),
        (MONAD, "0x69a5f9ad4f96ebf0a0c792dd42a01cc5c0102fef"),
    ],
)
def test_the_pools_of_young_chains_are_read(chain: Chain, pool: str) -> None:
    """What the address book of the DAO has, for the chains that are read at all."""
    result = built("aave", ASKED, liquidation_call(pool), chain=chain, block=100_000_000)

    assert [one["pool"] for one in rows(result, "credit_events")] == [pool]
    assert reasons(result) == []


# --- recorded -------------------------------------------------------------------------------------


def decimals_of(logs: list[dict[str, Any]], *places: int) -> dict[str, int]:
    """Return decimals of the tokens in these topics: as ASKED says, else 18."""
    tokens = {address(one["topics"][at]) for one in logs for at in places}
    return {token: ASKED.get(token, 18) for token in tokens if token != ETHER}


@pytest.mark.parametrize(
    ("topic0", "kind", "word", "count"),
    [
        ("0xde685721", "deposit", 1, 5),
        ("0x2b627736", "deposit", 1, 26),
        ("0x3115d144", "withdrawal", 0, 24),
    ],
    ids=["Deposit", "Supply", "Withdraw"],
)
def test_every_recorded_flow_becomes_its_row(
    shared: Path, topic0: str, kind: str, word: int, count: int
) -> None:
    """Deposits and withdrawals of every chain, v2 and v3, give what their words say."""
    logs = recorded(shared, "aave", topic0)
    told = decimals_of(logs, 1)

    found = recorded_rows(
        "aave", logs, told, "pool_flows", "kind", "pool", "account", "asset_token", "asset_tokens"
    )

    assert found == expected_rows(
        logs,
        [
            (
                kind,
                one["address"],
                address(one["topics"][2]),
                address(one["topics"][1]),
                scaled(words(one)[word], told[address(one["topics"][1])]),
            )
            for one in logs
        ],
    )
    assert len(logs) == count


@pytest.mark.parametrize(
    ("topic0", "kind", "word", "count"),
    [
        ("0xc6a89830", "funded", 1, 5),
        ("0xb3d08482", "funded", 1, 11),
        ("0x4cdde6e0", "payment", 0, 2),
        ("0xa534c8db", "payment", 0, 7),
    ],
    ids=["Borrow v2", "Borrow v3", "Repay v2", "Repay v3"],
)
def test_every_recorded_loan_becomes_its_row(
    shared: Path, topic0: str, kind: str, word: int, count: int
) -> None:
    """Loans and repayments of every chain, v2 and v3, give what their words say."""
    logs = recorded(shared, "aave", topic0)
    told = decimals_of(logs, 1)

    found = recorded_rows(
        "aave", logs, told, "credit_events", "kind", "account", "counterparty", "principal_tokens"
    )

    assert found == expected_rows(
        logs,
        [
            (
                kind,
                address(one["topics"][2]),
                address(one["topics"][3]) if kind == "payment" else None,
                scaled(words(one)[word], told[address(one["topics"][1])]),
            )
            for one in logs
        ],
    )
    assert len(logs) == count


def test_every_recorded_index_becomes_a_price_that_never_falls(shared: Path) -> None:
    """The fourth word of each update; within a reserve of a pool it only rises."""
    logs = recorded(shared, "aave", "0x804c9b84")

    found = recorded_rows(
        "aave", logs, {}, "share_prices", "pool", "asset_token", "share_price_tokens"
    )

    assert found == expected_rows(
        logs,
        [(one["address"], address(one["topics"][1]), scaled(words(one)[3], 27)) for one in logs],
    )
    assert all(1 <= price < 2 for _, _, price in found.values())


def test_every_recorded_liquidation_call_becomes_its_row(shared: Path) -> None:
    """Both recorded calls, v2 and v3, give the account and amounts their words say."""
    logs = recorded(shared, "aave", "0xe413a321")

    found = recorded_rows(
        "aave",
        logs,
        ASKED,
        "credit_events",
        *("version", "pool", "account", "counterparty", "asset_token", "principal_tokens"),
        *("collateral_token", "collateral_tokens"),
    )

    assert found == expected_rows(
        logs,
        [
            (
                "2" if one["address"] == AAVE_V2 else "3",
                one["address"],
                address(one["topics"][3]),
                address(words(one)[2]),
                address(one["topics"][2]),
                scaled(words(one)[0], ASKED[address(one["topics"][2])]),
                address(one["topics"][1]),
                scaled(words(one)[1], ASKED[address(one["topics"][1])]),
            )
            for one in logs
        ],
    )
    assert len(logs) == 2


def test_the_treasurys_part_of_the_recorded_liquidation(shared: Path) -> None:
    """The aWETH that reached the Collector is what the token's own Transfer says, less dust."""
    (call,) = (one for one in recorded(shared, "aave", "0xe413a321") if one["address"] == AAVE_V3)
    same = call["transactionHash"]
    (fee,) = (one for one in captured(shared, "0x4beccb90") if one["transactionHash"] == same)
    (plain,) = (
        one
        for one in captured(shared, "0xddf252ad")
        if one["transactionHash"] == same and int(one["logIndex"], 16) == 252
    )
    earlier = children("aave", ("aave/AToken", A_WETH, CONFIGURATOR))
    born = pl.lit(16_500_000, pl.Int64)
    announced = built("aave", ASKED, initialized()).markets.with_columns(block_number=born)
    old = earlier.contracts.with_columns(from_block=born)

    result = read(
        "aave",
        of_chain([fee, call], "ethereum"),
        ASKED,
        earlier=type(earlier)(earlier.tokens, announced, old),
    )

    (row,) = rows(result, "fees")
    product = words(fee)[0] * words(fee)[1]
    assert row["fee_tokens"] == scaled(product, 18 + 27)
    assert abs(row["fee_tokens"] - scaled(words(plain)[0], 18)) <= usd("0.000000000000000001")
    assert row["account"] == address(call["topics"][3])


def test_every_recorded_log_of_v1_becomes_its_row(shared: Path) -> None:
    """Seven deposits, two redemptions, two liquidations and one fee of 2020 to 2022."""
    flows = [*recorded(shared, "aave", "0xc12c57b1"), *recorded(shared, "aave", "0x9c4ed599")]
    calls = recorded(shared, "aave", "0x56864757")
    fees = recorded(shared, "aave", "0x36ca8b16")
    told = decimals_of(flows, 1) | decimals_of(calls, 1, 2) | decimals_of(fees, 2)

    moved_rows = recorded_rows("aave", flows, told, "pool_flows", "account", "asset_tokens")
    called = recorded_rows(
        "aave",
        calls,
        told,
        "credit_events",
        *("account", "counterparty", "asset_token", "principal_tokens"),
        *("collateral_token", "collateral_tokens"),
    )
    paid = recorded_rows("aave", fees, told, "fees", "fee_kind", "fee_token", "fee_tokens")

    assert moved_rows == expected_rows(
        flows, [(address(one["topics"][2]), scaled(words(one)[0], 18)) for one in flows]
    )
    assert called == expected_rows(
        calls,
        [
            (
                address(one["topics"][3]),
                address(words(one)[3]),
                address(one["topics"][2]),
                scaled(words(one)[0], 18),
                address(one["topics"][1]),
                scaled(words(one)[1], told[address(one["topics"][1])]),
            )
            for one in calls
        ],
    )
    assert paid == expected_rows(
        fees, [("origination", ETHER, scaled(words(one)[0], 18)) for one in fees]
    )
    assert (len(flows), len(calls), len(fees)) == (9, 2, 1)


def test_an_announced_token_is_discovered() -> None:
    """The address that the configurator announces is read as an aToken from then on."""
    found = discovered(
        [PROTOCOLS["aave"]],
        ETHEREUM,
        frame([initialized()], block=20_000_000),
        declared([PROTOCOLS["aave"]], ETHEREUM),
    )

    assert found.select("abi", "address", "parent").rows() == [
        ("aave/AToken", A_WETH, CONFIGURATOR)
    ]
