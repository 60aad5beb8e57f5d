"""
GMX v2: perp DEX where traders face isolated pools; keepers execute orders at signed prices.

Contracts  https://github.com/gmx-io/gmx-synthetics (deployments/): one EventEmitter per chain
           carries every event as named key/value items, which grew and changed from release to
           release (PositionEventUtils.sol, MarketEventUtils.sol); Botanix is read from where the
           official subgraph starts, as the receipt of its deployment says block 0
Split      the pools' and the fee receiver's part are in each event; of the receiver's part 27 of
           37 points go to stakers (https://gov.gmx.io/t/gmx-v2-sustainable-development/2049, vote
           https://gl.app/dao/gmx.eth/proposals/0xd08ad5d5ce7439f5e9fbc59b1d5c94b98deb01e802a0d718e7cac743a4a06627),
           since 2024-10 through buybacks (config/buyback.ts of gmx-synthetics)
Units      USD 1e30; amounts in token decimals; a price is 1e30 USD per smallest unit of its token,
           so amount x price is 1e30 USD; many index tokens are synthetic, with no contract to ask:
           their decimals (config/tokens.ts) and addresses travel in gmx_v2_tokens.csv, and rows
           of one that is not listed yet are rejected, not guessed
Pools      MarketPoolValueInfo before and MarketPoolValueUpdated after a deposit or withdrawal carry
           its key (ExecuteDepositUtils.sol, ExecuteWithdrawalUtils.sol): they name the market, and
           what supply of its token went away. Value 1e30 USD, supply 1e18. The value of a GLV
           vault is that of the market tokens that it holds (GlvUtils.sol). What a withdrawal pays
           out is amountAfterFees of its two SwapFeesCollected, of type WITHDRAWAL_FEE_TYPE.
"""

from indexer.chains import (
    ARBITRUM,
    ARBITRUM_SEPOLIA,
    AVALANCHE,
    AVALANCHE_FUJI,
    BOTANIX,
    MEGAETH,
)
from indexer.protocols.gmx_v2.impact import IMPACT
from indexer.protocols.gmx_v2.money import HOLDERS_SHARE, MONEY
from indexer.protocols.gmx_v2.pools import POOLS
from indexer.protocols.gmx_v2.positions import POSITIONS
from indexer.protocols.gmx_v2.values import ABI as ABI
from indexer.spec import (
    TOKEN_SUPPLY,
    Contract,
    Market,
    Policy,
    Protocol,
    Token,
    chain_of,
    listed,
)

# The last says whether stakers' share of what the fee receiver keeps is known there.
EMITTERS = (
    (ARBITRUM, "0xC8ee91A54287DB53897056e12D9819156D3822Fb", 107_737_756, "known"),
    (AVALANCHE, "0xDb17B211c34240B014ab6d61d4A31FA0C0e20c26", 32_162_455, "known"),
    (BOTANIX, "0xAf2E131d483cedE068e21a9228aD91E623a989C2", 117_907, "unknown"),
    (MEGAETH, "0xAf2E131d483cedE068e21a9228aD91E623a989C2", 5_661_063, "unknown"),
    (ARBITRUM_SEPOLIA, "0xa973c2692C1556E1a3d478e745e9a75624AEDc73", 151_253_862, "unknown"),
    (AVALANCHE_FUJI, "0xc67D98AC5803aFD776958622CeEE332A0B2CabB9", 23_861_078, "unknown"),
)

# Bridged between the two: shares of supply are of each chain's part.
GMX = (
    (ARBITRUM, "0xfc5A1A6EB076a2C7aD06eD22C90d7E710E35ad0a", 107_737_756),
    (AVALANCHE, "0x62edc0692BD897D2295872a9FFCac5425011c661", 32_162_455),
)

VOTE = (
    "https://gl.app/dao/gmx.eth/proposals/"
    "0xd08ad5d5ce7439f5e9fbc59b1d5c94b98deb01e802a0d718e7cac743a4a06627"
)
CONFIG = "https://github.com/gmx-io/gmx-synthetics/blob/main/config/buyback.ts"

