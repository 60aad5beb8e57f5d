"""
Synthetix futures v1 and perps v2: traders face the debt pool of SNX stakers, a market per asset.

Contracts  https://github.com/Synthetixio/synthetix (publish/deployed/mainnet-ovm/deployment.json):
           perps v2 logs at its proxies, whatever contract behind them speaks; markets of both
           generations are announced by their manager. First blocks of single markets are not
           known, so their windows start with the earlier manager.
Split      fees go to the fee pool: SNX stakers claimed them, and since SIP-255 the sUSD is burned
           and lowers their debt: https://sips.synthetix.io/sips/sip-255/ (the fee pool that burns
           was deployed on 2023-02-15). Keepers' parts of a liquidation are third parties': supply
           side; what a liquidated position had left goes to the fee pool.
Units      1e18 throughout; sizes in units of the base asset, negative for shorts; a dollar is an
           sUSD.

PositionModified is also emitted for moved margin, pending orders, flags and liquidations; the size
of the trade is zero there and the price is the oracle's. In futures v1 three arguments of
PositionLiquidated are topics, in the first perps v2 none, under one hash: their number decides.
"""

from indexer.chains import OPTIMISM
from indexer.spec import (
    Abs,
    Ascii,
    Condition,
    Const,
    Contract,
    Discover,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    IsNegative,
    Market,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    Policy,
    Positive,
    Product,
    Protocol,
    Rest,
    Share,
    Sum,
    Token,
    Value,
    listed,
)

MANAGER, MARKET = "synthetix_v2/FuturesMarketManager", "synthetix_v2/Market"
SUSD = "0x8c6f28f2f1a3c87f0f938b96d27520d9751ec8d9"
FIRST_MANAGER, SECOND_MANAGER = 52_456_507, 86_524_190  # the blocks they are known from
PROXIES = listed("synthetix_v2_proxies")

# Version by shape where only one generation has it; None takes the emitter's.
WITHOUT_SKEW = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256)"
WITH_SKEW = "PositionModified(uint256,address,uint256,int256,int256,uint256,uint256,uint256,int256)"
MODIFIED = ((WITHOUT_SKEW, None), (WITH_SKEW, "2"))
KEEPERS_V1 = (
    "PositionLiquidated(uint256 indexed,address indexed,address indexed,int256,uint256,uint256)"
)
KEEPERS_V2 = "PositionLiquidated(uint256,address,address,int256,uint256,uint256)"
FLAGGED = "PositionLiquidated(uint256,address,address,int256,uint256,uint256,uint256,uint256)"
KEEPERS = Sum(("flaggerFee", "liquidatorFee"))
# Shape, version, what keepers got, what stakers got (0: what was left is in no event).
LIQUIDATED: tuple[tuple[str, str | None, Value, Value], ...] = (
    (KEEPERS_V1, "1", "fee", Int(0)),
    (KEEPERS_V2, "2", "fee", Int(0)),
    (FLAGGED, "2", KEEPERS, "stakersFee"),
)

# A trade that crosses zero closes one side and opens the other: a row for each.
OLD = Sum(("size", Neg("tradeSize")))
LEGS: tuple[tuple[bool, Value, Value], ...] = (
    (True, Positive("size"), Sum((Positive("size"), Neg(Positive(OLD))))),
    (False, Positive(Neg("size")), Sum((Positive(Neg("size")), Neg(Positive(Neg(OLD)))))),
)
IS_TRADE = Nonzero("tradeSize")
AT_ORACLE: tuple[Condition, ...] = (Equals("tradeSize", 0), Nonzero("lastPrice"))
POSITION: dict[str, Value] = {
    "market": Emitter(),
    "account": "account",
    "position_id": "id",
    "collateral_token": Const(SUSD),
}
CLOSED: dict[str, Value] = {**POSITION, "is_long": Not(IsNegative("size"))}
WORTH = Product(Abs("size"), "price")
ZERO = Fixed(Int(0), 0)
FEE = Fixed("fee", 18)
PAID: dict[str, Value] = {
    "market": Emitter(),
    "account": "account",
    "fee_token": Const(SUSD),
}

