"""Every recorded log of every chain, served by the node and indexed by the ordinary client."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from analytics.identities import assessed, comparisons
from analytics.load import facts
from indexer.chains import CHAINS
from indexer.facts.routes import contracts_on
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.simulation.node import serve
from indexer.simulation.recording import recorded
from indexer.spec import first_block
from indexer.sync import Job, index

LIQUIDATION_CALL = "0xe413a321e8681d831f4dbccbca790d2952b56f977908e45be37335533e005286"
FIRST_LIQUIDATION_CALL = "0x56864757fd5b1fc9f38f5f3a981cd8ae512ce41b902cf73fc506ee369c6bc237"
LIQUIDATE_BORROW = "0x298637f684da70674f26509b10f07ec2fbc77a335ab1e7d6215a4b2484d8bb52"
BITE = "0xa716da86bc1fb6d43d1493373f34d7a418b619681cd7b90f7ea667ba1489be28"
UPGRADED = "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b"
IMPLEMENTATION_UPDATED = "0x5570d70a002632a7b0b3c9304cc89efb62d8da9eca0dbd7752c83b7379068296"
ANSWER_UPDATED = "0x0559884fd3a460db3073b7fc896cc77986f16e378210ded43186175bf646fc5f"

Log = dict[str, Any]


@pytest.fixture(scope="module")
def logs(shared: Path) -> list[Log]:
    """Return the recorded logs as their nodes gave them."""
    with gzip.open(shared / "data/logs/all_logs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def con(
    shared: Path, logs: list[Log], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database of all recorded chains, for all protocols some log is of an emitter of."""
    path = tmp_path_factory.mktemp("real") / "real.duckdb"
    chains = recorded([shared / "data/logs/all_logs.jsonl.gz"])
    known = {chain.chain_id: chain for chain in CHAINS}
    spoke = {(log["_chain"], log["address"]) for log in logs}
    with serve(chains) as served:
        for each in chains:
            chain = known[each.chain_id]
            here = {address for slug, address in spoke if _joined(slug) == _joined(each.slug)}
            present = tuple(
                item
                for item in PROTOCOLS.values()
                if not here.isdisjoint(one.address.lower() for one in contracts_on(item, chain))
            )
            if present:
                job = Job(path, chain, present, PROTOCOLS)
                index(job, [Endpoint(served.urls[each.slug])], lambda *_: None)
    with duckdb.connect(path, read_only=True) as connection:
        yield connection


def identities(logs: list[Log], topic0: str, slug: str) -> set[tuple[str, int]]:
    """Return (transaction, log index) of the logs of one event by a protocol's contracts."""
    declared = {
        (contract.chain.slug, contract.address.lower()) for contract in PROTOCOLS[slug].contracts
    }
    return {
        (log["transactionHash"], int(log["logIndex"], 16))
        for log in logs
        if log["topics"][:1] == [topic0] and (log["_chain"], log["address"]) in declared
    }


def stored(con: duckdb.DuckDBPyConnection, query: str) -> set[tuple[str, int]]:
    """Return (transaction, log index) of the rows a query finds."""
    return set(con.execute(query).fetchall())


@pytest.mark.parametrize(
    ("slug", "topic0s"),
    [
        ("aave", (FIRST_LIQUIDATION_CALL, LIQUIDATION_CALL)),
        ("compound_v2", (LIQUIDATE_BORROW,)),
        ("maker", (BITE,)),
    ],
)
def test_every_lending_liquidation_is_a_row(
    con: duckdb.DuckDBPyConnection, logs: list[Log], slug: str, topic0s: tuple[str, ...]
) -> None:
    """Each liquidation log of a declared contract is one credit event, and nothing else is."""
    found = stored(
        con,
        f"select tx_hash, log_index from credit_events where protocol = '{slug}' "
        "and kind = 'liquidation'",
    )
    lost = stored(
        con,
        f"select tx_hash, log_index from rejects where protocol = '{slug}' "
        "and event = 'LiquidationCall'",
    )

    logged = set().union(*(identities(logs, topic0, slug) for topic0 in topic0s))
    assert found | lost == logged
    assert found.isdisjoint(lost)
    assert len(lost) == (1 if slug == "aave" else 0) < len(found)


def test_every_answer_is_a_row_or_an_explained_reject(
    con: duckdb.DuckDBPyConnection, logs: list[Log]
) -> None:
    """The two answers whose blocks nobody recorded have no time, and so no row."""
    rows = stored(con, "select tx_hash, log_index from oracle_updates where protocol = 'chainlink'")
    lost = stored(con, "select tx_hash, log_index from rejects where protocol = 'chainlink'")

    assert rows | lost == identities(logs, ANSWER_UPDATED, "chainlink")
    assert len(lost) == 2
    assert rows.isdisjoint(lost)


