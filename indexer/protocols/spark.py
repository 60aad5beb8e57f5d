"""
SparkLend: a lending pool of the Sky ecosystem with the code of Aave v3, before its version 3.3.

Contracts  https://github.com/sparkdotfi/spark-address-registry (SparkLend.sol, Gnosis.sol); first
           blocks from messari/subgraphs (aave-forks, spark-lend), on Gnosis that of the provider
           of addresses, which is older than the pool.
Split      what MintedToTreasury and a liquidation's transfer carry is the treasury's whole, the
           first with its part of the premiums of flash loans.
Units      amounts in the token's own decimals, indexes ray 1e27, transfers of spTokens scaled by
           the index. https://github.com/marsfoundation/sparklend-v1-core

`liquidatedCollateralAmount` is without the protocol's liquidation fee, which reaches a treasury as
spTokens of the account just before. A pool has one share price per reserve, the liquidity index:
what a scaled spToken is worth.
"""

from indexer.chains import ETHEREUM, GNOSIS
from indexer.spec import (
    Amount,
    Companion,
    Condition,
    Const,
    Contract,
    DecimalsOf,
    Discover,
    Emitter,
    Event,
    Exists,
    Fixed,
    IsTrue,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Product,
    Protocol,
    Value,
    upgraded,
)

POOL, RECEIPT, CONFIGURATOR = "spark/Pool", "spark/SpToken", "spark/PoolConfigurator"
CORE, CORE_START = "0xc13e21b648a5ee794902342038ff3adab66be987", 16_776_401
ON_GNOSIS, GNOSIS_START = "0x2dae5307c5e3fd1cf5a72cb6f698f915860607e0", 29_817_453
# That of Ethereum, its own of Dai, and that of Gnosis.
TREASURIES = (
    "0xb137e7d16564c81ae2b0c8ee6b55de81dd46ece5",
    "0x856900aa78e856a5df1a2665ee3a66b2487cd68f",
    "0xb9e6dbfa4de19cced908bcbfe1d015190678ab5f",
)
UNDERLYING = OfMarket(Emitter(), "index_token")
LIQUIDATED = Companion(
    "LiquidationCall", "collateralAsset", {"from": "user"}, nearest="after", abi=POOL
)
OF_LIQUIDATION: tuple[Condition, ...] = (OneOf("to", TREASURIES), Exists(LIQUIDATED))

OWN: dict[str, Value] = {"pool": Emitter(), "asset_token": "reserve"}
FLOW: dict[str, Value] = {**OWN, "asset_tokens": Amount("amount", "reserve")}
LOAN: dict[str, Value] = {**OWN, "principal_tokens": Amount("amount", "reserve")}

PROTOCOL = Protocol(
    slug="spark",
    name="SparkLend",
    kind="credit",
    methodology=(
        "Liquidations are LiquidationCall: debt repaid and collateral received by the liquidator, "
        "in tokens. Loans and repayments are Borrow and Repay, flows Supply, Withdraw and the "
        "collateral that a liquidation pays out, share prices the reserves' liquidity indexes. "
        "Fees are the treasury's part of interest and flash loans when it takes it, and its part "
        "of liquidations: in tokens, without dollars."
    ),
    left_out=(
        "Spark's savings vaults and allocations: other products.",
        "Deposits that repay their owner's debt (useATokens) or that a liquidator takes over: no "
        "money moves; the debt is read.",
        "Who withdraws through a gateway, as ether is, or an adapter: Withdraw names the contract, "
        "which has the owner's spTokens for that moment; deposits name their owner.",
        "Interest that borrowers pay and depositors earn: it accrues in indexes, and the scaled "
        "debt it is multiplied with is state.",
        "Premiums of flash loans: what the treasury gets of one is minted to it again later; which "
        "part that is, the configurator says, and only when it moves.",
        "Bad debt: the code logs none.",
    ),
    contracts=(
        Contract(ETHEREUM, POOL, CORE, CORE_START, version="3"),
        Contract(GNOSIS, POOL, ON_GNOSIS, GNOSIS_START, version="3"),
        Contract(
            chain=ETHEREUM,
            abi=CONFIGURATOR,
            address="0x542DBa469bdE58FAeE189ffB60C6b49CE60E0738",
            from_block=CORE_START,
            version="3",
            says={"pool": CORE},
        ),
        Contract(
            chain=GNOSIS,
            abi=CONFIGURATOR,
            address="0x2Fc8823E1b967D474b47Ae0aD041c2ED562ab588",
            from_block=GNOSIS_START,
            version="3",
            says={"pool": ON_GNOSIS},
        ),
    ),
    discoveries=(Discover(CONFIGURATOR, "ReserveInitialized", child="aToken", child_abi=RECEIPT),),
    events=(
        *upgraded(POOL, CONFIGURATOR),
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
            is_confirmed=True,
        ),
        # Whoever takes spTokens instead leaves the money in the pool.
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
        Event(
            abi=CONFIGURATOR,
            name="ReserveInitialized",
            into="markets",
            columns={
                "market": "aToken",
                "index_token": "asset",
                "parent": OfContract("pool"),
                "asset_class": Const("crypto"),
                "known_by": Const("event"),
            },
        ),
    ),
)
