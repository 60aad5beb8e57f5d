"""
GMX v2: perp DEX where traders face isolated pools; keepers execute orders at signed prices.

Contracts  https://github.com/gmx-io/gmx-synthetics (deployments/): one EventEmitter per chain
           carries every event as named key/value items, which grew and changed from release to
           release (PositionEventUtils.sol, MarketEventUtils.sol); Botanix is read from where the
           official subgraph starts, as the receipt of its deployment says block 0
Split      the pools' and the fee receiver's part are in each event; of the receiver's part 27 of
           37 points go to stakers (https://gov.gmx.io/t/gmx-v2-sustainable-development/2049, vote
           https://gl.app/dao/gmx.eth/proposals/0xd08ad5d5ce7439f5e9fbc59b1d5c94b98deb01e802a0d718e7cac743a4a06627),
           since 2024-10 through buybacks (config/buyback.ts of gmx-synthetics)
Units      USD 1e30; amounts in token decimals; a price is 1e30 USD per smallest unit of its token,
           so amount x price is 1e30 USD; many index tokens are synthetic, with no contract to ask:
           their decimals (config/tokens.ts) and addresses travel in gmx_v2_tokens.csv, and rows
           of one that is not listed yet are rejected, not guessed

Left out: PositionFeesInfo (on an insolvent close it repeats fees that nobody paid); funding
received (FundingFeesClaimed has no price) and funding rates (Funding has no sign); shortfalls of
funding (InsufficientFundingFeePayment); price impact, which is no fee; execution fees, which pay
for gas; buybacks of other tokens than GMX, and their weekly distribution; liquidators (a keeper,
whom the events of the position do not name); the split of what Botanix and MegaETH keep.
"""

from indexer.chains import (
    ARBITRUM,
    ARBITRUM_SEPOLIA,
    AVALANCHE,
    AVALANCHE_FUJI,
    BOTANIX,
    MEGAETH,
)
from indexer.spec import (
    Amount,
    Arg,
    Companion,
    Const,
    Contract,
    DecimalsOf,
    Equals,
    Event,
    First,
    Fixed,
    Int,
    Keyed,
    Market,
    Neg,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Policy,
    Product,
    Protocol,
    Rest,
    Share,
    Sum,
    SymbolOf,
    Time,
    Token,
    Value,
    When,
    chain_of,
    listed,
)

Columns = dict[str, Value]

ABI = "gmx_v2/EventEmitter"
# The last says whether stakers' share of what the fee receiver keeps is known there.
EMITTERS = (
    (ARBITRUM, "0xC8ee91A54287DB53897056e12D9819156D3822Fb", 107_737_756, "known"),
    (AVALANCHE, "0xDb17B211c34240B014ab6d61d4A31FA0C0e20c26", 32_162_455, "known"),
    (BOTANIX, "0xAf2E131d483cedE068e21a9228aD91E623a989C2", 117_907, "unknown"),
    (MEGAETH, "0xAf2E131d483cedE068e21a9228aD91E623a989C2", 5_661_063, "unknown"),
    (ARBITRUM_SEPOLIA, "0xa973c2692C1556E1a3d478e745e9a75624AEDc73", 151_253_862, "unknown"),
    (AVALANCHE_FUJI, "0xc67D98AC5803aFD776958622CeEE332A0B2CabB9", 23_861_078, "unknown"),
)
GMX = ("0xfc5a1a6eb076a2c7ad06ed22c90d7e710e35ad0a", "0x62edc0692bd897d2295872a9ffcac5425011c661")

INDEX = OfMarket("market", "index_token")
IN_INDEX = DecimalsOf(INDEX)
PER_INDEX = DecimalsOf(INDEX, plus=30, times=-1)
PER_TOKEN = DecimalsOf("token", plus=30, times=-1)
WORTH = "collateralTokenPrice.min"
BY_ORDER = {"orderKey": "orderKey"}
IS_LIQUIDATION = Equals("orderType", 7)
IS_ADL = Equals(Companion(Keyed("OrderExecuted"), "secondaryOrderType", {"orderKey": "key"}), 1)
NAMED = {
    token: When(
        Equals(SymbolOf(token), "WETH"),
        Const("ETH"),
        When(Equals(SymbolOf(token), "WAVAX"), Const("AVAX"), SymbolOf(token)),
    )
    for token in ("indexToken", "token")
}

