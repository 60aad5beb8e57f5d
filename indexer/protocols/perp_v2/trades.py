"""Perpetual Protocol v2: markets, positions, liquidations and open interest."""

from indexer.protocols.perp_v2.values import (
    HOUSE,
    OF_TRADER,
    PAID_NOTHING,
    REGISTRY,
    VAULT,
    Columns,
)
from indexer.spec import (
    Abs,
    All,
    Companion,
    Const,
    Equals,
    Event,
    Exists,
    Fixed,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    Positive,
    Product,
    Quotient,
    SqrtPrice,
    Sum,
    SymbolOf,
    Value,
    When,
)

# A position before and after the change, by what it cost; one side of each is zero.
BEFORE = Sum(("openNotional", Neg("exchangedPositionNotional"), "fee", "realizedPnl"))
LONG_BEFORE, LONG_AFTER = Positive(Neg(BEFORE)), Positive(Neg("openNotional"))
SHORT_BEFORE, SHORT_AFTER = Positive(BEFORE), Positive("openNotional")
LONG_CHANGE = Sum((LONG_AFTER, Neg(LONG_BEFORE)))
SHORT_CHANGE = Sum((SHORT_AFTER, Neg(SHORT_BEFORE)))
# A trade that turns the position closes one side and opens the other, each with the part of the
# size that it has of the quote (Exchange.sol, _getPnlToBeRealized): what closed brought back its
# cost and the profit, what opened is what the position is open for now.
IS_TURNED = All((Nonzero(LONG_CHANGE), Nonzero(SHORT_CHANGE)))
QUOTE = Sum(("exchangedPositionNotional", Neg("fee")))
BROUGHT = Sum(("realizedPnl", Neg(BEFORE)))
LONG_PART = When(IsNegative(LONG_CHANGE), BROUGHT, "openNotional")
SHORT_PART = When(IsNegative(SHORT_CHANGE), BROUGHT, "openNotional")
BOUGHT, SOLD = "exchangedPositionSize", Neg("exchangedPositionSize")
# Side, after, change, size on this side.
LEGS: tuple[tuple[bool, Value, Value, Value], ...] = (
    (
        True,
        LONG_AFTER,
        LONG_CHANGE,
        When(
            IS_TURNED,
            Fixed(Quotient(Product(BOUGHT, LONG_PART), QUOTE), 18),
            Fixed(BOUGHT, 18),
        ),
    ),
    (
        False,
        SHORT_AFTER,
        SHORT_CHANGE,
        When(
            IS_TURNED,
            Fixed(Quotient(Product(SOLD, SHORT_PART), QUOTE), 18),
            Fixed(SOLD, 18),
        ),
    ),
)

# A liquidation follows the changes that it made: the trader's, then, since release 2.0, that of
# the liquidator, who takes the position over. Both are of its size.
FOLLOWING = {"trader": "trader", "baseToken": "baseToken"}
TAKEN = {"trader": "liquidator", "baseToken": "baseToken"}
LIQUIDATED_SIZE = Companion("PositionLiquidated", "positionSize", FOLLOWING, "after")
TAKEN_SIZE = Companion("PositionLiquidated", "positionSize", TAKEN, "after")
SIZE = Abs("exchangedPositionSize")
IS_LIQUIDATED = Equals(Sum((SIZE, Neg(LIQUIDATED_SIZE))), 0)
IS_TAKEN = Equals(Sum((SIZE, Neg(TAKEN_SIZE))), 0)
CAUSE = When(IS_LIQUIDATED, Const("liquidation"), When(IS_TAKEN, Const("takeover"), Const("trade")))
TRADED_AT = Fixed(Quotient(Abs("exchangedPositionNotional"), SIZE), 0)

