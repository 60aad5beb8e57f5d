"""
dYdX v4: an order book on a chain of its own, of which no EVM log tells; read from files.

Contracts  none. What the indexer's API answers, saved as it is, is imported: `perpscope import`.
           https://docs.dydx.xyz/indexer-client/http
Types      LIQUIDATED is the taker whose position was liquidated, LIQUIDATION its counterpart;
           DELEVERAGED is the taker of a deleveraging, who could not pay, OFFSETTING the maker
           whose position was cut for it.
           https://github.com/dydxprotocol/v4-chain (the indexer, types/fill-types.ts)
Split      net revenue is shared out, so maker rebates count against what is shared. To stakers
           (holders) all of it at first; from November 2024 40 %, to MegaVault (supply side) 50 %,
           to the treasury 10 %; from 2025-03-24, when buybacks began, to stakers 40 % and buybacks
           25 % (holders too), to MegaVault 25 % and the treasury 10 %; from 2025-11-13 15, 75, 5
           and 5 %.
           https://dydx.forum/t/dydx-treasury-subdao-proposal-discussion/2965
           https://dydx.forum/t/drc-dydx-treasury-subdao-dydx-buyback-program/3433
           https://dydx.forum/t/drc-revenue-share-on-dydx/4702
           https://www.dydx.xyz/blog/dydx-buyback-program
           https://www.gate.com/news/detail/15883369 (proposal 313; stakers have what is left)
           The month of the first vote is assumed. Affiliates and order routers are paid out of the
           fee before that, and builders beside it. Both fills of a trade name the affiliate's part,
           which is of the taker's fee.
           https://github.com/dydxprotocol/v4-chain (protocol/x/revshare/keeper/revshare.go)
Liquidated the fee of a LIQUIDATED fill is what the insurance fund got of it, below zero what the
           fund paid for an account that had less than nothing.
           https://github.com/dydxprotocol/v4-chain (protocol/x/clob/keeper, persistMatchedOrders)
Units      prices and fees are decimal dollars (USDC), sizes whole units of the base asset.
"""

from indexer.chains import DYDX
from indexer.spec import (
    Abs,
    Arg,
    Const,
    Entry,
    Equals,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OneOf,
    Policy,
    Positive,
    Product,
    Protocol,
    Rest,
    Share,
    Sum,
    Value,
    When,
)

FORUM = "https://dydx.forum/t/"
FIRST_SPLIT = FORUM + "dydx-treasury-subdao-proposal-discussion/2965"
SECOND_SPLIT = FORUM + "drc-dydx-treasury-subdao-dydx-buyback-program/3433"
THIRD_SPLIT = FORUM + "drc-revenue-share-on-dydx/4702"
FOURTH_SPLIT = "https://www.gate.com/news/detail/15883369"

AFFILIATE = When(Equals("liquidity", "TAKER"), Arg("affiliate_rev_share", absent=0), Int(0))
FEE = Fixed("fee", 18)
CHARGE = Fixed(Sum(("fee", Arg("builder_fee", absent=0))), 18)
SHARED_OUT = Fixed(Sum(("fee", Neg(AFFILIATE), Neg(Arg("order_router_fee", absent=0)))), 18)
ZERO = Fixed(Int(0), 0)
NOTIONAL = Fixed(Product("price", "size"), 36)
# Whoever is closed by force sold a long or bought back a short.
WAS_LONG = Equals("side", "SELL")
IS_LIQUIDATED = Equals("type", "LIQUIDATED")
TO_FUND, BY_FUND = Positive("fee"), Positive(Neg("fee"))
LIQUIDATED: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "is_long": WAS_LONG,
    "collateral_token": Const("USDC"),
    "notional_usd": NOTIONAL,
    "size_tokens": Fixed("size", 18),
    "execution_price_usd": Fixed("price", 18),
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

