"""
Chainlink data feeds: aggregators that post a signed answer when it moved or its heartbeat is due.

Contracts  proxies and aggregators from duneanalytics/spellbook (chainlink
           price_feeds_oracle_addresses) and bgd-labs/aave-address-book (Chainlink*.sol); 138
           aggregators more by integrators' lists of 2022 and 2023, which agree with spellbook on
           all 128 addresses that both have, three of ETH/USD and BTC/USD by several
           integrations of 2025, and two of Spiko's funds, which indexers and queries on Dune name
           alike. No list holds all phases of a feed, and no first block is known,
           so every window starts at 0.
Split      none.
Units      answers in the feed's own decimals, signed; updatedAt unix seconds. Where nobody states
           the decimals, the aggregator is asked for them.
Uptime     a sequencer's feed answers 0 while it is up and 1 while it is down: the asset is the
           chain's sequencer, the quote is DOWN. Consumers wait 3,600 s after it came back.
Unpriced   a feed whose name says no quote is of an asset by its whole name, which no token has,
           so that it is no token's price; in place of a quote it has what its name says: NAV,
           SHARE PRICE, RESERVES, AUM, LEVEL, PERCENT, INDEX, RATE, RATIO, MARKET CAP, COUNT,
           HEALTH, STATUS, or UNSTATED. None of them is a currency: which one a net asset value is
           in, nobody states. Synthetix's debt ratio has 27 decimals; 18 are kept.
Due        heartbeats and thresholds from tools that integrate the feeds (alchem-link), which round
           them and may be out of date.

Logs come from the aggregator, never from the proxy. Proxies from version 0.7 on say which one they
confirm; those of 0.6 that stand before most feeds of Ethereum say nothing: they are asked, by
`perpscope phases` which aggregators they stood on, by `chainlink_proxies` for their answers. An
aggregator that nobody lists, announces or names is not read: its topic is shared with other oracles
and its decimals are unknown.

A DataFeedsCache (smartcontractkit/chainlink-evm, data-feeds/DataFeedsCache.sol) stands behind many
proxies: it posts by data id, whose eighth byte holds the decimals and 32 more, and says of which
proxy an id is.
"""

from collections import Counter

from indexer.spec import (
    Bits,
    Companion,
    Const,
    Contract,
    DecimalsFirst,
    DecimalsOf,
    DecimalsSaid,
    Discover,
    Emitter,
    Event,
    Exists,
    Feed,
    Fixed,
    Lookup,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Phases,
    Protocol,
    Time,
    chain_of,
    listed,
)

AGGREGATORS = listed("chainlink_aggregators")
PROXIES = listed("chainlink_proxies")
# Ten addresses are proxies of two pairs, on two chains: whose a data id is, they do not say.
TIMES = Counter(row["address"].lower() for row in PROXIES)
ASSETS, QUOTES = (
    {address: row[name] for row in PROXIES if TIMES[address := row["address"].lower()] == 1}
    for name in ("asset", "quote")
)
# A cache that posts for many feeds logs this before the answer of each, which does not name it.
OF_A_CACHE = Companion(
    "DecimalReportUpdated", take="roundId", on={"roundId": "roundId"}, nearest="before"
)

