"""GMX v1: one golden per event, synthetic unless the name says recorded."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from goldens import (
    NOON,
    Built,
    arguments,
    built_facts,
    facts_of,
    frame,
    log,
    reasons,
    recorded,
    recorded_logs,
    rows,
    scaled,
    usd,
)

from indexer.chains import ARBITRUM, AVALANCHE
from indexer.facts import Facts, declared, discovered, facts
from indexer.protocols import PROTOCOLS

VAULT = "0x489ee077994b6658eafa855c308275ead8097c4a"
AVALANCHE_VAULT = "0x9ab2de34a33fb459b538c43f251eb825645e8595"
PRICE_EVENTS = "0x4530b7de1958270a2376be192a24175d795e1b07"
FIRST_FEED = "0x73fe72c9caa0faf0e488570d5898984783e728df"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
USDC_E = "0xa7d7079b0fead91f3e65f86e8915cb59c1a4c664"  # on Avalanche
LINK = "0xf97f4df75117a78c1a5a0dbb814af92458539fb4"
TRADER = "0x" + "aa" * 20
KEY = b"\x01" * 32
USD = 10**30
POSITION = {
    "market": WETH,
    "account": TRADER,
    "position_id": "0x" + "01" * 32,
    "is_long": False,
    "collateral_token": USDC,
}


def vault(name: str, **arguments: Any) -> Built:
    """Return a log of the Arbitrum Vault about the trader's short of ETH on USDC."""
    shared = {
        "key": KEY,
        "account": TRADER,
        "collateralToken": USDC,
        "indexToken": WETH,
        "isLong": False,
    }
    return log("gmx_v1/Vault", name, VAULT, **shared, **arguments)


def increase(size: int, collateral: int = 1_000, fee: int = 5) -> Built:
    """Return an IncreasePosition of these dollars at 2,500."""
    return vault(
        "IncreasePosition",
        collateralDelta=collateral * USD,
        sizeDelta=size * USD,
        price=2_500 * USD,
        fee=fee * USD,
    )


def decrease(size: int) -> Built:
    """Return a DecreasePosition of these dollars at 2,400."""
    return vault(
        "DecreasePosition", collateralDelta=0, sizeDelta=size * USD, price=2_400 * USD, fee=USD
    )


def liquidation() -> Built:
    """Return a LiquidatePosition of 10,000 dollars on 900 of collateral at 2,740."""
    return vault(
        "LiquidatePosition",
        size=10_000 * USD,
        collateral=900 * USD,
        reserveAmount=10_000 * 10**6,
        realisedPnl=-900 * USD,
        markPrice=2_740 * USD,
    )