CHARGED: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "fee_token": Const("USDC"),
}
LACKED: dict[str, Value] = {
    "market": "market",
    "account": "account",
    "asset_token": Const("USDC"),
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
        "are those of fills; makers may be paid instead, which is a fee below zero. They are split "
        "by assumed policy, after what affiliates and order routers get of them; these and "
        "builders, who are paid beside the fee, are supply side. What a liquidated "
        "account is charged goes to the insurance fund, whose money is treasury; where its fee is "
        "below zero the fund paid, which is bad debt and no fee. A trade and a fill of the same "
        "side are one entry. Nothing proves that the files are complete."
    ),
    contracts=(),
    events=(),
    entries=(
        Entry(
            DYDX,
            "fill",
            "position_changes",
            CLOSED | {"cause": Const("liquidation")},
            where=(IS_LIQUIDATED,),
        ),
        Entry(
            DYDX,
            "fill",
            "position_changes",
            CLOSED | {"cause": Const("adl")},
            where=(OneOf("type", ("DELEVERAGED", "OFFSETTING")),),
        ),
        Entry(
            DYDX,
            "fill",
            "liquidations",
            LIQUIDATED
            | {
                "fee_usd": Fixed(TO_FUND, 18),
                "shortfall_usd": Fixed(BY_FUND, 18),
                "shortfall_basis": Const("event"),
            },
            where=(IS_LIQUIDATED,),
        ),
        Entry(DYDX, "fill", "adls", CUT, where=(Equals("type", "OFFSETTING"),)),
        Entry(
            DYDX,
            "fill",
            "fees",
            CHARGED
            | {
                "fee_kind": Const("position"),
                "fee_tokens": CHARGE,
                "fee_usd": CHARGE,
                "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
                "treasury_usd": Share(SHARED_OUT, "treasury_share"),
                "holders_usd": Share(SHARED_OUT, "holders_share"),
                "split_basis": Const("policy"),
            },
            where=(Not(IS_LIQUIDATED),),
        ),
        Entry(
            DYDX,
            "fill",
            "fees",
            CHARGED
            | {
                "fee_kind": Const("liquidation"),
                "fee_tokens": FEE,
                "fee_usd": FEE,
                "supply_side_usd": ZERO,
                "treasury_usd": FEE,
                "holders_usd": ZERO,
                "split_basis": Const("event"),
            },
            where=(IS_LIQUIDATED, Nonzero(TO_FUND)),
        ),
        Entry(
            DYDX,
            "fill",
            "shortfalls",
            LACKED
            | {
                "kind": Const("bad_debt"),
                "shortfall_tokens": Fixed(BY_FUND, 18),
                "shortfall_usd": Fixed(BY_FUND, 18),
            },
            where=(IS_LIQUIDATED, Nonzero(BY_FUND)),
        ),
        Entry(
            DYDX,
            "fill",
            "shortfalls",
            LACKED
            | {
                "kind": When(IsNegative("fee"), Const("insurance_out"), Const("insurance_in")),
                "shortfall_tokens": Fixed(Abs("fee"), 18),
                "shortfall_usd": Fixed(Abs("fee"), 18),
            },
            where=(IS_LIQUIDATED, Nonzero("fee")),
        ),
        Entry(
            DYDX,
            "trade",
            "liquidations",
            LIQUIDATED | {"shortfall_basis": Const("none")},
            where=(IS_LIQUIDATED,),
        ),
        Entry(DYDX, "trade", "adls", CUT, where=(Equals("type", "DELEVERAGED"),)),
    ),
    policies=(
        Policy("treasury_share", "0", "2023-10-26", FIRST_SPLIT, "assumed"),
        Policy("holders_share", "1", "2023-10-26", FIRST_SPLIT, "assumed"),
        Policy("treasury_share", "0.1", "2024-11-15", SECOND_SPLIT, "assumed"),
        Policy("holders_share", "0.4", "2024-11-15", SECOND_SPLIT, "assumed"),
        Policy("treasury_share", "0.1", "2025-03-24", THIRD_SPLIT, "assumed"),
        Policy("holders_share", "0.65", "2025-03-24", THIRD_SPLIT, "assumed"),
        Policy("treasury_share", "0.05", "2025-11-13", FOURTH_SPLIT, "assumed"),
        Policy("holders_share", "0.9", "2025-11-13", FOURTH_SPLIT, "assumed"),
    ),
    left_out=(
        "Whether a deleveraging settles a market that closed, at the oracle's price: the chain's "
        "match says so, and the indexer's answer does not, so that it reads as an ADL.",
        "Position changes by ordinary fills: whether a fill opens or closes is not in every file.",
        "The day from which MegaVault got half of the fees (November 2024), and steps between two "
        "splits: no source here confirms them.",
        "What those who mapped a new market get of its fees at first: no fill says it.",
        "Buybacks: the treasury buys on exchanges, which only bank transfers of the chain show.",
        "Funding, oracle prices and open interest: fills and trades do not tell them.",
        "v3 on StarkEx: trades and liquidations were never on chain; its deposits are not read.",
    ),
)
