"""SparkLend: logs built from the ABI (synthetic), and every recorded one."""

from pathlib import Path
from typing import Any

import pytest
from goldens import Built, frame, log, reasons, rows, scaled, usd
from lending_rig import built, children, expected_rows, recorded, recorded_rows
from recordings import address, words

from indexer.chains import ETHEREUM
from indexer.facts import declared, discovered
from indexer.protocols import PROTOCOLS

POOL = "0xc13e21b648a5ee794902342038ff3adab66be987"
AAVE = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
USER, OTHER = "0x" + "aa" * 20, "0x" + "dd" * 20
ASKED = {WETH: 18, DAI: 18, USDC: 6}
CONFIGURATOR = "0x542dba469bde58faee189ffb60c6b49ce60e0738"
SP_WETH = "0x59cd1c87501baa753d0b5b5ab5d8416a45cd71db"
TREASURY = "0xb137e7d16564c81ae2b0c8ee6b55de81dd46ece5"
DAI_TREASURY = "0x856900aa78e856a5df1a2665ee3a66b2487cd68f"
SP_TOKENS = children("spark", ("spark/SpToken", SP_WETH, CONFIGURATOR))

FLOW: dict[str, Any] = {"reserve": USDC, "amount": 1_500_000}
CALL: dict[str, Any] = {
    "collateralAsset": WETH,
    "debtAsset": USDC,
    "user": USER,
    "debtToCover": 2_000_000,
    "liquidatedCollateralAmount": 10**15,
    "liquidator": OTHER,
    "receiveAToken": False,
}


def pool_log(name: str, emitter: str = POOL, **arguments: Any) -> Built:
    """Return a log of the pool."""
    return log("spark/Pool", name, emitter, **arguments)


@pytest.mark.parametrize(
    ("one", "table", "row"),
    [
        (
            pool_log("Supply", user=OTHER, onBehalfOf=USER, referralCode=1, **FLOW),
            "pool_flows",
            {"kind": "deposit", "account": USER, "asset_token": USDC, "asset_tokens": usd("1.5")},
        ),
        (
            pool_log("Withdraw", user=USER, to=OTHER, **FLOW),
            "pool_flows",
            {
                "kind": "withdrawal",
                "account": USER,
                "asset_token": USDC,
                "asset_tokens": usd("1.5"),
            },
        ),
        (
            pool_log(
                "Borrow",
                user=OTHER,
                onBehalfOf=USER,
                interestRateMode=2,
                borrowRate=1,
                referralCode=0,
                **FLOW,
            ),
            "credit_events",
            {
                "kind": "funded",
                "account": USER,
                "asset_token": USDC,
                "principal_tokens": usd("1.5"),
            },
        ),
        (
            pool_log("Repay", user=USER, repayer=OTHER, useATokens=False, **FLOW),
            "credit_events",
            {
                "kind": "payment",
                "account": USER,
                "counterparty": OTHER,
                "asset_token": USDC,
                "principal_tokens": usd("1.5"),
            },
        ),
        (
            pool_log("LiquidationCall", **CALL),
            "credit_events",
            {
                "kind": "liquidation",
                "account": USER,
                "counterparty": OTHER,
                "asset_token": USDC,
                "principal_tokens": usd("2"),
                "collateral_token": WETH,
                "collateral_tokens": usd("0.001"),
            },
        ),
        (
            pool_log("LiquidationCall", **CALL),
            "pool_flows",
            {
                "kind": "withdrawal",
                "account": USER,
                "asset_token": WETH,
                "asset_tokens": usd("0.001"),
            },
        ),
        (
            pool_log(
                "ReserveDataUpdated",
                reserve=DAI,
                liquidityRate=1,
                stableBorrowRate=2,
                variableBorrowRate=3,
                liquidityIndex=125 * 10**25,
                variableBorrowIndex=5,
            ),
            "share_prices",
            {"asset_token": DAI, "share_price_tokens": usd("1.25")},
        ),
    ],
    ids=["supplied", "withdrawn", "borrowed", "repaid", "liquidated", "paid out", "index"],
)
def test_an_event_of_the_pool_becomes_its_row(one: Built, table: str, row: dict[str, Any]) -> None:
    """Accounts, tokens and amounts are the event's own, and the pool is who logs it."""
    result = built("spark", ASKED, one)

    assert rows(result, table) == [{"pool": POOL, **row}]
    assert reasons(result) == []


def test_a_liquidator_who_takes_sptokens_leaves_the_money_in_the_pool() -> None:
    """The same liquidation, without a withdrawal."""
    result = built("spark", ASKED, pool_log("LiquidationCall", **CALL | {"receiveAToken": True}))

    assert rows(result, "pool_flows") == []


