"""
What a fill of Hyperliquid means, whichever file tells it.

Sides      a fill is one side of a trade, B bought and A sold; what it does to the position follows
           from the position before it and the side, not from `dir`, which is a label for people.
           A fill that turns a long into a short closes one position and opens another: two rows.
Forced     both sides of a liquidation carry the same object: the liquidated side is the one whose
           account is `liquidatedUser`. A backstop liquidation is taken over by a vault, a market
           one is sold into the book. What a vault takes over is no trade, and no more is the
           settlement of a market that is delisted. An ADL is labelled on the side that is cut; its
           other side is the loser, in recorded ones a vault that had taken over, or a trader (94 of
           480), and a trade that is an ADL is no liquidation as well.
Fees       `fee` is all that was charged, the builder's part included; below zero it is a rebate.
Spot       HYPE is @107 against USDC, @207 USDT0, @232 USDH and @255 USDE: spotMeta of
           https://api.hyperliquid.xyz/info, by two that quote it; fees of recorded fills are in
           the tokens of @107. Only USDC counts as a dollar. There `startPosition` is what the
           account holds of HYPE, whatever it trades it for; a fee in HYPE is taken from it as well
           (so it is in 147 of 147 recorded steps from one fill to the next).
"""

from indexer.chains import HYPERCORE
from indexer.spec import (
    Abs,
    All,
    Arg,
    Const,
    Entry,
    Equals,
    Fixed,
    Int,
    IsNegative,
    IsTrue,
    Lookup,
    Neg,
    Nonzero,
    Not,
    OneOf,
    Positive,
    Product,
    Rest,
    Share,
    Sum,
    Value,
    When,
)

ASSISTANCE_FUND = "0xfefefefefefefefefefefefefefefefefefefefe"
# What each pair of HYPE is quoted in.
HYPE_PAIRS = {"@107": "USDC", "@207": "USDT0", "@232": "USDH", "@255": "USDE"}

IS_PERP = OneOf("kind", ("perp", "deployed perp"))
IS_BUY = Equals("side", "B")
IS_ADL = Equals("dir", "Auto-Deleveraging")
IS_LOSER = IsTrue("is_liquidated_user")
DELTA = When(IS_BUY, "sz", Neg("sz"))
AFTER = Sum(("start_position", DELTA))
LEFT = Sum((Abs("start_position"), Neg("sz")))
CLOSES = IsNegative(Product("start_position", DELTA))
CLOSED = When(IsNegative(LEFT), Abs("start_position"), "sz")
OPENED = When(CLOSES, Positive(Neg(LEFT)), "sz")
# Deployers of HIP-3 perps choose the collateral, which a fill does not say.
COLLATERAL = When(Equals("kind", "perp"), Const("USDC"))
NOTIONAL = Fixed(Product("px", "sz"), 36)

IS_OF_FUND = All((Equals("user", ASSISTANCE_FUND), OneOf("coin", tuple(HYPE_PAIRS))))
HYPE_DELTA = Sum((DELTA, Neg(When(Equals("fee_token", "HYPE"), "fee", Int(0)))))

# What is known of a label: a fill with another one may be something else than a trade.
CAUSES = {
    "Open Long": "trade",
    "Open Short": "trade",
    "Close Long": "trade",
    "Close Short": "trade",
    "Long > Short": "trade",
    "Short > Long": "trade",
    "Liquidated Cross Long": "trade",
    "Liquidated Cross Short": "trade",
    "Liquidated Isolated Long": "trade",
    "Liquidated Isolated Short": "trade",
    "Net Child Vaults": "trade",
    "Settlement": "settlement",
    "Auto-Deleveraging": "adl",
}
UNFORCED = When(Equals("method", "backstop"), Const("takeover"), Lookup("dir", CAUSES))
CAUSE = When(IS_ADL, Const("adl"), When(IS_LOSER, Const("liquidation"), UNFORCED))
CHANGE: dict[str, Value] = {
    "market": "coin",
    "account": "user",
    "cause": CAUSE,
    "collateral_token": COLLATERAL,
    "execution_price_usd": Fixed("px", 18),
}
FORCED: dict[str, Value] = {
    "market": "coin",
    "account": "user",
    "is_long": Not(IS_BUY),
    "collateral_token": COLLATERAL,
    "notional_usd": NOTIONAL,
    "size_tokens": Fixed("sz", 18),
    "execution_price_usd": Fixed("px", 18),
    "realized_pnl_usd": Fixed("closed_pnl", 18),
    "derivation": Const("direct"),
}
# Who deployed a perp (HIP-3) has a part of the fee, which older forms of a fill do not tell.
KEPT = Sum(("fee", Neg(Arg("builder_fee", absent=0)), Neg(Arg("deployer_fee", absent=0))))
# Nothing is no dollars, in whatever token.
IN_DOLLARS = Not(All((Nonzero("fee"), Not(Equals("fee_token", "USDC")))))
FEE_USD = When(IN_DOLLARS, Fixed("fee", 18))
LACKS_PART = All(
    (Equals("kind", "deployed perp"), Not(IsTrue("tells_deployer_fee")), Nonzero("fee"))
)
IS_SPLIT = All((IS_PERP, IN_DOLLARS, Not(LACKS_PART)))

