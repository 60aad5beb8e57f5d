"""When covered blocks were: of a range only the times of blocks with logs are kept."""

from collections.abc import Sequence
from typing import Literal

import polars as pl


def times_of(ranges: pl.DataFrame, blocks: pl.LazyFrame) -> pl.DataFrame:
    """
    Return when ranges of blocks begin and end, as far as is known.

    A range begins with the last known block up to its first, or else the next one, and ends with
    the first known one from its last on, or else the one before. Blocks outside all ranges tell
    nothing: a report that is made again does not have them.

    Args:
        ranges: rows of `coverage`.
        blocks: rows of `blocks`.

    Returns:
        One row per range: chain_id, protocol, from_at, to_at (UTC, null where no block is known).
    """
    known = blocks.select("chain_id", "number", at="timestamp").drop_nulls("at").sort("number")
    timed = _within(ranges, known.collect())
    begun = _timed(ranges, timed, "from", ("backward", "forward"))
    ended = _timed(begun, timed, "to", ("forward", "backward"))
    return ended.select("chain_id", "protocol", "from_at", "to_at")


def _within(ranges: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    # Of ranges that begin before a block it is in one if it is before the furthest end.
    furthest = pl.col("to_block").cum_max().over("chain_id")
    begun = ranges.sort("from_block").select("chain_id", furthest=furthest, number="from_block")
    found = blocks.join_asof(begun, on="number", by="chain_id", check_sortedness=False)
    return found.filter(pl.col("number") <= pl.col("furthest")).drop("furthest")


def _timed(
    ranges: pl.DataFrame,
    blocks: pl.DataFrame,
    end: str,
    nearest: Sequence[Literal["backward", "forward"]],
) -> pl.DataFrame:
    found = ranges.with_columns(number=f"{end}_block").sort("number")
    for strategy in nearest:
        found = found.join_asof(
            blocks.rename({"at": strategy}),
            on="number",
            by="chain_id",
            strategy=strategy,
            check_sortedness=False,
        )
    return found.with_columns(pl.coalesce(nearest).alias(f"{end}_at")).drop(nearest)