PROTOCOL = Protocol(
    slug="gmx_v2",
    name="GMX v2",
    kind="perp",
    methodology=(
        "Position changes are PositionIncrease and PositionDecrease. A decrease is a liquidation "
        "when its orderType is 7 and an auto-deleveraging when OrderExecuted of its order says "
        "secondaryOrderType 1; AdlStateUpdated says when that is allowed. Liquidation fees and "
        "bad debt come from PositionFeesCollected and InsolventClose of the same order. Realised "
        "PnL is basePnlUsd, before fees and price impact; before release 2.2 the impact of the "
        "opening was in the size in tokens, and so is in it. Open "
        "interest is the venue's own total per market, collateral token and side, at entry "
        "prices. What the price impact of a position is computed by is SetUint and SetBool of "
        "Config. Fees are PositionFeesCollected (position, "
        "borrow and liquidation fee apart) and SwapFeesCollected at the venue's minimum price; of "
        "an insolvent close, fees and funding are those of PositionFeesInfo that were paid before "
        "the step at which InsolventClose says that it ran out; "
        "pools, affiliates and user interfaces are the supply side; of the fee receiver's 37 "
        "points stakers get 27, the treasury the rest. Funding is what traders paid when their "
        "position changed, and, below zero, what they could claim from then on, at the venue's "
        "minimum price; its rate is Funding, of the notional of the larger side, for the side "
        "whose FundingFeeAmountPerSizeUpdated precedes it; its cumulative ratio is the borrowing "
        "factor per market and side. "
        "Buybacks are BuybackFees in which GMX was bought, valued at the mid price of the token "
        "spent; bought GMX is distributed, not burnt. Oracle prices are those of every keeper "
        "transaction. Pool flows are deposits and withdrawals, one row per token (the pool's "
        "shares stand on the first), before what is paid out is swapped; share prices are dollars "
        "per share of a market "
        "whenever somebody enters or leaves it, and of a GLV vault when its value is updated, and "
        "so is what each manages. A vault holds shares of markets: what it manages is in what they "
        "manage, and in no sum of pools."
    ),
    left_out=(
        "What an insolvent close paid in part, or before release 2.1 (June 2024), when no step was "
        "named: PositionFeesCollected says zeros, and PositionFeesInfo what was due.",
        "Fees of a close that came in part in another token, which the pool takes whole, and its "
        "funding: PositionFeesCollected says zeros.",
        "Funding rates before Funding (early 2025): no event tells them. FundingFeesClaimed: a "
        "claim pays out what was counted when it accrued.",
        "InsufficientFundingFeePayment: what is missing was partly paid in another token, and "
        "part of it is in InsolventClose of the same order.",
        "LiquidationInfo of the beta of July 2023: it counts a rest of collateral, not a debt.",
        "Auto-deleveraging in the beta of July 2023: its OrderExecuted has no secondaryOrderType.",
        "Price impact and what its pools hold: no fee.",
        "Parameters of the price impact that a deployment wrote: its store has no events; they are "
        "known from its first SetUint on.",
        "Virtual inventories, by which a trade may pay more price impact, and the caps of what it "
        "gets back: depth by the impact of the market alone.",
        "Swap impact factors: they price deposits, withdrawals and swaps, not positions.",
        "Execution fees: they pay for gas.",
        "Accruals and claims of fees (ClaimableFeeAmountUpdated, FeesClaimed, UiFeesClaimed, "
        "affiliates' claims): they move what PositionFeesCollected and SwapFeesCollected counted.",
        "Buybacks of other tokens than GMX, which the treasury keeps, and fees that come in GMX: "
        "nothing is bought.",
        "The weekly distribution (FeeDistributionEvent): it gives away what was bought before, and "
        "moves it between chains.",
        "Liquidators: a keeper, whom no event of a position names.",
        "The split of what Botanix and MegaETH keep: not stated.",
        "Flows of pools before release 2.1 (June 2024): no event says their market or account; "
        "flows of GLV vaults: they are those of the markets below.",
        "GLV vaults as markets (GlvCreated, GlvMarketAdded): nothing is traded in one; what it is "
        "worth is read, and the markets below it are declared.",
        "Sizes and prices of synthetic tokens whose decimals are not declared, as on MegaETH: "
        "rejected by name, not guessed.",
        "Fee factors, which SetUint changes too: the split by holders' points is dated policy.",
    ),
    contracts=(
        *(
            Contract(chain, ABI, address, block, version="2", says={"holders": holders})
            for chain, address, block, holders in EMITTERS
        ),
        *(Contract(chain, "erc20/Token", token, block, version="2") for chain, token, block in GMX),
    ),
    events=(*POSITIONS, *IMPACT, *POOLS, *MONEY),
    reads=(TOKEN_SUPPLY,),
    policies=(
        # 27 of 37 points; in force before the first market.
        Policy(HOLDERS_SHARE, "0.729729729729729729", "2023-07-01", VOTE, "governance"),
        # Block 266096151 brought the first FeeHandler that buys back.
        Policy(HOLDERS_SHARE, "0.7297", "2024-10-21", CONFIG, "documentation"),
    ),
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in listed("gmx_v2_tokens")
    ),
    markets=tuple(
        Market(
            chain=chain_of(row["chain"]),
            market=row["market"],
            symbol=row["symbol"],
            index_token=row["index_token"] or None,
            long_token=row["long_token"],
            short_token=row["short_token"],
            asset_class=row["asset_class"],
        )
        for row in listed("gmx_v2_markets")
    ),
)
