"""Chainlink: answers built from the ABI (synthetic), every recorded one, and exact rounds."""

import gzip
import json
from collections import Counter
from csv import DictReader
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from goldens import NOON, Built, facts_of, frame, log, reasons, rows, scaled, usd
from recordings import captured, of_chain, place, words
from sync_rig import DECIMALS, FIRST, job, run, served, told, word
from sync_rig import rows as stored

from indexer.chains import ARBITRUM, CHAINS, ETHEREUM
from indexer.facts import Facts, Known, declared, discovered, facts, feeds, merged
from indexer.protocols import PROTOCOLS
from indexer.simulation.blocks import Log
from indexer.simulation.node import serve
from indexer.spec import listed

AAVE_USD = "0x8116b273cd75d79c382afacc706659ded5e0a59d"
STETH_ETH = "0x716bb759a5f6facdff91f0afb613133d510e1573"
ETH_USD = "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"
STETH_ETH_PROXY = "0x86392dc19c0b719886221c78ab11eb8cf5c52812"
TWO_PAIRS = "0x8f1df6d7f2db73eece86a18b4381f4707b918fb1"
FRESH = "0x" + "f0" * 20
UPDATED_AT = 1_700_000_000
ROUNDS = {
    "eth_usd": "0xe62b71cf983019bff55bc83b48601ce8419650cc",
    "btc_usd": "0xdbe1941bfbe4410d6865b9b7078e0b49af144d2d",
    "steth_eth": STETH_ETH,
}
THEN = {
    ("XRP", "USD"): (0.6, 0.9),
    ("LTC", "USD"): (95, 110),
    ("BCH", "USD"): (270, 300),
    ("DOT", "USD"): (5, 6),
    ("ADA", "USD"): (0.3, 0.4),
    ("NEAR", "USD"): (1.2, 1.6),
    ("SAND", "USD"): (0.4, 0.5),
    ("GRT", "USD"): (0.1, 0.15),
    ("BRL", "USD"): (0.19, 0.21),
    ("NMR", "USD"): (12, 15),
    ("1INCH", "USD"): (0.3, 0.4),
    ("DASH", "USD"): (40, 50),
    ("ZRX", "USD"): (0.35, 0.45),
    ("LINK", "ETH"): (0.0035, 0.004),
    ("PAXG", "ETH"): (0.9, 1.1),
    ("CRO", "ETH"): (0.00002, 0.00004),
    ("KNC", "ETH"): (0.0002, 0.0004),
    ("REP", "ETH"): (0.0005, 0.0007),
    ("RAI", "ETH"): (0.0015, 0.0018),
    ("FEI", "ETH"): (0.0004, 0.0006),
    ("BUSD", "ETH"): (0.0004, 0.0006),
}


def answer(aggregator: str, current: int) -> Built:
    """Return round 41's answer, seen at 2023-11-14 22:13:20 UTC."""
    return log(
        "chainlink/Aggregator",
        "AnswerUpdated",
        aggregator,
        current=current,
        roundId=41,
        updatedAt=UPDATED_AT,
    )


@pytest.mark.parametrize(
    ("aggregator", "current", "asset", "quote", "price"),
    [
        (AAVE_USD, 9_512_345_678, "AAVE", "USD", "95.12345678"),
        (AAVE_USD, -1, "AAVE", "USD", "-0.00000001"),
        (STETH_ETH, 5 * 10**15 + 1, "STETH", "ETH", "0.005000000000000001"),
    ],
)
def test_an_answer_is_scaled_by_its_feed(
    aggregator: str, current: int, asset: str, quote: str, price: str
) -> None:
    """Answers are signed; names and decimals are those of the emitting aggregator."""
    result = facts_of("chainlink", ETHEREUM, frame([answer(aggregator, current)], block=1))

    assert rows(result, "oracle_updates") == [
        {
            "feed": aggregator,
            "asset": asset,
            "quote": quote,
            "oracle_price_quote": usd(price),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "round_id": "41",
            "provider": "chainlink",
        }
    ]
    assert reasons(result) == []


def test_an_aggregator_that_is_not_declared_is_not_read() -> None:
    """The topic alone names no feed: other oracles emit it too."""
    stranger = answer("0x" + "12" * 20, 10**8)

    result = facts_of("chainlink", ETHEREUM, frame([stranger], block=1))

    assert result.tables["oracle_updates"].is_empty()
    assert reasons(result) == []


def test_an_aggregator_is_read_on_its_own_chain_only() -> None:
    """The same address on another chain is another contract."""
    result = facts_of("chainlink", ARBITRUM, frame([answer(AAVE_USD, 10**8)], block=1))

    assert result.tables["oracle_updates"].is_empty()


