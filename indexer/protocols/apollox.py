"""
ApolloX v2, now Aster's ALP: trades of many tokens' prices against one pool, on three chains.

Contracts  a diamond per chain by https://github.com/DefiLlama/DefiLlama-Adapters
           (projects/apollox), a secondary source, which
           https://github.com/DefiLlama/dimension-adapters reads the same openings of; events and
           what they mean by https://github.com/apollox-finance/apollox-perp-contracts
           (contracts/diamond), in two generations, and its fork
           https://github.com/quokkalu976/contracts for the shape of
           UpdatePairAccFundingFeePerShare. First blocks are not established, so they are read
           from 0.
Split      OpenFee and CloseFee say the DAO's part and a broker's; the pool keeps the rest, or,
           since they say the pool's part too, the venue (LibFeeManager.sol). They are in the
           token of the margin, without a price. What mints and burns of ALP are charged stays in
           the pool (LibAlpManager.sol).
Units      prices 1e8, quantities 1e10; the funding index 1e18, a part of the notional at the
           market's price, which longs receive (LibTrading.calcFundingFee: quantity times price
           times its change over 1e18); margin, fees and profit in the decimals of the margin's
           token; ALP, and the dollars that its mints and burns are charged, 1e18

A closing names its trade and neither pair, side nor size: the pair is that of the
UpdatePairPositionInfo before it, which every opening and closing logs; side and size stand in the
opening of the same hash.
"""

from indexer.chains import ARBITRUM, BASE, BSC
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    Lookup,
    Neg,
    Nonzero,
    Product,
    Protocol,
    Value,
)

DIAMOND = "apollox/Diamond"
DIAMONDS = (
    (ARBITRUM, "0xB3879E95a4B8e3eE570c232B19d520821F540E48"),
    (BASE, "0x9D93e5B2364070bC9837e91833F162430246DD57"),
    (BSC, "0x1b6F2d3844C6ae7D56ceb3C3643b9060ba28FEb0"),
)

# The second generation of each first: holding fees, and two average prices of the pool.
OPENS = (
    "OpenMarketTrade(address,bytes32,(address,uint32,uint64,address,address,uint96,uint64,uint64,"
    "uint24,bool,uint96,int256,uint96,uint40,uint80,uint40,uint256))",
    "OpenMarketTrade(address,bytes32,(address,uint32,uint64,address,address,uint96,uint64,uint64,"
    "uint24,bool,uint96,int256,uint96,uint40,uint80))",
)
CLOSES = (
    "CloseTradeSuccessful(address,bytes32,(uint64,int96,uint96,int96,uint96))",
    "CloseTradeSuccessful(address,bytes32,(uint64,int96,uint96,int96))",
)
EXECUTES = (
    "ExecuteCloseSuccessful(address,bytes32,uint8,(uint64,int96,uint96,int96,uint96))",
    "ExecuteCloseSuccessful(address,bytes32,uint8,(uint64,int96,uint96,int96))",
)
UPDATES = (
    "UpdatePairPositionInfo(address,uint256,uint256,uint256,int256,uint64,uint64)",
    "UpdatePairPositionInfo(address,uint256,uint256,uint256,int256,uint64)",
)
OPEN_FEES, CLOSE_FEES = (
    (
        f"{name}(address,uint256,uint256,uint24,uint256,uint256)",
        f"{name}(address,uint256,uint256,uint24,uint256)",
    )
    for name in ("OpenFee", "CloseFee")
)
INDEXES = (*UPDATES, "UpdatePairAccFundingFeePerShare")

PAIR = Companion(UPDATES, "pairBase", nearest="before")
NOTIONAL, SIZE = Fixed(Product("ot.entryPrice", "ot.qty"), 18), Fixed("ot.qty", 10)
ZERO = Fixed(Int(0), 0)
OPENED: dict[str, Value] = {
    "market": "ot.pairBase",
    "account": "user",
    "position_id": "tradeHash",
    "cause": Const("trade"),
    "is_long": "ot.isLong",
    "collateral_token": "ot.tokenIn",
    "notional_delta_usd": NOTIONAL,
    "size_delta_tokens": SIZE,
    "execution_price_usd": Fixed("ot.entryPrice", 8),
    "notional_usd": NOTIONAL,
    "size_tokens": SIZE,
}
POSITION: dict[str, Value] = {
    "market": PAIR,
    "account": "user",
    "position_id": "tradeHash",
    "execution_price_usd": Fixed("closeInfo.closePrice", 8),
}
CLOSED: dict[str, Value] = {
    **POSITION,
    "notional_usd": ZERO,
    "size_tokens": ZERO,
    "closed_ratio": Fixed(Int(1), 0),
}
CHARGED: dict[str, Value] = {
    "market": PAIR,
    "fee_kind": Const("position"),
    "fee_token": "token",
    "fee_tokens": Amount("totalFee", "token"),
    "split_basis": Const("none"),  # without a price there are no dollars to split
}
FLOW: dict[str, Value] = {"pool": Emitter(), "account": "account"}

