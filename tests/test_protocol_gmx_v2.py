"""GMX v2: goldens of every event and version shape, synthetic unless the name says recorded."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from goldens import (
    Built,
    built_facts,
    items,
    keyed,
    reasons,
    recorded,
    recorded_logs,
    rows,
    scaled,
    usd,
)

from indexer.chains import ARBITRUM, ARBITRUM_SEPOLIA, AVALANCHE, BOTANIX, Chain
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS

EMITTER = "0xc8ee91a54287db53897056e12d9819156d3822fb"
AVALANCHE_EMITTER = "0xdb17b211c34240b014ab6d61d4a31fa0c0e20c26"
BOTANIX_EMITTER = "0xaf2e131d483cede068e21a9228ad91e623a989c2"
MARKET = "0x47c031236e19d024b42f8ae6780e44a573170703"  # BTC/USD, index token of 8 decimals
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
GMX = "0xfc5a1a6eb076a2c7ad06ed22c90d7e710e35ad0a"
TRADER = "0x" + "aa" * 20
PROVIDER = "0x" + "99" * 20
ORDER, POSITION_KEY = b"\x0a" * 32, b"\x0b" * 32
USD = 10**30
BTC_PRICE = 10**22  # one dollar per whole BTC, per smallest unit
USDC_PRICE = 10**24
CLOSED = {
    "market": MARKET,
    "account": TRADER,
    "position_id": "0x" + "0b" * 32,
    "is_long": True,
    "collateral_token": USDC,
    "execution_price_usd": usd("60000"),
    "notional_usd": usd("30000"),
    "size_tokens": usd("0.5"),
    "realized_pnl_usd": usd("-700.25"),
}


def topic(address: str) -> bytes:
    """Return an address as a topic."""
    return bytes.fromhex(address.removeprefix("0x")).rjust(32, b"\0")


def position(name: str, order: bytes = ORDER, **numbers: int) -> Built:
    """
    Return a PositionIncrease or PositionDecrease of a long of BTC on USDC at 60,000.

    Args:
        name: the event.
        order: the order that changed the position.
        numbers: items that differ from half a BTC for 30,000 dollars and 1,000 USDC.
    """
    signed = {"PositionIncrease": ("collateralDeltaAmount",), "PositionDecrease": ("basePnlUsd",)}
    values = {
        "sizeInUsd": 0,
        "sizeInTokens": 0,
        "executionPrice": 60_000 * BTC_PRICE,
        "indexTokenPrice.max": 60_010 * BTC_PRICE,
        "indexTokenPrice.min": 59_990 * BTC_PRICE,
        "collateralTokenPrice.max": 2 * USDC_PRICE,
        "collateralTokenPrice.min": USDC_PRICE,
        "sizeDeltaUsd": 30_000 * USD,
        "sizeDeltaInTokens": 50_000_000,
        "collateralDeltaAmount": 1_000 * 10**6,
        "orderType": 2,
        **({"basePnlUsd": -70_025 * USD // 100} if name == "PositionDecrease" else {}),
        **numbers,
    }
    return keyed(
        name,
        EMITTER,
        [topic(TRADER)],
        address={"account": TRADER, "market": MARKET, "collateralToken": USDC},
        uint256={key: value for key, value in values.items() if key not in signed[name]},
        int256={key: values[key] for key in signed[name]},
        bool={"isLong": True},
        bytes32={"orderKey": order, "positionKey": POSITION_KEY},
    )


def executed(secondary: int, order: bytes = ORDER) -> Built:
    """Return the OrderExecuted of an order; `secondary` 1 marks an auto-deleveraging."""
    return keyed(
        "OrderExecuted",
        EMITTER,
        [order, topic(TRADER)],
        address={"account": TRADER},
        uint256={"secondaryOrderType": secondary},
        bytes32={"key": order},
    )


def collected(emitter: str = EMITTER, market: str = MARKET, /, **amounts: int) -> Built:
    """
    Return a PositionFeesCollected in USDC at one dollar.

    Args:
        emitter: the EventEmitter.
        market: the market.
        amounts: items in millionths of USDC; what is left out of the main ones is zero.
    """
    zero = dict.fromkeys(
        (
            "fundingFeeAmount",
            "borrowingFeeAmount",
            "borrowingFeeAmountForFeeReceiver",
            "protocolFeeAmount",
            "feeReceiverAmount",
            "positionFeeAmountForPool",
            "positionFeeAmount",
            "uiFeeAmount",
        ),
        0,
    )
    return keyed(
        "PositionFeesCollected",
        emitter,
        [topic(market)],
        address={"market": market, "collateralToken": USDC, "trader": TRADER},
        uint256={
            "collateralTokenPrice.min": USDC_PRICE,
            "collateralTokenPrice.max": 2 * USDC_PRICE,
            **zero,
            **{key.replace("__", "."): value for key, value in amounts.items()},
        },
        bool={"isIncrease": False},
        bytes32={"orderKey": ORDER, "positionKey": POSITION_KEY, "referralCode": bytes(32)},
    )


def insolvent(debt: int, step: str = "fees") -> Built:
    """Return an InsolventClose of the order that leaves this debt in dollars at this step."""
    return keyed(
        "InsolventClose",
        EMITTER,
        uint256={"positionCollateralAmount": 0, "remainingCostUsd": debt * USD},
        int256={"basePnlUsd": -900 * USD},
        bytes32={"orderKey": ORDER},
        string={"step": step},
    )


def oracle(token: str, low: int, high: int, extra: Mapping[str, Any] | None = None) -> Built:
    """Return an OraclePriceUpdate, as of v2.1 unless `extra` gives other groups of items."""
    groups: dict[str, Any] = {
        "address": {"token": token, "provider": PROVIDER},
        "uint256": {"minPrice": low, "maxPrice": high, "timestamp": 1_748_779_200},
        **(extra or {}),
    }
    return keyed("OraclePriceUpdate", EMITTER, [topic(token)], **groups)


def made(*logs: Built, at: datetime = datetime(2025, 6, 1)) -> Facts:
    """Return the facts of one transaction on Arbitrum."""
    return built_facts("gmx_v2", ARBITRUM, logs, at=at)


def test_an_increase_is_a_trade_at_its_execution_price() -> None:
    """Sizes scale by the index token, prices by what is left to 30, collateral at its minimum."""
    result = made(
        position("PositionIncrease", sizeInUsd=90_000 * USD, sizeInTokens=150_000_000),
        executed(0),
    )

    assert reasons(result) == []
    assert rows(result, "position_changes") == [
        {
            "market": MARKET,
            "account": TRADER,
            "position_id": "0x" + "0b" * 32,
            "cause": "trade",
            "is_long": True,
            "collateral_token": USDC,
            "notional_delta_usd": usd("30000"),
            "size_delta_tokens": usd("0.5"),
            "collateral_delta_usd": usd("1000"),
            "execution_price_usd": usd("60000"),
            "notional_usd": usd("90000"),
            "size_tokens": usd("1.5"),
        }
    ]


def test_an_increase_may_lose_collateral() -> None:
    """Fees can take more collateral than was put in: the delta is signed."""
    result = made(position("PositionIncrease", collateralDeltaAmount=-2_500_000))

    assert result.tables["position_changes"]["collateral_delta_usd"].to_list() == [usd("-2.5")]


def test_a_decrease_takes_away_and_realises() -> None:
    """Size and collateral go down, the profit or loss is the one before fees and impact."""
    result = made(position("PositionDecrease", orderType=4), executed(0))

    assert rows(result, "position_changes") == [
        {
            "market": MARKET,
            "account": TRADER,
            "position_id": "0x" + "0b" * 32,
            "cause": "trade",
            "is_long": True,
            "collateral_token": USDC,
            "notional_delta_usd": usd("-30000"),
            "size_delta_tokens": usd("-0.5"),
            "collateral_delta_usd": usd("-1000"),
            "execution_price_usd": usd("60000"),
            "realized_pnl_usd": usd("-700.25"),
            "notional_usd": usd("0"),
            "size_tokens": usd("0"),
        }
    ]
    assert rows(result, "liquidations") == rows(result, "adls") == []


def test_order_type_seven_is_a_liquidation() -> None:
    """It is a position change with that cause and a row of its own, with the fee of its order."""
    fees = collected(liquidationFeeAmount=60_000_000, liquidationFeeAmountForFeeReceiver=22_200_000)

    result = made(position("PositionDecrease", orderType=7), fees, executed(0))

    assert result.tables["position_changes"]["cause"].to_list() == ["liquidation"]
    assert rows(result, "adls") == []
    assert rows(result, "liquidations") == [
        {
            **CLOSED,
            "collateral_usd": usd("1000"),
            "mark_price_usd": usd("60000"),
            "fee_usd": usd("60"),
            "shortfall_usd": usd("0"),
            "shortfall_basis": "event",
            "derivation": "direct",
        }
    ]


def test_a_liquidation_before_the_fee_existed_had_none() -> None:
    """Until October 2024 the items of the liquidation fee are missing, and it was zero."""
    result = made(position("PositionDecrease", orderType=7), collected())

    assert result.tables["liquidations"]["fee_usd"].to_list() == [usd("0")]
    assert rows(result, "fees") == []


def test_a_liquidation_takes_the_fee_of_its_own_order() -> None:
    """One transaction may hold several liquidations; without an own fee event it is unknown."""
    fees = collected(liquidationFeeAmount=60_000_000, liquidationFeeAmountForFeeReceiver=0)
    other = position("PositionDecrease", order=b"\x0c" * 32, orderType=7)

    result = made(position("PositionDecrease", orderType=7), fees, other)

    assert result.tables["liquidations"]["fee_usd"].to_list() == [usd("60"), None]


def test_a_secondary_order_type_marks_an_auto_deleveraging() -> None:
    """The decrease looks like any other; the executed order says what it was. No liquidation."""
    result = made(position("PositionDecrease", orderType=4), executed(1))

    assert result.tables["position_changes"]["cause"].to_list() == ["adl"]
    assert rows(result, "liquidations") == []
    assert rows(result, "adls") == [{**CLOSED, "derivation": "joined"}]


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_market_says_when_its_winners_may_be_deleveraged(is_enabled: bool) -> None:
    """The market stands in the topic alone; a losing side has a factor below zero."""
    state = keyed(
        "AdlStateUpdated",
        EMITTER,
        [topic(MARKET)],
        uint256={"maxPnlFactor": 85 * USD // 100},
        int256={"pnlToPoolFactor": (9 if is_enabled else -1) * USD // 10},
        bool={"isLong": False, "shouldEnableAdl": is_enabled},
    )

    assert rows(made(state), "adl_states") == [
        {
            "market": MARKET,
            "is_long": False,
            "pnl_to_pool_ratio": usd("0.9" if is_enabled else "-0.1"),
            "max_pnl_to_pool_ratio": usd("0.85"),
            "is_enabled": is_enabled,
        }
    ]


def test_an_adl_state_without_a_market_is_rejected() -> None:
    """A topic that is no address names no market."""
    state = keyed(
        "AdlStateUpdated",
        EMITTER,
        [b"\x01" * 32],
        uint256={"maxPnlFactor": 0},
        int256={"pnlToPoolFactor": 0},
        bool={"isLong": False, "shouldEnableAdl": False},
    )

    assert reasons(made(state)) == [("AdlStateUpdated", "adl_states", "market is not known")]


def test_the_mark_of_another_order_marks_nothing() -> None:
    """An auto-deleveraging in the same transaction does not rub off on a trade."""
    other = b"\x0c" * 32

    result = made(
        position("PositionDecrease", orderType=4),
        executed(0),
        position("PositionDecrease", order=other, orderType=4),
        executed(1, other),
    )

    assert result.tables["position_changes"]["cause"].to_list() == ["trade", "adl"]
    assert len(rows(result, "adls")) == 1


def test_a_mark_in_another_transaction_marks_nothing() -> None:
    """Companions live in one transaction."""
    result = built_facts(
        "gmx_v2", ARBITRUM, [position("PositionDecrease", orderType=4)], [executed(1)]
    )

    assert result.tables["position_changes"]["cause"].to_list() == ["trade"]


def test_an_insolvent_close_leaves_bad_debt_and_charges_nothing() -> None:
    """PositionFeesCollected follows with zeros: the collateral went to the pool, not to fees."""
    result = made(
        insolvent(debt=123), position("PositionDecrease", orderType=7), collected(), executed(0)
    )

    assert result.tables["liquidations"]["shortfall_usd"].to_list() == [usd("123")]
    assert rows(result, "fees") == []
    assert rows(result, "shortfalls") == [
        {
            "kind": "bad_debt",
            "market": MARKET,
            "account": TRADER,
            "shortfall_usd": usd("123"),
        }
    ]


def test_a_key_that_arrives_as_a_text_is_nobody_s() -> None:
    """Also where no other log of the batch says it as a word: the debt is told without a market."""
    odd = keyed(
        "InsolventClose",
        EMITTER,
        uint256={"positionCollateralAmount": 0, "remainingCostUsd": 123 * USD},
        int256={"basePnlUsd": -900 * USD},
        string={"step": "fees", "orderKey": "7"},
    )

    result = made(odd, position("PositionDecrease", orderType=7))

    assert reasons(result) == []
    assert rows(result, "shortfalls") == [{"kind": "bad_debt", "shortfall_usd": usd("123")}]


def test_the_beta_says_nothing_of_bad_debt() -> None:
    """It had pnlUsd and no InsolventClose, so that no debt was seen and none was ruled out."""
    closed = keyed(
        "PositionDecrease",
        EMITTER,
        [topic(TRADER)],
        address={"account": TRADER, "market": MARKET, "collateralToken": USDC},
        uint256={"orderType": 7, "sizeDeltaUsd": 30_000 * USD},
        int256={"pnlUsd": -900 * USD},
        bool={"isLong": True},
        bytes32={"orderKey": ORDER, "positionKey": POSITION_KEY},
    )

    (liquidated,) = rows(made(closed), "liquidations")

    assert "shortfall_usd" not in liquidated
    assert (liquidated["shortfall_basis"], liquidated["realized_pnl_usd"]) == ("none", usd("-900"))


def test_fees_that_were_only_calculated_are_not_fees() -> None:
    """PositionFeesInfo has the items of PositionFeesCollected; without a close it is nothing."""
    result = made(calculated(protocolFeeAmount=7_000_000, positionFeeAmountForPool=7_000_000))

    assert rows(result, "fees") == []
    assert reasons(result) == []


def calculated(**amounts: int) -> Built:
    """Return a PositionFeesInfo of these items."""
    told = collected(**amounts)
    return Built(
        told.address, (told.topics[0], name_hash("PositionFeesInfo"), topic(MARKET)), told.data
    )


@pytest.mark.parametrize(
    ("step", "funding", "fees"),
    [
        ("funding", [], []),
        ("pnl", ["2.5"], []),
        ("fees", [], []),
        ("impact", ["2.5"], ["7", "10", "20"]),
        ("diff", ["2.5"], ["7", "10", "20"]),
    ],
)
def test_an_insolvent_close_has_paid_what_comes_before_the_step_it_ran_out_at(
    step: str, funding: list[str], fees: list[str]
) -> None:
    """Funding, pnl, fees, impact, diff: zeros follow all the same, and what was due precedes."""
    due = {"protocolFeeAmount": 7_000_000, "positionFeeAmountForPool": 7_000_000}
    lent = {"borrowingFeeAmount": 10_000_000, "liquidationFeeAmount": 20_000_000}
    if step == "fees":  # emptied before it is told
        due, lent = {}, {}
    told = calculated(**due, **lent, fundingFeeAmount=0 if step == "fees" else 2_500_000)

    result = made(
        told, insolvent(123, step), collected(), position("PositionDecrease", orderType=7)
    )

    paid = [row["paid_usd"] for row in rows(result, "funding")]
    assert paid == [usd(one) for one in funding]
    charged = [(row["market"], row["account"], row["fee_usd"]) for row in rows(result, "fees")]
    assert charged == [(MARKET, TRADER, usd(one)) for one in fees]
    (liquidated,) = rows(result, "liquidations")
    assert liquidated["fee_usd"] == usd("20" if fees else "0")
    assert reasons(result) == []


def name_hash(name: str) -> bytes:
    """Return the topic that names a keyed event."""
    return keyed(name, EMITTER).topics[1]


def fee(kind: str, amounts: str) -> dict[str, Any]:
    """Return a fee row in USDC: fee, supply side, treasury and holders in dollars."""
    whole, supply, treasury, holders = map(usd, amounts.split())
    return {
        "market": MARKET,
        "account": TRADER,
        "fee_kind": kind,
        "fee_token": USDC,
        "fee_tokens": whole,
        "fee_usd": whole,
        "supply_side_usd": supply,
        "treasury_usd": treasury,
        "holders_usd": holders,
        "split_basis": "policy",
    }


def test_a_position_fee_splits_into_three_kinds_without_double_count() -> None:
    """
    100 of position fee less 10 discount (nobody pays it) less 15 to the affiliate is 75 for the
    protocol: 47.25 for the pool, 27.75 received. The receiver's amount holds also 3.7 of 10
    borrowed and 7.4 of 20 penalty. 72.97 % of what was received goes to stakers.
    """
    amounts = {
        "positionFeeAmount": 100_000_000,
        "referral__traderDiscountAmount": 10_000_000,
        "referral__affiliateRewardAmount": 15_000_000,
        "protocolFeeAmount": 75_000_000,
        "positionFeeAmountForPool": 47_250_000,
        "uiFeeAmount": 1_000_000,
        "borrowingFeeAmount": 10_000_000,
        "borrowingFeeAmountForFeeReceiver": 3_700_000,
        "liquidationFeeAmount": 20_000_000,
        "liquidationFeeAmountForFeeReceiver": 7_400_000,
        "feeReceiverAmount": 38_850_000,
        "fundingFeeAmount": 0,
    }

    result = made(collected(**amounts))

    assert rows(result, "fees") == [
        fee("position", "91 63.25 7.500825 20.249175"),
        fee("borrow", "10 6.3 1.00011 2.69989"),
        fee("liquidation", "20 12.6 2.00022 5.39978"),
    ]
    assert result.tables["fees"]["item_index"].to_list() == [0, 1, 2]
    assert rows(result, "funding") == []


def test_an_affiliate_reward_of_the_first_releases_counts_as_well() -> None:
    """Before October 2024 the key had no prefix; stakers' 27 of 37 points are older still."""
    amounts = {
        "affiliateRewardAmount": 5_000_000,
        "protocolFeeAmount": 37_000_000,
        "feeReceiverAmount": 37_000_000,
    }

    result = made(collected(**amounts), at=datetime(2024, 1, 1))

    (row,) = rows(result, "fees")
    assert row["fee_usd"] == usd("42")
    assert row["supply_side_usd"] == usd("5")
    assert row["holders_usd"] == usd("26.999999999999999973")
    assert row["treasury_usd"] == usd("10.000000000000000027")


