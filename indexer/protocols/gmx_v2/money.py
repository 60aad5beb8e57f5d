"""GMX v2: fees and their split, funding, buybacks."""

from indexer.protocols.gmx_v2.values import (
    ABI,
    BY_ORDER,
    PAID_ITS_FEES,
    PAID_ITS_FUNDING,
    WORTH,
    Columns,
)
from indexer.spec import (
    All,
    Amount,
    Arg,
    Companion,
    Condition,
    Const,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    IsTrue,
    Keyed,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OneOf,
    Product,
    Rest,
    Share,
    Sum,
    Value,
    When,
)

GMX = ("0xfc5a1a6eb076a2c7ad06ed22c90d7e710e35ad0a", "0x62edc0692bd897d2295872a9ffcac5425011c661")

# PositionFeesCollected: the receiver's amount holds the receiver's parts of all three fees, and
# what a trader is not charged (the discount) appears in none of these items.
HOLDERS_SHARE = "holders_share_of_revenue"
HOLDERS_KNOWN = Equals(OfContract("holders"), "known")
SPLIT: Columns = {
    "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
    "split_basis": When(HOLDERS_KNOWN, Const("policy"), Const("none")),
}
BORROW, BORROW_RECEIVED = "borrowingFeeAmount", "borrowingFeeAmountForFeeReceiver"
PENALTY = Arg("liquidationFeeAmount", absent=0)
PENALTY_RECEIVED = Arg("liquidationFeeAmountForFeeReceiver", absent=0)
AFFILIATE = First((Arg("referral.affiliateRewardAmount"), Arg("affiliateRewardAmount"), Int(0)))
# Kind, fee, supply side (pools, affiliates, user interfaces), fee receiver, whether confirmed.
FEES: tuple[tuple[str, Value, Value, Value, bool], ...] = (
    (
        "position",
        Sum(("protocolFeeAmount", AFFILIATE, "uiFeeAmount")),
        Sum(("positionFeeAmountForPool", AFFILIATE, "uiFeeAmount")),
        Sum(("feeReceiverAmount", Neg(BORROW_RECEIVED), Neg(PENALTY_RECEIVED))),
        True,
    ),
    ("borrow", BORROW, Sum((BORROW, Neg(BORROW_RECEIVED))), BORROW_RECEIVED, True),
    ("liquidation", PENALTY, Sum((PENALTY, Neg(PENALTY_RECEIVED))), PENALTY_RECEIVED, False),
)
COLLECTED, CALCULATED = Keyed("PositionFeesCollected"), Keyed("PositionFeesInfo")
CHARGED: tuple[tuple[Keyed, tuple[Condition, ...]], ...] = (
    (COLLECTED, ()),
    (CALCULATED, (PAID_ITS_FEES,)),
)
SWAP_FEE = Sum(("feeReceiverAmount", "feeAmountForPool", "uiFeeAmount"))
SWAP: Columns = {
    "market": "market",
    "fee_kind": Const("swap"),
    "fee_token": "token",
    "fee_tokens": Amount(SWAP_FEE, "token"),
    "fee_usd": Fixed(Product(SWAP_FEE, "tokenPrice"), 30),
    "supply_side_usd": Fixed(Product(Sum(("feeAmountForPool", "uiFeeAmount")), "tokenPrice"), 30),
    "holders_usd": When(
        HOLDERS_KNOWN, Share(Fixed(Product("feeReceiverAmount", "tokenPrice"), 30), HOLDERS_SHARE)
    ),
    **SPLIT,
}
LONG_IN_INCREASE = Companion(Keyed("PositionIncrease"), "isLong", BY_ORDER)
LONG_IN_DECREASE = Companion(Keyed("PositionDecrease"), "isLong", BY_ORDER)
IS_FUNDED = Not(Equals("fundingFeeAmount", 0))
FUNDING: Columns = {
    "market": "market",
    "account": "trader",
    "is_long": First((LONG_IN_INCREASE, LONG_IN_DECREASE)),
    "paid_usd": Fixed(Product("fundingFeeAmount", WORTH), 30),
}

