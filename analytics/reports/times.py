"""When covered blocks are of, and whether a time that is asked for meets them."""

from datetime import datetime

import polars as pl

from analytics.reports.scope import Scope


def covered_times(scope: Scope) -> pl.DataFrame:
    """
    Return when the covered blocks of each chain and protocol begin and end, as far as is known.

    Returns:
        One row per pair with a known time: chain_id, protocol, first_at, last_at (UTC).
    """
    keys = ["chain_id", "protocol"]
    ends = [pl.col("from_block").min(), pl.col("to_block").max()]
    blocks = scope.facts("blocks").select("chain_id", "number", "timestamp")
    at = pl.col("timestamp")
    return (
        scope.facts("coverage")
        .group_by(keys)
        .agg(ends)
        .join(blocks, on="chain_id")
        .filter(pl.col("number").is_between(pl.col("from_block"), pl.col("to_block")))
        .group_by(keys)
        .agg(first_at=at.min(), last_at=at.max())
        .collect()
    )


def missed(scope: Scope) -> str:
    """Return why nothing is known of the limits' time at all; nothing where something is."""
    if scope.limits.since is None and scope.limits.until is None:
        return ""
    since, until = scope.limits.since or datetime.min, scope.limits.until or datetime.max
    files = scope.facts("imports").select(first_at="from_at", last_at="to_at").collect()
    times = pl.concat([covered_times(scope).select("first_at", "last_at"), files]).drop_nulls()
    ends = times.select(pl.col("first_at").min(), pl.col("last_at").max()).row(0)
    if (
        times.is_empty()
        or times.filter(pl.col("first_at") <= until, pl.col("last_at") >= since).height
    ):
        return ""
    return f"no block of this time is covered: what is covered lies from {ends[0]} to {ends[1]}"