@pytest.mark.parametrize("item", ["uiFeeAmount", "positionFeeAmountForPool", "protocolFeeAmount"])
def test_a_fee_whose_items_are_not_all_there_is_unknown_and_not_nothing(item: str) -> None:
    """A shape of another release may lack an item: the fee is a row without an amount."""
    whole = collected(protocolFeeAmount=37_000_000, feeReceiverAmount=37_000_000)
    key, other = item.encode().ljust(32, b"\0"), b"x".ljust(len(item), b"x").ljust(32, b"\0")

    result = made(Built(whole.address, whole.topics, whole.data.replace(key, other)))

    (row,) = [one for one in rows(result, "fees") if one["fee_kind"] == "position"]
    assert row["market"] == MARKET
    assert "treasury_usd" not in row
    assert reasons(result) == []


def test_a_swap_fee_without_an_item_is_unknown_and_not_nothing() -> None:
    """So is a swap's."""
    whole = swap(37, 63)
    key = b"uiFeeAmount".ljust(32, b"\0")

    result = made(Built(whole.address, whole.topics, whole.data.replace(key, b"x" + key[1:])))

    (row,) = rows(result, "fees")
    assert row["fee_kind"] == "swap"
    assert "fee_usd" not in row


def test_a_funding_fee_without_its_item_is_unknown_and_not_nothing() -> None:
    """And so is what a position paid for funding."""
    whole = collected()
    key = b"fundingFeeAmount".ljust(32, b"\0")

    result = made(Built(whole.address, whole.topics, whole.data.replace(key, b"x" + key[1:])))

    assert rows(result, "funding") == [{"market": MARKET, "account": TRADER}]


