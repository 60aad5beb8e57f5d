"""
Level Finance: perp DEX where traders face one pool in three tranches, modelled on GMX v1.

Contracts  https://github.com/messari/subgraphs (subgraphs/level-finance), a secondary source of
           addresses, first blocks and the shapes of events; what they mean is read in
           https://github.com/level-fi/level-trading-contracts (src/pool, src/lib) and
           https://github.com/level-fi/v2-trading-contracts (the last release); which tokens the
           pools hold, and which of them are stable, in https://github.com/level-fi/llp-tracker
           (apps/llp-performance-snapshot, the config of each chain)
Split      45 % of fees to liquidity providers, 20 % to stakers, the rest to the DAO and the team,
           as the subgraph books them: of one date, by a secondary source, so assumed
Units      USD, collateral and sizes 1e30 flat; a price 1e30 / 10^decimals per smallest unit of its
           token; shares of tranches 1e18; the borrow index 1e10. Profit is (sign, amount), sign 1
           above zero and 0 below, in the first releases and a signed integer in the last.

Position events have their key among the data in one release and among the topics in another,
under one topic 0; how many topics a log has tells which it is. So it is with the pool's oracle.
"""

from indexer.chains import ARBITRUM, BSC
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Contract,
    DecimalsOf,
    Discover,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    Lookup,
    Neg,
    Nonzero,
    OneOf,
    Policy,
    Protocol,
    Rest,
    Share,
    SymbolOf,
    Value,
    When,
)

POOL, ORACLE = "level_finance/Pool", "level_finance/Oracle"
SUBGRAPH = "https://github.com/messari/subgraphs/tree/master/subgraphs/level-finance"
USD = 30
PRICE = Fixed("indexPrice", DecimalsOf("indexToken", plus=USD, times=-1))
FEE = Fixed("feeValue", USD)
ZERO = Fixed(Int(0), 0)
STABLE = (
    "0x55d398326f99059ff775485246999027b3197955",  # USDT and BUSD on BNB Chain
    "0xe9e7cea3dedca5984780bafc599bd69add087d56",
    "0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9",  # USDT and USDC on Arbitrum
    "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
)
COINS = (
    "0x7130d2a12b9bcbfae4f2634d864a1ee1ce3ead9c",  # BTCB, ETH, WBNB and CAKE on BNB Chain
    "0x2170ed0880ac9a755fd29b2688956bd959f933f8",
    "0xbb4cdb9cbd36b01bd1cbaebf2de08d9173bc095c",
    "0x0e09fabb73bd3ade0a17ecc321fd13a19e81ce82",
    "0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f",  # WBTC, WETH and ARB on Arbitrum
    "0x82af49447d8a07e3bd95bd0d56f35241523fbab1",
    "0x912ce59144191c1204e64559fe8253a0e49e6548",
)

# What is left of a position follows its change; ClosePosition says zero (Pool.sol).
AFTER = ("UpdatePosition", "ClosePosition")
LEFT = Fixed(Companion(AFTER, "size", {"key": "key"}, nearest="after"), USD)
IS_LONG = Lookup("side", {0: True, 1: False})
SIDE: dict[str, Value] = {"market": "indexToken", "is_long": IS_LONG}
POSITION: dict[str, Value] = {
    **SIDE,
    "account": "account",
    "position_id": "key",
    "collateral_token": "collateralToken",
}
INCREASED: dict[str, Value] = {
    **POSITION,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed("sizeChanged", USD),
    "execution_price_usd": PRICE,
    "notional_usd": LEFT,
}
DECREASED: dict[str, Value] = {
    **POSITION,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed(Neg("sizeChanged"), USD),
    "collateral_delta_usd": Fixed(Neg("collateralChanged"), USD),
    "execution_price_usd": PRICE,
    "notional_usd": LEFT,
}
CLOSED_BY_FORCE: dict[str, Value] = {
    **POSITION,
    "cause": Const("liquidation"),
    "notional_delta_usd": Fixed(Neg("size"), USD),
    "execution_price_usd": PRICE,
    "notional_usd": ZERO,
}
LIQUIDATED: dict[str, Value] = {
    **POSITION,
    "notional_usd": Fixed("size", USD),
    "collateral_usd": Fixed("collateralValue", USD),
    "mark_price_usd": PRICE,
    "execution_price_usd": PRICE,
    "fee_usd": FEE,
    "shortfall_basis": Const("none"),
    "derivation": Const("direct"),
}
PAID: dict[str, Value] = {
    "market": "indexToken",
    "account": "account",
    "fee_kind": Const("margin"),
    "fee_usd": FEE,
    "supply_side_usd": Share(FEE, "supply_side_share"),
    "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
    "holders_usd": Share(FEE, "holders_share"),
    "split_basis": Const("policy"),
}
FLOW: dict[str, Value] = {
    "pool": "tranche",
    "account": "sender",
    "asset_token": "token",
    "share_tokens": Fixed("lpAmount", 18),
}
PROVIDED: dict[str, Value] = {
    "account": "sender",
    "fee_kind": Const("swap"),
    "fee_token": "token",
    "fee_tokens": Amount("fee", "token"),
    "split_basis": Const("none"),  # without a price there are no dollars to split
}