def test_the_lists_name_each_address_once_and_completely() -> None:
    """Every aggregator and proxy has a chain, upper-case symbols and its decimals."""
    aggregators, proxies = listed("chainlink_aggregators"), listed("chainlink_proxies")
    rows_of_both = [*aggregators, *proxies]

    assert (len(aggregators), len(proxies)) == (853, 1_849)
    assert (
        max(Counter((row["chain"], row["address"].lower()) for row in rows_of_both).values()) == 1
    )
    assert {row["chain"] for row in rows_of_both} <= {chain.slug for chain in CHAINS}
    assert all(row["asset"] and row["asset"] == row["asset"].upper() for row in rows_of_both)
    assert all(row["quote"] and row["quote"] == row["quote"].upper() for row in rows_of_both)
    assert all(row["name"].startswith(row["asset"]) for row in rows_of_both)
    assert all(0 <= int(row["decimals"]) <= 27 for row in aggregators)


def test_every_named_feed_of_the_facts_is_a_proxy(shared: Path) -> None:
    """1,648 of 1,658 proxies are declared: all but those of a chain that is not described."""
    named = json.loads((shared / "facts/chainlink_feeds.json").read_text("utf-8"))["feeds"]
    chains = {str(chain.chain_id): chain.slug for chain in CHAINS}
    declared = {(row["chain"], row["address"].lower()) for row in listed("chainlink_proxies")}

    known = {
        (chains[number], address.lower())
        for number, proxies in named.items()
        if number in chains
        for address in proxies.values()
    }

    assert (len(known), known - declared) == (1_648, set())
    assert {number: len(named[number]) for number in set(named) - set(chains)} == {"5042": 10}


@pytest.mark.parametrize(
    ("chain", "name", "asset", "quote", "kind"),
    [
        ("ethereum", "BUIDL NAV", "BUIDL NAV", "NAV", "nav"),
        ("ethereum", "USTB NAV PER SHARE", "USTB NAV PER SHARE", "NAV", "nav"),
        ("ethereum", *2 * ("USTB NAV AAVE LLAMAGUARD",), "NAV", "bounded_nav"),
        ("bsc", "CASH+ NAV", "CASH+ NAV", "NAV", "nav"),
        ("ethereum", *2 * ("WBTC PROOF OF RESERVES",), "RESERVES", "reserves"),
        ("base", "REAL GDP LEVEL", "REAL GDP LEVEL", "LEVEL", "series"),
        ("ethereum", *2 * ("TOTAL MARKET CAP USD",), "MARKET CAP", "market_cap"),
        ("ethereum", "TSLAON/USD ONDO API SVR", "TSLAON", "USD", "price"),
        ("arbitrum", "DAI/USD CAPPED", "DAI", "USD", "capped"),
        ("zksync", "WRSETH/ETH EXCHANGE RATE", "WRSETH", "ETH", "exchange_rate"),
    ],
)
def test_a_feed_is_named_by_what_it_counts(
    chain: str, name: str, asset: str, quote: str, kind: str
) -> None:
    """A quote that the name says is the quote; where it says none, the name is the asset."""
    (row,) = (
        row for row in listed("chainlink_proxies") if (row["chain"], row["name"]) == (chain, name)
    )

    assert (row["asset"], row["quote"], row["kind"]) == (asset, quote, kind)


def test_what_is_no_price_is_in_no_currency() -> None:
    """What counts something else is neither in a currency nor of an asset that has a price."""
    unpriced = {"nav", "bounded_nav", "share_price", "reserves", "market_cap"}
    unpriced |= {"series", "count", "health", "status", "unstated"}
    told = [*listed("chainlink_aggregators"), *listed("chainlink_proxies")]

    quotes = {row["quote"] for row in told if row["kind"] in unpriced}
    names = {row["asset"] for row in told if row["kind"] in unpriced}

    assert not names & {row["asset"] for row in told if row["kind"] not in unpriced}
    assert quotes == {
        *("NAV", "SHARE PRICE", "RESERVES", "AUM", "MARKET CAP", "LEVEL", "PERCENT", "INDEX"),
        *("RATE", "RATIO", "COUNT", "HEALTH", "STATUS", "UNSTATED"),
    }


def test_reserves_are_tokens_by_name() -> None:
    """What WBTC's feed counts, 8 decimals, is of its own name in RESERVES, and no price of WBTC."""
    reserves = "0xB622b7D6d9131cF6A1230EBa91E5da58dbea6F59"

    result = facts_of("chainlink", ETHEREUM, frame([answer(reserves, 15_000_000_000_000)], block=1))

    assert [
        (row["asset"], row["quote"], row["oracle_price_quote"])
        for row in rows(result, "oracle_updates")
    ] == [("WBTC PROOF OF RESERVES", "RESERVES", usd("150000"))]