PROTOCOL = Protocol(
    slug="apollox",
    name="ApolloX v2 (Aster ALP)",
    kind="perp",
    methodology=(
        "Position changes are OpenMarketTrade (notional = entry price x quantity), "
        "CloseTradeSuccessful and ExecuteCloseSuccessful; a closing is of the whole trade and "
        "carries the hash of its opening, which has side and size. Liquidations are "
        "ExecuteCloseSuccessful of type 2. Open interest is the quantity of each side that every "
        "update of a pair logs. Funding is the index of the pair. Fees are OpenFee and CloseFee in "
        "the token of the margin, without dollars, and in dollars what providers pay to enter and "
        "leave (MintFee, BurnFee). Pool flows are MintAlp and BurnAlp."
    ),
    left_out=(
        "The order book of Aster Pro: it trades off chain, and its vaults show deposits alone.",
        "Side, size and notional of liquidations: the event names its trade, the opening has them "
        "(queries/liquidated_positions.sql).",
        "Profit, margin and funding of single trades, and their fees in dollars: they are in the "
        "token of the margin, and no event has its price.",
        "Execution and holding fees: the former pays keepers, the latter's receiver is not logged.",
        "Funding over the moment at which a pair has no position: its index begins again at zero, "
        "and the update that empties it still says the last one.",
        "Fees of the first generation: it logs what the pool kept of a trade's and not the whole, "
        "and nothing of what it charged providers.",
        "Who holds the DAO's part in the end: the address is set by role and spends by hand.",
        "What a closed trade pays its account and leaves the pool (CloseTradeReceived, "
        "CloseTradeAddLiquidity): settlements in the tokens of margins, neither a deposit nor a "
        "fee; no table holds them.",
        "The predictions (up or down) and their fees: they are no positions.",
        "The diamond on opBNB, a chain that is not read.",
    ),
    contracts=tuple(
        Contract(chain, DIAMOND, address, 0, version="2") for chain, address in DIAMONDS
    ),
    events=(
        Event(DIAMOND, "DiamondCut", "upgrades", {"contract": Emitter()}),
        Event(
            abi=DIAMOND,
            name="AddPair",
            into="markets",
            columns={
                "market": "base",
                "symbol": "name",
                "index_token": "base",
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
        *(Event(DIAMOND, name, "position_changes", OPENED) for name in OPENS),
        *(
            Event(DIAMOND, name, "position_changes", {**CLOSED, "cause": Const("trade")})
            for name in CLOSES
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="position_changes",
                columns={
                    **CLOSED,
                    "cause": Lookup("executionType", {0: "trade", 1: "trade", 2: "liquidation"}),
                },
            )
            for name in EXECUTES
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="liquidations",
                columns={
                    **POSITION,
                    "shortfall_basis": Const("none"),
                    "derivation": Const("direct"),
                },
                where=(Equals("executionType", 2),),
            )
            for name in EXECUTES
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="open_interest",
                columns={
                    "market": "pairBase",
                    "is_long": Const(is_long),
                    "open_interest_tokens": Fixed(quantity, 10),
                },
            )
            for name in UPDATES
            for quantity, is_long in (("longQty", True), ("shortQty", False))
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="funding",
                columns={
                    "market": "pairBase",
                    # The venue counts what longs receive.
                    "funding_rate_cumulative_ratio": Fixed(Neg("longAccFundingFeePerShare"), 18),
                },
            )
            for name in INDEXES
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="fees",
                columns={**CHARGED, "account": Companion(trades, "user", nearest="after")},
                where=(Nonzero("totalFee"),),
            )
            for names, trades in ((OPEN_FEES, OPENS), (CLOSE_FEES, (*CLOSES, *EXECUTES)))
            for name in names
        ),
        *(
            Event(
                abi=DIAMOND,
                name=name,
                into="fees",
                columns={
                    "account": "account",
                    "fee_kind": Const("swap"),
                    "fee_usd": Fixed(charged, 18),
                    "supply_side_usd": Fixed(charged, 18),
                    "treasury_usd": ZERO,
                    "holders_usd": ZERO,
                    "split_basis": Const("event"),
                },
                where=(Nonzero(charged),),
            )
            for name, charged in (("MintFee", "mintFeeUsd"), ("BurnFee", "burnFeeUsd"))
        ),
        Event(
            abi=DIAMOND,
            name="MintAlp",
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const("deposit"),
                "asset_token": "tokenIn",
                "asset_tokens": Amount("amountIn", "tokenIn"),
                "share_tokens": Fixed("alpOut", 18),
            },
        ),
        Event(
            abi=DIAMOND,
            name="BurnAlp",
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const("withdrawal"),
                "asset_token": "tokenOut",
                "asset_tokens": Amount("amountOut", "tokenOut"),
                "share_tokens": Fixed("alpAmount", 18),
            },
        ),
    ),
)
