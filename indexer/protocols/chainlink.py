"""
Chainlink data feeds: aggregators that post a signed answer when it moved or its heartbeat is due.

Contracts  aggregators behind the feed proxies of https://docs.chain.link/data-feeds/price-feeds,
           as listed in duneanalytics/spellbook (chainlink price_feeds_oracle_addresses). The list
           holds known phases, not all; first blocks are not known, so every window starts at 0.
Split      none.
Units      answers in the feed's own decimals, signed; updatedAt unix seconds.

Logs come from the aggregator, never from the proxy. An aggregator that is not listed is not read:
its topic is shared with other oracles and its decimals are unknown. Left out: feeds whose name
says no quote (proof of reserve, floor prices in no unit, indexes), Fantom, rounds' observation time
(NewTransmission), and DataFeedsCache, where many feeds share one emitter.
"""

from indexer.spec import (
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    OfContract,
    Protocol,
    Time,
    chain_of,
    listed,
)

PROTOCOL = Protocol(
    slug="chainlink",
    name="Chainlink",
    kind="oracle",
    methodology=(
        "Oracle updates are AnswerUpdated of the listed aggregators, scaled by each feed's "
        "decimals. Aggregators that are not listed are not read."
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi="chainlink/Aggregator",
            address=row["address"],
            from_block=0,
            says={
                "asset": row["asset"],
                "quote": row["quote"],
                "decimals": int(row["decimals"]),
            },
        )
        for row in listed("chainlink")
    ),
    events=(
        Event(
            abi="chainlink/Aggregator",
            name="AnswerUpdated",
            into="oracle_updates",
            columns={
                "feed": Emitter(),
                "asset": OfContract("asset"),
                "quote": OfContract("quote"),
                "oracle_price_quote": Fixed("current", OfContract("decimals")),
                "observed_at": Time("updatedAt"),
                "round_id": "roundId",
                "provider": Const("chainlink"),
            },
        ),
    ),
)