PROTOCOL = Protocol(
    slug="synthetix_v2",
    name="Synthetix futures v1 and perps v2",
    kind="perp",
    methodology=(
        "Position changes are PositionModified with a trade, at its fill price, and "
        "PositionLiquidated; a trade that turns a long into a short is two changes. Liquidations "
        "are PositionLiquidated, of the whole position at the oracle's price, with keepers' and "
        "stakers' parts as their fee. Open interest is the running sum of size changes per market "
        "and side, in units of the base asset. Fees are those of trades, all of them SNX "
        "stakers', and those of liquidations; the order's keeper is paid apart and not counted. "
        "Oracle prices are those of PositionModified without a trade. A dollar is an sUSD, which "
        "the venue takes at par."
    ),
    left_out=(
        "Bad debt and the profit of a trade: no event has them, and both need the margin, price "
        "and funding index at which the position was last changed.",
        "What is left of the margin of a liquidated position before April 2023, and deposits of "
        "cancelled orders: both go to the fee pool in no event of the market.",
        "Open interest in dollars: the markets announce sizes, not what they are worth later.",
        "Margin moved in and out (MarginTransferred) and margin left: neither is a change of "
        "exposure.",
        "PerpsTracking and FuturesTracking: they repeat the fee of orders with a front end's code.",
        "Delayed orders (DelayedOrderSubmitted, DelayedOrderRemoved) and flags (PositionFlagged): "
        "nothing is traded by them, and keepers' fees for orders pay for gas.",
        "Funding of futures v1: FundingRecomputed says what a unit has accrued in dollars, not the "
        "rate; that of single accounts is in no event of either generation.",
        "MarketRemoved: a removed market emits nothing that is read, so it needs no end.",
        "Who stands behind an account: Kwenta's SmartMarginFactory says it (NewAccount), and no "
        "table holds the owners of accounts.",
    ),
    contracts=(
        Contract(OPTIMISM, MANAGER, "0xdb89f3fc45A707Dd49781495f77f8ae69bF5cA6e", FIRST_MANAGER),
        Contract(OPTIMISM, MANAGER, "0xd30bdFd7e7a65fE109D5dE1D4e95F3B800FB7463", SECOND_MANAGER),
        *(
            Contract(OPTIMISM, MARKET, row["address"], FIRST_MANAGER, version="2")
            for row in PROXIES
        ),
    ),
    discoveries=(Discover(MANAGER, "MarketAdded", child="market", child_abi=MARKET),),
    events=(
        Event(
            abi=MANAGER,
            name="MarketAdded",
            into="markets",
            columns={
                "market": "market",
                "symbol": Ascii("asset"),
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
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
                where=(IS_TRADE, Nonzero(change)),
                version=version,
            )
            for name, version in MODIFIED
            for is_long, after, change in LEGS
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
                where=(IS_TRADE, Nonzero(change)),
                version=version,
                evidence="derived",
            )
            for name, version in MODIFIED
            for is_long, _, change in LEGS
        ),
        *(
            Event(
                abi=MARKET,
                name=name,
                into="fees",
                columns={
                    **PAID,
                    "fee_kind": Const("position"),
                    "fee_tokens": FEE,
                    "fee_usd": FEE,
                    "supply_side_usd": ZERO,
                    "holders_usd": Share(FEE, "holders_share"),
                    "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
                    "split_basis": Const("policy"),
                },
                where=(Nonzero("fee"),),
                version=version,
            )
            for name, version in MODIFIED
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
    ),
    policies=(
        Policy(
            kind="holders_share",
            value="1",
            valid_from="2022-03-01",  # the month of launch
            source="https://github.com/Synthetixio/synthetix (FuturesMarketManager.payFee)",
            basis="documentation",
        ),
        Policy(
            kind="holders_share",
            value="1",
            valid_from="2023-02-15",  # burned from here on, claimed before
            source="https://sips.synthetix.io/sips/sip-255/",
            basis="governance",
        ),
    ),
    tokens=(Token(OPTIMISM, SUSD, "sUSD", 18),),
    markets=tuple(
        Market(OPTIMISM, row["address"], row["symbol"], asset_class=row["asset_class"])
        for row in PROXIES
    ),
)
