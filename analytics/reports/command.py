"""The command `perpscope report`."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.reports import Limits, write_report
from analytics.reports.options import (
    Chain,
    Database,
    Protocol,
    Since,
    Until,
    end,
    indexed_begun,
    limited,
    moment,
)


class Level(StrEnum):
    """How far data can be asked to be proven; what a chain's rules waive passes."""

    FETCHED = "fetched"
    BLOOM = "bloom"
    RECEIPTS = "receipts"


def report(
    *,
    database: Database = None,
    output: Annotated[
        Path, typer.Option(help="The folder to write; a report in it is replaced.")
    ] = Path("perpscope-report"),
    since: Since = None,
    until: Until = None,
    protocol: Protocol = None,
    chain: Chain = None,
    beside_since: Annotated[
        str | None,
        typer.Option("--compare-from", metavar="TIME", help="Compare with events from this time."),
    ] = None,
    beside_until: Annotated[
        str | None,
        typer.Option("--compare-to", metavar="TIME", help="Compare with events up to this time."),
    ] = None,
    beside_protocol: Annotated[
        str | None,
        typer.Option(
            "--compare-protocol", help="Compare with this protocol.", autocompletion=indexed_begun
        ),
    ] = None,
    require_proof: Annotated[
        Level | None, typer.Option(help="Refuse data that is proven less far.")
    ] = None,
    despite_breaches: Annotated[
        bool, typer.Option("--despite-breaches", help="Publish data that contradicts itself.")
    ] = False,
) -> None:
    """Write a report: HTML with charts, Markdown, the rows in four formats, and a manifest."""
    limits = limited(protocol, chain, since, until)
    beside = _beside(limits, beside_since, beside_until, beside_protocol)
    if beside == limits:
        raise UserError(
            "both sides are the same: name another protocol with --compare-protocol, or another "
            "time with --compare-from and --compare-to"
        )
    folder = write_report(
        load.database_path(database),
        output,
        limits,
        beside,
        require_proof=require_proof,
        despite_breaches=despite_breaches,
        warn=lambda said: typer.echo(f"perpscope: {said}", err=True),
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
    beside = replace(
        limits,
        since=moment("--compare-from", since),
        until=end("--compare-to", until),
        protocol=protocol or limits.protocol,
    )
    for earlier, later in ((limits, beside), (beside, limits)):
        if earlier.until is not None and earlier.until == later.since:
            raise UserError(
                f"both sides would hold {later.since.isoformat()}: expected one to end before the "
                "other begins; of a day without a time nothing is held by --to and --compare-to"
            )
    return beside
