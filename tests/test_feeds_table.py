"""What declarations say of feeds reaches the database, and decides no fact."""

from dataclasses import replace
from pathlib import Path

import pytest
from sync_rig import BIRTH, FEED, FEED_ADDRESS, FIRST, POOLS, blocks, job, rows, run, served

from indexer.chains import ARBITRUM, ETHEREUM
from indexer.facts import declared_facts, digest
from indexer.protocols import PROTOCOLS
from indexer.simulation.node import serve
from indexer.spec import Const, Feed, Protocol
from indexer.sync import Job

NAMED = Feed(
    ETHEREUM,
    "0x" + FEED_ADDRESS.hex().upper(),
    "ETH/USD",
    "ETH",
    "USD",
    heartbeat_seconds=3_600,
    threshold_bps=50,
    source="a page",
    basis="documentation",
)
STORED = "select chain_id, protocol, feed, name, heartbeat_seconds, basis from feeds"
ROW = (1, "feed", "0x" + FEED_ADDRESS.hex(), "ETH/USD", 3_600, "documentation")

LOSSES = [
    Const(kind)
    for kind in ("liquidation", "default", "impairment", "repossession", "collateral_sale")
]

# Dynamic pools tell a default by their status, not by an event.
SILENT = {"clearpool": {"polygon", "polygon-zkevm"}}


def says(*feeds: Feed) -> Protocol:
    """Return the small feed's declaration with these feeds."""
    return replace(FEED, feeds=feeds)


def work(path: Path, protocol: Protocol, **settings: object) -> Job:
    """Return the job of indexing the feed alone, under a declaration."""
    return job(path, protocols=(protocol,), declarations={"feed": protocol}, **settings)


def test_feeds_of_the_indexed_chain_are_stored(tmp_path: Path) -> None:
    """A feed of another chain is not; the address is lower case, as facts have it."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(40))]) as node:
        run(work(path, says(NAMED, replace(NAMED, chain=ARBITRUM))), node.url)

    assert rows(path, STORED) == [ROW]
    joined = "select count(*) from oracle_updates inner join feeds using (chain_id, protocol, feed)"
    assert rows(path, joined) == rows(path, "select count(*) from oracle_updates")


@pytest.mark.parametrize("feeds", [(), (replace(NAMED, name="ETH/USD SVR"),)])
def test_feeds_follow_the_declaration(tmp_path: Path, feeds: tuple[Feed, ...]) -> None:
    """Renamed or removed, the next blocks bring it; blocks that are stored are not read again."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(200))]) as node:
        run(work(path, says(NAMED), to_block=FIRST + 100), node.url)
        run(work(path, says(*feeds)), node.url)

    assert [row[3] for row in rows(path, STORED)] == [feed.name for feed in feeds]
    assert rows(path, f"select max(block_number) > {BIRTH} from oracle_updates") == [(True,)]


def test_the_names_of_feeds_decide_no_fact() -> None:
    """A heartbeat that changed keeps the digest."""
    later = replace(NAMED, heartbeat_seconds=7_200)

    assert digest(says(NAMED), ETHEREUM) == digest(says(later), ETHEREUM) == digest(FEED, ETHEREUM)


def test_what_is_declared_of_a_chain_is_stored(tmp_path: Path) -> None:
    """A table that events fill, through a factory's children too, is there; no other is."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(40))]) as node:
        run(job(path), node.url)

    query = "select * from declared_facts order by protocol"
    assert rows(path, query) == [
        (1, "feed", "oracle_updates", None, None),
        (1, "pools", "pool_flows", None, None),
    ]


def test_whose_shares_no_flow_tells_is_stored(tmp_path: Path) -> None:
    """It is there of the protocol that says so, with what does it, and decides no fact."""
    path, pools = tmp_path / "a.duckdb", replace(POOLS, untold_shares="a bridge makes them")
    with serve([served(blocks(40))]) as node:
        run(
            job(path, protocols=(FEED, pools), declarations={"feed": FEED, "pools": pools}),
            node.url,
        )

    assert rows(path, "select * from untold_shares") == [(1, "pools", "a bridge makes them")]
    assert digest(pools, ETHEREUM) == digest(POOLS, ETHEREUM)


def test_reads_are_declared_with_how_often() -> None:
    """Maple reads share prices by the day on Ethereum, and has nothing on Arbitrum."""
    said = declared_facts([PROTOCOLS["maple"]], ETHEREUM).filter(fact="share_prices")

    assert said["every_seconds"].to_list() == [86_400] * len(said)
    assert len(said) > 0
    assert "markets" not in declared_facts([PROTOCOLS["gmx_v2"]], ARBITRUM)["fact"]
    assert declared_facts([PROTOCOLS["maple"]], ARBITRUM).is_empty()


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_who_tells_of_credit_events_tells_of_a_loss(slug: str) -> None:
    """A claim of no loss knows tables, not kinds; who would tell of payments alone is named."""
    protocol = PROTOCOLS[slug]
    losses = [event for event in protocol.events if event.columns.get("kind") in LOSSES]
    of_losses = replace(protocol, events=tuple(losses))

    silent = {
        chain.slug
        for chain in {contract.chain for contract in protocol.contracts}
        if "credit_events" in set(declared_facts([protocol], chain)["fact"])
        and "credit_events" not in set(declared_facts([of_losses], chain)["fact"])
    }

    assert silent == SILENT.get(slug, set())
