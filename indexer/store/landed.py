"""A range of blocks as it lands: its rows, and what they were read with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import polars as pl


@dataclass(frozen=True)
class Range:
    """
    Everything one range of blocks adds for some protocols.

    Attributes:
        chain_id: the chain.
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        protocols: slugs whose logs were asked for.
        rows: table -> its rows; tables left out get none. `coverage` has a row per protocol.
        known: what it was read with, as rows of `contracts` and `markets`; what is left out is not
            compared with what is stored.
        parent: hash of the block before the first; None where it is not told.
    """

    chain_id: int
    from_block: int
    to_block: int
    protocols: tuple[str, ...]
    rows: Mapping[str, pl.DataFrame]
    known: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    parent: bytes | None = None

    def size(self) -> int:
        """Return how many rows there are in all tables."""
        return sum(len(rows) for rows in self.rows.values())

    def largest(self) -> int:
        """Return how many rows the table with most of them has."""
        return max(map(len, self.rows.values()), default=0)


def joined(parts: Sequence[Range]) -> Range:
    """
    Return ranges as one; each starts where the one before ends, for the same protocols.

    Raises:
        ValueError: they do not touch, or differ in chain or protocols.
    """
    first, last = parts[0], parts[-1]
    for left, right in pairwise(parts):
        same = (left.chain_id, left.protocols) == (right.chain_id, right.protocols)
        if not same or left.to_block + 1 != right.from_block:
            raise ValueError(f"blocks {left.to_block} and {right.from_block} are not one range")
    names = dict.fromkeys(name for part in parts for name in part.rows)
    rows = {name: _together(name, parts) for name in names}
    return replace(first, to_block=last.to_block, rows=rows)


def _together(table: str, parts: Sequence[Range]) -> pl.DataFrame:
    return pl.concat([part.rows[table] for part in parts if table in part.rows])
