"""
How far a chain is, and how much of that is final, as a node says before anything is fetched.

Where a node knows no tags, or answers them with its head, blocks older than the chain's
`finality_seconds` count as final, measured on block timestamps: whatever the pace of the chain.
Where the head has no timestamp either, nothing is called final.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil

from indexer.chains import Chain
from indexer.errors import HistoryPruned, NodeBehind
from indexer.rpc import Header
from indexer.sync.moments import last_until
from indexer.sync.source import Source

_INSTANT_SECONDS = 60
_FEW_BLOCKS = 2


@dataclass(frozen=True)
class Heads:
    """
    Attributes:
        latest: header of the newest block.
        safe: last safe block; -1 when none is known to be.
        finalized: last final block; -1 when none is known to be.
        settled: blocks at or below are fetched in long ranges; above, reorgs are watched for.
        is_whole: whether headers link by parent hash; recorded chains have holes.
        reasons: how it is known which blocks are safe and which are finalized.
    """

    latest: Header
    safe: int
    finalized: int
    settled: int
    is_whole: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)

    def finality(self, block: int) -> str:
        """Return how final a block is: latest, safe or finalized."""
        if block <= self.finalized:
            return "finalized"
        return "safe" if block <= self.safe else "latest"

    def reason(self, finality: str) -> str:
        """Return how it is known that blocks are so final."""
        return self.reasons.get(finality, f"tag {finality}")


async def read_heads(node: Source, chain: Chain, kind: str = "node") -> Heads:
    """
    Return the heads of a chain now.

    Args:
        node: whom to ask.
        chain: the chain.
        kind: what stands behind the node: node, recorded or simulated. A chain that is recorded or
            simulated is finished, so its head may be final.

    Raises:
        NodeBehind: the node has no block at all.
        NodeUnavailable: no endpoint answered.
    """
    before = await node.head("latest") if kind == "node" else None
    # The most final first: what comes later can only be newer.
    tagged = await node.head("finalized")
    tagged_safe = await node.head("safe")
    latest = await newest(node, chain)
    reasons = {}
    if tagged is None or not _is_believed(tagged, before, chain):
        finalized = await _final_by_age(node, chain, latest)
        reasons["finalized"] = f"{chain.finality_seconds:,} s old by block time"
    else:
        finalized = tagged.number
    guess = latest.number - ceil(2 * chain.finality_seconds / chain.block_seconds)
    known = -1 if finalized is None else min(finalized, latest.number)
    is_safe = tagged_safe is not None and _is_believed(tagged_safe, before, chain)
    safe = max(known, min(tagged_safe.number, latest.number) if tagged_safe and is_safe else known)
    settled = guess if finalized is None else known
    return Heads(latest, safe, known, settled, kind != "recorded", reasons)


async def newest(node: Source, chain: Chain) -> Header:
    """
    Return the header of the newest block.

    Raises:
        NodeBehind: the node has no block at all.
        NodeUnavailable: no endpoint answered.
    """
    latest = await node.head("latest")
    if latest is None:
        raise NodeBehind(f"the node of {chain.slug} has no block yet; try again later")
    return latest


def _is_believed(tagged: Header | None, before: Header | None, chain: Chain) -> bool:
    # A node that ignores tags answers with its head, or behind a balancer with that of another.
    if tagged is None or before is None or chain.finality_seconds <= _INSTANT_SECONDS:
        return tagged is not None
    return tagged.number < before.number - _FEW_BLOCKS


async def _final_by_age(node: Source, chain: Chain, latest: Header) -> int | None:
    if latest.timestamp is None:
        return None
    horizon = latest.timestamp - timedelta(seconds=chain.finality_seconds)
    step = ceil(chain.finality_seconds / chain.block_seconds) + 1
    while True:
        low = max(0, latest.number - step)
        try:
            found = await last_until(node, horizon, low, latest)
        except (NodeBehind, HistoryPruned):  # the chain, or what the node keeps, begins above it
            return None
        if found >= low or low == 0:
            return found
        step *= 4
