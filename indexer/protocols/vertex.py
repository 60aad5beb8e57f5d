"""
Vertex: cross-margined perps and spot against order books that a sequencer keeps; closed in 2025.

Contracts  https://github.com/vertex-protocol/vertex-typescript-sdk (packages/contracts/src/common/
           deployments/core: one Clearinghouse per chain, first blocks); what Liquidation means:
           https://github.com/vertex-protocol/vertex-contracts (core/contracts/ClearinghouseLiq.sol)
Markets    https://github.com/vertex-protocol/vertex-web-monorepo-snapshot (packages/react-client/
           context/metadata): one numbering for all chains, perps even and spot odd; 102 was FTM
           until that became S
Split      none: what a liquidator pays insurance on top is not logged
Units      1e18 throughout, amountQuote in dollars at the price of the liquidation: USDC, on Blast
           USDB, on Berachain HONEY. A subaccount is its owner, 20 bytes, and a name, 12 bytes.

A liquidation is of one product or of a spread, two products in one number: the perp in its upper
16 bits, the spot below. One unit of a spread is a long spot and a short perp, and amountQuote is
then that of the perp at its oracle price.
"""

from indexer.chains import (
    ABSTRACT,
    ARBITRUM,
    AVALANCHE,
    BASE,
    BERACHAIN,
    BLAST,
    MANTLE,
    SEI,
    SONIC,
)
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

CLEARINGHOUSE = "vertex/Clearinghouse"
HOUSES = (
    (ARBITRUM, "0xAE1ec28d6225dCE2ff787dcb8CE11cF6D3AE064f", 67_108_377),
    (BASE, "0xE46Cb729F92D287F6459bDA6899434E22eCC48AE", 19_343_662),
    (BLAST, "0xC748532C202828969b2Ee68E0F8487E69cC1d800", 184_008),
    (MANTLE, "0x5bcfC8AD38Ee1da5F45d9795aCaDf57D37FEC172", 63_224_056),
    (SEI, "0xaE1510367aA8d500bdF507E251147Ea50B22307F", 94_136_270),
    (SONIC, "0x447c9aEe069F6A13007eb9D2d2a4Bb4Ad92AB721", 596_514),
    (ABSTRACT, "0x1385bF2f06165cA0621aF047cF8666c256e1B1C2", 410_000),
    (BERACHAIN, "0x9F90b17E7134aF112C15437Ec4521E4541156036", 1_045_097),
    (AVALANCHE, "0x7069798A5714c5833E36e70df8AeFAac7CEC9302", 59_043_939),
)

ACCOUNT, LIQUIDATOR = (
    Bits(subaccount, at=96, count=160)
    for subaccount in ("liquidateeSubaccount", "liquidatorSubaccount")
)
IS_SPREAD = IsTrue("isEncodedSpread")
IS_PERP = Equals(Bits("productId", at=0, count=1), 0)
SIZE, NOTIONAL = Fixed(Abs("amount"), 18), Fixed(Abs("amountQuote"), 18)
GOT = Fixed(Quotient(Abs("amountQuote"), Abs("amount")), 0)

# Market, side, and which logs: liquidations of one perp, and the perp of a spread.
KINDS: tuple[tuple[Value, Condition, tuple[Condition, ...]], ...] = (
    ("productId", Not(IsNegative("amount")), (Not(IS_SPREAD), IS_PERP)),
    (Bits("productId", at=16, count=16), IsNegative("amount"), (IS_SPREAD,)),
)

PROTOCOL = Protocol(
    slug="vertex",
    name="Vertex",
    kind="perp",
    methodology=(
        "Liquidations are Liquidation of the clearinghouse: partial ones, a row each, at the "
        "price the account got; of a spread the perp counts, at its oracle price. Liquidations "
        "of spot are no rows. Each is also a change of the liquidated account's position."
    ),
    left_out=(
        "Trades and what they are charged (FillOrder): it came of one book per product, later of "
        "one exchange per chain, no list of the venue has their addresses, and it does not say "
        "whether a fill opens or closes.",
        "SubmitTransactions of the endpoint: it says that a batch came, and nothing of it.",
        "Liquidations of the first releases (2023): their event names a mode and a health group in "
        "place of a product, and no source here says when it ended or what the groups hold.",
        "What a liquidator's own position becomes: the event does not say which way it goes.",
        "Funding, open interest and oracle prices: the sequencer keeps them.",
        "Deposits and withdrawals of margin (ModifyCollateral): they move no position and are no "
        "flows of a pool.",
        "Insurance and socialised losses: no event of the clearinghouse says how much.",
        "Spot liquidations: `liquidations` are of leveraged positions.",
    ),
    contracts=tuple(
        Contract(chain, CLEARINGHOUSE, address, from_block) for chain, address, from_block in HOUSES
    ),
    events=(
        *(
            Event(
                abi=CLEARINGHOUSE,
                name="Liquidation",
                into="liquidations",
                columns={
                    "market": market,
                    "account": ACCOUNT,
                    "position_id": "liquidateeSubaccount",
                    "liquidator": LIQUIDATOR,
                    "is_long": is_long,
                    "notional_usd": NOTIONAL,
                    "size_tokens": SIZE,
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
                    "market": market,
                    "account": ACCOUNT,
                    "position_id": "liquidateeSubaccount",
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
        Market(chain, row["product"], row["symbol"], quote="USD")
        for chain, _, _ in HOUSES
        for row in listed("vertex_products")
    ),
)
