"""What Cats, the Dog, auctions and the oracle of real-world vaults log of debts gone bad."""

from indexer.spec import (
    Ascii,
    Companion,
    Condition,
    Const,
    Emitter,
    Equals,
    Event,
    First,
    Fixed,
    Lookup,
    Nonzero,
    Not,
    Noted,
    OfContract,
    OfMarket,
    OneOf,
    Quotient,
    Value,
    When,
    listed,
)

CAT, DOG = "maker/Cat", "maker/Dog"
FLIPPER, CLIPPER = "maker/Flipper", "maker/Clipper"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
USDS = "0xdc035d45d973e3ec169d2276ddab16f1e407384f"
VOW = "0xa950524441892a31ebddf91d3ceefa04bf454466"

ILK = Ascii("ilk")
# Of auctions that no list names, the liquidation that starts one says it.
OWN_ILK = First((OfContract("ilk"), OfMarket(Emitter(), "symbol")))
# Collateral of stakers, whose loans are drawn and repaid in USDS.
STAKED = ("LSE-MKR-A", "LSEV2-SKY-A")
OWED, AUCTIONED = (
    dict[str, Value](pool=ilk, asset_token=When(OneOf(ilk, STAKED), Const(USDS), Const(DAI)))
    for ilk in (ILK, OWN_ILK)
)
# What vaults of a collateral type hold; of stakers, what their engine hands to who buys it.
TOKENS = {row["ilk"]: row["token"] for row in listed("maker_clippers")}
TAKEN, SOLD = (When(OneOf(ilk, tuple(TOKENS)), Lookup(ilk, TOKENS)) for ilk in (ILK, OWN_ILK))
MOVE = Noted("move(address,address,uint256)")
# A higher bid pays the one before back, then the Vow what it adds: the last move before its note.
ADDED = Companion(MOVE, "rad", {"usr": "src"}, nearest="before", abi="maker/VatMove")
KEEPER = Companion("Kick", "kpr", {"id": "id"}, nearest="before", abi=CLIPPER)

# Vaults that were wound up told and culled on one day of October 2024: nobody defaulted.
NOT_WOUND_UP: tuple[Condition, ...] = (Not(OneOf(ILK, ("RWA007-A", "RWA014-A"))),)

LIQUIDATIONS = (
    *(
        Event(
            abi=abi,
            name=name,
            into="markets",
            columns={
                "market": auction,
                "symbol": ILK,
                "asset_class": Const("crypto"),
                "known_by": Const("event"),
            },
            is_confirmed=True,
        )
        for abi, name, auction in ((CAT, "Bite", "flip"), (DOG, "Bark", "clip"))
    ),
    Event(
        abi=CAT,
        name="Bite",
        into="credit_events",
        columns={
            **OWED,
            "kind": Const("liquidation"),
            "loan": "id",
            "account": "urn",
            "principal_tokens": Fixed("tab", 45),
            "collateral_token": TAKEN,
            "collateral_tokens": Fixed("ink", 18),
        },
        is_confirmed=True,
    ),
    Event(
        abi=DOG,
        name="Bark",
        into="credit_events",
        columns={
            **OWED,
            "kind": Const("liquidation"),
            "loan": "id",
            "account": "urn",
            "counterparty": KEEPER,
            "principal_tokens": Fixed("due", 45),
            "collateral_token": TAKEN,
            "collateral_tokens": Fixed("ink", 18),
        },
    ),
    # What is sold for it is known when the auction ends, and its end tells a number alone.
    Event(
        abi=FLIPPER,
        name=Noted("tend(uint256,uint256,uint256)"),
        into="credit_events",
        columns={
            **AUCTIONED,
            "kind": Const("recovery"),
            "loan": "id",
            "counterparty": "usr",
            "principal_tokens": Fixed(ADDED, 45),
        },
    ),
    # tab and lot are what is left; what was sold is what was paid over the price.
    Event(
        abi=CLIPPER,
        name="Take",
        into="credit_events",
        columns={
            **AUCTIONED,
            "kind": Const("recovery"),
            "loan": "id",
            "account": "usr",
            "principal_tokens": Fixed("owe", 45),
            "collateral_token": SOLD,
            "collateral_tokens": Fixed(Quotient("owe", "price"), 18),
        },
    ),
    Event(
        abi=CLIPPER,
        name="Take",
        into="shortfalls",
        columns={
            "kind": Const("bad_debt"),
            "market": OWN_ILK,
            "account": "usr",
            "asset_token": AUCTIONED["asset_token"],
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
            **AUCTIONED,
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
            **AUCTIONED,
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
