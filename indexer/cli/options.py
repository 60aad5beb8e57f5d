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
from indexer.sync import Ledger
from indexer.sync.choices import chain_named

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
    return settings.endpoints(chain, urls)
