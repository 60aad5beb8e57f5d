"""
MUX v3: many pools behind each market on Arbitrum, and accounts that hold several collaterals.

Contracts  https://github.com/mux-world/mux3-protocol (deployments/arb1.deployment.json: addresses
           and first blocks; contracts/ for what events mean); the events as its own SDK has them,
           https://github.com/mux-world/mux.js (src/abi/mux3)
Split      none is taken: the fee distributor's ratio is in no event of these contracts
Units      1e18 throughout, whatever the token. A market is one side of an asset, its id text in a
           bytes32 (LongBTC). The price of a trade is the oracle's. An oracle's id is a token's
           address, left-aligned in a word; the markets of BTC and ETH are priced as WBTC and WETH
           (scripts, MM_ORACLE_ID).

An auto-deleveraging closes all of a position, after which the order book logs FillAdlOrder, of the
same position, market and size (LibOrderBook, fillAdlOrder). A liquidation closes all positions of
an account, one event each; fees and losses beyond its collaterals are not in it (Market,
_realizeLoss).
"""

from indexer.chains import ARBITRUM
from indexer.spec import (
    Bits,
    Companion,
    Const,
    Contract,
    Equals,
    Event,
    Exists,
    Fixed,
    Int,
    Neg,
    Nonzero,
    Not,
    Product,
    Protocol,
    Sum,
    SymbolOf,
    Time,
    Value,
    When,
)

CORE, BOOK = "mux_v3/Mux3", "mux_v3/OrderBook"
POOLS = "mux_v3/CollateralPoolEventEmitter"
WBTC = "0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"

SIZE, PRICE = Fixed("size", 18), Fixed("tradingPrice", 18)
TRADED = Product("size", "tradingPrice")
NOTIONAL = Fixed(TRADED, 36)
NOTHING = Fixed(Int(0), 0)
ADL = Companion(
    "FillAdlOrder",
    "params.positionId",
    {"positionId": "params.positionId", "marketId": "params.marketId", "size": "params.size"},
    nearest="after",
    abi=BOOK,
)
IS_ADL = Exists(ADL)

SIDE: dict[str, Value] = {"market": "marketId", "is_long": "isLong"}
POSITION: dict[str, Value] = {**SIDE, "account": "owner", "position_id": "positionId"}
OPENED: dict[str, Value] = {
    **POSITION,
    "cause": Const("trade"),
    "notional_delta_usd": NOTIONAL,
    "size_delta_tokens": SIZE,
    "execution_price_usd": PRICE,
}
CLOSED: dict[str, Value] = {
    **POSITION,
    "notional_delta_usd": Fixed(Neg(TRADED), 36),
    "size_delta_tokens": Fixed(Neg("size"), 18),
    "execution_price_usd": PRICE,
}
ALL_CLOSED: dict[str, Value] = {**CLOSED, "notional_usd": NOTHING, "size_tokens": NOTHING}
FORCED: dict[str, Value] = {
    **POSITION,
    "notional_usd": NOTIONAL,
    "size_tokens": SIZE,
    "execution_price_usd": PRICE,
}
LIQUIDATED: dict[str, Value] = {
    **FORCED,
    "mark_price_usd": PRICE,
    "fee_usd": Fixed("positionFeeUsd", 18),
    "shortfall_basis": Const("none"),
    "derivation": Const("direct"),
}
TAKEN: dict[str, Value] = {**SIDE, "open_interest_delta_tokens": Fixed(Neg("size"), 18)}

PAID: dict[str, Value] = {"account": "owner", "split_basis": Const("none")}
CHARGED: dict[str, Value] = {
    **PAID,
    "market": "marketId",
    "fee_usd": Fixed("positionFeeUsd", 18),
}
BORROWING: dict[str, Value] = {
    **PAID,
    "fee_kind": Const("borrow"),
    "fee_usd": Fixed("borrowingFeeUsd", 18),
}
EXECUTIONS = (
    ("OpenPosition", "position"),
    ("ClosePosition", "position"),
    ("LiquidatePosition", "liquidation"),
)
BORROWED = (*(name for name, _ in EXECUTIONS), "ReallocatePosition", "UpdatePositionBorrowingFee")
IS_BORROWED = (Nonzero("borrowingFeeUsd"),)

# As the pool computed them (CollateralPool): shares are worth what came without the fee, and what
# left with it.
WORTH = Product("shares", "lpPrice")
FEE_WORTH = Product("liquidityFeeCollateral", "tokenPrice")
FLOWS: tuple[tuple[str, str, Value], ...] = (
    ("AddLiquidity", "deposit", Sum((WORTH, FEE_WORTH))),
    ("RemoveLiquidity", "withdrawal", Sum((WORTH, Neg(FEE_WORTH)))),
)
PROVIDED: dict[str, Value] = {
    "account": "account",
    "fee_kind": Const("swap"),
    "fee_usd": Fixed(FEE_WORTH, 36),
    "split_basis": Const("none"),
}
PRICED = Bits("oracleId", at=96, count=160)

