"""gTrade v6.3 to v7: one callbacks contract per collateral, from before the diamond."""

from indexer.protocols.gains.values import IN_DOLLARS, ZERO
from indexer.spec import (
    All,
    Companion,
    Condition,
    Const,
    DecimalsOf,
    Emitter,
    Equals,
    Event,
    Evidence,
    First,
    Fixed,
    Int,
    IsTrue,
    Lookup,
    Neg,
    Nonzero,
    Not,
    OfContract,
    Product,
    Sum,
    SymbolOf,
    Value,
    When,
)

ABI = "gains/Callbacks"
TRADE_TUPLE = "(address,uint256,uint256,uint256,uint256,uint256,bool,uint256,uint256,uint256)"
MARKET_6 = f"MarketExecuted(uint256,{TRADE_TUPLE},bool,uint256,uint256,uint256,int256,uint256)"
MARKET_7 = (
    f"MarketExecuted(uint256,{TRADE_TUPLE},bool,uint256,uint256,uint256,int256,uint256,uint256)"
)
LIMIT_HEAD = f"LimitExecuted(uint256,uint256,{TRADE_TUPLE},address,uint8,uint256,uint256,uint256"
LIMIT_63, LIMIT_64, LIMIT_7 = (
    f"{LIMIT_HEAD},{tail})"
    for tail in ("int256,uint256", "int256,uint256,bool", "int256,uint256,uint256,bool")
)
EXECUTED = (MARKET_6, MARKET_7, LIMIT_63, LIMIT_64, LIMIT_7)

# Trades of the first Polygon contracts keep their collateral elsewhere and say zero, up to their
# close in v7; the execution says it then. v6 says no price of its one collateral, DAI: a dollar
# each, by assumption.
COLLATERAL = OfContract("collateral")
STAKE = When(Nonzero("t.positionSizeDai"), "t.positionSizeDai", "positionSizeDai")
WORTH = Product(STAKE, "collateralPriceUsd")
AT_PAR: Evidence = "assumed"
SAID: Evidence = "event"
# Event, its version (None: the window's), stake, what the collateral's decimals miss, evidence.
Shape = tuple[str, str | None, Value, int, Evidence]
MARKETS: tuple[Shape, ...] = (
    (MARKET_6, None, STAKE, 0, AT_PAR),
    (MARKET_7, "7", WORTH, 8, SAID),
)
LIMITS: tuple[Shape, ...] = (
    (LIMIT_63, None, STAKE, 0, AT_PAR),
    (LIMIT_64, None, STAKE, 0, AT_PAR),
    (LIMIT_7, "7", WORTH, 8, SAID),
)

# What a liquidation is charged is logged before it by recipients; of a trade whose collateral lies
# in the vault, which keeps it, the keeper's part alone.
TO_VAULT, TO_STAKERS, TO_KEEPER, TO_PROVIDERS = (
    Companion(names, "valueDai", {"t.trader": "trader"}, "before")
    for names in (
        "DaiVaultFeeCharged",
        "SssFeeCharged",
        ("TriggerFeeCharged", "NftBotFeeCharged"),
        "LpFeeCharged",
    )
)
CHARGED = When(
    Nonzero("t.positionSizeDai"),
    Sum((TO_VAULT, TO_STAKERS, TO_KEEPER, First((TO_PROVIDERS, Int(0))))),
)

# Order types: 0 TP, 1 SL, 2 LIQ, 3 OPEN; from v8 on they mean something else.
IS_OPENING, IS_LIQUIDATION = Equals("orderType", 3), Equals("orderType", 2)
CAUSE = Lookup("orderType", {0: "trade", 1: "trade", 2: "liquidation"})
OPENS: tuple[tuple[Shape, Condition], ...] = (
    *((shape, IsTrue("open")) for shape in MARKETS),
    *((shape, IS_OPENING) for shape in LIMITS),
)
CLOSES: tuple[tuple[Shape, Condition, Value], ...] = (
    *((shape, Not(IsTrue("open")), Const("trade")) for shape in MARKETS),
    *((shape, Not(IS_OPENING), CAUSE) for shape in LIMITS),
)
TRADE: dict[str, Value] = {
    "market": "t.pairIndex",
    "account": "t.trader",
    "position_id": "t.index",
    "is_long": "t.buy",
    "collateral_token": COLLATERAL,
    "execution_price_usd": When(IN_DOLLARS, Fixed("price", 10)),
}
CALLBACK_TRADES = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **TRADE,
                "cause": Const("trade"),
                "notional_delta_usd": Fixed(
                    Product(stake, "t.leverage"), DecimalsOf(COLLATERAL, plus=plus)
                ),
                "collateral_delta_usd": Fixed(stake, DecimalsOf(COLLATERAL, plus=plus)),
                "notional_usd": Fixed(
                    Product(stake, "t.leverage"), DecimalsOf(COLLATERAL, plus=plus)
                ),
            },
            where=(opens,),
            version=version,
            evidence=evidence,
        )
        for (event, version, stake, plus, evidence), opens in OPENS
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="position_changes",
            columns={
                **TRADE,
                "cause": cause,
                "notional_delta_usd": Fixed(
                    Neg(Product(stake, "t.leverage")), DecimalsOf(COLLATERAL, plus=plus)
                ),
                "collateral_delta_usd": Fixed(Neg(stake), DecimalsOf(COLLATERAL, plus=plus)),
                "realized_pnl_usd": Fixed(
                    Product(stake, "percentProfit"), DecimalsOf(COLLATERAL, plus=plus + 12)
                ),
                "notional_usd": ZERO,
            },
            where=(closes,),
            version=version,
            evidence=evidence,
        )
        for (event, version, stake, plus, evidence), closes, cause in CLOSES
    ),
    *(
        Event(
            abi=ABI,
            name=event,
            into="liquidations",
            columns={
                **TRADE,
                "liquidator": "nftHolder",
                "notional_usd": Fixed(
                    Product(stake, "t.leverage"), DecimalsOf(COLLATERAL, plus=plus)
                ),
                "collateral_usd": Fixed(stake, DecimalsOf(COLLATERAL, plus=plus)),
                "realized_pnl_usd": Fixed(
                    Product(stake, "percentProfit"), DecimalsOf(COLLATERAL, plus=plus + 12)
                ),
                "fee_usd": Fixed(
                    Product(CHARGED, "collateralPriceUsd") if plus else CHARGED,
                    DecimalsOf(COLLATERAL, plus=plus),
                ),
                "shortfall_basis": Const("none"),
                "derivation": Const("direct"),
            },
            where=(IS_LIQUIDATION,),
            version=version,
            evidence=evidence,
        )
        for event, version, stake, plus, evidence in LIMITS
    ),
)