FILLS = (
    Entry(
        HYPERCORE,
        "fill",
        "position_changes",
        CHANGE
        | {
            "is_long": Not(IsNegative("start_position")),
            "notional_delta_usd": Fixed(Neg(Product("px", CLOSED)), 36),
            "size_delta_tokens": Fixed(Neg(CLOSED), 18),
            "realized_pnl_usd": Fixed("closed_pnl", 18),
            "size_tokens": Fixed(Positive(LEFT), 18),
        },
        where=(IS_PERP, CLOSES),
    ),
    Entry(
        HYPERCORE,
        "fill",
        "position_changes",
        CHANGE
        | {
            "is_long": IS_BUY,
            "notional_delta_usd": Fixed(Product("px", OPENED), 36),
            "size_delta_tokens": Fixed(OPENED, 18),
            "size_tokens": Fixed(Abs(AFTER), 18),
        },
        where=(IS_PERP, Nonzero(OPENED)),
    ),
    Entry(
        HYPERCORE,
        "fill",
        "liquidations",
        FORCED
        | {
            "liquidator": When(Equals("method", "backstop"), "counterparty"),
            "mark_price_usd": Fixed("mark_px", 18),
            "fee_usd": FEE_USD,
            "shortfall_basis": Const("none"),
        },
        where=(IS_PERP, IS_LOSER, Not(IS_ADL)),
    ),
    Entry(
        HYPERCORE,
        "fill",
        "adls",
        FORCED | {"counterparty": "liquidated_user"},
        where=(IS_PERP, IS_ADL, Not(IS_LOSER)),
    ),
    # One entry of all fees: a fill that one file splits and another does not is the same row.
    Entry(
        HYPERCORE,
        "fill",
        "fees",
        {
            "market": "coin",
            "account": "user",
            "fee_kind": When(IS_PERP, Const("position"), Const("swap")),
            "fee_token": "fee_token",
            "fee_tokens": Fixed("fee", 18),
            "fee_usd": FEE_USD,
            "treasury_usd": When(IS_SPLIT, Fixed(Int(0), 0)),
            "holders_usd": Share(Fixed(When(IS_SPLIT, KEPT), 18), "holders_share"),
            "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
            "split_basis": When(IS_SPLIT, Const("policy"), Const("none")),
        },
    ),
    Entry(
        HYPERCORE,
        "fill",
        "buybacks",
        {
            "bought_token": Const("HYPE"),
            "bought_tokens": Fixed("sz", 18),
            "spent_token": Lookup("coin", HYPE_PAIRS),
            "spent_tokens": NOTIONAL,
            "spent_usd": When(Equals("coin", "@107"), NOTIONAL),
            "destination_kind": Const("treasury"),
        },
        where=(IS_OF_FUND, IS_BUY),
    ),
    Entry(
        HYPERCORE,
        "fill",
        "balances",
        {
            "account": "user",
            "token": Const("HYPE"),
            "delta_tokens": Fixed(HYPE_DELTA, 18),
            "balance_tokens": Fixed(Sum(("start_position", HYPE_DELTA)), 18),
        },
        where=(IS_OF_FUND,),
    ),
)
