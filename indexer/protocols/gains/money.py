"""Fees by recipient, holding fees, open interest, collateral prices and GNS buybacks of gTrade."""

from indexer.protocols.gains.values import (
    ABI,
    COLLATERAL,
    EXECUTIONS,
    IN_BASE,
    LONG,
    MARKET,
    ORDER_TYPE,
    PAIR,
    PAIR_PRICE,
    PRICE,
    RESIZED_IN_DOLLARS,
    STABLE,
    TRADE_COLLATERAL,
    USD,
    ZERO,
)
from indexer.spec import (
    Amount,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Product,
    Sum,
    SymbolOf,
    Value,
    When,
)

# --- fees ---------------------------------------------------------------------------------------

FEE_USD = Fixed(Product("amountCollateral", PRICE), USD)
CHARGED: dict[str, Value] = {
    "market": PAIR,
    "account": "trader",
    "fee_token": COLLATERAL,
    "fee_tokens": Amount("amountCollateral", COLLATERAL),
    "fee_usd": FEE_USD,
    "split_basis": Const("event"),
}
TO_VAULT: dict[str, Value] = {
    **CHARGED,
    "supply_side_usd": FEE_USD,
    "treasury_usd": ZERO,
    "holders_usd": ZERO,
}
TO_TREASURY: dict[str, Value] = {
    **CHARGED,
    "supply_side_usd": ZERO,
    "treasury_usd": FEE_USD,
    "holders_usd": ZERO,
}
TO_HOLDERS: dict[str, Value] = {
    **CHARGED,
    "supply_side_usd": ZERO,
    "treasury_usd": ZERO,
    "holders_usd": FEE_USD,
}
# A liquidation's fee goes to the recipients of any other: the type of the order tells it apart.
OF_LIQUIDATION = Equals(ORDER_TYPE, 6)
POSITION, ORDER = (
    When(OF_LIQUIDATION, Const("liquidation"), Const(kind)) for kind in ("position", "order")
)
RECIPIENTS: tuple[tuple[str, Value, dict[str, Value]], ...] = (
    ("GovFeeCharged", POSITION, TO_TREASURY),
    ("GnsOtcFeeCharged", POSITION, TO_HOLDERS),
    ("GnsStakingFeeCharged", POSITION, TO_HOLDERS),
    ("GTokenFeeCharged", POSITION, TO_VAULT),
    ("GTokenOcFeeCharged", POSITION, TO_VAULT),
    ("ReferralFeeCharged", POSITION, TO_VAULT),
    ("TriggerFeeCharged", ORDER, TO_VAULT),
    ("BorrowingFeeCharged(address,uint8,uint256)", Const("borrow"), TO_VAULT),
    ("BorrowingFeeCharged(address,uint32,uint8,uint256)", Const("borrow"), TO_VAULT),
)
BORROWED = Sum(
    ("tradeHoldingFees.borrowingFeeCollateral", "tradeHoldingFees.borrowingFeeCollateral_old")
)
BORROWED_USD = Fixed(Product(BORROWED, PRICE), USD)
HELD: dict[str, Value] = {
    **TO_VAULT,
    "fee_kind": Const("borrow"),
    "fee_tokens": Amount(BORROWED, COLLATERAL),
    "fee_usd": BORROWED_USD,
    "supply_side_usd": BORROWED_USD,
}

# One of the two per settlement: charged where the trader owes on balance, realized otherwise.
HOLDING = ("HoldingFeesChargedOnTrade", "HoldingFeesRealizedOnTrade")
FEES = (
    *(
        Event(abi=ABI, name=event, into="fees", columns={**columns, "fee_kind": kind})
        for event, kind, columns in RECIPIENTS
    ),
    *(Event(abi=ABI, name=event, into="fees", columns=HELD) for event in HOLDING),
)
FUNDING = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="funding",
            columns={
                "market": PAIR,
                "account": "trader",
                "collateral_token": COLLATERAL,
                "is_long": LONG,
                "paid_usd": Fixed(Product("tradeHoldingFees.fundingFeeCollateral", PRICE), USD),
            },
        )
        for event in HOLDING
    ),
    # Percent a second at 1e18; above zero longs pay. One per pair and collateral, from v10 on.
    Event(
        abi=ABI,
        name="PendingAccFundingFeesStored",
        into="funding",
        columns={
            "market": "pairIndex",
            "collateral_token": COLLATERAL,
            "funding_rate_daily_ratio": Fixed(
                Product("data.lastFundingRatePerSecondP", Int(86_400)), 20
            ),
        },
        version="10",
    ),
)