OWN = {"trader": "trader", "baseToken": "baseToken"}
OWN_SIZE = Companion("PositionChanged", "exchangedPositionSize", OWN, "before")
OWN_NOTIONAL = Companion("PositionChanged", "exchangedPositionNotional", OWN, "before")
OWN_PNL = Companion("PositionChanged", "realizedPnl", OWN, "before")
OWN_ROOT = Companion("PositionChanged", "sqrtPriceAfterX96", OWN, "before")
LIQUIDATORS = {"liquidator": "trader", "baseToken": "baseToken"}
ITS_SIZE = Companion("PositionChanged", "exchangedPositionSize", LIQUIDATORS, "before")
ITS_NOTIONAL = Companion("PositionChanged", "exchangedPositionNotional", LIQUIDATORS, "before")
# The debt is settled after the trader's last liquidation of the transaction.
DEBT = Companion("BadDebtSettled", "amount", {"trader": "trader"}, "after", abi=VAULT)
IS_LAST = Not(Exists(Companion("PositionLiquidated", "trader", {"trader": "trader"}, "after")))
IS_INSOLVENT = All((IS_LAST, Exists(DEBT)))
LIQUIDATED: Columns = {
    **OF_TRADER,
    "liquidator": "liquidator",
    "is_long": When(Exists(OWN_SIZE), IsNegative(OWN_SIZE)),
    "notional_usd": Fixed("positionNotional", 18),
    "size_tokens": Fixed("positionSize", 18),
    "mark_price_usd": SqrtPrice(OWN_ROOT, 18, 18),
    "execution_price_usd": Fixed(Quotient("positionNotional", "positionSize"), 0),
    "realized_pnl_usd": Fixed(OWN_PNL, 18),
    "fee_usd": Fixed("liquidationFee", 18),
    "shortfall_usd": When(IS_INSOLVENT, Fixed(DEBT, 6)),
    "shortfall_basis": When(IS_INSOLVENT, Const("event"), Const("none")),
    "derivation": Const("joined"),
}

# A market that closed settles what is left at one price.
IS_LONG = Not(IsNegative("closedPositionSize"))
COST = Neg(Abs("openNotional"))
SETTLED: Columns = {
    **OF_TRADER,
    "cause": Const("settlement"),
    "is_long": IS_LONG,
    "notional_delta_usd": Fixed(COST, 18),
    "size_delta_tokens": Fixed(Neg(Abs("closedPositionSize")), 18),
    "execution_price_usd": Fixed("closedPrice", 18),
    "realized_pnl_usd": Fixed("realizedPnl", 18),
    "notional_usd": PAID_NOTHING,
    "size_tokens": PAID_NOTHING,
}
SETTLED_INTEREST: Columns = {
    "market": "baseToken",
    "is_long": IS_LONG,
    "open_interest_delta_usd": Fixed(COST, 18),
    "open_interest_delta_tokens": Fixed(Neg(Abs("closedPositionSize")), 18),
}

ADDED: Columns = {
    "market": "baseToken",
    "symbol": SymbolOf("baseToken"),
    "index_token": "baseToken",
    "parent": "pool",
    "asset_class": Const("crypto"),
    "known_by": Const("event"),
}

TRADES = (
    Event(REGISTRY, "PoolAdded", "markets", ADDED),
    *(
        Event(
            HOUSE,
            "PositionChanged",
            "position_changes",
            {
                **OF_TRADER,
                "cause": CAUSE,
                "is_long": Const(is_long),
                "notional_delta_usd": Fixed(change, 18),
                "size_delta_tokens": size,
                "execution_price_usd": TRADED_AT,
                "realized_pnl_usd": When(IsNegative(change), Fixed("realizedPnl", 18)),
                "notional_usd": Fixed(after, 18),
            },
            (Nonzero(change),),
            evidence="derived",
        )
        for is_long, after, change, size in LEGS
    ),
    *(
        Event(
            HOUSE,
            "PositionChanged",
            "open_interest",
            {
                "market": "baseToken",
                "is_long": Const(is_long),
                "open_interest_delta_usd": Fixed(change, 18),
                "open_interest_delta_tokens": size,
            },
            (Nonzero(change),),
            evidence="derived",
        )
        for is_long, _, change, size in LEGS
    ),
    Event(HOUSE, "PositionClosed", "position_changes", SETTLED),
    Event(HOUSE, "PositionClosed", "open_interest", SETTLED_INTEREST, evidence="derived"),
    Event(HOUSE, "PositionLiquidated", "liquidations", LIQUIDATED),
)
