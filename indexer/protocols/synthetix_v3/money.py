"""Open interest, funding, prices, fees and buybacks."""

from indexer.protocols.synthetix_v3.values import (
    BUYBACK,
    BY_ACCOUNT,
    MARKET_UPDATED,
    OLD,
    PERPS,
    SNX,
)
from indexer.spec import (
    All,
    Companion,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OfMarket,
    Product,
    Rest,
    Sum,
    When,
)

SIDES = ((True, Sum(("size", "skew"))), (False, Sum(("size", Neg("skew")))))
IS_TOLD = Nonzero(Sum(("referralFees", "collectedFees")))
COLLECTED = All((IS_TOLD, Equals(OfContract("collector"), "buyback")))
FEE = Sum(("totalFees", Neg("settlementReward")))

MONEY = (
    *(
        Event(
            abi=PERPS,
            name=name,
            into="open_interest",
            columns={
                "market": "marketId",
                "is_long": Const(is_long),
                "open_interest_usd": Fixed(Product(twice, "price"), 36, over=2),
                "open_interest_tokens": Fixed(twice, 18, over=2),
            },
            evidence="derived",
        )
        for name in MARKET_UPDATED
        for is_long, twice in SIDES
    ),
    *(
        Event(
            abi=PERPS,
            name=name,
            into="funding",
            columns={
                "market": "marketId",
                "funding_rate_daily_ratio": Fixed("currentFundingRate", 18),
            },
        )
        for name in MARKET_UPDATED
    ),
    *(
        Event(
            abi=PERPS,
            name=name,
            into="oracle_updates",
            columns={
                "feed": "marketId",
                "asset": OfMarket("marketId", "symbol"),
                "quote": Const("USD"),
                "oracle_price_quote": Fixed("price", 18),
                "provider": Emitter(),
            },
        )
        for name in MARKET_UPDATED
    ),
    Event(
        abi=PERPS,
        name="OrderSettled",
        into="funding",
        columns={
            "market": "marketId",
            "account": "accountId",
            "is_long": Not(IsNegative(OLD)),
            "paid_usd": Fixed(Neg("accruedFunding"), 18),
        },
        where=(Nonzero("accruedFunding"),),
    ),
    Event(
        abi=PERPS,
        name="OrderSettled",
        into="fees",
        columns={
            "market": "marketId",
            "account": "accountId",
            "fee_kind": Const("order"),
            "fee_usd": Fixed(FEE, 18),
            "supply_side_usd": When(IS_TOLD, Fixed(Sum((FEE, Neg("collectedFees"))), 18)),
            "holders_usd": When(COLLECTED, Fixed("collectedFees", 18)),
            "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
            "split_basis": When(COLLECTED, Const("event"), Const("none")),
        },
        where=(Nonzero(FEE),),
    ),
    Event(
        abi=PERPS,
        name="InterestCharged",
        into="fees",
        columns={
            "market": Companion("OrderSettled", "marketId", BY_ACCOUNT, nearest="after"),
            "account": "accountId",
            "fee_kind": Const("borrow"),
            "fee_usd": Fixed("interest", 18),
            "supply_side_usd": Fixed("interest", 18),
            "treasury_usd": Fixed(Int(0), 18),
            "holders_usd": Fixed(Int(0), 18),
            "split_basis": Const("event"),
        },
        where=(Nonzero("interest"),),
    ),
    Event(
        abi=PERPS,
        name="AccountLiquidationAttempt",
        into="fees",
        columns={
            "account": "accountId",
            "fee_kind": Const("liquidation"),
            "fee_usd": Fixed("reward", 18),
            "supply_side_usd": Fixed("reward", 18),
            "treasury_usd": Fixed(Int(0), 18),
            "holders_usd": Fixed(Int(0), 18),
            "split_basis": Const("event"),
        },
        where=(Nonzero("reward"),),
    ),
    Event(
        abi=BUYBACK,
        name="BuybackProcessed",
        into="buybacks",
        columns={
            "bought_token": Const(SNX),
            "bought_tokens": Fixed("snx", 18),
            "spent_usd": Fixed("usd", 18),
            "burned_tokens": Fixed("snx", 18),
            "destination_kind": Const("dead_burn"),
        },
    ),
)
