"""
What to fetch next, and how it lands: gaps, finality, reorgs, children, resume.

Read `converge` first: it is the loop. `plan` says what is missing, `fetching` gets one range,
`landing` turns it into rows, `reorgs` looks whether the chain is still the same, `rederiving`
does what needs no node.
"""

import asyncio
from collections.abc import Callable, Sequence

from indexer.rpc import Endpoint, Node
from indexer.sync.converge import Job, Look, Progress, Summary
from indexer.sync.converge import converge as _converge
from indexer.sync.landing import Tally
from indexer.sync.rederiving import redecode, take_back
from indexer.sync.reorgs import Ledger

__all__ = [
    "Job",
    "Ledger",
    "Look",
    "Progress",
    "Summary",
    "Tally",
    "catch_up",
    "index",
    "redecode",
    "take_back",
]


async def catch_up(
    job: Job, endpoints: Sequence[Endpoint], progress: Progress, begun: Callable[[Look], None]
) -> Summary:
    """
    Bring the database to the chain's head, or to `job.to_block`, and return what was done.

    When it is cancelled, what is being committed is committed, and the rest leaves no trace.

    Args:
        job: what to index.
        endpoints: whom to ask, in order of preference.
        progress: told blocks done, blocks to do and logs written after each range.
        begun: given a function that returns what was done so far, at any time.

    Raises:
        UserError: no endpoint is given, or a declaration has changed.
        WorldError: what `converge` and `Node` raise.
    """
    async with Node(endpoints, job.chain) as node:
        return await _converge(node, job, progress, begun)


def index(
    job: Job,
    endpoints: Sequence[Endpoint],
    progress: Progress,
    begun: Callable[[Look], None] = lambda _look: None,
) -> Summary:
    """
    Do what `catch_up` does, in an event loop of its own.

    Raises:
        UserError: no endpoint is given, or a declaration has changed.
        WorldError: what `converge` and `Node` raise.
    """
    return asyncio.run(catch_up(job, endpoints, progress, begun))
