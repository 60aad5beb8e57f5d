"""Indexing from the rig, and what a run says of itself."""

from dataclasses import dataclass
from pathlib import Path

from sync_rig import job

from indexer.errors import PerpscopeError, ReorgTooDeep
from indexer.rpc import Endpoint
from indexer.sync import Job, index, take_back

SLOW_SECONDS = 0.6
_HASTY_SECONDS = 0.3


@dataclass(frozen=True)
class Told:
    """
    How a run ended.

    Attributes:
        head: the chain's last block as the run saw it; -1 where it ended with an error.
        error: the class of the error it ended with; empty where it ended well.
        message: what the error says.
    """

    head: int
    error: str = ""
    message: str = ""


def job_of(path: Path, **settings: object) -> Job:
    """Return the job of indexing the rig's chain, proven by blooms."""
    return job(path, **({"proof": "bloom"} | settings))


def hasty(url: str) -> Endpoint:
    """Return an endpoint that is given up soon."""
    return Endpoint(
        url,
        tries=3,
        first_wait_seconds=0.002,
        longest_wait_seconds=1,
        timeout_seconds=_HASTY_SECONDS,
    )


def patient(url: str) -> Endpoint:
    """Return an endpoint that is waited for: a busy machine is no fault."""
    return Endpoint(url, tries=3, first_wait_seconds=0.01)


def indexed(work: Job, *endpoints: Endpoint) -> Told:
    """Index, and return how it ended; whatever is no error of ours is raised."""
    try:
        return Told(index(work, endpoints, lambda _done, _total, _logs: None).head)
    except PerpscopeError as error:
        return Told(-1, type(error).__name__, str(error))


def healed(work: Job, endpoint: Endpoint, deepest: int) -> Told:
    """
    Index as a person would in the end: where it says that a reorg went too deep, rewind and go on.

    Args:
        work: what to index.
        endpoint: a sound node.
        deepest: the last block that no reorg reached.
    """
    told = indexed(work, endpoint)
    if told.error == ReorgTooDeep.__name__:
        take_back(work.ledger(), work.protocols, deepest)
        told = indexed(work, endpoint)
    return told
