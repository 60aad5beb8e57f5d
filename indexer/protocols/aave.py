"""
Aave v2 and v3: pooled lending; anyone repays an unhealthy account's debt for its collateral.

Contracts  https://github.com/aave-dao/aave-address-book (core, Lido, EtherFi and Horizon pools).
           Linea and zkSync start at block 0: their first block is not confirmed. The further
           Ethereum pools start with the first v3 pool, which is older than they are.
Split      none: no fees are read here.
Units      amounts in the token's own decimals. https://github.com/aave-dao/aave-v3-origin

`debtToCover` is what was repaid; `liquidatedCollateralAmount` is without the protocol's
liquidation fee (v3). Bad debt is DeficitCreated (v3.3 and later); before it, none was logged.
Left out: v1 and v4 (other events, reserve ids instead of tokens), SparkLend (another protocol),
interest revenue (accrues in an index; MintedToTreasury lags it), DeficitCovered (a repayment by
the DAO), SVR proceeds (no event).
"""

from indexer.spec import Amount, Const, Contract, Emitter, Event, Protocol, chain_of, listed

PROTOCOL = Protocol(
    slug="aave",
    name="Aave",
    kind="credit",
    methodology=(
        "Liquidations are LiquidationCall of the v2 and v3 pools: debt repaid and collateral "
        "received by the liquidator, in tokens. Bad debt is DeficitCreated, from v3.3 on. Interest "
        "revenue is left out."
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi="aave/Pool",
            address=row["address"],
            from_block=int(row["from_block"]),
            version=row["version"],
        )
        for row in listed("aave")
    ),
    events=(
        Event(
            abi="aave/Pool",
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
        ),
        Event(
            abi="aave/Pool",
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
    ),
)
