"""The simulated world through the ordinary client: served on loopback, indexed, nothing faked."""

from collections.abc import Callable
from pathlib import Path

from indexer.chains import CHAINS
from indexer.errors import UserError
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.simulation.node import serve
from indexer.simulation.scenarios import SCENARIOS, THREE_DAYS, Scenario
from indexer.simulation.served import ServedChain
from indexer.simulation.world import SLUGS, World, simulated
from indexer.sync import Job, Summary, index

DEFAULT_SEED = 1


def indexed_world(
    database: Path,
    seed: int = DEFAULT_SEED,
    announce: Callable[[str], None] = print,
    scenario: Scenario = THREE_DAYS,
) -> World:
    """
    Simulate, serve and index; when this returns nothing is left running.

    Args:
        database: the DuckDB file to fill.
        seed: what the whole world follows from.
        announce: told a line when something is done.
        scenario: the script of the world.

    Raises:
        WorldError: the file cannot be written.
    """
    world = simulated(seed, scenario)
    announce(_made(world))
    with serve(world.chains) as node:
        for chain in world.chains:
            announce(_done(chain, index_served(database, chain, node.urls[chain.slug])))
    return world


def scenario_named(name: str) -> Scenario:
    """Return a scenario, or raise UserError naming all of them."""
    if name not in SCENARIOS:
        raise UserError(f"no scenario is called {name}: there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


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
    scenario = world.truth.scenario
    script = "" if scenario is THREE_DAYS else f"{scenario.name}, "
    return (
        f"simulated {len(blocks):,} blocks with {logs:,} logs on {names} "
        f"({script}seed {world.seed}; not real data)"
    )


def _done(chain: ServedChain, summary: Summary) -> str:
    tally = summary.tally
    return (
        f"{chain.slug}: indexed {tally.blocks:,} blocks over JSON-RPC, {tally.logs:,} logs, "
        f"{sum(tally.facts.values()):,} facts, {sum(tally.rejects.values()):,} rejects, "
        f"{summary.seconds:.1f} s"
    )
