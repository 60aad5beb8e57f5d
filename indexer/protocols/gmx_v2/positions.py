"""GMX v2: markets, positions and how they end, open interest."""

from indexer.protocols.gmx_v2.values import (
    ABI,
    BY_ORDER,
    IN_INDEX,
    NAMED,
    PAID_ITS_FEES,
    PER_INDEX,
    WORTH,
    Columns,
)
from indexer.spec import (
    AddressAt,
    Arg,
    Companion,
    Const,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    Keyed,
    Neg,
    Not,
    Product,
    Sum,
    When,
)

IS_LIQUIDATION = Equals("orderType", 7)
IS_ADL = Equals(Companion(Keyed("OrderExecuted"), "secondaryOrderType", {"orderKey": "key"}), 1)

MARKET: Columns = {
    "market": "marketToken",
    "symbol": NAMED["indexToken"],
    "index_token": When(Not(Equals("indexToken", "0x" + "0" * 40)), "indexToken"),
    "long_token": "longToken",
    "short_token": "shortToken",
    "asset_class": Const("unknown"),
    "known_by": Const("event"),
}
# The beta of July 2023 called it by its old name, and had no InsolventClose.
IS_BETA = Exists(Arg("pnlUsd"))
REALIZED = Fixed(First(("basePnlUsd", Arg("pnlUsd"))), 30)
SIDE: Columns = {"market": "market", "collateral_token": "collateralToken", "is_long": "isLong"}
POSITION: Columns = {
    **SIDE,
    "account": "account",
    "position_id": "positionKey",
    "execution_price_usd": Fixed("executionPrice", PER_INDEX),
}
CHANGE: Columns = {
    **POSITION,
    "notional_usd": Fixed("sizeInUsd", 30),
    "size_tokens": Fixed("sizeInTokens", IN_INDEX),
}
INCREASE: Columns = {
    **CHANGE,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed("sizeDeltaUsd", 30),
    "size_delta_tokens": Fixed("sizeDeltaInTokens", IN_INDEX),
    "collateral_delta_usd": Fixed(Product("collateralDeltaAmount", WORTH), 30),
}
DECREASE: Columns = {
    **CHANGE,
    "cause": When(IS_LIQUIDATION, Const("liquidation"), When(IS_ADL, Const("adl"), Const("trade"))),
    "notional_delta_usd": Fixed(Neg("sizeDeltaUsd"), 30),
    "size_delta_tokens": Fixed(Neg("sizeDeltaInTokens"), IN_INDEX),
    "collateral_delta_usd": Fixed(Neg(Product("collateralDeltaAmount", WORTH)), 30),
    "realized_pnl_usd": REALIZED,
}
CUT: Columns = {
    **POSITION,
    "notional_usd": Fixed("sizeDeltaUsd", 30),
    "size_tokens": Fixed("sizeDeltaInTokens", IN_INDEX),
    "realized_pnl_usd": REALIZED,
}
DELEVERAGED: Columns = {**CUT, "derivation": Const("joined")}
# The market stands in a topic, and nowhere among the items.
ADL_STATE: Columns = {
    "market": AddressAt("topic2", 0),
    "is_long": "isLong",
    "pnl_to_pool_ratio": Fixed("pnlToPoolFactor", 30),
    "max_pnl_to_pool_ratio": Fixed("maxPnlFactor", 30),
    "is_enabled": "shouldEnableAdl",
}
# The fee's item exists only where the fee is not zero, InsolventClose only where debt was left.
LIQUIDATION_PAID = When(
    PAID_ITS_FEES,
    Companion(Keyed("PositionFeesInfo"), "liquidationFeeAmount", BY_ORDER, absent=0),
    Companion(Keyed("PositionFeesCollected"), "liquidationFeeAmount", BY_ORDER, absent=0),
)
DEBT_LEFT = First((Companion(Keyed("InsolventClose"), "remainingCostUsd", BY_ORDER), Int(0)))
LIQUIDATED: Columns = {
    **CUT,
    "collateral_usd": Fixed(Product("collateralDeltaAmount", WORTH), 30),
    "mark_price_usd": Fixed(Sum(("indexTokenPrice.min", "indexTokenPrice.max")), PER_INDEX, over=2),
    "fee_usd": Fixed(Product(LIQUIDATION_PAID, WORTH), 30),
    "shortfall_usd": When(Not(IS_BETA), Fixed(DEBT_LEFT, 30)),
    "shortfall_basis": When(IS_BETA, Const("none"), Const("event")),
    "derivation": Const("direct"),
}
SHORTFALL: Columns = {
    "kind": Const("bad_debt"),
    "market": Companion(Keyed("PositionDecrease"), "market", BY_ORDER),
    "account": Companion(Keyed("PositionDecrease"), "account", BY_ORDER),
    "shortfall_usd": Fixed("remainingCostUsd", 30),
}
OPEN_INTEREST: Columns = {
    **SIDE,
    "open_interest_usd": Fixed("nextValue", 30),
    "open_interest_delta_usd": Fixed("delta", 30),
}
OPEN_INTEREST_IN_TOKENS: Columns = {
    **SIDE,
    "open_interest_tokens": Fixed("nextValue", IN_INDEX),
    "open_interest_delta_tokens": Fixed("delta", IN_INDEX),
}

POSITIONS = (
    Event(ABI, Keyed("MarketCreated"), "markets", MARKET),
    Event(ABI, Keyed("PositionIncrease"), "position_changes", INCREASE, is_confirmed=True),
    Event(ABI, Keyed("PositionDecrease"), "position_changes", DECREASE, is_confirmed=True),
    Event(ABI, Keyed("PositionDecrease"), "liquidations", LIQUIDATED, (IS_LIQUIDATION,)),
    Event(ABI, Keyed("PositionDecrease"), "adls", DELEVERAGED, (IS_ADL,)),
    Event(ABI, Keyed("AdlStateUpdated"), "adl_states", ADL_STATE),
    Event(ABI, Keyed("InsolventClose"), "shortfalls", SHORTFALL),
    Event(ABI, Keyed("OpenInterestUpdated"), "open_interest", OPEN_INTEREST, is_confirmed=True),
    Event(
        ABI,
        Keyed("OpenInterestInTokensUpdated"),
        "open_interest",
        OPEN_INTEREST_IN_TOKENS,
        is_confirmed=True,
    ),
)
