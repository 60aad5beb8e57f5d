"""The tables of a database as a report reads them: many of them small, and each many times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import eq, ge, le
from typing import Any

import polars as pl

from analytics import load

_KEPT_ROWS = 10_000
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {"=": eq, ">=": ge, "<=": le}


@dataclass(frozen=True)
class Tables:
    """
    The tables of one open database.

    A small one is read once and kept whole: dozens of metrics ask for the same one, within limits
    of their own, and each time it takes longer to ask the database than to have the rows.
    """

    con: load.Connection
    _whole: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _kept: dict[object, pl.LazyFrame] = field(default_factory=dict, repr=False, compare=False)

    def facts(self, table: str, **limits: Any) -> pl.LazyFrame:
        """Return a table within limits, as `load.facts` does."""
        if not self.is_small(table):
            return load.facts(self.con, table, **limits)
        asked = (table, *sorted(limits.items()))
        if asked not in self._kept:
            if table not in self._whole:
                self._whole[table] = load.facts(self.con, table).collect()
            self._kept[asked] = _within(self._whole[table], **limits).lazy()
        return self._kept[asked]

    def is_small(self, table: str) -> bool:
        """Tell whether a table is kept in memory."""
        return self._heights.get(table, 0) <= _KEPT_ROWS

    @cached_property
    def _heights(self) -> Mapping[str, int]:
        return load.heights(self.con)


def _within(rows: pl.DataFrame, **limits: Any) -> pl.DataFrame:
    conditions = [
        _SIGNS[sign](pl.col(column), value)
        for (column, sign), value in load.limited(rows.schema, **limits).items()
    ]
    return rows.filter(conditions) if conditions else rows
