"""The command `perpscope report`."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.queries import typed
from analytics.reports import Limits, write_report
from analytics.reports.chain_names import chain_number


def report(
    *,
    database: Annotated[
        Path | None,
        typer.Option(
            envvar="PERPSCOPE_DATABASE",
            help="The DuckDB file; by default the one perpscope.toml names, or perpscope.duckdb.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option(help="The folder to write; a report in it is replaced.")
    ] = Path("perpscope-report"),
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only events from this UTC time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only events up to this UTC time.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="Only this protocol.")] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name or id.")] = None,
) -> None:
    """Write a report: HTML with charts, Markdown, CSV and Parquet, and a manifest."""
    limits = Limits(
        protocol=protocol,
        chain_id=None if chain is None else chain_number(chain),
        since=moment_of("--from", since),
        until=moment_of("--to", until),
    )
    folder = write_report(load.database_path(database), output, limits)
    typer.echo(f"{folder / 'report.html'}")


def moment_of(option: str, text: str | None) -> datetime | None:
    """
    Return the UTC time an option was given, None where it was not.

    Raises:
        UserError: the text is no time; the message names the option.
    """
    if text is None:
        return None
    try:
        found = typed("timestamp", text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
    return found if isinstance(found, datetime) else None
