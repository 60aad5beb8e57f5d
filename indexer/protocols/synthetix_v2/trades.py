"""PositionModified of both generations: trades and oracle prices; fees, of orders too; funding."""

from indexer.protocols.synthetix_v2.values import MARKET, PAID, POSITION, ZERO
from indexer.spec import (
    Companion,
    Condition,
    Const,
    Emitter,
    Equals,
    Event,
    Evidence,
    Exists,
    Fixed,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    Positive,
    Product,
    Rest,
    Share,
    Sum,
    Value,
)

# Version by shape where only one generation has it; None takes the emitter's.
WITHOUT_SKEW = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256)"
WITH_SKEW = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256,int256)"
MODIFIED = ((WITHOUT_SKEW, None), (WITH_SKEW, "2"))

# A trade that crosses zero closes one side and opens the other: a row for each, under one id, and
# what closes is first, so that the last row says what the position holds.
OLD = Sum(("size", Neg("tradeSize")))
LONG, SHORT = Positive("size"), Positive(Neg("size"))
LONG_CHANGE = Sum((LONG, Neg(Positive(OLD))))
SHORT_CHANGE = Sum((SHORT, Neg(Positive(Neg(OLD)))))
LEGS: tuple[tuple[bool, Value, Value, Condition], ...] = (
    (False, SHORT, SHORT_CHANGE, IsNegative(SHORT_CHANGE)),
    (True, LONG, LONG_CHANGE, Nonzero(LONG_CHANGE)),
    (False, SHORT, SHORT_CHANGE, IsNegative(Neg(SHORT_CHANGE))),
)
IS_TRADE = Nonzero("tradeSize")
# What an order of perps v2 takes from the margin, or gives back, is at the price it would fill at.
ORDER = Companion(
    ("DelayedOrderSubmitted", "DelayedOrderRemoved"), "sizeDelta", {"account": "account"}, "after"
)
AT_ORACLE: tuple[Condition, ...] = (
    Equals("tradeSize", 0),
    Nonzero("lastPrice"),
    Not(Exists(ORDER)),
)
# An order that is executed has its deposit back before its trade, after which it is removed; of one
# that is cancelled the fee pool has it (MixinFuturesNextPriceOrders.sol, cancelNextPriceOrder;
# PerpsV2MarketDelayedExecution.sol, _cancelDelayedOrder).
TRADED = Companion((WITHOUT_SKEW, WITH_SKEW), "tradeSize", {"account": "account"}, "before")
IS_CANCELLED = (Nonzero("commitDeposit"), Not(Nonzero(TRADED)))
# Event, version, kind, amount, conditions, evidence.
FEES: tuple[tuple[str, str | None, str, str, tuple[Condition, ...], Evidence], ...] = (
    (WITHOUT_SKEW, None, "position", "fee", (Nonzero("fee"),), "event"),
    (WITH_SKEW, "2", "position", "fee", (Nonzero("fee"),), "event"),
    ("NextPriceOrderRemoved", "1", "order", "commitDeposit", IS_CANCELLED, "derived"),
    ("DelayedOrderRemoved", "2", "order", "commitDeposit", IS_CANCELLED, "derived"),
)

TRADES = (
    *(
        Event(
            abi=MARKET,
            name=name,
            into="position_changes",
            columns={
                **POSITION,
                "cause": Const("trade"),
                "is_long": Const(is_long),
                "notional_delta_usd": Fixed(Product(change, "lastPrice"), 36),
                "size_delta_tokens": Fixed(change, 18),
                "execution_price_usd": Fixed("lastPrice", 18),
                "notional_usd": Fixed(Product(after, "lastPrice"), 36),
                "size_tokens": Fixed(after, 18),
            },
            where=(IS_TRADE, is_touched),
            version=version,
        )
        for name, version in MODIFIED
        for is_long, after, change, is_touched in LEGS
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="open_interest",
            columns={
                "market": Emitter(),
                "is_long": Const(is_long),
                "open_interest_delta_tokens": Fixed(change, 18),
            },
            where=(IS_TRADE, is_touched),
            version=version,
            evidence="derived",
        )
        for name, version in MODIFIED
        for is_long, _, change, is_touched in LEGS
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="fees",
            columns={
                **PAID,
                "fee_kind": Const(kind),
                "fee_tokens": Fixed(amount, 18),
                "fee_usd": Fixed(amount, 18),
                "supply_side_usd": ZERO,
                "holders_usd": Share(Fixed(amount, 18), "holders_share"),
                "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
                "split_basis": Const("policy"),
            },
            where=where,
            version=version,
            evidence=evidence,
        )
        for name, version, kind, amount, where, evidence in FEES
    ),
    *(
        Event(
            abi=MARKET,
            name=name,
            into="oracle_updates",
            columns={
                "feed": Emitter(),
                "asset": OfMarket(Emitter(), "symbol"),
                "quote": Const("USD"),
                "oracle_price_quote": Fixed("lastPrice", 18),
                "provider": Emitter(),
            },
            where=AT_ORACLE,
            version=version,
        )
        for name, version in MODIFIED
    ),
    Event(
        abi=MARKET,
        name="FundingRecomputed",
        into="funding",
        columns={
            "market": Emitter(),
            "funding_rate_daily_ratio": Fixed("fundingRate", 18),
        },
        version="2",
    ),
)