def test_the_split_of_botanix_is_not_known() -> None:
    """Its receiver takes half; who gets it is not stated, so it is null and not a guess."""
    amounts = {
        "protocolFeeAmount": 2_000_000,
        "positionFeeAmountForPool": 1_000_000,
        "feeReceiverAmount": 1_000_000,
    }
    usdc_e = "0x29ee6138dd4c9815f46d34a4a1ed48f46758a402"
    log = collected(BOTANIX_EMITTER, **amounts)
    there = Built(log.address, log.topics, log.data.replace(topic(USDC)[12:], topic(usdc_e)[12:]))

    result = built_facts("gmx_v2", BOTANIX, [there])

    (row,) = rows(result, "fees")
    assert (row["fee_usd"], row["supply_side_usd"]) == (usd("2"), usd("1"))
    assert "holders_usd" not in row
    assert "treasury_usd" not in row
    assert row["split_basis"] == "none"


def swap(received: int, pool: int) -> Built:
    """Return a SwapFeesCollected in WETH at 3,000, from hundredths of an ETH."""
    return keyed(
        "SwapFeesCollected",
        EMITTER,
        [topic(MARKET)],
        address={"uiFeeReceiver": PROVIDER, "market": MARKET, "token": WETH},
        uint256={
            "tokenPrice": 3_000 * 10**12,
            "feeReceiverAmount": received * 10**16,
            "feeAmountForPool": pool * 10**16,
            "amountAfterFees": 10**21,
            "uiFeeAmount": 0,
        },
        bytes32={"tradeKey": ORDER, "swapFeeType": bytes(32)},
    )


