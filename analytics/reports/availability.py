"""Whether nothing is a measured zero: what the database says of each source, in words."""

from collections.abc import Iterable

import polars as pl

from analytics.older import lacking
from analytics.reports.chain_names import chain_name
from analytics.reports.scope import FACTS, Scope

_KEYS = ["chain_id", "protocol"]
_MEASURED = ("available", "stale")
_OLDER = (
    "not_collected: an older perpscope made the file and knew none; `perpscope index` brings it up "
    "to date"
)
_OUTSIDE = "not_collected: outside the covered blocks, as far as their times are known"


def doubt(scope: Scope, table: str) -> str:
    """
    Return why the absence of a fact is no measured zero; empty where it is one, or facts are there.

    Args:
        scope: what is reported on.
        table: the table of facts.

    Returns:
        The state of the source, and whose it is: not_collected where nothing that is covered or
        imported is of the time of the scope, or the file is of an older perpscope, source_error
        where any source failed, not_applicable where nothing that is indexed tells of such facts,
        as of files of one account or market.
        Empty too where the database does not say what was declared: an older one.
    """
    if table in lacking(scope.con):
        return _OLDER
    if scope.has(table):
        return ""
    there = reached(scope).filter("is_reached")
    if there.is_empty():
        return _OUTSIDE
    states = availability(scope)
    if states.is_empty() and scope.facts("imports").collect().is_empty():
        return ""
    ours = states.filter(pl.col("fact") == table)
    if ours.is_empty():
        return "not_applicable: nothing that is indexed tells of it"
    # Nobody's zero makes up for what another source told and nobody could read.
    failed = ours.filter(pl.col("state") == "source_error")
    if failed.is_empty() and ours["state"].is_in(_MEASURED).any():
        return ""
    silent = ours.filter(~pl.col("state").is_in(_MEASURED))
    said = (
        f"{state}: {protocol} on {chain_name(chain)}"
        for state, protocol, chain in silent.select("state", "protocol", "chain_id").iter_rows()
    )
    return "; ".join(said)


def doubts(scope: Scope, tables: Iterable[str]) -> str:
    """
    Return of which tables nothing is known within the scope, and why; see `doubt`.

    Args:
        scope: what is asked about.
        tables: what a metric or query reads; those that hold no facts are passed over.
    """
    told = ((table, doubt(scope, table)) for table in tables if table in FACTS)
    return "; ".join(f"{table} is {why}" for table, why in told if why)


def older_sentence(scope: Scope) -> str:
    """Return what a file of an older perpscope cannot tell of; empty of any other."""
    unknown = ", ".join(sorted(lacking(scope.con)))
    return unknown and (
        f"Older: this database was last written by a perpscope that knew no {unknown}, so that "
        "nothing is said of them; `perpscope index` brings it up to date."
    )


def availability(scope: Scope) -> pl.DataFrame:
    """Return the query `availability`: not_collected, too, where nothing covered is of the time."""
    states = scope.query("availability")
    is_outside = ~pl.col("is_reached") & (pl.col("row_count") == 0)
    state = pl.when(is_outside).then(pl.lit("not_collected")).otherwise("state")
    joined = states.join(reached(scope), on=_KEYS, how="left", maintain_order="left")
    return joined.with_columns(state=state).drop("is_reached")


def reached(scope: Scope) -> pl.DataFrame:
    """
    Return of whom something was looked at in the time of a scope.

    Returns:
        One row per chain and protocol, sorted: chain_id, protocol, is_reached (Boolean): whether a
        covered range or an imported file is of that time, or may be, where no time is known.
    """
    limits = scope.limits
    is_after = pl.lit(limits.until, pl.Datetime("us")) < pl.col("from_at")
    is_before = pl.col("to_at") < pl.lit(limits.since, pl.Datetime("us"))
    is_outside = is_after.fill_null(value=False) | is_before.fill_null(value=False)
    return scope.spans.group_by(_KEYS).agg(is_reached=(~is_outside).any()).sort(_KEYS)


def missed(scope: Scope) -> str:
    """Return why nothing is known of the limits' time at all; nothing where something may be."""
    if scope.limits.since is None and scope.limits.until is None:
        return ""  # and no block is read, which every command would wait for
    there = reached(scope)["is_reached"]
    if there.is_empty() or there.any():
        return ""
    first, last = scope.spans.select(pl.col("from_at").min(), pl.col("to_at").max()).row(0)
    return f"no block of this time is covered: what is covered lies from {first} to {last}"
