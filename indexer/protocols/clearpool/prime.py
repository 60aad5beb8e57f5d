"""Prime pools: lenders pay the borrower, who pays each of them back."""

from indexer.protocols.clearpool.parts import ASSET, AT_PAR, BASES, FLOW, OWN, ZERO
from indexer.spec import (
    Amount,
    Const,
    Emitter,
    Event,
    Int,
    Neg,
    Nonzero,
    OfMarket,
    Rest,
    Sum,
    Value,
    When,
)

PRIME = "clearpool/PrimePool"

LENT: dict[str, Value] = {**OWN, "counterparty": "lender"}
INTEREST = Sum(("repayed", Neg("penalty"), "spreadFee"))  # `repayed` includes the penalty

# fee, whole, the treasury's part
REPAID: tuple[tuple[str, str, Value, Value], ...] = (
    ("Repayed", "reserve", "spreadFee", "spreadFee"),
    ("Repayed", "origination", "originationFee", "originationFee"),
    ("Repayed", "penalty", "penalty", Int(0)),
    ("RepayedInterest", "interest", INTEREST, "spreadFee"),
    ("RepayedInterest", "penalty", "penalty", Int(0)),
)

PRIME_EVENTS = (
    Event(
        abi=PRIME,
        name="Lent",
        into="credit_events",
        columns={
            **LENT,
            "kind": Const("funded"),
            "principal_tokens": Amount("amount", ASSET),
        },
    ),
    Event(
        abi=PRIME,
        name="Repayed",
        into="credit_events",
        columns={
            **LENT,
            "kind": Const("payment"),
            "paid_tokens": Amount(Sum(("repayed", "spreadFee")), ASSET),
        },
    ),
    Event(
        abi=PRIME,
        name="RepayedInterest",
        into="credit_events",
        columns={
            **LENT,
            "kind": Const("payment"),
            "principal_tokens": ZERO,
            "interest_tokens": Amount(Sum(("repayed", "spreadFee")), ASSET),
        },
    ),
    *(
        Event(PRIME, name, "credit_events", {**OWN, **more, "kind": Const(kind)})
        for name, kind, more in (
            ("Defaulted", "default", OWN),
            ("RollAccepted", "refinanced", OWN),
            ("CallbackCreated", "call", LENT),
            ("CallbackCancelled", "call_removed", LENT),
        )
    ),
    *(
        Event(
            abi=PRIME,
            name=name,
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const(kind),
                "account": "lender",
                "asset_tokens": Amount(amount, ASSET),
            },
        )
        for name, kind, amount in (
            ("Lent", "deposit", "amount"),
            ("Repayed", "withdrawal", "repayed"),
            ("RepayedInterest", "withdrawal", "repayed"),
        )
    ),
    *(
        Event(
            abi=PRIME,
            name=name,
            into="fees",
            columns={
                "market": Emitter(),
                "account": OfMarket(Emitter(), "borrower"),
                "fee_kind": Const(kind),
                "fee_token": ASSET,
                "fee_tokens": Amount(whole, ASSET),
                "fee_usd": When(AT_PAR, Amount(whole, ASSET)),
                "supply_side_usd": Rest("fee_usd", ("treasury_usd", "holders_usd")),
                "treasury_usd": When(AT_PAR, Amount(treasury, ASSET)),
                "holders_usd": When(AT_PAR, ZERO),
                "split_basis": Const("event"),
            },
            where=(Nonzero(whole), basis),
            evidence=evidence,
        )
        for name, kind, whole, treasury in REPAID
        for basis, evidence in BASES
    ),
)
