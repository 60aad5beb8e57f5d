"""`perpscope index --report FILE`: what a run was asked, what it did, and with which versions."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer.errors import UserError, WorldError, misplaced
from indexer.rpc import Endpoint, EndpointStatistics
from indexer.store import Snapshot, is_database, is_protected, program_version, status
from indexer.sync import Job, Summary

FORMAT = "perpscope-run/1"

_ENGINES = ("duckdb", "polars", "web3")


def check_writable(file: Path, database: Path, others: Iterable[Path] = ()) -> None:
    """
    Check, before anything is fetched, that the report will have a place of its own.

    Args:
        file: where it will be.
        database: what is indexed into.
        others: what else the run reads or writes.

    Raises:
        UserError: the path is a folder, a database, protected or one of the others, or its folder
            does not exist.
    """
    if str(file) == "-":
        raise UserError("--report -: expected a file; /dev/stdout is the standard output")
    if why := misplaced(file, "--report"):
        raise UserError(why)
    if file.resolve() == database.resolve() or is_database(file):
        raise UserError(f"{file} is a database: expected another file; correct --report")
    if is_protected(file):
        raise UserError(f"{file} is protected from writing: expected another; correct --report")
    if file.resolve() in {other.resolve() for other in others}:
        raise UserError(
            f"{file} holds the settings or is named by them: expected another file; correct "
            "--report"
        )


def is_stream(file: Path) -> bool:
    """Return whether it is a device or a pipe: written to, it stays what it is."""
    return file.exists() and not file.is_file()


def write_run_report(file: Path, content: dict[str, Any]) -> None:
    """
    Put the report in its place, whole or not at all; a stream is written to.

    Raises:
        WorldError: it cannot be written; what was there is as before.
    """
    text = json.dumps(content, indent=1) + "\n"
    target = file.resolve()  # what a link stands for is replaced, not the link
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        if is_stream(file):
            file.write_text(text, "utf-8")
            return
        with unfinished.open("w", encoding="utf-8") as place:
            place.write(text)
            place.flush()
            os.fsync(place.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise WorldError(
            f"the report {file} cannot be written ({error.strerror}); make room for it there, or "
            "name another file with --report"
        ) from error
    finally:
        with suppress(OSError):  # it is the report by now, or what went wrong is said
            unfinished.unlink()


def run_report(
    job: Job,
    endpoints: Sequence[Endpoint],
    *,
    started_at: datetime,
    done: Summary | None,
    error: str | None,
    snapshot: Snapshot | None = None,
) -> dict[str, Any]:
    """
    Return a run as JSON values; URLs appear without what may be a key.

    Args:
        job: what was asked.
        endpoints: who could be asked.
        started_at: when the run began, UTC.
        done: what was done, also by a run that failed; None where it failed before it began.
        error: what stopped the run; None when it reached its end.
        snapshot: the copy for readers that was published, if any.
    """
    return {
        "format": FORMAT,
        "outcome": "done" if error is None else "failed",
        "error": None if error is None else " ".join(error.split()),
        "started_at": _moment(started_at),
        "ended_at": _moment(datetime.now(UTC)),
        "asked": _asked(job, endpoints),
        "done": None if done is None else _done(done),
        "coverage": _coverage(job),
        "snapshot": None if snapshot is None else snapshot.number,
        "versions": {
            "perpscope": program_version(),
            **{name: version(name) for name in _ENGINES},
            "python": platform.python_version(),
        },
    }


def _asked(job: Job, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    return {
        "chain": job.chain.slug,
        "chain_id": job.chain.chain_id,
        "protocols": [protocol.slug for protocol in job.protocols],
        "from_block": _place(job.from_block),
        "to_block": _place(job.to_block),
        "max_span": job.max_span,
        "max_logs": job.max_logs,
        "database": str(job.path),
        "endpoints": [str(endpoint) for endpoint in endpoints],
    }


def _place(place: int | datetime | None) -> int | str | None:
    return _moment(place) if isinstance(place, datetime) else place


def _done(done: Summary) -> dict[str, Any]:
    tally = done.tally
    return {
        "head": done.head,
        "head_at": None if done.head_at is None else _moment(done.head_at),
        "ranges": tally.ranges,
        "blocks": tally.blocks,
        "logs": tally.logs,
        "facts": {name: rows for name, rows in sorted(tally.facts.items()) if rows},
        "rejects": dict(tally.rejects.most_common()),
        "reorgs": done.reorgs,
        "renewed": list(done.renewed),
        "requests": done.requests,
        "seconds": round(done.seconds, 3),
        "endpoints": [_account(endpoint) for endpoint in done.endpoints],
    }


def _account(endpoint: EndpointStatistics) -> dict[str, Any]:
    return {**vars(endpoint), "errors": dict(endpoint.errors)}


def _coverage(job: Job) -> list[dict[str, Any]] | None:
    try:
        coverage = status(job.path, {}).coverage
    except WorldError:  # none, or out of reach: not known, which is not the same as nothing
        return None
    slugs = [protocol.slug for protocol in job.protocols]
    own = (coverage["chain_id"] == job.chain.chain_id) & coverage["protocol"].is_in(slugs)
    return coverage.filter(own).drop("chain_id").to_dicts()


def _moment(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
