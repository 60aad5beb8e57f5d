"""
GMX v1: perp DEX where traders face one pool of tokens (GLP), per chain one Vault.

Contracts  https://github.com/gmx-io/gmx-contracts (contracts/core/Vault.sol, contracts/oracle);
           routers and order books, with their first blocks, as in
           https://github.com/gmx-io/gmx-subgraph (gmx-arbitrum-referrals, gmx-avalanche-stats)
Split      70 % of fees to GLP, 30 % to stakers of GMX, nothing to a treasury:
           https://gmxio.substack.com/p/the-distribution-of-protocol-rewards (stakers are paid in
           bought-back GMX since 2024-10-30, in ETH and AVAX before). At first, on Arbitrum alone, a
           fifth bought GLP for the floor price fund and GLP had half; a vote before a trading
           competition gave GLP that fifth (gov.gmx.io, topic 176). In December 2021, before
           Avalanche began, it was 70 to 30: https://gmxio.substack.com/p/gmx-update-2
Units      USD, collateral and prices 1e30 flat; token amounts in token decimals; the cumulative
           borrow rate 1e6; the reference of PriceData as Chainlink answers, 1e8 (seen in block
           171362022). Collateral is kept in USD at the time of its deposit. CollectSwapFees
           of the Vault on Arbitrum carries tokens where its ABI says dollars, and the reverse: in
           block 171294311 the second amount is what Swap kept back, the third its worth. The
           Vault on Avalanche is of the repository's head, which has the order of the ABI.
Closes     A position that breaches nothing but the highest leverage is liquidated by a plain close
           (Vault.sol, liquidatePosition, state 2): DecreasePosition of the whole size with no
           collateral asked for, then ClosePosition. Its fee is below the 1 % of the size that a
           hundredfold leverage leaves, or the position would have breached more. Any other close
           says who ordered it, in the same transaction: PositionRouter or OrderBook; one that goes
           to the Vault directly pays 1 % or more (Timelock.sol, maxMarginFeeBasisPoints), and the
           partners who close through PositionManager, which says nothing, are listed
           (scripts/core/deployPositionManager.js). All this since the second PositionRouter, from
           whose first block on closes are told apart here.
"""

from indexer.chains import ARBITRUM, AVALANCHE
from indexer.protocols.gmx_v1.money import MONEY
from indexer.protocols.gmx_v1.positions import POSITIONS
from indexer.protocols.gmx_v1.prices import PRICES
from indexer.spec import (
    Contract,
    Discover,
    Market,
    Policy,
    Protocol,
    Token,
    chain_of,
    listed,
)

TOKENS = listed("gmx_v1_tokens")
FIRST_SPLIT = (
    "https://gov.gmx.io/t/"
    "proposal-for-reworked-fee-distribution-and-more-sustainable-protocol-growth/176"
)
SPLIT = "https://gmxio.substack.com/p/the-distribution-of-protocol-rewards"
ORDERERS = (
    (ARBITRUM, "PositionRouter", "0x3D6bA331e3D9702C5e8A8d254e5d8a285F223aba", 9_391_374),
    (ARBITRUM, "PositionRouter", "0xb87a436B93fFE9D75c5cFA7bAcFff96430b09868", 29_856_759),
    (ARBITRUM, "OrderBook", "0x09f77E8A13De9a35a7231028187e9fD5DB8a2ACB", 2_329_453),
    (AVALANCHE, "PositionRouter", "0x195256074192170d1530527abC9943759c7167d8", 13_065_036),
    (AVALANCHE, "PositionRouter", "0xffF6D276Bc37c61A23f06410Dce4A400f66420f8", 21_006_712),
    (AVALANCHE, "OrderBook", "0x4296e307f108B2f583FF2F7B7270ee7831574Ae5", 8_353_975),
)

