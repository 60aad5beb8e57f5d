"""
Synthetix v3 perps: cross-margined accounts (numbered NFTs) trade against liquidity providers.

Contracts  https://github.com/Synthetixio/synthetix-v3 (markets/perps-market, auxiliary/BuybackSnx):
           one PerpsMarketProxy per chain for all markets; npm @synthetixio/v3-contracts
Split      each settlement says what the fee collector and referrers got; the rest is the
           liquidity providers', and so is all interest (AsyncOrderSettlementPythModule.sol shares
           out order fees alone). On Base the collector is the contract that buys SNX back and
           burns it: https://sips.synthetix.io/sips/sip-345/
Units      1e18 throughout; sizes in units of the base asset, negative for shorts

A flag's reward is part of the first attempt's (LiquidationModule.sol), as is that of
AccountMarginLiquidation, so neither is read: the attempt says what a keeper got in all.
"""

from indexer.chains import ARBITRUM, BASE
from indexer.spec import (
    Abs,
    Companion,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OfMarket,
    Positive,
    Product,
    Protocol,
    Rest,
    Sum,
    Token,
    Value,
    When,
)

PERPS, BUYBACK = "synthetix_v3/PerpsMarketProxy", "synthetix_v3/BuybackSnx"
SNX = "0x22e6966b799c4d5b13be962e1d117b56327fda66"
MARKET_UPDATED = (
    "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256,uint128)",
    "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256)",  # until about Feb 2024
)

# A settlement that crosses zero closes one side and opens the other: a row for each.
OLD = Sum(("newSize", Neg("sizeDelta")))
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
BY_ACCOUNT = {"accountId": "accountId"}
INTEREST = First((Companion("InterestCharged", "interest", BY_ACCOUNT, nearest="before"), Int(0)))
PNL = Sum(("pnl", Neg("accruedFunding"), INTEREST))
SIDES = ((True, Sum(("size", "skew"))), (False, Sum(("size", Neg("skew")))))
COLLECTED = Equals(OfContract("collector"), "buyback")
FEE = Sum(("totalFees", Neg("settlementReward")))

PROTOCOL = Protocol(
    slug="synthetix_v3",
    name="Synthetix v3 perps",
    kind="perp",
    methodology=(
        "Position changes are OrderSettled and PositionLiquidated; a settlement that turns a long "
        "into a short is two changes. Profit or loss is that of the position before the "
        "settlement, without funding, interest and fees. A liquidation takes its price, and where "
        "the position is gone its side, from the MarketUpdated right before it; large positions "
        "are liquidated in several steps, a row each. Bad debt is a negative margin at the moment "
        "an account is flagged. Open interest follows from the size and skew of a market, marked "
        "at its oracle price. Fees are the order fees of OrderSettled without the settler's "
        "reward, and InterestCharged; referrers and liquidity providers are the supply side; the "
        "collected part of order fees goes to holders on Base, where it buys SNX to burn, and to "
        "an unknown receiver on Arbitrum. What an attempt to liquidate an account pays its keeper "
        "is a liquidation fee of the account, of no single market; keepers are third parties: "
        "supply side."
    ),
    left_out=(
        "A liquidation's own fee and collateral: the keeper is paid and the margin seized once per "
        "account, over several markets, and no event says how much was seized.",
        "Rewards of settlers: they pay for gas.",
        "Interest and funding of liquidated positions: no event has them.",
        "Deposits and withdrawals of margin (CollateralModified), debt (AccountCharged, DebtPaid): "
        "an account's margin belongs to no position and to no pool.",
        "The interest rate of MarketUpdated and InterestRateUpdated: it is no funding rate, and "
        "what was paid of it is in the fees.",
        "What AccountMarginLiquidation seizes, and against which debt: no event has the debt.",
        "What the fee collector does with its part on Arbitrum: no source says it.",
        "The owner of an account: accounts are NFTs, and no table holds their owners.",
        "AccountLiquidated, the attempt's earlier name: no deployed contract is known to emit it.",
    ),
    contracts=(
        Contract(
            BASE,
            PERPS,
            "0x0A2AF931eFFd34b81ebcc57E3d3c9B1E1dE1C9Ce",
            7_500_000,
            version="3",
            says={"collector": "buyback"},
        ),
        Contract(
            ARBITRUM,
            PERPS,
            "0xd762960c31210Cf1bDf75b06A5192d395EEDC659",
            218_000_000,
            version="3",
            says={"collector": "unknown"},
        ),
        Contract(
            BASE, BUYBACK, "0x53f1E640C058337a12D036265681bC172e6fB962", 7_500_000, version="3"
        ),
        Contract(
            BASE, BUYBACK, "0x632cAa10A56343C5e6C0c066735840c096291B18", 7_500_000, version="3"
        ),
    ),
    events=(
        Event(
            abi=PERPS,
            name="MarketCreated",
            into="markets",
            columns={
                "market": "perpsMarketId",
                "symbol": "marketSymbol",
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
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
                "supply_side_usd": Fixed(Sum((FEE, Neg("collectedFees"))), 18),
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
    ),
    tokens=(Token(BASE, SNX, "SNX", 18),),
)
