"""Companions: which log of the same transaction goes with which."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from indexer.decode.columns import Column
from indexer.decode.shapes import stacked
from indexer.facts.hexadecimal import binary
from indexer.facts.operands import names_of
from indexer.facts.scope import Mask, Match, only
from indexer.spec import Companion, EventName


@dataclass(frozen=True)
class Decodings:
    """The accepted logs of one event: their frame, and decoded arguments as long as it."""

    frame: pl.DataFrame
    columns: Mapping[str, Column]


def match(
    companion: Companion, own: Decodings, others: Mapping[EventName, Decodings]
) -> tuple[Match, Mask]:
    """
    Return the companion's row for each own row, and the rows that matched more than one.

    A companion is of the same emitter, unless it names an ABI: then any emitter of that ABI will
    do. With `nearest`, the closest log before or after in the transaction is taken.

    Args:
        companion: what is looked for.
        own: the logs that look for it.
        others: the events of the companion's ABI.
    """
    candidates = _united([others[name] for name in names_of(companion)])
    place = ["tx_hash"] if companion.abi else ["tx_hash", "address"]
    left = _keyed(own, place, list(companion.on)).with_row_index("own")
    right = _keyed(candidates, place, list(companion.on.values())).with_row_index("other")
    keys = [column for column in left.columns if column not in ("own", "log_index")]
    if companion.nearest is None:
        return _only(left, right, keys, candidates)
    found = left.sort("log_index").join_asof(
        right.sort("log_index"),
        on="log_index",
        by=keys,
        strategy="backward" if companion.nearest == "before" else "forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    rows = found.sort("own")["other"].cast(pl.Int64).fill_null(-1).to_numpy()
    return Match(rows, candidates.columns), np.zeros(len(left), dtype=np.bool_)


def _only(
    left: pl.DataFrame, right: pl.DataFrame, keys: list[str], candidates: Decodings
) -> tuple[Match, Mask]:
    # Candidates that look alike are counted before they are joined: one transaction may have
    # thousands of both, and every pair of them is more than memory holds.
    alike = right.group_by(keys).agg(pl.col("other").min(), pl.len().alias("count"))
    found = left.join(alike, on=keys, how="left", maintain_order="left")
    rows = found["other"].cast(pl.Int64).fill_null(-1).to_numpy()
    return Match(rows, candidates.columns), (found["count"].fill_null(0) > 1).to_numpy()


def _keyed(decodings: Decodings, place: list[str], arguments: list[str]) -> pl.DataFrame:
    keys = {f"key{order}": _raw(decodings.columns[name]) for order, name in enumerate(arguments)}
    return decodings.frame.select(*place, "log_index").with_columns(**keys)


def _raw(column: Column) -> pl.Series:
    if column.words is None:  # a text where a key was expected is nobody's key
        return pl.Series([None] * len(column.present), dtype=pl.Binary)
    return only(binary(column.words), column.present)


def _united(parts: list[Decodings]) -> Decodings:
    if len(parts) == 1:
        return parts[0]
    shared = set.intersection(*(set(part.columns) for part in parts))
    return Decodings(
        pl.concat([part.frame for part in parts]),
        {name: stacked([part.columns[name] for part in parts]) for name in sorted(shared)},
    )