@pytest.mark.parametrize(
    ("fund", "aggregator"),
    [
        ("USTBL NAV", "0xC1C24f0f2103F5899b7AB415A1930E519B7D3423"),
        ("EUTBL NAV", "0xdaA1c6511Aa051e9e83Dd7Ac2D65d5E41D1f6b98"),
    ],
)
def test_a_funds_price_has_six_decimals_and_no_currency(fund: str, aggregator: str) -> None:
    """Spiko's funds go on there since their own oracles on Ethereum fell silent."""
    result = facts_of("chainlink", ETHEREUM, frame([answer(aggregator, 1_054_321)], block=1))

    assert [
        (row["asset"], row["quote"], row["oracle_price_quote"])
        for row in rows(result, "oracle_updates")
    ] == [(fund, "NAV", usd("1.054321"))]


def test_every_recorded_answer_of_a_declared_aggregator_becomes_its_row(shared: Path) -> None:
    """54 of 57 recorded answers come from listed aggregators; nobody names the other three."""
    logs = captured(shared, "0x0559884f")
    feeds = {
        row["address"].lower(): row
        for row in listed("chainlink_aggregators")
        if row["chain"] == "ethereum"
    }

    result = facts_of("chainlink", ETHEREUM, of_chain(logs, "ethereum"))

    declared = [one for one in logs if one["address"] in feeds]
    table = result.tables["oracle_updates"]
    columns = ("tx_hash", "log_index", "feed", "asset", "quote", "oracle_price_quote", "round_id")
    found = {(row[0], row[1]): row[2:] for row in table.select(columns).iter_rows()}
    assert found == {
        place(one): (
            one["address"],
            feeds[one["address"]]["asset"],
            feeds[one["address"]]["quote"],
            scaled(_signed(one["topics"][1]), int(feeds[one["address"]]["decimals"])),
            str(int(one["topics"][2], 16)),
        )
        for one in declared
    }
    assert (len(logs), len(declared), len({one["address"] for one in declared})) == (57, 54, 48)
    assert {one["_chain"] for one in logs} == {"ethereum"}
    assert reasons(result) == []


def test_recorded_answers_are_what_the_named_pairs_cost_then(shared: Path) -> None:
    """Names of unlisted aggregators are checked by price: XRP on 13 July 2023, and others."""
    logs = captured(shared, "0x0559884f")

    table = facts_of("chainlink", ETHEREUM, of_chain(logs, "ethereum")).tables["oracle_updates"]

    prices = {
        (asset, quote): float(price)
        for asset, quote, price in table.select("asset", "quote", "oracle_price_quote").iter_rows()
    }
    for pair, (low, high) in THEN.items():
        assert low < prices[pair] < high, pair


@pytest.mark.parametrize(("file", "decimals"), [("eth_usd", 8), ("btc_usd", 8), ("steth_eth", 18)])
def test_published_rounds_are_read_to_the_last_digit(
    shared: Path, file: str, decimals: int
) -> None:
    """Each exact round of a public study, as its log, becomes its price, time and number."""
    rounds = published(shared, file)
    logs = [
        log(
            "chainlink/Aggregator",
            "AnswerUpdated",
            ROUNDS[file],
            current=int(one["answer"]),
            roundId=int(one["round"]) % 2**64,
            updatedAt=int(one["update"]),
        )
        for one in rounds
    ]

    table = facts_of("chainlink", ETHEREUM, frame(logs, block=1)).tables["oracle_updates"]

    assert table["oracle_price_quote"].to_list() == [
        scaled(int(one["answer"]), decimals) for one in rounds
    ]
    assert table["observed_at"].dt.epoch("s").to_list() == [int(one["update"]) for one in rounds]
    assert table["round_id"].to_list() == [str(int(one["round"]) % 2**64) for one in rounds]


def test_the_observation_time_is_what_the_answer_says(shared: Path) -> None:
    """`observed_at` is the recorded updatedAt, to the second."""
    logs = captured(shared, "0x0559884f")

    table = facts_of("chainlink", ETHEREUM, of_chain(logs, "ethereum")).tables["oracle_updates"]

    said = {place(one): words(one)[0] for one in logs}
    places = zip(table["tx_hash"], table["log_index"], strict=True)
    assert table["observed_at"].dt.epoch("s").to_list() == [said[one] for one in places]