def test_a_swap_fee_is_worth_its_tokens_at_the_event_s_price() -> None:
    """0.63 ETH for the pool and 0.37 received, at 3,000; a swap may also be free."""
    result = made(swap(received=37, pool=63), swap(received=0, pool=0))

    assert rows(result, "fees") == [
        {
            "market": MARKET,
            "fee_kind": "swap",
            "fee_token": WETH,
            "fee_tokens": usd("1"),
            "fee_usd": usd("3000"),
            "supply_side_usd": usd("1890"),
            "treasury_usd": usd("300.033"),
            "holders_usd": usd("809.967"),
            "split_basis": "policy",
        }
    ]


def test_the_first_shape_of_a_swap_fee_reads_the_same() -> None:
    """Until September 2023 it carried a text `action` in place of two keys."""
    first = keyed(
        "SwapFeesCollected",
        EMITTER,
        [topic(MARKET)],
        address={"uiFeeReceiver": PROVIDER, "market": MARKET, "token": USDC},
        uint256={
            "tokenPrice": USDC_PRICE,
            "feeReceiverAmount": 0,
            "feeAmountForPool": 3_000_000,
            "uiFeeAmount": 1_000_000,
        },
        string={"action": "swap"},
    )

    result = made(first)

    (row,) = rows(result, "fees")
    assert (row["fee_usd"], row["supply_side_usd"]) == (usd("4"), usd("4"))
    assert reasons(result) == []


