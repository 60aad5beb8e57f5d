"""
What to fetch next, and how it lands: gaps, finality, reorgs, children, resume.

Read `converge` first: it is the loop. `plan` says what is missing, `ahead` has several ranges
under way, `fetching` gets one, `landing` turns it into rows, `reorgs` looks whether the chain is
still the same, `rederiving` does what needs no node. `estimate` says what a run would take.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from indexer.rpc import Endpoint, Node
from indexer.sync.converge import Job, Progress, Summary
from indexer.sync.converge import converge as _converge
from indexer.sync.estimate import Estimate
from indexer.sync.estimate import estimate as _estimate
from indexer.sync.landing import Tally
from indexer.sync.rederiving import redecode, take_back
from indexer.sync.reorgs import Ledger
from indexer.sync.supplement import supplement

__all__ = [
    "Estimate",
    "Job",
    "Ledger",
    "Progress",
    "Summary",
    "Tally",
    "estimate",
    "index",
    "redecode",
    "take_back",
]


def index(job: Job, endpoints: Sequence[Endpoint], progress: Progress) -> Summary:
    """
    Bring the database to the chain's head, or to `job.to_block`, and return what was done.

    Args:
        job: what to index.
        endpoints: whom to ask, in order of preference.
        progress: told blocks done, blocks to do and logs written after each range.

    Raises:
        UserError: no endpoint is given, or a declaration has changed.
        RequestsSpent: not even the endpoints could be asked who they are.
        WorldError: what `converge` and `Node` raise.
    """

    async def run() -> Summary:
        most = min(job.concurrency, sum(endpoint.concurrency for endpoint in endpoints))
        async with Node(endpoints, job.chain, most_requests=job.max_requests) as node:
            work = replace(job, concurrency=max(most, 1))
            await supplement(node, work, progress)
            return await _converge(node, work, progress)

    return asyncio.run(run())


def estimate(job: Job, endpoints: Sequence[Endpoint], samples: int) -> Estimate:
    """
    Return what `index` would take; nothing is stored.

    Args:
        job: what to index.
        endpoints: whom to ask, in order of preference.
        samples: how many parts of the chain to look at, at most.

    Raises:
        UserError: no endpoint is given, or a declaration has changed.
        WorldError: what asking a node raises.
    """

    async def run() -> Estimate:
        async with Node(endpoints, job.chain) as node:
            return await _estimate(node, job, samples=samples)

    return asyncio.run(run())
