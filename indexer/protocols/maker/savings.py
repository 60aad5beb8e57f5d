"""Savings, vaults, direct deposits and the peg: who lends to the system, borrows and swaps."""

from indexer.protocols.maker.liquidations import DAI, ILK, MOVE, USDS
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    Nonzero,
    Noted,
    OfContract,
    Quotient,
    Value,
)

POT = "maker/Pot"
POT_AT = "0x197e90f9fad81970ba7976f33cbd77088e5d7cf7"
ZERO = Fixed(Int(0), 0)

# Dai moves through the Vat just before the Pot notes the call, so what a share costs is known.
PAID = Companion(MOVE, "rad", {"usr": "src"}, nearest="before", abi="maker/VatMove")
RECEIVED = Companion(MOVE, "rad", {"usr": "dst"}, nearest="before", abi="maker/VatMove")
POT_CALLS = (
    (Noted("join(uint256)"), "deposit", PAID),
    (Noted("exit(uint256)"), "withdrawal", RECEIVED),
)

# Both pay USDS by a rate; a Cut takes of stUSDS what its borrowers leave unpaid.
SAVERS = (("maker/SUsds", True), ("maker/StUsds", False))
ASSET = OfContract("asset")
VAULT: dict[str, Value] = {"pool": OfContract("ilk"), "principal_tokens": Fixed("wad", 18)}
# A staker's loan is one of his own numbers: its address is told when it is opened, and no more.
BORROWERS: tuple[tuple[str, dict[str, Value]], ...] = (
    ("maker/RwaUrn", {"loan": Emitter(), "account": "usr", "asset_token": Const(DAI)}),
    ("maker/AllocatorVault", {"loan": Emitter(), "account": "sender", "asset_token": Const(USDS)}),
    ("maker/LockstakeEngine", {"account": "owner", "asset_token": Const(USDS)}),
)

# One dollar each is an assumption. What savers get is part of the fees that borrowers pay, whose
# whole is state: so the fee itself, and what the treasury keeps of it, are not known.
SAVED: dict[str, Value] = {"fee_kind": Const("interest"), "split_basis": Const("none")}

# What comes to the surplus is the treasury's whole.
TOSSED, EARNED, CHARGED, SETTLED = (
    dict[str, Value](
        fee_token=Const(DAI),
        fee_tokens=amount,
        fee_usd=amount,
        supply_side_usd=ZERO,
        treasury_usd=amount,
        holders_usd=ZERO,
        split_basis=Const("event"),
    )
    for amount in (Fixed("wad", 18), Fixed("amt", 18), Fixed("fee", 18), Fixed("rad", 45))
)
INTEREST = Const("interest")

SAVINGS = (
    *(
        Event(
            abi=POT,
            name=name,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": Emitter(),
                "account": "usr",
                "asset_token": Const(DAI),
                "asset_tokens": Fixed(rad, 45),
                "share_tokens": Fixed("wad", 18),
            },
            where=(Nonzero("wad"),),
            is_confirmed=True,
        )
        for name, kind, rad in POT_CALLS
    ),
    *(
        Event(
            abi=POT,
            name=name,
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": Const(DAI),
                "share_price_tokens": Fixed(Quotient(rad, "wad"), 27),
            },
            where=(Nonzero("wad"),),
            is_confirmed=True,
        )
        for name, _, rad in POT_CALLS
    ),
    Event(
        abi="maker/VatSuck",
        name=Noted("suck(address,address,uint256)"),
        into="fees",
        columns={
            **SAVED,
            "market": "v",
            "fee_token": Const(DAI),
            "supply_side_usd": Fixed("rad", 45),
        },
        where=(Equals("v", POT_AT), Nonzero("rad")),
        evidence="assumed",
        is_confirmed=True,
    ),
    *(
        Event(
            abi=abi,
            name="Drip",
            into="fees",
            columns={
                **SAVED,
                "market": Emitter(),
                "fee_token": Const(USDS),
                "supply_side_usd": Fixed("diff", 18),
            },
            where=(Nonzero("diff"),),
            evidence="assumed",
            is_confirmed=is_confirmed,
        )
        for abi, is_confirmed in SAVERS
    ),
    *(
        Event(
            abi=abi,
            name=name,
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": Const(USDS),
                "share_price_tokens": Fixed(price, 27),
            },
            is_confirmed=is_confirmed,
        )
        for abi, name, price, is_confirmed in (
            *((abi, "Drip", "chi", is_confirmed) for abi, is_confirmed in SAVERS),
            ("maker/StUsds", "Cut", "newChi", False),
        )
    ),
    *(
        Event(
            abi=abi,
            name=name,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": Emitter(),
                "account": "owner",
                "asset_token": Const(USDS),
                "asset_tokens": Fixed("assets", 18),
                "share_tokens": Fixed("shares", 18),
            },
            is_confirmed=is_confirmed,
        )
        for abi, is_confirmed in SAVERS
        for name, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
    ),
)

VAULTS = (
    *(
        Event(abi, name, "credit_events", {**VAULT, **borrower, "kind": Const(kind)})
        for abi, borrower in BORROWERS
        for name, kind in (("Draw", "funded"), ("Wipe", "payment"))
    ),
    Event(
        abi="maker/RwaJar",
        name="Toss",
        into="fees",
        columns={**TOSSED, "market": OfContract("ilk"), "account": "usr", "fee_kind": INTEREST},
        evidence="assumed",
    ),
)

DIRECT = (
    *(
        Event(
            abi=abi,
            name=name,
            into="credit_events",
            columns={
                "kind": Const(kind),
                "pool": pool,
                "asset_token": Const(DAI),
                "principal_tokens": Fixed(amount, 18),
            },
            where=(Nonzero(amount),),
        )
        for abi, pool, amount in (
            ("maker/D3MHub", ILK, "amt"),
            ("maker/DirectDepositAave", OfContract("ilk"), "amount"),
        )
        for name, kind in (("Wind", "funded"), ("Unwind", "payment"))
    ),
    Event(
        abi="maker/D3MHub",
        name="Fees",
        into="fees",
        columns={**EARNED, "market": ILK, "fee_kind": INTEREST},
        evidence="assumed",
    ),
)

PEG = (
    *(
        Event(
            abi="maker/DssPsm",
            name=name,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": Emitter(),
                "account": "owner",
                "asset_token": ASSET,
                "asset_tokens": Amount("value", ASSET),
            },
            is_confirmed=True,
        )
        for name, kind in (("SellGem", "mint"), ("BuyGem", "redemption"))
    ),
    *(
        Event(
            abi="maker/DssPsm",
            name=name,
            into="fees",
            columns={
                **CHARGED,
                "market": Emitter(),
                "account": "owner",
                "fee_kind": Const("swap"),
            },
            where=(Nonzero("fee"),),
            evidence="assumed",
        )
        for name in ("SellGem", "BuyGem")
    ),
)
