"""The command `perpscope metric`."""

from typing import Annotated

import typer

from analytics import load
from analytics.compute import (
    collected,
    defaults_of,
    inputs_of,
    methodology,
    metric_named,
)
from analytics.errors import UserError
from analytics.export import write
from analytics.formats import Format
from analytics.metrics import METRICS
from analytics.queries import queries
from analytics.reports.asked import Asked
from analytics.reports.indexed import check_indexed, indexed
from analytics.reports.options import (
    Chain,
    CutWindows,
    Database,
    Form,
    Output,
    Protocol,
    Setting,
    SincePast,
    Until,
    among,
    limited,
    listed,
    pairs,
    typed_settings,
    warn,
    warn_empty,
    warn_event,
)
from analytics.reports.scope import Scope


def metric(
    name: Annotated[
        str | None,
        typer.Argument(help="The metric; none lists them.", autocompletion=among(METRICS.keys)),
    ] = None,
    *,
    setting: Setting = None,
    protocol: Protocol = None,
    chain: Chain = None,
    since: SincePast = None,
    until: Until = None,
    cut_windows: CutWindows = False,
    explain: Annotated[bool, typer.Option("--explain", help="Print the methodology.")] = False,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Compute a metric, or say how it is computed."""
    if name is None:
        lines = ((each, methodology(each).splitlines()[0]) for each in sorted(METRICS))
        typer.echo(listed(lines), nl=False)
        return
    if name not in METRICS and name in queries():
        raise UserError(f"{name} is a query: `perpscope query {name}` asks it")
    metric_named(name)
    if explain:
        typer.echo(_explanation(name))
        return
    settings = typed_settings(name, pairs(setting, "--setting"))
    limits = limited(protocol, chain, since, until)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, limits.chain_id)
        asked = Asked(Scope(con, limits), name, settings, is_cut=cut_windows)
        warn(asked.scope)
        rows = collected(asked.rows)
        warn_event(asked.scope, asked.computed.settings)
        warn_empty(asked.scope, asked.computed.tables, rows)
        write(rows, form, output, load.snapshot(con))


def _explanation(name: str) -> str:
    defaults = defaults_of(name).items()
    settings = ", ".join(f"{each}={value}" for each, value in defaults) or "none"
    return f"{methodology(name)}\n\nReads: {', '.join(inputs_of(name))}. Settings: {settings}."
