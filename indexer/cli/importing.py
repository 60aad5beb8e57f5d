"""`perpscope import`: files of venues that are no EVM chain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.options import ConfigFile, Database
from indexer.cli.places import database_of
from indexer.cli.printing import print_table
from indexer.config import configuration
from indexer.errors import UserError
from indexer.protocols import PROTOCOLS

if TYPE_CHECKING:
    from indexer.imports import Taken


def import_command(
    venue: Annotated[str, typer.Argument(help="Whose files they are: hyperliquid or dydx.")],
    files: Annotated[list[Path], typer.Argument(help="Files; plain, gzip or lz4.")],
    *,
    account: Annotated[
        str | None,
        typer.Option(help="Whose fills they are, for answers of an API that do not say it."),
    ] = None,
    market: Annotated[
        str | None,
        typer.Option(help="The market that trades are of, for answers that do not say it."),
    ] = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Take files of a venue that is no EVM chain into the database, each whole or not at all."""
    from indexer.imports import VENUES, bring
    from indexer.imports.reading import About

    if venue not in VENUES:
        raise UserError(
            f"no files of {venue!r} can be read: expected one of {', '.join(sorted(VENUES))}"
        )
    of = VENUES[venue]
    path = database_of(database, configuration(config))
    sums: dict[str, int] = {}
    for file in files:
        taken = bring(path, file, of, PROTOCOLS[of.protocol], About(account, market))
        typer.echo(_sentence(file, taken))
        for name, line in taken.unknown.items():
            typer.echo(f"{file}: field {name} is not known here and was not used, line {line}")
        for table, rows in taken.rows.items():
            sums[table] = sums.get(table, 0) + rows
    if sums:
        print_table(("table", "new rows"), ((name, f"{rows:,}") for name, rows in sums.items()))


def _sentence(file: Path, taken: "Taken") -> str:
    brought = taken.brought
    if brought is None:
        return f"{file}: imported before, nothing to do"
    span = "" if brought.from_at is None else f", {brought.from_at}Z to {brought.to_at}Z"
    refused = (
        f"; rows refused: {brought.rejects:,}, see `perpscope query rejects_by_reason`"
        if brought.rejects
        else ""
    )
    return (
        f"{file}: {brought.entries_read:,} entries ({brought.kind}){span}; "
        f"{brought.entries_used:,} told something new{refused}"
    )
