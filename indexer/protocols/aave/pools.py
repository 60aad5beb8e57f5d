"""What the pools of v2 and v3 log: deposits, loans, liquidations, losses, reserves and indexes."""

from indexer.spec import (
    Amount,
    Companion,
    Condition,
    Const,
    DecimalsOf,
    Emitter,
    Equals,
    Event,
    Exists,
    Fixed,
    IsTrue,
    Not,
    OfContract,
    OfMarket,
    Product,
    Value,
    upgraded,
)

POOL = "aave/Pool"
RECEIPT = "aave/AToken"
CONFIGURATOR = "aave/PoolConfigurator"
# What names an aToken, and how: when its reserve begins, and when its code is replaced.
ANNOUNCED = (("ReserveInitialized", "aToken"), ("ATokenUpgraded", "proxy"))

OWN: dict[str, Value] = {"pool": Emitter(), "asset_token": "reserve"}
FLOW: dict[str, Value] = {**OWN, "asset_tokens": Amount("amount", "reserve")}
LOAN: dict[str, Value] = {**OWN, "principal_tokens": Amount("amount", "reserve")}
DRAWN: dict[str, Value] = {**LOAN, "kind": Const("funded"), "account": "onBehalfOf"}
REPAID: dict[str, Value] = {
    **LOAN,
    "kind": Const("payment"),
    "account": "user",
    "counterparty": "repayer",
}

FLOWS = (
    *(
        Event(
            abi=POOL,
            name=name,
            into="pool_flows",
            columns={**FLOW, "kind": Const("deposit"), "account": "onBehalfOf"},
            is_confirmed=True,
        )
        for name in ("Deposit", "Supply")
    ),
    Event(
        abi=POOL,
        name="Withdraw",
        into="pool_flows",
        columns={**FLOW, "kind": Const("withdrawal"), "account": "user"},
        is_confirmed=True,
    ),
    # Whoever takes aTokens instead leaves the money in the pool.
    Event(
        abi=POOL,
        name="LiquidationCall",
        into="pool_flows",
        columns={
            "pool": Emitter(),
            "kind": Const("withdrawal"),
            "account": "user",
            "asset_token": "collateralAsset",
            "asset_tokens": Amount("liquidatedCollateralAmount", "collateralAsset"),
        },
        where=(Not(IsTrue("receiveAToken")),),
        is_confirmed=True,
    ),
    Event(
        abi=POOL,
        name="ReserveDataUpdated",
        into="share_prices",
        columns={**OWN, "share_price_tokens": Fixed("liquidityIndex", 27)},
        is_confirmed=True,
    ),
)

# The mode of a loan is a plain integer in v2 and an enumeration in v3, so topics differ.
LOANS = (
    *(
        Event(POOL, name, "credit_events", DRAWN, is_confirmed=True)
        for name in (
            "Borrow(address,address,address,uint256,uint256,uint256,uint16)",
            "Borrow(address,address,address,uint256,uint8,uint256,uint16)",
        )
    ),
    *(
        Event(POOL, name, "credit_events", REPAID, is_confirmed=True)
        for name in (
            "Repay(address,address,address,uint256)",
            "Repay(address,address,address,uint256,bool)",
        )
    ),
    Event(
        abi=POOL,
        name="LiquidationCall",
        into="credit_events",
        columns={
            "kind": Const("liquidation"),
            "pool": Emitter(),
            "account": "user",
            "counterparty": "liquidator",
            "asset_token": "debtAsset",
            "principal_tokens": Amount("debtToCover", "debtAsset"),
            "collateral_token": "collateralAsset",
            "collateral_tokens": Amount("liquidatedCollateralAmount", "collateralAsset"),
        },
        is_confirmed=True,
    ),
    Event(
        abi=POOL,
        name="DeficitCreated",
        into="shortfalls",
        columns={
            "kind": Const("bad_debt"),
            "market": Emitter(),
            "account": "user",
            "asset_token": "debtAsset",
            "shortfall_tokens": Amount("amountCreated", "debtAsset"),
        },
    ),
    Event(
        abi=POOL,
        name="DeficitCovered",
        into="shortfalls",
        columns={
            "kind": Const("insurance_out"),
            "market": Emitter(),
            "account": "caller",
            "asset_token": "reserve",
            "shortfall_tokens": Amount("amountCovered", "reserve"),
        },
    ),
)

# The token moves to the Collector just before the call that it belongs to is logged.
UNDERLYING = OfMarket(Emitter(), "index_token")
LIQUIDATED = Companion(
    "LiquidationCall", "collateralAsset", {"from": "user"}, nearest="after", abi=POOL
)
OF_LIQUIDATION: tuple[Condition, ...] = (
    Equals("to", OfContract("collector")),
    Exists(LIQUIDATED),
)

FEES = (
    Event(
        abi=POOL,
        name="MintedToTreasury",
        into="fees",
        columns={
            "market": Emitter(),
            "fee_kind": Const("reserve"),
            "fee_token": "reserve",
            "fee_tokens": Amount("amountMinted", "reserve"),
            "split_basis": Const("event"),
        },
    ),
    Event(
        abi=RECEIPT,
        name="BalanceTransfer",
        into="fees",
        columns={
            "market": OfContract("pool"),
            "account": "from",
            "fee_kind": Const("liquidation"),
            "fee_token": UNDERLYING,
            "fee_tokens": Fixed(Product("value", "index"), DecimalsOf(UNDERLYING, plus=27)),
            "split_basis": Const("event"),
        },
        where=OF_LIQUIDATION,
    ),
    *(
        Event(
            abi=CONFIGURATOR,
            name=name,
            into="markets",
            columns={
                "market": token,
                "index_token": "asset",
                "parent": OfContract("pool"),
                "asset_class": Const("crypto"),
                "known_by": Const("event"),
            },
        )
        for name, token in ANNOUNCED
    ),
)

UPGRADES = (
    *upgraded(POOL, CONFIGURATOR),
    Event(
        abi=CONFIGURATOR,
        name="ATokenUpgraded",
        into="upgrades",
        columns={"contract": "proxy", "implementation": "implementation"},
    ),
)
