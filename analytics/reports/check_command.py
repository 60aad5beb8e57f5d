"""The command `perpscope check`."""

from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import WorldError
from analytics.export import Format, table_text, write
from analytics.reports.chain_names import chain_number
from analytics.reports.demands import identity_columns
from analytics.reports.numerals import counted
from analytics.reports.options import moment
from analytics.reports.scope import Limits, Scope, checked


def check(
    *,
    protocol: Annotated[str | None, typer.Option(help="Only this protocol.")] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name or id.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only events from this UTC time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only events up to this UTC time.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="How what is wrong is written.")
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
    """Test what must hold of the facts: fees and their parts, open interest, tokens, shares."""
    limits = Limits(
        protocol=protocol,
        chain_id=None if chain is None else chain_number(chain),
        since=moment("--from", since),
        until=moment("--to", until),
    )
    with load.database(load.database_path(database)) as con:
        found, counts = checked(Scope(con, limits)).assessed
    broken = identity_columns(found)
    write(broken, form, output, f"compared:\n{table_text(counts)}\nbroken:")
    if broken.height:
        raise WorldError(f"{counted(broken.height, 'fact')} of this database contradict others")
