"""Ostium: one golden per event and release, all synthetic."""

from typing import Any

import pytest
from goldens import Built, abi_of, built_facts, log, reasons, rows, signature, usd

from indexer.chains import ARBITRUM, ARBITRUM_SEPOLIA
from indexer.facts import Facts

EMITTERS = {
    "TradingCallbacks": "0x7720fc8c8680bf4a1af99d44c6c265a74e9742a9",
    "Trading": "0x6d0ba1f9996dbd8885827e1b2e8f6593e7702411",
    "PairInfos": "0x3890243a8fc091c626ed26c087a028b46bc9d66c",
    "PairsStorage": "0x260e349f643f12797fdc6f8c9d3df211d5577823",
    "Vault": "0x20d419a8e12c45f88fda7c5760bb6923cee27f98",
    "PriceUpKeep": "0x52b2a78e12b09b66c6c8ce291d653d40bab77f0c",
}
PRIVATE_PRICES = "0xb71ec9ebd8145dacacf6724363143cb5667a3d36"
TEST_TRADING = "0x2a9b9c988393f46a2537b0ff11e98c2c15a95afe"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
TEST_USDC = "0xe73b11fb1e3eeee8af2a23079a4410fe1b370548"
TRADER = "0x" + "aa" * 20
OTHER = "0x" + "bb" * 20
TRADE, ORDER, PAIR = 41, 77, 5
WAD = 10**18


def of(contract: str, name: str, emitter: str | None = None, **values: Any) -> Built:
    """Return a log of one of the venue's contracts."""
    return log(f"ostium/{contract}", name, emitter or EMITTERS[contract], **values)


def callback(name: str, **values: Any) -> Built:
    """Return a log of the callbacks about the trader's trade and order, whichever it names."""
    shared = {"orderId": ORDER, "tradeId": TRADE, "trader": TRADER}
    (entry,) = (one for one in abi_of("ostium/TradingCallbacks") if one["name"] == name)
    names = {part["name"] for part in entry["inputs"]}
    chosen = {key: value for key, value in shared.items() if key in names}
    return of("TradingCallbacks", name, **{**chosen, **values})


def opening(event: str, release: str) -> Built:
    """Return an opening of 500 dollars, 20 times, of 4 units long at 2,500."""
    overloads = [one for one in abi_of("ostium/TradingCallbacks") if one["name"] == event]
    has_flag = [
        any(part["name"] == "isDayTrade" for part in one["inputs"][-3]["components"])
        for one in overloads
    ]
    entry = overloads[has_flag.index(release == "2")]
    trade = (500 * 10**6, 2_500 * WAD, 0, 0, TRADER, 2_000, PAIR, 0, True)
    values: dict[str, Any] = {
        "orderId": TRADE,
        "limitIndex": 0,
        "t": (*trade, False) if release == "2" else trade,
        "priceImpactP": 0,
        "tradeNotional": 4 * WAD,
    }
    named = {part["name"]: values[part["name"]] for part in entry["inputs"]}
    return of("TradingCallbacks", signature(entry), **named)


def price(value: int = 2_480, order: int = ORDER, emitter: str | None = None) -> Built:
    """Return the price that an order received: logged after what it caused."""
    values: dict[str, Any] = {
        "orderId": order,
        "pairIndex": PAIR,
        "price": value * WAD,
        "nativeFee": 1,
    }
    return of("PriceUpKeep", "PriceReceived", emitter, **values)


def settled(rollover: int = 2_000_000, funding: int = -500_000) -> Built:
    """Return the FeesCharged of a closing."""
    return callback("FeesCharged", rolloverFees=rollover, fundingFees=funding)


def received(dollars: int, user: str = TRADER) -> Built:
    """Return what the vault got of a trade that lost."""
    callbacks = EMITTERS["TradingCallbacks"]
    return of("Vault", "AssetsReceived", sender=callbacks, user=user, assets=dollars * 10**6)


