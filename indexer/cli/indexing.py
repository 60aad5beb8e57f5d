"""`perpscope index`: bring the database up to date with a chain, then exit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from indexer.chains import Chain
from indexer.cli.options import (
    ChainName,
    ConfigFile,
    Database,
    From,
    MaxSpan,
    ProtocolNames,
    To,
    Urls,
    database_of,
    endpoints_of,
    job_of,
)
from indexer.cli.printing import print_table
from indexer.config import ProofLevel, configuration
from indexer.errors import RequestsSpent
from indexer.sync import Job, Summary, index


def index_command(
    *,
    chain: ChainName,
    rpc: Urls = None,
    protocol: ProtocolNames = None,
    from_block: From = None,
    to_block: To = None,
    database: Database = None,
    config: ConfigFile = None,
    max_span: MaxSpan = None,
    max_requests: Annotated[
        int | None,
        typer.Option(min=1, help="Send no more; what is whole by then is kept, and the exit is 1."),
    ] = None,
    proof: Annotated[
        ProofLevel | None,
        typer.Option(help="How far to prove that no log is missing; by default fetched."),
    ] = None,
) -> None:
    """Bring the database up to date with a chain, then exit."""
    settings = configuration(config)
    job = job_of(
        chain,
        protocol,
        (from_block, to_block),
        settings,
        path=database_of(database, settings),
        max_span=max_span,
        max_requests=max_requests,
        proof=proof,
    )
    with _progress(job.chain) as progress:
        done = index(job, endpoints_of(rpc, settings, job.chain), progress)
    typer.echo(_sentence(job, done))
    _print_counts(done)
    if done.stopped is not None:
        raise RequestsSpent(f"{job.chain.slug}: {done.stopped}")


@contextmanager
def _progress(chain: Chain) -> Iterator[Callable[[int, int, int], None]]:
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total, _logs: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("blocks, {task.fields[logs]:,} logs"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(chain.slug, total=None, logs=0)
        yield lambda done, total, logs: bar.update(task, completed=done, total=total, logs=logs)


def _sentence(job: Job, done: Summary) -> str:
    tally = done.tally
    name = job.chain.slug
    if not tally.blocks and done.stopped is None:
        return f"{name}: nothing to do, block {done.head:,} is the head"
    reorgs = f", {done.reorgs} reorgs taken back" if done.reorgs else ""
    return (
        f"{name}: {tally.blocks:,} blocks, {tally.logs:,} logs, {sum(tally.facts.values()):,} "
        f"facts, {sum(tally.rejects.values()):,} rejects{reorgs}; {tally.ranges:,} ranges, "
        f"{done.requests:,} requests, {done.seconds:.1f} s"
    )


def _print_counts(done: Summary) -> None:
    facts = [(name, f"{rows:,}") for name, rows in sorted(done.tally.facts.items()) if rows]
    if facts:
        print_table(("table", "facts"), facts)
    if done.tally.rejects:
        print_table(
            ("rejected because", "rows"),
            ((reason, f"{rows:,}") for reason, rows in done.tally.rejects.most_common()),
        )
    if set(done.tally.reads) - {"available"}:
        print_table(
            ("state read came to", "calls"),
            ((state, f"{calls:,}") for state, calls in done.tally.reads.most_common()),
        )
