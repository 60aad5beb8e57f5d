"""Avantis: one golden per event and release, all synthetic."""

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from goldens import Built, abi_of, built_facts, log, reasons, rows, signature, usd

from indexer.chains import BASE
from indexer.facts import Facts, declared
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS

CALLBACKS = "0x0c16ff40065cc3ab4bc55b60e447504afb9c7970"
STORAGE = "0x8a311d7048c35985aa31c131b9a13e03a5f7422d"
PAIR_INFOS = "0x81f22d0cc22977c91befe648c9fddf1f2bd977e5"
PAIRS = "0x92ed158d5e423cfdc9eed5bd7328fff7ced6ff94"
SECOND_PAIRS = "0x5db3772136e5557efe028db05ee95c84d76faec4"
PRICES = "0x64e2625621970f8cfa17b294670d61cb883da511"
JUNIOR = "0x944766f715b51967e56afde5f0aa76ceacc9e7f9"
USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
DEAD = "0x000000000000000000000000000000000000dead"
AVNT = "0x696f9436b67233384889472cd7cd58a6fb5df4f1"
TRADER = "0x" + "aa" * 20
# 200 dollars, 50 times, on pair 1, short at 2,000; closed at 1,990.
E10 = 10**10
TRADE = (TRADER, 1, 2, 200 * 10**6, 0, 2_000 * E10, False, 50 * E10, 0, 0, 1_700_000_000)
POSITION = {
    "market": "1",
    "account": TRADER,
    "position_id": "2",
    "is_long": False,
    "collateral_token": USDC,
}
RELEASES = ("1", "1.x", "1.5")


def execution(event: str, release: str, **said: Any) -> Built:
    """Return an execution at 1,990, 25 % up, of a quarter of the trade, as a release logs it."""
    (entry,) = (
        one
        for one in abi_of("avantis/TradingCallbacks")
        if one["name"] == event
        and {"timestamp": "1", "isPnl": "1.5"}.get(one["inputs"][-1]["name"], "1.x") == release
    )
    values: dict[str, Any] = {
        "orderId": 9,
        "limitIndex": 0,
        "t": TRADE,
        "open": False,
        "orderType": 0,
        "price": 1_990 * E10,
        "positionSizeUSDC": 50 * 10**6,
        "percentProfit": 25 * E10,
        "usdcSentToTrader": 62 * 10**6,
        "USDCSentToTrader": 62 * 10**6,
        "timestamp": 1_700_000_001,
        "isPnl": False,
        **said,
    }
    named = {part["name"]: values[part["name"]] for part in entry["inputs"]}
    return log("avantis/TradingCallbacks", signature(entry), CALLBACKS, **named)


def opening_fee(fee: int) -> Built:
    """Return a FeesCharged of the storage."""
    values = {"_trader": TRADER, "_pairIndex": 1, "_buy": False, "fee": fee}
    return log("avantis/TradingStorage", "FeesCharged", STORAGE, **values)


def referred(rebate: int, trader: str = TRADER) -> Built:
    """Return a TradeReferred of an opening, which names no pair."""
    return log(
        "avantis/TradingStorage",
        "TradeReferred",
        STORAGE,
        _trader=trader,
        _referrer=JUNIOR,
        _leveragedPosition=2_500 * 10**6,
        _traderFeePostDiscount=10_000_000,
        _startingFees=11_000_000,
        _referrerRebate=rebate,
        _pairIndex=0,
    )


def closing_fees(
    collateral: int = 50 * 10**6, closing: int = 5 * 10**6, rollover: int = 10**6
) -> Built:
    """Return a FeesCharged of PairInfos of the last release."""
    return log(
        "avantis/PairInfos",
        "FeesCharged(bool,uint256,uint256,int256,uint256,uint256,uint256)",
        PAIR_INFOS,
        buy=False,
        collateral=collateral,
        leverage=50 * E10,
        percentProfit=25 * E10,
        r=rollover,
        closingFee=closing,
        lossProtection=0,
    )


def added(symbol: str, quote: str) -> Built:
    """Return the PairAdded of pair 1."""
    values = {"index": 1, "from": symbol, "to": quote}
    return log("avantis/PairStorage", "PairAdded", PAIRS, **values)


