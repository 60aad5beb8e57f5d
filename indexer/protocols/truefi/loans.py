"""What lenders, loans, credit lines and debts log, and the part of interest stakers keep."""

from typing import Literal

from indexer.spec import (
    Amount,
    Companion,
    Condition,
    Const,
    Emitter,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    OneOf,
    Sum,
    Value,
    When,
    listed,
)

POOL, LENDER, LOAN, DEBT = "truefi/Pool", "truefi/Lender", "truefi/Loan", "truefi/DebtToken"
AGENCY = "truefi/CreditAgency"

# One lender for one pool, which its event does not name.
FIRST_LENDER = "truefi/FirstLender"
FIRST_POOL = "0xa1e72267084192db7387c8cc1328fade470e4149"
TUSD = "0x0000000000085d4780b73119b644ae5ecd22b376"

STABLE = tuple(sorted({row["asset"] for row in listed("truefi_pools")}))
# Dollars are an assumption wherever they are given; without them the row is what the log says.
Basis = tuple[Condition, Literal["event", "derived", "assumed"]]

OWN_ASSET = OfMarket(Emitter(), "index_token")
POOLS_ASSET = OfMarket("pool", "index_token")
ZERO = Fixed(Int(0), 0)

DEFAULTED = 4  # of awaiting, funded, withdrawn, settled, defaulted, liquidated

NEW: dict[str, Value] = {"asset_class": Const("credit"), "known_by": Const("event")}
OWN: dict[str, Value] = {
    "pool": First((OfMarket(Emitter(), "parent"), Emitter())),
    "loan": Emitter(),
    "asset_token": OWN_ASSET,
}
LINE: dict[str, Value] = {
    "kind": Const("payment"),
    "pool": "pool",
    "account": "borrower",
    "asset_token": POOLS_ASSET,
}

DEBT_OF_LOAN = Companion(
    "Defaulted(address,uint256)", "debtToken", {"debtToken": "debtToken"}, abi=LOAN
)
DEBT_TO_POOL = Companion("DebtAdded", "debtToken", nearest="before", abi=POOL)

MARKETS = (
    Event(
        "truefi/PoolFactory",
        "PoolCreated",
        "markets",
        {**NEW, "market": "pool", "index_token": "token"},
    ),
    Event(
        LENDER,
        "Funded",
        "markets",
        {**NEW, "market": "loanToken", "parent": "pool", "index_token": POOLS_ASSET},
    ),
    Event(
        FIRST_LENDER,
        "Funded",
        "markets",
        {
            **NEW,
            "market": "loanToken",
            "parent": Const(FIRST_POOL),
            "index_token": Const(TUSD),
        },
    ),
    Event(
        LOAN,
        "Defaulted(address,uint256)",
        "markets",
        {
            **NEW,
            "market": "debtToken",
            "parent": OfMarket(Emitter(), "parent"),
            "index_token": OWN_ASSET,
        },
    ),
    Event(
        POOL,
        "DebtAdded",
        "markets",
        {**NEW, "market": "debtToken", "parent": Emitter(), "index_token": OWN_ASSET},
    ),
)