def margin_fee(token: str, dollars: int) -> Built:
    """Return a CollectMarginFees of these dollars."""
    return log(
        "gmx_v1/Vault",
        "CollectMarginFees",
        VAULT,
        token=token,
        feeUsd=dollars * USD,
        feeTokens=dollars * 10**6,
    )


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction on Arbitrum."""
    return built_facts("gmx_v1", ARBITRUM, logs)


def test_an_increase_adds_size_and_collateral_after_the_fee() -> None:
    """1,000 dollars put in pay a fee of 5 first; the size grows by what the event says."""
    result = made(increase(size=10_000))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("10000"),
            "collateral_delta_usd": usd("995"),
            "execution_price_usd": usd("2500"),
        }
    ]


def test_a_decrease_realises_what_update_pnl_says() -> None:
    """The profit comes from UpdatePnl before it; how collateral changed is not known."""
    pnl = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=KEY, hasProfit=True, delta=160 * USD)

    result = made(pnl, decrease(size=4_000))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("-4000"),
            "execution_price_usd": usd("2400"),
            "realized_pnl_usd": usd("160"),
        }
    ]


def test_a_loss_is_realised_below_zero() -> None:
    """UpdatePnl carries the amount without its sign."""
    pnl = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=KEY, hasProfit=False, delta=3 * USD)

    result = made(pnl, decrease(size=4_000))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("-3")]


def test_a_decrease_takes_the_profit_of_its_own_position() -> None:
    """UpdatePnl of another position of the transaction is not its companion."""
    other = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=b"\x02" * 32, hasProfit=True, delta=USD)

    result = made(other, decrease(size=4_000))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [None]


def test_a_liquidation_takes_its_fee_from_before_it() -> None:
    """The fee is the margin fee on the same token that the Vault collected just before."""
    earlier, own, other_token = margin_fee(USDC, 3), margin_fee(USDC, 10), margin_fee(WETH, 7)

    result = made(earlier, own, other_token, liquidation())

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("10000"),
            "collateral_usd": usd("900"),
            "mark_price_usd": usd("2740"),
            "execution_price_usd": usd("2740"),
            "fee_usd": usd("10"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]


def test_a_liquidation_closes_the_position() -> None:
    """It is also a position change: all of the size and of the collateral, nothing left."""
    result = made(liquidation())

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "liquidation",
            "notional_delta_usd": usd("-10000"),
            "collateral_delta_usd": usd("-900"),
            "execution_price_usd": usd("2740"),
            "notional_usd": usd("0"),
        }
    ]


def test_open_interest_is_the_sum_of_changes() -> None:
    """An increase adds, decreases and liquidations take away; moving collateral does neither."""
    result = made(increase(10_000), increase(0), decrease(4_000), decrease(0), liquidation())

    table = result.tables["open_interest"]
    assert table.select("market", "is_long", "open_interest_delta_usd").rows() == [
        (WETH, False, usd(delta)) for delta in ("10000", "-4000", "-10000")
    ]
    assert set(table["evidence"]) == {"derived"}


def test_a_margin_fee_belongs_to_the_change_after_it_and_is_split() -> None:
    """70 % go to GLP and 30 % to stakers; the fee inside the position event counts nothing."""
    result = made(margin_fee(USDC, 5), increase(size=10_000))

    assert rows(result, "fees") == [
        {
            "market": WETH,
            "account": TRADER,
            "fee_kind": "margin",
            "fee_token": USDC,
            "fee_tokens": usd("5"),
            "fee_usd": usd("5"),
            "supply_side_usd": usd("3.5"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("1.5"),
            "split_basis": "policy",
        }
    ]


def test_at_first_a_fifth_of_the_fees_was_the_floor_price_funds() -> None:
    """In autumn 2021 GLP had half, stakers 30 % and the fund 20 %, of margin and swap fees."""
    swap = log(
        "gmx_v1/Vault",
        "CollectSwapFees",
        VAULT,
        token=USDC,
        feeUsd=5 * 10**6,  # tokens, which come first on Arbitrum
        feeTokens=5 * USD,
    )
    autumn = datetime(2021, 10, 1)

    result = built_facts(
        "gmx_v1", ARBITRUM, [margin_fee(USDC, 5), increase(size=10_000), swap], at=autumn
    )

    parts = ("supply_side_usd", "treasury_usd", "holders_usd")
    assert [tuple(row[part] for part in parts) for row in rows(result, "fees")] == [
        (usd("2.5"), usd("1"), usd("1.5"))
    ] * 2


def test_a_fee_of_nothing_is_no_fee() -> None:
    """Increases of collateral alone collect zero, and so may swaps."""
    swap = log("gmx_v1/Vault", "CollectSwapFees", VAULT, token=USDC, feeUsd=0, feeTokens=0)

    result = made(margin_fee(USDC, 0), increase(size=0), swap)

    assert rows(result, "fees") == []


def test_swap_fees_on_avalanche_read_as_the_abi_says() -> None:
    """There the dollars come first."""
    fee = log(
        "gmx_v1/Vault",
        "CollectSwapFees",
        AVALANCHE_VAULT,
        token=USDC_E,
        feeUsd=2 * USD,
        feeTokens=2 * 10**6,
    )

    result = built_facts("gmx_v1", AVALANCHE, [fee])

    assert rows(result, "fees") == [
        {
            "fee_kind": "swap",
            "fee_token": USDC_E,
            "fee_tokens": usd("2"),
            "fee_usd": usd("2"),
            "supply_side_usd": usd("1.4"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0.6"),
            "split_basis": "policy",
        }
    ]


@pytest.mark.parametrize(("token", "is_long"), [(USDC, False), (WETH, True)])
def test_the_borrow_rate_is_an_index_of_who_pays_it(token: str, *, is_long: bool) -> None:
    """Counted in millionths; shorts pay that of the dollars that secure them, longs the others."""
    rate = log("gmx_v1/Vault", "UpdateFundingRate", VAULT, token=token, fundingRate=1_218_348)

    result = made(rate)

    assert rows(result, "funding") == [
        {
            "market": token,
            "collateral_token": token,
            "is_long": is_long,
            "funding_rate_cumulative_ratio": usd("1.218348"),
        }
    ]


def test_a_price_names_its_asset_and_its_feed() -> None:
    """WETH is priced as ETH, in dollars, by the feed that reported it."""
    feed = "0x" + "fe" * 20
    update = log(
        "gmx_v1/FastPriceEvents",
        "PriceUpdate",
        PRICE_EVENTS,
        token=WETH,
        price=2_547_690 * 10**27,
        priceFeed=feed,
    )

    result = made(update)

    assert rows(result, "oracle_updates") == [
        {
            "feed": WETH,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("2547.69"),
            "provider": feed,
        }
    ]


def test_the_first_feed_speaks_until_the_shared_one_does() -> None:
    """SetPrice counts up to the block before FastPriceEvents begins, and not after."""
    price = log("gmx_v1/FastPriceFeed", "SetPrice", FIRST_FEED, token=LINK, price=25 * USD)
    before, after = recorded_at(price, 3_716_731), recorded_at(price, 3_716_732)

    assert rows(before, "oracle_updates") == [
        {
            "feed": LINK,
            "asset": "LINK",
            "quote": "USD",
            "oracle_price_quote": usd("25"),
            "provider": FIRST_FEED,
        }
    ]
    assert rows(after, "oracle_updates") == []


def recorded_at(one: Built, block: int) -> Facts:
    """Return the facts of one log in this block on Arbitrum."""
    return facts_of("gmx_v1", ARBITRUM, frame([one], block=block))


def recorded_facts(shared: Path) -> Facts:
    """Return the facts of the recorded logs of GMX v1 on Arbitrum."""
    logs, headers = recorded(shared / "data/logs/gmx_v1.jsonl.gz", "arbitrum")
    protocols = [PROTOCOLS["gmx_v1"]]
    return facts(protocols, ARBITRUM, logs, headers, declared(protocols, ARBITRUM))


def test_the_recorded_close_gives_its_decrease_and_its_fee_once(shared: Path) -> None:
    """
    Transaction 0xa3dd437d closes a short with a profit; its fee stands in CollectMarginFees and
    in DecreasePosition and counts once.
    """
    closed = said(shared, "DecreasePosition")
    profit = said(shared, "UpdatePnl")

    result = recorded_facts(shared)

    assert reasons(result) == []
    assert rows(result, "position_changes") == [
        {
            "market": WETH,
            "account": closed["account"],
            "position_id": "0x" + closed["key"].hex(),
            "cause": "trade",
            "is_long": False,
            "collateral_token": USDC,
            "notional_delta_usd": scaled(-closed["sizeDelta"], 30),
            "execution_price_usd": scaled(closed["price"], 30),
            "realized_pnl_usd": scaled(profit["delta"], 30),
            "notional_usd": usd("0"),
        }
    ]
    assert profit["hasProfit"]
    margin = [row for row in rows(result, "fees") if row["fee_kind"] == "margin"]
    assert [(row["market"], row["account"]) for row in margin] == [(WETH, closed["account"])]
    assert [row["fee_usd"] for row in margin] == [scaled(closed["fee"], 30)]


def said(shared: Path, name: str) -> dict[str, Any]:
    """Return the arguments of the only recorded Vault log of this event."""
    (one,) = (
        one
        for one in recorded_logs(shared / "data/logs/gmx_v1.jsonl.gz")
        if one["address"] == VAULT and one["_event"].startswith(name + "(")
    )
    return arguments(one, "gmx_v1/Vault", name)


def test_the_recorded_swap_fee_is_what_the_swap_kept_back(shared: Path) -> None:
    """On Arbitrum the amounts are exchanged: 1.04 LINK, worth 16.46 dollars."""
    result = recorded_facts(shared)

    kept_back = 948_534_109_000_000_000_000 - 947_490_721_480_100_000_000
    (swap,) = (row for row in rows(result, "fees") if row["fee_kind"] == "swap")
    assert swap["fee_token"] == LINK
    assert swap["fee_tokens"] == scaled(kept_back, 18) == Decimal("1.0433875199")
    assert swap["fee_usd"] == usd("16.4604815139424")


ROUTER = "0xb87a436b93ffe9d75c5cfa7bacfff96430b09868"
ORDER_BOOK = "0x09f77e8a13de9a35a7231028187e9fd5db8a2acb"
PARTNER = "0x9ba57a1d3f6c61ff500f598f16b97007eb02e346"
STATE = {"averagePrice": 2_500 * USD, "entryFundingRate": 0, "reserveAmount": 0, "realisedPnl": 0}


def updated(size: int, collateral: int, **more: int) -> Built:
    """Return an UpdatePosition of seven arguments, or of eight where a mark price is given."""
    name = f"UpdatePosition(bytes32,{'uint256,' * 5}int256{',uint256' if more else ''})"
    at = AVALANCHE_VAULT if more else VAULT
    said = {"key": KEY, "size": size * USD, "collateral": collateral * USD, **STATE, **more}
    return log("gmx_v1/Vault", name, at, **said)


def closed(size: int) -> Built:
    """Return a ClosePosition: the size that was closed, and nothing left of the collateral."""
    said = {"key": KEY, "size": size * USD, "collateral": 0, **STATE}
    return log("gmx_v1/Vault", "ClosePosition", VAULT, **said)


def close(account: str = TRADER, collateral: int = 0, fee: int = 99) -> Built:
    """Return a DecreasePosition of 10,000 dollars at 2,700."""
    return log(
        "gmx_v1/Vault",
        "DecreasePosition",
        VAULT,
        key=KEY,
        account=account,
        collateralToken=USDC,
        indexToken=WETH,
        collateralDelta=collateral * USD,
        sizeDelta=10_000 * USD,
        isLong=False,
        price=2_700 * USD,
        fee=fee * USD,
    )


def requested(account: str = TRADER, size: int = 10_000) -> Built:
    """Return the PositionRouter's word that it executed a decrease of a short of ETH."""
    said = {"path": [USDC], "indexToken": WETH, "collateralDelta": 0, "isLong": False}
    rest = {"acceptablePrice": 0, "minOut": 0, "executionFee": 0, "blockGap": 1, "timeGap": 1}
    return log(
        "gmx_v1/PositionRouter",
        "ExecuteDecreasePosition",
        ROUTER,
        account=account,
        sizeDelta=size * USD,
        receiver=account,
        **said,
        **rest,
    )


