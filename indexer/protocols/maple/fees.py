"""Interest and fees of Maple loans by recipient; each payment is read where its split is logged."""

from indexer.protocols.maple.markets import (
    LOAN_FTL,
    MANAGER_FTL,
    MANAGER_OTL,
    OWN_ASSET,
    POOL_MANAGER,
)
from indexer.protocols.maple.pools import (
    AT_PAR,
    BASES,
    COVERED,
    COVERED_ASSET,
    COVERED_AT_PAR,
    COVERED_BASES,
    ITS_ASSET,
    OWN_AT_PAR,
    OWN_BASES,
)
from indexer.spec import (
    Amount,
    Const,
    Emitter,
    Event,
    Fixed,
    Int,
    Nonzero,
    Rest,
    Sum,
    Value,
    When,
)

FEE_MANAGER = "maple/LoanFeeManager"
ZERO = Fixed(Int(0), 0)

SPLIT: dict[str, Value] = {
    "market": "loan_",
    "fee_token": ITS_ASSET,
    "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
    "holders_usd": ZERO,
    "split_basis": Const("event"),
}

# --- whole fee, platform's part -------------------------------------------------------------------

# The third value of a claim is gross, whatever its name says.
CLAIMED = ("netInterest_", "platformManagementFee_")
CLAIMED_SERVICE = (Sum(("delegateServiceFee_", "platformServiceFee_")), "platformServiceFee_")
DISTRIBUTED = ("netInterest_", Int(0))
MANAGED = (Sum(("delegateManagementFee_", "platformManagementFee_")), "platformManagementFee_")
ORIGINATED = (
    Sum(("delegateOriginationFee_", "platformOriginationFee_")),
    "platformOriginationFee_",
)
PLATFORM_SERVICE = Sum(("platformServiceFee_", "partialRefinancePlatformServiceFee_"))
SERVED = (
    Sum(("delegateServiceFee_", "partialRefinanceDelegateServiceFee_", PLATFORM_SERVICE)),
    PLATFORM_SERVICE,
)
# Logged with each payment, whether or not it has any.
SPLITS: tuple[tuple[str, str, str, tuple[Value, Value]], ...] = (
    (MANAGER_OTL, "ClaimedFundsDistributed", "interest", CLAIMED),
    (MANAGER_OTL, "ClaimedFundsDistributed", "service", CLAIMED_SERVICE),
    (MANAGER_FTL, "FundsDistributed", "interest", DISTRIBUTED),
    (MANAGER_FTL, "ManagementFeesPaid", "management", MANAGED),
    (FEE_MANAGER, "OriginationFeesPaid", "origination", ORIGINATED),
    (FEE_MANAGER, "ServiceFeesPaid", "service", SERVED),
)

# --- platform fees that a default pays ------------------------------------------------------------

# Of what an open-term loan recovered, then of the delegate's cover; which fee it is neither says.
RECOVERED = Amount("toTreasury_", ITS_ASSET)
FROM_COVER = Amount("toTreasury_", COVERED_ASSET)

# --- loans before v4, and strategies ----------------------------------------------------------

OLD_INTEREST: dict[str, Value] = {
    "market": Emitter(),
    "fee_kind": Const("interest"),
    "fee_token": OWN_ASSET,
    "fee_tokens": Amount("interestPaid_", OWN_ASSET),
    "fee_usd": When(OWN_AT_PAR, Amount("interestPaid_", OWN_ASSET)),
    "split_basis": Const("none"),  # Maple v1 pools split it, in events of their own
}
OLD_SERVICE_FEE = Sum(("delegateFeePaid_", "treasuryFeePaid_"))
OLD_SERVICE: dict[str, Value] = {
    **SPLIT,
    "market": Emitter(),
    "fee_kind": Const("service"),
    "fee_token": OWN_ASSET,
    "fee_tokens": Amount(OLD_SERVICE_FEE, OWN_ASSET),
    "fee_usd": When(OWN_AT_PAR, Amount(OLD_SERVICE_FEE, OWN_ASSET)),
    "treasury_usd": When(OWN_AT_PAR, Amount("treasuryFeePaid_", OWN_ASSET)),
}
PAYS_INTEREST, PAYS_SERVICE = Nonzero("interestPaid_"), Nonzero(OLD_SERVICE_FEE)
PAID_V2 = ("PaymentMade(uint256,uint256)", "LoanClosed(uint256,uint256)")
PAID_V3 = (
    "PaymentMade(uint256,uint256,uint256,uint256)",
    "LoanClosed(uint256,uint256,uint256,uint256)",
)

STRATEGY_FEE = Amount("fees", OWN_ASSET)


FEES = (
    *(
        Event(
            abi=abi,
            name=name,
            into="fees",
            columns={
                **SPLIT,
                "fee_kind": Const(kind),
                "fee_tokens": Amount(whole, ITS_ASSET),
                "fee_usd": When(AT_PAR, Amount(whole, ITS_ASSET)),
                "treasury_usd": When(AT_PAR, Amount(platform, ITS_ASSET)),
            },
            where=(Nonzero(whole), basis),
            version="2",
            evidence=evidence,
        )
        for abi, name, kind, (whole, platform) in SPLITS
        for basis, evidence in BASES
    ),
    *(
        Event(
            abi=MANAGER_OTL,
            name="LiquidatedFundsDistributed",
            into="fees",
            columns={
                **SPLIT,
                "fee_kind": Const("service"),
                "fee_tokens": RECOVERED,
                "fee_usd": When(AT_PAR, RECOVERED),
                "treasury_usd": When(AT_PAR, RECOVERED),
            },
            where=(Nonzero("toTreasury_"), basis),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in BASES
    ),
    *(
        Event(
            abi=POOL_MANAGER,
            name="CoverLiquidated",
            into="fees",
            columns={
                **SPLIT,
                "market": COVERED,
                "fee_kind": Const("service"),
                "fee_token": COVERED_ASSET,
                "fee_tokens": FROM_COVER,
                "fee_usd": When(COVERED_AT_PAR, FROM_COVER),
                "treasury_usd": When(COVERED_AT_PAR, FROM_COVER),
            },
            where=(Nonzero("toTreasury_"), basis),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in COVERED_BASES
    ),
    *(
        Event(LOAN_FTL, name, "fees", OLD_INTEREST, (PAYS_INTEREST, basis), "1", evidence)
        for name in (*PAID_V2, *PAID_V3)
        for basis, evidence in OWN_BASES
    ),
    *(
        Event(LOAN_FTL, name, "fees", OLD_SERVICE, (PAYS_SERVICE, basis), "1", evidence)
        for name in PAID_V3
        for basis, evidence in OWN_BASES
    ),
    *(
        Event(
            abi="maple/Strategy",
            name="StrategyFeesCollected",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("management"),
                "fee_token": OWN_ASSET,
                "fee_tokens": STRATEGY_FEE,
                "fee_usd": When(OWN_AT_PAR, STRATEGY_FEE),
                "supply_side_usd": When(OWN_AT_PAR, ZERO),
                "treasury_usd": When(OWN_AT_PAR, STRATEGY_FEE),
                "holders_usd": When(OWN_AT_PAR, ZERO),
                "split_basis": Const("event"),
            },
            where=(basis,),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in OWN_BASES
    ),
)
