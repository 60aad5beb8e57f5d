"""Openings, closings, liquidations and resizes of gTrade positions."""

from indexer.protocols.gains.values import (
    ABI,
    CHARGED_USD,
    COLLATERAL,
    DECREASE,
    IN_BASE,
    IN_DOLLARS,
    INCREASE,
    LEVERED,
    MARKET,
    NOTHING,
    NOTIONAL,
    PNL,
    RESIZED_IN_DOLLARS,
    STAKE,
    TRADE_COLLATERAL,
    TRADE_USD,
    TRIGGER,
    TWO_FACED,
    USD,
    ZERO,
)
from indexer.spec import (
    All,
    Companion,
    Condition,
    Const,
    DecimalsOf,
    Equals,
    Event,
    Fixed,
    IsNegative,
    IsTrue,
    Lookup,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    OneOf,
    Product,
    Sum,
    Value,
    When,
)

# `price` and `marketPrice` include price impact; trades opened before v10 have no token size.
PAID: dict[str, Value] = {"": "price", "9.4": "marketPrice", "10": "marketPrice"}
ORACLE: dict[str, Value] = {"": "price", "9.4": "oraclePrice", "10": "oraclePrice"}
SIZE: dict[str, Value] = {
    "": NOTHING,
    "9.4": NOTHING,
    "10": When(
        All((Nonzero("t.positionSizeToken"), IN_DOLLARS)),
        Product("t.positionSizeToken", "collateralPriceUsd"),
    ),
}

# Order types: 2 LIMIT_OPEN, 3 STOP_OPEN, 4 TP_CLOSE, 5 SL_CLOSE, 6 LIQ_CLOSE; others are rejected.
OPENING = OneOf("orderType", (2, 3))
OPENS: tuple[tuple[str, str, Condition], ...] = (
    *((*shape, IsTrue("open")) for shape in MARKET),
    *((*shape, OPENING) for shape in TRIGGER),
)
CLOSING_CAUSE = Lookup("orderType", {4: "trade", 5: "trade", 6: "liquidation"})

# From v9.4 on executions say the liquidation price. Who closes beyond it gets nothing, whatever the
# order was called (TradingCallbacksUtils.sol, _unregisterTrade).
GAP = Sum(("liqPrice", Neg("oraclePrice")))
NOTHING_LEFT = (Nonzero("liqPrice"), Equals("amountSentToTrader", 0))
BEYOND = (
    All((IsTrue("t.long"), Not(IsNegative(GAP)), *NOTHING_LEFT)),
    All((Not(IsTrue("t.long")), Not(IsNegative(Neg(GAP))), *NOTHING_LEFT)),
)
LIQUIDATION = Const("liquidation")
MARKET_CAUSE = When(BEYOND[0], LIQUIDATION, When(BEYOND[1], LIQUIDATION, Const("trade")))
TRIGGER_CAUSE = When(BEYOND[0], LIQUIDATION, When(BEYOND[1], LIQUIDATION, CLOSING_CAUSE))
CLOSES: tuple[tuple[str, str, Condition, Value], ...] = (
    *(
        (*shape, Not(IsTrue("open")), MARKET_CAUSE if shape[1] else Const("trade"))
        for shape in MARKET
    ),
    *((*shape, Not(OPENING), TRIGGER_CAUSE if shape[1] else CLOSING_CAUSE) for shape in TRIGGER),
)
# A fee that an open trade cannot bear liquidates it with no keeper (v10, FundingFeesUtils.sol).
BY_KEEPER: dict[str, Value] = {
    "liquidator": When(Not(Equals("triggerCaller", "0x" + "0" * 40)), "triggerCaller")
}
# Shape, version, which closings are no liquidation by name, who liquidated where anybody did.
INFERRED: tuple[tuple[str, str, Condition, dict[str, Value]], ...] = (
    *((*shape, Not(IsTrue("open")), {}) for shape in MARKET if shape[1]),
    *((*shape, OneOf("orderType", (4, 5)), BY_KEEPER) for shape in TRIGGER if shape[1]),
)
TRADE: dict[str, Value] = {
    "market": "t.pairIndex",
    "account": "t.user",
    "position_id": "t.index",
    "is_long": "t.long",
    "collateral_token": TRADE_COLLATERAL,
}
OPENED: dict[str, Value] = {
    **TRADE,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed(NOTIONAL, LEVERED),
    "collateral_delta_usd": Fixed(STAKE, TRADE_USD),
    "notional_usd": Fixed(NOTIONAL, LEVERED),
}
CLOSED: dict[str, Value] = {
    **TRADE,
    "notional_delta_usd": Fixed(Neg(NOTIONAL), LEVERED),
    "collateral_delta_usd": Fixed(Neg(STAKE), TRADE_USD),
    "realized_pnl_usd": PNL,
    "notional_usd": ZERO,
}
LIQUIDATED: dict[str, Value] = {
    **TRADE,
    "notional_usd": Fixed(NOTIONAL, LEVERED),
    "collateral_usd": Fixed(STAKE, TRADE_USD),
    "realized_pnl_usd": PNL,
    "shortfall_basis": Const("none"),
}
TRADES = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **OPENED,
                "execution_price_usd": When(IN_DOLLARS, Fixed(PAID[version], 10)),
                "size_delta_tokens": Fixed(SIZE[version], IN_BASE),
                "size_tokens": Fixed(SIZE[version], IN_BASE),
            },
            where=(opens,),
            version=version or None,
        )
        for event, version, opens in OPENS
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **CLOSED,
                "cause": cause,
                "execution_price_usd": When(IN_DOLLARS, Fixed(PAID[version], 10)),
                "size_delta_tokens": Fixed(Neg(SIZE[version]), IN_BASE),
            },
            where=(closes,),
            version=version or None,
        )
        for event, version, closes, cause in CLOSES
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="liquidations",
            columns={
                **LIQUIDATED,
                **CHARGED_USD[version],
                **BY_KEEPER,
                "execution_price_usd": When(IN_DOLLARS, Fixed(PAID[version], 10)),
                "mark_price_usd": When(IN_DOLLARS, Fixed(ORACLE[version], 10)),
                "size_tokens": Fixed(SIZE[version], IN_BASE),
                "derivation": Const("direct"),
            },
            where=(Equals("orderType", 6),),
            version=version or None,
        )
        for event, version in TRIGGER
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="liquidations",
            columns={
                **LIQUIDATED,
                **CHARGED_USD[version],
                **liquidator,
                "execution_price_usd": When(IN_DOLLARS, Fixed(PAID[version], 10)),
                "mark_price_usd": When(IN_DOLLARS, Fixed(ORACLE[version], 10)),
                "size_tokens": Fixed(SIZE[version], IN_BASE),
                "derivation": Const("inferred"),
            },
            where=(closing, beyond),
            version=version,
        )
        for event, version, closing, liquidator in INFERRED
        for beyond in BEYOND
    ),
)