PROTOCOL = Protocol(
    slug="chainlink",
    name="Chainlink",
    kind="oracle",
    methodology=(
        "Oracle updates are AnswerUpdated of the listed aggregators and of those that listed "
        "proxies confirm, scaled by each feed's decimals. Other aggregators are not read. Of a "
        "cache of many feeds they are DecimalReportUpdated, of the pair of the proxy that its data "
        "id was given to (ProxyDataIdUpdated)."
    ),
    left_out=(
        "The currency or unit of feeds whose name says no quote: net asset values, reserves, "
        "indexes, economic series, market capitalisations, counts and health checks. They are rows "
        "by name, and value nothing in dollars.",
        "Aggregators behind prices of GM and GLV tokens, behind prices that Aave caps and behind "
        "what LlamaGuard bounds: none is listed. chainlink_proxies asks those feeds.",
        "Floor prices, interest curves, reserves and market capitalisations that only spellbook "
        "lists, 57 proxies: their names say no quote, and the feeds' own list has them no more.",
        "Aggregators that a proxy of version 0.6 stood on and the lists do not name, and those "
        "before the first confirmation of a newer one: no log announces them. `perpscope phases` "
        "asks the proxies, and the list it writes is read where the settings name it; "
        "chainlink_proxies reads what proxies answer.",
        "Which of several pairs an answer is of, where proxies of several stand on one aggregator: "
        "it is of the pair whose proxy is listed first.",
        "Caches of many feeds that no listed proxy confirms, and data ids they gave before one "
        "did, to a proxy that is not listed, or to an address that is one of two pairs on two "
        "chains: no list has them. Bundles: several numbers in one report.",
        "When a round was observed and when an SVR feed unlocked it: NewTransmission, "
        "SecondaryRoundIdUpdated and PrimaryFeedUnlocked fit no table. RoundUpdated of a "
        "sequencer's feed: its status was confirmed, and is what it was.",
        "Three aggregators of recorded logs of 2021 to 2023, which no public list names: 0x5c3d…, "
        "0x8ff1… and 0xb289….",
        "Arc (chain 5042), whose block time is not known.",
    ),
    contracts=(
        *(
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
            for row in AGGREGATORS
        ),
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi="chainlink/Proxy",
                address=row["address"],
                from_block=0,
                says={"asset": row["asset"], "quote": row["quote"]},
            )
            for row in PROXIES
        ),
    ),
    discoveries=(
        Discover("chainlink/Proxy", "AggregatorConfirmed", "latest", "chainlink/Aggregator"),
    ),
    phases=(Phases("chainlink/Proxy", "phaseId", "phaseAggregators", "chainlink/Aggregator"),),
    events=(
        Event(
            abi="chainlink/Aggregator",
            name="AnswerUpdated",
            into="oracle_updates",
            columns={
                "feed": Emitter(),
                "asset": OfContract("asset"),
                "quote": OfContract("quote"),
                "oracle_price_quote": Fixed(
                    "current", DecimalsFirst((OfContract("decimals"), DecimalsOf(Emitter())))
                ),
                "observed_at": Time("updatedAt"),
                "round_id": "roundId",
                "provider": Const("chainlink"),
            },
            where=(Not(Exists(OF_A_CACHE)),),
            is_confirmed=True,
        ),
        Event(
            abi="chainlink/Aggregator",
            name="ProxyDataIdUpdated",
            into="markets",
            columns={
                "market": "dataId",
                "symbol": Lookup("proxy", ASSETS),
                "quote": Lookup("proxy", QUOTES),
                "parent": "proxy",
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
            where=(OneOf("proxy", tuple(ASSETS)),),
        ),
        Event(
            abi="chainlink/Aggregator",
            name="DecimalReportUpdated",
            into="oracle_updates",
            columns={
                "feed": "dataId",
                "asset": OfMarket("dataId", "symbol"),
                "quote": OfMarket("dataId", "quote"),
                "oracle_price_quote": Fixed(
                    "answer", DecimalsSaid(Bits("dataId", at=192, count=8), plus=-32)
                ),
                "observed_at": Time("timestamp"),
                "round_id": "roundId",
                "provider": Const("chainlink"),
            },
            where=(OneOf(OfMarket("dataId", "quote"), tuple(dict.fromkeys(QUOTES.values()))),),
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
            proxy=row["proxy"] or None,
            heartbeat_seconds=int(row["heartbeat_seconds"]) if row["heartbeat_seconds"] else None,
            threshold_bps=int(row["threshold_bps"]) if row["threshold_bps"] else None,
            source="alchem-link" if row["heartbeat_seconds"] else None,
            basis="assumed" if row["heartbeat_seconds"] else None,
        )
        for row in AGGREGATORS
    ),
)
