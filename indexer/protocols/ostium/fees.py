"""Fees by recipient, and what traders pay each other for funding."""

from indexer.protocols.ostium.trades import CALLBACKS, PAIR_INFOS, PRICES, TRADING, ZERO
from indexer.spec import (
    Companion,
    Const,
    Event,
    Fixed,
    Neg,
    Nonzero,
    OfContract,
    Value,
)

# A trade has the id of the order that opened it, and so has an order that was cancelled.
OPENED_PAIR = Companion("PriceReceived", "pairIndex", {"tradeId": "orderId"}, abi=PRICES)
CLOSED_PAIR = Companion("PriceReceived", "pairIndex", {"orderId": "orderId"}, abi=PRICES)
CHARGED: dict[str, Value] = {
    "account": "trader",
    "fee_token": OfContract("usdc"),
    "holders_usd": ZERO,
    "split_basis": Const("event"),
}
AMOUNT, REFUND, ROLLOVER = Fixed("amount", 6), Fixed(Neg("amount"), 6), Fixed("rolloverFees", 6)
TO_VAULT: dict[str, Value] = {**CHARGED, "supply_side_usd": AMOUNT, "treasury_usd": ZERO}
TO_TREASURY: dict[str, Value] = {**CHARGED, "supply_side_usd": ZERO, "treasury_usd": AMOUNT}
REFUNDED: dict[str, Value] = {
    **CHARGED,
    "market": "pairIndex",
    "fee_kind": Const("order"),
    "fee_tokens": REFUND,
    "fee_usd": REFUND,
    "supply_side_usd": ZERO,
    "treasury_usd": REFUND,
}

# Contract, event, kind, market, who gets it.
BY_RECIPIENT: tuple[tuple[str, str, str, Value, dict[str, Value]], ...] = (
    (CALLBACKS, "DevFeeCharged", "position", OPENED_PAIR, TO_TREASURY),
    (CALLBACKS, "OracleFeeCharged", "order", OPENED_PAIR, TO_TREASURY),
    (TRADING, "OracleFeeCharged", "order", "pairIndex", TO_TREASURY),
    (TRADING, "OracleFeeChargedLimitCancelled", "order", "pairIndex", TO_TREASURY),
    (CALLBACKS, "VaultOpeningFeeCharged", "position", OPENED_PAIR, TO_VAULT),
    (CALLBACKS, "VaultLiqFeeCharged", "liquidation", CLOSED_PAIR, TO_VAULT),
    (CALLBACKS, "BuilderFeeCharged", "service", OPENED_PAIR, TO_VAULT),
)
# One stream after the other, never two of them for one closing.
SETTLEMENTS = (
    (PAIR_INFOS, "FeesCharged"),
    (CALLBACKS, "FeesCharged"),
    (CALLBACKS, "FeesChargedV2"),
)

FEES = (
    *(
        Event(
            abi=abi,
            name=name,
            into="fees",
            columns={
                **recipient,
                "market": market,
                "fee_kind": Const(kind),
                "fee_tokens": AMOUNT,
                "fee_usd": AMOUNT,
            },
            where=(Nonzero("amount"),),
        )
        for abi, name, kind, market, recipient in BY_RECIPIENT
    ),
    *(
        Event(abi, "OracleFeeRefunded", "fees", REFUNDED, (Nonzero("amount"),))
        for abi in (CALLBACKS, TRADING)
    ),
    *(
        Event(
            abi=abi,
            name=name,
            into="fees",
            columns={
                **CHARGED,
                "market": CLOSED_PAIR,
                "fee_kind": Const("borrow"),
                "fee_tokens": ROLLOVER,
                "fee_usd": ROLLOVER,
                "supply_side_usd": ROLLOVER,
                "treasury_usd": ZERO,
            },
            where=(Nonzero("rolloverFees"),),
        )
        for abi, name in SETTLEMENTS
    ),
    Event(
        abi=CALLBACKS,
        name="CloseFeeCharged",
        into="fees",
        columns={
            "market": CLOSED_PAIR,
            "account": "trader",
            "fee_kind": Const("position"),
            "fee_token": OfContract("usdc"),
            "fee_tokens": Fixed("closeFee", 6),
            "fee_usd": Fixed("closeFee", 6),
            "split_basis": Const("none"),
        },
        where=(Nonzero("closeFee"),),
    ),
)
FUNDING = (
    *(
        Event(
            abi=abi,
            name=name,
            into="funding",
            columns={
                "market": CLOSED_PAIR,
                "account": "trader",
                "paid_usd": Fixed("fundingFees", 6),
            },
            where=(Nonzero("fundingFees"),),
        )
        for abi, name in SETTLEMENTS
    ),
    # What a dollar of notional has paid since the beginning, stored whenever a trade moves it.
    *(
        Event(
            abi=PAIR_INFOS,
            name="AccFundingFeesStoredV2",
            into="funding",
            columns={
                "market": "pairIndex",
                "is_long": Const(is_long),
                "funding_rate_cumulative_ratio": Fixed(value, 18),
            },
        )
        for value, is_long in (("valueLong", True), ("valueShort", False))
    ),
)
