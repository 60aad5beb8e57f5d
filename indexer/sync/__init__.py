"""
What to fetch next, and how it lands: gaps, finality, reorgs, children, resume.

Read `converge` first: it is the loop. `plan` says what is missing, `ahead` has several ranges
under way, `fetching` gets one, `landing` turns it into rows, `reads` asks for state that no event
tells, `reorgs` looks whether the chain is still the same, `rederiving` does what needs no node.
`proving` says whether logs are complete, `verifying` asks it of what is stored, `repairing` mends
what that found. `estimate` says what a run would take.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from indexer.chains import Chain
from indexer.rpc import Endpoint, Node
from indexer.spec import Protocol
from indexer.sync.converge import Job, Progress, Summary
from indexer.sync.converge import converge as _converge
from indexer.sync.estimate import Estimate
from indexer.sync.estimate import estimate as _estimate
from indexer.sync.landing import Tally
from indexer.sync.rederiving import redecode, take_back
from indexer.sync.reorgs import Ledger
from indexer.sync.repairing import Repaired
from indexer.sync.repairing import repair as _repair
from indexer.sync.verifying import Inspection, Verdict
from indexer.sync.verifying import verify as _verify

__all__ = [
    "Estimate",
    "Inspection",
    "Job",
    "Ledger",
    "Progress",
    "Repaired",
    "Summary",
    "Tally",
    "Verdict",
    "estimate",
    "index",
    "now",
    "redecode",
    "repair",
    "take_back",
    "verify",
]

_Done = TypeVar("_Done")


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
    most = max(min(job.max_ranges, sum(endpoint.concurrency for endpoint in endpoints)), 1)
    fitting = replace(job, max_ranges=most)
    return _asked(
        endpoints,
        job.chain,
        lambda node: _converge(node, fitting, progress),
        most_requests=job.max_requests,
    )


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
    return _asked(endpoints, job.chain, lambda node: _estimate(node, job, samples=samples))


def verify(
    wanted: Inspection, endpoints: Sequence[Endpoint], progress: Callable[[int, int], None]
) -> Verdict:
    """
    Compare what is stored with what the chain commits to; write audits, raise proven coverage.

    Args:
        wanted: what to verify.
        endpoints: whom to ask, in order of preference.
        progress: told blocks done and blocks to do.

    Raises:
        UserError: no endpoint is given, or nothing of the protocols is stored.
        WorldError: what `verifying.verify` and `Node` raise.
    """
    chain = wanted.ledger.chain
    return _asked(endpoints, chain, lambda node: _verify(node, wanted, progress))


def repair(
    ledger: Ledger, protocols: Sequence[Protocol], endpoints: Sequence[Endpoint]
) -> Repaired:
    """
    Fetch again what `verify` found wrong, and put it in place of the wrong rows.

    Args:
        ledger: a chain's part of a database.
        protocols: whose blocks.
        endpoints: whom to ask.

    Raises:
        UserError: no endpoint is given.
        WorldError: what `repairing.repair` and `Node` raise.
    """
    return _asked(endpoints, ledger.chain, lambda node: _repair(node, ledger, protocols, now()))


def now() -> datetime:
    """Return the time that marks audits: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _asked(
    endpoints: Sequence[Endpoint],
    chain: Chain,
    question: Callable[[Node], Awaitable[_Done]],
    *,
    most_requests: int | None = None,
) -> _Done:
    async def run() -> _Done:
        async with Node(endpoints, chain, most_requests=most_requests) as node:
            return await question(node)

    return asyncio.run(run())
