"""`perpscope index`: bring the database up to date with a chain, then exit."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from indexer.cli.given import Proof, job_of
from indexer.cli.options import (
    ChainName,
    ConfigFile,
    Database,
    From,
    MaxSpan,
    To,
    ToIndex,
    Urls,
)
from indexer.cli.places import database_of, snapshot_of
from indexer.cli.printing import print_table
from indexer.cli.progress import shown
from indexer.cli.run_report import check_writable, is_stream, run_report, write_run_report
from indexer.config import configuration, configuration_file
from indexer.errors import PerpscopeError, RequestsSpent
from indexer.rpc import Endpoint
from indexer.spec import first_block
from indexer.store import Snapshot, is_published, publish
from indexer.sync import Job, Look, Summary, index

_REASONS = 20  # are shown: each unknown token is one of its own


def index_command(
    *,
    chain: ChainName,
    rpc: Urls = None,
    protocol: ToIndex = None,
    from_block: From = None,
    to_block: To = None,
    database: Database = None,
    config: ConfigFile = None,
    max_span: MaxSpan = None,
    max_requests: Annotated[
        int | None,
        typer.Option(min=1, help="Send no more; what is whole by then is kept, and the exit is 1."),
    ] = None,
    proof: Proof = None,
    report: Annotated[
        Path | None, typer.Option(help="A JSON file to write: what was asked, done and rejected.")
    ] = None,
) -> None:
    """Bring the database up to date with a chain, then exit."""
    settings = configuration(config)
    path = database_of(database, settings)
    job = job_of(
        chain,
        protocol,
        (from_block, to_block),
        settings,
        path=path,
        max_span=max_span,
        max_requests=max_requests,
        proof=proof,
    )
    endpoints = settings.endpoints(job.chain, rpc)
    if report is not None:
        named = (configuration_file(config), settings.storage.snapshot, *settings.phases)
        check_writable(report, path, [Path(each) for each in named if each])
    _run(job, endpoints, snapshot_of(settings, path), report)


def _run(job: Job, endpoints: Sequence[Endpoint], target: Path | None, report: Path | None) -> None:
    looks: list[Look] = []
    snapshot: Snapshot | None = None
    error: str | None = "stopped before its end"
    started_at = datetime.now(UTC)
    told = partial(run_report, job, endpoints, started_at=started_at)
    if report is not None and not is_stream(report):
        # Who is killed says nothing more, and a report of the run before would speak for this one.
        write_run_report(report, told(done=None, error="has not ended yet, or was killed"))
    try:
        with _stopped_aloud(), shown(job.chain, Console(stderr=True)) as progress:
            done = index(job, endpoints, progress, looks.append)
        if done.renewed:
            typer.echo(
                f"{job.chain.slug}: what is new to {', '.join(done.renewed)} was fetched, and "
                f"their facts were derived again; proof: {job.proof}"
            )
        typer.echo(_sentence(job, done))
        _print_counts(done)
        snapshot = _published(job, target)
        if done.stopped is not None:
            raise RequestsSpent(f"{job.chain.slug}: {done.stopped}")
        error = None
    except PerpscopeError as failure:
        error = str(failure)
        raise
    finally:
        if report is not None:
            seen = looks[0]() if looks else None
            _tell(report, told(done=seen, error=error, snapshot=snapshot))


@contextmanager
def _stopped_aloud() -> Iterator[None]:
    """Let SIGTERM end a run as SIGINT does, and say so: who sees the log did not send it."""
    is_stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopped
        is_stopped, interrupt = True, signal.getsignal(signal.SIGINT)
        # No function where interruptions are ignored, as in what a shell starts in the background.
        (interrupt if callable(interrupt) else signal.default_int_handler)(number, frame)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if is_stopped:
            said = "stopped by SIGTERM: what is whole is kept, and the next run goes on there"
            typer.echo(f"perpscope: {said}", err=True)


def _tell(report: Path, said: dict[str, Any]) -> None:
    try:
        write_run_report(report, said)
    except PerpscopeError as unwritten:
        if said["error"] is None:
            raise
        # Why the run failed is told after this, and matters more.
        typer.echo(f"perpscope: {unwritten}", err=True)


def _published(job: Job, target: Path | None) -> Snapshot | None:
    if target is None or is_published(job.path, target):
        return None
    snapshot = publish(job.path, target)
    typer.echo(f"snapshot {snapshot.number} is published: {target}")
    return snapshot


def _sentence(job: Job, done: Summary) -> str:
    tally = done.tally
    name = job.chain.slug
    if not tally.blocks and done.stopped is None:
        calls = tally.reads.total()
        late = f"{calls:,} calls for state that was gone are answered; " if calls else ""
        other = "else " if done.renewed or calls else ""
        return f"{name}: {late}nothing {other}to do: {_idle(job, done)}"
    reorgs = f", {done.reorgs} reorgs taken back" if done.reorgs else ""
    rate = tally.logs / max(done.seconds, 0.001)
    short = (
        f"; --to is after block {done.head:,}, the head" if _is_after(job.to_block, done) else ""
    )
    return (
        f"{name}: {tally.blocks:,} blocks, {tally.logs:,} logs, {sum(tally.facts.values()):,} "
        f"facts, {sum(tally.rejects.values()):,} rejects{reorgs}; {tally.ranges:,} ranges, "
        f"{done.requests:,} requests, {done.seconds:.1f} s, {rate:,.0f} logs/s{short}"
    )


def _idle(job: Job, done: Summary) -> str:
    starts = [first_block(protocol, job.chain) for protocol in job.protocols]
    start = min((block for block in starts if block is not None), default=0)
    if isinstance(job.to_block, int) and job.to_block < start:
        return f"what was asked for begins at block {start:,}, after block {job.to_block:,}"
    if start > done.head:
        return f"what was asked for begins at block {start:,}; block {done.head:,} is the head"
    if _is_after(job.from_block, done):
        return f"--from is after block {done.head:,}, the head: run again when it is there"
    if _is_after(job.to_block, done):
        return f"all up to block {done.head:,} is stored, which is the head and before --to"
    return f"all of it is stored, block {done.head:,} is the head"


def _is_after(moment: int | datetime | None, done: Summary) -> bool:
    if isinstance(moment, datetime):
        return done.head_at is not None and moment > done.head_at
    return moment is not None and moment > done.head


def _print_counts(done: Summary) -> None:
    facts = [(name, f"{rows:,}") for name, rows in sorted(done.tally.facts.items()) if rows]
    if facts:
        print_table(("table", "facts"), facts)
    if done.tally.rejects:
        print_table(
            ("rejected because", "rows"),
            ((reason, f"{rows:,}") for reason, rows in done.tally.reasons(_REASONS)),
        )
    if set(done.tally.reads) - {"available"}:
        print_table(
            ("state read came to", "calls"),
            ((state, f"{calls:,}") for state, calls in done.tally.reads.most_common()),
        )
