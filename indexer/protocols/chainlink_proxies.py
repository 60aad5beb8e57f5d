"""
Chainlink's proxies: what those who rely on a feed are answered, whichever aggregator is behind it.

Contracts  proxies from bgd-labs/aave-address-book (Chainlink*.sol) and duneanalytics/spellbook
           (chainlink price_feeds_oracle_addresses), by the names given there.
Split      none.
Units      answers in the decimals that the proxy states in the same block. A round's number is the
           proxy's: phase * 2^64 + the aggregator's round.
Uptime     as in `chainlink`: 0 up, 1 down, in DOWN; observed when the status changed last.

Proxies of version 0.6 log nothing, and most feeds of Ethereum stand behind one. So they are asked:
prices once a day, sequencers once an hour. First blocks are not known; before there is a proxy,
there is no answer.
"""

from indexer.spec import (
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Emitter,
    Feed,
    Fixed,
    Nonzero,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Time,
    Value,
    chain_of,
    listed,
)

PRICE, UPTIME = "chainlink_proxies/Proxy", "chainlink_proxies/UptimeFeed"
PROXIES = listed("chainlink_proxies")
SAID: dict[str, Value] = {
    "feed": Emitter(),
    "asset": OfContract("asset"),
    "quote": OfContract("quote"),
    "round_id": "latestRoundData.roundId",
    "provider": Const("chainlink"),
}

PROTOCOL = Protocol(
    slug="chainlink_proxies",
    name="Chainlink proxies",
    kind="oracle",
    methodology=(
        "What each listed proxy answers at the first block of each UTC day, and each sequencer's "
        "uptime feed at the first block of each hour. Answers between are in chainlink, as far as "
        "aggregators are known."
    ),
    left_out=(
        "Rounds between two readings: no log of the proxy tells them.",
        "The currency or unit of feeds whose name says no quote, as in chainlink.",
        "Which aggregator answered: its address fits no column.",
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=UPTIME if row["kind"] == "uptime" else PRICE,
            address=row["address"],
            from_block=0,
            says={"asset": row["asset"], "quote": row["quote"]},
        )
        for row in PROXIES
    ),
    events=(),
    reads=(
        Read(
            name="price",
            abi=PRICE,
            calls=(Call("latestRoundData"), Call("decimals")),
            every=Seconds(86_400),
            into="oracle_updates",
            columns={
                **SAID,
                "oracle_price_quote": Fixed("latestRoundData.answer", DecimalsSaid("decimals")),
                "observed_at": Time("latestRoundData.updatedAt"),
            },
            where=(Nonzero("latestRoundData.updatedAt"),),
        ),
        Read(
            name="uptime",
            abi=UPTIME,
            calls=(Call("latestRoundData"),),
            every=Seconds(3_600),
            into="oracle_updates",
            columns={
                **SAID,
                "oracle_price_quote": Fixed("latestRoundData.answer", 0),
                "observed_at": Time("latestRoundData.startedAt"),
            },
            where=(Nonzero("latestRoundData.startedAt"),),
        ),
    ),
    feeds=tuple(
        Feed(
            chain=chain_of(row["chain"]),
            feed=row["address"],
            name=row["name"],
            asset=row["asset"],
            quote=row["quote"],
            kind=row["kind"],
            heartbeat_seconds=int(row["heartbeat_seconds"]) if row["heartbeat_seconds"] else None,
            threshold_bps=int(row["threshold_bps"]) if row["threshold_bps"] else None,
            source="alchem-link" if row["heartbeat_seconds"] else None,
            basis="assumed" if row["heartbeat_seconds"] else None,
        )
        for row in PROXIES
    ),
)
