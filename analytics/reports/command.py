"""The command `perpscope report`."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.reports import Limits, write_report
from analytics.reports.chain_names import chain_number
from analytics.reports.options import moment


class Level(StrEnum):
    """How far data can be asked to be proven; what a chain's rules waive passes."""

    FETCHED = "fetched"
    BLOOM = "bloom"
    RECEIPTS = "receipts"


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
    require_proof: Annotated[
        Level | None, typer.Option(help="Refuse data that is proven less far.")
    ] = None,
    despite_breaches: Annotated[
        bool, typer.Option("--despite-breaches", help="Publish data that contradicts itself.")
    ] = False,
) -> None:
    """Write a report: HTML with charts, Markdown, the rows in four formats, and a manifest."""
    limits = Limits(
        protocol=protocol,
        chain_id=None if chain is None else chain_number(chain),
        since=moment("--from", since),
        until=moment("--to", until),
    )
    folder = write_report(
        load.database_path(database),
        output,
        limits,
        _beside(limits, beside_since, beside_until, beside_protocol),
        require_proof=require_proof,
        despite_breaches=despite_breaches,
    )
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
        since=moment("--compare-from", since),
        until=moment("--compare-to", until),
        protocol=protocol or limits.protocol,
    )
