"""What lenders put in, take out and queue for, in loans and in the senior pool, with its fees."""

from indexer.protocols.goldfinch.loans import IN_USDC, LEGACY, LOAN, SENIOR, SENIOR_POOL, USDC, ZERO
from indexer.spec import (
    Amount,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Nonzero,
    Not,
    Sum,
    Value,
)

FIDU = "0x6a445e9f40e0b97c92d0b8a3366cef1d67f700bf"
BACKERS_ONLY = Not(Equals("owner", SENIOR_POOL))

FLOW: dict[str, Value] = {**IN_USDC, "pool": Emitter()}
REDEEMED: dict[str, Value] = {
    "market": Emitter(),
    "fee_kind": Const("redemption"),
    "split_basis": Const("event"),
}
FLOWS = (
    Event(
        abi=LOAN,
        name="DepositMade",
        into="pool_flows",
        columns={
            **FLOW,
            "kind": Const("deposit"),
            "account": "owner",
            "asset_tokens": Fixed("amount", 6),
        },
        where=(BACKERS_ONLY,),
    ),
    Event(
        abi=LOAN,
        name="WithdrawalMade",
        into="pool_flows",
        columns={
            **FLOW,
            "kind": Const("withdrawal"),
            "account": "owner",
            "asset_tokens": Fixed(Sum(("interestWithdrawn", "principalWithdrawn")), 6),
        },
        where=(BACKERS_ONLY,),
    ),
    *(
        Event(
            abi=abi,
            name="DepositMade",
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const("deposit"),
                "account": "capitalProvider",
                "asset_tokens": Fixed("amount", 6),
                "share_tokens": Fixed("shares", 18),
            },
        )
        for abi in (SENIOR, LEGACY)
    ),
    *(
        Event(
            abi=abi,
            name="WithdrawalMade",
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const("withdrawal"),
                "account": "capitalProvider",
                "asset_tokens": Fixed("userAmount", 6),
            },
        )
        for abi in (SENIOR, LEGACY)
    ),
    *(
        Event(
            abi=abi,
            name="WithdrawalMade",
            into="fees",
            columns={
                **REDEEMED,
                "account": "capitalProvider",
                "fee_token": Const(USDC),
                "fee_tokens": Fixed("reserveAmount", 6),
                "fee_usd": Fixed("reserveAmount", 6),
                "supply_side_usd": ZERO,
                "treasury_usd": Fixed("reserveAmount", 6),
                "holders_usd": ZERO,
            },
            where=(Nonzero("reserveAmount"),),
            evidence="assumed",
        )
        for abi in (SENIOR, LEGACY)
    ),
    Event(
        # For taking back a request to withdraw; in shares, which have no price in the log.
        abi=SENIOR,
        name="ReserveSharesCollected",
        into="fees",
        columns={
            **REDEEMED,
            "account": "user",
            "fee_token": Const(FIDU),
            "fee_tokens": Amount("amount", Const(FIDU)),
        },
        where=(Nonzero("amount"),),
    ),
    *(
        Event(
            abi=SENIOR,
            name=name,
            into="pool_flows",
            columns={
                **FLOW,
                "kind": Const(kind),
                "account": "operator",
                "share_tokens": Fixed(shares, 18),
            },
        )
        for name, kind, shares in (
            ("WithdrawalRequested", "withdrawal_request", "fiduRequested"),
            ("WithdrawalAddedTo", "withdrawal_request", "fiduRequested"),
            (
                "WithdrawalCanceled",
                "withdrawal_request_removed",
                Sum(("fiduCanceled", "reserveFidu")),
            ),
        )
    ),
)
