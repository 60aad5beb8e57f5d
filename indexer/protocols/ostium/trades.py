"""
Openings, closings, liquidations and moves of collateral.

A closing names its order and its trade and nothing else: the pair is that of the price which the
same transaction received for the order, the trader that of the fees charged for it. Its side and
size stand in the opening, whose order id is the trade id.
"""

from indexer.spec import (
    All,
    Companion,
    Condition,
    Const,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    Lookup,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OfMarket,
    Product,
    Sum,
    Value,
    When,
)

CALLBACKS, TRADING, PAIR_INFOS = "ostium/TradingCallbacks", "ostium/Trading", "ostium/PairInfos"
PRICES, VAULT = "ostium/PriceUpKeep", "ostium/Vault"
ZERO = Fixed(Int(0), 0)

# Last release first; the earlier one has no flag for day trades in the tuple.
OPENS = (
    (
        "MarketOpenExecuted(uint256,(uint256,uint192,uint192,uint192,address,uint32,uint16,uint8,"
        "bool,bool),uint256,uint256)",
        "2",
    ),
    (
        "MarketOpenExecuted(uint256,(uint256,uint192,uint192,uint192,address,uint32,uint16,uint8,"
        "bool),uint256,uint256)",
        "1",
    ),
    (
        "LimitOpenExecuted(uint256,uint256,(uint256,uint192,uint192,uint192,address,uint32,uint16,"
        "uint8,bool,bool),uint256,uint256)",
        "2",
    ),
    (
        "LimitOpenExecuted(uint256,uint256,(uint256,uint192,uint192,uint192,address,uint32,uint16,"
        "uint8,bool),uint256,uint256)",
        "1",
    ),
)
LIMIT_CLOSE = "LimitCloseExecuted"

ORDER = {"orderId": "orderId"}
PAIR = Companion("PriceReceived", "pairIndex", ORDER, abi=PRICES)
ORACLE_PRICE = Companion("PriceReceived", "price", ORDER, abi=PRICES)
LIQUIDATION_FEE = Companion("VaultLiqFeeCharged", "amount", ORDER)
CLOSE_FEE = Companion("CloseFeeCharged", "closeFee", ORDER)
TRADER = First(
    (
        Companion("FeesChargedV2", "trader", ORDER),
        Companion("FeesCharged", "trader", ORDER),
        Companion("FeesCharged", "trader", ORDER, abi=PAIR_INFOS),
        Companion("VaultLiqFeeCharged", "trader", ORDER),
        Companion("CloseFeeCharged", "trader", ORDER),
    )
)

# A trader who gets nothing leaves it all to the vault, less the liquidation fee that it gets
# apart; what a closing fee takes of it, in releases that have one, is not established.
LOST = When(
    Not(Exists(CLOSE_FEE)),
    Sum(
        (
            Companion("AssetsReceived", "assets", nearest="before", abi=VAULT),
            First((LIQUIDATION_FEE, Int(0))),
        )
    ),
)
# What a liquidated market close leaves is its fee, which is charged in no other case. Its second
# form says of it what was left, as if the trader had got it: nothing left, and no fee, is one too.
IS_WIPED_OUT = Exists(LIQUIDATION_FEE)
IS_WIPED_OUT_V2 = Not(All((Not(IS_WIPED_OUT), Nonzero("usdcSentToTrader"))))

# A price is in what its pair is quoted in, and a size is dollars by that price: not dollars and not
# units of the base where the quote is another.
IN_DOLLARS = Equals(OfMarket("t.pairIndex", "quote"), "USD")
CLOSED_IN_DOLLARS = Equals(OfMarket(PAIR, "quote"), "USD")

