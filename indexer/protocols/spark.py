"""
SparkLend: a lending pool of the Sky ecosystem with the code of Aave v3, before its version 3.3.

Contracts  https://github.com/marsfoundation/spark-address-registry
Split      what MintedToTreasury carries is the treasury's whole, its part of the premiums of flash
           loans included.
Units      amounts in the token's own decimals, indexes ray 1e27.
           https://github.com/aave/aave-v3-core

`liquidatedCollateralAmount` is without the protocol's liquidation fee. A pool has one share price
per reserve, the liquidity index: what a scaled spToken is worth.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    Amount,
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    Protocol,
    Value,
)

POOL = "spark/Pool"

OWN: dict[str, Value] = {"pool": Emitter(), "asset_token": "reserve"}
FLOW: dict[str, Value] = {**OWN, "asset_tokens": Amount("amount", "reserve")}
LOAN: dict[str, Value] = {**OWN, "principal_tokens": Amount("amount", "reserve")}

PROTOCOL = Protocol(
    slug="spark",
    name="SparkLend",
    kind="credit",
    methodology=(
        "Liquidations are LiquidationCall: debt repaid and collateral received by the liquidator, "
        "in tokens. Loans and repayments are Borrow and Repay, flows Supply and Withdraw, share "
        "prices the reserves' liquidity indexes. Fees are the treasury's part of interest and "
        "flash loans when it takes it, in tokens, without dollars."
    ),
    left_out=(
        "The pool on Gnosis and Spark's savings vaults and allocations: their addresses are not "
        "confirmed.",
        "Interest that borrowers pay and depositors earn: it accrues in indexes, and the scaled "
        "debt it is multiplied with is state.",
        "The treasury's part of liquidations: the address of the configurator that announces "
        "spTokens is not confirmed.",
        "Premiums of flash loans: what the treasury gets of one is minted to it again later; which "
        "part that is, the configurator says, and only when it moves.",
        "Bad debt: the code logs none.",
    ),
    contracts=(
        Contract(
            chain=ETHEREUM,
            abi=POOL,
            address="0xC13e21B648A5Ee794902342038FF3aDAB66BE987",
            from_block=16_776_401,
            version="3",
        ),
    ),
    events=(
        Event(
            abi=POOL,
            name="Supply",
            into="pool_flows",
            columns={**FLOW, "kind": Const("deposit"), "account": "onBehalfOf"},
            is_confirmed=True,
        ),
        Event(
            abi=POOL,
            name="Withdraw",
            into="pool_flows",
            columns={**FLOW, "kind": Const("withdrawal"), "account": "user"},
        ),
        Event(
            abi=POOL,
            name="ReserveDataUpdated",
            into="share_prices",
            columns={**OWN, "share_price_tokens": Fixed("liquidityIndex", 27)},
            is_confirmed=True,
        ),
        Event(
            abi=POOL,
            name="Borrow",
            into="credit_events",
            columns={**LOAN, "kind": Const("funded"), "account": "onBehalfOf"},
            is_confirmed=True,
        ),
        Event(
            abi=POOL,
            name="Repay",
            into="credit_events",
            columns={
                **LOAN,
                "kind": Const("payment"),
                "account": "user",
                "counterparty": "repayer",
            },
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
        ),
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
    ),
)
