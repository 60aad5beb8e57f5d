"""What loans of both kinds log: who lends what, funding, payments, calls and impairments."""

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

LOAN_FTL = "maple/FixedTermLoan"
LOAN_OTL = "maple/OpenTermLoan"

OWN_ASSET = OfMarket(Emitter(), "index_token")
OWN_POOL = First((OfMarket(Emitter(), "parent"), Emitter()))
OWN: dict[str, Value] = {"pool": OWN_POOL, "loan": Emitter(), "asset_token": OWN_ASSET}
NEW_LOAN: dict[str, Value] = {
    "market": Emitter(),
    "asset_class": Const("credit"),
    "known_by": Const("event"),
}
PAID: dict[str, Value] = {
    **OWN,
    "kind": Const("payment"),
    "principal_tokens": Amount("principalPaid_", OWN_ASSET),
    "interest_tokens": Amount("interestPaid_", OWN_ASSET),
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
FTL_INITIALIZED = (
    "Initialized(address,address[2],uint256[3],uint256[3],uint256[4])",
    "Initialized(address,address,address[2],uint256[3],uint256[3],uint256[4],uint256[2])",
)
FTL_INITIALIZED_V5 = (
    "Initialized(address,address,address,address[2],uint256[3],uint256[3],uint256[4],uint256[2])"
)

LOANS = (
    *(
        Event(LOAN_FTL, name, "markets", {**NEW_LOAN, "index_token": "assets_.1"})
        for name in FTL_INITIALIZED
    ),
    Event(
        LOAN_FTL,
        FTL_INITIALIZED_V5,
        "markets",
        {**NEW_LOAN, "index_token": "assets_.1", "parent": "lender_"},
    ),
    Event(
        LOAN_OTL,
        "Initialized",
        "markets",
        {**NEW_LOAN, "index_token": "fundsAsset_", "parent": "lender_"},
    ),
    Event(
        abi=LOAN_FTL,
        name="Funded",
        into="credit_events",
        columns={
            **OWN,
            "pool": "lender_",
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
            "pool": "lender_",
            "interest_tokens": Amount(Sum(("interestPaid_", "lateInterestPaid_")), OWN_ASSET),
        },
        version="2",
    ),
    Event(
        abi=LOAN_OTL,
        name="Called",
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
        for abi, name, kind in (
            (LOAN_FTL, "LoanImpaired", "impairment"),
            (LOAN_OTL, "Impaired", "impairment"),
            (LOAN_FTL, "ImpairmentRemoved", "impairment_removed"),
            (LOAN_OTL, "ImpairmentRemoved", "impairment_removed"),
        )
    ),
)