def triggered(token: str = USDC) -> Built:
    """Return the OrderBook's word that it executed a decrease of the trader's short of ETH."""
    said = {"indexToken": WETH, "collateralDelta": 0, "isLong": False, "sizeDelta": 10_000 * USD}
    rest = {"triggerPrice": 0, "triggerAboveThreshold": True, "executionFee": 0}
    return log(
        "gmx_v1/OrderBook",
        "ExecuteDecreaseOrder",
        ORDER_BOOK,
        account=TRADER,
        orderIndex=3,
        collateralToken=token,
        executionPrice=2_700 * USD,
        **said,
        **rest,
    )


def causes(result: Facts) -> list[str]:
    """Return why positions changed, in order of the logs."""
    return result.tables["position_changes"].sort("log_index")["cause"].to_list()


def test_what_is_left_follows_the_change() -> None:
    """UpdatePosition says the size after it, on Arbitrum without a price and on Avalanche with."""
    grown = made(increase(10_000), updated(12_000, 900), decrease(4_000), updated(8_000, 850))
    moved = replace(increase(10_000), address=AVALANCHE_VAULT)
    there = built_facts("gmx_v1", AVALANCHE, [moved, updated(12_000, 900, markPrice=2_500 * USD)])

    assert grown.tables["position_changes"]["notional_usd"].to_list() == [
        usd("12000"),
        usd("8000"),
    ]
    assert there.tables["position_changes"]["notional_usd"].to_list() == [usd("12000")]


