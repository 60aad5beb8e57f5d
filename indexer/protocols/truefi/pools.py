"""What pools log of their lenders, and who stands in for defaults: stakers, then the SAFU."""

from indexer.protocols.truefi.loans import OWN_ASSET, OWN_BASES, POOL, STABLE, Basis
from indexer.spec import (
    Amount,
    Call,
    Companion,
    Const,
    Emitter,
    Event,
    First,
    Fixed,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    OneOf,
    Quotient,
    Read,
    Seconds,
    Sum,
    Value,
    When,
)

SAFU, LIQUIDATOR = "truefi/SAFU", "truefi/Liquidator"
TRU = "0x4c19596f5aaff459fa38b0f7ed92f11ae6543784"

# --- lenders --------------------------------------------------------------------------------------

# What was burned is shares. The first pools let lenders exit with a part of every loan, and then
# said the shares where later ones say the money: the same number twice is no amount of money.
BURNED = Companion("Transfer", "value", on={"staker": "from"}, nearest="before")
IS_MONEY = Nonzero(Sum(("amount", Neg(BURNED))))
FLOW: dict[str, Value] = {"pool": Emitter(), "account": "staker", "asset_token": OWN_ASSET}

FLOWS = (
    Event(
        abi=POOL,
        name="Joined",
        into="pool_flows",
        columns={
            **FLOW,
            "kind": Const("deposit"),
            "asset_tokens": Amount("deposited", OWN_ASSET),
            "share_tokens": Amount("minted", OWN_ASSET),
        },
    ),
    Event(
        abi=POOL,
        name="Exited",
        into="pool_flows",
        columns={
            **FLOW,
            "kind": Const("withdrawal"),
            "asset_tokens": When(IS_MONEY, Amount("amount", OWN_ASSET)),
            "share_tokens": Amount(BURNED, OWN_ASSET),
        },
    ),
)

# --- who pays for defaults ------------------------------------------------------------------------

SEIZED: dict[str, Value] = {
    "kind": Const("liquidation"),
    "collateral_token": Const(TRU),
    "collateral_tokens": Fixed("withdrawnTru", 8),
}
LIQUIDATIONS = (
    ("Liquidated(address,uint256,uint256)", "loan"),
    ("LegacyLiquidated", "legacyLoan"),
)
COVER = (
    ("Liquidated", "insurance_out", "repaid"),
    ("Liquidated", "bad_debt", "deficit"),
    ("Redeemed", "insurance_in", "redeemedAmount"),
)
DEBTS_ASSET = OfMarket("debt", "index_token")
DEBT_AT_PAR = OneOf(DEBTS_ASSET, STABLE)
DEBT_BASES: tuple[Basis, ...] = ((DEBT_AT_PAR, "assumed"), (Not(DEBT_AT_PAR), "event"))
LATER = Amount("deficit", OWN_ASSET)

# A deficit is paid once the SAFU has redeemed all of the debt: with what the debt repaid before.
DEFAULTS = (
    *(
        Event(
            abi=LIQUIDATOR,
            name=name,
            into="credit_events",
            columns={
                **SEIZED,
                "pool": First((OfMarket(loan, "parent"), Emitter())),
                "loan": loan,
                "asset_token": OfMarket(loan, "index_token"),
            },
        )
        for name, loan in LIQUIDATIONS
    ),
    Event(
        # One amount for several debts, which may be owed to several pools, is no pool's.
        abi=LIQUIDATOR,
        name="Liquidated(address[],uint256,uint256)",
        into="credit_events",
        columns={**SEIZED, "pool": Emitter()},
    ),
    *(
        Event(
            abi=POOL,
            name="DeficitReclaimed",
            into="shortfalls",
            columns={
                "asset_token": OWN_ASSET,
                "kind": Const("insurance_out"),
                "market": "debt",
                "shortfall_tokens": LATER,
                "shortfall_usd": When(OneOf(OWN_ASSET, STABLE), LATER),
            },
            where=(basis,),
            evidence=evidence,
        )
        for basis, evidence in OWN_BASES
    ),
    *(
        Event(
            abi=SAFU,
            name=name,
            into="shortfalls",
            columns={
                "kind": Const(kind),
                "market": "debt",
                "asset_token": DEBTS_ASSET,
                "shortfall_tokens": Amount(amount, DEBTS_ASSET),
                "shortfall_usd": When(DEBT_AT_PAR, Amount(amount, DEBTS_ASSET)),
            },
            where=(Nonzero(amount), basis),
            evidence=evidence,
        )
        for name, kind, amount in COVER
        for basis, evidence in DEBT_BASES
    ),
)

READS = (
    Read(
        name="share_price",
        abi=POOL,
        calls=(Call("poolValue"), Call("totalSupply")),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            "pool": Emitter(),
            "asset_token": OWN_ASSET,
            "share_price_tokens": Fixed(Quotient("poolValue", "totalSupply"), 0),
            "supply_tokens": Amount("totalSupply", OWN_ASSET),
        },
        where=(Nonzero("totalSupply"),),
    ),
    Read(
        name="state",
        abi=POOL,
        calls=(Call("poolValue"),),
        every=Seconds(86_400),
        into="pool_states",
        columns={
            "pool": Emitter(),
            "part": Emitter(),
            "asset_token": OWN_ASSET,
            "assets_tokens": Amount("poolValue", OWN_ASSET),
        },
    ),
)
