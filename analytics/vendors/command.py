"""The command `perpscope compare`."""

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from analytics import load
from analytics.errors import UserError
from analytics.export import write
from analytics.formats import Format
from analytics.reports.options import (
    Chain,
    Database,
    Form,
    Output,
    Protocol,
    Since,
    Until,
    limited,
    warn,
)
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
    protocol: Protocol = None,
    chain: Chain = None,
    since: Since = None,
    until: Until = None,
    by: Annotated[
        Grain, typer.Option("--by", help="One bridge for the window, or one a day.")
    ] = Grain.WINDOW,
    form: Form = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Compare our numbers with a vendor's, each difference of definition named and measured."""
    if definition not in DEFINITIONS:
        known = ", ".join(DEFINITIONS)
        raise UserError(f"no definition is called {definition}: there are {known}")
    limits = limited(protocol, chain, since, until)
    rules = DEFINITIONS[definition]
    with load.database(load.database_path(database)) as con:
        scope = checked(Scope(con, limits))
        warn(scope)
        past = partial(scope.facts, with_past=True)
        answer = bridge(rules, scope.facts, past, by_day=by is Grain.DAY, until=limits.until)
        said = " ".join(filter(None, (f"their rules: {rules.version};", load.snapshot(con))))
        write(answer, form, output, said.rstrip(";"))