def test_funding_is_what_the_trader_paid_with_the_change() -> None:
    """It is no fee; the side comes from the position event of the order."""
    result = made(collected(fundingFeeAmount=2_500_000), position("PositionDecrease", orderType=4))

    assert rows(result, "fees") == []
    assert rows(result, "funding") == [
        {"market": MARKET, "account": TRADER, "is_long": True, "paid_usd": usd("2.5")}
    ]


def test_funding_without_its_position_has_no_side() -> None:
    """A batch without any position event still gives the row."""
    result = made(collected(fundingFeeAmount=2_500_000))

    assert rows(result, "funding") == [
        {"market": MARKET, "account": TRADER, "paid_usd": usd("2.5")}
    ]


def interest(name: str, delta: int, following: int, market: str = MARKET) -> Built:
    """Return an open interest event of longs on USDC."""
    return keyed(
        name,
        EMITTER,
        [topic(market)],
        address={"market": market, "collateralToken": USDC},
        uint256={"nextValue": following},
        int256={"delta": delta},
        bool={"isLong": True},
    )


def test_an_item_of_another_type_costs_its_row_alone() -> None:
    """A side that arrives as a number is no side; the rest of the batch is read."""
    odd = keyed(
        "OpenInterestUpdated",
        EMITTER,
        [topic(MARKET)],
        address={"market": MARKET, "collateralToken": USDC},
        uint256={"nextValue": USD, "isLong": 1},
        int256={"delta": USD},
    )

    result = made(odd, oracle(USDC, USDC_PRICE, USDC_PRICE))

    assert reasons(result) == [
        ("OpenInterestUpdated", "open_interest", "a uint argument is not a flag")
    ]
    assert len(rows(result, "oracle_updates")) == 1