def test_a_position_opened_again_was_closed_before() -> None:
    """ClosePosition ends the first position; what follows under its key is another."""
    logs = [decrease(4_000), updated(10_000, 850), close(), closed(10_000)]
    again = [increase(7_000), updated(7_000, 995)]

    table = made(*logs, requested(), *again).tables["position_changes"].sort("log_index")

    assert table["notional_usd"].to_list() == [usd("10000"), usd("0"), usd("7000")]


def test_a_whole_close_that_nobody_ordered_is_a_liquidation() -> None:
    """The highest leverage was breached: the Vault closed the position like any other."""
    pnl = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=KEY, hasProfit=False, delta=800 * USD)

    result = made(margin_fee(USDC, 99), pnl, close(), closed(10_000))

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("10000"),
            "mark_price_usd": usd("2700"),
            "execution_price_usd": usd("2700"),
            "realized_pnl_usd": usd("-800"),
            "fee_usd": usd("99"),
            "shortfall_usd": usd("0"),
            "shortfall_basis": "computed",
            "derivation": "inferred",
        }
    ]
    assert result.tables["liquidations"]["evidence"].to_list() == ["derived"]
    assert causes(result) == ["liquidation"]
    assert [row["fee_usd"] for row in rows(result, "fees")] == [usd("99")]
    assert result.tables["open_interest"]["open_interest_delta_usd"].to_list() == [usd("-10000")]