def made(
    *logs: Built, at: datetime = datetime(2025, 6, 1), pair: tuple[str, str] | None = ("ETH", "USD")
) -> Facts:
    """Return the facts of one transaction, after that which added the pair."""
    listed = [added(*pair)] if pair else []
    return built_facts("avantis", BASE, listed, logs, at=at)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("event", "how"), [("MarketExecuted", {"open": True}), ("LimitExecuted", {"orderType": 3})]
)
def test_an_opening_is_collateral_times_leverage(
    event: str, how: dict[str, Any], release: str
) -> None:
    """50 dollars, 50 times; what is called positionSizeUSDC is the collateral."""
    result = made(execution(event, release, percentProfit=0, **how))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("2500"),
            "collateral_delta_usd": usd("50"),
            "execution_price_usd": usd("1990"),
            "notional_usd": usd("2500"),
        }
    ]
    assert set(result.tables["position_changes"]["version"]) == {release}
    assert len(result.tables["liquidations"]) == 0


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("MarketExecuted", {}),
        ("LimitExecuted", {"orderType": 0}),
        ("LimitExecuted", {"orderType": 1}),
    ],
)
def test_a_closing_realises_its_percentage_of_the_collateral(
    event: str, how: dict[str, Any], release: str
) -> None:
    """25 % of 50 dollars; a part may stay open, so what is left is not known."""
    result = made(execution(event, release, **how))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("-2500"),
            "collateral_delta_usd": usd("-50"),
            "execution_price_usd": usd("1990"),
            "realized_pnl_usd": usd("12.5"),
        }
    ]
    assert len(result.tables["liquidations"]) == 0


@pytest.mark.parametrize("event", ["MarketExecuted", "LimitExecuted"])
@pytest.mark.parametrize("release", RELEASES)
def test_a_closing_of_all_collateral_leaves_nothing(event: str, release: str) -> None:
    """The trade is told as it was: 200 of 200 dollars is all of it, whatever was counted before."""
    result = made(execution(event, release, positionSizeUSDC=200 * 10**6))

    (closed,) = rows(result, "position_changes")
    assert (closed["notional_delta_usd"], closed["notional_usd"]) == (usd("-10000"), usd("0"))