def closing(event: str, sent: int = 620, **values: Any) -> Built:
    """Return a closing at 2,479.5 that sends the trader these dollars."""
    shared = {"price": 24_795 * WAD // 10, "priceImpactP": 0, "percentProfit": 20 * 10**6}
    return callback(event, usdcSentToTrader=sent * 10**6, **shared, **values)


def added(symbol: str, quote: str) -> Built:
    """Return the PairAdded of the pair."""
    names: dict[str, Any] = {
        "from": symbol.encode().ljust(32, b"\0"),
        "to": quote.encode().ljust(32, b"\0"),
    }
    return of("PairsStorage", "PairAdded", index=PAIR, **names)


def made(*logs: Built, quote: str = "USD") -> Facts:
    """Return the facts of one transaction on Arbitrum, after the pair of gold was added."""
    return built_facts("ostium", ARBITRUM, [added("XAU", quote)], logs)


CLOSED = {
    "market": "5",
    "account": TRADER,
    "position_id": "41",
    "collateral_token": USDC,
    "execution_price_usd": usd("2479.5"),
}
GONE = {"notional_usd": usd("0"), "size_tokens": usd("0"), "closed_ratio": usd("1")}


@pytest.mark.parametrize("release", ["1", "2"])
@pytest.mark.parametrize("event", ["MarketOpenExecuted", "LimitOpenExecuted"])
def test_an_opening_says_everything(event: str, release: str) -> None:
    """500 dollars, 20 times, are 4 units at 2,500; the order's id becomes the position's."""
    result = made(opening(event, release))

    assert rows(result, "position_changes") == [
        {
            "market": "5",
            "account": TRADER,
            "position_id": "41",
            "cause": "trade",
            "is_long": True,
            "collateral_token": USDC,
            "notional_delta_usd": usd("10000"),
            "size_delta_tokens": usd("4"),
            "collateral_delta_usd": usd("500"),
            "execution_price_usd": usd("2500"),
            "notional_usd": usd("10000"),
            "size_tokens": usd("4"),
        }
    ]
    assert set(result.tables["position_changes"]["version"]) == {release}


def test_a_pair_in_another_currency_has_dollars_of_notional_alone() -> None:
    """Its price is in yen, and its size dollars by yen: neither dollars nor units of the base."""
    result = made(opening("MarketOpenExecuted", "2"), quote="JPY")

    (opened,) = rows(result, "position_changes")
    assert opened["notional_delta_usd"] == usd("10000")
    assert opened.keys().isdisjoint({"execution_price_usd", "size_delta_tokens", "size_tokens"})


@pytest.mark.parametrize("percent", [2_500, 10_000])
def test_a_market_closing_says_which_part_it_closed(percent: int) -> None:
    """A quarter leaves an unknown rest; all of it leaves nothing."""
    result = made(settled(), closing("MarketCloseExecutedV2", percentageClosed=percent), price())

    left = GONE if percent == 10_000 else {"closed_ratio": usd("0.25")}
    assert rows(result, "position_changes") == [{**CLOSED, "cause": "trade", **left}]
    assert len(result.tables["liquidations"]) == 0


@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("MarketCloseExecuted", {}),
        ("LimitCloseExecuted", {"orderType": 0}),
        ("LimitCloseExecuted", {"orderType": 1}),
        ("LimitCloseExecuted", {"orderType": 4}),
    ],
)
def test_other_closings_close_all_of_a_trade(event: str, how: dict[str, int]) -> None:
    """Side and size are those of the opening, and null here."""
    result = made(settled(), closing(event, **how), price())

    assert rows(result, "position_changes") == [{**CLOSED, "cause": "trade", **GONE}]
    assert len(result.tables["liquidations"]) == 0


LIQUIDATED = {
    **CLOSED,
    "collateral_usd": usd("498"),
    "mark_price_usd": usd("2480"),
    "realized_pnl_usd": usd("-498"),
    "fee_usd": usd("25"),
    "shortfall_basis": "none",
}


def wiped_out(event: str, **how: int) -> list[Built]:
    """Return a closing that pays nothing: 473 dollars go to the vault, and a fee of 25."""
    fee = callback("VaultLiqFeeCharged", amount=25_000_000)
    # Its second form says what was left, which became the fee; the others what the trader got.
    sent = 25 if event == "MarketCloseExecutedV2" else 0
    return [fee, received(473), settled(), closing(event, sent=sent, **how), price()]


@pytest.mark.parametrize(
    ("event", "how", "derivation"),
    [
        ("LimitCloseExecuted", {"orderType": 2}, "direct"),
        ("MarketCloseExecuted", {}, "inferred"),
        ("MarketCloseExecutedV2", {"percentageClosed": 10_000}, "inferred"),
    ],
)
def test_a_liquidation_leaves_its_collateral_to_the_vault(
    event: str, how: dict[str, int], derivation: str
) -> None:
    """Said by the order type, or by a closing that pays nothing and a liquidation fee."""
    result = made(*wiped_out(event, **how))

    assert rows(result, "liquidations") == [{**LIQUIDATED, "derivation": derivation}]
    assert rows(result, "position_changes") == [
        {
            **CLOSED,
            "cause": "liquidation",
            "collateral_delta_usd": usd("-498"),
            "realized_pnl_usd": usd("-498"),
            **GONE,
        }
    ]