def test_fees_are_tokens_without_dollars() -> None:
    """What the treasury takes, of interest and of flash loans, has no price in the log."""
    result = built("spark", ASKED, pool_log("MintedToTreasury", reserve=DAI, amountMinted=10**18))

    columns = ("fee_kind", "fee_token", "fee_tokens", "fee_usd")
    assert result.tables["fees"].select(*columns).rows() == [("reserve", DAI, usd("1"), None)]


def moved(to: str, user: str = USER) -> Built:
    """Return spWETH that moves: a scaled amount and the index it is scaled by."""
    amounts = {"value": 10**16, "index": 101 * 10**25}
    return log("spark/SpToken", "BalanceTransfer", SP_WETH, **{"from": user}, to=to, **amounts)


def initialized() -> Built:
    """Return the announcement of spWETH."""
    return log(
        "spark/PoolConfigurator",
        "ReserveInitialized",
        CONFIGURATOR,
        asset=WETH,
        aToken=SP_WETH,
        stableDebtToken=OTHER,
        variableDebtToken=OTHER,
        interestRateStrategyAddress=OTHER,
    )


def test_an_announced_token_is_discovered() -> None:
    """The spToken is read from then on, and neither of the tokens of debt."""
    spark = [PROTOCOLS["spark"]]

    found = discovered(
        spark, ETHEREUM, frame([initialized()], block=20_000_000), declared(spark, ETHEREUM)
    )

    assert found.select("abi", "address").rows() == [("spark/SpToken", SP_WETH)]


@pytest.mark.parametrize(
    ("fee", "count"),
    [
        (moved(TREASURY), 1),
        (moved(DAI_TREASURY), 1),
        (moved(OTHER), 0),
        (moved(TREASURY, OTHER), 0),
    ],
    ids=["treasury", "Dai's treasury", "to another", "of another"],
)
def test_the_treasurys_part_of_a_liquidation_is_a_fee(fee: Built, count: int) -> None:
    """SpTokens of the account, scaled by their index, just before the call that took them."""
    result = built(
        "spark", ASKED, initialized(), fee, pool_log("LiquidationCall", **CALL), earlier=SP_TOKENS
    )

    assert (
        rows(result, "fees")
        == [
            {
                "market": POOL,
                "account": USER,
                "fee_kind": "liquidation",
                "fee_token": WETH,
                "fee_tokens": usd("0.0101"),
                "split_basis": "event",
            }
        ]
        * count
    )


def test_the_pool_of_aave_is_another_protocol() -> None:
    """Both share every topic; neither reads the other's logs."""
    ours, theirs = (pool_log("LiquidationCall", emitter, **CALL) for emitter in (POOL, AAVE))

    assert len(built("spark", ASKED, ours, theirs).tables["credit_events"]) == 1
    assert set(built("aave", ASKED, ours, theirs).tables["credit_events"]["pool"]) == {AAVE}


def test_every_recorded_log_becomes_its_row(shared: Path) -> None:
    """One deposit, one loan and five indexes, one on Gnosis, give what their words say."""
    supplied = recorded(shared, "spark", "0x2b627736")
    drawn = recorded(shared, "spark", "0xb3d08482")
    indexes = recorded(shared, "spark", "0x804c9b84")
    told = {address(one["topics"][1]): 18 for one in (*supplied, *drawn)}

    flows = recorded_rows("spark", supplied, told, "pool_flows", "account", "asset_tokens")
    loans = recorded_rows("spark", drawn, told, "credit_events", "account", "principal_tokens")
    prices = recorded_rows(
        "spark", indexes, {}, "share_prices", "asset_token", "share_price_tokens"
    )

    for found, logs in ((flows, supplied), (loans, drawn)):
        assert found == expected_rows(
            logs, [(address(one["topics"][2]), scaled(words(one)[1], 18)) for one in logs]
        )
    assert prices == expected_rows(
        indexes, [(address(one["topics"][1]), scaled(words(one)[3], 27)) for one in indexes]
    )
    assert (len(supplied), len(drawn), len(indexes)) == (1, 1, 5)


def test_a_recorded_flash_loan_is_no_fee(shared: Path) -> None:
    """What the treasury gets of a premium is minted to it later, and would count twice."""
    logs = recorded(shared, "spark", "0xefefaba5")

    assert len(logs) == 2
    assert recorded_rows("spark", logs, ASKED, "fees", "fee_tokens") == {}
    assert PROTOCOLS["spark"].kind == "credit"
