"""The indexer's commands: `perpscope index`, `status`, `rewind`, `redecode`, `protocols`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from indexer.chains import CHAINS, Chain
from indexer.config import Config, configuration
from indexer.errors import DatabaseUnusable, UserError
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.simulation.commands import replay
from indexer.sync import Job, Ledger, Summary, index, redecode, take_back
from indexer.sync.choices import chain_named, protocols_named

app = typer.Typer()
app.command()(replay)

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings; by default perpscope.toml, if there.")
]
Database = Annotated[
    Path | None, typer.Option(help="The DuckDB file; by default the one the settings name.")
]
ChainName = Annotated[str, typer.Option("--chain", help="A chain, for example arbitrum.")]
ProtocolNames = Annotated[
    list[str] | None,
    typer.Option("--protocol", help="A protocol; repeatable. By default all on the chain."),
]


@app.command("index")
def index_command(
    *,
    chain: ChainName,
    rpc: Annotated[
        list[str] | None, typer.Option("--rpc", help="A node's URL; repeatable, best first.")
    ] = None,
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
        path=_database(database, settings),
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
        done = index(job, _endpoints(rpc, settings, where), progress)
    typer.echo(_sentence(job, done))
    _print_counts(done)


@app.command()
def status(*, database: Database = None, config: ConfigFile = None) -> None:
    """Show how complete, how final and how proven what is stored is."""
    from indexer.facts import first_block
    from indexer.store import status as stored_status

    starts = {
        (chain.chain_id, slug): start
        for slug, protocol in PROTOCOLS.items()
        for chain in CHAINS
        if (start := first_block(protocol, chain)) is not None
    }
    found = stored_status(_database(database, configuration(config)), starts)
    if found.protocols.is_empty():
        typer.echo("nothing is indexed yet: run `perpscope index`")
        return
    _print_table(_STATUS, (_status_line(row) for row in found.protocols.iter_rows(named=True)))
    kinds = found.origins.select("chain_id", "kind").unique(maintain_order=True)
    for chain_id, kind in kinds.filter(kinds["kind"] != "node").iter_rows():
        typer.echo(f"{_chain_slug(chain_id)} holds {kind} blocks")
    if len(found.gaps):
        _print_table(
            ("chain", "protocol", "missing from", "to"),
            ((_chain_slug(row[0]), row[1], row[2], row[3]) for row in found.gaps.iter_rows()),
        )


@app.command()
def rewind(
    *,
    chain: ChainName,
    to_block: Annotated[int, typer.Option(min=0, help="The last block to keep.")],
    protocol: ProtocolNames = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Take back everything above a block; the raw logs move to `orphans`."""
    ledger = _ledger(chain, database, config)
    done = take_back(ledger, protocols_named(protocol or (), ledger.chain, PROTOCOLS), to_block)
    for slug, last in done.covered.items():
        kept = f"is kept to block {last:,}" if last is not None else "is cleared"
        typer.echo(f"{slug} on {ledger.chain.slug} {kept}")
    typer.echo(f"{done.logs:,} logs moved to orphans; `perpscope index` fetches the blocks again")


@app.command("redecode")
def redecode_command(
    *,
    chain: ChainName,
    protocol: ProtocolNames = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Derive facts again from the stored logs, without a node."""
    ledger = _ledger(chain, database, config)
    chosen = protocols_named(protocol or (), ledger.chain, PROTOCOLS)
    written = redecode(ledger, chosen)
    _print_table(("table", "rows"), ((name, f"{rows:,}") for name, rows in written.items() if rows))


@app.command()
def protocols() -> None:
    """List the protocols perpscope knows, and where."""
    lines = (
        (slug, item.name, item.kind, ", ".join(sorted({c.chain.slug for c in item.contracts})))
        for slug, item in PROTOCOLS.items()
    )
    _print_table(("protocol", "name", "kind", "chains"), lines)


def _database(given: Path | None, settings: Config) -> Path:
    path = str(given or settings.database)
    if path.startswith("ducklake:"):
        raise UserError(
            f"{path.partition(':')[0]}: databases cannot be used yet: expected the path of a "
            "DuckDB file"
        )
    return Path(path)


def _ledger(chain: str, database: Path | None, config: Path | None) -> Ledger:
    settings = configuration(config)
    path = _database(database, settings)
    if not path.exists():
        raise DatabaseUnusable(
            f"there is no database at {path}: expected a file that `perpscope index` wrote; run it "
            "first or name another file with --database"
        )
    return Ledger(path, chain_named(chain), PROTOCOLS)


def _endpoints(urls: Sequence[str] | None, settings: Config, chain: Chain) -> tuple[Endpoint, ...]:
    if not urls:
        return settings.endpoints(chain)
    return tuple(Endpoint(url, **settings.retries.model_dump()) for url in urls)


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
        _print_table(("table", "facts"), facts)
    if done.tally.rejects:
        _print_table(
            ("rejected because", "rows"),
            ((reason, f"{rows:,}") for reason, rows in done.tally.rejects.most_common()),
        )


_STATUS = (
    "chain",
    "protocol",
    "from",
    "to",
    "finalized to",
    "missing blocks",
    "proof",
    "rejects",
    "newest block",
)


def _status_line(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        _chain_slug(row["chain_id"]),
        row["protocol"],
        row["from_block"],
        row["to_block"],
        "-" if row["finalized_to"] is None else row["finalized_to"],
        f"{row['missing_blocks']:,} in {row['gaps']}" if row["gaps"] else "none",
        row["proof"],
        f"{row['rejects']:,}",
        _age(row["newest_block_at"]),
    )


def _age(moment: datetime | None) -> str:
    if moment is None:
        return "time not known"
    seconds = (datetime.now(UTC).replace(tzinfo=None) - moment).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _chain_slug(chain_id: int) -> str:
    return {chain.chain_id: chain.slug for chain in CHAINS}.get(chain_id, str(chain_id))


def _print_table(titles: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    table = Table(*titles, box=None, header_style="bold", pad_edge=False)
    for line in lines:
        table.add_row(*(str(cell) for cell in line))
    console = Console()
    # Into a file or a pipe a row is one line, however wide.
    (console if console.is_terminal else Console(width=1_000)).print(table)
