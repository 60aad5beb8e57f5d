"""The command `perpscope report`."""

from dataclasses import replace
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
    beside_since: Annotated[
        str | None,
        typer.Option("--compare-from", metavar="TIME", help="Compare with events from this time."),
    ] = None,
    beside_until: Annotated[
        str | None,
        typer.Option("--compare-to", metavar="TIME", help="Compare with events up to this time."),
    ] = None,
    beside_protocol: Annotated[
        str | None, typer.Option("--compare-protocol", help="Compare with this protocol.")
    ] = None,
) -> None:
    """Write a report: HTML with charts, Markdown, the rows in four formats, and a manifest."""
    limits = Limits(
        protocol=protocol,
        chain_id=None if chain is None else chain_number(chain),
        since=moment_of("--from", since),
        until=moment_of("--to", until),
    )
    beside = _beside(limits, beside_since, beside_until, beside_protocol)
    folder = write_report(load.database_path(database), output, limits, beside)
    typer.echo(f"{folder / 'report.html'}")


def _beside(
    limits: Limits, since: str | None, until: str | None, protocol: str | None
) -> Limits | None:
    # What is not said of the other report is as in the first.
    if since is None and until is None and protocol is None:
        return None
    if protocol is not None and limits.protocol is None:
        raise UserError("--compare-protocol needs --protocol: name both protocols")
    if since is None and until is None:
        return replace(limits, protocol=protocol)
    return replace(
        limits,
        since=moment_of("--compare-from", since),
        until=moment_of("--compare-to", until),
        protocol=protocol or limits.protocol,
    )


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
