"""
Fees of openings, which the storage logs, and of closings, which PairInfos logs.

In the release before 1.5 the vault gets all of a closing but the keeper's reward, since then the
rollover alone, and it gets the rollover of margin that is moved whatever the release
(TradingCallbacks.sol, _unregisterTrade and updateMarginCallback). The first release logs no other
fee than rollover, so its shares stay unsaid.
"""

from indexer.protocols.avantis.trades import (
    BY_LIMIT,
    BY_MARKET,
    BY_RELEASE,
    CALLBACKS,
    CLOSING_FEES,
    EXECUTED,
    PAIR_INFOS,
    USDC,
)
from indexer.spec import (
    Companion,
    Const,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    Neg,
    Nonzero,
    Not,
    OneOf,
    Rest,
    Share,
    Sum,
    Value,
    When,
)

STORAGE, TRADING = "avantis/TradingStorage", "avantis/Trading"
ZERO = Fixed(Int(0), 0)
PAID_BY = {"collateral": "positionSizeUSDC", "percentProfit": "percentProfit"}
OPENING_FEE = Fixed("fee", 6)
# Logged right before the fee; of an opening its pair is always 0.
REBATE = First(
    (Companion("TradeReferred", "_referrerRebate", {"_trader": "_trader"}, "before"), Int(0))
)
SHARED_OUT = Fixed(Sum(("fee", Neg(REBATE))), 6)
OF_TRADER = {"_trader": "t.trader", "_pairIndex": "t.pairIndex"}
IS_OPEN = Companion(BY_MARKET, "open", OF_TRADER, "after", abi=CALLBACKS)
ORDER_TYPE = Companion(BY_LIMIT, "orderType", OF_TRADER, "after", abi=CALLBACKS)
CLOSING_TYPE = Companion(BY_LIMIT, "orderType", PAID_BY, "after", abi=CALLBACKS)
CLOSING: dict[str, Value] = {
    "market": Companion(EXECUTED, "t.pairIndex", PAID_BY, "after", abi=CALLBACKS),
    "account": Companion(EXECUTED, "t.trader", PAID_BY, "after", abi=CALLBACKS),
    "fee_token": Const(USDC),
    "split_basis": Const("none"),
}
# By the executions of releases in which the vault gets all of it.
IS_ALL_THE_VAULTS = {
    fee: Exists(Companion(executed, "t.trader", PAID_BY, "after", abi=CALLBACKS))
    for fee, executed in (
        ("closingFee", BY_RELEASE["1.x"]),
        ("r", (*BY_RELEASE["1.x"], *BY_RELEASE["1.5"])),
    )
}
SPLIT: dict[str, dict[str, Value]] = {
    fee: {
        "treasury_usd": When(is_all, ZERO),
        "holders_usd": When(is_all, ZERO),
        "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
        "split_basis": When(is_all, Const("policy"), Const("none")),
    }
    for fee, is_all in IS_ALL_THE_VAULTS.items()
}
FEES = (
    Event(
        abi=STORAGE,
        name="FeesCharged",
        into="fees",
        columns={
            "market": "_pairIndex",
            "account": "_trader",
            "fee_kind": Const("position"),
            "fee_token": Const(USDC),
            "fee_tokens": OPENING_FEE,
            "fee_usd": OPENING_FEE,
            "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
            "treasury_usd": Share(SHARED_OUT, "treasury_share"),
            "holders_usd": ZERO,
            "split_basis": Const("policy"),
        },
        where=(
            Nonzero("fee"),
            Not(Equals(IS_OPEN, constant=False)),
            Not(OneOf(ORDER_TYPE, (0, 1, 2))),
        ),
    ),
    Event(
        abi=PAIR_INFOS,
        name=CLOSING_FEES,
        into="fees",
        columns={
            **CLOSING,
            **SPLIT["closingFee"],
            "fee_kind": When(Equals(CLOSING_TYPE, 2), Const("liquidation"), Const("position")),
            "fee_tokens": Fixed("closingFee", 6),
            "fee_usd": Fixed("closingFee", 6),
        },
        where=(Nonzero("closingFee"),),
    ),
    Event(
        abi=PAIR_INFOS,
        name=CLOSING_FEES,
        into="fees",
        columns={
            **CLOSING,
            **SPLIT["r"],
            "fee_kind": Const("borrow"),
            "fee_tokens": Fixed("r", 6),
            "fee_usd": Fixed("r", 6),
        },
        where=(Nonzero("r"),),
    ),
    Event(
        abi=PAIR_INFOS,
        name="FeesCharged(uint256,bool,uint256,uint256,int256,uint256)",
        into="fees",
        columns={
            **CLOSING,
            "market": "pairIndex",
            "fee_kind": Const("borrow"),
            "fee_tokens": Fixed("rolloverFees", 6),
            "fee_usd": Fixed("rolloverFees", 6),
        },
        where=(Nonzero("rolloverFees"),),
    ),
    # Moving margin settles the rollover so far, which the closing then does not charge again.
    Event(
        abi=TRADING,
        name="MarginUpdated",
        into="fees",
        columns={
            "market": "pairIndex",
            "account": "trader",
            "fee_kind": Const("borrow"),
            "fee_token": Const(USDC),
            "fee_tokens": Fixed("marginFees", 6),
            "fee_usd": Fixed("marginFees", 6),
            "supply_side_usd": Fixed("marginFees", 6),
            "treasury_usd": ZERO,
            "holders_usd": ZERO,
            "split_basis": Const("policy"),
        },
        where=(Nonzero("marginFees"),),
    ),
)
