"""GMX v1: positions, liquidations and open interest."""

from indexer.spec import (
    All,
    Companion,
    Condition,
    Const,
    Equals,
    Event,
    Exists,
    Fixed,
    Int,
    IsNegative,
    IsTrue,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OneOf,
    Product,
    Sum,
    Value,
    When,
)

POSITION: dict[str, Value] = {
    "market": "indexToken",
    "account": "account",
    "is_long": "isLong",
    "collateral_token": "collateralToken",
    "position_id": "key",
}
SIDE: dict[str, Value] = {"market": "indexToken", "is_long": "isLong"}
REALIZED = Companion("UpdatePnl", "delta", {"key": "key"}, nearest="before")
IN_PROFIT = Companion("UpdatePnl", "hasProfit", {"key": "key"}, nearest="before")
PNL = Fixed(When(IsTrue(IN_PROFIT), REALIZED, Neg(REALIZED)), 30)

# What stands of the position after the change follows it: UpdatePosition (with a price on
# Avalanche, without on Arbitrum), or ClosePosition, which repeats the size that was closed and
# alone has no collateral left.
AFTER = (
    "UpdatePosition(bytes32,uint256,uint256,uint256,uint256,uint256,int256)",
    "UpdatePosition(bytes32,uint256,uint256,uint256,uint256,uint256,int256,uint256)",
    "ClosePosition",
)
IS_CLOSED = Equals(Companion(AFTER, "collateral", {"key": "key"}, nearest="after"), 0)
LEFT: dict[str, Value] = {
    "notional_usd": When(
        IS_CLOSED,
        Fixed(Int(0), 0),
        Fixed(Companion(AFTER, "size", {"key": "key"}, nearest="after"), 30),
    )
}

# Contracts that may close positions of their own through PositionManager, which says nothing.
PARTNERS = (
    "0x9ba57a1d3f6c61ff500f598f16b97007eb02e346",
    "0x5d8a5599d781cc50a234d73ac94f4da62c001d8b",
    "0xe40beb54ba00838abe076f6448b27528dd45e4f0",
    "0x1704a75bc723a018d176dc603b0d1a361040df16",
    "0xbfbee90e2a96614ace83139f41fa16a2079e8408",
    "0x0fae768ef2191fdfcb2c698f691c49035a53ef0f",
    "0x2b8e28667a29a5ab698b82e121f2b9edd9271e93",
    "0x46d6dee922f1d2c6421895ba182120c784d986d3",
    "0x3327a5f041e821f476e00572ee0862fbcaa32993",
    "0x2f9980d6fb25bd972196b19e243e36dbde60618b",
    "0xc75417cb103d7008ecb07aa6fbf214ee2c127901",
    "0x37a86cb53981cc762709b2c402b0f790d58f95bf",
)
ORDERED = {name: name for name in ("account", "indexToken", "sizeDelta", "isLong")}
REQUESTED = Companion(
    "ExecuteDecreasePosition", "account", ORDERED, "after", abi="gmx_v1/PositionRouter"
)
TRIGGERED = Companion(
    "ExecuteDecreaseOrder",
    "account",
    {**ORDERED, "collateralToken": "collateralToken"},
    "after",
    abi="gmx_v1/OrderBook",
)
IS_LIQUIDATION: Condition = All(
    (
        Equals(OfContract("closes"), "told apart"),
        IS_CLOSED,
        Equals("collateralDelta", 0),
        IsNegative(Sum((Product("fee", Int(100)), Neg("sizeDelta")))),
        Not(Exists(REQUESTED)),
        Not(Exists(TRIGGERED)),
        Not(OneOf("account", PARTNERS)),
    )
)

POSITIONS = (
    Event(
        abi="gmx_v1/Vault",
        name="IncreasePosition",
        into="position_changes",
        columns={
            **POSITION,
            **LEFT,
            "cause": Const("trade"),
            "notional_delta_usd": Fixed("sizeDelta", 30),
            "collateral_delta_usd": Fixed(Sum(("collateralDelta", Neg("fee"))), 30),
            "execution_price_usd": Fixed("price", 30),
        },
    ),
    Event(
        abi="gmx_v1/Vault",
        name="DecreasePosition",
        into="position_changes",
        columns={
            **POSITION,
            **LEFT,
            "cause": When(IS_LIQUIDATION, Const("liquidation"), Const("trade")),
            "notional_delta_usd": Fixed(Neg("sizeDelta"), 30),
            "execution_price_usd": Fixed("price", 30),
            "realized_pnl_usd": PNL,
        },
        is_confirmed=True,
    ),
    Event(
        abi="gmx_v1/Vault",
        name="LiquidatePosition",
        into="position_changes",
        columns={
            **POSITION,
            "cause": Const("liquidation"),
            "notional_delta_usd": Fixed(Neg("size"), 30),
            "collateral_delta_usd": Fixed(Neg("collateral"), 30),
            "execution_price_usd": Fixed("markPrice", 30),
            "notional_usd": Fixed(Int(0), 0),
        },
    ),
    Event(
        abi="gmx_v1/Vault",
        name="LiquidatePosition",
        into="liquidations",
        columns={
            **POSITION,
            "notional_usd": Fixed("size", 30),
            "collateral_usd": Fixed("collateral", 30),
            "mark_price_usd": Fixed("markPrice", 30),
            "execution_price_usd": Fixed("markPrice", 30),
            "fee_usd": Fixed(
                Companion(
                    "CollectMarginFees",
                    "feeUsd",
                    {"collateralToken": "token"},
                    nearest="before",
                ),
                30,
            ),
            "shortfall_basis": Const("none"),
            "derivation": Const("direct"),
        },
    ),
    Event(
        abi="gmx_v1/Vault",
        name="DecreasePosition",
        into="liquidations",
        columns={
            **POSITION,
            "notional_usd": Fixed("sizeDelta", 30),
            "mark_price_usd": Fixed("price", 30),
            "execution_price_usd": Fixed("price", 30),
            "realized_pnl_usd": PNL,
            "fee_usd": Fixed("fee", 30),
            "shortfall_usd": Fixed(Int(0), 0),
            "shortfall_basis": Const("computed"),
            "derivation": Const("inferred"),
        },
        where=(IS_LIQUIDATION,),
        evidence="derived",
    ),
    Event(
        abi="gmx_v1/Vault",
        name="IncreasePosition",
        into="open_interest",
        columns={**SIDE, "open_interest_delta_usd": Fixed("sizeDelta", 30)},
        where=(Nonzero("sizeDelta"),),
        evidence="derived",
    ),
    Event(
        abi="gmx_v1/Vault",
        name="DecreasePosition",
        into="open_interest",
        columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("sizeDelta"), 30)},
        where=(Nonzero("sizeDelta"),),
        evidence="derived",
        is_confirmed=True,
    ),
    Event(
        abi="gmx_v1/Vault",
        name="LiquidatePosition",
        into="open_interest",
        columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("size"), 30)},
        evidence="derived",
    ),
)