@pytest.mark.parametrize(
    "logs",
    [
        [close(), closed(10_000), requested()],
        [close(), closed(10_000), triggered()],
        [close(account=PARTNER), closed(10_000)],
        [close(collateral=1), closed(10_000)],
        [close(fee=100), closed(10_000)],
        [close(), updated(5_000, 40)],
        [close()],
    ],
    ids=["router", "order book", "partner", "collateral", "fee", "part", "no close"],
)
def test_a_close_that_somebody_may_have_ordered_is_a_trade(logs: list[Built]) -> None:
    """One doubt is enough: an execution, a partner, collateral asked for, 1 % paid, a rest."""
    result = made(*logs)

    assert rows(result, "liquidations") == []
    assert causes(result) == ["trade"]


@pytest.mark.parametrize(
    "other",
    [requested(account=PARTNER), requested(size=9_999), triggered(token=WETH)],
    ids=["account", "size", "collateral"],
)
def test_an_execution_for_somebody_else_explains_nothing(other: Built) -> None:
    """Of another account, size or collateral, or in the next transaction of the block."""
    beside = made(close(), closed(10_000), other)
    after = built_facts("gmx_v1", ARBITRUM, [close(), closed(10_000)], [requested()])

    assert causes(beside) == causes(after) == ["liquidation"]


def test_closes_are_told_apart_since_the_second_router() -> None:
    """Before its first block a close with no word of an order is a trade."""
    logs = [close(), closed(10_000)]
    before = facts_of("gmx_v1", ARBITRUM, frame(logs, block=29_856_758))
    since = facts_of("gmx_v1", ARBITRUM, frame(logs, block=29_856_759))
    there = [replace(one, address=AVALANCHE_VAULT) for one in logs]

    assert (causes(before), causes(since)) == (["trade"], ["liquidation"])
    assert causes(facts_of("gmx_v1", AVALANCHE, frame(there, block=21_006_711))) == ["trade"]
    assert causes(facts_of("gmx_v1", AVALANCHE, frame(there, block=21_006_712))) == ["liquidation"]


def test_the_recorded_close_is_a_trade_for_its_request_alone(shared: Path) -> None:
    """Without the PositionRouter's log, transaction 0xa3dd437d would look like a liquidation."""
    logs, headers = recorded(shared / "data/logs/gmx_v1.jsonl.gz", "arbitrum")
    protocols = [PROTOCOLS["gmx_v1"]]
    silent = logs.filter(pl.col("address") != bytes.fromhex(ROUTER[2:]))
    known = declared(protocols, ARBITRUM)

    assert causes(facts(protocols, ARBITRUM, logs, headers, known)) == ["trade"]
    assert causes(facts(protocols, ARBITRUM, silent, headers, known)) == ["liquidation"]


