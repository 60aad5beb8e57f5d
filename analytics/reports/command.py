"""The command `perpscope report`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
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
    require_proof: Annotated[
        Level | None, typer.Option(help="Refuse data that is proven less far.")
    ] = None,
    despite_breaches: Annotated[
        bool, typer.Option("--despite-breaches", help="Publish data that contradicts itself.")
    ] = False,
) -> None:
    """Write a report: HTML with charts, Markdown, CSV and Parquet, and a manifest."""
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
        require_proof=require_proof,
        despite_breaches=despite_breaches,
    )
    typer.echo(f"{folder / 'report.html'}")
