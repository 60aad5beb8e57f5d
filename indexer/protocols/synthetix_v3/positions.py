"""Settlements and liquidations of positions, and accounts that owe more than they have."""

from indexer.protocols.synthetix_v3.values import BY_ACCOUNT, MARKET_UPDATED, OLD, PERPS
from indexer.spec import (
    Abs,
    Companion,
    Const,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    Positive,
    Product,
    Sum,
    Value,
    When,
)

# A settlement that crosses zero closes one side and opens the other: a row for each.
# Side, size after, change of size, whether this side was there before.
LEGS: tuple[tuple[bool, Value, Value, IsNegative], ...] = (
    (
        True,
        Positive("newSize"),
        Sum((Positive("newSize"), Neg(Positive(OLD)))),
        IsNegative(Neg(OLD)),
    ),
    (
        False,
        Positive(Neg("newSize")),
        Sum((Positive(Neg("newSize")), Neg(Positive(Neg(OLD))))),
        IsNegative(OLD),
    ),
)

# MarketUpdated of a liquidation comes right before it and moves the position, not the market.
AT = {"marketId": "marketId"}
PRICE = Companion(MARKET_UPDATED, "price", AT, nearest="before")
MOVED = Companion(MARKET_UPDATED, "sizeDelta", AT, nearest="before")
WAS_LONG = When(
    Nonzero("currentPositionSize"),
    Not(IsNegative("currentPositionSize")),
    When(Exists(MOVED), IsNegative(MOVED)),
)
LIQUIDATED: dict[str, Value] = {
    "market": "marketId",
    "account": "accountId",
    "is_long": WAS_LONG,
}

# `pnl` is that of the price plus funding less interest (Position.sol, getPnl).
INTEREST = First((Companion("InterestCharged", "interest", BY_ACCOUNT, nearest="before"), Int(0)))
PNL = Sum(("pnl", Neg("accruedFunding"), INTEREST))

POSITIONS = (
    *(
        Event(
            abi=PERPS,
            name="OrderSettled",
            into="position_changes",
            columns={
                "market": "marketId",
                "account": "accountId",
                "cause": Const("trade"),
                "is_long": Const(is_long),
                "notional_delta_usd": Fixed(Product(change, "fillPrice"), 36),
                "size_delta_tokens": Fixed(change, 18),
                "execution_price_usd": Fixed("fillPrice", 18),
                "realized_pnl_usd": Fixed(When(was_there, PNL), 18),
                "notional_usd": Fixed(Product(after, "fillPrice"), 36),
                "size_tokens": Fixed(after, 18),
            },
            where=(Nonzero(change),),
        )
        for is_long, after, change, was_there in LEGS
    ),
    Event(
        abi=PERPS,
        name="PositionLiquidated",
        into="position_changes",
        columns={
            **LIQUIDATED,
            "cause": Const("liquidation"),
            "notional_delta_usd": Fixed(Neg(Product("amountLiquidated", PRICE)), 36),
            "size_delta_tokens": Fixed(Neg("amountLiquidated"), 18),
            "execution_price_usd": Fixed(PRICE, 18),
            "size_tokens": Fixed(Abs("currentPositionSize"), 18),
        },
    ),
    Event(
        abi=PERPS,
        name="PositionLiquidated",
        into="liquidations",
        columns={
            **LIQUIDATED,
            "notional_usd": Fixed(Product("amountLiquidated", PRICE), 36),
            "size_tokens": Fixed("amountLiquidated", 18),
            "mark_price_usd": Fixed(PRICE, 18),
            "execution_price_usd": Fixed(PRICE, 18),
            "shortfall_basis": Const("none"),
            "derivation": Const("joined"),
        },
    ),
    Event(
        abi=PERPS,
        name="AccountFlaggedForLiquidation",
        into="shortfalls",
        columns={
            "kind": Const("bad_debt"),
            "account": "accountId",
            "shortfall_usd": Fixed(Neg("availableMargin"), 18),
        },
        where=(IsNegative("availableMargin"),),
        evidence="derived",
    ),
)
