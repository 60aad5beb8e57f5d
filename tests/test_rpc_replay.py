"""The client against the replay node and real logs of 20 chains."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.chains import CHAINS, Chain
from indexer.errors import RangeTooLarge
from indexer.rpc import Endpoint, Filter, Node
from indexer.simulation.node import serve
from indexer.simulation.recording import recorded
from indexer.simulation.served import ServedChain

EVERYTHING = Filter((), ())
CHAIN_OF = {chain.chain_id: chain for chain in CHAINS}


@pytest.fixture(scope="module")
def chains(shared: Path) -> list[ServedChain]:
    """Return every recorded chain."""
    return recorded([shared / "data" / "logs" / "all_logs.jsonl.gz"])


async def fetched(url: str, chain: Chain) -> int:
    """Fetch the whole chain in one range and some headers; return how many logs there are."""
    async with Node([Endpoint(url, tries=1)], chain) as node:
        head = await node.head()
        assert head is not None
        logs, last = await node.logs(EVERYTHING, 0, head.number)
        headers = await node.headers(logs["block_number"].unique()[:150].to_list())

    assert last == head
    assert headers["hash"].is_in(logs["block_hash"].implode()).all()
    return logs.height


def test_every_recorded_log_passes_the_checks(chains: list[ServedChain]) -> None:
    """Real chains restart indexes, skip topics and repeat hashes; none of it is called wrong."""
    with serve(chains) as served:
        counts = [
            asyncio.run(fetched(served.urls[chain.slug], CHAIN_OF[chain.chain_id]))
            for chain in chains
        ]

    assert sum(counts) == 46_697


def test_the_replay_nodes_refusals_are_understood(chains: list[ServedChain]) -> None:
    """The node refuses as QuickNode and Infura do; both proposals arrive."""
    chain = next(chain for chain in chains if chain.slug == "ethereum")
    narrow = replace(chain, max_block_span=1_000)

    with serve([narrow]) as served, pytest.raises(RangeTooLarge) as caught:
        asyncio.run(fetched(served.url, CHAIN_OF[chain.chain_id]))

    assert caught.value.suggested == (0, 999)
