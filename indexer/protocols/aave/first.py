"""What the pool of v1 logs; ether is a reserve of its own there, at 0xeeee...eeee."""

from indexer.spec import Amount, Const, Emitter, Event, IsTrue, Nonzero, Not, Value

POOL_V1 = "aave/LendingPoolV1"

OWN: dict[str, Value] = {"pool": Emitter(), "account": "_user", "asset_token": "_reserve"}
TAKEN: dict[str, Value] = {
    "pool": Emitter(),
    "account": "_user",
    "kind": Const("withdrawal"),
    "asset_token": "_collateral",
}
FEE: dict[str, Value] = {
    "market": Emitter(),
    "account": "_user",
    "fee_token": "_reserve",
    "split_basis": Const("none"),
}

FIRST = (
    *(
        Event(
            abi=POOL_V1,
            name=name,
            into="pool_flows",
            columns={**OWN, "kind": Const(kind), "asset_tokens": Amount("_amount", "_reserve")},
            is_confirmed=True,
        )
        for name, kind in (("Deposit", "deposit"), ("RedeemUnderlying", "withdrawal"))
    ),
    Event(
        abi=POOL_V1,
        name="LiquidationCall",
        into="pool_flows",
        columns={**TAKEN, "asset_tokens": Amount("_liquidatedCollateralAmount", "_collateral")},
        where=(Not(IsTrue("_receiveAToken")),),
        is_confirmed=True,
    ),
    Event(
        abi=POOL_V1,
        name="OriginationFeeLiquidated",
        into="pool_flows",
        columns={**TAKEN, "asset_tokens": Amount("_liquidatedCollateralForFee", "_collateral")},
        is_confirmed=True,
    ),
    Event(
        abi=POOL_V1,
        name="Borrow",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("funded"),
            "principal_tokens": Amount("_amount", "_reserve"),
        },
    ),
    Event(
        abi=POOL_V1,
        name="Repay",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("payment"),
            "counterparty": "_repayer",
            "principal_tokens": Amount("_amountMinusFees", "_reserve"),
        },
    ),
    Event(
        abi=POOL_V1,
        name="LiquidationCall",
        into="credit_events",
        columns={
            **OWN,
            "kind": Const("liquidation"),
            "counterparty": "_liquidator",
            "principal_tokens": Amount("_purchaseAmount", "_reserve"),
            "collateral_token": "_collateral",
            "collateral_tokens": Amount("_liquidatedCollateralAmount", "_collateral"),
        },
        is_confirmed=True,
    ),
    # The origination fee is charged with the loan and paid with the repayment: counted when paid.
    Event(
        abi=POOL_V1,
        name="Repay",
        into="fees",
        columns={
            **FEE,
            "fee_kind": Const("origination"),
            "fee_tokens": Amount("_fees", "_reserve"),
        },
        where=(Nonzero("_fees"),),
    ),
    Event(
        abi=POOL_V1,
        name="OriginationFeeLiquidated",
        into="fees",
        columns={
            **FEE,
            "fee_kind": Const("origination"),
            "fee_tokens": Amount("_feeLiquidated", "_reserve"),
        },
        is_confirmed=True,
    ),
    Event(
        abi=POOL_V1,
        name="FlashLoan",
        into="fees",
        columns={
            **FEE,
            "account": "_target",
            "fee_kind": Const("flash_loan"),
            "fee_tokens": Amount("_totalFee", "_reserve"),
        },
    ),
)