NOTIONAL = Product("t.collateral", "t.leverage")
OPENED: dict[str, Value] = {
    "market": "t.pairIndex",
    "account": "t.trader",
    "position_id": "orderId",
    "cause": Const("trade"),
    "is_long": "t.buy",
    "collateral_token": OfContract("usdc"),
    "notional_delta_usd": Fixed(NOTIONAL, 8),
    "size_delta_tokens": When(IN_DOLLARS, Fixed("tradeNotional", 18)),
    "collateral_delta_usd": Fixed("t.collateral", 6),
    "execution_price_usd": When(IN_DOLLARS, Fixed("t.openPrice", 18)),
    "notional_usd": Fixed(NOTIONAL, 8),
    "size_tokens": When(IN_DOLLARS, Fixed("tradeNotional", 18)),
}
POSITION: dict[str, Value] = {
    "market": PAIR,
    "account": TRADER,
    "position_id": "tradeId",
    "collateral_token": OfContract("usdc"),
    "execution_price_usd": When(CLOSED_IN_DOLLARS, Fixed("price", 18)),
}
ALL_OF_IT: dict[str, Value] = {
    "notional_usd": ZERO,
    "size_tokens": ZERO,
    "closed_ratio": Fixed(Int(1), 0),
}
# What is left after a part was closed is not said, after all of it nothing is.
PART: dict[str, Value] = {
    "notional_usd": When(Equals("percentageClosed", 10_000), ZERO),
    "size_tokens": When(Equals("percentageClosed", 10_000), ZERO),
    "closed_ratio": Fixed("percentageClosed", 4),
}

# Order types of a closing: 0 take profit, 1 stop loss, 2 liquidation, 4 end of a day trade.
CAUSE = Lookup("orderType", {0: "trade", 1: "trade", 2: "liquidation", 4: "trade"})
MARKET_CLOSES: tuple[tuple[str, dict[str, Value], Condition], ...] = (
    ("MarketCloseExecutedV2", PART, IS_WIPED_OUT_V2),
    ("MarketCloseExecuted", ALL_OF_IT, IS_WIPED_OUT),
)
CLOSES: tuple[tuple[str, dict[str, Value], Condition], ...] = (
    *(
        (name, {**what, "cause": When(is_it, Const("liquidation"), Const("trade"))}, is_it)
        for name, what, is_it in MARKET_CLOSES
    ),
    (LIMIT_CLOSE, {**ALL_OF_IT, "cause": CAUSE}, Equals("orderType", 2)),
)
LIQUIDATIONS: tuple[tuple[str, Condition, str], ...] = (
    *((name, is_it, "inferred") for name, _, is_it in MARKET_CLOSES),
    (LIMIT_CLOSE, Equals("orderType", 2), "direct"),
)
MOVED: dict[str, Value] = {
    "market": "pairIndex",
    "account": "trader",
    "position_id": "tradeId",
    "cause": Const("trade"),
    "collateral_token": OfContract("usdc"),
    "notional_delta_usd": ZERO,
    "size_delta_tokens": ZERO,
}

TRADES = (
    *(
        Event(CALLBACKS, name, "position_changes", OPENED, version=version)
        for name, version in OPENS
    ),
    *(
        Event(
            abi=CALLBACKS,
            name=name,
            into="position_changes",
            columns={
                **POSITION,
                **what,
                "collateral_delta_usd": Fixed(When(is_liquidation, Neg(LOST)), 6),
                "realized_pnl_usd": Fixed(When(is_liquidation, Neg(LOST)), 6),
            },
        )
        for name, what, is_liquidation in CLOSES
    ),
    *(
        Event(
            abi=CALLBACKS,
            name=name,
            into="liquidations",
            columns={
                **POSITION,
                "collateral_usd": Fixed(LOST, 6),
                "mark_price_usd": When(CLOSED_IN_DOLLARS, Fixed(ORACLE_PRICE, 18)),
                "realized_pnl_usd": Fixed(Neg(LOST), 6),
                "fee_usd": Fixed(LIQUIDATION_FEE, 6),
                "shortfall_basis": Const("none"),
                "derivation": Const(derivation),
            },
            where=(condition,),
        )
        for name, condition, derivation in LIQUIDATIONS
    ),
    Event(
        abi=TRADING,
        name="TopUpCollateralExecuted",
        into="position_changes",
        columns={**MOVED, "collateral_delta_usd": Fixed("topUpAmount", 6)},
    ),
    Event(
        abi=CALLBACKS,
        name="RemoveCollateralExecuted",
        into="position_changes",
        columns={**MOVED, "collateral_delta_usd": Fixed(Neg("removeAmount"), 6)},
    ),
)
