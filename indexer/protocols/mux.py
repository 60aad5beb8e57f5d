"""
MUX: perp DEX where traders face one pool (MLP) per chain; brokers fill orders at reported prices.

Contracts  https://github.com/mux-world/mux-protocol (deployments: addresses and first blocks;
           contracts/core/Events.sol, Trade.sol, and of loans of the pool Admin.sol); both shapes of
           the position events as in https://github.com/messari/subgraphs (subgraphs/mux-protocol),
           a secondary source
Split      none is taken: how income is shared depends on how much MLP the protocol owned that week
Units      1e18 throughout, whatever the token: sizes in units of the asset, prices and fees in USD;
           the cumulative funding rate too (a rate of 1e5 times 1e13 per period of 8 hours). Raw
           amounts of loans are in the token's own decimals. A subAccountId is the account, 20
           bytes, then collateral, asset and side, a byte each
           (contracts/libraries/LibSubAccount.sol); the events say all of them in plain as well.
"""

from indexer.chains import ARBITRUM, AVALANCHE, BSC, FANTOM, OPTIMISM
from indexer.spec import (
    Amount,
    Ascii,
    Companion,
    Const,
    Contract,
    Emitter,
    Event,
    Exists,
    Fixed,
    Int,
    IsTrue,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    Product,
    Protocol,
    Quotient,
    Sum,
    Value,
    When,
)

POOL = "mux/LiquidityPool"
POOLS = (
    (ARBITRUM, "0x3e0199792Ce69DC29A0a36146bFa68bd7C8D6633", 11_242_780),
    (AVALANCHE, "0x0bA2e492e8427fAd51692EE8958eBf936bEE1d84", 14_304_145),
    (BSC, "0x855E99F768FaD76DD0d3EB7c446C0b759C96D520", 17_537_646),
    (FANTOM, "0x2e81F443A11a943196c88afcB5A0D807721A88E6", 37_650_215),
    (OPTIMISM, "0xc6BD76FA1E9e789345e003B361e4A0037DFb7260", 56_067_441),
)

NOTIONAL = Product("args.amount", "args.assetPrice")
PNL = Fixed(When(IsTrue("args.hasProfit"), "args.pnlUsd", Neg("args.pnlUsd")), 18)
NOTHING = Fixed(Int(0), 0)
POSITION: dict[str, Value] = {
    "market": "assetId",
    "account": "trader",
    "position_id": "args.subAccountId",
    "is_long": "args.isLong",
    "collateral_token": OfMarket("args.collateralId", "index_token"),
}
OPENED: dict[str, Value] = {
    **POSITION,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed(NOTIONAL, 36),
    "size_delta_tokens": Fixed("args.amount", 18),
    "execution_price_usd": Fixed("args.assetPrice", 18),
}
CLOSED: dict[str, Value] = {
    **POSITION,
    "cause": Const("trade"),
    "notional_delta_usd": Fixed(Neg(NOTIONAL), 36),
    "size_delta_tokens": Fixed(Neg("args.amount"), 18),
    "execution_price_usd": Fixed("args.assetPrice", 18),
    "realized_pnl_usd": PNL,
}
CLOSED_BY_FORCE: dict[str, Value] = {
    **CLOSED,
    "cause": Const("liquidation"),
    "notional_usd": NOTHING,
    "size_tokens": NOTHING,
}
LIQUIDATED: dict[str, Value] = {
    **POSITION,
    "notional_usd": Fixed(NOTIONAL, 36),
    "size_tokens": Fixed("args.amount", 18),
    "mark_price_usd": Fixed("args.assetPrice", 18),
    "execution_price_usd": Fixed("args.assetPrice", 18),
    "realized_pnl_usd": PNL,
    "fee_usd": Fixed("args.feeUsd", 18),
    "shortfall_basis": Const("none"),
    "derivation": Const("direct"),
}
# What is left, which only the second generation says.
LEFT: dict[str, Value] = {
    "notional_usd": Fixed(Product("args.remainPosition", "args.assetPrice"), 36),
    "size_tokens": Fixed("args.remainPosition", 18),
}
SIDE: dict[str, Value] = {"market": "assetId", "is_long": "args.isLong"}
ADDED: dict[str, Value] = {**SIDE, "open_interest_delta_tokens": Fixed("args.amount", 18)}
TAKEN: dict[str, Value] = {**SIDE, "open_interest_delta_tokens": Fixed(Neg("args.amount"), 18)}
PAID: dict[str, Value] = {
    "market": "assetId",
    "account": "trader",
    "fee_kind": Const("margin"),
    "fee_usd": Fixed("args.feeUsd", 18),
    "split_basis": Const("none"),
}
# Of all of a liquidity provider's fee, wads of the token as elsewhere.
PROVIDED: dict[str, Value] = {
    "account": "trader",
    "fee_kind": Const("swap"),
    "fee_token": OfMarket("tokenId", "index_token"),
    "fee_tokens": Fixed("fee", 18),
    "fee_usd": Fixed(Product("fee", "tokenPrice"), 36),
    "split_basis": Const("none"),
}
# Amounts follow from shares and prices as the pool computed them: without the fee on the way in,
# before it on the way out (contracts/core/Liquidity.sol).
WORTH, FEE_WORTH = Product("mlpAmount", "mlpPrice"), Product("fee", "tokenPrice")
FLOWS: tuple[tuple[str, str, Value], ...] = (
    ("AddLiquidity", "deposit", Sum((WORTH, FEE_WORTH))),
    ("RemoveLiquidity", "withdrawal", Sum((WORTH, Neg(FEE_WORTH)))),
)
COLLATERAL_PRICE: dict[str, Value] = {
    "feed": OfMarket("args.collateralId", "index_token"),
    "asset": OfMarket("args.collateralId", "symbol"),
    "quote": Const("USD"),
    "oracle_price_quote": Fixed("args.collateralPrice", 18),
}