def test_each_of_two_liquidations_has_its_own_collateral() -> None:
    """Two orders in one transaction: what the vault received last is the second's."""
    first = wiped_out("LimitCloseExecuted", orderType=2)
    second = [
        received(100, OTHER),
        callback(
            "FeesCharged", orderId=78, tradeId=42, trader=OTHER, rolloverFees=0, fundingFees=0
        ),
        closing("LimitCloseExecuted", sent=0, orderType=2, orderId=78, tradeId=42),
        price(order=78),
    ]

    result = made(*first, *second)

    found = [(row["account"], row["collateral_usd"]) for row in rows(result, "liquidations")]
    assert found == [(TRADER, usd("498")), (OTHER, usd("100"))]


@pytest.mark.parametrize(
    ("event", "sent", "how", "causes"),
    [
        ("MarketCloseExecuted", 0, {}, ["trade"]),
        ("MarketCloseExecuted", 620, {}, ["trade"]),
        ("MarketCloseExecutedV2", 620, {"percentageClosed": 10_000}, ["trade"]),
        ("MarketCloseExecutedV2", 0, {"percentageClosed": 10_000}, ["liquidation"]),
    ],
)
def test_a_market_closing_without_a_liquidation_fee(
    event: str, sent: int, how: dict[str, int], causes: list[str]
) -> None:
    """It is a trade, but for one of the second form that leaves nothing to take a fee of."""
    result = made(received(500), settled(), closing(event, sent=sent, **how), price())

    assert len(result.tables["liquidations"]) == causes.count("liquidation")
    assert result.tables["position_changes"]["cause"].to_list() == causes


def test_collateral_is_not_guessed_where_a_closing_fee_was_taken() -> None:
    """What that fee takes of the collateral is not established."""
    fee = callback("CloseFeeCharged", closeFee=1_000_000)

    (row,) = rows(made(fee, *wiped_out("LimitCloseExecuted", orderType=2)), "liquidations")

    assert "collateral_usd" not in row
    assert row["fee_usd"] == usd("25")


def test_a_closing_whose_price_is_not_there_is_refused() -> None:
    """Its market would be a guess."""
    result = made(settled(funding=0), closing("LimitCloseExecuted", orderType=0))

    assert reasons(result) == [("LimitCloseExecuted", "position_changes", "market is not known")]


@pytest.mark.parametrize(
    "who",
    [
        callback("FeesChargedV2", rolloverFees=0, fundingFees=0),
        of(
            "PairInfos",
            "FeesCharged",
            orderId=ORDER,
            tradeId=TRADE,
            trader=TRADER,
            rolloverFees=0,
            fundingFees=0,
        ),
        callback("CloseFeeCharged", closeFee=0),
    ],
    ids=["second settlement", "early settlement", "closing fee"],
)
def test_every_release_names_the_trader_somewhere(who: Built) -> None:
    """In the fees of the closing, whichever contract logged them."""
    result = made(who, closing("LimitCloseExecuted", orderType=0), price())

    assert result.tables["position_changes"]["account"].to_list() == [TRADER]


def test_collateral_moves_without_exposure() -> None:
    """Topping up adds, removing takes away, and the size stays."""
    top_up = of(
        "Trading",
        "TopUpCollateralExecuted",
        tradeId=TRADE,
        trader=TRADER,
        pairIndex=PAIR,
        topUpAmount=50 * 10**6,
        newLeverage=1_800,
    )
    removal = callback(
        "RemoveCollateralExecuted",
        pairIndex=PAIR,
        removeAmount=30 * 10**6,
        leverage=2_100,
        tp=0,
        sl=0,
    )

    moved = {
        "market": "5",
        "account": TRADER,
        "position_id": "41",
        "cause": "trade",
        "collateral_token": USDC,
        "notional_delta_usd": usd("0"),
        "size_delta_tokens": usd("0"),
    }
    assert rows(made(top_up, removal), "position_changes") == [
        {**moved, "collateral_delta_usd": usd("50")},
        {**moved, "collateral_delta_usd": usd("-30")},
    ]


