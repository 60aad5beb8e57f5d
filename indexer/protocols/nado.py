"""
Nado: cross-margined perps and spot on Ink, the successor of Vertex with the same clearinghouse.

Contracts  https://www.npmjs.com/package/@nadohq/shared (0.1.4, deployment.inkMainnet.json: address
           and first block); https://github.com/nadohq/nado-contracts (core/contracts/
           ClearinghouseLiq.sol) for what the event means
Markets    https://github.com/nadohq/nado-web-monorepo-snapshot (packages/react-client, product
           metadata): perps even and spot odd. KPEPE and KBONK count thousands.
Split      none: what a liquidator pays insurance on top is not logged
Units      1e18 throughout, amountQuote in USDT0, counted as dollars, at the price of the
           liquidation. A subaccount is its owner, 20 bytes, and a name, 12 bytes.

Of a spread, a long spot and a short perp, amountQuote is the perp's at its oracle price.
"""

from indexer.chains import INK
from indexer.spec import (
    Abs,
    Bits,
    Condition,
    Const,
    Contract,
    Equals,
    Event,
    Fixed,
    IsNegative,
    IsTrue,
    Market,
    Neg,
    Not,
    Protocol,
    Quotient,
    Value,
    listed,
)

CLEARINGHOUSE = "nado/Clearinghouse"
OF_ACCOUNT: dict[str, Value] = {
    "account": Bits("liquidateeSubaccount", at=96, count=160),
    "position_id": "liquidateeSubaccount",
}
GOT = Fixed(Quotient(Abs("amountQuote"), Abs("amount")), 0)
IS_SPREAD = IsTrue("isEncodedSpread")
IS_PERP = Equals(Bits("productId", at=0, count=1), 0)
KINDS: tuple[tuple[Value, Condition, tuple[Condition, ...]], ...] = (
    ("productId", Not(IsNegative("amount")), (Not(IS_SPREAD), IS_PERP)),
    (Bits("productId", at=16, count=16), IsNegative("amount"), (IS_SPREAD,)),
)

PROTOCOL = Protocol(
    slug="nado",
    name="Nado",
    kind="perp",
    methodology=(
        "Liquidations are Liquidation of the clearinghouse: partial ones, a row each, at the price "
        "the account got; of a spread the perp counts, at its oracle price. Liquidations of "
        "spot are no rows. Each is also a change of the liquidated account's position."
    ),
    left_out=(
        "Trades, fees and oracle prices: the sequencer keeps them, and what its exchange logs is "
        "not established.",
        "Funding, open interest and interest: @nadohq/shared has FundingPayment and "
        "InterestPayment of the engines, and no source here says their scales and signs.",
        "Deposits and withdrawals of margin (ModifyCollateral): they move no position and are no "
        "flows of a pool.",
        "Names of markets that were listed after the venue's own list of 2026.",
        "What a liquidator's own position becomes: the event does not say which way it goes.",
        "Spot liquidations: `liquidations` are of leveraged positions.",
    ),
    contracts=(
        Contract(INK, CLEARINGHOUSE, "0xD218103918C19D0A10cf35300E4CfAfbD444c5fE", 29_851_015),
    ),
    events=(
        *(
            Event(
                abi=CLEARINGHOUSE,
                name="Liquidation",
                into="liquidations",
                columns={
                    **OF_ACCOUNT,
                    "market": market,
                    "liquidator": Bits("liquidatorSubaccount", at=96, count=160),
                    "is_long": is_long,
                    "notional_usd": Fixed(Abs("amountQuote"), 18),
                    "size_tokens": Fixed(Abs("amount"), 18),
                    "execution_price_usd": GOT,
                    "shortfall_basis": Const("none"),
                    "derivation": Const("direct"),
                },
                where=where,
            )
            for market, is_long, where in KINDS
        ),
        *(
            Event(
                abi=CLEARINGHOUSE,
                name="Liquidation",
                into="position_changes",
                columns={
                    **OF_ACCOUNT,
                    "market": market,
                    "cause": Const("liquidation"),
                    "is_long": is_long,
                    "notional_delta_usd": Fixed(Neg(Abs("amountQuote")), 18),
                    "size_delta_tokens": Fixed(Neg(Abs("amount")), 18),
                    "execution_price_usd": GOT,
                },
                where=where,
            )
            for market, is_long, where in KINDS
        ),
    ),
    markets=tuple(
        Market(INK, row["product"], row["symbol"], asset_class=row["asset_class"], quote="USD")
        for row in listed("nado_products")
    ),
)
