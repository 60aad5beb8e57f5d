"""The command `perpscope query`."""

from typing import Annotated

import typer

from analytics import load
from analytics.export import write
from analytics.formats import Format
from analytics.queries import queries, query_named
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
    limited,
    listed,
    pairs,
    warn,
    warn_empty,
)
from analytics.reports.scope import Scope


def query(
    name: Annotated[str | None, typer.Argument(help="The question; none lists them.")] = None,
    *,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="K=V", help="A parameter; repeatable.")
    ] = None,
    protocol: Protocol = None,
    chain: Chain = None,
    since: Since = None,
    until: Until = None,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Ask one of the stored questions about the database."""
    if name is None:
        typer.echo(listed((each, found.question) for each, found in queries().items()), nl=False)
        return
    given = pairs(param, "--param")
    limits = limited(protocol, chain, since, until)
    narrowed = queried(limits, name, given)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, limits.chain_id)
        warn(Scope(con, narrowed))
        rows = Scope(con, limits).query(name, **given)
        warn_empty(Scope(con, narrowed), sorted(query_named(name).reads), rows)
        write(rows, form, output, load.snapshot(con))