# A wrapped coin is priced as the coin it holds.
SYMBOL = SymbolOf("token")
UNWRAPPED = When(
    Equals(SYMBOL, "WETH"), Const("ETH"), When(Equals(SYMBOL, "WBNB"), Const("BNB"), SYMBOL)
)
LISTED: dict[str, Value] = {
    "market": "token",
    "symbol": UNWRAPPED,
    "index_token": "token",
    "asset_class": Const("crypto"),
    "quote": Const("USD"),
    "known_by": Const("event"),
}
POSTED: dict[str, Value] = {
    "feed": "token",
    "asset": UNWRAPPED,
    "quote": Const("USD"),
    "oracle_price_quote": Fixed("price", DecimalsOf("token", plus=USD, times=-1)),
    "provider": Emitter(),
}

SIGNED = Fixed("pnl", USD)
MARKED = Fixed(When(Equals("pnl.sig", 1), "pnl.abs", Neg("pnl.abs")), USD)
INCREASE = "IncreasePosition"
DECREASES = (
    (
        "DecreasePosition(bytes32,address,address,address,uint256,uint256,uint8,uint256,"
        "(uint256,uint256),uint256)",
        MARKED,
    ),
    (
        "DecreasePosition(bytes32,address,address,address,uint256,uint256,uint8,uint256,int256,"
        "uint256)",
        SIGNED,
    ),
)
LIQUIDATES = (
    (
        "LiquidatePosition(bytes32,address,address,address,uint8,uint256,uint256,uint256,uint256,"
        "(uint256,uint256),uint256)",
        MARKED,
    ),
    (
        "LiquidatePosition(bytes32,address,address,address,uint8,uint256,uint256,uint256,uint256,"
        "int256,uint256)",
        SIGNED,
    ),
)
EXECUTIONS = (INCREASE, *(name for name, _ in (*DECREASES, *LIQUIDATES)))

