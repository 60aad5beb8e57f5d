"""MUX v3: one golden per event, all synthetic."""

from datetime import datetime
from typing import Any

import pytest
from goldens import Built, built_facts, log, rows, usd

from indexer.chains import ARBITRUM
from indexer.facts import Facts

ABI, BOOK_ABI = "mux_v3/Mux3", "mux_v3/OrderBook"
POOLS_ABI = "mux_v3/CollateralPoolEventEmitter"
CORE = "0x85c8f4a67f4f9ad7b38e875c8fede7f4c878bfac"
BOOK = "0x8ec387586a709ece1a9ea83c6163c3616d8e16b4"
EMITTER = "0xff5bb66f074efec32daca30f562e55e19f1ed758"
WBTC = "0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
ARB = "0x912ce59144191c1204e64559fe8253a0e49e6548"
TRADER, ORACLE, POOL, OTHER = ("0x" + byte * 20 for byte in ("aa", "0c", "b1", "b2"))
ACCOUNT = b"\xaa" * 20 + bytes(12)
MARKET = b"LongBTC".ljust(32, b"\0")
WAD = 10**18
SIDE = {"market": "0x" + MARKET.hex(), "is_long": True}
POSITION = {**SIDE, "account": TRADER, "position_id": "0x" + ACCOUNT.hex()}
# 2 at 50,000, of two pools.
CLOSED = {
    **POSITION,
    "notional_delta_usd": usd("-100000"),
    "size_delta_tokens": usd("-2"),
    "execution_price_usd": usd("50000"),
}
NOTHING_LEFT = {"notional_usd": usd("0"), "size_tokens": usd("0")}
FORCED = {
    **POSITION,
    "notional_usd": usd("100000"),
    "size_tokens": usd("2"),
    "execution_price_usd": usd("50000"),
}


def core(event: str, **args: Any) -> Built:
    """Return an event about 2 bitcoin of a long position of two pools."""
    said: dict[str, Any] = {
        "owner": TRADER,
        "positionId": ACCOUNT,
        "marketId": MARKET,
        "isLong": True,
        "fromPool": POOL,
        "toPool": OTHER,
        "size": 2 * WAD,
        "tradingPrice": 50_000 * WAD,
        "fromPoolOldEntryPrice": 49_000 * WAD,
        "backedPools": [POOL, OTHER],
        "allocations": [WAD, WAD],
        "newSizes": [WAD, WAD],
        "newEntryPrices": [49_000 * WAD, 49_000 * WAD],
        "poolPnlUsds": [1_000 * WAD, -400 * WAD],
        "positionFeeUsd": 60 * WAD,
        "borrowingFeeUsd": 7 * WAD,
        "newCollateralTokens": [WETH],
        "newCollateralAmounts": [3 * WAD],
        **args,
    }
    return log(ABI, event, CORE, **said)


def deleveraged(market: bytes = MARKET) -> Built:
    """Return what the order book says after the close."""
    params = (ACCOUNT, market, 2 * WAD, 50_000 * WAD, False)
    return log(BOOK_ABI, "FillAdlOrder", BOOK, account=TRADER, params=params)


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("mux_v3", ARBITRUM, logs)


def fee(kind: str, dollars: str, **more: Any) -> dict[str, Any]:
    """Return a fee of the trader's."""
    return {
        "account": TRADER,
        "fee_kind": kind,
        "fee_usd": usd(dollars),
        "split_basis": "none",
        **more,
    }


def test_a_market_is_a_side_of_an_asset() -> None:
    """Both sides of bitcoin have its symbol."""
    said = {"symbol": "BTC", "isLong": True, "backedPools": [POOL]}

    learned = made(log(ABI, "CreateMarket", CORE, marketId=MARKET, **said)).markets

    assert learned.select("market", "symbol", "quote").rows() == [(SIDE["market"], "BTC", "USD")]


def test_an_opening_adds_to_a_position() -> None:
    """2 at 50,000; what is open then is a list, a part per pool."""
    result = made(core("OpenPosition"))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("100000"),
            "size_delta_tokens": usd("2"),
            "execution_price_usd": usd("50000"),
        }
    ]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("2")}]


def test_a_close_that_the_order_book_says_nothing_of_is_a_trade() -> None:
    """How much it leaves is not known."""
    result = made(core("ClosePosition"))

    assert rows(result, "position_changes") == [{**CLOSED, "cause": "trade"}]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("-2")}]
    assert result.tables["adls"].is_empty()


