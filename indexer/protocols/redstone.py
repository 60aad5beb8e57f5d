"""
RedStone's push feeds: one adapter per chain that relayers write many values into, and some
contracts that are adapter and feed of one value ("merged").

Contracts  adapters and ids from redstone-finance/redstone-oracles-monorepo
           (packages/relayer-remote-config/main/relayer-manifests-multi-feed, Optimism's from
           fallback beside it; the merged ones of Spiko's funds from relayer-manifests,
           ethereumSpkccNav and ethereumEurspkccNav). First blocks are not known: windows start
           at 0.
Split      none.
Units      8 decimals, as PriceFeed contracts state and by convention; an id without a quote is a
           price in dollars. updatedAt is the second of the block that wrote it. A merged adapter
           logs the value it stored (MergedPriceFeedAdapterWithRounds, EthereumMergedAdapterWith-
           RoundsSpkccNavV1), which queries on Dune that value the funds read in 8 decimals too.
Kinds      wstETH/stETH and ids of fundamental values that end in /USD are what a contract or fund
           pays, not what is traded: https://docs.redstone.finance/docs/data/data-types. That of
           BUIDL is a net asset value by the same page, those of Securitize's other funds by
           tradingstrategy-ai/web3-ethereum-defi (eth_defi/securitize), which reads them in 8
           decimals, and that of iBENJI by
           https://stellarindex-showcase.pages.dev/research/adr/0028/. A net asset value is of an
           asset that no token is, and has NAV for a quote, as those of Chainlink do.
Due        the manifests' time since the last update and deviation, in whole basis points: none
           where any change at all is written.

The id is text in 32 bytes and not indexed, so all of an adapter's logs are fetched, and those of
other ids are passed over. A feed is its id: the chain has one adapter of it. The feed of a merged
adapter is its address.
"""

from indexer.spec import (
    Ascii,
    Const,
    Contract,
    Emitter,
    Event,
    Feed,
    Fixed,
    Lookup,
    OfContract,
    OneOf,
    Protocol,
    Time,
    chain_of,
    listed,
)

FEEDS = listed("redstone")
MERGED = listed("redstone_merged")
NAMED = {"price": "/{}", "exchange_rate": "/{} EXCHANGE RATE", "nav": ""}
ID = Ascii("dataFeedId")

PROTOCOL = Protocol(
    slug="redstone",
    name="RedStone",
    kind="oracle",
    methodology=(
        "Oracle updates are ValueUpdate of the listed adapters, for ids that are a token in "
        "dollars, a pair or the net asset value of a fund, and AnswerUpdated of the two merged "
        "adapters of Spiko's funds (SPKCC NAV, EURSPKCC NAV), in 8 decimals."
    ),
    left_out=(
        "Other ids of fundamental values, rates, accruals, reserves, funds and bonds: what they "
        "are counted in is not stated. USDC_V2, USDT_V2 and PRIME_ECHELON on Ethereum: how they "
        "differ from the token's own price is not.",
        "Other merged adapters, which log AnswerUpdated as Chainlink does: the manifests name some "
        "(weETH and pufETH/ETH on Ethereum, eUSD on Base), but not whether they log.",
        "When data was signed: the event has the block's time only. A feed refuses values older "
        "than 30 hours.",
        "Ids that adapters no longer write, or write only since the stored manifests.",
        "The second adapter of a chain, which repeats ids of the first for one user (HyperLend on "
        "HyperEVM, Lista on BNB Chain), and Monad and MegaETH, where several adapters write one "
        "id: a feed is named by its id.",
    ),
    contracts=(
        *(
            Contract(chain_of(chain), "redstone/MultiFeedAdapter", adapter, 0)
            for chain, adapter in sorted({(row["chain"], row["adapter"]) for row in FEEDS})
        ),
        *(
            Contract(
                chain_of(row["chain"]),
                "redstone/MergedAdapter",
                row["address"],
                0,
                says={"asset": row["asset"]},
            )
            for row in MERGED
        ),
    ),
    events=(
        Event(
            abi="redstone/MultiFeedAdapter",
            name="ValueUpdate",
            into="oracle_updates",
            columns={
                "feed": ID,
                "asset": Lookup(ID, {row["id"]: row["asset"] for row in FEEDS}),
                "quote": Lookup(ID, {row["id"]: row["quote"] for row in FEEDS}),
                "oracle_price_quote": Fixed("value", 8),
                "observed_at": Time("updatedAt"),
                "provider": Const("redstone"),
            },
            where=(OneOf(ID, tuple(sorted({row["id"] for row in FEEDS}))),),
        ),
        Event(
            abi="redstone/MergedAdapter",
            name="AnswerUpdated",
            into="oracle_updates",
            columns={
                "feed": Emitter(),
                "asset": OfContract("asset"),
                "quote": Const("NAV"),
                "oracle_price_quote": Fixed("current", 8),
                "observed_at": Time("updatedAt"),
                "round_id": "roundId",
                "provider": Const("redstone"),
            },
        ),
    ),
    feeds=(
        *(
            Feed(
                chain=chain_of(row["chain"]),
                feed=row["id"],
                name=row["asset"] + NAMED[row["kind"]].format(row["quote"]),
                asset=row["asset"],
                quote=row["quote"],
                kind=row["kind"],
                heartbeat_seconds=int(row["heartbeat_seconds"]),
                threshold_bps=int(row["threshold_bps"]),
                source="redstone-finance/redstone-oracles-monorepo",
                basis="documentation",
            )
            for row in FEEDS
        ),
        *(
            Feed(
                chain=chain_of(row["chain"]),
                feed=row["address"],
                name=row["id"],
                asset=row["asset"],
                quote="NAV",
                kind="nav",
                heartbeat_seconds=int(row["heartbeat_seconds"]),
                source="redstone-finance/redstone-oracles-monorepo",
                basis="documentation",
            )
            for row in MERGED
        ),
    ),
)