# What is claimable later, from collateral, shares the name and has a time key.
IS_ACCRUED = All((Nonzero("delta"), Not(Exists(Arg("timeKey")))))
WORTH_AT_LEAST = Companion(Keyed("OraclePriceUpdate"), "minPrice", {"token": "token"}, "before")
ACCRUED: Columns = {
    "market": "market",
    "account": "account",
    "paid_usd": Fixed(Neg(Product("delta", WORTH_AT_LEAST)), 30),
}
# Funding has no sign; right before it stands what it added to the fees of the side that pays. Where
# one side is empty nobody pays, and it says zero.
LONGS_PAY = Companion(
    Keyed("FundingFeeAmountPerSizeUpdated"), "isLong", {"market": "market"}, "before"
)
FACTOR = "fundingFactorPerSecond"
PER_DAY = Product(FACTOR, Int(86_400))
IS_SIGNED = Not(All((Nonzero(FACTOR), Not(Exists(LONGS_PAY)))))
RATE: Columns = {
    "market": "market",
    "funding_rate_daily_ratio": Fixed(When(IsTrue(LONGS_PAY), PER_DAY, Neg(PER_DAY)), 30),
}
BORROWED: Columns = {
    "market": "market",
    "is_long": "isLong",
    "funding_rate_cumulative_ratio": Fixed("nextValue", 30),
}
SPENT_AT = Companion(Keyed("OraclePriceUpdate"), "minPrice", {"feeToken": "token"}, "before")
SPENT_UP_TO = Companion(Keyed("OraclePriceUpdate"), "maxPrice", {"feeToken": "token"}, "before")
BUYBACK: Columns = {
    # batchSize is what the contract received, buybackAmount what it paid out.
    "bought_token": "buybackToken",
    "bought_tokens": Amount("batchSize", "buybackToken"),
    "spent_token": "feeToken",
    "spent_tokens": Amount("buybackAmount", "feeToken"),
    "spent_usd": Fixed(Product("buybackAmount", Sum((SPENT_AT, SPENT_UP_TO))), 30, over=2),
    "destination_kind": Const("distribution"),
}

MONEY = (
    *(
        Event(
            ABI,
            name,
            "fees",
            {
                "market": "market",
                "account": "trader",
                "fee_kind": Const(kind),
                "fee_token": "collateralToken",
                "fee_tokens": Amount(fee, "collateralToken"),
                "fee_usd": Fixed(Product(fee, WORTH), 30),
                "supply_side_usd": Fixed(Product(supply, WORTH), 30),
                "holders_usd": When(
                    HOLDERS_KNOWN, Share(Fixed(Product(received, WORTH), 30), HOLDERS_SHARE)
                ),
                **SPLIT,
            },
            # Null where an item is missing: unknown, not nothing.
            (Not(Equals(fee, 0)), *paid),
            is_confirmed=is_confirmed and name is COLLECTED,
        )
        for name, paid in CHARGED
        for kind, fee, supply, received, is_confirmed in FEES
    ),
    Event(
        ABI,
        Keyed("SwapFeesCollected"),
        "fees",
        SWAP,
        (Not(Equals(SWAP_FEE, 0)),),
        is_confirmed=True,
    ),
    Event(ABI, COLLECTED, "funding", FUNDING, (IS_FUNDED,)),
    Event(ABI, CALCULATED, "funding", FUNDING, (IS_FUNDED, PAID_ITS_FUNDING)),
    Event(
        ABI,
        Keyed("ClaimableFundingUpdated"),
        "funding",
        ACCRUED,
        (IS_ACCRUED,),
        is_confirmed=True,
    ),
    Event(ABI, Keyed("Funding"), "funding", RATE, (IS_SIGNED,), is_confirmed=True),
    Event(
        ABI,
        Keyed("CumulativeBorrowingFactorUpdated"),
        "funding",
        BORROWED,
        (Nonzero("delta"),),
        is_confirmed=True,
    ),
    Event(ABI, Keyed("BuybackFees"), "buybacks", BUYBACK, (OneOf("buybackToken", GMX),)),
)