PROTOCOL = Protocol(
    slug="mux_v3",
    name="MUX v3",
    kind="perp",
    methodology=(
        "Position changes are OpenPosition, ClosePosition and LiquidatePosition, with notional = "
        "size x price. Liquidations are LiquidatePosition. Auto-deleveragings are ClosePosition "
        "which FillAdlOrder of the order book follows, of the same position, market and size. "
        "Open interest is the running sum of sizes per market, which is one side of an asset. "
        "Fees are position, liquidation and borrowing fees as the events state them, and what "
        "providers of liquidity pay; how they are shared is not known. Oracle prices are those "
        "that executions were given. Pool flows and share prices are in dollars, at the price of "
        "the token that came or left."
    ),
    left_out=(
        "Profit and loss, and what is left of a position that is closed in part: lists, a part "
        "per pool, and no expression adds up a list.",
        "Collateral: lists too, of several tokens, which back all positions of an account.",
        "Borrowing rates: one per pool and market, with several pools of one collateral.",
        "Bad debt: no event, and losses and fees of a liquidation end at the collateral.",
        "What deleveraging begins at (MCP_ADL_TRIGGER_RATE): keys and values of SetConfig.",
        "ReallocatePosition, but for its fee: a position moves between pools, the trader's stays.",
        "LiquidityBalanceIn and -Out (profit, loss, fees and exchanges of pools): no flow of a "
        "provider.",
    ),
    contracts=(
        Contract(ARBITRUM, CORE, "0x85c8F4a67F4f9AD7b38e875c8FeDE7F4c878bFAc", 302_779_865),
        Contract(ARBITRUM, BOOK, "0x8ec387586a709ECE1a9Ea83c6163c3616D8E16b4", 302_779_934),
        Contract(ARBITRUM, POOLS, "0xFf5Bb66f074EfEc32daCA30f562e55e19F1eD758", 302_780_019),
    ),
    events=(
        Event(
            abi=CORE,
            name="CreateMarket",
            into="markets",
            columns={
                "market": "marketId",
                "symbol": "symbol",
                "asset_class": Const("crypto"),
                "quote": Const("USD"),
                "known_by": Const("event"),
            },
        ),
        Event(CORE, "OpenPosition", "position_changes", OPENED),
        Event(
            abi=CORE,
            name="ClosePosition",
            into="position_changes",
            columns={**CLOSED, "cause": Const("trade")},
            where=(Not(IS_ADL),),
        ),
        Event(
            abi=CORE,
            name="ClosePosition",
            into="position_changes",
            columns={**ALL_CLOSED, "cause": Const("adl")},
            where=(IS_ADL,),
        ),
        Event(
            abi=CORE,
            name="LiquidatePosition",
            into="position_changes",
            columns={**ALL_CLOSED, "cause": Const("liquidation")},
        ),
        Event(CORE, "LiquidatePosition", "liquidations", LIQUIDATED),
        Event(CORE, "ClosePosition", "adls", {**FORCED, "derivation": Const("joined")}, (IS_ADL,)),
        Event(
            abi=CORE,
            name="OpenPosition",
            into="open_interest",
            columns={**SIDE, "open_interest_delta_tokens": SIZE},
            evidence="derived",
        ),
        *(
            Event(CORE, name, "open_interest", TAKEN, evidence="derived")
            for name in ("ClosePosition", "LiquidatePosition")
        ),
        *(
            Event(
                abi=CORE,
                name=name,
                into="fees",
                columns={**CHARGED, "fee_kind": Const(kind)},
                where=(Nonzero("positionFeeUsd"),),
            )
            for name, kind in EXECUTIONS
        ),
        *(
            Event(CORE, name, "fees", {**BORROWING, "market": "marketId"}, IS_BORROWED)
            for name in BORROWED
        ),
        # Of all of an account's markets, before collateral comes or leaves.
        Event(CORE, "DepositWithdrawFinish", "fees", BORROWING, IS_BORROWED),
        Event(
            abi=CORE,
            name="SetPrice",
            into="oracle_updates",
            columns={
                "feed": PRICED,
                "asset": When(
                    Equals(PRICED, WBTC),
                    Const("BTC"),
                    When(Equals(PRICED, WETH), Const("ETH"), SymbolOf(PRICED)),
                ),
                "quote": Const("USD"),
                "oracle_price_quote": Fixed("price", 18),
                "observed_at": Time("timestamp"),
                "provider": "provider",
            },
        ),
        *(
            Event(POOLS, name, "fees", PROVIDED, (Nonzero("liquidityFeeCollateral"),))
            for name, _, _ in FLOWS
        ),
        *(
            Event(
                abi=POOLS,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": "pool",
                    "account": "account",
                    "asset_token": Const("USD"),
                    "asset_tokens": Fixed(worth, 36),
                    "share_tokens": Fixed("shares", 18),
                },
                evidence="derived",
            )
            for name, kind, worth in FLOWS
        ),
        *(
            Event(
                abi=POOLS,
                name=name,
                into="share_prices",
                columns={
                    "pool": "pool",
                    "asset_token": Const("USD"),
                    "share_price_tokens": Fixed("lpPrice", 18),
                },
            )
            for name, _, _ in FLOWS
        ),
    ),
)
