"""Whether nothing is a measured zero: what the database says of each source, in words."""

import polars as pl

from analytics.reports.chain_names import chain_name
from analytics.reports.scope import Scope

_MEASURED = ("available", "stale")


def doubt(scope: Scope, table: str) -> str:
    """
    Return why the absence of a fact is no measured zero; empty where it is one, or facts are there.

    Args:
        scope: what is reported on.
        table: the table of facts.

    Returns:
        The state of the source, and whose it is: not_applicable where nothing that is indexed
        tells of such facts. Empty too where the database does not say what was declared: one of
        imported files, or an older one.
    """
    states = scope.query("availability")
    if states.is_empty() or scope.facts("imports").limit(1).collect().height:
        return ""
    if scope.facts(table).limit(1).collect().height:
        return ""
    ours = states.filter(pl.col("fact") == table)
    if ours["state"].is_in(_MEASURED).any():
        return ""
    if ours.is_empty():
        return "not_applicable: nothing that is indexed tells of it"
    said = (
        f"{state}: {protocol} on {chain_name(chain)}"
        for state, protocol, chain in ours.select("state", "protocol", "chain_id").iter_rows()
    )
    return "; ".join(said)