# --- fees ---------------------------------------------------------------------------------------

BY_TRADER = {"trader": "t.trader"}
PRICE = Companion((MARKET_7, LIMIT_7), "collateralPriceUsd", BY_TRADER, "after")
TOKENS = DecimalsOf(COLLATERAL)
# A fee is of a liquidation where the execution that follows is one.
ORDER, LIMIT_ORDER = (
    Companion(shapes, "orderId", BY_TRADER, "after")
    for shapes in (EXECUTED, (LIMIT_63, LIMIT_64, LIMIT_7))
)
OF_LIQUIDATION = All(
    (
        Equals(Sum((ORDER, Neg(LIMIT_ORDER))), 0),
        Equals(Companion((LIMIT_63, LIMIT_64, LIMIT_7), "orderType", BY_TRADER, "after"), 2),
    )
)
POSITION, KEEPING = (
    When(OF_LIQUIDATION, Const("liquidation"), Const(kind)) for kind in ("position", "order")
)
# Of a trade whose collateral lies in the vault governance gets nothing of what a cancelled close
# is charged: the vault owes the trader less (_handleGovFees, distribute).
KEPT = Not(IsTrue("distributed"))
# Event, kind, amount, whose it is, which of its logs.
RECIPIENTS: tuple[tuple[str, Value, str, str, tuple[Condition, ...]], ...] = (
    ("DevGovFeeCharged", POSITION, "valueDai", "treasury", ()),
    ("GovFeeCharged", POSITION, "valueDai", "treasury", (IsTrue("distributed"),)),
    ("GovFeeCharged", POSITION, "valueDai", "vault", (KEPT,)),
    ("SssFeeCharged", POSITION, "valueDai", "holders", ()),
    ("DaiVaultFeeCharged", POSITION, "valueDai", "vault", ()),
    ("LpFeeCharged", POSITION, "valueDai", "vault", ()),
    ("ReferralFeeCharged", POSITION, "valueDai", "referrer", ()),
    ("NftBotFeeCharged", KEEPING, "valueDai", "keeper", ()),
    ("TriggerFeeCharged", KEEPING, "valueDai", "keeper", ()),
    ("BorrowingFeeCharged", Const("borrow"), "feeValueDai", "vault", ()),
)
CALLBACK_FEES = tuple(
    Event(
        abi=ABI,
        name=event,
        into="fees",
        columns={
            "market": Companion(EXECUTED, "t.pairIndex", BY_TRADER, "after"),
            "account": "trader",
            "fee_kind": kind,
            "fee_token": COLLATERAL,
            "fee_tokens": Fixed(amount, TOKENS),
            "fee_usd": dollars,
            "supply_side_usd": ZERO if whose in ("treasury", "holders") else dollars,
            "treasury_usd": dollars if whose == "treasury" else ZERO,
            "holders_usd": dollars if whose == "holders" else ZERO,
            "split_basis": Const("event"),
        },
        where=(Equals(OfContract("priced"), priced), *which),
        evidence=evidence,
    )
    for event, kind, amount, whose, which in RECIPIENTS
    for priced, dollars, evidence in (
        ("no", Fixed(amount, TOKENS), AT_PAR),
        ("yes", Fixed(Product(amount, PRICE), DecimalsOf(COLLATERAL, plus=8)), SAID),
    )
)

# --- collateral prices ---------------------------------------------------------------------------

CALLBACK_PRICES = tuple(
    Event(
        abi=ABI,
        name=event,
        into="oracle_updates",
        columns={
            "feed": COLLATERAL,
            "asset": When(Equals(SymbolOf(COLLATERAL), "WETH"), Const("ETH"), SymbolOf(COLLATERAL)),
            "quote": Const("USD"),
            "oracle_price_quote": Fixed("collateralPriceUsd", 8),
            "provider": Emitter(),
        },
        version="7",
    )
    for event in (MARKET_7, LIMIT_7)
)
