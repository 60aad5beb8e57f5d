"""
Synthetix v3 perps: cross-margined accounts (numbered NFTs) trade against liquidity providers.

Contracts  https://github.com/Synthetixio/synthetix-v3 (markets/perps-market, auxiliary/BuybackSnx):
           one PerpsMarketProxy per chain for all markets; npm @synthetixio/v3-contracts; SNX itself
           is ProxyERC20 of https://github.com/Synthetixio/synthetix (publish/deployed/mainnet),
           read from a month before the first contract on Base; the block is not confirmed.
Split      each settlement says what the fee collector and referrers got; the rest is the
           liquidity providers', and so is all interest (AsyncOrderSettlementPythModule.sol shares
           out order fees alone). On Base the collector is the contract that buys SNX back and
           burns it: https://sips.synthetix.io/sips/sip-345/ and, both addresses of it,
           https://github.com/Synthetixio/data (indexers/base-mainnet/squidgen.yaml). A release
           that was mended in October 2024 paid both and logged zeros; which blocks ran it is not
           known: https://github.com/Synthetixio/synthetix-v3/pull/2329
Units      1e18 throughout; sizes in units of the base asset, negative for shorts

The margin of a flag is profit, debt and collateral, at the discount that margin counts it at
(PerpsAccount.sol, getAvailableMargin). A flag's reward is part of the first attempt's
(LiquidationModule.sol), as is that of AccountMarginLiquidation, so neither is read: the attempt
says what a keeper got in all.
"""

from indexer.chains import ARBITRUM, BASE, ETHEREUM
from indexer.protocols.synthetix_v3.money import MONEY
from indexer.protocols.synthetix_v3.positions import POSITIONS
from indexer.protocols.synthetix_v3.values import BUYBACK, HOME_SNX, PERPS, SNX
from indexer.spec import HOME_SUPPLY, Const, Contract, Event, Protocol, Token, upgraded

PROTOCOL = Protocol(
    slug="synthetix_v3",
    name="Synthetix v3 perps",
    kind="perp",
    methodology=(
        "Position changes are OrderSettled and PositionLiquidated; a settlement that turns a long "
        "into a short is two changes. Profit or loss is that of the position before the "
        "settlement, without funding, interest and fees. A liquidation takes its price, and where "
        "the position is gone its side, from the MarketUpdated right before it; large positions "
        "are liquidated in several steps, a row each. Bad debt is a negative margin at the moment "
        "an account is flagged: at most that where collateral is no dollar, and counted at a "
        "discount. Open interest follows from the size and skew of a market, marked "
        "at its oracle price. Fees are the order fees of OrderSettled without the settler's "
        "reward, and InterestCharged; referrers and liquidity providers are the supply side; the "
        "collected part of order fees goes to holders on Base, where it buys SNX to burn, and to "
        "an unknown receiver on Arbitrum. What an attempt to liquidate an account pays its keeper "
        "is a liquidation fee of the account, of no single market; keepers are third parties: "
        "supply side. SNX's supply is read on Ethereum at the first block of each UTC day and told "
        "under the address it is bought as on Base; what is burned there stays in the bridge, and "
        "in the supply."
    ),
    left_out=(
        "A liquidation's own fee and collateral: the keeper is paid and the margin seized once per "
        "account, over several markets, and no event says how much was seized.",
        "The split of order fees where a settlement names no part of the collector and none of a "
        "referrer: one release logged zeros and paid, so these zeros are not known to be true.",
        "Rewards of settlers: they pay for gas.",
        "Interest and funding of liquidated positions: no event has them.",
        "Deposits and withdrawals of margin (CollateralModified), debt (AccountCharged, DebtPaid): "
        "an account's margin belongs to no position and to no pool.",
        "The interest rate of MarketUpdated and InterestRateUpdated: it is no funding rate, and "
        "what was paid of it is in the fees.",
        "What AccountMarginLiquidation seizes, and against which debt: no event has the debt.",
        "What the fee collector does with its part on Arbitrum: no source says it.",
        "The owner of an account: accounts are NFTs, and no table holds their owners.",
        "AccountLiquidated, the attempt's earlier name: no deployed contract is known to emit it.",
    ),
    contracts=(
        Contract(
            BASE,
            PERPS,
            "0x0A2AF931eFFd34b81ebcc57E3d3c9B1E1dE1C9Ce",
            7_500_000,
            version="3",
            says={"collector": "buyback"},
        ),
        Contract(
            ARBITRUM,
            PERPS,
            "0xd762960c31210Cf1bDf75b06A5192d395EEDC659",
            218_000_000,
            version="3",
            says={"collector": "unknown"},
        ),
        Contract(
            BASE, BUYBACK, "0x53f1E640C058337a12D036265681bC172e6fB962", 7_500_000, version="3"
        ),
        Contract(
            BASE, BUYBACK, "0x632cAa10A56343C5e6C0c066735840c096291B18", 7_500_000, version="3"
        ),
        Contract(
            ETHEREUM,
            "erc20/Token",
            HOME_SNX,
            18_500_000,
            version="3",
            says={"bought_as": SNX},
        ),
    ),
    events=(
        Event(
            abi=PERPS,
            name="MarketCreated",
            into="markets",
            columns={
                "market": "perpsMarketId",
                "symbol": "marketSymbol",
                "asset_class": Const("unknown"),
                "quote": Const("USD"),
                "known_by": Const("event"),
            },
        ),
        *POSITIONS,
        *MONEY,
        *upgraded(PERPS),
    ),
    reads=(HOME_SUPPLY,),
    tokens=(Token(BASE, SNX, "SNX", 18), Token(ETHEREUM, HOME_SNX.lower(), "SNX", 18)),
)
