"""Dynamic pools: lenders hold shares of a pool that its borrower draws on at will."""

from indexer.protocols.clearpool.parts import ASSET, AT_PAR, BASES, FLOW, OWN, ZERO
from indexer.spec import (
    Amount,
    Call,
    Const,
    Emitter,
    Event,
    Fixed,
    Lookup,
    Nonzero,
    Read,
    Seconds,
    When,
)

DYNAMIC = "clearpool/DynamicPool"

STATES = {
    0: "active",
    1: "warning",
    2: "provisional_default",
    3: "default",
    4: "closed",
}
DYNAMIC_EVENTS = (
    Event(
        abi=DYNAMIC,
        name="Borrowed",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("funded"),
            "principal_tokens": Amount("amount", ASSET),
        },
    ),
    Event(
        abi=DYNAMIC,
        name="Repaid",
        into="credit_events",
        columns={**OWN, "kind": Const("payment"), "paid_tokens": Amount("amount", ASSET)},
    ),
    *(
        Event(
            abi=DYNAMIC,
            name=name,
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const(kind),
                "account": account,
                "asset_tokens": Amount("currencyAmount", ASSET),
                "share_tokens": Amount("tokens", Emitter()),
            },
        )
        for name, kind, account in (
            ("Provided", "deposit", "provider"),
            ("Redeemed", "withdrawal", "redeemer"),
        )
    ),
    *(
        Event(
            abi=DYNAMIC,
            name="ReservesTransferred",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("reserve"),
                "fee_token": ASSET,
                "fee_tokens": Amount("amount", ASSET),
                "fee_usd": When(AT_PAR, Amount("amount", ASSET)),
                "supply_side_usd": When(AT_PAR, ZERO),
                "treasury_usd": When(AT_PAR, Amount("amount", ASSET)),
                "holders_usd": When(AT_PAR, ZERO),
                "split_basis": Const("event"),
            },
            where=(Nonzero("amount"), basis),
            evidence=evidence,
        )
        for basis, evidence in BASES
    ),
)
DYNAMIC_READS = (
    Read(
        name="share_price",
        abi=DYNAMIC,
        calls=(Call("getCurrentExchangeRate"), Call("totalSupply")),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            **FLOW,
            "share_price_tokens": Fixed("getCurrentExchangeRate", 18),
            "supply_tokens": Amount("totalSupply", Emitter()),
        },
    ),
    Read(
        # Apart from the amounts, which a pool of another version might not tell.
        name="status",
        abi=DYNAMIC,
        calls=(Call("state"),),
        every=Seconds(86_400),
        into="pool_states",
        columns={**FLOW, "part": Emitter(), "status": Lookup("state", STATES)},
    ),
    Read(
        name="state",
        abi=DYNAMIC,
        calls=(Call("poolSize"), Call("principal")),
        every=Seconds(86_400),
        into="pool_states",
        columns={
            **FLOW,
            "part": Emitter(),
            "assets_tokens": Amount("poolSize", ASSET),
            "principal_tokens": Amount("principal", ASSET),
        },
    ),
)
