"""What loans log: funding, payments, calls, new terms, impairments, collateral and seizures."""

from indexer.protocols.maple.markets import LOAN_FTL, LOAN_OTL, OF_POOL, OWN_ASSET
from indexer.spec import (
    Amount,
    Const,
    Emitter,
    Event,
    First,
    OfMarket,
    Sum,
    Value,
)

OWN_POOL = First(
    (
        OfMarket(OfMarket(Emitter(), "parent"), "parent"),
        OfMarket(Emitter(), "parent"),
        Emitter(),
    )
)
LENDERS_POOL = First((OfMarket("lender_", "parent"), "lender_"))
COLLATERAL = OfMarket(Emitter(), "long_token")
OWN: dict[str, Value] = {
    "pool": OWN_POOL,
    "loan": Emitter(),
    "account": OfMarket(Emitter(), "borrower"),
    "asset_token": OWN_ASSET,
}
PAID: dict[str, Value] = {
    **OWN,
    "kind": Const("payment"),
    "principal_tokens": Amount("principalPaid_", OWN_ASSET),
    "interest_tokens": Amount("interestPaid_", OWN_ASSET),
}
SEIZED: dict[str, Value] = {
    **OWN,
    "kind": Const("repossession"),
    "counterparty": "destination_",
    "principal_tokens": Amount("fundsRepossessed_", OWN_ASSET),
}

# Two arguments until v2, four in v3, three since v4; version 1 loans belonged to Maple v1 pools.
FTL_PAYMENTS = (
    ("PaymentMade(uint256,uint256)", "1"),
    ("PaymentMade(uint256,uint256,uint256,uint256)", "1"),
    ("PaymentMade(uint256,uint256,uint256)", "2"),
    ("LoanClosed(uint256,uint256)", "1"),
    ("LoanClosed(uint256,uint256,uint256,uint256)", "1"),
    ("LoanClosed(uint256,uint256,uint256)", "2"),
)
# Without amounts: what changed is seen in the manager's principal and in later payments.
PLAIN = (
    (LOAN_FTL, "LoanImpaired", "impairment"),
    (LOAN_OTL, "Impaired", "impairment"),
    (LOAN_FTL, "ImpairmentRemoved", "impairment_removed"),
    (LOAN_OTL, "ImpairmentRemoved", "impairment_removed"),
    (LOAN_OTL, "CallRemoved", "call_removed"),
    (LOAN_FTL, "NewTermsAccepted(bytes32,address,bytes[])", "refinanced"),
    (LOAN_FTL, "NewTermsAccepted(bytes32,address,uint256,bytes[])", "refinanced"),
    (LOAN_OTL, "NewTermsAccepted", "refinanced"),
)

LOANS = (
    Event(
        abi=LOAN_FTL,
        name="Funded",
        into="credit_events",
        columns={
            **OWN,
            "pool": LENDERS_POOL,
            "kind": Const("funded"),
            "counterparty": "lender_",
            "principal_tokens": Amount("amount_", OWN_ASSET),
        },
        version="2",
    ),
    Event(
        abi=LOAN_OTL,
        name="Funded",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("funded"),
            "counterparty": OfMarket(Emitter(), "parent"),
            "principal_tokens": Amount("amount_", OWN_ASSET),
        },
        version="2",
    ),
    *(
        Event(LOAN_FTL, name, "credit_events", PAID, version=version)
        for name, version in FTL_PAYMENTS
    ),
    Event(
        abi=LOAN_OTL,
        name="PaymentMade",
        into="credit_events",
        columns={
            **PAID,
            "pool": LENDERS_POOL,
            "interest_tokens": Amount(Sum(("interestPaid_", "lateInterestPaid_")), OWN_ASSET),
        },
        version="2",
    ),
    Event(
        abi=LOAN_OTL,
        name="PrincipalCalled",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("call"),
            "principal_tokens": Amount("principalToReturn_", OWN_ASSET),
        },
        version="2",
    ),
    *(
        Event(abi, name, "credit_events", {**OWN, "kind": Const(kind)}, version="2")
        for abi, name, kind in PLAIN
    ),
    Event(
        abi=LOAN_FTL,
        name="Repossessed",
        into="credit_events",
        columns={
            **SEIZED,
            "collateral_token": COLLATERAL,
            "collateral_tokens": Amount("collateralRepossessed_", COLLATERAL),
        },
        version="2",
    ),
    Event(LOAN_OTL, "Repossessed", "credit_events", SEIZED, version="2"),
    *(
        Event(
            abi=LOAN_FTL,
            name=name,
            into="credit_events",
            columns={
                **OWN,
                "kind": Const(kind),
                "collateral_token": COLLATERAL,
                "collateral_tokens": Amount("amount_", COLLATERAL),
            },
            version="2",
        )
        for name, kind in (
            ("CollateralPosted", "collateral_posted"),
            ("CollateralRemoved", "collateral_removed"),
        )
    ),
    # Of what a pool has in a strategy, by whoever manages the pool: no loan, and no amount.
    Event(
        abi="maple/Strategy",
        name="StrategyImpaired",
        into="credit_events",
        columns={"pool": OF_POOL, "kind": Const("impairment"), "asset_token": OWN_ASSET},
        version="2",
    ),
)
