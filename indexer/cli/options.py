"""What commands have in common: their options, and what the options stand for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from indexer.chains import Chain
from indexer.config import Config, configuration
from indexer.errors import DatabaseUnusable, UserError
from indexer.protocols import PROTOCOLS
from indexer.rpc import Endpoint
from indexer.sync import Job, Ledger
from indexer.sync.choices import chain_named, protocols_named

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
Urls = Annotated[
    list[str] | None, typer.Option("--rpc", help="A node's URL; repeatable, best first.")
]


def database_of(given: Path | None, settings: Config) -> Path:
    """
    Return the database a command works on: the one given, else the one the settings name.

    Raises:
        UserError: it is of a kind that cannot be used yet.
    """
    path = str(given or settings.database)
    if path.startswith("ducklake:"):
        raise UserError(
            f"{path.partition(':')[0]}: databases cannot be used yet: expected the path of a "
            "DuckDB file"
        )
    return Path(path)


def snapshot_of(settings: Config, database: Path) -> Path | None:
    """
    Return where the copy for readers is published; None for nowhere.

    Raises:
        UserError: it would be published over the database itself.
    """
    if settings.storage.snapshot is None:
        return None
    target = Path(settings.storage.snapshot)
    if target.resolve() == database.resolve():
        raise UserError(
            f"storage.snapshot is {target}, the database itself: expected another file; correct it"
        )
    return target


def job_of(
    settings: Config,
    chain: Chain,
    database: Path,
    *,
    protocols: Sequence[str] = (),
    from_block: int | None = None,
    to_block: int | None = None,
    max_span: int | None = None,
) -> Job:
    """
    Return the job of indexing a chain: as given, else as the settings say.

    Raises:
        UserError: a protocol is not known or not on the chain, or the blocks are none.
    """
    own = settings.chain(chain)
    start = own.from_block if from_block is None else from_block
    if start is not None and to_block is not None and start > to_block:
        raise UserError(f"--from {start} is after --to {to_block}: expected the smaller one first")
    return Job(
        path=database,
        chain=chain,
        protocols=protocols_named(
            protocols or own.protocols or settings.protocols, chain, PROTOCOLS
        ),
        declarations=PROTOCOLS,
        from_block=start,
        to_block=to_block,
        max_span=max_span or own.max_span,
        max_logs=own.max_logs,
    )


def ledger_of(chain: str, database: Path | None, config: Path | None) -> Ledger:
    """
    Return a chain's part of the database.

    Raises:
        UserError: no chain is called so.
        DatabaseUnusable: there is no database.
    """
    settings = configuration(config)
    path = database_of(database, settings)
    if not path.exists():
        raise DatabaseUnusable(
            f"there is no database at {path}: expected a file that `perpscope index` wrote; run it "
            "first or name another file with --database"
        )
    return Ledger(path, chain_named(chain), PROTOCOLS)


def endpoints_of(
    urls: Sequence[str] | None, settings: Config, chain: Chain
) -> tuple[Endpoint, ...]:
    """
    Return whom to ask: the URLs given, else those of the settings.

    Raises:
        UserError: a URL is none, or needs a variable that is not set.
    """
    if not urls:
        return settings.endpoints(chain)
    return tuple(Endpoint(url, **settings.retries.model_dump()) for url in urls)