def test_a_close_that_fills_an_adl_order_is_an_auto_deleveraging() -> None:
    """It closes all, and the order book after it says that it was forced."""
    result = made(core("ClosePosition"), deleveraged())

    assert rows(result, "position_changes") == [{**CLOSED, **NOTHING_LEFT, "cause": "adl"}]
    assert rows(result, "adls") == [{**FORCED, "derivation": "joined"}]


def test_a_close_in_another_market_is_not_the_one_that_was_forced() -> None:
    """An account holds positions in several markets."""
    result = made(core("ClosePosition"), deleveraged(b"LongETH".ljust(32, b"\0")))

    assert [row["cause"] for row in rows(result, "position_changes")] == ["trade"]
    assert result.tables["adls"].is_empty()


def test_a_liquidation_closes_all() -> None:
    """At the oracle's price; its fee is the liquidation's, borrowing is apart."""
    result = made(core("LiquidatePosition"))

    assert rows(result, "position_changes") == [{**CLOSED, **NOTHING_LEFT, "cause": "liquidation"}]
    assert rows(result, "liquidations") == [
        {
            **FORCED,
            "mark_price_usd": usd("50000"),
            "fee_usd": usd("60"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("-2")}]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("OpenPosition", "position"),
        ("ClosePosition", "position"),
        ("LiquidatePosition", "liquidation"),
    ],
)
def test_an_execution_pays_two_fees(event: str, kind: str) -> None:
    """60 of it and 7 of borrowing; a fee of nothing is no row."""
    market = {"market": SIDE["market"]}

    assert rows(made(core(event)), "fees") == [
        fee(kind, "60", **market),
        fee("borrow", "7", **market),
    ]
    assert rows(made(core(event, positionFeeUsd=0, borrowingFeeUsd=0)), "fees") == []


@pytest.mark.parametrize("event", ["ReallocatePosition", "UpdatePositionBorrowingFee"])
def test_borrowing_is_paid_in_between(event: str) -> None:
    """Neither changes the trader's position."""
    result = made(core(event))

    assert rows(result, "fees") == [fee("borrow", "7", market=SIDE["market"])]
    assert rows(result, "position_changes") == []
    assert rows(result, "open_interest") == []


def test_borrowing_of_all_markets_is_paid_before_collateral_moves() -> None:
    """That event has no market."""
    assert rows(made(core("DepositWithdrawFinish")), "fees") == [fee("borrow", "7")]


@pytest.mark.parametrize(("token", "asset"), [(WBTC, "BTC"), (WETH, "ETH"), (ARB, None)])
def test_an_oracle_is_told_by_the_token_it_prices(token: str, asset: str | None) -> None:
    """Its id is the token's address and twelve zeros; a token without a symbol has no asset."""
    priced = log(
        ABI,
        "SetPrice",
        CORE,
        oracleId=bytes.fromhex(token[2:]) + bytes(12),
        provider=ORACLE,
        price=50_000 * WAD,
        timestamp=1_740_000_000,
    )

    (row,) = rows(made(priced), "oracle_updates")

    assert row == {
        "feed": token,
        **({"asset": asset} if asset else {}),
        "quote": "USD",
        "oracle_price_quote": usd("50000"),
        "observed_at": datetime(2025, 2, 19, 21, 20),
        "provider": ORACLE,
    }


@pytest.mark.parametrize(
    ("event", "token", "kind", "dollars"),
    [
        ("AddLiquidity", "tokenAddress", "deposit", "198"),
        ("RemoveLiquidity", "collateralAddress", "withdrawal", "194"),
    ],
)
def test_liquidity_is_told_in_dollars(event: str, token: str, kind: str, dollars: str) -> None:
    """98 shares at 2 dollars: the fee of 2 came on top, or was kept of what left."""
    moved = log(
        POOLS_ABI,
        event,
        EMITTER,
        pool=POOL,
        account=TRADER,
        tokenPrice=WAD // 2,
        liquidityFeeCollateral=4 * WAD,
        lpPrice=2 * WAD,
        shares=98 * WAD,
        **{token: WETH},
    )

    result = made(moved)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": POOL,
            "account": TRADER,
            "asset_token": "USD",
            "asset_tokens": usd(dollars),
            "share_tokens": usd("98"),
        }
    ]
    assert rows(result, "share_prices") == [
        {"pool": POOL, "asset_token": "USD", "share_price_tokens": usd("2")}
    ]
    assert rows(result, "fees") == [fee("swap", "2")]