MARKET: Columns = {
    "market": "marketToken",
    "symbol": NAMED["indexToken"],
    "index_token": When(Not(Equals("indexToken", "0x" + "0" * 40)), "indexToken"),
    "long_token": "longToken",
    "short_token": "shortToken",
    "asset_class": Const("unknown"),
    "known_by": Const("event"),
}
SIDE: Columns = {"market": "market", "collateral_token": "collateralToken", "is_long": "isLong"}
POSITION: Columns = {
    **SIDE,
    "account": "account",
    "position_id": "positionKey",
    "execution_price_usd": Fixed("executionPrice", PER_INDEX),
}
CHANGE: Columns = {
    **POSITION,
    "notional_usd": Fixed("sizeInUsd", 30),
    "size_tokens": Fixed("sizeInTokens", IN_INDEX),
}
INCREASE: Columns = {
    **CHANGE,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed("sizeDeltaUsd", 30),
    "size_delta_tokens": Fixed("sizeDeltaInTokens", IN_INDEX),
    "collateral_delta_usd": Fixed(Product("collateralDeltaAmount", WORTH), 30),
}
DECREASE: Columns = {
    **CHANGE,
    "cause": When(IS_LIQUIDATION, Const("liquidation"), When(IS_ADL, Const("adl"), Const("trade"))),
    "notional_delta_usd": Fixed(Neg("sizeDeltaUsd"), 30),
    "size_delta_tokens": Fixed(Neg("sizeDeltaInTokens"), IN_INDEX),
    "collateral_delta_usd": Fixed(Neg(Product("collateralDeltaAmount", WORTH)), 30),
    "realized_pnl_usd": Fixed("basePnlUsd", 30),
}
CUT: Columns = {
    **POSITION,
    "notional_usd": Fixed("sizeDeltaUsd", 30),
    "size_tokens": Fixed("sizeDeltaInTokens", IN_INDEX),
    "realized_pnl_usd": Fixed("basePnlUsd", 30),
}
DELEVERAGED: Columns = {**CUT, "derivation": Const("joined")}
# The fee's item exists only where the fee is not zero, InsolventClose only where debt was left.
LIQUIDATION_PAID = Companion(
    Keyed("PositionFeesCollected"), "liquidationFeeAmount", BY_ORDER, absent=0
)
DEBT_LEFT = First((Companion(Keyed("InsolventClose"), "remainingCostUsd", BY_ORDER), Int(0)))
LIQUIDATED: Columns = {
    **CUT,
    "collateral_usd": Fixed(Product("collateralDeltaAmount", WORTH), 30),
    "mark_price_usd": Fixed(Sum(("indexTokenPrice.min", "indexTokenPrice.max")), PER_INDEX, over=2),
    "fee_usd": Fixed(Product(LIQUIDATION_PAID, WORTH), 30),
    "shortfall_usd": Fixed(DEBT_LEFT, 30),
    "shortfall_basis": Const("event"),
    "derivation": Const("direct"),
}
SHORTFALL: Columns = {
    "kind": Const("bad_debt"),
    "market": Companion(Keyed("PositionDecrease"), "market", BY_ORDER),
    "account": Companion(Keyed("PositionDecrease"), "account", BY_ORDER),
    "shortfall_usd": Fixed("remainingCostUsd", 30),
}
OPEN_INTEREST: Columns = {
    **SIDE,
    "open_interest_usd": Fixed("nextValue", 30),
    "open_interest_delta_usd": Fixed("delta", 30),
}
OPEN_INTEREST_IN_TOKENS: Columns = {
    **SIDE,
    "open_interest_tokens": Fixed("nextValue", IN_INDEX),
    "open_interest_delta_tokens": Fixed("delta", IN_INDEX),
}
ORACLE: Columns = {
    "feed": "token",
    "asset": NAMED["token"],
    "quote": Const("USD"),
    "oracle_price_quote": Fixed(Sum(("minPrice", "maxPrice")), PER_TOKEN, over=2),
    "oracle_price_min_quote": Fixed("minPrice", PER_TOKEN),
    "oracle_price_max_quote": Fixed("maxPrice", PER_TOKEN),
    "observed_at": Time("timestamp"),
    "provider": "provider",
}

