"""
Gains gTrade v6.3 to v10: leveraged synthetic trades against one collateral vault (gToken) each.

Contracts  https://docs.gains.trade/what-is-gains-network/contract-addresses (a diamond per chain
           since v8, one callbacks contract per collateral before); vaults and first blocks:
           https://github.com/GainsNetwork-org/gtoken-subgraph (config). Version windows are
           approximate, as facets are cut one by one; executions carry their own shape, so a wrong
           window mislabels `version` of fees and buybacks, and around v7 their dollars.
Split      Events name the recipient: Gov is treasury; GnsOtc, GnsStaking and Sss are holders;
           GToken, GTokenOc, DaiVault, Lp and borrowing are the vault's and liquidity providers',
           Referral, Trigger and NftBot third parties': supply side.
Units      Prices 1e10, leverage 1e3 (whole numbers before v8), collateralPriceUsd 1e8,
           percentProfit 1e10 of a percent, OI before v10 1e10 for every collateral, share prices
           1e18, token sizes 1e18 of collateral by the pair's price (TradingCommonUtils.sol,
           getPairTotalOisDynamicCollateral), funding rates 1e18 of a percent a second
           (GNSFundingFees and the SDK's fundingFees converter), collateral by its decimals:
           https://docs.gains.trade/developer/technical-reference/contracts
Pairs      https://github.com/GainsNetwork-org/sdk (PairIndex): numbers mean the same everywhere

Dollars of fees and OI use the collateral price of the execution that follows in the transaction;
outside an execution they are unknown. Where a resize and then an execution of the same trader and
collateral share a transaction, the market of the resize's fees is taken from the execution. PnL is
before fees. OI rows of versions "8-9.4" and "10" are two counters that add up. Order type 2 is a
liquidation up to v7 and a limit order since. v6 says no price of its collateral, DAI: at par.
v10 logs no BorrowingFeeCharged: the old borrowing fee of a position, like the new one and funding,
is in HoldingFeesChargedOnTrade or, where the trader is owed, in HoldingFeesRealizedOnTrade, one of
the two a settlement (TradingCommonUtils.sol, FundingFeesUtils.sol).
"""

from indexer.chains import APECHAIN, ARBITRUM, BASE, POLYGON
from indexer.protocols.gains.callbacks import ABI as CALLBACKS
from indexer.protocols.gains.callbacks import CALLBACK_FEES, CALLBACK_PRICES, CALLBACK_TRADES
from indexer.protocols.gains.money import (
    BUYBACKS,
    COLLATERAL_PRICES,
    FEES,
    FUNDING,
    OPEN_INTEREST,
    PAIR_PRICES,
)
from indexer.protocols.gains.trades import RESIZES, TRADES
from indexer.protocols.gains.values import ABI, NAMES, PAIRS
from indexer.protocols.gains.vaults import ABI as VAULT
from indexer.protocols.gains.vaults import VAULTS
from indexer.spec import (
    TOKEN_SUPPLY,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Lookup,
    Market,
    Protocol,
    Token,
    Value,
    chain_of,
    listed,
)

# Bridged among them: shares of supply are of each chain's part. MegaETH's is not read: its first
# block is not known, and a supply is read from there on.
GNS = (
    (ARBITRUM, "0x18c11fd286c5ec11c3b683caa813b77f5163a122", 190_420_046),
    (POLYGON, "0xe5417af564e4bfda1c483642db72007871397896", 53_282_482),
    (BASE, "0xfb1aaba03c31ea98a3eec7591808acb1947ee7ac", 20_824_632),
    (APECHAIN, "0xe31c676d8235437597581b44c1c4f8a30e90b38a", 4_603_247),
)

CHAINS = dict.fromkeys(row["chain"] for row in listed("gains_diamonds"))

# A collateral and its vault are markets, so that both find the token.
ADDED: dict[str, Value] = {
    "index_token": "collateral",
    "asset_class": Const("crypto"),
    "known_by": Const("event"),
}

