"""
The whole simulated world: two chains, one ledger, one script.

Everything follows from the scenario and the seed. `simulated` trades block by block, makes blocks
that verify from the transactions, and posts what happened to the ledger.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from indexer.chains import ARBITRUM, ETHEREUM, Chain
from indexer.protocols import PROTOCOLS
from indexer.simulation import credit, feeds, lending, noise, supplies, vault
from indexer.simulation.blocks import Block, block
from indexer.simulation.crowd import Crowd, traders
from indexer.simulation.emitter import Emitter
from indexer.simulation.ledger import Draft, Entry, Ledger
from indexer.simulation.market import USD, Market, Token
from indexer.simulation.prices import CALM_SECONDS, Prices, block_times, delayed, paths
from indexer.simulation.scenarios import THREE_DAYS, Scenario
from indexer.simulation.served import SIMULATED_CLIENT, CallKey, ServedChain
from indexer.simulation.truth import Truth
from indexer.simulation.venue import Venue

FIRST_BLOCKS = {ARBITRUM: 420_000_000, ETHEREUM: 24_160_000}
SLUGS = ("gmx_v2", "gmx_v1", "chainlink", "maple", "aave")
_DAY = 86_400
TRADERS = 90
# ETH/USD, BTC/USD and SOL/USD against USDC: market, pool and depth in dollars.
_MARKETS = (
    ("0x70d95587d40a2caf56bd97485ab3eec10bee6336", 4_500_000, 900_000_000),
    ("0x47c031236e19d024b42f8ae6780e44a573170703", 3_500_000, 1_200_000_000),
    ("0x09400d9db990d5ed3f35d7be61dfaeb900af03c9", 2_500_000, 350_000_000),
)

Step = Callable[[int], Sequence[Draft]]
# What contracts answer after a block (number, time), and what a reader must make of it.
Look = Callable[[int, int], tuple[Mapping[CallKey, str], Sequence[Entry]]]


@dataclass(frozen=True, eq=False)
class World:
    """
    What was simulated. Two of them are equal only if they are one; `digest` tells what they hold.

    Attributes:
        seed: what everything follows from.
        chains: ready to be served.
        ledger: the books, apart from every encoding.
        venue: GMX v2 as it stood at the end.
        truth: what happened and is not on chain.
    """

    seed: int
    chains: tuple[ServedChain, ...]
    ledger: Ledger
    venue: Venue
    truth: Truth

    def digest(self) -> str:
        """Return the SHA-256 of all block hashes, which cover headers and logs."""
        hashes = "".join(each.hash for chain in self.chains for each in chain.blocks)
        return sha256(hashes.encode("ascii")).hexdigest()


@dataclass(frozen=True)
class _Plan:
    """What the makers of both chains share."""

    seed: int
    scenario: Scenario
    prices: dict[int, Prices]
    venue: Venue
    truth: Truth


def simulated(seed: int = 1, scenario: Scenario = THREE_DAYS) -> World:
    """Return the world of a scenario and a seed; the same two give the same bytes."""
    times = block_times(scenario)
    plan = _Plan(seed, scenario, paths(seed, times, scenario), gmx_v2(scenario), Truth(scenario))
    ledger = Ledger()
    step, look = _ethereum(plan)
    rare = [time for time in times if time % scenario.ethereum_seconds == 0]
    chains = (
        _chain(ARBITRUM, times, _arbitrum(plan), ledger, _supply_of_gmx),
        _chain(ETHEREUM, rare, step, ledger, look),
    )
    return World(seed, chains, ledger, plan.venue, plan.truth)


def gmx_v2(scenario: Scenario = THREE_DAYS) -> Venue:
    """Return GMX v2 on Arbitrum as declared, before its first simulated trade."""
    declared = PROTOCOLS["gmx_v2"]
    emitter = next(one.address for one in declared.contracts if one.chain == ARBITRUM)
    bought = next(one for one in declared.tokens if (one.chain, one.symbol) == (ARBITRUM, "GMX"))
    return Venue(
        scenario=scenario,
        markets=tuple(
            _market(address, pool * scenario.pool_percent // 100, depth)
            for address, pool, depth in _MARKETS
        ),
        emitter=Emitter(bytes.fromhex(emitter[2:])),
        bought=_token(bought.address),
    )


def _market(address: str, pool: int, depth: int) -> Market:
    found = next(
        one
        for one in PROTOCOLS["gmx_v2"].markets
        if (one.chain, one.market.lower()) == (ARBITRUM, address)
    )
    index, long, short = (
        _token(str(address)) for address in (found.index_token, found.long_token, found.short_token)
    )
    return Market(bytes.fromhex(found.market[2:]), index, long, short, pool * USD, depth * USD)


def _token(address: str) -> Token:
    found = next(
        one
        for one in PROTOCOLS["gmx_v2"].tokens
        if one.chain == ARBITRUM and one.address.lower() == address.lower()
    )
    asset = {"WETH": "ETH"}.get(found.symbol, found.symbol)
    return Token(bytes.fromhex(found.address[2:]), asset, found.decimals)


def _arbitrum(plan: _Plan) -> Step:
    seed, prices, venue = plan.seed, plan.prices, plan.venue
    random = Random(f"{seed} crowd")
    crowd = Crowd(random, traders(random, TRADERS), truth=plan.truth)
    old = vault.Vault(Random(f"{seed} vault"), plan.scenario)
    late = delayed(prices, plan.scenario.vault_delay_seconds)
    posts = feeds.Feeds(ARBITRUM, ("SOL",), plan.scenario)
    chatter = Random(f"{seed} noise")

    def step(time: int) -> list[Draft]:
        venue.time, venue.prices = time, prices[time]
        drafts = [
            *crowd.acts(venue),
            *old.acts(time, late[time]),
            *posts.acts(time, prices[time]),
            *noise.acts(chatter, venue),
        ]
        plan.truth.readings.extend(posts.readings(time, prices[time]))
        return drafts

    return step


def _ethereum(plan: _Plan) -> tuple[Step, Look]:
    seed, prices, rhythm = plan.seed, plan.prices, plan.scenario.ethereum_seconds
    posts = feeds.Feeds(ETHEREUM, ("ETH", "BTC"), plan.scenario)
    pool = credit.Pool(Random(f"{seed} pool"), plan.scenario)
    borrowers = lending.Borrowers(Random(f"{seed} borrowers"))

    def step(time: int) -> list[Draft]:
        drafts = [
            *posts.acts(time, prices[time]),
            *pool.acts(time),
            *borrowers.acts(prices[time]),
        ]
        plan.truth.readings.extend(posts.readings(time, prices[time]))
        return drafts

    def look(number: int, time: int) -> tuple[Mapping[CallKey, str], Sequence[Entry]]:
        if time % _DAY >= rhythm:
            return {}, []
        aave, syrup = supplies.AAVE, supplies.SYRUP
        supply = aave.answers(number, time) | syrup.answers(number, time)
        if not pool.is_born:
            return supply, [aave.entry(time), syrup.entry(time)]
        shares = pool.shares
        entries = [aave.entry(time), *shares.entries(), syrup.entry(time)]
        return supply | shares.answers(number), entries

    return step, look


def _supply_of_gmx(number: int, time: int) -> tuple[Mapping[CallKey, str], Sequence[Entry]]:
    if time % _DAY >= CALM_SECONDS:
        return {}, []
    return supplies.GMX.answers(number, time), [supplies.GMX.entry(time)]


def _chain(
    chain: Chain, times: Sequence[int], step: Step, ledger: Ledger, look: Look
) -> ServedChain:
    calls = dict(lending.token_answers()) if chain == ETHEREUM else {}
    number = FIRST_BLOCKS[chain]
    # The time of the block before says whether something is due at the first.
    parent = block(None, number - 1, times[0] - (times[1] - times[0]), [])
    blocks: list[Block] = [parent]
    for time in times:
        drafts = step(time)
        parent = block(parent, number, time, [draft.transaction() for draft in drafts])
        ledger.post(chain.chain_id, parent, drafts)
        answers, entries = look(number, time)
        ledger.post_state(chain.chain_id, parent, entries)
        calls.update(answers)
        blocks.append(parent)
        number += 1
    return ServedChain(
        chain_id=chain.chain_id,
        slug=chain.slug,
        client_version=SIMULATED_CLIENT,
        blocks=blocks,
        calls=calls,
        multicall_from=0,
        safe_lag=0,
        finalized_lag=0,
    )
