"""PositionLiquidated in its shapes: the position, its end, and what it cost."""

from indexer.protocols.synthetix_v2.values import MARKET, PAID, POSITION, ZERO
from indexer.spec import (
    Abs,
    Const,
    Emitter,
    Event,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Not,
    Product,
    Sum,
    Value,
)

# Three arguments are topics in futures v1 and none in perps v2: twins, told apart by their number.
KEEPERS_ONLY = "PositionLiquidated(uint256,address,address,int256,uint256,uint256)"
FLAGGED = "PositionLiquidated(uint256,address,address,int256,uint256,uint256,uint256,uint256)"
KEEPERS = Sum(("flaggerFee", "liquidatorFee"))
# Shape, version, what keepers got, what stakers got (0: what was left is in no event).
LIQUIDATED: tuple[tuple[str, str | None, Value, Value], ...] = (
    (KEEPERS_ONLY, None, "fee", Int(0)),
    (FLAGGED, "2", KEEPERS, "stakersFee"),
)


CLOSED: dict[str, Value] = {**POSITION, "is_long": Not(IsNegative("size"))}
WORTH = Product(Abs("size"), "price")

LIQUIDATIONS = (
    *(
        Event(
            abi=MARKET,
            name=name,
            into="position_changes",
            columns={
                **CLOSED,
                "cause": Const("liquidation"),
                "notional_delta_usd": Fixed(Neg(WORTH), 36),
                "size_delta_tokens": Fixed(Neg(Abs("size")), 18),
                "execution_price_usd": Fixed("price", 18),
                "notional_usd": ZERO,
                "size_tokens": ZERO,
            },
            version=version,
        )
        for name, version, _, _ in LIQUIDATED
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="liquidations",
            columns={
                **CLOSED,
                "liquidator": "liquidator",
                "notional_usd": Fixed(WORTH, 36),
                "size_tokens": Fixed(Abs("size"), 18),
                "mark_price_usd": Fixed("price", 18),
                "execution_price_usd": Fixed("price", 18),
                "fee_usd": Fixed(Sum((keepers, stakers)), 18),
                "shortfall_basis": Const("none"),
                "derivation": Const("direct"),
            },
            version=version,
        )
        for name, version, keepers, stakers in LIQUIDATED
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="open_interest",
            columns={
                "market": Emitter(),
                "is_long": Not(IsNegative("size")),
                "open_interest_delta_tokens": Fixed(Neg(Abs("size")), 18),
            },
            version=version,
            evidence="derived",
        )
        for name, version, _, _ in LIQUIDATED
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="fees",
            columns={
                **PAID,
                "fee_kind": Const("liquidation"),
                "fee_tokens": Fixed(Sum((keepers, stakers)), 18),
                "fee_usd": Fixed(Sum((keepers, stakers)), 18),
                "supply_side_usd": Fixed(keepers, 18),
                "treasury_usd": ZERO,
                "holders_usd": Fixed(stakers, 18),
                "split_basis": Const("event"),
            },
            version=version,
        )
        for name, version, keepers, stakers in LIQUIDATED
    ),
)