PROTOCOL = Protocol(
    slug="gains",
    name="Gains gTrade",
    kind="perp",
    methodology=(
        "Trades and liquidations are MarketExecuted and LimitExecuted (order type 6, and from v9.4 "
        "on any close beyond the liquidation price that paid nothing: inferred) with notional "
        "= collateral x leverage x collateral price (before v8, type 2 of the callbacks contracts, "
        "and DAI at par in v6); fees are one row per recipient as the events name it, of "
        "the kind liquidation where the order was one; open interest is the pair counters in "
        "collateral dollars, from v8 on; oracle prices are those of the collateral in each "
        "execution and, from v9.4 on, of the pair in market orders; "
        "buybacks are OtcExecuted and GNS burnt for a vault's excess (Depleted), in dollars only "
        "where a stablecoin was spent, at par. GNS minted to refill a vault is a shortfall of the "
        "kind insurance_in. Vault flows are the vaults' deposits and withdrawals, share prices "
        "what they say on each change. Funding is what trades paid and, from v10 on, the rate of a "
        "pair in one collateral, per day."
    ),
    left_out=(
        "Versions before v6.3, and rollover and funding fees of v6.3: contracts of their own, "
        "whose addresses no source here states.",
        "Open interest before v8: trades were open when the callbacks contracts of Polygon began, "
        "and others when the diamonds took them over, so no sum of changes would ever close them.",
        "BorrowingGroupOiUpdated and RewardDistributed: they repeat what is read, and so does "
        "FeesProcessed, of which the type of the order and the fee of a liquidation are read.",
        "What closes of trades whose collateral lay in the vault were charged (opened before v6.3, "
        "closed by v7): the vault kept it, and only the keeper's part of it is logged.",
        "Resizes before v9.2, which say no collateral price, and the PnL of decreases before v10.",
        "LeverageUpdateExecuted: the notional stays; two of its shapes share a topic.",
        "Money that moves while a trade stays open, v10: TradePositivePnlWithdrawn, "
        "TradeNegativePnlManuallyRealized, TradeHoldingFeesManuallyRealized, TradingFeesRealized, "
        "PnlRealizedOnOpenTrade and TradeValueTransferred settle in the collateral what the trade "
        "has made or owes and change no size; fees are read where they are charged.",
        "CounterTradeCollateralReturned: collateral of a counter-trade that goes back to its "
        "trader; what a trade holds stands in its execution.",
        "Indexes of borrowing: up to v9.4 a trade is charged the greater of its pair's and its "
        "group's (BorrowingPairAccFeesUpdated and its like), and that of v10 "
        "(PendingAccBorrowingFeesStored) is weighted by the pair's price, so that none says what a "
        "dollar of notional pays. What was paid is read.",
        "PendingGovFeesClaimed and OtcBalanceUpdated: fees above, paid out or kept until sold.",
        "Cancelled orders (MarketCloseCanceled and so on): nothing is traded; fees are read.",
        "PriceReceived and SignedPricesReceived: one node's answers each; the median of them is in "
        "the execution. Prices of pairs before v9.4 and in triggers: with impact, or the order's "
        "own.",
        "Prices of pairs that neither the list here nor PairAdded names: what they are quoted in "
        "is not known, so they are rejected.",
        "What each side of a pair is charged where the rate is shared out unevenly, and whether "
        "funding is switched off: a rate is the pair's, in one collateral, as it was last stored.",
        "Stops and market closes beyond the liquidation price before v9.4, which say no such "
        "price: they count as trades.",
        "Execution prices and sizes of pairs that are not quoted in dollars: no event has the "
        "dollar's price in their quote.",
        "Bad debt: the vault is the counterparty, and losses end at the collateral.",
        "AssetsSent and AssetsReceived of vaults: the traders' profits and losses, read as such.",
        "Who owns a locked deposit (DepositLocked): the vault holds its shares, so its owner here.",
        "What the vault of BTCUSD on Base did before CollateralAdded named it: the SDK has its "
        "address, and no source that of its asset.",
        "Arbitrum Sepolia: a test network.",
    ),
    contracts=(
        *(Contract(chain, "erc20/Token", address, block) for chain, address, block in GNS),
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi=ABI,
                address=row["address"],
                from_block=int(row["from_block"]),  # MegaETH: unknown, so from the first block
                to_block=int(row["to_block"]) if row["to_block"] else None,
                version=row["version"],
                says={"gns": row["gns"]},
            )
            for row in listed("gains_diamonds")
        ),
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi=CALLBACKS,
                address=row["address"],
                from_block=int(row["from_block"]),
                to_block=int(row["to_block"]) if row["to_block"] else None,
                version=row["version"],
                says={
                    "collateral": row["collateral"],
                    "priced": "yes" if row["version"] == "7" else "no",
                },
            )
            for row in listed("gains_callbacks")
        ),
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi=VAULT,
                address=row["address"],
                from_block=int(row["from_block"]),
                version="6-10",  # upgraded in place
                says={"gns": row["gns"]},
            )
            for row in listed("gains_vaults")
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    events=(
        Event(
            abi=ABI,
            name="PairAdded",
            into="markets",
            columns={
                "market": "index",
                "symbol": "from",
                "asset_class": Const("unknown"),
                "quote": "to",
                "known_by": Const("event"),
            },
        ),
        Event(ABI, "CollateralAdded", "markets", {**ADDED, "market": Lookup("index", NAMES)}),
        Event(ABI, "CollateralAdded", "markets", {**ADDED, "market": "gToken"}),
        *TRADES,
        *RESIZES,
        *FEES,
        *FUNDING,
        *OPEN_INTEREST,
        *COLLATERAL_PRICES,
        *PAIR_PRICES,
        *BUYBACKS,
        *CALLBACK_TRADES,
        *CALLBACK_FEES,
        *CALLBACK_PRICES,
        *VAULTS,
        Event(ABI, "DiamondCut", "upgrades", {"contract": Emitter()}),
    ),
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in listed("gains_tokens")
    ),
    discoveries=(Discover(ABI, "CollateralAdded", "gToken", VAULT),),
    markets=(
        *(
            Market(
                chain_of(chain),
                row["pair"],
                row["asset"],
                asset_class=row["asset_class"],
                quote=row["quote"],
            )
            for chain in CHAINS
            for row in PAIRS
        ),
        *(
            Market(
                chain_of(row["chain"]),
                NAMES[int(row["collateral_index"])],
                None,
                row["address"],
            )
            for row in listed("gains_tokens")
            if row["collateral_index"]
        ),
        *(
            Market(chain_of(row["chain"]), row["address"], None, row["asset"])
            for row in listed("gains_vaults")
        ),
    ),
)
