"""The tables of a database as a report reads them: many of them small, and each many times."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from analytics import load

_KEPT_ROWS = 10_000


@dataclass(frozen=True)
class Tables:
    """
    The tables of one open database.

    A small one is read once and kept: dozens of metrics ask for the same one, and each time it
    takes longer to ask the database than to have the rows.
    """

    con: load.Connection
    _kept: dict[object, pl.LazyFrame] = field(default_factory=dict, repr=False, compare=False)

    def facts(self, table: str, **limits: Any) -> pl.LazyFrame:
        """Return a table within limits, as `load.facts` does."""
        if not self.is_small(table):
            return load.facts(self.con, table, **limits)
        asked = (table, *sorted(limits.items()))
        if asked not in self._kept:
            self._kept[asked] = load.facts(self.con, table, **limits).collect().lazy()
        return self._kept[asked]

    def is_small(self, table: str) -> bool:
        """Tell whether a table is kept in memory."""
        return self._heights.get(table, 0) <= _KEPT_ROWS

    @cached_property
    def _heights(self) -> Mapping[str, int]:
        return load.heights(self.con)