@pytest.mark.parametrize("release", RELEASES)
def test_a_liquidation_is_order_type_two(release: str) -> None:
    """It takes its fee from the FeesCharged before it that has its collateral and percentage."""
    liquidated = {"orderType": 2, "percentProfit": -90 * E10, "usdcSentToTrader": 0}

    result = made(
        closing_fees(closing=7),
        log(
            "avantis/PairInfos",
            "FeesCharged(bool,uint256,uint256,int256,uint256,uint256,uint256)",
            PAIR_INFOS,
            buy=False,
            collateral=50 * 10**6,
            leverage=50 * E10,
            percentProfit=-90 * E10,
            r=0,
            closingFee=5 * 10**6,
            lossProtection=0,
        ),
        execution("LimitExecuted", release, **liquidated),
    )

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("2500"),
            "collateral_usd": usd("50"),
            "mark_price_usd": usd("1990"),
            "execution_price_usd": usd("1990"),
            "realized_pnl_usd": usd("-45"),
            "fee_usd": usd("5"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert result.tables["position_changes"]["cause"].to_list() == ["liquidation"]
    assert [row["fee_kind"] for row in rows(result, "fees") if row["fee_usd"] == usd("5")] == [
        "liquidation"
    ]


def test_a_pair_in_another_currency_has_no_price_in_dollars() -> None:
    """150 yen are no 150 dollars; the notional is USDC whatever the pair."""
    lost = execution("LimitExecuted", "1.5", orderType=2)

    result = made(lost, pair=("USD", "JPY"))

    (liquidated,) = rows(result, "liquidations")
    assert liquidated["notional_usd"] == usd("2500")
    assert liquidated.keys().isdisjoint({"execution_price_usd", "mark_price_usd"})


def test_an_unknown_order_type_is_refused() -> None:
    """A type of a later release is neither a trade nor a liquidation until somebody says so."""
    result = made(execution("LimitExecuted", "1.5", orderType=7))

    (refused,) = reasons(result)
    assert refused[1:] == ("position_changes", "7 is not in the declared table")


def test_open_interest_goes_up_and_down() -> None:
    """The flag says which way the dollars go."""
    update = {"_long": True, "_pairIndex": 1, "_price": 2_000 * E10}
    logs = [
        log("avantis/TradingStorage", "OIUpdated", STORAGE, _open=way, _leveragedPos=size, **update)
        for way, size in ((True, 2_500 * 10**6), (False, 1_000 * 10**6))
    ]

    assert rows(made(*logs), "open_interest") == [
        {"market": "1", "is_long": True, "open_interest_delta_usd": usd("2500")},
        {"market": "1", "is_long": True, "open_interest_delta_usd": usd("-1000")},
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_the_fee_of_an_opening_is_split(release: str) -> None:
    """A fifth of it is the treasury's; without an execution the order was cancelled and paid."""
    opened = execution("MarketExecuted", release, open=True)
    fee = {
        "market": "1",
        "account": TRADER,
        "fee_kind": "position",
        "fee_token": USDC,
        "fee_tokens": usd("4"),
        "fee_usd": usd("4"),
        "supply_side_usd": usd("3.2"),
        "treasury_usd": usd("0.8"),
        "holders_usd": usd("0"),
        "split_basis": "policy",
    }

    assert rows(made(opening_fee(4_000_000), opened), "fees") == [fee]
    assert rows(made(opening_fee(4_000_000)), "fees") == [fee]
    assert rows(made(opening_fee(0), opened), "fees") == []


def test_what_the_referrer_gets_is_not_split() -> None:
    """1 of 10 is the referrer's and a fifth of 9 the treasury's, by the rebate right before it."""
    result = made(
        referred(5_000_000),
        referred(1_000_000),
        referred(3_000_000, PAIRS),
        opening_fee(10_000_000),
        execution("MarketExecuted", "1.5", open=True),
    )

    (fee,) = rows(result, "fees")
    assert (fee["fee_usd"], fee["supply_side_usd"], fee["treasury_usd"]) == (
        usd("10"),
        usd("8.2"),
        usd("1.8"),
    )


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("event", "how"), [("MarketExecuted", {}), ("LimitExecuted", {"orderType": 2})]
)
def test_a_closing_pays_once(event: str, how: dict[str, Any], release: str) -> None:
    """If the storage logs a fee at a closing too, it is the one that PairInfos says."""
    result = made(opening_fee(5_000_000), closing_fees(), execution(event, release, **how))

    kinds = {row["fee_kind"]: row["fee_usd"] for row in rows(result, "fees")}
    closing = "liquidation" if how else "position"
    assert kinds == {closing: usd("5"), "borrow": usd("1")}


def test_fees_of_a_closing_belong_to_the_execution_after_them() -> None:
    """PairInfos names no trader and no pair; the execution of its collateral does."""
    result = made(closing_fees(collateral=77), closing_fees(), execution("MarketExecuted", "1.5"))

    owned = [(row.get("market"), row.get("account")) for row in rows(result, "fees")]
    assert sorted(owned, key=str) == sorted([(None, None), ("1", TRADER)] * 2, key=str)
    assert rows(result, "fees")[1] == {
        "market": "1",
        "account": TRADER,
        "fee_kind": "position",
        "fee_token": USDC,
        "fee_tokens": usd("5"),
        "fee_usd": usd("5"),
        "split_basis": "none",
    }


@pytest.mark.parametrize("event", ["MarketExecuted", "LimitExecuted"])
def test_before_release_1_5_the_vault_gets_what_closings_pay(event: str) -> None:
    """All but the keeper's reward, who is supply side too; later governance has a part of it."""
    earlier, later = (
        {
            row["fee_kind"]: row
            for row in rows(made(closing_fees(), execution(event, release)), "fees")
        }
        for release in ("1.x", "1.5")
    )

    for fee in (*earlier.values(), later["borrow"]):
        assert (fee["supply_side_usd"], fee["treasury_usd"]) == (fee["fee_usd"], usd("0"))
        assert fee["split_basis"] == "policy"
    assert later["position"]["split_basis"] == "none"
    assert not {"supply_side_usd", "treasury_usd"} & later["position"].keys()


def test_rollover_of_an_execution_that_is_not_known_has_no_split() -> None:
    """A release that nobody has read may share it otherwise."""
    (fee,) = (row for row in rows(made(closing_fees()), "fees") if row["fee_kind"] == "borrow")

    assert fee["split_basis"] == "none"
    assert "supply_side_usd" not in fee


def test_avnt_that_is_put_out_of_reach_is_bought_back() -> None:
    """The venue burns what it buys; what moves elsewhere is nobody's business here."""
    burnt, moved = (
        log("erc20/Token", "Transfer", AVNT, **{"from": TRADER}, to=to, value=5 * 10**18)
        for to in (DEAD, JUNIOR)
    )

    nothing = log("erc20/Token", "Transfer", AVNT, **{"from": TRADER}, to=DEAD, value=0)

    result = made(burnt, moved, nothing)

    assert rows(result, "buybacks") == [
        {
            "bought_token": AVNT,
            "bought_tokens": usd("5"),
            "burned_tokens": usd("5"),
            "destination_kind": "dead_burn",
        }
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == ["assumed"]


def test_the_first_release_says_the_rollover_alone() -> None:
    """Its FeesCharged names the pair, and no closing fee."""
    charged = log(
        "avantis/PairInfos",
        "FeesCharged(uint256,bool,uint256,uint256,int256,uint256)",
        PAIR_INFOS,
        pairIndex=1,
        long=False,
        collateral=50 * 10**6,
        leverage=50 * E10,
        percentProfit=25 * E10,
        rolloverFees=1_500_000,
    )

    assert rows(made(charged, execution("MarketExecuted", "1")), "fees") == [
        {
            "market": "1",
            "account": TRADER,
            "fee_kind": "borrow",
            "fee_token": USDC,
            "fee_tokens": usd("1.5"),
            "fee_usd": usd("1.5"),
            "split_basis": "none",
        }
    ]


@pytest.mark.parametrize(
    "trading",
    [
        "0x5ff292d70ba9cd9e7ccb313782811b3d7120535f",
        "0x44914408af82bc9983bbb330e3578e1105e11d4e",
    ],
)
def test_margin_that_is_moved_pays_the_rollover_so_far(trading: str) -> None:
    """The closing charges what accrues from then on, so both are fees; nothing to pay is none."""
    said = {"trader": TRADER, "pairIndex": 1, "index": 2, "_type": 0, "newTrade": TRADE}
    moved = [
        log(
            "avantis/Trading",
            "MarginUpdated",
            trading,
            **said,
            marginFees=fees,
            lossProtectionTier=0,
            timestamp=1_700_000_000,
        )
        for fees in (1_250_000, 0)
    ]

    assert rows(made(*moved), "fees") == [
        {
            "market": "1",
            "account": TRADER,
            "fee_kind": "borrow",
            "fee_token": USDC,
            "fee_tokens": usd("1.25"),
            "fee_usd": usd("1.25"),
            "supply_side_usd": usd("1.25"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "policy",
        }
    ]


@pytest.mark.parametrize(
    ("event", "feed", "provider"),
    [("PriceReceived", "1", "pyth"), ("BackupPriceReceived", PRICES.lower(), "chainlink")],
)
def test_a_price_is_in_what_its_pair_says(event: str, feed: str, provider: str) -> None:
    """Not every pair is quoted in dollars; what it is checked with is a feed of its own."""
    price = log("avantis/PriceAggregator", event, PRICES, orderId=9, pairIndex=1, price=150 * E10)

    result = made(price, pair=("USD", "JPY"))

    assert rows(result, "oracle_updates") == [
        {
            "feed": feed,
            "asset": "USD",
            "quote": "JPY",
            "oracle_price_quote": usd("150"),
            "round_id": "9",
            "provider": provider,
        }
    ]
    assert reasons(made(price, pair=None)) == [(event, "oracle_updates", "quote is not known")]


def test_a_pair_is_a_market() -> None:
    """Its number, what it is of and what it is in."""
    learned = made().markets

    assert learned.select("market", "symbol", "quote").rows() == [("1", "ETH", "USD")]


def test_a_pair_that_was_added_without_names_has_those_told_apart() -> None:
    """From January 2025 on; what one was called first stays."""
    data = {"numTiers": 2, "tierthresholds": [1, 2], "timers": [3, 4]}
    told = [
        log(
            "avantis/PairStorage",
            "PairDataUpdated",
            SECOND_PAIRS,
            **{"pairIndex": pair, "from": symbol, "to": "USD", **data},
        )
        for pair, symbol in ((1, "ETHEREUM"), (42, "SPY"))
    ]
    price = {"orderId": 9, "pairIndex": 42, "price": 600 * E10}

    result = made(*told, log("avantis/PriceAggregator", "PriceReceived", PRICES, **price))

    assert result.markets.select("market", "symbol", "quote").rows() == [
        ("1", "ETH", "USD"),
        ("42", "SPY", "USD"),
    ]
    assert [row["asset"] for row in rows(result, "oracle_updates")] == ["SPY"]


def rollover(pair: int = 1) -> Built:
    """Return the rollover so far of both sides of a pair."""
    values = {"pairIndex": pair, "valueLong": 2_500, "valueShort": 125}
    return log("avantis/PairInfos", "AccRolloverFeesStored", PAIR_INFOS, **values)


@pytest.mark.parametrize(
    ("release", "long", "short"),
    [
        ("1", "0.0025", "0.000125"),
        ("1.x", "0.00000025", "0.0000000125"),
        ("1.5", "0.00000025", "0.0000000125"),
    ],
)
@pytest.mark.parametrize("event", ["MarketExecuted", "LimitExecuted"])
def test_rollover_accumulates_per_side(event: str, release: str, long: str, short: str) -> None:
    """USDC per USDC of open interest, 1e6 at first and 1e10 since, by the execution after it."""
    result = made(rollover(), execution(event, release))

    assert rows(result, "funding") == [
        {"market": "1", "is_long": True, "funding_rate_cumulative_ratio": usd(long)},
        {"market": "1", "is_long": False, "funding_rate_cumulative_ratio": usd(short)},
    ]
    assert set(result.tables["funding"]["version"]) == {release}


def test_rollover_without_an_execution_of_its_pair_has_no_known_decimals() -> None:
    """Margin was moved, or a rate set: neither says which release it is."""
    result = made(execution("MarketExecuted", "1.5"), rollover(), rollover(pair=2))

    assert rows(result, "funding") == []
    assert reasons(result) == []


def test_tranches_take_and_give_usdc() -> None:
    """Deposits and withdrawals of both, by whom the shares belong to."""
    owner = {"sender": JUNIOR, "owner": TRADER, "assets": 100 * 10**6, "shares": 95 * 10**6}

    result = made(
        log("avantis/Tranche", "Deposit", JUNIOR, **owner),
        log("avantis/Tranche", "Withdraw", JUNIOR, receiver=PAIRS, **owner),
    )

    flow = {
        "pool": JUNIOR,
        "account": TRADER,
        "asset_token": USDC,
        "asset_tokens": usd("100"),
        "share_tokens": usd("95"),
    }
    assert rows(result, "pool_flows") == [
        {**flow, "kind": "deposit"},
        {**flow, "kind": "withdrawal"},
    ]


def test_a_tranche_says_what_a_share_is_worth() -> None:
    """Assets for 1e18 of the smallest shares give 18 places; the supply has USDC's decimals."""
    protocol = PROTOCOLS["avantis"]
    known = declared([protocol], BASE)
    due = pl.DataFrame(
        [("share_price", 900, b"\xbb" * 32, datetime(2025, 6, 1))], DUE, orient="row"
    )
    told = [10**18, 0, 1_050_000_000_000_000_001, 3 * 10**6]  # contracts by address
    reads = questions(protocol, BASE, known, due).with_columns(
        pl.Series("answer", [number.to_bytes(32) for number in told], pl.Binary),
        state=pl.lit("available"),
        detail=pl.lit(None, pl.String),
    )

    found = rows(read_facts([protocol], BASE, reads, known), "share_prices")

    assert found[1] == {
        "pool": JUNIOR,
        "asset_token": USDC,
        "share_price_tokens": usd("1.050000000000000001"),
        "supply_tokens": usd("3"),
    }
    assert len(found) == 2