@pytest.mark.parametrize(("kind", "value"), [("string", "7"), ("bytes", b"7")])
def test_a_number_that_arrives_as_a_text_costs_its_row_alone(kind: str, value: object) -> None:
    """Also where no other log of the batch says it as a number."""
    odd = keyed(
        "OpenInterestUpdated",
        EMITTER,
        [topic(MARKET)],
        address={"market": MARKET, "collateralToken": USDC},
        bool={"isLong": True},
        int256={"delta": USD},
        **{kind: {"nextValue": value}},
    )

    result = made(odd, oracle(USDC, USDC_PRICE, USDC_PRICE))

    assert reasons(result) == [
        ("OpenInterestUpdated", "open_interest", f"a {kind} argument is not a number")
    ]
    assert len(rows(result, "oracle_updates")) == 1


def test_open_interest_is_the_venue_s_own_total() -> None:
    """Dollars from one event, base units of the index token from the other."""
    result = made(
        interest("OpenInterestUpdated", -30_000 * USD, 170_000_000 * USD),
        interest("OpenInterestInTokensUpdated", -50_000_000, 283_333_333_333),
    )

    side = {"market": MARKET, "collateral_token": USDC, "is_long": True}
    assert rows(result, "open_interest") == [
        {
            **side,
            "open_interest_usd": usd("170000000"),
            "open_interest_delta_usd": usd("-30000"),
        },
        {
            **side,
            "open_interest_tokens": usd("2833.33333333"),
            "open_interest_delta_tokens": usd("-0.5"),
        },
    ]


def test_a_market_nobody_named_costs_only_what_needs_it() -> None:
    """Dollars need no decimals; tokens of an unknown index do, and their row is rejected."""
    unknown = "0x" + "77" * 20

    result = made(
        interest("OpenInterestUpdated", USD, USD, unknown),
        interest("OpenInterestInTokensUpdated", 1, 1, unknown),
    )

    assert [row["open_interest_usd"] for row in rows(result, "open_interest")] == [usd("1")]
    assert reasons(result) == [
        (
            "OpenInterestInTokensUpdated",
            "open_interest",
            f"the index token of {unknown} is not known",
        )
    ]


@pytest.mark.parametrize("index", [WETH, "0x" + "00" * 20])
def test_a_created_market_is_known_from_then_on(index: str) -> None:
    """Its events scale by its index token; a market for swaps alone has none."""
    market = "0x" + "77" * 20
    created = keyed(
        "MarketCreated",
        EMITTER,
        [topic(market)],
        address={
            "marketToken": market,
            "indexToken": index,
            "longToken": WETH,
            "shortToken": USDC,
        },
        bytes32={"salt": bytes(32)},
    )

    result = made(created, interest("OpenInterestInTokensUpdated", 0, 10**18, market))

    learned = result.markets.row(0, named=True)
    assert learned["index_token"] == (WETH if index == WETH else None)
    assert learned["symbol"] == ("ETH" if index == WETH else None)
    assert (learned["long_token"], learned["short_token"]) == (WETH, USDC)
    assert (learned["market"], learned["asset_class"]) == (market, "unknown")
    sizes = [row["open_interest_tokens"] for row in rows(result, "open_interest")]
    assert sizes == ([usd("1")] if index == WETH else [])


def test_a_learned_market_of_wrapped_avax_is_named_avax() -> None:
    """As in the list of markets and in its own oracle prices."""
    wrapped, market = "0xb31f66aa3c1e785363f0875a1b74e27b85fd66c7", "0x" + "77" * 20
    created = keyed(
        "MarketCreated",
        AVALANCHE_EMITTER,
        [topic(market)],
        address={"marketToken": market, "indexToken": wrapped},
    )

    result = built_facts("gmx_v2", AVALANCHE, [created])

    assert result.markets["symbol"].to_list() == ["AVAX"]


def test_an_oracle_price_is_the_mid_of_its_spread() -> None:
    """WETH is priced as ETH; the time is the source's own."""
    result = made(oracle(WETH, 2_999 * 10**12, 3_001 * 10**12))

    assert rows(result, "oracle_updates") == [
        {
            "feed": WETH,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("3000"),
            "oracle_price_min_quote": usd("2999"),
            "oracle_price_max_quote": usd("3001"),
            "observed_at": datetime(2025, 6, 1, 12),
            "provider": PROVIDER,
        }
    ]


