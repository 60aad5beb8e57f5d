"""The command `perpscope replay-report`."""

from pathlib import Path
from typing import Annotated

import typer

from analytics import load
from analytics.errors import WorldError
from analytics.reports.options import Database


def replay_report(
    bundle: Annotated[Path, typer.Argument(help="The folder of a report.")],
    *,
    database: Database = None,
) -> None:
    """Make a report again from what its manifest says, and compare every byte."""
    # Drawing needs a second to load, which `perpscope --help` does not have.
    from analytics.reports.replay import replayed

    found = replayed(bundle, load.database_path(database))
    told = f"differing: {', '.join(found.differing)}"
    same = f"the same bytes in all {found.file_count} files"
    for line in (*found.reasons, *found.contradicted, told if found.differing else same):
        typer.echo(line)
    if found.unproven:
        typer.echo(f"proven further, the bundle says: {'; '.join(found.unproven)}")
    if found.differing:
        raise WorldError(f"{len(found.differing)} files of {bundle} came out differently")
    if found.contradicted:
        raise WorldError(f"{bundle} rests on other blocks or logs than the database holds")
