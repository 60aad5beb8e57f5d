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
    ProtocolNames,
    Urls,
    database_of,
    endpoints_of,
)
from indexer.cli.printing import print_table
from indexer.config import configuration
from indexer.errors import UserError
from indexer.protocols import PROTOCOLS
from indexer.sync import Job, Summary, index
from indexer.sync.choices import chain_named, protocols_named


def index_command(
    *,
    chain: ChainName,
    rpc: Urls = None,
    protocol: ProtocolNames = None,
    from_block: Annotated[int | None, typer.Option("--from", min=0, help="First block.")] = None,
    to_block: Annotated[int | None, typer.Option("--to", min=0, help="Last block.")] = None,
    database: Database = None,
    config: ConfigFile = None,
    max_span: Annotated[
        int | None, typer.Option(min=1, help="Most blocks in one request; by default found out.")
    ] = None,
) -> None:
    """Bring the database up to date with a chain, then exit."""
    settings = configuration(config)
    where = chain_named(chain)
    own = settings.chain(where)
    start = own.from_block if from_block is None else from_block
    if start is not None and to_block is not None and start > to_block:
        raise UserError(f"--from {start} is after --to {to_block}: expected the smaller one first")
    job = Job(
        path=database_of(database, settings),
        chain=where,
        protocols=protocols_named(
            protocol or own.protocols or settings.protocols, where, PROTOCOLS
        ),
        declarations=PROTOCOLS,
        from_block=start,
        to_block=to_block,
        max_span=max_span or own.max_span,
        max_logs=own.max_logs,
    )
    with _progress(where) as progress:
        done = index(job, endpoints_of(rpc, settings, where), progress)
    typer.echo(_sentence(job, done))
    _print_counts(done)


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
    if not tally.blocks:
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
