"""The commands of analytics: what is asked, measured, traced, checked, compared and reported."""

from collections.abc import Iterable
from typing import Annotated

import typer

from analytics import load
from analytics.compute import (
    collected,
    inputs_of,
    methodology,
    metric_named,
    settings_of,
)
from analytics.export import Format, write
from analytics.metrics import METRICS
from analytics.queries import queries
from analytics.reports.asked import Asked, queried
from analytics.reports.check_command import check
from analytics.reports.command import report
from analytics.reports.indexed import check_indexed, indexed
from analytics.reports.options import (
    Chain,
    CutWindows,
    Database,
    Form,
    Output,
    Protocol,
    Setting,
    Since,
    SincePast,
    Until,
    limited,
    pairs,
    typed_settings,
    warn,
)
from analytics.reports.replay_command import replay_report
from analytics.reports.scope import Scope
from analytics.reports.trace_command import trace
from analytics.studies.command import app as study
from analytics.vendors.command import compare

app = typer.Typer()
app.command()(report)
app.command()(trace)
app.command()(check)
app.command()(replay_report)
app.command()(compare)
app.add_typer(study, name="study")


@app.command()
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
        typer.echo(_listed((each, found.question) for each, found in queries().items()), nl=False)
        return
    given = pairs(param, "--param")
    limits = limited(protocol, chain, since, until)
    narrowed = queried(limits, name, given)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, limits.chain_id)
        warn(Scope(con, narrowed))
        write(Scope(con, limits).query(name, **given), form, output, load.snapshot(con))


@app.command()
def metric(
    name: Annotated[str | None, typer.Argument(help="The metric; none lists them.")] = None,
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
        typer.echo(_listed(lines), nl=False)
        return
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
        write(collected(asked.rows), form, output, load.snapshot(con))


def _explanation(name: str) -> str:
    settings = ", ".join(settings_of(name)) or "none"
    return f"{methodology(name)}\n\nReads: {', '.join(inputs_of(name))}. Settings: {settings}."


def _listed(lines: Iterable[tuple[str, str]]) -> str:
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    return "".join(f"{name:{width}}  {text}\n" for name, text in pairs)