def test_an_oracle_price_of_the_first_release_has_no_time() -> None:
    """Until June 2024 neither provider nor timestamp was said."""
    first = {
        "address": {"token": USDC},
        "uint256": {"minPrice": USDC_PRICE, "maxPrice": USDC_PRICE},
        "bool": {"isPriceFeed": True},
    }

    result = made(oracle(USDC, 0, 0, first))

    assert rows(result, "oracle_updates") == [
        {
            "feed": USDC,
            "asset": "USDC",
            "quote": "USD",
            "oracle_price_quote": usd("1"),
            "oracle_price_min_quote": usd("1"),
            "oracle_price_max_quote": usd("1"),
        }
    ]


def test_a_price_of_an_unknown_token_is_rejected_and_asked_for() -> None:
    """Its decimals decide its scale; the token is named so that they can be fetched."""
    token = "0x" + "55" * 20

    result = made(oracle(token, 1, 1))

    assert reasons(result) == [
        ("OraclePriceUpdate", "oracle_updates", f"decimals of token {token} are not known")
    ]
    assert result.unknown_tokens == (token,)


def buyback(bought: str) -> Built:
    """Return a BuybackFees of 200 tokens for 3,000 USDC."""
    return keyed(
        "BuybackFees",
        EMITTER,
        address={"feeToken": USDC, "buybackToken": bought},
        uint256={
            "batchSize": 200 * 10**18,
            "buybackAmount": 3_000 * 10**6,
            "availableFeeAmount": 5_000 * 10**6,
        },
    )


def test_a_buyback_of_gmx_is_worth_what_was_spent() -> None:
    """3,000 USDC at a mid of 0.9999; the batch is what came in, the amount what went out."""
    result = made(oracle(USDC, USDC_PRICE - 2 * 10**20, USDC_PRICE), buyback(GMX))

    assert rows(result, "buybacks") == [
        {
            "bought_token": GMX,
            "bought_tokens": usd("200"),
            "spent_token": USDC,
            "spent_tokens": usd("3000"),
            "spent_usd": usd("2999.7"),
            "destination_kind": "distribution",
        }
    ]


def test_fees_swapped_for_ether_are_no_buyback() -> None:
    """The treasury's part of the fees is sold for WETH by the same contract."""
    result = made(oracle(USDC, USDC_PRICE, USDC_PRICE), buyback(WETH))

    assert rows(result, "buybacks") == []


def recorded_facts(shared: Path, name: str, chain: Chain) -> Facts:
    """Return the facts of recorded logs of GMX v2 on a chain."""
    logs, headers = recorded(shared / f"data/logs/{name}.jsonl.gz", chain.slug)
    protocols = [PROTOCOLS["gmx_v2"]]
    return facts(protocols, chain, logs, headers, declared(protocols, chain))


def said(shared: Path, transaction: str, name: str) -> list[dict[str, Any]]:
    """Return the items of a recorded transaction's events of one name, read by `eth_abi`."""
    return [
        items(one)
        for one in recorded_logs(shared / "data/logs/gmx_v2.jsonl.gz")
        if one["transactionHash"].startswith(transaction) and one.get("_gmx_event") == name
    ]


def of_transaction(result: Facts, table: str, transaction: str) -> list[dict[str, Any]]:
    """Return a table's rows of one transaction: the declared columns that are known."""
    narrowed = {
        name: frame.filter(frame["tx_hash"].str.starts_with(transaction))
        for name, frame in result.tables.items()
    }
    return rows(Facts(narrowed, result.rejects, result.markets, ()), table)


EXECUTIONS = {"0x17b8f52b": 1, "0xd4c6d03d": -1}


@pytest.mark.parametrize("transaction", EXECUTIONS)
def test_a_recorded_execution_gives_its_position_change(shared: Path, transaction: str) -> None:
    """One row, its numbers those of the items: BTC and ZEC both have 8 decimals, USDC 6."""
    sign = EXECUTIONS[transaction]
    name = "PositionIncrease" if sign > 0 else "PositionDecrease"
    (told,) = said(shared, transaction, name)
    worth = sign * told["collateralDeltaAmount"] * told["collateralTokenPrice.min"]
    expected = {
        "market": told["market"],
        "account": told["account"],
        "position_id": "0x" + told["positionKey"].hex(),
        "cause": "trade",
        "is_long": told["isLong"],
        "collateral_token": told["collateralToken"],
        "notional_delta_usd": scaled(sign * told["sizeDeltaUsd"], 30),
        "size_delta_tokens": scaled(sign * told["sizeDeltaInTokens"], 8),
        "collateral_delta_usd": scaled(worth, 30),
        "execution_price_usd": scaled(told["executionPrice"], 22),
        "notional_usd": scaled(told["sizeInUsd"], 30),
        "size_tokens": scaled(told["sizeInTokens"], 8),
    }
    if "basePnlUsd" in told:
        expected["realized_pnl_usd"] = scaled(told["basePnlUsd"], 30)

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    assert of_transaction(result, "position_changes", transaction) == [expected]
    assert of_transaction(result, "liquidations", transaction) == []
    assert of_transaction(result, "adls", transaction) == []


