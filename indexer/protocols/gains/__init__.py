"""
Gains gTrade v8 to v10: leveraged synthetic trades against one collateral vault (gToken) each.

Contracts  https://docs.gains.trade/what-is-gains-network/contract-addresses (a diamond per chain).
           Version windows are approximate, as facets are cut one by one; executions carry their
           own shape, so a wrong window mislabels `version` of fees and buybacks, nothing else.
Split      Events name the recipient: Gov is treasury; GnsOtc and GnsStaking are holders; GToken,
           GTokenOc and borrowing are the vault's, Referral and Trigger third parties': supply side.
Units      Prices 1e10, leverage 1e3, collateralPriceUsd 1e8, percentProfit 1e10 of a percent, OI
           before v10 1e10 for every collateral, token sizes 1e18, collateral by its decimals:
           https://docs.gains.trade/developer/technical-reference/contracts

Dollars of fees and OI use the collateral price of the execution that follows in the transaction;
outside an execution they are unknown. Where a resize and then an execution of the same trader and
collateral share a transaction, the market of the resize's fees is taken from the execution. PnL is
before fees. OI rows of versions "8-9.4" and "10" are two counters that add up. Left out: v6 and v7
(one contract per collateral; orderType 2 was a liquidation there); FeesProcessed (the sum of the
fees below); BorrowingGroupOiUpdated (repeats pair OI); resizes before v9.2 (no collateral price)
and the PnL of decreases before v10; leverage updates (the notional stays); PriceReceived (one
node's answer, not a price); prices of pairs (an execution does not say in what they are quoted);
funding rates (scale not confirmed). Stops and market closes beyond the liquidation price pay the
trader nothing and still count as trades. BTCUSD, index 2 on Base, has no declared token: its rows
are rejected.
"""

from indexer.protocols.gains.money import (
    BUYBACKS,
    COLLATERAL_PRICES,
    FEES,
    FUNDING,
    OPEN_INTEREST,
)
from indexer.protocols.gains.trades import RESIZES, TRADES
from indexer.protocols.gains.values import ABI
from indexer.spec import Const, Contract, Event, Protocol, Token, chain_of, listed

COLLATERALS = {
    row["chain"]: {
        int(one["collateral_index"]): one["address"]
        for one in listed("gains_tokens")
        if one["chain"] == row["chain"] and one["collateral_index"]
    }
    for row in listed("gains_diamonds")
}

PROTOCOL = Protocol(
    slug="gains",
    name="Gains gTrade",
    kind="perp",
    methodology=(
        "Trades and liquidations are MarketExecuted and LimitExecuted (order type 6) with notional "
        "= collateral x leverage x collateral price; fees are one row per recipient as the events "
        "name it; open interest is the pair counters in collateral dollars; oracle prices are "
        "those of the collateral in each execution; buybacks are OtcExecuted, in dollars only "
        "where a stablecoin was spent, at par. v6 and v7 are left out."
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=ABI,
            address=row["address"],
            from_block=int(row["from_block"]),  # MegaETH: unknown, so from the first block
            to_block=int(row["to_block"]) if row["to_block"] else None,
            version=row["version"],
            says={"collaterals": COLLATERALS[row["chain"]], "gns": row["gns"]}
            if row["gns"]
            else {"collaterals": COLLATERALS[row["chain"]]},
        )
        for row in listed("gains_diamonds")
    ),
    events=(
        Event(
            abi=ABI,
            name="PairAdded",
            into="markets",
            columns={
                "market": "index",
                "symbol": "from",
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
        *TRADES,
        *RESIZES,
        *FEES,
        *FUNDING,
        *OPEN_INTEREST,
        *COLLATERAL_PRICES,
        *BUYBACKS,
    ),
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in listed("gains_tokens")
    ),
)
