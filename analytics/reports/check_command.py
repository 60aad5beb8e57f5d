"""The command `perpscope check`."""

from typing import Annotated

import polars as pl

from analytics import load
from analytics.errors import WorldError
from analytics.export import table_text, write
from analytics.formats import Format, format_option
from analytics.reports.demands import (
    TESTED_IN_FULL,
    contradiction,
    identity_columns,
    stray_sentence,
)
from analytics.reports.options import Chain, Database, Output, Protocol, Since, Until, limited, warn
from analytics.reports.scope import Scope, checked


def check(
    *,
    protocol: Protocol = None,
    chain: Chain = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[Format, format_option("How what is wrong is written")] = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Test what must hold of the facts: fees and their parts, open interest, tokens, shares."""
    limits = limited(protocol, chain, since, until)
    with load.database(load.database_path(database)) as con:
        scope = checked(Scope(con, limits))
        warn(scope)
        found, counts = scope.assessed
        stray = stray_sentence(scope)
    broken = identity_columns(found)
    # A comparison that could be made has no reason why not.
    sound = "nothing is broken" if counts["reason"].null_count() else "nothing could be compared"
    told = counts.with_columns(pl.col("reason").fill_null(TESTED_IN_FULL))
    said = "broken:" if broken.height else sound
    write(broken, form, output, f"compared:\n{table_text(told)}\n{said}")
    if broken.height:
        said = contradiction(broken.height, "database")
        raise WorldError(f"{said}. {stray}" if stray else said)
    if stray:
        raise WorldError(stray)
