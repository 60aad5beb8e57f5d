"""What Cats, the Dog, its auctions and the oracle of real-world vaults log of debts gone bad."""

from indexer.spec import (
    Ascii,
    Companion,
    Condition,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Nonzero,
    Not,
    Noted,
    OfContract,
    OneOf,
    Quotient,
    Value,
)

CLIPPER = "maker/Clipper"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"

ILK = Ascii("ilk")
OWED: dict[str, Value] = {"pool": ILK, "asset_token": Const(DAI)}
KEEPER = Companion("Kick", "kpr", {"id": "id"}, nearest="before", abi=CLIPPER)

# Vaults that were wound up told and culled on one day of October 2024: nobody defaulted.
NOT_WOUND_UP: tuple[Condition, ...] = (Not(OneOf(ILK, ("RWA007-A", "RWA014-A"))),)

LIQUIDATIONS = (
    Event(
        abi="maker/Cat",
        name="Bite",
        into="credit_events",
        columns={
            **OWED,
            "kind": Const("liquidation"),
            "account": "urn",
            "principal_tokens": Fixed("tab", 45),
            "collateral_tokens": Fixed("ink", 18),
        },
        is_confirmed=True,
    ),
    Event(
        abi="maker/Dog",
        name="Bark",
        into="credit_events",
        columns={
            **OWED,
            "kind": Const("liquidation"),
            "loan": "id",
            "account": "urn",
            "counterparty": KEEPER,
            "principal_tokens": Fixed("due", 45),
            "collateral_tokens": Fixed("ink", 18),
        },
    ),
    # tab and lot are what is left; what was sold is what was paid over the price.
    Event(
        abi=CLIPPER,
        name="Take",
        into="credit_events",
        columns={
            **OWED,
            "pool": OfContract("ilk"),
            "kind": Const("recovery"),
            "loan": "id",
            "account": "usr",
            "principal_tokens": Fixed("owe", 45),
            "collateral_tokens": Fixed(Quotient("owe", "price"), 18),
        },
    ),
    Event(
        abi=CLIPPER,
        name="Take",
        into="shortfalls",
        columns={
            "kind": Const("bad_debt"),
            "market": OfContract("ilk"),
            "account": "usr",
            "asset_token": Const(DAI),
            "shortfall_tokens": Fixed("tab", 45),
            "shortfall_usd": Fixed("tab", 45),
        },
        where=(Equals("lot", 0), Nonzero("tab")),
        evidence="assumed",
    ),
    # tab and lot of a restart are what they were; a removal tells its number alone.
    Event(
        abi=CLIPPER,
        name="Redo",
        into="credit_events",
        columns={
            "pool": OfContract("ilk"),
            "asset_token": Const(DAI),
            "kind": Const("auction_restart"),
            "loan": "id",
            "account": "usr",
            "counterparty": "kpr",
        },
    ),
    Event(
        abi=CLIPPER,
        name="Yank",
        into="credit_events",
        columns={
            "pool": OfContract("ilk"),
            "asset_token": Const(DAI),
            "kind": Const("auction_removed"),
            "loan": "id",
        },
    ),
    # What a Cat or the Dog hands over with each Bite or Bark; auctions bring it back, or part.
    Event(
        abi="maker/Vow",
        name=Noted("fess(uint256)"),
        into="shortfalls",
        columns={
            "kind": Const("debt_queued"),
            "market": Emitter(),
            "account": "usr",
            "asset_token": Const(DAI),
            "shortfall_tokens": Fixed("tab", 45),
            "shortfall_usd": Fixed("tab", 45),
        },
        where=(Nonzero("tab"),),
        evidence="assumed",
    ),
    *(
        Event(
            abi="maker/RwaLiquidationOracle",
            name=name,
            into="credit_events",
            columns={**OWED, "kind": Const(kind)},
            where=NOT_WOUND_UP,
        )
        for name, kind in (("Tell", "impairment"), ("Cure", "impairment_removed"))
    ),
    Event(
        abi="maker/RwaLiquidationOracle",
        name="Cull",
        into="credit_events",
        columns={**OWED, "kind": Const("default"), "loan": "urn"},
        where=NOT_WOUND_UP,
    ),
    Event(
        abi="maker/StUsds",
        name="Cut",
        into="shortfalls",
        columns={
            "kind": Const("insurance_out"),
            "market": Emitter(),
            "asset_token": OfContract("asset"),
            "shortfall_tokens": Fixed("assets", 18),
            "shortfall_usd": Fixed("assets", 18),
        },
        evidence="assumed",
    ),
)
