"""
Pyth: prices that whoever needs one pulls on chain, by a feed id that is the same on every chain.

Contracts  https://docs.pyth.network/price-feeds/contract-addresses/evm, one per chain, all feeds in
           it; MegaETH, and what the page no longer lists, by
           https://github.com/pyth-network/pyth-crosschain (contract_manager/src/store/contracts/
           EvmPriceFeedContracts.json). First blocks are not known: windows start at 0. They were
           upgraded in place on 2026-08-26, whence routers of Pyth Pro make the prices:
           https://docs.pyth.network/price-feeds/pro/pyth-core-upgrade
Ids        of 49 feeds, from euler-xyz/euler-price-oracle (test/adapter/pyth/PythFeeds.sol),
           https://docs.pyth.network/price-feeds/price-feed-ids and the lists of push feeds in
           pyth-network/documentation (pages/price-feeds/sponsored-feeds/data) and pyth-crosschain
           (apps/developer-hub/content/docs/price-feeds/core/push-feeds/data): .RR is what a
           contract redeems at, /NAV a net asset value, whose currency is not said.
Split      none.
Units      the event has no exponent. For BTC, ETH, SOL and NEAR it is -8, as answers of Pyth's
           Hermes service show; of every feed it is read with the price once a day.
           publishTime is unix seconds.

Only logs of the four ids are asked for. Prices come when somebody pays for them: gaps are normal.
"""

from indexer.chains import (
    ABSTRACT,
    APECHAIN,
    ARBITRUM,
    AVALANCHE,
    BASE,
    BERACHAIN,
    BLAST,
    BSC,
    CELO,
    ETHEREUM,
    FANTOM,
    GNOSIS,
    HYPEREVM,
    INK,
    LINEA,
    MANTLE,
    MEGAETH,
    MONAD,
    OPTIMISM,
    POLYGON,
    POLYGON_ZKEVM,
    RONIN,
    SCROLL,
    SEI,
    SONEIUM,
    SONIC,
    UNICHAIN,
    ZKSYNC,
)
from indexer.spec import (
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Event,
    Feed,
    Fixed,
    Nonzero,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Time,
    Value,
    listed,
)

FEEDS = listed("pyth_feeds")
NAMES = {"price": "/{}", "exchange_rate": "/{} EXCHANGE RATE", "nav": ""}
CONTRACTS = (
    (ETHEREUM, "0x4305FB66699C3B2702D4d05CF36551390A4c69C6"),
    (AVALANCHE, "0x4305FB66699C3B2702D4d05CF36551390A4c69C6"),
    (POLYGON, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    (OPTIMISM, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    (ARBITRUM, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    (BASE, "0x8250f4aF4B972684F7b336503E2D6dFeDeB1487a"),
    (BSC, "0x4D7E825f80bDf85e913E0DD2A2D54927e9dE1594"),
    (LINEA, "0xA2aa501b19aff244D90cc15a4Cf739D2725B5729"),
    (SCROLL, "0xA2aa501b19aff244D90cc15a4Cf739D2725B5729"),
    (MANTLE, "0xA2aa501b19aff244D90cc15a4Cf739D2725B5729"),
    (ZKSYNC, "0xf087c864AEccFb6A2Bf1Af6A0382B0d0f6c5D834"),
    (HYPEREVM, "0xe9d69CdD6Fe41e7B621B4A688C5D1a68cB5c8ADc"),
    (BERACHAIN, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (UNICHAIN, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (SONIC, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (GNOSIS, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (APECHAIN, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (INK, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (MEGAETH, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (MONAD, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (RONIN, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (SEI, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (SONEIUM, "0x2880aB155794e7179c9eE2e38200202908C17B43"),
    (ABSTRACT, "0x8739d5024B5143278E2b15Bd9e7C26f6CEc658F1"),
    (BLAST, "0xA2aa501b19aff244D90cc15a4Cf739D2725B5729"),
    (CELO, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    (FANTOM, "0xff1a0f4744e8582DF1aE09D5611b887B6a12925C"),
    (POLYGON_ZKEVM, "0xC5E56d6b40F3e3B5fbfa266bCd35C37426537c65"),
)
NAMED: dict[str, Value] = {
    "feed": OfContract("id"),
    "asset": OfContract("asset"),
    "quote": OfContract("quote"),
    "provider": Const("pyth"),
}
TOLD = "getPriceUnsafe"

PROTOCOL = Protocol(
    slug="pyth",
    name="Pyth",
    kind="oracle",
    methodology=(
        "Oracle updates are PriceFeedUpdate of four feed ids whose exponent is known; and 49 feeds "
        "as the contract holds them at the first block of each UTC day, by the exponent it states."
    ),
    left_out=(
        "Other code of the contracts: of their logs those of four ids alone are asked for.",
        "Events of the other ids: the exponent is not in them, and no list states it.",
        "Heartbeats: on some chains somebody posts some feeds once an hour and at a change of a "
        "percent (push feeds), and since when or until when no list says.",
        "How sure a price is (conf, about one standard deviation): it fits no column; lowest and "
        "highest price are what an oracle posts itself.",
        "The second contract of some chains since 2026 (Pyth Core Compatible), with the same "
        "prices, paid for by others: no list here has its addresses.",
        "Its contract on Cronos: log indexes there restart inside a block, and rows are ordered by "
        "them.",
        "Time-weighted prices (TwapPriceFeedUpdate), and the average price that Pyth keeps beside.",
    ),
    contracts=(
        *(
            Contract(
                chain=chain,
                abi="pyth/Pyth",
                address=address,
                from_block=0,
                says={
                    "id": row["id"],
                    "asset": row["asset"],
                    "quote": row["quote"],
                    "decimals": int(row["decimals"]),
                },
                only={"id": (row["id"],)},
            )
            for chain, address in CONTRACTS
            for row in FEEDS
            if row["decimals"]
        ),
        *(
            Contract(
                chain=chain,
                abi="pyth/Prices",
                address=address,
                from_block=0,
                says={"id": row["id"], "asset": row["asset"], "quote": row["quote"]},
            )
            for chain, address in CONTRACTS
            for row in FEEDS
        ),
    ),
    events=(
        Event(
            abi="pyth/Pyth",
            name="PriceFeedUpdate",
            into="oracle_updates",
            columns={
                **NAMED,
                "oracle_price_quote": Fixed("price", OfContract("decimals")),
                "observed_at": Time("publishTime"),
            },
        ),
    ),
    reads=(
        Read(
            name="price",
            abi="pyth/Prices",
            calls=(Call(TOLD, (OfContract("id"),)),),
            every=Seconds(86_400),
            into="oracle_updates",
            columns={
                **NAMED,
                "oracle_price_quote": Fixed(
                    f"{TOLD}.price", DecimalsSaid(f"{TOLD}.expo", times=-1)
                ),
                "observed_at": Time(f"{TOLD}.publishTime"),
            },
            where=(Nonzero(f"{TOLD}.publishTime"),),
        ),
    ),
    feeds=tuple(
        Feed(
            chain=chain,
            feed=row["id"],
            name=row["asset"] + NAMES[row["kind"]].format(row["quote"]),
            asset=row["asset"],
            quote=row["quote"],
            kind=row["kind"],
        )
        for chain, _ in CONTRACTS
        for row in FEEDS
    ),
)
