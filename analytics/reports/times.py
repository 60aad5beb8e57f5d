"""When covered blocks are of."""

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
