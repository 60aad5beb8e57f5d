"""When covered blocks are of, and whether a time that is asked for meets them."""

import polars as pl

from analytics.reports.availability import reached
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
    """Return why nothing is known of the limits' time at all; nothing where something may be."""
    there = reached(scope)["is_reached"]
    if there.is_empty() or there.any():
        return ""
    first, last = scope.spans.select(pl.col("from_at").min(), pl.col("to_at").max()).row(0)
    return f"no block of this time is covered: what is covered lies from {first} to {last}"