@pytest.mark.parametrize(
    ("name", "kind", "supply", "treasury"),
    [
        ("DevFeeCharged", "position", "0", "3"),
        ("OracleFeeCharged", "order", "0", "3"),
        ("VaultOpeningFeeCharged", "position", "3", "0"),
        ("BuilderFeeCharged", "service", "3", "0"),
    ],
)
def test_fees_of_an_opening_go_where_their_name_says(
    name: str, kind: str, supply: str, treasury: str
) -> None:
    """The pair is that of the price of the order that opened the trade."""
    builder = {"builder": OTHER} if name == "BuilderFeeCharged" else {}

    result = made(
        callback(name, amount=3_000_000, **builder),
        callback(name, amount=0, **builder),
        price(order=TRADE),
    )

    assert rows(result, "fees") == [
        {
            "market": "5",
            "account": TRADER,
            "fee_kind": kind,
            "fee_token": USDC,
            "fee_tokens": usd("3"),
            "fee_usd": usd("3"),
            "supply_side_usd": usd(supply),
            "treasury_usd": usd(treasury),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


def test_a_liquidation_fee_is_the_vaults() -> None:
    """It is one row of fees, beside the liquidation that names it."""
    result = made(*wiped_out("LimitCloseExecuted", orderType=2))

    kinds = {
        row["fee_kind"]: (row["fee_usd"], row["supply_side_usd"]) for row in rows(result, "fees")
    }
    assert kinds == {"liquidation": (usd("25"), usd("25")), "borrow": (usd("2"), usd("2"))}


@pytest.mark.parametrize("contract", ["Trading", "TradingCallbacks"])
def test_a_refund_takes_an_oracle_fee_back(contract: str) -> None:
    """Below zero, so that what was charged and what came back add up."""
    refund = of(
        contract, "OracleFeeRefunded", tradeId=TRADE, trader=TRADER, pairIndex=PAIR, amount=100_000
    )

    (row,) = rows(made(refund), "fees")

    assert (row["fee_usd"], row["treasury_usd"]) == (usd("-0.1"), usd("-0.1"))
    assert (row["market"], row["fee_kind"]) == ("5", "order")


@pytest.mark.parametrize("name", ["OracleFeeCharged", "OracleFeeChargedLimitCancelled"])
def test_orders_pay_for_their_price_when_they_are_placed(name: str) -> None:
    """The trading contract names the pair itself."""
    trade: dict[str, Any] = {"tradeId": TRADE} if name == "OracleFeeCharged" else {}
    charged = of("Trading", name, **trade, trader=TRADER, pairIndex=PAIR, amount=100_000)

    (row,) = rows(made(charged), "fees")

    assert (row["market"], row["fee_kind"], row["treasury_usd"]) == ("5", "order", usd("0.1"))


@pytest.mark.parametrize(
    ("contract", "name"),
    [
        ("TradingCallbacks", "FeesCharged"),
        ("TradingCallbacks", "FeesChargedV2"),
        ("PairInfos", "FeesCharged"),
    ],
)
def test_settlements_are_rollover_and_funding(contract: str, name: str) -> None:
    """Rollover is a fee for the vault; funding passes between traders and is none."""
    values: dict[str, Any] = {"rolloverFees": 2_000_000, "fundingFees": -500_000}

    result = made(
        of(contract, name, orderId=ORDER, tradeId=TRADE, trader=TRADER, **values), price()
    )

    assert rows(result, "fees") == [
        {
            "market": "5",
            "account": TRADER,
            "fee_kind": "borrow",
            "fee_token": USDC,
            "fee_tokens": usd("2"),
            "fee_usd": usd("2"),
            "supply_side_usd": usd("2"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]
    assert rows(result, "funding") == [{"market": "5", "account": TRADER, "paid_usd": usd("-0.5")}]


def test_rollover_of_the_second_settlement_may_be_below_zero() -> None:
    """It is signed there: the vault pays."""
    settlement = callback("FeesChargedV2", rolloverFees=-1_000_000, fundingFees=0)

    (row,) = rows(made(settlement, price()), "fees")

    assert (row["fee_usd"], row["supply_side_usd"]) == (usd("-1"), usd("-1"))


def test_funding_is_an_index_of_each_side() -> None:
    """Of the notional, 1e18; it rises for who pays and falls for who gets it."""
    stored = of(
        "PairInfos",
        "AccFundingFeesStoredV2",
        pairIndex=PAIR,
        valueLong=WAD // 100,
        valueShort=-WAD // 50,
        lastOiDelta=500_000,
        lastFundingRate=12,
    )

    assert rows(made(stored), "funding") == [
        {"market": "5", "is_long": True, "funding_rate_cumulative_ratio": usd("0.01")},
        {"market": "5", "is_long": False, "funding_rate_cumulative_ratio": usd("-0.02")},
    ]


def test_a_liquidation_of_release_1_5_pays_the_vault_twice() -> None:
    """Its fee first, as a loss of the trader, then the rest; both are logged before the fee is."""
    fee = callback("VaultLiqFeeCharged", amount=25 * 10**6)
    close = closing("LimitCloseExecuted", sent=0, orderType=2)

    result = made(received(25), received(475), fee, settled(), close, price())

    (row,) = rows(result, "liquidations")
    assert (row["collateral_usd"], row["fee_usd"]) == (usd("500"), usd("25"))


def test_who_gets_a_closing_fee_is_not_known() -> None:
    """So it has no split."""
    (row,) = rows(made(callback("CloseFeeCharged", closeFee=700_000), price()), "fees")

    assert (row["fee_usd"], row["fee_kind"], row["split_basis"]) == (usd("0.7"), "position", "none")
    assert "treasury_usd" not in row


@pytest.mark.parametrize(
    ("emitter", "provider"),
    [(EMITTERS["PriceUpKeep"], "chainlink"), (PRIVATE_PRICES, "ostium")],
)
def test_a_price_is_in_what_its_pair_says(emitter: str, provider: str) -> None:
    """Gold in dollars; a zero is a closed market and no price."""
    result = made(price(2_480, emitter=emitter), price(0, emitter=emitter))

    assert rows(result, "oracle_updates") == [
        {
            "feed": "5",
            "asset": "XAU",
            "quote": "USD",
            "oracle_price_quote": usd("2480"),
            "round_id": "77",
            "provider": provider,
        }
    ]
    assert result.markets.select("market", "symbol", "quote").rows() == [("5", "XAU", "USD")]


def test_the_vault_tells_flows_and_the_price_of_a_share() -> None:
    """USDC in and out, and assets per share."""
    vault = EMITTERS["Vault"]
    owner: dict[str, Any] = {
        "sender": OTHER,
        "owner": TRADER,
        "assets": 110 * 10**6,
        "shares": 100 * 10**6,
    }

    result = made(
        of("Vault", "Deposit", **owner),
        of("Vault", "Withdraw", receiver=OTHER, **owner),
        of("Vault", "ShareToAssetsPriceUpdated", value=11 * WAD // 10),
    )

    flow = {
        "pool": vault,
        "account": TRADER,
        "asset_token": USDC,
        "asset_tokens": usd("110"),
        "share_tokens": usd("100"),
    }
    assert rows(result, "pool_flows") == [
        {**flow, "kind": "deposit"},
        {**flow, "kind": "withdrawal"},
    ]
    assert rows(result, "share_prices") == [
        {"pool": vault, "asset_token": USDC, "share_price_tokens": usd("1.1")}
    ]


def test_a_claim_of_the_vaults_second_version_says_one_of_two_amounts() -> None:
    """Shares of a deposit, USDC of a withdrawal: the other amount is unknown, not zero."""
    claim: dict[str, Any] = {"owner": TRADER, "settlementId": 7}

    result = made(
        of("Vault", "DepositClaimedV2", shares=100 * 10**6, **claim),
        of("Vault", "WithdrawClaimedV2", assets=110 * 10**6, **claim),
    )

    flow = {"pool": EMITTERS["Vault"], "account": TRADER, "asset_token": USDC}
    assert rows(result, "pool_flows") == [
        {**flow, "kind": "deposit", "share_tokens": usd("100")},
        {**flow, "kind": "withdrawal", "asset_tokens": usd("110")},
    ]


def test_a_settlement_tells_the_supply_of_shares_beside_their_price() -> None:
    """A million shares at 1.1 USDC; what the vault holds beyond them is its buffer."""
    numbers: dict[str, Any] = {"settlementTs": 1, "settlementOpenPnl": -5, "settlementType": 0}
    numbers |= {"accPnlPerTokenUsed": -7, "accRewardsPerToken": 9, "totalClosedPnl": -1}
    settled = of(
        "Vault",
        "SettlementExecuted",
        settlementId=7,
        shareToAssetsPrice=11 * WAD // 10,
        totalSupply=10**12,
        totalAssets=2 * 10**12,
        bufferSize=9 * 10**11,
        **numbers,
    )

    assert rows(made(settled), "share_prices") == [
        {
            "pool": EMITTERS["Vault"],
            "asset_token": USDC,
            "share_price_tokens": usd("1.1"),
            "supply_tokens": usd("1000000"),
        }
    ]


def test_the_testnet_is_read_of_the_one_contract_that_is_known() -> None:
    """With a USDC of its own."""
    charged = log(
        "ostium/Trading",
        "OracleFeeCharged",
        TEST_TRADING,
        tradeId=TRADE,
        trader=TRADER,
        pairIndex=PAIR,
        amount=100_000,
    )

    (row,) = rows(built_facts("ostium", ARBITRUM_SEPOLIA, [charged]), "fees")

    assert row["fee_token"] == TEST_USDC