PROTOCOL = Protocol(
    slug="gmx_v1",
    name="GMX v1",
    kind="perp",
    methodology=(
        "Position changes are IncreasePosition, DecreasePosition and LiquidatePosition of the "
        "Vault; a decrease realises what UpdatePnl says, before fees. Liquidations are "
        "LiquidatePosition, and, inferred, whole closes that nobody ordered: no execution by "
        "PositionRouter or OrderBook in the transaction, no collateral asked for, a fee below 1 % "
        "of the size, and no partner's; the collateral covered such a position's losses and fees, "
        "so its shortfall is zero. They are read so since October 2022 and count as trades before. "
        "Open interest is the running sum of size changes per index token and side. Fees "
        "are CollectMarginFees (position and borrow fee in one, not counted again from the "
        "position events) and CollectSwapFees (swaps, mints and redemptions of GLP), split 70/30 "
        "between GLP and stakers, and before December 2021 50/30/20 with the floor price fund, "
        "which counts as treasury. Funding is the cumulative borrow rate per token, which longs of "
        "it pay the pool; of a dollar token the shorts pay it that the token secures, of any "
        "market. Prices are those of the fast price feeds, and the reference prices these feeds "
        "compared them with. "
        "Pool flows are BuyUSDG and SellUSDG: tokens paid in, and paid out after fees; the "
        "account is who received: GlpManager when GLP is minted, and when it is redeemed whom the "
        "tokens were paid to. Buybacks from fees of v1 are counted where they happen, in GMX v2."
    ),
    left_out=(
        "Bad debt and profit or loss of LiquidatePosition: they need the average entry price, "
        "which stands in an earlier transaction's UpdatePosition only.",
        "Liquidations by a plain close before the second PositionRouter (October 2022): closes "
        "then said nothing about who ordered them, and count as trades.",
        "The day in late 2021 from which GLP had 70 % of the fees and not 50 %: none is published "
        "here, the first of December is assumed.",
        "Whether an inferred liquidation was one: closes that contracts made in the midst of an "
        "order of theirs, as in the attack of 2025-07-09, leave the same logs.",
        "Collateral that a decrease paid out, and that of an inferred liquidation: the events say "
        "what was asked for, not what left.",
        "Sizes in tokens: positions of the Vault have none.",
        "The fixed fee of who liquidates: the pool pays it, without an event.",
        "Totals of short interest by ShortsTracker: they repeat the Vault's changes.",
        "Votes on the fast price, and alarms over its deviation, which repeat PriceData.",
        "Rewards in ETH and AVAX to stakers before 2024-10: fees given away, not bought back.",
        "Swaps with the pool: no table holds trades of tokens; their fees are read.",
        "Who minted GLP (AddLiquidity of GlpManager).",
        "DirectPoolDeposit: gifts to the pool, with no account.",
        "The predecessor on BSC (Gambit): other events.",
    ),
    contracts=(
        Contract(
            ARBITRUM,
            "gmx_v1/Vault",
            "0x489ee077994B6658eAfA855C308275EAd8097C4A",
            225_000,
            to_block=29_856_758,
            says={"swap_fees": "tokens first"},
        ),
        Contract(
            ARBITRUM,
            "gmx_v1/Vault",
            "0x489ee077994B6658eAfA855C308275EAd8097C4A",
            29_856_759,
            says={"swap_fees": "tokens first", "closes": "told apart"},
        ),
        Contract(
            AVALANCHE,
            "gmx_v1/Vault",
            "0x9ab2De34A33fB459b538c43f251eB825645e8595",
            8_231_150,
            to_block=21_006_711,
        ),
        Contract(
            AVALANCHE,
            "gmx_v1/Vault",
            "0x9ab2De34A33fB459b538c43f251eB825645e8595",
            21_006_712,
            says={"closes": "told apart"},
        ),
        *(Contract(chain, f"gmx_v1/{abi}", at, block) for chain, abi, at, block in ORDERERS),
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
    events=(*POSITIONS, *MONEY, *PRICES),
    discoveries=(
        Discover("gmx_v1/FastPriceEvents", "PriceUpdate", "priceFeed", "gmx_v1/PriceFeed"),
    ),
    policies=(
        Policy("supply_side_share", "0.5", "2021-08-01", FIRST_SPLIT, "assumed"),
        Policy("treasury_share", "0.2", "2021-08-01", FIRST_SPLIT, "assumed"),
        Policy("supply_side_share", "0.7", "2021-12-01", SPLIT, "documentation"),
        Policy("treasury_share", "0", "2021-12-01", SPLIT, "documentation"),
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