LOANS = (
    Event(
        abi=LENDER,
        name="Funded",
        into="credit_events",
        columns={
            "kind": Const("funded"),
            "pool": "pool",
            "loan": "loanToken",
            "counterparty": Emitter(),
            "asset_token": POOLS_ASSET,
            "principal_tokens": Amount("amount", POOLS_ASSET),
        },
    ),
    Event(
        abi=FIRST_LENDER,
        name="Funded",
        into="credit_events",
        columns={
            "kind": Const("funded"),
            "pool": Const(FIRST_POOL),
            "loan": "loanToken",
            "counterparty": Emitter(),
            "asset_token": Const(TUSD),
            "principal_tokens": Amount("amount", Const(TUSD)),
        },
    ),
    Event(
        abi=LOAN,
        name="Repaid",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("payment"),
            "paid_tokens": Amount("repaidAmount", OWN_ASSET),
        },
    ),
    # The number is what had been returned by then, which its payments told.
    Event(
        abi=LOAN,
        name="Closed",
        into="credit_events",
        columns={**OWN, "kind": Const("default")},
        where=(Equals("status", DEFAULTED),),
    ),
    Event(
        abi=LOAN,
        name="Defaulted(uint256)",
        into="credit_events",
        columns={**OWN, "kind": Const("default")},
    ),
    Event(
        abi=LOAN,
        name="Defaulted(address,uint256)",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("default"),
            "loss_tokens": Amount("unpaidAmount", OWN_ASSET),
        },
    ),
    Event(
        abi=DEBT,
        name="Repaid",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("recovery"),
            "principal_tokens": Amount("repaidAmount", OWN_ASSET),
        },
    ),
    *(
        Event(AGENCY, name, "credit_events", {**LINE, column: Amount("amount", POOLS_ASSET)})
        for name, column in (
            ("InterestPaid", "interest_tokens"),
            ("PrincipalRepaid", "principal_tokens"),
        )
    ),
    Event(
        # A line's default gives a debt to each pool it owes, then says whose; loans say theirs.
        abi=POOL,
        name="DebtAdded",
        into="credit_events",
        columns={
            "kind": Const("default"),
            "pool": Emitter(),
            "loan": "debtToken",
            "account": Companion("EnteredDefault", "borrower", nearest="after", abi=AGENCY),
            "asset_token": OWN_ASSET,
            "loss_tokens": Amount("amount", OWN_ASSET),
        },
        where=(Not(Exists(DEBT_OF_LOAN)),),
    ),
    Event(
        abi=AGENCY,
        name="EnteredDefault",
        into="credit_events",
        columns={"kind": Const("default"), "pool": Emitter(), "account": "borrower"},
        where=(Not(Exists(DEBT_TO_POOL)),),
    ),
)

# --- fees -----------------------------------------------------------------------------------------

# The lender repays the pool, then says what it had reclaimed: the stakers keep the difference.
REPAID = Companion("Repaid", "amount", nearest="before", abi=POOL)
KEPT = Sum(("amount", Neg(REPAID)))
POOLS_AT_PAR = OneOf(POOLS_ASSET, STABLE)
KEPT_BASES: tuple[Basis, ...] = ((POOLS_AT_PAR, "assumed"), (Not(POOLS_AT_PAR), "derived"))
LINE_BASES: tuple[Basis, ...] = ((POOLS_AT_PAR, "assumed"), (Not(POOLS_AT_PAR), "event"))
OWN_AT_PAR = OneOf(OWN_ASSET, STABLE)
OWN_BASES: tuple[Basis, ...] = ((OWN_AT_PAR, "assumed"), (Not(OWN_AT_PAR), "event"))

FEES = (
    *(
        Event(
            abi=LENDER,
            name="Reclaimed",
            into="fees",
            columns={
                "market": "loanToken",
                "fee_kind": Const("reserve"),
                "fee_token": POOLS_ASSET,
                "fee_tokens": Amount(KEPT, POOLS_ASSET),
                "fee_usd": When(POOLS_AT_PAR, Amount(KEPT, POOLS_ASSET)),
                "supply_side_usd": When(POOLS_AT_PAR, ZERO),
                "treasury_usd": When(POOLS_AT_PAR, ZERO),
                "holders_usd": When(POOLS_AT_PAR, Amount(KEPT, POOLS_ASSET)),
                "split_basis": Const("event"),
            },
            where=(Nonzero(KEPT), basis),
            evidence=evidence,
        )
        for basis, evidence in KEPT_BASES
    ),
    *(
        Event(
            abi=AGENCY,
            name="InterestPaid",
            into="fees",
            columns={
                "market": "pool",
                "account": "borrower",
                "fee_kind": Const("interest"),
                "fee_token": POOLS_ASSET,
                "fee_tokens": Amount("amount", POOLS_ASSET),
                "fee_usd": When(POOLS_AT_PAR, Amount("amount", POOLS_ASSET)),
                "split_basis": Const("none"),
            },
            where=(basis,),
            evidence=evidence,
        )
        for basis, evidence in LINE_BASES
    ),
    *(
        Event(
            abi=POOL,
            name="Collected",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("subscription"),
                "fee_token": OWN_ASSET,
                "fee_tokens": Amount("amount", OWN_ASSET),
                "fee_usd": When(OWN_AT_PAR, Amount("amount", OWN_ASSET)),
                "supply_side_usd": When(OWN_AT_PAR, ZERO),
                "treasury_usd": When(OWN_AT_PAR, Amount("amount", OWN_ASSET)),
                "holders_usd": When(OWN_AT_PAR, ZERO),
                "split_basis": Const("event"),
            },
            where=(Nonzero("amount"), Not(Equals(Emitter(), FIRST_POOL)), basis),
            evidence=evidence,
        )
        for basis, evidence in OWN_BASES
    ),
)
