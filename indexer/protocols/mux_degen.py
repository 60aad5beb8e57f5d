"""
MUX Degen: a pool of MUX's own for riskier assets on Arbitrum, whose winners can be deleveraged.

Contracts  https://github.com/mux-world/mux-degen-protocol (deployments/arb1.deployment.json:
           addresses and first blocks; contracts/facets and contracts/libraries for what events
           mean)
Split      none is taken: the fee distributor shares income by stakes that no event of the pool says
Units      1e18 throughout, whatever the token: sizes in units of the asset, prices, profit and fees
           in USD; both cumulative funding rates too, funding and borrowing in one, of the notional
           at the entry price (LibAccount.fundingFeeUsd). A subAccountId is the account, 20 bytes,
           then collateral, asset and side, a byte each.
Profit     is capped at a part of the entry's notional (adlMaxPnlRate), which the event has applied;
           a loss of a liquidation ends at the collateral (Trade.sol, _realizeLoss).

An auto-deleveraging is a close of the pool after which the order book logs FillAdlOrder, of the
same sub-account and size (LibOrderBook.fillAdlOrder).
"""

from indexer.chains import ARBITRUM
from indexer.spec import (
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
    Product,
    Protocol,
    Sum,
    Value,
    When,
)

POOL, BOOK = "mux_degen/DegenPool", "mux_degen/OrderBook"

SIZE, PRICE = Fixed("args.amount", 18), Fixed("args.tradingPrice", 18)
MARK = Fixed("args.assetPrice", 18)
TRADED = Product("args.amount", "args.tradingPrice")
NOTIONAL = Fixed(TRADED, 36)
PNL = Fixed(When(IsTrue("args.hasProfit"), "args.pnlUsd", Neg("args.pnlUsd")), 18)
NOTHING = Fixed(Int(0), 0)
ADL = Companion(
    "FillAdlOrder",
    "params.subAccountId",
    {"args.subAccountId": "params.subAccountId", "args.amount": "params.size"},
    nearest="after",
    abi=BOOK,
)
IS_ADL = Exists(ADL)

SIDE: dict[str, Value] = {"market": "assetId", "is_long": "args.isLong"}
POSITION: dict[str, Value] = {**SIDE, "account": "trader", "position_id": "args.subAccountId"}
LEFT: dict[str, Value] = {
    "notional_usd": Fixed(Product("args.remainPosition", "args.tradingPrice"), 36),
    "size_tokens": Fixed("args.remainPosition", 18),
}
OPENED: dict[str, Value] = {
    **POSITION,
    **LEFT,
    "cause": Const("trade"),
    "notional_delta_usd": NOTIONAL,
    "size_delta_tokens": SIZE,
    "execution_price_usd": PRICE,
}
CLOSED: dict[str, Value] = {
    **POSITION,
    "notional_delta_usd": Fixed(Neg(TRADED), 36),
    "size_delta_tokens": Fixed(Neg("args.amount"), 18),
    "execution_price_usd": PRICE,
    "realized_pnl_usd": PNL,
}
CLOSED_BY_FORCE: dict[str, Value] = {
    **CLOSED,
    "cause": Const("liquidation"),
    "notional_usd": NOTHING,
    "size_tokens": NOTHING,
}
FORCED: dict[str, Value] = {
    **POSITION,
    "notional_usd": NOTIONAL,
    "size_tokens": SIZE,
    "execution_price_usd": PRICE,
    "realized_pnl_usd": PNL,
    "derivation": Const("direct"),
}
LIQUIDATED: dict[str, Value] = {
    **FORCED,
    "mark_price_usd": MARK,
    "fee_usd": Fixed("args.feeUsd", 18),
    "shortfall_basis": Const("none"),
}
TAKEN: dict[str, Value] = {**SIDE, "open_interest_delta_tokens": Fixed(Neg("args.amount"), 18)}
PAID: dict[str, Value] = {
    "market": "assetId",
    "account": "trader",
    "fee_kind": Const("margin"),
    "fee_usd": Fixed("args.feeUsd", 18),
    "split_basis": Const("none"),
}
PROVIDED: dict[str, Value] = {
    "account": "trader",
    "fee_kind": Const("swap"),
    "fee_usd": Fixed(Product("fee", "tokenPrice"), 36),
    "split_basis": Const("none"),
}
# As the pool computed them (Liquidity.sol): without the fee on the way in, before it on the way
# out.
WORTH, FEE_WORTH = Product("mlpAmount", "mlpPrice"), Product("fee", "tokenPrice")
FLOWS: tuple[tuple[str, str, Value], ...] = (
    ("AddLiquidity", "deposit", Sum((WORTH, FEE_WORTH))),
    ("RemoveLiquidity", "withdrawal", Sum((WORTH, Neg(FEE_WORTH)))),
)
EXECUTIONS = ("OpenPosition", "ClosePosition", "Liquidate")

