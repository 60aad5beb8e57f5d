"""The command `perpscope query`."""

import re
from itertools import dropwhile
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.export import write
from analytics.formats import Format
from analytics.metrics import METRICS
from analytics.queries import Parameter, Query, arguments, literal, queries, query_named
from analytics.reports.asked import queried
from analytics.reports.indexed import check_indexed, indexed
from analytics.reports.options import (
    Chain,
    Database,
    Form,
    Output,
    Protocol,
    Since,
    Until,
    among,
    limited,
    listed,
    pairs,
    warn,
    warn_empty,
    warn_event,
)
from analytics.reports.scope import Scope

_PLACE = re.compile(r"\$(\w+)")


def query(
    name: Annotated[
        str | None,
        typer.Argument(help="The question; none lists them.", autocompletion=among(queries)),
    ] = None,
    *,
    sql: Annotated[
        str | None, typer.Option(help="Instead of a name, a SELECT of your own.")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="K=V", help="A parameter; repeatable.")
    ] = None,
    protocol: Protocol = None,
    chain: Chain = None,
    since: Since = None,
    until: Until = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Print its parameters, units and SELECT; with --param the values in it.",
        ),
    ] = False,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Ask one of the stored questions about the database."""
    if sql is not None:
        if any((name, param, protocol, chain, since, until, explain)):
            raise UserError("--sql stands alone: leave out the name, and say limits in the SELECT")
        with load.database(load.database_path(database)) as con:
            write(load.selected(con, sql), form, output, load.snapshot(con))
        return
    if name is None:
        typer.echo(listed((each, found.question) for each, found in queries().items()), nl=False)
        return
    if name in METRICS and name not in queries():
        raise UserError(f"{name} is a metric: `perpscope metric {name}` computes it")
    if explain:
        if any((protocol, chain, since, until)):
            raise UserError("--explain takes --param alone: say other limits in the SELECT")
        typer.echo(_explanation(query_named(name), pairs(param, "--param")))
        return
    given = pairs(param, "--param")
    limits = limited(protocol, chain, since, until)
    narrowed = queried(limits, name, given)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), given.get("protocol", protocol), limits.chain_id)
        warn(Scope(con, narrowed))
        rows = Scope(con, limits).query(name, **given)
        warn_event(Scope(con, narrowed), arguments(query_named(name), given))
        warn_empty(Scope(con, narrowed), sorted(query_named(name).reads), rows)
        write(rows, form, output, load.snapshot(con))


def _explanation(asked: Query, given: dict[str, str]) -> str:
    parameters = [f"    {_written(each)} ({each.meaning})" for each in asked.parameters]
    lines = asked.sql.splitlines()
    select = "\n".join(dropwhile(lambda line: line.startswith("--"), lines))
    if given:
        values = arguments(asked, given)
        select = _PLACE.sub(lambda found: literal(values[found[1]]), select)
    return "\n".join(
        (
            *(asked.question, "", f"Grain: {asked.grain}", f"Units: {asked.units}"),
            *(("Parameters:", *parameters) if parameters else ("Parameters: none",)),
            *(f"Reads: {', '.join(asked.reads)}.", "", select),
        )
    )


def _written(parameter: Parameter) -> str:
    has_default = parameter.default not in {"null", "required"}
    return f"{parameter.name}={parameter.default}" if has_default else parameter.name