def confirmed(proxy: str, latest: str) -> Built:
    """Return the log by which a proxy says which aggregator it stands on from now on."""
    return log("chainlink/Proxy", "AggregatorConfirmed", proxy, previous=AAVE_USD, latest=latest)


def with_children(*logs: Built, tokens: dict[str, int]) -> Facts:
    """Return the facts of one transaction, children that it announces included."""
    protocol, seen = PROTOCOLS["chainlink"], frame(logs, block=1)
    known = declared([protocol], ETHEREUM)
    born = discovered([protocol], ETHEREUM, seen, known)
    asked = pl.DataFrame(
        [(1, address, None, places, "call") for address, places in tokens.items()],
        known.tokens.schema,
        orient="row",
    )
    known = merged(known, Known(asked, known.markets, born))
    headers = pl.DataFrame(
        {"number": [1], "timestamp": [NOON]}, {"number": pl.Int64, "timestamp": pl.Datetime("us")}
    )
    return facts([protocol], ETHEREUM, seen, headers, known)


def test_a_confirmed_aggregator_is_read_as_its_proxys_feed() -> None:
    """Pair and quote are the proxy's; the decimals are the aggregator's own, asked of itself."""
    result = with_children(
        confirmed(ETH_USD, FRESH), answer(FRESH, 250_012_345_678), tokens={FRESH: 8}
    )

    assert rows(result, "oracle_updates") == [
        {
            "feed": FRESH,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("2500.12345678"),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "round_id": "41",
            "provider": "chainlink",
        }
    ]
    assert reasons(result) == []


def test_a_confirmed_aggregator_of_unknown_decimals_is_asked_for_them() -> None:
    """Without an answer there is no price; declared aggregators are not asked."""
    result = with_children(
        confirmed(ETH_USD, FRESH), answer(FRESH, 1), answer(AAVE_USD, 1), tokens={}
    )

    assert [row["feed"] for row in rows(result, "oracle_updates")] == [AAVE_USD]
    assert reasons(result) == [
        ("AnswerUpdated", "oracle_updates", f"decimals of token {FRESH} are not known")
    ]
    assert result.unknown_tokens == (FRESH,)


def test_a_confirmed_aggregator_that_is_listed_gives_one_row() -> None:
    """What the list says of it stands, and its answer is not read twice."""
    result = with_children(confirmed(ETH_USD, AAVE_USD), answer(AAVE_USD, 10**8), tokens={})

    assert [row["asset"] for row in rows(result, "oracle_updates")] == ["AAVE"]


def reported(data_id: bytes, answer: int, aggregator: str = FRESH) -> Built:
    """Return a cache's report of a data id in round 41, before the answer that names none."""
    return log(
        "chainlink/Aggregator",
        "DecimalReportUpdated",
        aggregator,
        dataId=data_id,
        roundId=41,
        timestamp=UPDATED_AT,
        answer=answer,
    )


def given(proxy: str, data_id: bytes) -> Built:
    """Return a cache's word that a proxy is answered with this data id."""
    return log("chainlink/Aggregator", "ProxyDataIdUpdated", FRESH, proxy=proxy, dataId=data_id)


def id_of(decimals: int) -> bytes:
    """Return a data id whose eighth byte says so many decimals."""
    return b"\x01" * 7 + bytes([32 + decimals]) + b"\x02" * 8


def test_a_cache_of_many_feeds_is_not_taken_for_one() -> None:
    """An answer after a report of a data id may be any feed's: it gives no row and no reject."""
    result = with_children(
        confirmed(ETH_USD, FRESH), reported(id_of(8), 7), answer(FRESH, 7), tokens={FRESH: 8}
    )

    assert rows(result, "oracle_updates") == []
    assert reasons(result) == []


@pytest.mark.parametrize("decimals", [0, 8, 18])
def test_a_report_of_a_cache_is_of_the_pair_of_its_data_ids_proxy(decimals: int) -> None:
    """Not of the pair of the proxy that confirmed the cache; the id says the decimals."""
    result = with_children(
        confirmed(ETH_USD, FRESH),
        given(STETH_ETH_PROXY, id_of(decimals)),
        reported(id_of(decimals), 3 * 10**decimals),
        answer(FRESH, 3 * 10**decimals),
        tokens={},
    )

    assert rows(result, "oracle_updates") == [
        {
            "feed": "0x" + id_of(decimals).hex(),
            "asset": "STETH",
            "quote": "ETH",
            "oracle_price_quote": usd("3"),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "round_id": "41",
            "provider": "chainlink",
        }
    ]
    assert reasons(result) == []