# Second generation first; the first has entryPrice where the second says what remains.
OPENS: tuple[tuple[str, dict[str, Value]], ...] = (
    (
        "OpenPosition(address,uint8,(bytes32,uint8,bool,uint96,uint96,uint96,uint96,uint96,"
        "uint96,uint96))",
        LEFT,
    ),
    ("OpenPosition(address,uint8,(bytes32,uint8,bool,uint96,uint96,uint96,uint96,uint96))", {}),
)
CLOSES: tuple[tuple[str, dict[str, Value]], ...] = (
    (
        "ClosePosition(address,uint8,(bytes32,uint8,uint8,bool,uint96,uint96,uint96,uint96,"
        "uint96,bool,uint96,uint96,uint96))",
        LEFT,
    ),
    (
        "ClosePosition(address,uint8,(bytes32,uint8,uint8,bool,uint96,uint96,uint96,uint96,"
        "uint96,uint96,bool,uint96))",
        {},
    ),
)
LIQUIDATES = (
    "Liquidate(address,uint8,(bytes32,uint8,uint8,bool,uint96,uint96,uint96,uint96,uint96,bool,"
    "uint96,uint96))",
    "Liquidate(address,uint8,(bytes32,uint8,uint8,bool,uint96,uint96,uint96,uint96,uint96,uint96,"
    "bool,uint96))",
)
EXECUTIONS = (*(name for name, _ in OPENS), *(name for name, _ in CLOSES), *LIQUIDATES)
# Who takes profit out of an open position settles its funding fee, which no close charges again.
PAYING = (*EXECUTIONS, "WithdrawProfit")
# Who withdraws collateral settles the funding fee so far, which CollectedFee alone tells; of any
# other fee it comes before the event that says it.
WITHDRAWN = Companion("WithdrawCollateral", "trader", {"tokenId": "collateralId"}, "after")
TOLD = Companion((*PAYING, "AddLiquidity", "RemoveLiquidity"), "trader", nearest="after")
SETTLED: dict[str, Value] = {
    "account": WITHDRAWN,
    "fee_kind": Const("margin"),
    "fee_token": OfMarket("tokenId", "index_token"),
    "fee_tokens": Fixed("fee", 18),
    "split_basis": Const("none"),
}
# The pool lends to the accounts of the venue's aggregator, which trade elsewhere.
LENT = OfMarket("assetId", "index_token")
LOANS = (("BorrowAsset", "borrower"), ("RepayAsset", "repayer"))
OF_A_LOAN = Companion(
    tuple(name for name, _ in LOANS), "project", {"tokenId": "assetId"}, nearest="after"
)
LENDING: dict[str, Value] = {
    "fee_kind": Const("borrow"),
    "fee_token": LENT,
    "fee_tokens": Amount("rawFee", LENT),
    "split_basis": Const("none"),
}

