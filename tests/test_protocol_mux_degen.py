"""MUX Degen: one golden per event, all synthetic."""

from typing import Any

import pytest
from goldens import Built, abi_of, built_facts, log, rows, usd

from indexer.chains import ARBITRUM
from indexer.facts import Facts

ABI, BOOK_ABI = "mux_degen/DegenPool", "mux_degen/OrderBook"
POOL = "0x2f977a859ed91c729c781ba0e50927d5da3cb988"
BOOK = "0xab7bd145cc9b68b1904d4b6ca93056f503c5aa19"
TRADER = "0x" + "aa" * 20
# Account, collateral 0, asset 3, short.
SUB_ACCOUNT = b"\xaa" * 20 + bytes([0, 3, 0]) + bytes(9)
WAD = 10**18
SIDE = {"market": "3", "is_long": False}
POSITION = {**SIDE, "account": TRADER, "position_id": "0x" + SUB_ACCOUNT.hex()}
# 400 tokens at 0.25, marked at 0.26, bought back at a profit of 20; 600 are left.
CLOSED = {
    **POSITION,
    "notional_delta_usd": usd("-100"),
    "size_delta_tokens": usd("-400"),
    "execution_price_usd": usd("0.25"),
    "realized_pnl_usd": usd("20"),
    "notional_usd": usd("150"),
    "size_tokens": usd("600"),
}
FORCED = {
    **POSITION,
    "notional_usd": usd("100"),
    "size_tokens": usd("400"),
    "execution_price_usd": usd("0.25"),
}


def position(event: str, **args: Any) -> Built:
    """Return a position event about 400 tokens of asset 3."""
    (entry,) = (one for one in abi_of(ABI) if one["name"] == event)
    said: dict[str, Any] = {
        "subAccountId": SUB_ACCOUNT,
        "collateralId": 0,
        "profitAssetId": 0,
        "isLong": False,
        "amount": 400 * WAD,
        "tradingPrice": WAD // 4,
        "assetPrice": 26 * WAD // 100,
        "collateralPrice": WAD,
        "profitAssetPrice": WAD,
        "newEntryPrice": WAD // 4,
        "feeUsd": WAD // 10,
        "hasProfit": True,
        "pnlUsd": 20 * WAD,
        "remainPosition": 600 * WAD,
        "remainCollateral": 30 * WAD,
        **args,
    }
    packed = tuple(said[part["name"]] for part in entry["inputs"][2]["components"])
    return log(ABI, event, POOL, trader=TRADER, assetId=3, args=packed)


def deleveraged(size: int = 400 * WAD) -> Built:
    """Return what the order book says after the close."""
    params = (SUB_ACCOUNT, size, WAD // 5, 0)
    return log(BOOK_ABI, "FillAdlOrder", BOOK, account=TRADER, params=params)


def liquidity(event: str) -> Built:
    """Return 98 shares at 2 dollars against a token at 0.5, with a fee of 4 of it."""
    values = {"tokenPrice": WAD // 2, "mlpPrice": 2 * WAD, "mlpAmount": 98 * WAD, "fee": 4 * WAD}
    return log(ABI, event, POOL, trader=TRADER, tokenId=0, **values)


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("mux_degen", ARBITRUM, logs)


def test_an_asset_is_a_market_without_a_name() -> None:
    """AddAsset says its number alone."""
    learned = made(log(ABI, "AddAsset", POOL, id=3)).markets

    assert learned.select("market", "symbol", "quote").rows() == [("3", None, "USD")]


def test_an_opening_is_at_the_price_of_the_trade() -> None:
    """400 at 0.25, not at the mark of 0.26; 600 are open then."""
    result = made(position("OpenPosition"))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("100"),
            "size_delta_tokens": usd("400"),
            "execution_price_usd": usd("0.25"),
            "notional_usd": usd("150"),
            "size_tokens": usd("600"),
        }
    ]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("400")}]