PROTOCOL = Protocol(
    slug="mux_degen",
    name="MUX Degen",
    kind="perp",
    methodology=(
        "Position changes are OpenPosition, ClosePosition and Liquidate of the pool, with notional "
        "= amount x price of the trade. Liquidations are Liquidate. Auto-deleveragings are "
        "ClosePosition which FillAdlOrder of the order book follows, of the same sub-account and "
        "size. Open interest is the running sum of amounts per asset and side. Fees are what the "
        "position events say was paid, position and funding fee in one, and what providers of "
        "liquidity pay; how they are shared is not known. Funding is the cumulative rate of each "
        "side, borrowing included. Oracle prices are the mark prices of the traded asset. Pool "
        "flows and share prices are in dollars, at the price of the token that came or left. "
        "Assets are numbered."
    ),
    left_out=(
        "Names and tokens of assets: SetAssetParameters says them among other keys and values.",
        "Collateral: deposits, withdrawals and what remains are in tokens without a name.",
        "The funding fee that a withdrawal of collateral settles: CollectedFee has it in such "
        "tokens, of no account, beside all other fees once more.",
        "Bad debt: no event, and a liquidation's loss is cut at the collateral.",
        "What deleveraging begins at (adlReserveRate, adlTriggerRate): keys and values as above.",
        "DonateLiquidity and rebates of brokers' gas: gifts to and costs of the pool.",
    ),
    contracts=(
        Contract(ARBITRUM, POOL, "0x2f977A859eD91c729c781ba0e50927d5Da3Cb988", 184_995_769),
        Contract(ARBITRUM, BOOK, "0xab7bD145CC9B68b1904D4B6Ca93056f503C5aA19", 184_995_806),
    ),
    events=(
        Event(
            abi=POOL,
            name="AddAsset",
            into="markets",
            columns={
                "market": "id",
                "asset_class": Const("crypto"),
                "quote": Const("USD"),
                "known_by": Const("event"),
            },
        ),
        Event(POOL, "OpenPosition", "position_changes", OPENED),
        *(
            Event(
                abi=POOL,
                name="ClosePosition",
                into="position_changes",
                columns={**CLOSED, **LEFT, "cause": Const(cause)},
                where=(condition,),
            )
            for cause, condition in (("trade", Not(IS_ADL)), ("adl", IS_ADL))
        ),
        Event(POOL, "Liquidate", "position_changes", CLOSED_BY_FORCE),
        Event(POOL, "Liquidate", "liquidations", LIQUIDATED),
        Event(POOL, "ClosePosition", "adls", {**FORCED, "derivation": Const("joined")}, (IS_ADL,)),
        Event(
            abi=POOL,
            name="OpenPosition",
            into="open_interest",
            columns={**SIDE, "open_interest_delta_tokens": SIZE},
            evidence="derived",
        ),
        *(
            Event(POOL, name, "open_interest", TAKEN, evidence="derived")
            for name in ("ClosePosition", "Liquidate")
        ),
        *(Event(POOL, name, "fees", PAID, (Nonzero("args.feeUsd"),)) for name in EXECUTIONS),
        *(Event(POOL, name, "fees", PROVIDED, (Nonzero("fee"),)) for name, _, _ in FLOWS),
        *(
            Event(
                abi=POOL,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Emitter(),
                    "account": "trader",
                    "asset_token": Const("USD"),
                    "asset_tokens": Fixed(worth, 36),
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
        *(
            Event(
                abi=POOL,
                name="UpdateFundingRate",
                into="funding",
                columns={
                    "market": "tokenId",
                    "is_long": Const(is_long),
                    "funding_rate_cumulative_ratio": Fixed(rate, 18),
                },
            )
            for is_long, rate in (
                (True, "longCumulativeFunding"),
                (False, "shortCumulativeFunding"),
            )
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="oracle_updates",
                columns={
                    "feed": "assetId",
                    "quote": Const("USD"),
                    "oracle_price_quote": MARK,
                    "provider": Const("mux_degen"),
                },
            )
            for name in EXECUTIONS
        ),
    ),
)