def test_later_feeds_are_found_and_say_the_reference_price() -> None:
    """The feed that reports a price is read from there on: its PriceData holds Chainlink's."""
    feed = "0x11d62807dae812a0f1571243460bf94325f43bb7"
    said = {"cumulativeRefDelta": 0, "cumulativeFastDelta": 7}
    logs = frame(
        [
            log(
                "gmx_v1/PriceFeed",
                "PriceData",
                feed,
                token=WETH,
                refPrice=2_548 * 10**8,
                fastPrice=2_547 * USD,
                **said,
            ),
            log(
                "gmx_v1/FastPriceEvents",
                "PriceUpdate",
                PRICE_EVENTS,
                token=WETH,
                price=2_549 * USD,
                priceFeed=feed,
            ),
        ],
        block=900_000_000,
    )
    protocols = [PROTOCOLS["gmx_v1"]]
    known = declared(protocols, ARBITRUM)
    children = discovered(protocols, ARBITRUM, logs, known)
    headers = logs.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us")))

    result = facts(protocols, ARBITRUM, logs, headers.unique(), replace(known, contracts=children))

    assert children.select("abi", "address").rows() == [("gmx_v1/PriceFeed", feed)]
    assert {
        (row["feed"], row["asset"], row["oracle_price_quote"])
        for row in rows(result, "oracle_updates")
    } == {(WETH, "ETH", usd("2549")), (feed, "ETH", usd("2548"))}


@pytest.mark.parametrize(("name", "kind"), [("BuyUSDG", "mint"), ("SellUSDG", "redemption")])
def test_tokens_flow_into_and_out_of_the_vault(name: str, kind: str) -> None:
    """The amount is in the token; the dollars of the Vault's own unit are not shares of GLP."""
    manager = "0x3963ffc9dff443c2a94f21b129d429891e32ec18"
    said = {"tokenAmount": 1_000 * 10**6, "usdgAmount": 999 * 10**18, "feeBasisPoints": 10}

    result = made(log("gmx_v1/Vault", name, VAULT, account=manager, token=USDC, **said))

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": VAULT,
            "account": manager,
            "asset_token": USDC,
            "asset_tokens": usd("1000"),
        }
    ]


def receipt(shared: Path, transaction: str) -> list[Built]:
    """Return the logs of a recorded receipt, in order."""
    (told,) = (
        one
        for one in recorded_logs(shared / "data/receipts/gmx_v1.jsonl.gz")
        if one["transactionHash"].startswith(transaction)
    )
    return [
        Built(
            one["address"],
            tuple(bytes.fromhex(topic[2:]) for topic in one["topics"]),
            bytes.fromhex(one["data"][2:]),
        )
        for one in told["logs"]
    ]


def test_a_recorded_receipt_holds_fast_and_reference_prices(shared: Path) -> None:
    """Transaction 0xa3dd437d sets four prices; each reference stands within a percent of its."""
    logs = frame(receipt(shared, "0xa3dd437d"), block=171_362_022)
    protocols = [PROTOCOLS["gmx_v1"]]
    known = declared(protocols, ARBITRUM)
    children = discovered(protocols, ARBITRUM, logs, known)
    headers = logs.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us")))

    result = facts(protocols, ARBITRUM, logs, headers.unique(), replace(known, contracts=children))

    feed = "0x11d62807dae812a0f1571243460bf94325f43bb7"
    prices = rows(result, "oracle_updates")
    reference = {row["asset"]: row["oracle_price_quote"] for row in prices if row["feed"] == feed}
    fast = {row["asset"]: row["oracle_price_quote"] for row in prices if row["feed"] != feed}
    assert reasons(result) == []
    assert children["address"].to_list() == [feed]
    assert set(fast) == set(reference) == {"BTC", "ETH", "LINK", "UNI"}
    assert all(abs(fast[asset] / reference[asset] - 1) < Decimal("0.01") for asset in fast)
    assert causes(result) == ["trade"]
