"""Openings, closings and liquidations, by the executions of three releases."""

from indexer.spec import (
    Companion,
    Condition,
    Const,
    Equals,
    Event,
    Fixed,
    Int,
    IsTrue,
    Lookup,
    Neg,
    Not,
    OfMarket,
    Product,
    Sum,
    Value,
    When,
)

CALLBACKS, PAIR_INFOS = "avantis/TradingCallbacks", "avantis/PairInfos"
USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"

# Signatures and what their rows carry as version, the last release first.
MARKET = (
    (
        "MarketExecuted(uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,"
        "uint256,uint256,uint256),bool,uint256,uint256,int256,uint256,bool)",
        "1.5",
    ),
    (
        "MarketExecuted(uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,"
        "uint256,uint256,uint256),bool,uint256,uint256,int256,uint256)",
        "1.x",
    ),
    (
        "MarketExecuted(uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,"
        "uint256,uint256,uint256),bool,uint256,uint256,int256,uint256,uint256)",
        "1",
    ),
)
LIMIT = (
    (
        "LimitExecuted(uint256,uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,"
        "uint256,uint256,uint256,uint256),uint8,uint256,uint256,int256,uint256,bool)",
        "1.5",
    ),
    (
        "LimitExecuted(uint256,uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,"
        "uint256,uint256,uint256,uint256),uint8,uint256,uint256,int256,uint256)",
        "1.x",
    ),
    (
        "LimitExecuted(uint256,uint256,(address,uint256,uint256,uint256,uint256,uint256,bool,"
        "uint256,uint256,uint256,uint256),uint8,uint256,uint256,int256,uint256,uint256)",
        "1",
    ),
)
BY_MARKET, BY_LIMIT = (tuple(name for name, _ in shapes) for shapes in (MARKET, LIMIT))
EXECUTED = (*BY_MARKET, *BY_LIMIT)
BY_RELEASE = {
    version: tuple(name for name, its in (*MARKET, *LIMIT) if its == version)
    for _, version in MARKET
}

# Order types: 0 take profit, 1 stop loss, 2 liquidation, 3 opening; others are rejected.
OPENING = Equals("orderType", 3)
OPENS: tuple[tuple[str, str, Condition], ...] = (
    *((*shape, IsTrue("open")) for shape in MARKET),
    *((*shape, OPENING) for shape in LIMIT),
)
CLOSES: tuple[tuple[str, str, Condition, Value], ...] = (
    *((*shape, Not(IsTrue("open")), Const("trade")) for shape in MARKET),
    *(
        (*shape, Not(OPENING), Lookup("orderType", {0: "trade", 1: "trade", 2: "liquidation"}))
        for shape in LIMIT
    ),
)

COLLATERAL = Fixed("positionSizeUSDC", 6)
# The trade is told as it was before, so that one closed for all its collateral is gone; what fees
# took of the rest of one closed in part is not told.
IS_WHOLE = Equals(Sum(("t.initialPosToken", Neg("positionSizeUSDC"))), 0)
# A price is in what its pair is quoted in, which is not always the dollar.
PRICE_USD = When(Equals(OfMarket("t.pairIndex", "quote"), "USD"), Fixed("price", 10))
NOTIONAL = Product("positionSizeUSDC", "t.leverage")
# What the price alone made: before fees, and before the part of a loss that was protected.
PNL = Fixed(Product("positionSizeUSDC", "percentProfit"), 18)
TRADE: dict[str, Value] = {
    "market": "t.pairIndex",
    "account": "t.trader",
    "position_id": "t.index",
    "is_long": "t.buy",
    "collateral_token": Const(USDC),
}
OPENED: dict[str, Value] = {
    **TRADE,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed(NOTIONAL, 16),
    "collateral_delta_usd": COLLATERAL,
    "execution_price_usd": PRICE_USD,
    "notional_usd": Fixed(NOTIONAL, 16),
}
CLOSED: dict[str, Value] = {
    **TRADE,
    "notional_delta_usd": Fixed(Neg(NOTIONAL), 16),
    "collateral_delta_usd": Fixed(Neg("positionSizeUSDC"), 6),
    "execution_price_usd": PRICE_USD,
    "realized_pnl_usd": PNL,
    "notional_usd": When(IS_WHOLE, Fixed(Int(0), 0)),
}
CLOSING_FEES = "FeesCharged(bool,uint256,uint256,int256,uint256,uint256,uint256)"
LIQUIDATED: dict[str, Value] = {
    **TRADE,
    "notional_usd": Fixed(NOTIONAL, 16),
    "collateral_usd": COLLATERAL,
    "mark_price_usd": PRICE_USD,
    "execution_price_usd": PRICE_USD,
    "realized_pnl_usd": PNL,
    "fee_usd": Fixed(
        Companion(
            CLOSING_FEES,
            "closingFee",
            {"positionSizeUSDC": "collateral", "percentProfit": "percentProfit"},
            "before",
            abi=PAIR_INFOS,
        ),
        6,
    ),
    "shortfall_basis": Const("none"),
    "derivation": Const("direct"),
}
TRADES = (
    *(
        Event(CALLBACKS, name, "position_changes", OPENED, (opens,), version)
        for name, version, opens in OPENS
    ),
    *(
        Event(CALLBACKS, name, "position_changes", {**CLOSED, "cause": cause}, (closes,), version)
        for name, version, closes, cause in CLOSES
    ),
    *(
        Event(CALLBACKS, name, "liquidations", LIQUIDATED, (Equals("orderType", 2),), version)
        for name, version in LIMIT
    ),
)
