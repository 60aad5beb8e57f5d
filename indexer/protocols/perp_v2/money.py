"""Perpetual Protocol v2: fees, funding, prices and the insurance fund."""

from indexer.protocols.perp_v2.trades import ITS_NOTIONAL, ITS_SIZE, OWN_NOTIONAL
from indexer.protocols.perp_v2.values import (
    BALANCES,
    EXCHANGE,
    HOUSE,
    OF_TRADER,
    PAID_NOTHING,
    USDC,
    VAULT,
    Columns,
)
from indexer.spec import (
    Abs,
    Companion,
    Const,
    Emitter,
    Equals,
    Event,
    First,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    OfMarket,
    Rest,
    Sum,
    When,
)

IS_TAKEN_OVER = Equals(Sum((Abs(ITS_SIZE), Neg("positionSize"))), 0)
LIQUIDATORS_PART = When(IS_TAKEN_OVER, Sum((OWN_NOTIONAL, ITS_NOTIONAL)), "liquidationFee")
PENALTY: Columns = {
    **OF_TRADER,
    "fee_kind": Const("liquidation"),
    "fee_usd": Fixed("liquidationFee", 18),
    "supply_side_usd": Fixed(LIQUIDATORS_PART, 18),
    "holders_usd": PAID_NOTHING,
    "treasury_usd": Rest("fee_usd", ("supply_side_usd", "holders_usd")),
    "split_basis": Const("event"),
}
FUNDS_PART = First((Companion("PnlRealized", "amount", nearest="before", abi=BALANCES), Int(0)))
TAKER_FEE: Columns = {
    **OF_TRADER,
    "fee_kind": Const("position"),
    "fee_usd": Fixed("fee", 18),
    "treasury_usd": Fixed(FUNDS_PART, 18),
    "holders_usd": PAID_NOTHING,
    "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
    "split_basis": Const("event"),
}
COLLATERAL_FEE: Columns = {
    "account": "trader",
    "fee_kind": Const("liquidation"),
    "fee_token": Const(USDC),
    "fee_tokens": Fixed("insuranceFundFeeX10_S", 6),
    "fee_usd": Fixed("insuranceFundFeeX10_S", 6),
    "supply_side_usd": PAID_NOTHING,
    "holders_usd": PAID_NOTHING,
    "treasury_usd": Fixed("insuranceFundFeeX10_S", 6),
    "split_basis": Const("event"),
}

PAID: Columns = {**OF_TRADER, "paid_usd": Fixed("fundingPayment", 18)}
PRICED: Columns = {"asset": OfMarket("baseToken", "symbol"), "quote": Const("USD")}
INDEX: Columns = {**PRICED, "feed": "baseToken", "oracle_price_quote": Fixed("indexTwap", 18)}
MARK: Columns = {**PRICED, "feed": Emitter(), "oracle_price_quote": Fixed("marketTwap", 18)}

FUND: Columns = {"shortfall_usd": Fixed(Abs("amount"), 18)}
DEBT_OF_TRADER: Columns = {
    "account": "trader",
    "asset_token": Const(USDC),
    "shortfall_tokens": Fixed("amount", 6),
    "shortfall_usd": Fixed("amount", 6),
}
COLLATERAL_IN: Columns = {
    "kind": Const("insurance_in"),
    "account": "trader",
    "asset_token": Const(USDC),
    "shortfall_tokens": Fixed("insuranceFundFeeX10_S", 6),
    "shortfall_usd": Fixed("insuranceFundFeeX10_S", 6),
}

MONEY = (
    Event(HOUSE, "PositionChanged", "fees", TAKER_FEE, (Nonzero("fee"),)),
    Event(HOUSE, "PositionLiquidated", "fees", PENALTY, (Nonzero("liquidationFee"),)),
    Event(
        VAULT,
        "CollateralLiquidated",
        "fees",
        COLLATERAL_FEE,
        (Nonzero("insuranceFundFeeX10_S"),),
    ),
    Event(HOUSE, "FundingPaymentSettled", "funding", PAID),
    Event(EXCHANGE, "FundingUpdated", "oracle_updates", INDEX),
    Event(EXCHANGE, "FundingUpdated", "oracle_updates", MARK),
    Event(VAULT, "BadDebtSettled", "shortfalls", {**DEBT_OF_TRADER, "kind": Const("bad_debt")}),
    Event(
        VAULT,
        "BadDebtSettled",
        "shortfalls",
        {**DEBT_OF_TRADER, "kind": Const("insurance_out")},
    ),
    Event(
        VAULT,
        "CollateralLiquidated",
        "shortfalls",
        COLLATERAL_IN,
        (Nonzero("insuranceFundFeeX10_S"),),
    ),
    Event(
        BALANCES,
        "PnlRealized",
        "shortfalls",
        {
            **FUND,
            "kind": When(IsNegative("amount"), Const("insurance_out"), Const("insurance_in")),
        },
        (Nonzero("amount"),),
    ),
)
