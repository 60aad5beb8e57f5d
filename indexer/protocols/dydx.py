"""
dYdX v4: an order book on a chain of its own, of which no EVM log tells; read from files.

Contracts  none. What the indexer's API answers, saved as it is, is imported: `perpscope import`.
           https://docs.dydx.xyz/indexer-client/http
Types      LIQUIDATED is the taker whose position was liquidated, LIQUIDATION its counterpart;
           DELEVERAGED is the taker of a deleveraging, who could not pay, OFFSETTING the maker
           whose position was cut for it.
           https://github.com/dydxprotocol/v4-chain (the indexer, types/fill-types.ts)
Units      prices and fees are decimal dollars (USDC), sizes whole units of the base asset.
"""

from indexer.chains import DYDX
from indexer.spec import Const, Entry, Equals, Fixed, Neg, OneOf, Product, Protocol, Value

NOTIONAL = Fixed(Product("price", "size"), 36)
# Whoever is closed by force sold a long or bought back a short.
WAS_LONG = Equals("side", "SELL")
LIQUIDATED: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "is_long": WAS_LONG,
    "collateral_token": Const("USDC"),
    "notional_usd": NOTIONAL,
    "size_tokens": Fixed("size", 18),
    "execution_price_usd": Fixed("price", 18),
    "fee_usd": Fixed("fee", 18),
    "shortfall_basis": Const("none"),
    "derivation": Const("direct"),
}
CUT: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "is_long": WAS_LONG,
    "collateral_token": Const("USDC"),
    "notional_usd": NOTIONAL,
    "size_tokens": Fixed("size", 18),
    "execution_price_usd": Fixed("price", 18),
    "derivation": Const("direct"),
}
CLOSED: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "is_long": WAS_LONG,
    "collateral_token": Const("USDC"),
    "notional_delta_usd": Fixed(Product("price", Neg("size")), 36),
    "size_delta_tokens": Fixed(Neg("size"), 18),
    "execution_price_usd": Fixed("price", 18),
}

PROTOCOL = Protocol(
    slug="dydx",
    name="dYdX v4",
    kind="perp",
    methodology=(
        "From files that the user brings: fills of accounts and trades of markets as the indexer "
        "answers. Liquidations are entries of type LIQUIDATED, one-sided: the liquidated side "
        "alone. ADLs are the OFFSETTING side of a deleveraging, which a trade of type DELEVERAGED "
        "tells as well, without its account. Position changes are the sides closed by force. Fees "
        "are those of fills; makers may be paid instead, which is a fee below zero. A trade and a "
        "fill of the same side are one entry. Nothing proves that the files are complete."
    ),
    contracts=(),
    events=(),
    entries=(
        Entry(
            DYDX,
            "fill",
            "position_changes",
            CLOSED | {"cause": Const("liquidation")},
            where=(Equals("type", "LIQUIDATED"),),
        ),
        Entry(
            DYDX,
            "fill",
            "position_changes",
            CLOSED | {"cause": Const("adl")},
            where=(OneOf("type", ("DELEVERAGED", "OFFSETTING")),),
        ),
        Entry(DYDX, "fill", "liquidations", LIQUIDATED, where=(Equals("type", "LIQUIDATED"),)),
        Entry(DYDX, "fill", "adls", CUT, where=(Equals("type", "OFFSETTING"),)),
        Entry(
            DYDX,
            "fill",
            "fees",
            {
                "market": "market",
                "account": "account",
                "fee_kind": Const("position"),
                "fee_token": Const("USDC"),
                "fee_tokens": Fixed("fee", 18),
                "fee_usd": Fixed("fee", 18),
                "split_basis": Const("none"),
            },
        ),
        Entry(DYDX, "trade", "liquidations", LIQUIDATED, where=(Equals("type", "LIQUIDATED"),)),
        Entry(DYDX, "trade", "adls", CUT, where=(Equals("type", "DELEVERAGED"),)),
    ),
    left_out=(
        "Position changes by ordinary fills: whether a fill opens or closes is not in every file.",
        "The split of fees between stakers, MegaVault, treasury and buybacks: the votes that set "
        "it are known by month, not by day.",
        "Buybacks: the treasury buys on exchanges, which only bank transfers of the chain show.",
        "Funding, oracle prices and open interest: fills and trades do not tell them.",
        "v3 on StarkEx: trades and liquidations were never on chain; its deposits are not read.",
    ),
)
