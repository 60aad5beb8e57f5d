"""What loans and credit lines log, and what the pools that lent write down."""

from indexer.spec import (
    Abs,
    Condition,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    Rest,
    Sum,
    Value,
)

SENIOR_POOL = "0x8481a6ebaf5c7dabc3f7e09e44a89531fd31f822"
LEGACY_POOL = "0xb01b315e32d1d9b5ce93e296d483e1f0aad39e75"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

LOAN, SENIOR = "goldfinch/Loan", "goldfinch/SeniorPool"
LEGACY, DESK = "goldfinch/LegacyPool", "goldfinch/CreditDesk"

IN_USDC: dict[str, Value] = {"asset_token": Const(USDC)}
ZERO = Fixed(Int(0), 0)

NEW_LOAN: dict[str, Value] = {
    "borrower": "borrower",
    "index_token": Const(USDC),
    "asset_class": Const("credit"),
    "known_by": Const("event"),
}
OWN: dict[str, Value] = {
    **IN_USDC,
    "pool": Emitter(),
    "loan": Emitter(),
    "account": OfMarket(Emitter(), "borrower"),
}
LINE: dict[str, Value] = {**IN_USDC, "pool": Const(LEGACY_POOL), "loan": "creditLine"}
INTEREST: dict[str, Value] = {
    "fee_kind": Const("interest"),
    "fee_token": Const(USDC),
    "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
    "holders_usd": ZERO,
    "split_basis": Const("event"),
}
GROSS = Sum(("poolAmount", "reserveAmount"))

LOANS = (
    Event("goldfinch/Factory", "PoolCreated", "markets", {**NEW_LOAN, "market": "pool"}),
    Event("goldfinch/Factory", "CallableLoanCreated", "markets", {**NEW_LOAN, "market": "loan"}),
    Event(
        abi=LOAN,
        name="DrawdownMade",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("funded"),
            "account": "borrower",
            "principal_tokens": Fixed("amount", 6),
        },
    ),
    Event(
        abi=LOAN,
        name="PaymentApplied",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("payment"),
            "principal_tokens": Fixed("principal", 6),
            "interest_tokens": Fixed("interest", 6),
        },
    ),
    Event(
        abi=LOAN,
        name="PaymentApplied",
        into="fees",
        columns={
            **INTEREST,
            "market": Emitter(),
            "account": OfMarket(Emitter(), "borrower"),
            "fee_tokens": Fixed("interest", 6),
            "fee_usd": Fixed("interest", 6),
            "treasury_usd": Fixed("reserve", 6),
        },
        where=(Nonzero("interest"),),
        evidence="assumed",
    ),
    Event(
        abi=LOAN,
        name="CallRequestSubmitted",
        into="credit_events",
        columns={**OWN, "kind": Const("call"), "principal_tokens": Fixed("callAmount", 6)},
    ),
    Event(
        abi=DESK,
        name="DrawdownMade",
        into="credit_events",
        columns={
            **LINE,
            "kind": Const("funded"),
            "account": "borrower",
            "principal_tokens": Fixed("drawdownAmount", 6),
        },
    ),
    Event(
        # The payer it names is the credit line's borrower, whoever sent the money.
        abi=DESK,
        name="PaymentApplied",
        into="credit_events",
        columns={
            **LINE,
            "kind": Const("payment"),
            "account": "payer",
            "principal_tokens": Fixed("principalAmount", 6),
            "interest_tokens": Fixed("interestAmount", 6),
        },
    ),
    Event(
        # What comes from the pool itself is the yield of idle money at Compound.
        abi=LEGACY,
        name="InterestCollected",
        into="fees",
        columns={
            **INTEREST,
            "market": "payer",
            "fee_tokens": Fixed(GROSS, 6),
            "fee_usd": Fixed(GROSS, 6),
            "treasury_usd": Fixed("reserveAmount", 6),
        },
        where=(Not(Equals("payer", LEGACY_POOL)),),
        evidence="assumed",
    ),
)

# Below zero it is a loss, above a write-down taken back.
WRITE_DOWNS: tuple[tuple[str, str, str], ...] = (
    (SENIOR, "PrincipalWrittenDown", "tranchedPool"),
    (LEGACY, "PrincipalWrittendown", "creditline"),
)
SIGNS: tuple[tuple[str, Value, tuple[Condition, ...]], ...] = (
    ("impairment", Abs("amount"), (IsNegative("amount"),)),
    ("impairment_removed", Neg("amount"), (Not(IsNegative("amount")), Nonzero("amount"))),
)
IMPAIRMENTS = tuple(
    Event(
        abi=abi,
        name=name,
        into="credit_events",
        columns={
            **IN_USDC,
            "kind": Const(kind),
            "pool": Emitter(),
            "loan": loan,
            "account": OfMarket(loan, "borrower"),
            "loss_tokens": Fixed(loss, 6),
        },
        where=where,
    )
    for abi, name, loan in WRITE_DOWNS
    for kind, loss, where in SIGNS
)