def test_every_reject_is_explained(con: duckdb.DuckDBPyConnection, logs: list[Log]) -> None:
    """No block's time, tokens that no recording asks about, notes and births left unrecorded."""
    rows = con.execute("select chain_id, block_number, protocol, reason from rejects").fetchall()
    timeless = {number for _, number, _, why in rows if why == "block timestamp is not known"}
    tokenless = {slug for _, _, slug, why in rows if why.startswith("decimals of token ")}
    priceless = [slug for _, _, slug, why in rows if why == "share price tokens is not known"]
    unborn = [
        slug for _, _, slug, why in rows if why.startswith(("the index token of", "the long token"))
    ]

    times = {
        log.get("blockTimestamp")
        for log in logs
        if log["_chain"] == "ethereum" and int(log["blockNumber"], 16) in timeless
    }
    assert times == {None}
    assert 17_500_000 in timeless
    assert tokenless == {"aave", "compound_v3", "spark"}
    assert priceless == ["maker", "maker"]
    assert Counter(unborn) == {"pendle": 1, "morpho_blue": 55}
    assert len(rows) == len(priceless) + len(unborn) + sum(
        why.startswith(("decimals of token ", "block timestamp ")) for _, _, _, why in rows
    )


def test_the_tally_of_facts(con: duckdb.DuckDBPyConnection) -> None:
    """What 46,697 logs of 20 chains say about the declared protocols, counted."""
    tables = ("position_changes", "liquidations", "adls", "oracle_updates", "open_interest", "fees")
    counts = {
        table: con.execute(f"select count(*) from {table}").fetchall()[0][0]
        for table in (
            *tables,
            "credit_events",
            "buybacks",
            "pool_flows",
            "share_prices",
            "shortfalls",
        )
    }

    assert {table: count for table, count in counts.items() if count} == {
        "position_changes": 3,
        "oracle_updates": 413,
        "open_interest": 5,
        "fees": 299,
        "credit_events": 53,
        "pool_flows": 153,
        "share_prices": 115,
    }


def test_the_first_code_of_a_proxy_was_recorded_without_its_time(
    con: duckdb.DuckDBPyConnection, logs: list[Log]
) -> None:
    """Eight births of proxies: deployment records have no times, and so no rows."""
    lost = stored(con, "select tx_hash, log_index from rejects where fact = 'upgrades'")

    assert lost == identities(logs, UPGRADED, "clearpool") | identities(
        logs, IMPLEMENTATION_UPDATED, "goldfinch"
    )
    assert len(lost) == 8


def test_only_owned_logs_are_kept(con: duckdb.DuckDBPyConnection) -> None:
    """Logs of strangers that share a topic with a declared event are not stored."""
    kept = con.execute("select chain_id, count(*) from logs group by all").fetchall()

    assert dict(kept) == {
        1: 615,
        10: 7,
        56: 2,
        100: 10,
        137: 15,
        8453: 62,
        42161: 210,
        43114: 1,
        421614: 51,
        534352: 8,
    }


def test_recorded_blocks_are_labelled(con: duckdb.DuckDBPyConnection) -> None:
    """A replay never passes for a node."""
    kinds = con.execute("select distinct kind from origins").fetchall()

    assert kinds == [("recorded",)]


def test_every_chain_is_covered_to_its_head(
    con: duckdb.DuckDBPyConnection, logs: list[Log]
) -> None:
    """Each protocol of each recorded chain has one closed interval, from its first block on."""
    heads: Counter[str] = Counter()
    for log in logs:
        slug = _joined(log["_chain"])  # "arbitrum-sepolia" and "arbitrumSepolia" are one chain
        heads[slug] = max(heads[slug], int(log["blockNumber"], 16))
    rows = con.execute("select chain_id, protocol, from_block, to_block from coverage").fetchall()

    assert len({(chain_id, protocol) for chain_id, protocol, *_ in rows}) == len(rows)
    for chain_id, protocol, start, end in rows:
        chain = next(each for each in CHAINS if each.chain_id == chain_id)
        assert start == first_block(PROTOCOLS[protocol], chain)
        assert end == heads[_joined(chain.slug)]


def _joined(slug: str) -> str:
    return slug.replace("-", "").lower()


def test_no_fact_contradicts_another(con: duckdb.DuckDBPyConnection) -> None:
    """Every fee that knows its parts is their sum, and nothing that was recorded is off."""
    broken, counts = assessed(comparisons(partial(facts, con)))

    assert broken.is_empty()
    assert counts.filter(pl.col("reason").is_null())["row_count"].sum() >= 14
