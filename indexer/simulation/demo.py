"""The simulated world through the ordinary client: served on loopback, indexed, nothing faked."""

from collections.abc import Callable
from pathlib import Path

from indexer.chains import CHAINS
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.simulation.node import serve
from indexer.simulation.served import ServedChain
from indexer.simulation.world import SLUGS, World, simulated
from indexer.sync import Job, Summary, index

DEFAULT_SEED = 1


def indexed_world(
    database: Path, seed: int = DEFAULT_SEED, announce: Callable[[str], None] = print
) -> World:
    """
    Simulate, serve and index; when this returns nothing is left running.

    Args:
        database: the DuckDB file to fill.
        seed: what the whole world follows from.
        announce: told a line when something is done.

    Raises:
        WorldError: the file cannot be written.
    """
    world = simulated(seed)
    announce(_made(world))
    with serve(world.chains) as node:
        for chain in world.chains:
            announce(_done(chain, index_served(database, chain, node.urls[chain.slug])))
    return world


def index_served(database: Path, served: ServedChain, url: str) -> Summary:
    """Index a simulated chain that is served at `url`, from its second block to its last."""
    chain = next(one for one in CHAINS if one.chain_id == served.chain_id)
    protocols = tuple(
        PROTOCOLS[slug]
        for slug in SLUGS
        if any(contract.chain == chain for contract in PROTOCOLS[slug].contracts)
    )
    job = Job(database, chain, protocols, PROTOCOLS, from_block=served.first + 1)
    return index(job, (Endpoint(url),), lambda _done, _total, _logs: None)


def _made(world: World) -> str:
    blocks = [block for chain in world.chains for block in chain.blocks[1:]]
    logs = sum(len(block.log_keys) for block in blocks)
    names = " and ".join(chain.slug for chain in world.chains)
    return (
        f"simulated {len(blocks):,} blocks with {logs:,} logs on {names} "
        f"(seed {world.seed}; not real data)"
    )


def _done(chain: ServedChain, summary: Summary) -> str:
    tally = summary.tally
    return (
        f"{chain.slug}: indexed {tally.blocks:,} blocks over JSON-RPC, {tally.logs:,} logs, "
        f"{sum(tally.facts.values()):,} facts, {sum(tally.rejects.values()):,} rejects, "
        f"{summary.seconds:.1f} s"
    )
