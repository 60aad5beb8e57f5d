"""
What to fetch next, and how it lands: gaps, finality, reorgs, children, resume.

Read `job` for what is asked of a run and `converge` for the loop. `plan` says what is missing,
`ahead` has several ranges under way, `fetching` gets one (`pieces` says what that is), `landing`
turns it into rows, `reads` asks for state that no event tells, `reorgs` looks whether the chain is
still the same, `rederiving` does what needs no node. `proving` says whether logs are complete,
`verifying` asks it of what is stored, `agreeing` asks each endpoint, `repairing` mends what they
found. `estimate` says what a run would take.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from indexer.chains import Chain
from indexer.rpc import Endpoint, Node
from indexer.spec import Protocol
from indexer.store import check_writable
from indexer.sync.agreeing import agree, each_once, several
from indexer.sync.converge import Look, Progress
from indexer.sync.converge import converge as _converge
from indexer.sync.estimate import Estimate
from indexer.sync.estimate import estimate as _estimate
from indexer.sync.inspecting import Inspection, Verdict
from indexer.sync.job import Job, Summary
from indexer.sync.landing import Tally
from indexer.sync.phases import Told, ask_phases
from indexer.sync.rederiving import redecode, rederived, restate, take_back
from indexer.sync.reorgs import Ledger
from indexer.sync.repairing import Repaired
from indexer.sync.repairing import repair as _repair
from indexer.sync.supplement import supplement
from indexer.sync.verifying import verify as _verify
from indexer.tables import now

__all__ = [
    "Estimate",
    "Inspection",
    "Job",
    "Ledger",
    "Look",
    "Progress",
    "Repaired",
    "Summary",
    "Tally",
    "Told",
    "Verdict",
    "catch_up",
    "estimate",
    "index",
    "phases_told",
    "redecode",
    "rederived",
    "repair",
    "restate",
    "several",
    "take_back",
    "verify",
]

_Done = TypeVar("_Done")


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
        RequestsSpent: not even the endpoints could be asked who they are.
        DatabaseUnusable: before anybody is asked: it is none of perpscope's, or cannot be written.
        WorldError: what `converge` and `Node` raise.
    """
    check_writable(job.path)
    stored = job.ledger().stored() if job.path.exists() else None
    most = max(min(job.max_ranges, sum(endpoint.concurrency for endpoint in endpoints)), 1)
    async with Node(endpoints, job.chain, most_requests=job.max_requests) as node:
        work = replace(job, max_ranges=most)
        renewed = await supplement(node, work, stored, progress) if stored is not None else ()

        def begin(look: Look) -> None:
            begun(lambda: replace(look(), renewed=renewed))

        done = await _converge(node, work, progress, begin, None if renewed else stored)
        return replace(done, renewed=renewed)


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


def phases_told(protocols: Sequence[Protocol], chain: Chain, endpoints: Sequence[Endpoint]) -> Told:
    """
    Return what contracts say of those that stood behind them; nothing is stored.

    Args:
        protocols: whose contracts.
        chain: where.
        endpoints: whom to ask, in order of preference.

    Raises:
        UserError: no endpoint is given.
        WorldError: what `ask_phases` and `Node` raise.
    """
    return _asked(endpoints, chain, lambda node: ask_phases(node, chain, protocols))


def verify(
    wanted: Inspection, endpoints: Sequence[Endpoint], progress: Callable[[int, int], None]
) -> Verdict:
    """
    Compare what is stored with what the chain commits to; write audits, raise proven coverage.

    At level agreed it is compared with what each endpoint tells, and coverage stays as it is.

    Args:
        wanted: what to verify.
        endpoints: whom to ask, in order of preference.
        progress: told blocks done and blocks to do.

    Raises:
        UserError: no endpoint is given, or too few to compare, or nothing of the protocols is
            stored.
        DatabaseUnusable: before anybody is asked: it may not be written.
        WorldError: what `verifying.verify`, `agreeing.agree` and `Node` raise.
    """
    chain = wanted.ledger.chain
    check_writable(wanted.ledger.path)
    if wanted.level == "agreed":
        return asyncio.run(agree(several(endpoints, chain), wanted, progress))
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
    each = each_once(endpoints)
    return _asked(each, ledger.chain, lambda node: _repair(node, ledger, protocols, now()))


def _asked(
    endpoints: Sequence[Endpoint],
    chain: Chain,
    question: Callable[[Node], Awaitable[_Done]],
) -> _Done:
    async def run() -> _Done:
        async with Node(endpoints, chain) as node:
            return await question(node)

    return asyncio.run(run())
