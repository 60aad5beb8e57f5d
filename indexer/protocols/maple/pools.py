"""What pools and their managers log: flows, queues, defaults, recoveries, cover."""

from typing import Literal

from indexer.protocols.maple.markets import MANAGER_OTL, OF_POOL, OWN_ASSET, POOL_MANAGER
from indexer.spec import (
    Amount,
    Companion,
    Condition,
    Const,
    Emitter,
    Event,
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

NOBODY = "0x0000000000000000000000000000000000000000"
STABLE = tuple(
    sorted({row["asset"] for row in listed("maple_pools") if row["asset_symbol"] != "WETH"})
)
# Dollars are an assumption wherever they are given; without them the row is what the log says.
Basis = tuple[Condition, Literal["event", "assumed"]]

ITS_ASSET = OfMarket("loan_", "index_token")
ITS: dict[str, Value] = {
    "pool": OF_POOL,
    "loan": "loan_",
    "account": OfMarket("loan_", "borrower"),
    "asset_token": ITS_ASSET,
}
AT_PAR = OneOf(ITS_ASSET, STABLE)
BASES: tuple[Basis, ...] = ((AT_PAR, "assumed"), (Not(AT_PAR), "event"))
OWN_AT_PAR = OneOf(OWN_ASSET, STABLE)
OWN_BASES: tuple[Basis, ...] = ((OWN_AT_PAR, "assumed"), (Not(OWN_AT_PAR), "event"))

# --- defaults and cover ---------------------------------------------------------------------------

# CoverLiquidated comes just before the Finished of its loan; V100 managers do not log it.
COVER = First((Companion("CoverLiquidated", "toPool_", nearest="before"), Int(0)))
COVERED = Companion("CollateralLiquidationFinished", "loan_", nearest="after")
COVERED_ASSET = OfMarket(COVERED, "index_token")
COVERED_AT_PAR = OneOf(COVERED_ASSET, STABLE)
NET_LOSS = Sum(("unrealizedLosses_", Neg(COVER)))
LOST = Amount(NET_LOSS, ITS_ASSET)
COVER_PAID = Amount("toPool_", COVERED_ASSET)
COVERED_BASES: tuple[Basis, ...] = (
    (COVERED_AT_PAR, "assumed"),
    (Not(COVERED_AT_PAR), "event"),
)
COVER_GIVEN = Amount("amount_", OWN_ASSET)

DEFAULTS = (
    Event(
        abi=POOL_MANAGER,
        name="CollateralLiquidationTriggered",
        into="credit_events",
        columns={**ITS, "kind": Const("liquidation")},
        version="2",
    ),
    Event(
        abi=POOL_MANAGER,
        name="CollateralLiquidationFinished",
        into="credit_events",
        columns={**ITS, "kind": Const("default"), "loss_tokens": LOST},
        version="2",
    ),
    Event(
        abi=POOL_MANAGER,
        name="CoverLiquidated",
        into="credit_events",
        columns={
            "kind": Const("recovery"),
            "pool": OF_POOL,
            "loan": COVERED,
            "account": OfMarket(COVERED, "borrower"),
            "asset_token": COVERED_ASSET,
            "principal_tokens": COVER_PAID,
        },
        where=(Nonzero("toPool_"),),
        version="2",
    ),
    Event(
        # Logged of every default, whatever the loan still held.
        abi=MANAGER_OTL,
        name="LiquidatedFundsDistributed",
        into="credit_events",
        columns={
            **ITS,
            "kind": Const("recovery"),
            "principal_tokens": Amount("toPool_", ITS_ASSET),
        },
        where=(Nonzero("toPool_"),),
        version="2",
    ),
    Event(
        # Only V100 managers: their loans log no removal of their own.
        abi=POOL_MANAGER,
        name="LoanImpairmentRemoved",
        into="credit_events",
        columns={**ITS, "kind": Const("impairment_removed")},
        version="2",
    ),
    Event(
        abi="maple/Liquidator",
        name="PortionLiquidated",
        into="credit_events",
        columns={
            "kind": Const("collateral_sale"),
            "pool": OF_POOL,
            "asset_token": OWN_ASSET,
            "principal_tokens": Amount("returnedAmount_", OWN_ASSET),
            "collateral_token": OfMarket(Emitter(), "long_token"),
            "collateral_tokens": Amount("swapAmount_", OfMarket(Emitter(), "long_token")),
        },
        version="2",
    ),
)

SHORTFALLS = (
    *(
        Event(
            abi=POOL_MANAGER,
            name="CollateralLiquidationFinished",
            into="shortfalls",
            columns={
                "kind": Const("bad_debt"),
                "market": "loan_",
                "account": OfMarket("loan_", "borrower"),
                "asset_token": ITS_ASSET,
                "shortfall_tokens": LOST,
                "shortfall_usd": When(AT_PAR, LOST),
            },
            where=(Nonzero(NET_LOSS), basis),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in BASES
    ),
    *(
        Event(
            abi=POOL_MANAGER,
            name="CoverLiquidated",
            into="shortfalls",
            columns={
                "kind": Const("insurance_out"),
                "market": COVERED,
                "asset_token": COVERED_ASSET,
                "shortfall_tokens": COVER_PAID,
                "shortfall_usd": When(COVERED_AT_PAR, COVER_PAID),
            },
            where=(Nonzero("toPool_"), basis),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in COVERED_BASES
    ),
    *(
        Event(
            abi=POOL_MANAGER,
            name="CoverDeposited",
            into="shortfalls",
            columns={
                "kind": Const("insurance_in"),
                "market": OF_POOL,
                "asset_token": OWN_ASSET,
                "shortfall_tokens": COVER_GIVEN,
                "shortfall_usd": When(OWN_AT_PAR, COVER_GIVEN),
            },
            where=(basis,),
            version="2",
            evidence=evidence,
        )
        for basis, evidence in OWN_BASES
    ),
)

# --- flows ----------------------------------------------------------------------------------------

FLOW: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner_",
    "asset_token": OWN_ASSET,
    "share_tokens": Amount("shares_", Emitter()),
}
MOVED: dict[str, Value] = {
    **FLOW,
    "asset_tokens": Amount("assets_", Emitter()),  # pool shares carry the asset's decimals
}
FLOWS = (
    *(
        Event(
            "maple/Pool",
            name,
            "pool_flows",
            {**MOVED, "kind": Const(kind), "account": account},
            version="2",
        )
        for name, kind, account in (
            ("Deposit", "deposit", "owner_"),
            # A queue redeems shares that it holds: it is their owner, and pays who asked.
            ("Withdraw", "withdrawal", "receiver_"),
        )
    ),
    Event(
        # Shares of a pool's first deposit that nobody gets; its Deposit has all of the money.
        abi="maple/Pool",
        name="BootstrapMintPerformed",
        into="pool_flows",
        columns={
            **FLOW,
            "kind": Const("deposit"),
            "account": Const(NOBODY),
            "asset_tokens": Fixed(Int(0), 0),
            "share_tokens": Amount("bootStrapMintAmount_", Emitter()),
        },
        version="2",
    ),
    *(
        Event("maple/Pool", name, "pool_flows", {**FLOW, "kind": Const(kind)}, version="2")
        for name, kind in (
            ("RedemptionRequested", "withdrawal_request"),
            ("SharesRemoved", "withdrawal_request_removed"),
        )
    ),
)