@pytest.mark.parametrize("transaction", EXECUTIONS)
def test_a_recorded_execution_gives_its_open_interest(shared: Path, transaction: str) -> None:
    """Dollars and tokens, after and change."""
    (dollars,) = said(shared, transaction, "OpenInterestUpdated")
    (tokens,) = said(shared, transaction, "OpenInterestInTokensUpdated")
    side = {
        "market": dollars["market"],
        "collateral_token": dollars["collateralToken"],
        "is_long": dollars["isLong"],
    }

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    assert of_transaction(result, "open_interest", transaction) == [
        {
            **side,
            "open_interest_usd": scaled(dollars["nextValue"], 30),
            "open_interest_delta_usd": scaled(dollars["delta"], 30),
        },
        {
            **side,
            "open_interest_tokens": scaled(tokens["nextValue"], 8),
            "open_interest_delta_tokens": scaled(tokens["delta"], 8),
        },
    ]


@pytest.mark.parametrize("transaction", EXECUTIONS)
def test_a_recorded_execution_pays_its_fees_once(shared: Path, transaction: str) -> None:
    """
    Position and borrow fee together are what the trader paid without funding, and what the
    receiver, the pool and the affiliate got: no part counts twice.
    """
    (told,) = said(shared, transaction, "PositionFeesCollected")
    reward = told.get("referral.affiliateRewardAmount", 0)

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    paid = [row for row in of_transaction(result, "fees", transaction) if row["fee_kind"] != "swap"]
    assert [row["fee_kind"] for row in paid] == ["position", "borrow"]
    assert sum(row["fee_tokens"] for row in paid) == scaled(
        told["totalCostAmount"] - told["fundingFeeAmount"], 6
    )
    price = told["collateralTokenPrice.min"]
    received, pool = told["feeReceiverAmount"], told["feeAmountForPool"]
    assert total(paid, "supply_side_usd") == scaled((pool + reward) * price, 30)
    assert near(total(paid, "holders_usd") + total(paid, "treasury_usd"), received * price, 30)
    assert near(total(paid, "holders_usd"), received * price * 7_297, 34)


@pytest.mark.parametrize("transaction", EXECUTIONS)
def test_a_recorded_execution_pays_its_swap_fees_once(shared: Path, transaction: str) -> None:
    """The decrease swapped its profit and paid for that; the increase swapped nothing."""
    told = said(shared, transaction, "SwapFeesCollected")

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    swaps = [
        row for row in of_transaction(result, "fees", transaction) if row["fee_kind"] == "swap"
    ]
    assert [row["fee_usd"] for row in swaps] == [
        scaled((one["feeReceiverAmount"] + one["feeAmountForPool"]) * one["tokenPrice"], 30)
        for one in told
    ]
    assert len(swaps) == (0 if EXECUTIONS[transaction] > 0 else 1)


def total(paid: list[dict[str, Any]], column: str) -> Decimal:
    """Return the sum of a column."""
    return sum((row[column] for row in paid), Decimal(0))


def near(number: Decimal, value: int, decimals: int) -> bool:
    """Tell whether a sum of truncated parts is its whole, but for one unit a part."""
    return abs(number - scaled(value, decimals)) <= Decimal("3e-18")


@pytest.mark.parametrize("transaction", EXECUTIONS)
def test_a_recorded_execution_gives_its_prices(shared: Path, transaction: str) -> None:
    """Every price of the transaction, by its token's decimals."""
    decimals = {token.address: token.decimals for token in PROTOCOLS["gmx_v2"].tokens}
    told = said(shared, transaction, "OraclePriceUpdate")

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    prices = of_transaction(result, "oracle_updates", transaction)
    assert [(row["feed"], row["oracle_price_min_quote"]) for row in prices] == [
        (one["token"], scaled(one["minPrice"], 30 - decimals[one["token"]])) for one in told
    ]
    assert [row["oracle_price_quote"] for row in prices] == [
        scaled(one["minPrice"] + one["maxPrice"], 30 - decimals[one["token"]], over=2)
        for one in told
    ]
    assert {row["asset"] for row in prices} <= {"BTC", "USDC", "ZEC"}


def test_recorded_logs_of_arbitrum_are_all_read(shared: Path) -> None:
    """No reject: every token and market of the recorded logs is known to the declaration."""
    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    assert reasons(result) == []
    assert result.unknown_tokens == ()
    assert {name: len(table) for name, table in result.tables.items() if len(table)} == {
        "position_changes": 2,
        "open_interest": 4,
        "oracle_updates": 106,
        "fees": 12,
        "funding": 13,
        "pool_flows": 5,
        "share_prices": 6,
        "pool_states": 6,
    }


def test_recorded_logs_of_the_testnet_are_all_read(shared: Path) -> None:
    """Prices and swap fees of deposits and withdrawals; nobody traded."""
    result = recorded_facts(shared, "gmx_v2_testnet", ARBITRUM_SEPOLIA)

    assert reasons(result) == []
    assert {name: len(table) for name, table in result.tables.items() if len(table)} == {
        "oracle_updates": 14,
        "fees": 9,
        "funding": 8,
        "pool_flows": 7,
        "share_prices": 4,
        "pool_states": 4,
    }
