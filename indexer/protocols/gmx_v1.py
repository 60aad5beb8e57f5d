"""
GMX v1: perp DEX where traders face one pool of tokens (GLP), per chain one Vault.

Contracts  https://github.com/gmx-io/gmx-contracts (contracts/core/Vault.sol, contracts/oracle);
           the BSC predecessor (Gambit) has other events and is not declared.
Split      70 % of fees to GLP, 30 % to stakers of GMX, nothing to a treasury:
           https://gmxio.substack.com/p/the-distribution-of-protocol-rewards (stakers are paid in
           bought-back GMX since 2024-10-30, in ETH and AVAX before)
Units      USD, collateral and prices 1e30 flat; token amounts in token decimals; the cumulative
           borrow rate 1e6. Collateral is kept in USD at the time of its deposit. CollectSwapFees
           of the Vault on Arbitrum carries tokens where its ABI says dollars, and the reverse: in
           block 171294311 the second amount is what Swap kept back, the third its worth. The
           Vault on Avalanche is of the repository's head, which has the order of the ABI.

Left out: partial liquidations, which the Vault emits as a plain DecreasePosition (only the sender
of the transaction tells them apart) and which count as trades here; bad debt and the profit or
loss of a liquidation, for which there is no event; the change of collateral by a decrease (the
event says what was asked for, not what left); sizes in tokens, which positions do not have;
the keeper's fixed liquidation fee, paid by the pool; PriceData of the later price feeds.
"""

from indexer.chains import ARBITRUM, AVALANCHE
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    First,
    Fixed,
    Int,
    IsTrue,
    Market,
    Neg,
    Nonzero,
    OfContract,
    OfMarket,
    Policy,
    Protocol,
    Rest,
    Share,
    Sum,
    SymbolOf,
    Token,
    Value,
    When,
    chain_of,
    listed,
)

TOKENS = listed("gmx_v1_tokens")
POSITION_EVENTS = ("IncreasePosition", "DecreasePosition", "LiquidatePosition")
POSITION: dict[str, Value] = {
    "market": "indexToken",
    "account": "account",
    "is_long": "isLong",
    "collateral_token": "collateralToken",
}
SIDE: dict[str, Value] = {"market": "indexToken", "is_long": "isLong"}
MARGIN_FEE: dict[str, Value] = {
    "fee_token": "token",
    "fee_tokens": Amount("feeTokens", "token"),
    "fee_usd": Fixed("feeUsd", 30),
    "supply_side_usd": Share(Fixed("feeUsd", 30), "supply_side_share"),
}
# The Vault on Arbitrum emits CollectSwapFees with its two amounts exchanged.
EXCHANGED = Equals(OfContract("swap_fees"), "tokens first")
SWAP_FEE_USD = Fixed(When(EXCHANGED, "feeTokens", "feeUsd"), 30)
SWAP_FEE: dict[str, Value] = {
    "fee_token": "token",
    "fee_tokens": Amount(When(EXCHANGED, "feeUsd", "feeTokens"), "token"),
    "fee_usd": SWAP_FEE_USD,
    "supply_side_usd": Share(SWAP_FEE_USD, "supply_side_share"),
}
SPLIT: dict[str, Value] = {
    "treasury_usd": Fixed(Int(0), 0),
    "holders_usd": Rest("fee_usd", ("supply_side_usd", "treasury_usd")),
    "split_basis": Const("policy"),
}
REALIZED = Companion("UpdatePnl", "delta", {"key": "key"}, nearest="before")
IN_PROFIT = Companion("UpdatePnl", "hasProfit", {"key": "key"}, nearest="before")
PRICE: dict[str, Value] = {
    "feed": "token",
    "asset": First((OfMarket("token", "symbol"), SymbolOf("token"))),
    "quote": Const("USD"),
    "oracle_price_quote": Fixed("price", 30),
}