PROTOCOL = Protocol(
    slug="level_finance",
    name="Level Finance",
    kind="perp",
    methodology=(
        "Position changes are IncreasePosition, DecreasePosition and LiquidatePosition, whichever "
        "release of the pool logged them; what is left of a position is what UpdatePosition or "
        "ClosePosition says after it; profit is that of the price, before fees. Liquidations are "
        "LiquidatePosition. Open interest is the running sum of size changes per index token and "
        "side. Fees are the position and borrow fee of each of these events in dollars, split "
        "45/35/20 between providers, DAO and stakers by assumption, and what providers pay to "
        "enter and leave, in tokens. Funding is the cumulative borrow index per collateral, which "
        "longs pay on coins and shorts on stable tokens. Pool flows are deposits into and "
        "withdrawals from tranches. Oracle prices are PricePosted of the oracles that the pool "
        "names (OracleChanged), from then on; markets are named by the symbols of listed tokens."
    ),
    left_out=(
        "Collateral added by an increase: the argument called collateralValue holds a token "
        "amount in the releases whose source is public, and dollars by the subgraph's reading.",
        "Swap fees: the venue's source takes them in the token that leaves, the subgraph reads "
        "them in the one that comes.",
        "What Chainlink's price makes of a posted one: a position's event has the price it used.",
        "The liquidator's reward, a fixed sum from the pool, and who the liquidator was.",
        "Who provides or leaves through a router: flows and their fees name the pool's caller.",
        "How profit and loss of a position is shared among tranches (PnLDistributed): an amount "
        "of tokens per tranche; no table holds what a pool wins or loses.",
        "Bad debt: no event; the pool bears it. ADL and buybacks: there are none.",
        "DaoFeeWithdrawn and DaoFeeReduced: fees collected before, moved.",
        "Changes of the fee split over time: DaoFeeSet says the DAO's part of new fees, not what "
        "the DAO hands on.",
    ),
    contracts=(
        Contract(BSC, POOL, "0xA5aBFB56a78D2BD4689b25B8A77fd49Bb0675874", 23_752_485),
        Contract(ARBITRUM, POOL, "0x32B7bF19cb8b95C27E644183837813d4b595dcc6", 99_333_260),
    ),
    events=(
        Event(POOL, "TokenWhitelisted", "markets", LISTED),
        Event(ORACLE, "PricePosted", "oracle_updates", POSTED),
        Event(POOL, INCREASE, "position_changes", INCREASED),
        *(
            Event(POOL, name, "position_changes", {**DECREASED, "realized_pnl_usd": pnl})
            for name, pnl in DECREASES
        ),
        *(
            Event(POOL, name, "position_changes", {**CLOSED_BY_FORCE, "realized_pnl_usd": pnl})
            for name, pnl in LIQUIDATES
        ),
        *(
            Event(POOL, name, "liquidations", {**LIQUIDATED, "realized_pnl_usd": pnl})
            for name, pnl in LIQUIDATES
        ),
        Event(
            abi=POOL,
            name=INCREASE,
            into="open_interest",
            columns={**SIDE, "open_interest_delta_usd": Fixed("sizeChanged", USD)},
            where=(Nonzero("sizeChanged"),),
            evidence="derived",
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="open_interest",
                columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("sizeChanged"), USD)},
                where=(Nonzero("sizeChanged"),),
                evidence="derived",
            )
            for name, _ in DECREASES
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="open_interest",
                columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("size"), USD)},
                evidence="derived",
            )
            for name, _ in LIQUIDATES
        ),
        *(Event(POOL, name, "fees", PAID, (Nonzero("feeValue"),)) for name in EXECUTIONS),
        *(
            Event(POOL, name, "fees", PROVIDED, (Nonzero("fee"),))
            for name in ("LiquidityAdded", "LiquidityRemoved")
        ),
        Event(
            abi=POOL,
            name="LiquidityAdded",
            into="pool_flows",
            columns={**FLOW, "kind": Const("deposit"), "asset_tokens": Amount("amount", "token")},
        ),
        Event(
            abi=POOL,
            name="LiquidityRemoved",
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const("withdrawal"),
                "asset_tokens": Amount("amountOut", "token"),
            },
        ),
        Event(
            abi=POOL,
            name="InterestAccrued",
            into="funding",
            columns={
                "market": "token",
                "collateral_token": "token",
                # Longs are secured by what they are long of, shorts by a stable token (Pool.sol,
                # _validateToken), and a token's index is charged to those it secures.
                "is_long": When(
                    OneOf("token", STABLE),
                    Const(value=False),
                    When(OneOf("token", COINS), Const(value=True)),
                ),
                "funding_rate_cumulative_ratio": Fixed("borrowIndex", 10),
            },
        ),
    ),
    discoveries=(Discover(POOL, "OracleChanged", "newOracle", ORACLE),),
    policies=(
        Policy("supply_side_share", "0.45", "2022-12-01", SUBGRAPH, "assumed"),
        Policy("holders_share", "0.2", "2022-12-01", SUBGRAPH, "assumed"),
    ),
)
