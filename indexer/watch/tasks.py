"""
What watch does: bring chains up to date, publish the copy for readers, look at what is stored.

Verification, reports and whatever else comes from outside are `Extra`s: this package does not
know them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from indexer.rpc import Endpoint
from indexer.spec import Protocol, first_block
from indexer.store import Status, is_published, publish, reading, status
from indexer.sync import Job, Look, Summary, catch_up
from indexer.watch.freshness import Freshness
from indexer.watch.metrics import Metrics
from indexer.watch.threads import Result, elsewhere

_LOOK = "15s"


@dataclass(frozen=True)
class Task:
    """
    One thing that is done again and again.

    Attributes:
        name: what it is called in logs and metrics.
        when: an interval or a crontab's five fields.
        run: does it once, and returns what the log should say about it.
        chain: the chain's slug; empty where it is about the whole database.
        is_first: whether it is done at once when watch starts.
        is_quiet: whether runs that end well are left out of the log.
    """

    name: str
    when: str
    run: Callable[[], Awaitable[dict[str, object]]]
    chain: str = ""
    is_first: bool = False
    is_quiet: bool = False


@dataclass(frozen=True)
class Extra:
    """
    A task that somebody else brings; it runs in a thread.

    Attributes:
        name: what it is called in logs and metrics.
        when: its schedule; None: never.
        run: does it once, given the database. Raises PerpscopeError or OSError.
        reads_long: whether it keeps the database open for long: it is given the copy for readers
            where there is one, and else takes turns.
    """

    name: str
    when: str | None
    run: Callable[[Path], None]
    reads_long: bool = False


@dataclass(frozen=True)
class Watched:
    """
    What watch is about.

    Attributes:
        database: the database.
        jobs: what to index, with whom to ask, per chain.
        when: how often.
        snapshot: where the copy for readers is published; None for nowhere.
        snapshot_when: how often; None: after each run of index, if anything has changed.
        metrics: told what happens.
        freshness: told how far chains are.
    """

    database: Path
    jobs: Sequence[tuple[Job, Sequence[Endpoint]]]
    when: str
    snapshot: Path | None
    snapshot_when: str | None
    metrics: Metrics
    freshness: Freshness


def tasks_of(watched: Watched, extras: Sequence[Extra] = ()) -> list[Task]:
    """Return everything to do, on its own schedule."""
    found = [
        Task(
            "index",
            watched.when,
            partial(_index, watched, job, endpoints),
            chain=job.chain.slug,
            is_first=True,
        )
        for job, endpoints in watched.jobs
    ]
    if watched.snapshot is not None and watched.snapshot_when is not None:
        found.append(Task("snapshot", watched.snapshot_when, partial(_snapshot, watched)))
    # Until it was looked, no copy was published and nothing is stored.
    found.append(Task("look", _LOOK, partial(_look, watched), is_quiet=True, is_first=True))
    found += [
        Task(extra.name, extra.when, partial(_extra, watched, extra))
        for extra in extras
        if extra.when is not None
    ]
    return found


async def _index(watched: Watched, job: Job, endpoints: Sequence[Endpoint]) -> dict[str, object]:
    chain, metrics = job.chain.slug, watched.metrics
    looks: list[Look] = []

    def progress(done: int, total: int, _logs: int) -> None:
        metrics.lags(chain, total - done)
        if looks:  # not yet while what is new to a declaration is fetched
            metrics.works(chain, looks[0]())

    metrics.begins(chain)
    try:
        done = await elsewhere(lambda: catch_up(job, endpoints, progress, looks.append))
    finally:
        if looks:
            metrics.works(chain, looks[0]())
    metrics.lags(chain, 0)
    watched.freshness.reached(chain, done.head_at)
    await _after(watched, done)
    return _told(done)


async def _after(watched: Watched, done: Summary) -> None:
    if watched.snapshot_when is None:
        await _snapshot(watched)
    if done.tally.blocks or done.reorgs or done.renewed:
        await _look(watched)


def _told(done: Summary) -> dict[str, object]:
    tally = done.tally
    return {
        "head": done.head,
        "blocks": tally.blocks,
        "logs": tally.logs,
        "facts": sum(tally.facts.values()),
        "rejects": sum(tally.rejects.values()),
        "reorgs": done.reorgs,
        "requests": done.requests,
        **({"renewed": done.renewed} if done.renewed else {}),
    }


async def _snapshot(watched: Watched) -> dict[str, object]:
    copy = watched.snapshot
    if copy is None or not watched.database.exists() or is_published(watched.database, copy):
        return {}
    snapshot = await _reading(publish, watched.database, copy)
    watched.metrics.published(snapshot)
    return {"snapshot": snapshot.number}


async def _look(watched: Watched) -> dict[str, object]:
    if watched.database.exists():
        watched.metrics.stored(await asyncio.to_thread(_status, watched))
    return {}


def _status(watched: Watched) -> Status:
    starts = {
        (job.chain.chain_id, protocol.slug): start
        for job, _ in watched.jobs
        for protocol in job.protocols
        if (start := _start(protocol, job)) is not None
    }
    return status(watched.database, starts)


def _start(protocol: Protocol, job: Job) -> int | None:
    """Return where coverage should start; None of a moment: it starts where it does."""
    start = first_block(protocol, job.chain)
    if start is None or isinstance(job.from_block, datetime):
        return None
    return max(start, job.from_block or 0)


async def _extra(watched: Watched, extra: Extra) -> dict[str, object]:
    copy = watched.snapshot
    if not watched.database.exists():
        return {}
    if not extra.reads_long:
        await asyncio.to_thread(extra.run, watched.database)
    elif copy is not None and copy.exists():
        await asyncio.to_thread(extra.run, copy)
    else:
        await _reading(extra.run, watched.database)
    return {}


async def _reading(work: Callable[..., Result], *given: object) -> Result:
    """Return what `work` returns; nobody else of this process reads a database meanwhile."""

    def alone() -> Result:
        with reading:
            return work(*given)

    return await asyncio.to_thread(alone)
