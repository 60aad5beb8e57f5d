"""Chainlink: answers built from the ABI (synthetic) and every recorded AnswerUpdated."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from goldens import Built, facts_of, frame, log, reasons, rows, scaled, usd
from recordings import captured, of_chain, place, words

from indexer.chains import ARBITRUM, CHAINS, ETHEREUM
from indexer.protocols import PROTOCOLS
from indexer.spec import listed

AAVE_USD = "0x8116b273cd75d79c382afacc706659ded5e0a59d"
STETH_ETH = "0x716bb759a5f6facdff91f0afb613133d510e1573"
UPDATED_AT = 1_700_000_000


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


def test_the_list_names_each_aggregator_once_and_completely() -> None:
    """Every listed aggregator has a chain, upper-case symbols and decimals that fit."""
    feeds = listed("chainlink")

    assert len(feeds) == 659
    assert set(Counter((row["chain"], row["address"].lower()) for row in feeds).values()) == {1}
    assert {row["chain"] for row in feeds} <= {chain.slug for chain in CHAINS}
    assert all(row["asset"] and row["asset"] == row["asset"].upper() for row in feeds)
    assert all(row["quote"] and row["quote"] == row["quote"].upper() for row in feeds)
    assert all(0 <= int(row["decimals"]) <= 18 for row in feeds)


def test_every_recorded_answer_of_a_declared_aggregator_becomes_its_row(shared: Path) -> None:
    """29 of 57 recorded answers come from listed aggregators; the others' feeds are not known."""
    logs = captured(shared, "0x0559884f")
    feeds = {
        row["address"].lower(): row for row in listed("chainlink") if row["chain"] == "ethereum"
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
    assert (len(logs), len(declared), len({one["address"] for one in declared})) == (57, 29, 27)
    assert {one["_chain"] for one in logs} == {"ethereum"}
    assert reasons(result) == []


def test_the_observation_time_is_what_the_answer_says(shared: Path) -> None:
    """`observed_at` is the recorded updatedAt, to the second."""
    logs = captured(shared, "0x0559884f")

    table = facts_of("chainlink", ETHEREUM, of_chain(logs, "ethereum")).tables["oracle_updates"]

    said = {place(one): words(one)[0] for one in logs}
    places = zip(table["tx_hash"], table["log_index"], strict=True)
    assert table["observed_at"].dt.epoch("s").to_list() == [said[one] for one in places]


def test_every_contract_says_what_its_rows_need() -> None:
    """Asset, quote and decimals travel with each declared aggregator."""
    contracts = PROTOCOLS["chainlink"].contracts

    assert len(contracts) == 659
    assert all(set(one.says) == {"asset", "quote", "decimals"} for one in contracts)


def _signed(topic: str) -> int:
    value = int(topic, 16)
    return value - 2**256 if value >> 255 else value
