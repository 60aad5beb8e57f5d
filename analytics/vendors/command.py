"""The command `perpscope compare`."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.export import Format, write
from analytics.reports import Limits
from analytics.reports.chain_names import chain_number
from analytics.reports.options import moment
from analytics.reports.scope import Scope, checked
from analytics.vendors.bridge import bridge
from analytics.vendors.rules import DEFINITIONS


class Grain(StrEnum):
    """What one bridge is about."""

    WINDOW = "window"
    DAY = "day"


def compare(
    *,
    definition: Annotated[
        str, typer.Option(help=f"Whose rules: {', '.join(DEFINITIONS)}.", metavar="VENDOR")
    ],
    protocol: Annotated[str | None, typer.Option(help="Only this protocol.")] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name or id.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only events from this UTC time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only events up to this UTC time.")
    ] = None,
    by: Annotated[
        Grain, typer.Option("--by", help="One bridge for the window, or one a day.")
    ] = Grain.WINDOW,
    form: Annotated[
        Format, typer.Option("--format", help="How the answer is written.")
    ] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output without one.")
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(
            envvar="PERPSCOPE_DATABASE",
            help="The DuckDB file; by default the one perpscope.toml names, or perpscope.duckdb.",
        ),
    ] = None,
) -> None:
    """Compare our numbers with a vendor's, each difference of definition named and measured."""
    if definition not in DEFINITIONS:
        known = ", ".join(DEFINITIONS)
        raise UserError(f"no definition is called {definition}: there are {known}")
    limits = Limits(
        protocol=protocol,
        chain_id=None if chain is None else chain_number(chain),
        since=moment("--from", since),
        until=moment("--to", until),
    )
    rules = DEFINITIONS[definition]
    with load.database(load.database_path(database)) as con:
        scope = checked(Scope(con, limits))
        past = partial(scope.facts, with_past=True)
        answer = bridge(rules, scope.facts, past, by_day=by is Grain.DAY)
        said = " ".join(filter(None, (f"their rules: {rules.version};", load.snapshot(con))))
        write(answer, form, output, said.rstrip(";"))
