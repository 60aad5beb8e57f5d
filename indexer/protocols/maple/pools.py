"""What pools and pool managers log, defaults and recoveries too, and what a share is worth."""

from indexer.spec import (
    Amount,
    Call,
    Companion,
    Const,
    Emitter,
    Event,
    First,
    Fixed,
    Int,
    Neg,
    Nonzero,
    OfMarket,
    Read,
    Seconds,
    Sum,
    Value,
)

MANAGER = "maple/PoolManager"

ITS_ASSET = OfMarket("loan_", "index_token")
ITS: dict[str, Value] = {"pool": Emitter(), "loan": "loan_", "asset_token": ITS_ASSET}

# CoverLiquidated comes just before the Finished of its loan; V100 managers do not log it.
COVER = First((Companion("CoverLiquidated", "toPool_", nearest="before"), Int(0)))
COVERED = Companion("CollateralLiquidationFinished", "loan_", nearest="after")
COVERED_ASSET = OfMarket(COVERED, "index_token")

FLOW: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner_",
    "asset_token": OfMarket(Emitter(), "index_token"),
    "asset_tokens": Amount("assets_", Emitter()),  # pool shares carry the asset's decimals
    "share_tokens": Amount("shares_", Emitter()),
}
POOLS = (
    Event(
        abi="maple/PoolDeployer",
        name="PoolDeployed",
        into="markets",
        columns={
            "market": "pool_",
            "parent": "poolManager_",
            "asset_class": Const("credit"),
            "known_by": Const("event"),
        },
    ),
    *(
        Event("maple/Pool", name, "pool_flows", {**FLOW, "kind": Const(kind)}, version="2")
        for name, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
    ),
    Event(
        abi=MANAGER,
        name="CollateralLiquidationTriggered",
        into="credit_events",
        columns={**ITS, "kind": Const("liquidation")},
        version="2",
    ),
    Event(
        abi=MANAGER,
        name="CollateralLiquidationFinished",
        into="credit_events",
        columns={
            **ITS,
            "kind": Const("default"),
            "loss_tokens": Amount(Sum(("unrealizedLosses_", Neg(COVER))), ITS_ASSET),
        },
        version="2",
    ),
    Event(
        abi=MANAGER,
        name="CoverLiquidated",
        into="credit_events",
        columns={
            "kind": Const("recovery"),
            "pool": Emitter(),
            "loan": COVERED,
            "asset_token": COVERED_ASSET,
            "principal_tokens": Amount("toPool_", COVERED_ASSET),
        },
        where=(Nonzero("toPool_"),),
        version="2",
    ),
    Event(
        abi="maple/OpenTermLoanManager",
        name="LiquidatedFundsDistributed",
        into="credit_events",
        columns={
            **ITS,
            "kind": Const("recovery"),
            "principal_tokens": Amount("toPool_", ITS_ASSET),
        },
        version="2",
    ),
    Event(
        # Only V100 managers: their loans log no removal of their own.
        abi=MANAGER,
        name="LoanImpairmentRemoved",
        into="credit_events",
        columns={**ITS, "kind": Const("impairment_removed")},
        version="2",
    ),
)

# Shares carry the asset's decimals, so assets for 1e18 of the smallest share give all 18 places.
MANY_SHARES = Int(10**18)

PRICES = (
    Read(
        name="share_price",
        abi="maple/Pool",
        calls=(
            Call("convertToAssets", (MANY_SHARES,)),
            Call("totalSupply"),
            Call("asset"),
        ),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            "pool": Emitter(),
            "asset_token": "asset",
            "share_price_tokens": Fixed("convertToAssets", 18),
            "supply_tokens": Amount("totalSupply", Emitter()),
        },
        version="2",
    ),
)
