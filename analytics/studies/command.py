"""The commands `perpscope study …`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics import load
from analytics.export import table_text, write
from analytics.expressions import CENTURY_MILLISECONDS
from analytics.formats import Format, format_option
from analytics.reports.options import Chain, Database, Protocol, Since, Until, limited
from analytics.reports.scope import Scope, checked
from analytics.studies.claims import shown, titled
from analytics.studies.event import Part, event, lines
from analytics.studies.record import HYPERLIQUID, Study, hyperliquid

if TYPE_CHECKING:
    from analytics.reports.context import Context

app = typer.Typer(add_completion=False)

_STUDIES = {
    HYPERLIQUID: "what was published about 10 October 2025, beside the rows of --data",
    "event": "the same figures of any window and venue, from the facts of the database",
}
_MOST_BPS = 1_000_000_000
_READ = ("figure", "published", "computed", "unit", "verdict", "note")

Form = Annotated[Format, format_option("How the answer is printed")]
Output = Annotated[
    Path | None,
    typer.Option(help="A folder for HTML, Markdown, CSV and Parquet; a study in it is replaced."),
]


@app.callback(invoke_without_command=True)
def studies(context: typer.Context) -> None:
    """Hold published figures against rows, or compute the same figures of any window."""
    if context.invoked_subcommand is None:
        width = max(map(len, _STUDIES))
        typer.echo("\n".join(f"{name:{width}}  {about}" for name, about in _STUDIES.items()))


@app.command(HYPERLIQUID)
def record(
    *,
    data: Annotated[Path, typer.Option(help="The folder of published rows.")],
    form: Form = Format.TABLE,
    output: Output = None,
) -> None:
    """Say of every published figure of 10 October 2025 whether the rows agree."""
    found = hyperliquid(data)
    if output is not None:
        # Drawing pages needs a second to load, which a table does not.
        from analytics.studies.bundle import write_study

        typer.echo(f"{write_study(found, output) / 'report.html'}")
    elif form is Format.TABLE:
        typer.echo(record_text(found), nl=False)
    else:
        write(found.figures, form, None)


@app.command("event")
def window(
    *,
    since: Since = None,
    until: Until = None,
    protocol: Protocol = None,
    chain: Chain = None,
    gap_ms: Annotated[
        int, typer.Option(min=0, max=CENTURY_MILLISECONDS, help="Longest pause inside a wave.")
    ] = 5000,
    limit_bps: Annotated[
        int, typer.Option(min=0, max=_MOST_BPS, help="How far oracles may be apart.")
    ] = 100,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Compute the figures of the study for any window and venue of the database."""
    # As above: a context can draw, and what draws is slow to load.
    from analytics.reports.context import Context

    limits = limited(protocol, chain, since, until)
    with load.database(load.database_path(database)) as con:
        context = Context(checked(Scope(con, limits)))
        parts = event(context.scope, gap_ms=gap_ms, limit_bps=limit_bps)
        if output is not None:
            from analytics.studies.bundle import write_event

            typer.echo(f"{write_event(context, parts, output) / 'report.html'}")
        elif form is Format.TABLE:
            typer.echo(event_text(context, parts), nl=False)
        else:
            write(lines(parts), form, None)


def record_text(study: Study) -> str:
    """Return a study of published rows as text: verdicts first, then a table per theme."""
    figures = study.figures.with_columns(
        study.figures[name].map_elements(shown, return_dtype=study.figures.schema[name])
        for name in ("published", "computed")
    )
    tables = (
        f"\n{rows['theme'][0]}\n{table_text(rows.select(_READ))}"
        for rows in figures.partition_by("theme", maintain_order=True)
    )
    return f"{study.name}: {study.verdicts}\n{''.join(tables)}"


def event_text(context: "Context", parts: tuple[Part, ...]) -> str:
    """Return the figures of a window as text: what they rest on, then a table per part."""
    from analytics.reports.sections.covered import warnings

    doubts = "".join(f"- {sentence}\n" for sentence in warnings(context))
    tables = (
        f"\n{titled(part.name)}\n{table_text(part.frame)}"
        for part in parts
        if not part.frame.is_empty()
    )
    silent = [titled(part.name) for part in parts if part.frame.is_empty()]
    nothing = f"\nNothing in this window for: {', '.join(silent)}\n" if silent else ""
    return f"{context.stamp}\n{doubts}{''.join(tables)}{nothing}"
