"""
RedStone's push feeds: one adapter per chain that relayers write many values into.

Contracts  adapters and ids from redstone-finance/redstone-oracles-monorepo
           (packages/relayer-remote-config/main/relayer-manifests-multi-feed). First blocks are not
           known: windows start at 0.
Split      none.
Units      8 decimals, as PriceFeed contracts state and by convention; an id without a quote is a
           price in dollars. updatedAt is the second of the block that wrote it.
Due        the manifests' time since the last update and deviation, in whole basis points.

The id is text in 32 bytes and not indexed, so all of an adapter's logs are fetched, and those of
other ids are passed over. A feed is its id: the chain has one adapter of it.
"""

from indexer.spec import (
    Ascii,
    Const,
    Contract,
    Event,
    Feed,
    Fixed,
    Lookup,
    OneOf,
    Protocol,
    Time,
    chain_of,
    listed,
)

FEEDS = listed("redstone")
ID = Ascii("dataFeedId")

PROTOCOL = Protocol(
    slug="redstone",
    name="RedStone",
    kind="oracle",
    methodology=(
        "Oracle updates are ValueUpdate of the listed adapters, for ids that are a token in "
        "dollars or a pair, in 8 decimals."
    ),
    left_out=(
        "Ids of fundamental values, rates, accruals, funds and bonds: what they are counted in is "
        "not stated.",
        "Merged adapters, which log AnswerUpdated as Chainlink does: no list of them was found.",
        "When data was signed: the event has the block's time only. A feed refuses values older "
        "than 30 hours.",
        "Adapters of other chains than Ethereum, Base and Arbitrum.",
    ),
    contracts=tuple(
        Contract(chain_of(chain), "redstone/MultiFeedAdapter", adapter, 0)
        for chain, adapter in sorted({(row["chain"], row["adapter"]) for row in FEEDS})
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
    ),
    feeds=tuple(
        Feed(
            chain=chain_of(row["chain"]),
            feed=row["id"],
            name=f"{row['asset']}/{row['quote']}",
            asset=row["asset"],
            quote=row["quote"],
            heartbeat_seconds=int(row["heartbeat_seconds"]),
            threshold_bps=int(row["threshold_bps"]),
            source="redstone-finance/redstone-oracles-monorepo",
            basis="documentation",
        )
        for row in FEEDS
    ),
)
