"""
How far a chain is, and how much of that is final, as a node says before anything is fetched.

Where a node knows no tags, blocks older than the chain's `finality_seconds` count as final,
measured on block timestamps. Where the head has no timestamp either, nothing is called final.
A node that ignores tags answers each with its newest block, and is taken for one that knows none.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from indexer.chains import Chain
from indexer.errors import NodeBehind
from indexer.rpc import Header
from indexer.sync.source import Source

# Chains that take minutes to finality never call a block final that is as young as this: between
# the answers about two tags a chain grows by a block or by a moment.
_SLOW_FINALITY_SECONDS = 300
_YOUNG_BLOCKS = 2
_YOUNG = timedelta(seconds=2)


@dataclass(frozen=True)
class Heads:
    """
    Attributes:
        latest: header of the newest block.
        safe: last safe block; -1 when none is known to be.
        finalized: last final block; -1 when none is known to be.
        settled: blocks at or below are fetched in long ranges; above, reorgs are watched for.
        is_whole: whether headers link by parent hash; recorded chains have holes.
    """

    latest: Header
    safe: int
    finalized: int
    settled: int
    is_whole: bool = True

    def finality(self, block: int) -> str:
        """Return how final a block is: latest, safe or finalized."""
        if block <= self.finalized:
            return "finalized"
        return "safe" if block <= self.safe else "latest"


async def read_heads(
    node: Source, chain: Chain, *, is_whole: bool = True, doubts_tags: bool = False
) -> Heads:
    """
    Return the heads of a chain now.

    Args:
        node: whom to ask.
        chain: the chain.
        is_whole: whether headers link by parent hash.
        doubts_tags: whether a block may be called final too early to be true; chains that were
            simulated or recorded may be final to the head.

    Raises:
        NodeBehind: the node has no block at all.
        NodeUnavailable: no endpoint answered.
    """
    # The most final first: what comes later can only be newer.
    tagged = await node.head("finalized")
    tagged_safe = await node.head("safe")
    latest = await node.head("latest")
    if latest is None:
        raise NodeBehind(f"the node of {chain.slug} has no block yet; try again later")
    if doubts_tags and tagged and _is_too_young(chain, tagged, latest):
        tagged = tagged_safe = None
    finalized = tagged.number if tagged else await _final_by_age(node, chain, latest)
    guess = latest.number - ceil(2 * chain.finality_seconds / chain.block_seconds)
    known = -1 if finalized is None else min(finalized, latest.number)
    safe = max(known, min(tagged_safe.number, latest.number) if tagged_safe else known)
    return Heads(latest, safe, known, guess if finalized is None else known, is_whole)


def _is_too_young(chain: Chain, final: Header, latest: Header) -> bool:
    if chain.finality_seconds < _SLOW_FINALITY_SECONDS:
        return False
    if latest.number - final.number <= _YOUNG_BLOCKS:
        return True
    times = (final.timestamp, latest.timestamp)
    return times[0] is not None and times[1] is not None and times[1] - times[0] <= _YOUNG


async def _final_by_age(node: Source, chain: Chain, latest: Header) -> int | None:
    if latest.timestamp is None:
        return None
    horizon = latest.timestamp - timedelta(seconds=chain.finality_seconds)
    step = max(1, ceil(chain.finality_seconds / chain.block_seconds))
    young, old = latest.number, max(0, latest.number - step)
    while not await _is_older(node, old, horizon):
        if old == 0:
            return -1
        step *= 2
        young, old = old, max(0, old - step)
    while young - old > 1:
        middle = (young + old) // 2
        if await _is_older(node, middle, horizon):
            old = middle
        else:
            young = middle
    return old


async def _is_older(node: Source, number: int, horizon: object) -> bool:
    stamp = (await node.headers([number]))["timestamp"][0]
    return stamp is not None and stamp <= horizon
