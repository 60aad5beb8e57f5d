"""Who belongs to whom: loans to managers; managers, strategies and auctions to their pool."""

from indexer.spec import (
    AddressAt,
    Const,
    Emitter,
    Equals,
    Event,
    First,
    OfContract,
    OfMarket,
    Value,
)

LOAN_FTL = "maple/FixedTermLoan"
LOAN_OTL = "maple/OpenTermLoan"
MANAGER_FTL = "maple/FixedTermLoanManager"
MANAGER_OTL = "maple/OpenTermLoanManager"
POOL_MANAGER = "maple/PoolManager"

# The lender of a loan is its manager, and the parent of everything else is the pool.
OF_POOL = First((OfMarket(Emitter(), "parent"), Emitter()))
OWN_ASSET = OfMarket(Emitter(), "index_token")

NEW: dict[str, Value] = {
    "market": Emitter(),
    "asset_class": Const("credit"),
    "known_by": Const("event"),
}
LOAN: dict[str, Value] = {**NEW, "borrower": "borrower_"}
FIXED: dict[str, Value] = {**LOAN, "index_token": "assets_.1", "long_token": "assets_.0"}

# Managers until V200 are born of a pool, later ones of a pool manager: the same event.
BORN_OF = "poolManager_"
POOL_OF_BORN = First((OfMarket(BORN_OF, "parent"), BORN_OF))
AUCTIONED = "initializationArguments"  # manager, collateral, funds

FIXED_LENDERLESS = (
    "Initialized(address,address[2],uint256[3],uint256[3],uint256[4])",
    "Initialized(address,address,address[2],uint256[3],uint256[3],uint256[4],uint256[2])",
)
FIXED_V5 = (
    "Initialized(address,address,address,address[2],uint256[3],uint256[3],uint256[4],uint256[2])"
)

# In this order: each looks up what those before it have told.
MARKETS = (
    Event(
        POOL_MANAGER, "Initialized", "markets", {**NEW, "market": "pool_", "index_token": "asset_"}
    ),
    Event(
        POOL_MANAGER, "Initialized", "markets", {**NEW, "parent": "pool_", "index_token": "asset_"}
    ),
    *(
        Event(
            abi,
            "Initialized",
            "markets",
            {**NEW, "parent": POOL_OF_BORN, "index_token": OfMarket(BORN_OF, "index_token")},
        )
        for abi in (MANAGER_FTL, MANAGER_OTL)
    ),
    Event(
        # Loan managers are added as strategies too, and known by then.
        POOL_MANAGER,
        "StrategyAdded",
        "markets",
        {**NEW, "market": "strategy_", "parent": OF_POOL, "index_token": OWN_ASSET},
    ),
    *(Event(LOAN_FTL, name, "markets", FIXED) for name in FIXED_LENDERLESS),
    Event(LOAN_FTL, FIXED_V5, "markets", {**FIXED, "parent": "lender_"}),
    Event(
        LOAN_OTL,
        "Initialized",
        "markets",
        {**LOAN, "index_token": "fundsAsset_", "parent": "lender_"},
    ),
    Event(
        abi="maple/ProxyFactory",
        name="InstanceDeployed",
        into="markets",
        columns={
            **NEW,
            "market": "instance",
            "parent": First((OfMarket(AddressAt(AUCTIONED, 0), "parent"), AddressAt(AUCTIONED, 0))),
            "long_token": AddressAt(AUCTIONED, 1),
            "index_token": AddressAt(AUCTIONED, 2),
        },
        where=(Equals(OfContract("child_abi"), "maple/Liquidator"),),
    ),
)

UPGRADES = Event(
    abi="maple/ProxyFactory",
    name="InstanceUpgraded",
    into="upgrades",
    columns={"contract": "instance", "release": "toVersion"},
)