# --- partial increases and decreases ------------------------------------------------------------

RESIZE_PAID: dict[str, Value] = {
    "": "values.priceAfterImpact",
    "9": "values.priceAfterImpact",
    "9.4": "values.priceAfterImpact",
    "10": "values.priceImpact.priceAfterImpact",
}
RESIZE: dict[str, Value] = {
    "account": "trader",
    "cause": Const("trade"),
    "is_long": "long",
    "collateral_token": COLLATERAL,
}
DELTA = Product("values.positionSizeCollateralDelta", "collateralPriceUsd")
MARGIN = Product("collateralDelta", "collateralPriceUsd")
GROWN: dict[str, Value] = {
    **RESIZE,
    "notional_delta_usd": Fixed(DELTA, USD),
    "collateral_delta_usd": Fixed(MARGIN, USD),
    "notional_usd": Fixed(Product("values.newPositionSizeCollateral", "collateralPriceUsd"), USD),
}
SHRUNK: dict[str, Value] = {
    **RESIZE,
    "market": "pairIndex",
    "position_id": "index",
    "notional_delta_usd": Fixed(Neg(DELTA), USD),
    "collateral_delta_usd": Fixed(Neg(MARGIN), USD),
}
# The PnL of the part that was closed, as of the price alone; earlier shapes say only the whole's.
PARTIAL_PNL: dict[str, dict[str, Value]] = {
    "": {},
    "9.4": {},
    "10": {
        "realized_pnl_usd": Fixed(
            Product("values.partialRawPnlCollateral", "collateralPriceUsd"), USD
        )
    },
}
LEFT = Product(Product("values.newCollateralAmount", "values.newLeverage"), "collateralPriceUsd")
RESIZED_PAIR = Companion(
    "BorrowingPairOiUpdated", "pairIndex", {"collateralIndex": "collateralIndex"}, "before"
)
# Of the two numbers that swapped places the trade's is the one that is not the pair's.
RESIZED_TRADE = When(Equals(Sum(("pairIndex", Neg(RESIZED_PAIR))), 0), "index", "pairIndex")
DONE = Equals("cancelReason", 0)  # the event also reports resizes that were cancelled
RESIZES = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **GROWN,
                "market": "pairIndex",
                "position_id": "index",
                "execution_price_usd": When(RESIZED_IN_DOLLARS, Fixed(RESIZE_PAID[version], 10)),
            },
            where=(DONE,),
            version=version or None,
        )
        for event, version in INCREASE
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **GROWN,
                "market": RESIZED_PAIR,
                "position_id": RESIZED_TRADE,
                "execution_price_usd": When(
                    Equals(OfMarket(RESIZED_PAIR, "quote"), "USD"), Fixed(RESIZE_PAID[version], 10)
                ),
            },
            where=(DONE,),
            version=version or None,
        )
        for event, version in TWO_FACED
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **SHRUNK,
                **PARTIAL_PNL[version],
                "execution_price_usd": When(RESIZED_IN_DOLLARS, Fixed(RESIZE_PAID[version], 10)),
                "notional_usd": Fixed(LEFT, DecimalsOf(COLLATERAL, plus=11)),
            },
            where=(DONE,),
            version=version or None,
        )
        for event, version in DECREASE
    ),
)
