"""GMX v1: fees, the borrow rate, and what flows into and out of the pool."""

from indexer.spec import (
    Amount,
    Companion,
    Const,
    Emitter,
    Equals,
    Event,
    Fixed,
    Nonzero,
    Not,
    OfContract,
    OneOf,
    Rest,
    Share,
    Value,
    When,
    listed,
)

DOLLARS = tuple(row["address"] for row in listed("gmx_v1_tokens") if not row["market"])
POSITION_EVENTS = ("IncreasePosition", "DecreasePosition", "LiquidatePosition")
MARGIN_FEE: dict[str, Value] = {
    "fee_token": "token",
    "fee_tokens": Amount("feeTokens", "token"),
    "fee_usd": Fixed("feeUsd", 30),
    "supply_side_usd": Share(Fixed("feeUsd", 30), "supply_side_share"),
    "treasury_usd": Share(Fixed("feeUsd", 30), "treasury_share"),
}
# The Vault on Arbitrum emits CollectSwapFees with its two amounts exchanged.
EXCHANGED = Equals(OfContract("swap_fees"), "tokens first")
SWAP_FEE_USD = Fixed(When(EXCHANGED, "feeTokens", "feeUsd"), 30)
SWAP_FEE: dict[str, Value] = {
    "fee_token": "token",
    "fee_tokens": Amount(When(EXCHANGED, "feeUsd", "feeTokens"), "token"),
    "fee_usd": SWAP_FEE_USD,
    "supply_side_usd": Share(SWAP_FEE_USD, "supply_side_share"),
    "treasury_usd": Share(SWAP_FEE_USD, "treasury_share"),
}
SPLIT: dict[str, Value] = {
    "holders_usd": Rest("fee_usd", ("supply_side_usd", "treasury_usd")),
    "split_basis": Const("policy"),
}
FLOW: dict[str, Value] = {
    "pool": Emitter(),
    "account": "account",
    "asset_token": "token",
    "asset_tokens": Amount("tokenAmount", "token"),
}


MONEY = (
    Event(
        abi="gmx_v1/Vault",
        name="CollectMarginFees",
        into="fees",
        columns={
            # The Vault collects the fee before it emits the change that owes it.
            "market": Companion(
                POSITION_EVENTS, "indexToken", {"token": "collateralToken"}, nearest="after"
            ),
            "account": Companion(
                POSITION_EVENTS, "account", {"token": "collateralToken"}, nearest="after"
            ),
            "fee_kind": Const("margin"),
            **MARGIN_FEE,
            **SPLIT,
        },
        where=(Nonzero("feeUsd"),),
        is_confirmed=True,
    ),
    Event(
        abi="gmx_v1/Vault",
        name="CollectSwapFees",
        into="fees",
        columns={"fee_kind": Const("swap"), **SWAP_FEE, **SPLIT},
        where=(Nonzero("feeUsd"),),
        is_confirmed=True,
    ),
    Event(
        abi="gmx_v1/Vault",
        name="UpdateFundingRate",
        into="funding",
        columns={
            "market": "token",
            "collateral_token": "token",
            # Longs are secured by what they are long of, shorts by dollars (Vault.sol,
            # _validateTokens), and a token's rate is charged to those it secures.
            "is_long": Not(OneOf("token", DOLLARS)),
            "funding_rate_cumulative_ratio": Fixed("fundingRate", 6),
        },
    ),
    Event("gmx_v1/Vault", "BuyUSDG", "pool_flows", {**FLOW, "kind": Const("mint")}),
    Event("gmx_v1/Vault", "SellUSDG", "pool_flows", {**FLOW, "kind": Const("redemption")}),
)