@pytest.mark.parametrize(("has_profit", "pnl"), [(True, "20"), (False, "-20")])
def test_a_close_that_the_order_book_says_nothing_of_is_a_trade(has_profit: bool, pnl: str) -> None:
    """Its profit or loss has the sign that a flag says."""
    result = made(position("ClosePosition", hasProfit=has_profit))

    assert rows(result, "position_changes") == [
        {**CLOSED, "cause": "trade", "realized_pnl_usd": usd(pnl)}
    ]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("-400")}]
    assert result.tables["adls"].is_empty()


def test_a_close_that_fills_an_adl_order_is_an_auto_deleveraging() -> None:
    """The close says what it cut, the order book after it that it was forced."""
    result = made(position("ClosePosition"), deleveraged())

    assert rows(result, "position_changes") == [{**CLOSED, "cause": "adl"}]
    assert rows(result, "adls") == [
        {**FORCED, "realized_pnl_usd": usd("20"), "derivation": "joined"}
    ]


def test_a_close_of_another_size_is_not_the_one_that_was_forced() -> None:
    """Of two closes in one transaction the order book means one."""
    result = made(
        position("ClosePosition", amount=100 * WAD), position("ClosePosition"), deleveraged()
    )

    causes = [row["cause"] for row in rows(result, "position_changes")]
    assert causes == ["trade", "adl"]
    assert len(rows(result, "adls")) == 1


def test_a_liquidation_closes_all() -> None:
    """At the price of the trade, beside the mark; the loss ends at the collateral."""
    result = made(position("Liquidate", hasProfit=False))

    assert rows(result, "position_changes") == [
        {
            **CLOSED,
            "cause": "liquidation",
            "realized_pnl_usd": usd("-20"),
            "notional_usd": usd("0"),
            "size_tokens": usd("0"),
        }
    ]
    assert rows(result, "liquidations") == [
        {
            **FORCED,
            "mark_price_usd": usd("0.26"),
            "realized_pnl_usd": usd("-20"),
            "fee_usd": usd("0.1"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert rows(result, "open_interest") == [{**SIDE, "open_interest_delta_tokens": usd("-400")}]


@pytest.mark.parametrize("event", ["OpenPosition", "ClosePosition", "Liquidate"])
def test_an_execution_pays_a_fee_and_tells_the_mark(event: str) -> None:
    """A fee of nothing is no row; the mark is a price either way."""
    result = made(position(event))

    assert rows(result, "fees") == [
        {
            "market": "3",
            "account": TRADER,
            "fee_kind": "margin",
            "fee_usd": usd("0.1"),
            "split_basis": "none",
        }
    ]
    assert rows(result, "oracle_updates") == [
        {
            "feed": "3",
            "quote": "USD",
            "oracle_price_quote": usd("0.26"),
            "provider": "mux_degen",
        }
    ]
    assert rows(made(position(event, feeUsd=0)), "fees") == []


@pytest.mark.parametrize(
    ("event", "kind", "dollars"),
    [("AddLiquidity", "deposit", "198"), ("RemoveLiquidity", "withdrawal", "194")],
)
def test_liquidity_is_told_in_dollars(event: str, kind: str, dollars: str) -> None:
    """98 shares at 2 dollars: the fee of 2 came on top, or was kept of what left."""
    result = made(liquidity(event))

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
    assert rows(result, "fees") == [
        {"account": TRADER, "fee_kind": "swap", "fee_usd": usd("2"), "split_basis": "none"}
    ]


def test_funding_is_a_running_rate_of_each_side() -> None:
    """Borrowing is in both, so the side that is paid for has one too."""
    told = log(
        ABI,
        "UpdateFundingRate",
        POOL,
        tokenId=3,
        isPositiveFundingRate=True,
        newFundingRateApy=50_000,
        newBorrowingRateApy=10_000,
        longCumulativeFunding=6 * WAD // 100,
        shortCumulativeFunding=WAD // 100,
    )

    assert rows(made(told), "funding") == [
        {"market": "3", "is_long": True, "funding_rate_cumulative_ratio": usd("0.06")},
        {"market": "3", "is_long": False, "funding_rate_cumulative_ratio": usd("0.01")},
    ]
