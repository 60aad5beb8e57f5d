"""
Morpho Blue: one contract per chain with any number of isolated markets, one loan token each.

Contracts  https://github.com/morpho-org/sdks (the registry of addresses and of the blocks that
           they were deployed in).
Split      AccrueInterest is what all borrowers of a market owe more; what the venue takes of it is
           minted as shares of the market, whose worth is state, so no split is stated.
Units      amounts in the token's own decimals; a share has six places more than the loan token.
           https://github.com/morpho-org/morpho-blue/blob/main/src/Morpho.sol
           https://github.com/morpho-org/morpho-blue/blob/main/src/libraries/SharesMathLib.sol

Logs name a market by the hash of its parameters; which tokens that means is CreateMarket alone. An
idle market has no collateral, and its token for it is nobody. A liquidation that leaves no
collateral writes off what is still owed, at the cost of the market's lenders: that is bad debt.
"""

from indexer.spec import (
    Amount,
    Const,
    Contract,
    DecimalsOf,
    Equals,
    Event,
    Fixed,
    Nonzero,
    Not,
    OfMarket,
    Protocol,
    Value,
    When,
    chain_of,
    listed,
)

MORPHO = "morpho_blue/Morpho"
NOBODY = "0x0000000000000000000000000000000000000000"

LOAN_TOKEN = OfMarket("id", "index_token")
COLLATERAL = OfMarket("id", "long_token")

LENT: dict[str, Value] = {
    "pool": "id",
    "account": "onBehalf",
    "asset_token": LOAN_TOKEN,
    "asset_tokens": Amount("assets", LOAN_TOKEN),
    "share_tokens": Fixed("shares", DecimalsOf(LOAN_TOKEN, plus=6)),
}
PLEDGED: dict[str, Value] = {
    "pool": "id",
    "account": "onBehalf",
    "asset_token": COLLATERAL,
    "asset_tokens": Amount("assets", COLLATERAL),
}
OWED: dict[str, Value] = {
    "pool": "id",
    "account": "onBehalf",
    "asset_token": LOAN_TOKEN,
    "principal_tokens": Amount("assets", LOAN_TOKEN),
}

PROTOCOL = Protocol(
    slug="morpho_blue",
    name="Morpho Blue",
    kind="credit",
    methodology=(
        "Each market is a pool of its own. Deposits and withdrawals are Supply and Withdraw of the "
        "loan token, SupplyCollateral, WithdrawCollateral and what Liquidate seizes of collateral; "
        "loans and payments are Borrow and Repay. Liquidations are what Liquidate repays and "
        "seizes, and bad debt is what it writes off. Fees are the interest that AccrueInterest "
        "adds to what borrowers owe, in tokens, without dollars or a split."
    ),
    left_out=(
        "Logs of a market whose CreateMarket was not indexed: no other log says in which tokens "
        "its amounts are, and they are rejects; indexing from the first block knows them all.",
        "The venue's part of interest (feeShares): shares, whose worth is state.",
        "Share prices: what markets hold is state of one contract by market, and a read is of a "
        "contract.",
        "Pre-liquidations: contracts beside Morpho that borrowers authorise; what they repay and "
        "take is a payment and a withdrawal here.",
        "Vaults that lend through Morpho: contracts of their own; what they supply is theirs here.",
        "Flash loans: they are free.",
        "Deployments on Cronos, whose log indexes restart inside a block, and on chains that are "
        "not read.",
    ),
    contracts=tuple(
        Contract(chain_of(row["chain"]), MORPHO, row["address"], int(row["from_block"]))
        for row in listed("morpho_blue")
    ),
    events=(
        Event(
            abi=MORPHO,
            name="CreateMarket",
            into="markets",
            columns={
                "market": "id",
                "index_token": "marketParams.loanToken",
                "long_token": When(
                    Not(Equals("marketParams.collateralToken", NOBODY)),
                    "marketParams.collateralToken",
                ),
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
        Event(MORPHO, "Supply", "pool_flows", {**LENT, "kind": Const("deposit")}),
        Event(MORPHO, "Withdraw", "pool_flows", {**LENT, "kind": Const("withdrawal")}),
        Event(MORPHO, "SupplyCollateral", "pool_flows", {**PLEDGED, "kind": Const("deposit")}),
        Event(MORPHO, "WithdrawCollateral", "pool_flows", {**PLEDGED, "kind": Const("withdrawal")}),
        Event(
            abi=MORPHO,
            name="Liquidate",
            into="pool_flows",
            columns={
                "pool": "id",
                "kind": Const("withdrawal"),
                "account": "borrower",
                "asset_token": COLLATERAL,
                "asset_tokens": Amount("seizedAssets", COLLATERAL),
            },
        ),
        Event(MORPHO, "Borrow", "credit_events", {**OWED, "kind": Const("funded")}),
        Event(
            abi=MORPHO,
            name="Repay",
            into="credit_events",
            columns={**OWED, "kind": Const("payment"), "counterparty": "caller"},
        ),
        Event(
            abi=MORPHO,
            name="Liquidate",
            into="credit_events",
            columns={
                "kind": Const("liquidation"),
                "pool": "id",
                "account": "borrower",
                "counterparty": "caller",
                "asset_token": LOAN_TOKEN,
                "principal_tokens": Amount("repaidAssets", LOAN_TOKEN),
                "collateral_token": COLLATERAL,
                "collateral_tokens": Amount("seizedAssets", COLLATERAL),
            },
        ),
        Event(
            abi=MORPHO,
            name="Liquidate",
            into="shortfalls",
            columns={
                "kind": Const("bad_debt"),
                "market": "id",
                "account": "borrower",
                "asset_token": LOAN_TOKEN,
                "shortfall_tokens": Amount("badDebtAssets", LOAN_TOKEN),
            },
            where=(Nonzero("badDebtAssets"),),
        ),
        Event(
            abi=MORPHO,
            name="AccrueInterest",
            into="fees",
            columns={
                "market": "id",
                "fee_kind": Const("interest"),
                "fee_token": LOAN_TOKEN,
                "fee_tokens": Amount("interest", LOAN_TOKEN),
                "split_basis": Const("none"),
            },
            where=(Nonzero("interest"),),
        ),
    ),
    untold_shares="the venue's part of interest is minted as shares, which no flow tells",
)
