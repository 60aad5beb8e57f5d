"""The commands of analytics: `perpscope query`, `metric`, `report`, `compare` and `study`."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.compute import (
    collected,
    compute,
    facts_of,
    inputs_of,
    is_narrowed,
    methodology,
    metric_named,
    settings_of,
)
from analytics.errors import UserError
from analytics.export import Format, write
from analytics.metrics import METRICS
from analytics.queries import arguments, queries, query_named, typed
from analytics.reports.chain_names import chain_number
from analytics.reports.command import moment_of, report
from analytics.reports.scope import begin_of, check_indexed, indexed
from analytics.studies.command import app as study
from analytics.vendors.command import compare

app = typer.Typer()
app.command()(report)
app.command()(compare)
app.add_typer(study, name="study")

_KINDS = {int: "integer", float: "number", str: "text", bool: "boolean"}

Database = Annotated[
    Path | None,
    typer.Option(
        envvar="PERPSCOPE_DATABASE",
        help="The DuckDB file; by default the one perpscope.toml names, or perpscope.duckdb.",
    ),
]
Form = Annotated[Format, typer.Option("--format", help="How the answer is written.")]
Output = Annotated[
    Path | None, typer.Option(help="The file to write; standard output without one.")
]


@app.command()
def query(
    name: Annotated[str | None, typer.Argument(help="The question; none lists them.")] = None,
    *,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="K=V", help="A parameter; repeatable.")
    ] = None,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Ask one of the stored questions about the database."""
    if name is None:
        typer.echo(_listed((each, found.question) for each, found in queries().items()), nl=False)
        return
    asked = query_named(name)
    values = arguments(asked, _pairs(param, "--param"))
    with load.database(load.database_path(database)) as con:
        write(load.rows(con, asked.sql, values), form, output, load.snapshot(con))


@app.command()
def metric(
    name: Annotated[str | None, typer.Argument(help="The metric; none lists them.")] = None,
    *,
    setting: Annotated[
        list[str] | None, typer.Option("--setting", metavar="K=V", help="A setting; repeatable.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="Only this protocol.")] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain, by name or id.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Only events from this UTC time; states keep their past."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only events up to this UTC time.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print the methodology.")] = False,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Compute a metric, or say how it is computed."""
    if name is None:
        lines = ((each, methodology(each).splitlines()[0]) for each in sorted(METRICS))
        typer.echo(_listed(lines), nl=False)
        return
    metric_named(name)
    if explain:
        typer.echo(_explanation(name))
        return
    settings = _settings(name, _pairs(setting, "--setting"))
    chain_id = None if chain is None else chain_number(chain)
    first, last = moment_of("--from", since), moment_of("--to", until)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, chain_id)
        whole = partial(load.facts, con, until=last)
        own = partial(whole, protocol=protocol, chain_id=chain_id)
        facts = {table: own if is_narrowed(name, table) else whole for table in facts_of(name)}
        inputs = {each: read(each, since=begin_of(each, first)) for each, read in facts.items()}
        answer = collected(compute(name, inputs.__getitem__, **settings))
        write(answer, form, output, load.snapshot(con))


def _explanation(name: str) -> str:
    settings = ", ".join(settings_of(name)) or "none"
    return f"{methodology(name)}\n\nReads: {', '.join(inputs_of(name))}. Settings: {settings}."


def _settings(name: str, given: dict[str, str]) -> dict[str, object]:
    known = settings_of(name)
    try:
        return {
            key: typed(_KINDS[known[key]], text) if key in known else text
            for key, text in given.items()
        }
    except ValueError as error:
        raise UserError(f"setting of {name}: {error}") from error


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in given or []]
    for key, sign, _ in pairs:
        if not sign:
            raise UserError(f"{option} takes name=value, got {key}")
    return {key.strip(): value for key, _, value in pairs}


def _listed(lines: Iterable[tuple[str, str]]) -> str:
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    return "".join(f"{name:{width}}  {text}\n" for name, text in pairs)
