"""
Synthetix futures v1 and perps v2: traders face the debt pool of SNX stakers, a market per asset.

Contracts  https://github.com/Synthetixio/synthetix (publish/deployed/mainnet-ovm/deployment.json):
           perps v2 logs at its proxies, whatever contract behind them speaks; markets of both
           generations are announced by their managers, of which the first, of March 2022, is
           replaced in its versions.json. It is read from block 4,000,000, which is older: Aave's
           pool of that month is at block 4,365,693. First blocks of perps v2's markets are not
           known, so their windows start with the manager of their time.
Split      fees, and deposits of cancelled orders, go to the fee pool: SNX stakers claimed them, and
           since SIP-255 the sUSD is burned and lowers their debt:
           https://sips.synthetix.io/sips/sip-255/ (the fee pool that burns was deployed on
           2023-02-15). Perps v2 takes no deposit since April 2023 (SIP-2004). Keepers' parts of a
           liquidation are third parties': supply side; what a liquidated position had left goes to
           the fee pool.
Units      1e18 throughout; sizes in units of the base asset, negative for shorts; a dollar is an
           sUSD.

PositionModified is also emitted for moved margin, pending orders, flags and liquidations; the size
of the trade is zero there and the price is the oracle's, but for orders of perps v2, which say what
they would fill at (PerpsV2MarketDelayedIntent.sol, PerpsV2MarketDelayedExecution.sol). In futures
v1 three arguments of PositionLiquidated are topics, in the first perps v2 none, under one hash:
their number decides.
"""

from indexer.chains import OPTIMISM
from indexer.protocols.synthetix_v2.liquidations import LIQUIDATIONS
from indexer.protocols.synthetix_v2.trades import TRADES
from indexer.protocols.synthetix_v2.values import MANAGER, MARKET, SUSD
from indexer.spec import (
    Ascii,
    Const,
    Contract,
    Discover,
    Event,
    Market,
    Policy,
    Protocol,
    Token,
    listed,
    upgraded,
)

FUTURES_MANAGER = 4_000_000
FIRST_MANAGER, SECOND_MANAGER = 52_456_507, 86_524_190  # the blocks they are known from
PROXIES = listed("synthetix_v2_proxies")

PROTOCOL = Protocol(
    slug="synthetix_v2",
    name="Synthetix futures v1 and perps v2",
    kind="perp",
    methodology=(
        "Position changes are PositionModified with a trade, at its fill price, and "
        "PositionLiquidated; a trade that turns a long into a short is two changes. Liquidations "
        "are PositionLiquidated, of the whole position at the oracle's price, with keepers' and "
        "stakers' parts as their fee. Open interest is the running sum of size changes per market "
        "and side, in units of the base asset. Fees are those of trades and the deposits of orders "
        "that were removed without a trade (NextPriceOrderRemoved, DelayedOrderRemoved), all of "
        "them SNX stakers', and those of liquidations; the order's keeper is paid apart and not "
        "counted. "
        "Oracle prices are those of PositionModified without a trade, after which the transaction "
        "neither submits nor removes an order of the account (DelayedOrderSubmitted, "
        "DelayedOrderRemoved). A dollar is an sUSD, which the venue takes at par."
    ),
    left_out=(
        "Bad debt and the profit of a trade: no event has them, and both need the margin, price "
        "and funding index at which the position was last changed.",
        "What is left of the margin of a liquidated position before April 2023: it goes to the fee "
        "pool in no event of the market.",
        "Open interest in dollars: the markets announce sizes, not what they are worth later.",
        "Margin moved in and out (MarginTransferred) and margin left: neither is a change of "
        "exposure.",
        "PerpsTracking and FuturesTracking: they repeat the fee of orders with a front end's code.",
        "Orders beyond deposits that were kept, and flags (PositionFlagged): nothing is traded by "
        "them, and keepers' fees for orders pay for gas.",
        "Funding of futures v1: FundingRecomputed says what a unit has accrued in dollars, not the "
        "rate; that of single accounts is in no event of either generation.",
        "MarketRemoved: a removed market emits nothing that is read, so it needs no end.",
        "Who stands behind an account: Kwenta's two SmartMarginFactories say it (NewAccount: "
        "creator and account), and the table of accounts holds names that declarations state, no "
        "owners that logs tell.",
    ),
    contracts=(
        Contract(OPTIMISM, MANAGER, "0xc704c9AA89d1ca60F67B3075d05fBb92b3B00B3B", FUTURES_MANAGER),
        Contract(OPTIMISM, MANAGER, "0xdb89f3fc45A707Dd49781495f77f8ae69bF5cA6e", FIRST_MANAGER),
        Contract(
            OPTIMISM,
            MANAGER,
            "0xd30bdFd7e7a65fE109D5dE1D4e95F3B800FB7463",
            SECOND_MANAGER,
            version="2",
        ),
        *(
            Contract(OPTIMISM, MARKET, row["address"], FIRST_MANAGER, version="2")
            for row in PROXIES
        ),
    ),
    discoveries=(Discover(MANAGER, "MarketAdded", child="market", child_abi=MARKET),),
    events=(
        Event(
            abi=MANAGER,
            name="MarketAdded",
            into="markets",
            columns={
                "market": "market",
                "symbol": Ascii("asset"),
                "asset_class": Const("unknown"),
                "quote": Const("USD"),
                "known_by": Const("event"),
            },
        ),
        *TRADES,
        *LIQUIDATIONS,
        # Of perps v2, whose code is several contracts, once for each; of futures v1.
        *upgraded(MARKET, name="TargetedRouteAdded", implementation="targetedRoute"),
        *upgraded(MARKET, name="TargetUpdated", implementation="newTarget"),
    ),
    policies=(
        Policy(
            kind="holders_share",
            value="1",
            valid_from="2022-03-01",  # the month of launch
            source="https://github.com/Synthetixio/synthetix (FuturesMarketManager.payFee)",
            basis="documentation",
        ),
        Policy(
            kind="holders_share",
            value="1",
            valid_from="2023-02-15",  # burned from here on, claimed before
            source="https://sips.synthetix.io/sips/sip-255/",
            basis="governance",
        ),
    ),
    tokens=(Token(OPTIMISM, SUSD, "sUSD", 18),),
    markets=tuple(
        Market(OPTIMISM, row["address"], row["symbol"], asset_class=row["asset_class"], quote="USD")
        for row in PROXIES
    ),
)
