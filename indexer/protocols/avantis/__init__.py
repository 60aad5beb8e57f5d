"""
Avantis: synthetic leveraged trades against one USDC vault in two tranches, on Base.

Contracts  https://github.com/Avantis-Labs/avantis_trader_sdk (addresses, and the events before
           9bafe44; the first PairStorage as in https://pypi.org/project/avantis-trader-sdk/0.5.0/),
           https://github.com/Avantis-Labs/avantis-smart-contracts (source of May 2024);
           tranches by https://github.com/DefiLlama/DefiLlama-Adapters, a secondary source. The
           venue opened on 2024-01-27 in a block that is not established, so all are read from 0.
           Release 1.5 as in the contest https://audits.sherlock.xyz/contests/485, the one before
           as in a copy (https://github.com/jenster112/avaContract, 578a28e): secondary sources.
           The second version: https://sdk.avantisfi.com/migration/direct-integrators
           AVNT's address by https://github.com/DefiLlama/DefiLlama-Adapters, a secondary source.
Split      Opening fees, less what the referrer gets (TradeReferred), leave vaultFeeP = 20 % to
           governance and developers in equal parts, the rest to the vault (TradingStorage.sol,
           handleDevGovFees). It is the contract's default, which FeeUpdated may have changed
           since, so assumed. DefiLlama books all to the vault. Margin fees are the liquidity
           providers' whole, and 30 % of all others but those of liquidations buy AVNT, to be burnt
           (https://docs.avantisfi.com/avnt-token/usdavnt-buyback-and-burn.): since when, and what
           vaultFeeP is since then, is not told.
Units      USDC 1e6; prices, leverage and percentages 1e10, percentProfit 1e10 of a percent;
           rollover per unit of open interest 1e6 in the first release, 1e10 since (PairInfos.sol,
           getTradeRolloverFeePure). What events call positionSizeUSDC is the collateral. Dollars
           are USDC, as the venue counts them.

Three releases of MarketExecuted and LimitExecuted end in a time, in nothing and in isPnl. Two
events of two contracts are called FeesCharged: that of the storage is the fee of an opening, that
of PairInfos what a closing pays. Should the storage repeat a closing's fee, that row is left out:
it is not read where the execution that follows is a closing.
"""

from indexer.chains import BASE
from indexer.protocols.avantis.fees import FEES, STORAGE, TRADING
from indexer.protocols.avantis.trades import BY_RELEASE, CALLBACKS, PAIR_INFOS, TRADES, USDC
from indexer.spec import (
    BURNT,
    DEAD_ADDRESS,
    TOKEN_SUPPLY,
    Call,
    Companion,
    Const,
    Contract,
    Emitter,
    Event,
    Exists,
    Fixed,
    Int,
    IsTrue,
    Neg,
    Nonzero,
    OfMarket,
    Policy,
    Protocol,
    Read,
    Seconds,
    Token,
    Value,
    When,
)

ERC20, AVNT = "erc20/Token", "0x696f9436b67233384889472cd7cd58a6fb5df4f1"
PAIRS = "avantis/PairStorage"
PRICES, TRANCHE = "avantis/PriceAggregator", "avantis/Tranche"
CONTRACTS = (
    (CALLBACKS, "0x0C16ff40065Cc3Ab4bc55B60E447504AFB9C7970"),
    (STORAGE, "0x8a311D7048c35985aa31C131B9A13e03a5f7422d"),
    (TRADING, "0x5FF292d70bA9cD9e7CCb313782811b3D7120535f"),
    (TRADING, "0x44914408af82bC9983bbb330e3578E1105e11d4e"),
    (PAIR_INFOS, "0x81F22d0Cc22977c91bEfE648C9fddf1f2bd977e5"),
    (PAIRS, "0x92Ed158d5e423CFdc9eed5Bd7328FFF7CeD6fF94"),  # the first, until early 2025
    (PAIRS, "0x5db3772136e5557EFE028Db05EE95C84D76faEC4"),
    (PRICES, "0x64e2625621970F8cfA17B294670d61CB883dA511"),
    (TRANCHE, "0x944766f715b51967E56aFdE5f0Aa76cEaCc9E7f9"),  # junior
    (TRANCHE, "0x83084cB182162473d6FEFfCd3Aa48BA55a7B66F7"),  # senior
)

PRICE: dict[str, Value] = {
    "feed": "pairIndex",
    "asset": OfMarket("pairIndex", "symbol"),
    "quote": OfMarket("pairIndex", "quote"),
    "oracle_price_quote": Fixed("price", 10),
    "round_id": "orderId",
}
FLOW: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner",
    "asset_token": Const(USDC),
    "asset_tokens": Fixed("assets", 6),
    "share_tokens": Fixed("shares", 6),
}

# What is stored per unit of open interest has other decimals since the first release, in the same
# event: the execution that it is stored for says which release it is.
ROLLOVER_DECIMALS = {"1": 6, "1.x": 10, "1.5": 10}
TOLD_BY = {
    release: Companion(
        executed, "t.pairIndex", {"pairIndex": "t.pairIndex"}, "after", abi=CALLBACKS
    )
    for release, executed in BY_RELEASE.items()
}

# Shares carry USDC's decimals, so assets for 1e18 of the smallest share give all 18 places.
PRICES_OF_SHARES = (
    Read(
        name="share_price",
        abi=TRANCHE,
        calls=(Call("convertToAssets", (Int(10**18),)), Call("totalSupply")),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            "pool": Emitter(),
            "asset_token": Const(USDC),
            "share_price_tokens": Fixed("convertToAssets", 18),
            "supply_tokens": Fixed("totalSupply", 6),
        },
    ),
)