# --- open interest --------------------------------------------------------------------------------

OLD_SIDES = (("newOiLong", True), ("newOiShort", False))
V10_SIDES = (("oiLong", True), ("oiShort", False))
OPEN_INTEREST = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="open_interest",
            columns={
                "market": "pairIndex",
                "collateral_token": COLLATERAL,
                "is_long": Const(is_long),
                "open_interest_usd": Fixed(Product(side, PAIR_PRICE), 18),
            },
            version="8-9.4",
        )
        for event in ("BorrowingPairOiUpdated", "BorrowingPairOiBeforeV10Updated")
        for side, is_long in OLD_SIDES
    ),
    *(
        Event(
            abi=ABI,
            name="PairOiAfterV10Updated",
            into="open_interest",
            columns={
                "market": "pairIndex",
                "collateral_token": COLLATERAL,
                "is_long": Const(is_long),
                "open_interest_usd": Fixed(
                    Product(f"newOiCollateral.{side}Collateral", PAIR_PRICE), USD
                ),
                "open_interest_tokens": When(
                    RESIZED_IN_DOLLARS,
                    Fixed(Product(f"newOiToken.{side}Token", PAIR_PRICE), IN_BASE),
                ),
            },
            version="10",
        )
        for side, is_long in V10_SIDES
    ),
)

# --- collateral prices ---------------------------------------------------------------------------

SYMBOL = SymbolOf(TRADE_COLLATERAL)
UNWRAPPED = When(Equals(SYMBOL, "WAPE"), Const("APE"), SYMBOL)
COLLATERAL_PRICES = tuple(
    Event(
        abi=ABI,
        name=event,
        into="oracle_updates",
        columns={
            "feed": TRADE_COLLATERAL,
            "asset": When(Equals(SYMBOL, "WETH"), Const("ETH"), UNWRAPPED),
            "quote": Const("USD"),
            "oracle_price_quote": Fixed("collateralPriceUsd", 8),
            "provider": Emitter(),
        },
        version=version or None,
    )
    for event, version in EXECUTIONS
)

# --- prices of pairs ------------------------------------------------------------------------------

# Market orders from v9.4 on say the median of the nodes' answers; a trigger's `oraclePrice` may be
# the order's own.
PAIR_PRICES = tuple(
    Event(
        abi=ABI,
        name=event,
        into="oracle_updates",
        columns={
            "feed": "t.pairIndex",
            "asset": OfMarket("t.pairIndex", "symbol"),
            "quote": OfMarket("t.pairIndex", "quote"),
            "oracle_price_quote": Fixed("oraclePrice", 10),
            "provider": Emitter(),
        },
        version=version,
    )
    for event, version in MARKET
    if version
)

# --- buybacks -------------------------------------------------------------------------------------

AT_PAR = OneOf(COLLATERAL, STABLE)
SOLD: dict[str, Value] = {
    "bought_token": OfContract("gns"),
    "bought_tokens": Fixed(Sum(("treasuryAmountGns", "stakingAmountGns", "burnAmountGns")), 18),
    "spent_token": COLLATERAL,
    "spent_tokens": Amount("collateralAmount", COLLATERAL),
    "burned_tokens": Fixed("burnAmountGns", 18),
    "destination_kind": Const("mixed"),  # treasury, stakers and a burn in one event
}
BUYBACKS = (
    Event(
        abi=ABI,
        name="OtcExecuted",
        into="buybacks",
        columns={**SOLD, "spent_usd": Amount("collateralAmount", COLLATERAL)},
        where=(AT_PAR,),
        evidence="assumed",
    ),
    Event(abi=ABI, name="OtcExecuted", into="buybacks", columns=SOLD, where=(Not(AT_PAR),)),
)