PROTOCOL = Protocol(
    slug="gmx_v1",
    name="GMX v1",
    kind="perp",
    methodology=(
        "Position changes are IncreasePosition, DecreasePosition and LiquidatePosition of the "
        "Vault; a decrease realises what UpdatePnl says, before fees. Liquidations are "
        "LiquidatePosition; partial liquidations look like any decrease on chain and count as "
        "trades. Open interest is the running sum of size changes per index token and side. Fees "
        "are CollectMarginFees (position and borrow fee in one, not counted again from the "
        "position events) and CollectSwapFees (swaps, mints and redemptions of GLP), split 70/30 "
        "between GLP and stakers. Funding is the cumulative borrow rate per token. Not covered: "
        "bad debt, keeper fees, buybacks (counted where they happen, in GMX v2)."
    ),
    contracts=(
        Contract(
            ARBITRUM,
            "gmx_v1/Vault",
            "0x489ee077994B6658eAfA855C308275EAd8097C4A",
            225_000,
            says={"swap_fees": "tokens first"},
        ),
        Contract(
            AVALANCHE, "gmx_v1/Vault", "0x9ab2De34A33fB459b538c43f251eB825645e8595", 8_231_150
        ),
        Contract(
            ARBITRUM,
            "gmx_v1/FastPriceEvents",
            "0x4530b7DE1958270A2376be192a24175D795e1b07",
            3_716_732,
        ),
        Contract(
            AVALANCHE,
            "gmx_v1/FastPriceEvents",
            "0x02b7023D43bc52bFf8a0C54A9F2ecec053523Bf6",
            8_520_800,
        ),
        Contract(
            ARBITRUM,
            "gmx_v1/FastPriceFeed",
            "0x73fE72C9cAA0fAf0e488570D5898984783E728Df",
            1_326_270,
            to_block=3_716_731,  # from here on FastPriceEvents repeats every price
        ),
    ),
    events=(
        Event(
            abi="gmx_v1/Vault",
            name="IncreasePosition",
            into="position_changes",
            columns={
                **POSITION,
                "position_id": "key",
                "cause": Const("trade"),
                "notional_delta_usd": Fixed("sizeDelta", 30),
                "collateral_delta_usd": Fixed(Sum(("collateralDelta", Neg("fee"))), 30),
                "execution_price_usd": Fixed("price", 30),
            },
        ),
        Event(
            abi="gmx_v1/Vault",
            name="DecreasePosition",
            into="position_changes",
            columns={
                **POSITION,
                "position_id": "key",
                "cause": Const("trade"),
                "notional_delta_usd": Fixed(Neg("sizeDelta"), 30),
                "execution_price_usd": Fixed("price", 30),
                "realized_pnl_usd": Fixed(When(IsTrue(IN_PROFIT), REALIZED, Neg(REALIZED)), 30),
            },
        ),
        Event(
            abi="gmx_v1/Vault",
            name="LiquidatePosition",
            into="position_changes",
            columns={
                **POSITION,
                "position_id": "key",
                "cause": Const("liquidation"),
                "notional_delta_usd": Fixed(Neg("size"), 30),
                "collateral_delta_usd": Fixed(Neg("collateral"), 30),
                "execution_price_usd": Fixed("markPrice", 30),
                "notional_usd": Fixed(Int(0), 0),
            },
        ),
        Event(
            abi="gmx_v1/Vault",
            name="LiquidatePosition",
            into="liquidations",
            columns={
                **POSITION,
                "position_id": "key",
                "notional_usd": Fixed("size", 30),
                "collateral_usd": Fixed("collateral", 30),
                "mark_price_usd": Fixed("markPrice", 30),
                "fee_usd": Fixed(
                    Companion(
                        "CollectMarginFees",
                        "feeUsd",
                        {"collateralToken": "token"},
                        nearest="before",
                    ),
                    30,
                ),
                "shortfall_basis": Const("none"),
                "derivation": Const("direct"),
            },
        ),
        Event(
            abi="gmx_v1/Vault",
            name="IncreasePosition",
            into="open_interest",
            columns={**SIDE, "open_interest_delta_usd": Fixed("sizeDelta", 30)},
            where=(Nonzero("sizeDelta"),),
            evidence="derived",
        ),
        Event(
            abi="gmx_v1/Vault",
            name="DecreasePosition",
            into="open_interest",
            columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("sizeDelta"), 30)},
            where=(Nonzero("sizeDelta"),),
            evidence="derived",
        ),
        Event(
            abi="gmx_v1/Vault",
            name="LiquidatePosition",
            into="open_interest",
            columns={**SIDE, "open_interest_delta_usd": Fixed(Neg("size"), 30)},
            evidence="derived",
        ),
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
        ),
        Event(
            abi="gmx_v1/Vault",
            name="CollectSwapFees",
            into="fees",
            columns={"fee_kind": Const("swap"), **SWAP_FEE, **SPLIT},
            where=(Nonzero("feeUsd"),),
        ),
        Event(
            abi="gmx_v1/Vault",
            name="UpdateFundingRate",
            into="funding",
            columns={"market": "token", "funding_rate_cumulative_ratio": Fixed("fundingRate", 6)},
        ),
        Event(
            abi="gmx_v1/FastPriceEvents",
            name="PriceUpdate",
            into="oracle_updates",
            columns={**PRICE, "provider": "priceFeed"},
        ),
        Event(
            abi="gmx_v1/FastPriceFeed",
            name="SetPrice",
            into="oracle_updates",
            columns={**PRICE, "provider": Emitter()},
        ),
    ),
    policies=(
        Policy(
            kind="supply_side_share",
            value="0.7",
            valid_from="2021-08-01",  # the month of launch
            source="https://gmxio.substack.com/p/the-distribution-of-protocol-rewards",
            basis="documentation",
        ),
    ),
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in TOKENS
    ),
    markets=tuple(
        Market(chain_of(row["chain"]), row["address"], row["market"], row["address"])
        for row in TOKENS
        if row["market"]
    ),
)