PROTOCOL = Protocol(
    slug="avantis",
    name="Avantis",
    kind="perp",
    methodology=(
        "Trades and liquidations are MarketExecuted and LimitExecuted (order type 2) of three "
        "releases, with notional = collateral x leverage; profit is that of the price, before "
        "fees and loss protection. Open interest is the running sum of OIUpdated. Fees are the "
        "storage's FeesCharged (openings; what the referrer leaves is split 80/20 between vault "
        "and treasury by assumption, and referrers are supply side) and PairInfos' FeesCharged "
        "(closing or liquidation fee, or the share of its profit that a zero-fee trade pays: "
        "supply side before release 1.5, of unknown split since; and rollover, supply side), and "
        "the rollover that is settled when margin is moved, supply side. Buybacks are transfers of "
        "AVNT to the dead address, assumed, as the venue says no more than that it burns what it "
        "buys. Oracle prices are PriceReceived and its "
        "Chainlink check. Funding is the cumulative rollover per side, as executions store it. "
        "Pool flows are deposits into and withdrawals from both tranches, whose share prices are "
        "read once a day."
    ),
    left_out=(
        "Everything from the second version on (2026-08-12; the venue is Veranta since September): "
        "its events are not published. It took the place of the first at the same addresses, with "
        "all positions, so that what was open then may stay open here for ever.",
        "Execution prices of pairs that are not quoted in dollars: they are in the quote.",
        "First blocks: not established, so every contract is read from block 0.",
        "Open interest before OIUpdated: the May 2024 release has no event for it. What was open "
        "when it began is missing from the sum, which its closings then push below the truth.",
        "Opening and closing fees of the first release, and what its referrers got: its storage "
        "logs no fee, and its FeesCharged says the rollover alone.",
        "Who gets fees of the first release, and closing fees from 1.5 on: governance gets a fifth "
        "after referrer and keeper, no event says the keeper's part where a trade pays a share of "
        "its profit (isPnl), and the venue says that liquidation fees are the treasury's.",
        "FeesClaimed, RewardsAllocated, RewardsDistributed: fees and losses above, moved.",
        "Stops and market closes that paid nothing: they count as trades. The fee of the close may "
        "be what left nothing, a liquidation may pay a loss rebate, and from which loss on the "
        "venue liquidates was changed since and is in no event of the close.",
        "Rollover that is stored when margin is moved or a rate is set: no execution says its "
        "decimals, and the next of the pair stores it again.",
        "Discounts of referred traders: already taken off the fee that is logged, as is, before "
        "release 1.5, what their referrers got.",
        "What referrers get of closing fees: how these are split is not told.",
        "Collateral that MarginUpdated moves: it has the new collateral and not the change.",
        "What AVNT was bought for: the buyback's keeper draws USDC (BuybackFeeClaimed) and buys "
        "elsewhere. AVNT burnt at another address than the dead one, unless settings name it "
        "(`[[wallets]]`).",
        "Rolls of pairs on futures (RollAdjustmentDone), known by copies of a late release alone: "
        "the rollover that they settle and the size of a position that they change. The open "
        "interest that they change is read.",
        "Bad debt and ADL: no event, or none at all.",
    ),
    contracts=(
        *(Contract(BASE, abi, address, 0) for abi, address in CONTRACTS),
        Contract(BASE, ERC20, AVNT, 0, only={"to": (DEAD_ADDRESS,)}),
    ),
    events=(
        *(
            Event(
                abi=PAIRS,
                name=name,
                into="markets",
                columns={
                    "market": index,
                    "symbol": "from",
                    "quote": "to",
                    "asset_class": Const("unknown"),
                    "known_by": Const("event"),
                },
            )
            # PairAdded of the second PairStorage, of another shape, has no names: told apart.
            for name, index in (("PairAdded", "index"), ("PairDataUpdated", "pairIndex"))
        ),
        *TRADES,
        *(
            Event(
                abi=STORAGE,
                name="OIUpdated",
                into="open_interest",
                columns={
                    "market": "_pairIndex",
                    "is_long": "_long",
                    "open_interest_delta_usd": Fixed(
                        When(IsTrue("_open"), "_leveragedPos", Neg("_leveragedPos")), 6
                    ),
                },
            ),
        ),
        *FEES,
        Event(PRICES, "PriceReceived", "oracle_updates", {**PRICE, "provider": Const("pyth")}),
        Event(
            abi=PRICES,
            name="BackupPriceReceived",
            into="oracle_updates",
            columns={**PRICE, "feed": Emitter(), "provider": Const("chainlink")},
        ),
        *(
            Event(
                abi=PAIR_INFOS,
                name="AccRolloverFeesStored",
                into="funding",
                columns={
                    "market": "pairIndex",
                    "is_long": Const(is_long),
                    "funding_rate_cumulative_ratio": Fixed(value, ROLLOVER_DECIMALS[release]),
                },
                where=(Exists(told),),
                version=release,
            )
            for release, told in TOLD_BY.items()
            for value, is_long in (("valueLong", True), ("valueShort", False))
        ),
        *(
            Event(TRANCHE, name, "pool_flows", {**FLOW, "kind": Const(kind)})
            for name, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
        ),
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns=BURNT,
            where=(Nonzero("value"),),
            evidence="assumed",
        ),
    ),
    reads=(*PRICES_OF_SHARES, TOKEN_SUPPLY),
    policies=(
        Policy(
            kind="treasury_share",
            value="0.2",
            valid_from="2024-01-27",
            source=(
                "https://github.com/Avantis-Labs/avantis-smart-contracts/blob/main/src/"
                "TradingCallbacks.sol"
            ),
            basis="assumed",
        ),
    ),
    tokens=(Token(BASE, USDC, "USDC", 6), Token(BASE, AVNT, "AVNT", 18)),
)