@pytest.mark.parametrize("proxy", ["0x" + "99" * 20, TWO_PAIRS])
def test_a_data_id_of_a_proxy_that_says_no_pair_gives_no_row(proxy: str) -> None:
    """One that is in no list, and one that is of another pair on another chain."""
    result = with_children(
        confirmed(ETH_USD, FRESH), given(proxy, id_of(8)), reported(id_of(8), 7), tokens={}
    )

    assert rows(result, "oracle_updates") == []
    assert reasons(result) == []


def test_a_sequencer_that_is_down_answers_one() -> None:
    """Uptime has no decimals: 1 is down, 0 is up."""
    logs = [answer("0xC1303BBBaf172C55848D3Cb91606d8E27FF38428", status) for status in (1, 0)]

    result = facts_of("chainlink", ARBITRUM, frame(logs, block=1))

    assert [
        (row["asset"], row["quote"], row["oracle_price_quote"])
        for row in rows(result, "oracle_updates")
    ] == [("ARBITRUM SEQUENCER", "DOWN", usd("1")), ("ARBITRUM SEQUENCER", "DOWN", usd("0"))]


def test_every_aggregator_has_a_name_and_the_chief_ones_a_heartbeat() -> None:
    """A feed's row carries pair and proxy; heartbeats are those of the reference, as assumed."""
    table = feeds([PROTOCOLS["chainlink"]], ETHEREUM)

    assert len(table) == table["feed"].n_unique() == 275
    due = table.filter(pl.col("heartbeat_seconds").is_not_null())
    seconds = dict(due.select("name", "heartbeat_seconds").unique().iter_rows())
    assert seconds == {
        **dict.fromkeys(("ETH/USD", "BTC/USD", "LINK/USD", "DAI/USD", "AAVE/USD"), 3_600),
        "XAU/USD": 14_400,
        **dict.fromkeys(
            ("USDC/USD", "USDT/USD", "SOL/USD", "AVAX/USD", "BNB/USD", "MATIC/USD", "EUR/USD"),
            86_400,
        ),
    }
    assert set(due["basis"]) == {"assumed"}
    assert set(table.filter(name="ETH/USD")["proxy"]) == {ETH_USD}


def test_recorded_answers_are_rounds_of_the_public_study(shared: Path) -> None:
    """Two recorded answers have the number, price and second of a published round."""
    logs = {
        (one["address"], int(one["topics"][2], 16)): one for one in captured(shared, "0x0559884f")
    }
    found = []
    for file, aggregator in ROUNDS.items():
        for one in published(shared, file):
            recorded = logs.get((aggregator, int(one["round"]) % 2**64))
            if recorded:
                found.append(file)
                assert _signed(recorded["topics"][1]) == int(one["answer"])
                assert words(recorded)[0] == int(one["update"])

    assert found == ["eth_usd", "btc_usd"]


def test_a_node_is_asked_for_what_a_confirmed_aggregator_is(tmp_path: Path) -> None:
    """Indexed over a node: the child's answers of every later block, by the decimals it states."""
    happens = {
        FIRST + 20: [sent(confirmed(ETH_USD, FRESH)), sent(answer(FRESH, 200_000_000_000))],
        FIRST + 60: [sent(answer(FRESH, 210_000_000_000))],
    }
    calls = {(None, FRESH, DECIMALS): "0x" + word(8).hex()}
    chainlink, path = PROTOCOLS["chainlink"], tmp_path / "a.duckdb"
    work = job(path, protocols=(chainlink,), declarations=PROTOCOLS, from_block=FIRST, max_span=25)
    with serve([served(told(happens, 80), calls=calls)]) as node:
        run(work, node.url)

    prices = "select block_number, asset, quote, oracle_price_quote::double, feed"
    assert stored(path, f"{prices} from oracle_updates order by all") == [
        (FIRST + 20, "ETH", "USD", 2_000.0, FRESH),
        (FIRST + 60, "ETH", "USD", 2_100.0, FRESH),
    ]
    assert stored(path, "select address, parent from contracts") == [(FRESH, ETH_USD)]
    assert stored(path, "select count(*) from feeds where chain_id = 1") == [(275,)]
    assert stored(path, "select * from rejects") == []


def sent(built: Built) -> Log:
    """Return the log as a simulated chain carries it."""
    return Log(bytes.fromhex(built.address[2:]), built.topics, built.data)


def published(shared: Path, file: str) -> list[dict[str, str]]:
    """Return exact rounds: round (phase * 2^64 + the aggregator's), answer, update."""
    path = shared / f"data/decoded/chainlink_{file}_rounds.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return list(DictReader(lines))


def _signed(topic: str) -> int:
    value = int(topic, 16)
    return value - 2**256 if value >> 255 else value
