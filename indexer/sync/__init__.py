"""
What to fetch next, and how it lands: gaps, finality, reorgs, children, resume.

Read `converge` first: it is the loop. `plan` says what is missing, `fetching` gets one range,
`landing` turns it into rows, `reads` asks for state that no event tells, `reorgs` looks whether the
chain is still the same, `rederiving` does what needs no node.
"""

import asyncio
from collections.abc import Sequence

from indexer.rpc import Endpoint, Node
from indexer.sync.converge import Job, Progress, Summary
from indexer.sync.converge import converge as _converge
from indexer.sync.landing import Tally
from indexer.sync.rederiving import redecode, take_back
from indexer.sync.reorgs import Ledger

__all__ = [
    "Job",
    "Ledger",
    "Progress",
    "Summary",
    "Tally",
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
        WorldError: what `converge` and `Node` raise.
    """

    async def run() -> Summary:
        async with Node(endpoints, job.chain) as node:
            return await _converge(node, job, progress)

    return asyncio.run(run())