PROTOCOL = Protocol(
    slug="mux",
    name="MUX",
    kind="perp",
    methodology=(
        "Position changes are OpenPosition, ClosePosition and Liquidate of the pool, in both "
        "generations of these events, with notional = amount x price of the asset. Liquidations "
        "are Liquidate. Open interest is the running sum of amounts per asset and side. Fees are "
        "what the position events and WithdrawProfit say was paid, position and funding fee in "
        "one, what providers of liquidity pay, and, in tokens and of no market, the funding fee "
        "that a withdrawal of collateral settles (CollectedFee) and what accounts of the venue's "
        "aggregator pay for loans of the pool (BorrowAsset, RepayAsset); how they are shared is "
        "not known. Bad debt is what such a loan leaves unpaid. Funding is the cumulative rate of "
        "longs. Oracle prices are those of the collateral in each execution. Pool flows are "
        "deposits and withdrawals, in tokens that follow from shares and prices; the price of a "
        "share is in dollars. Assets are numbered per chain, with the symbols of AddAsset."
    ),
    left_out=(
        "The split of fees: it follows the share of MLP that the protocol owned, which no event "
        "of the pool says.",
        "CollectedFee of anything but a withdrawal of collateral: the same fees again, in tokens.",
        "Collateral: what is deposited and withdrawn is in tokens without a price, and after a "
        "bankruptcy the loss is more than the collateral was.",
        "Bad debt of the venue's own positions: no event. Auto-deleveraging: the pool has none.",
        "Loans to the aggregator's accounts themselves: their positions are on other venues, and "
        "credit_events are of credit protocols. Its later LendingPool: no source has its address.",
        "Profit that WithdrawProfit pays: in the token's own decimals, it moves the entry price.",
        "Funding of shorts: its counter is in dollars per unit, not a ratio.",
    ),
    contracts=tuple(
        Contract(chain, POOL, address, from_block) for chain, address, from_block in POOLS
    ),
    events=(
        Event(
            abi=POOL,
            name="AddAsset",
            into="markets",
            columns={
                "market": "id",
                "symbol": Ascii("symbol"),
                "index_token": "tokenAddress",
                "asset_class": Const("crypto"),
                "known_by": Const("event"),
            },
        ),
        *(Event(POOL, name, "position_changes", {**OPENED, **left}) for name, left in OPENS),
        *(Event(POOL, name, "position_changes", {**CLOSED, **left}) for name, left in CLOSES),
        *(Event(POOL, name, "position_changes", CLOSED_BY_FORCE) for name in LIQUIDATES),
        *(Event(POOL, name, "liquidations", LIQUIDATED) for name in LIQUIDATES),
        *(Event(POOL, name, "open_interest", ADDED, evidence="derived") for name, _ in OPENS),
        *(Event(POOL, name, "open_interest", TAKEN, evidence="derived") for name, _ in CLOSES),
        *(Event(POOL, name, "open_interest", TAKEN, evidence="derived") for name in LIQUIDATES),
        *(Event(POOL, name, "fees", PAID, (Nonzero("args.feeUsd"),)) for name in PAYING),
        *(
            Event(POOL, name, "fees", PROVIDED, (Nonzero("fee"),))
            for name in ("AddLiquidity", "RemoveLiquidity")
        ),
        Event(
            abi=POOL,
            name="CollectedFee",
            into="fees",
            columns=SETTLED,
            where=(Nonzero("fee"), Exists(WITHDRAWN), Not(Exists(TOLD)), Not(Exists(OF_A_LOAN))),
        ),
        *(
            Event(POOL, name, "fees", {**LENDING, "account": account}, (Nonzero("rawFee"),))
            for name, account in LOANS
        ),
        Event(
            abi=POOL,
            name="RepayAsset",
            into="shortfalls",
            columns={
                "kind": Const("bad_debt"),
                "account": "repayer",
                "asset_token": LENT,
                "shortfall_tokens": Amount("badDebt", LENT),
            },
            where=(Nonzero("badDebt"),),
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Emitter(),
                    "account": "trader",
                    "asset_token": OfMarket("tokenId", "index_token"),
                    "asset_tokens": Fixed(Quotient(worth, "tokenPrice"), 18),
                    "share_tokens": Fixed("mlpAmount", 18),
                },
                evidence="derived",
            )
            for name, kind, worth in FLOWS
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="share_prices",
                columns={
                    "pool": Emitter(),
                    "asset_token": Const("USD"),
                    "share_price_tokens": Fixed("mlpPrice", 18),
                },
            )
            for name, _, _ in FLOWS
        ),
        *(Event(POOL, name, "oracle_updates", COLLATERAL_PRICE) for name in EXECUTIONS),
        Event(
            abi=POOL,
            name="UpdateFundingRate",
            into="funding",
            columns={
                "market": "tokenId",
                "is_long": Const(value=True),
                "funding_rate_cumulative_ratio": Fixed("longCumulativeFundingRate", 18),
            },
        ),
    ),
)