# PositionFeesCollected: the receiver's amount holds the receiver's parts of all three fees, and
# what a trader is not charged (the discount) appears in none of these items.
HOLDERS_SHARE = "holders_share_of_revenue"
VOTE = (
    "https://gl.app/dao/gmx.eth/proposals/"
    "0xd08ad5d5ce7439f5e9fbc59b1d5c94b98deb01e802a0d718e7cac743a4a06627"
)
CONFIG = "https://github.com/gmx-io/gmx-synthetics/blob/main/config/buyback.ts"
HOLDERS_KNOWN = Equals(OfContract("holders"), "known")
SPLIT: Columns = {
    "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
    "split_basis": Const("policy"),
}
BORROW, BORROW_RECEIVED = "borrowingFeeAmount", "borrowingFeeAmountForFeeReceiver"
PENALTY = Arg("liquidationFeeAmount", absent=0)
PENALTY_RECEIVED = Arg("liquidationFeeAmountForFeeReceiver", absent=0)
AFFILIATE = First((Arg("referral.affiliateRewardAmount"), Arg("affiliateRewardAmount"), Int(0)))
# Kind, fee, supply side (pools, affiliates, user interfaces), fee receiver.
FEES: tuple[tuple[str, Value, Value, Value], ...] = (
    (
        "position",
        Sum(("protocolFeeAmount", AFFILIATE, "uiFeeAmount")),
        Sum(("positionFeeAmountForPool", AFFILIATE, "uiFeeAmount")),
        Sum(("feeReceiverAmount", Neg(BORROW_RECEIVED), Neg(PENALTY_RECEIVED))),
    ),
    ("borrow", BORROW, Sum((BORROW, Neg(BORROW_RECEIVED))), BORROW_RECEIVED),
    ("liquidation", PENALTY, Sum((PENALTY, Neg(PENALTY_RECEIVED))), PENALTY_RECEIVED),
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

PROTOCOL = Protocol(
    slug="gmx_v2",
    name="GMX v2",
    kind="perp",
    methodology=(
        "Position changes are PositionIncrease and PositionDecrease. A decrease is a liquidation "
        "when its orderType is 7 and an auto-deleveraging when OrderExecuted of its order says "
        "secondaryOrderType 1. Liquidation fees and bad debt come from PositionFeesCollected and "
        "InsolventClose of the same order. Open interest is the venue's own total per market, "
        "collateral token and side, at entry prices. Fees are PositionFeesCollected (position, "
        "borrow and liquidation fee apart) and SwapFeesCollected at the venue's minimum price; "
        "pools, affiliates and user interfaces are the supply side; of the fee receiver's 37 "
        "points stakers get 27, the treasury the rest. Funding is what traders paid. Buybacks are "
        "BuybackFees in which GMX was bought, valued at the mid price of the token spent; bought "
        "GMX is distributed, not burnt. Oracle prices are those of every keeper transaction."
    ),
    contracts=tuple(
        Contract(chain, ABI, address, block, version="2", says={"holders": holders})
        for chain, address, block, holders in EMITTERS
    ),
    events=(
        Event(ABI, Keyed("MarketCreated"), "markets", MARKET),
        Event(ABI, Keyed("PositionIncrease"), "position_changes", INCREASE),
        Event(ABI, Keyed("PositionDecrease"), "position_changes", DECREASE),
        Event(ABI, Keyed("PositionDecrease"), "liquidations", LIQUIDATED, (IS_LIQUIDATION,)),
        Event(ABI, Keyed("PositionDecrease"), "adls", DELEVERAGED, (IS_ADL,)),
        Event(ABI, Keyed("InsolventClose"), "shortfalls", SHORTFALL),
        Event(ABI, Keyed("OpenInterestUpdated"), "open_interest", OPEN_INTEREST),
        Event(ABI, Keyed("OpenInterestInTokensUpdated"), "open_interest", OPEN_INTEREST_IN_TOKENS),
        Event(ABI, Keyed("OraclePriceUpdate"), "oracle_updates", ORACLE),
        *(
            Event(
                ABI,
                Keyed("PositionFeesCollected"),
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
                (Not(Equals(fee, 0)),),  # null where an item is missing: unknown, not nothing
            )
            for kind, fee, supply, received in FEES
        ),
        Event(ABI, Keyed("SwapFeesCollected"), "fees", SWAP, (Not(Equals(SWAP_FEE, 0)),)),
        Event(ABI, Keyed("PositionFeesCollected"), "funding", FUNDING, (IS_FUNDED,)),
        Event(ABI, Keyed("BuybackFees"), "buybacks", BUYBACK, (OneOf("buybackToken", GMX),)),
    ),
    policies=(
        # 27 of 37 points; in force before the first market.
        Policy(HOLDERS_SHARE, "0.729729729729729729", "2023-07-01", VOTE, "governance"),
        # Block 266096151 brought the first FeeHandler that buys back.
        Policy(HOLDERS_SHARE, "0.7297", "2024-10-21", CONFIG, "documentation"),
    ),
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in listed("gmx_v2_tokens")
    ),
    markets=tuple(
        Market(
            chain=chain_of(row["chain"]),
            market=row["market"],
            symbol=row["symbol"],
            index_token=row["index_token"] or None,
            long_token=row["long_token"],
            short_token=row["short_token"],
            asset_class=row["asset_class"],
        )
        for row in listed("gmx_v2_markets")
    ),
)
