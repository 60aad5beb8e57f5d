"""What executions of every version carry, and how other events find the one they belong to."""

from indexer.spec import (
    All,
    Companion,
    DecimalsOf,
    Equals,
    First,
    Fixed,
    Int,
    Lookup,
    Neg,
    Nonzero,
    OfMarket,
    Product,
    Sum,
    Value,
    When,
    listed,
)

ABI = "gains/Diamond"

# Signatures by kind; the version is empty where the contract's window decides.
MARKET, TRIGGER, INCREASE, DECREASE, TWO_FACED = (
    tuple((row["event"], row["version"]) for row in listed("gains_shapes") if row["kind"] == kind)
    for kind in ("market", "trigger", "increase", "decrease", "two-faced increase")
)
EXECUTIONS = (*MARKET, *TRIGGER)
EXECUTED = tuple(event for event, _ in EXECUTIONS)
RESIZED = tuple(event for event, _ in (*INCREASE, *DECREASE))
ANY_RESIZED = (*RESIZED, TWO_FACED[0][0])

# Pairs are markets by their number, so collaterals, which have numbers too, are markets by name.
NAMES = {number: f"collateral {number}" for number in range(1, 256)}
COLLATERAL = OfMarket(Lookup("collateralIndex", NAMES), "index_token")
TRADE_COLLATERAL = OfMarket(Lookup("t.collateralIndex", NAMES), "index_token")
USD = DecimalsOf(COLLATERAL, plus=8)  # amount and price
TRADE_USD = DecimalsOf(TRADE_COLLATERAL, plus=8)
LEVERED = DecimalsOf(TRADE_COLLATERAL, plus=11)  # amount, price and leverage
PERCENT = DecimalsOf(TRADE_COLLATERAL, plus=20)  # amount, price and percentProfit

STAKE = Product("t.collateralAmount", "collateralPriceUsd")
NOTIONAL = Product(STAKE, "t.leverage")
PNL = Fixed(Product(STAKE, "percentProfit"), PERCENT)
NOTHING = When(Nonzero(Int(0)), Int(0))
ZERO = Fixed(Int(0), 0)

BY_TRADER = {"trader": "t.user", "collateralIndex": "t.collateralIndex"}
BY_TRADER_RESIZED = {"trader": "trader", "collateralIndex": "collateralIndex"}
BY_PAIR = {"pairIndex": "t.pairIndex", "collateralIndex": "t.collateralIndex"}
BY_PAIR_RESIZED = {"pairIndex": "pairIndex", "collateralIndex": "collateralIndex"}
PRICE = First(
    (
        Companion(EXECUTED, "collateralPriceUsd", BY_TRADER, "after"),
        Companion(ANY_RESIZED, "collateralPriceUsd", BY_TRADER_RESIZED, "after"),
    )
)
# An increase under the topic of two shapes has the pair for one of two numbers, and the counter it
# moves, before it charges for the order and after it charges for borrowing, says which. One that
# was cancelled charges and moves nothing.
NUMBERS = tuple(
    Companion(TWO_FACED[0][0], number, BY_TRADER_RESIZED, "after")
    for number in ("pairIndex", "index")
)
BY_COLLATERAL = {"collateralIndex": "collateralIndex"}
COUNTED = (
    Companion("BorrowingPairOiUpdated", "pairIndex", BY_COLLATERAL, "before"),
    Companion("BorrowingPairOiUpdated", "pairIndex", BY_COLLATERAL, "after"),
)
IS_DONE = Equals(Companion(TWO_FACED[0][0], "cancelReason", BY_TRADER_RESIZED, "after"), 0)
TOLD_APART = tuple(
    When(All((IS_DONE, Equals(Sum((counted, Neg(number))), 0))), counted)
    for counted in COUNTED
    for number in NUMBERS
)
PAIR = First(
    (
        Companion(EXECUTED, "t.pairIndex", BY_TRADER, "after"),
        Companion(RESIZED, "pairIndex", BY_TRADER_RESIZED, "after"),
        *TOLD_APART,
    )
)
LONG = First(
    (
        Companion(EXECUTED, "t.long", BY_TRADER, "after"),
        Companion(ANY_RESIZED, "long", BY_TRADER_RESIZED, "after"),
    )
)
PAIR_PRICE = First(
    (
        Companion(EXECUTED, "collateralPriceUsd", BY_PAIR, "after"),
        Companion(RESIZED, "collateralPriceUsd", BY_PAIR_RESIZED, "after"),
    )
)

# What an order charged in all, from v10 on: after its parts, before the execution. Until then the
# execution that follows them says of which order they are.
ALL_FEES = "FeesProcessed"
TRIGGERED = tuple(event for event, version in TRIGGER if version != "10")
ORDER, TRIGGER_ORDER = (
    Companion(shapes, "orderId.index", BY_TRADER, "after") for shapes in (EXECUTED, TRIGGERED)
)
ORDER_TYPE = First(
    (
        Companion(ALL_FEES, "orderType", BY_TRADER_RESIZED, "after"),
        When(
            Equals(Sum((ORDER, Neg(TRIGGER_ORDER))), 0),
            Companion(TRIGGERED, "orderType", BY_TRADER, "after"),
        ),
    )
)
OF_TRADE = {"t.user": "trader", "t.collateralIndex": "collateralIndex"}
CHARGED = Companion(ALL_FEES, "totalFeesCollateral", OF_TRADE, "before")
GOV, OTC, STAKING, VAULT, TRIGGER_FEE, REFERRAL = (
    Companion(f"{whose}FeeCharged", "amountCollateral", OF_TRADE, "before")
    for whose in ("Gov", "GnsOtc", "GnsStaking", "GToken", "Trigger", "Referral")
)
# Nothing is logged of a referrer that is none, nor of a keeper who gets nothing; of the others
# nothing where the collateral is less than the least fee, which then is a loss
# (TradingCommonUtils.sol, processClosingFees and, since v9.4, processFees).
CHARGED_USD: dict[str, dict[str, Value]] = {
    version: {"fee_usd": Fixed(Product(charged, "collateralPriceUsd"), TRADE_USD)}
    for version, charged in (
        ("", Sum((VAULT, STAKING, TRIGGER_FEE))),
        ("9.4", Sum((GOV, OTC, VAULT, First((TRIGGER_FEE, Int(0))), First((REFERRAL, Int(0)))))),
        ("10", CHARGED),
    )
}

# A price is in what its pair is quoted in, which for one in twelve is not the dollar. What v10
# calls tokens is collateral by that price, so that dollars of collateral make it units of the base.
QUOTE, RESIZED_QUOTE = OfMarket("t.pairIndex", "quote"), OfMarket("pairIndex", "quote")
IN_DOLLARS, RESIZED_IN_DOLLARS = Equals(QUOTE, "USD"), Equals(RESIZED_QUOTE, "USD")
IN_BASE = 26  # decimals of such tokens times the collateral's price

# Stablecoins among the collaterals: a dollar each, by assumption.
STABLE = tuple(row["address"] for row in listed("gains_tokens") if row["stable"])

# What the pairs are called and quoted in; an execution says only their number.
PAIRS = listed("gains_pairs")
