"""The tables of a database as a report reads them: many of them small, and each many times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import eq, ge, le
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import polars as pl
from polars.exceptions import ComputeError

from analytics import load
from analytics.errors import WorldError
from analytics.texts import spelled

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

    def facts(self, table: str, *, is_coded: bool = False, **limits: Any) -> pl.LazyFrame:
        """Return a table within limits, as `load.facts` does."""
        asked = (table, is_coded, *sorted(limits.items()))
        if asked not in self._kept:
            self._kept[asked] = self._asked(table, is_coded=is_coded, **limits)
        return self._kept[asked]

    def window(self, table: str, **limits: Any) -> pl.LazyFrame:
        """
        Return a table within limits, a large one from a copy.

        Many metrics read the same window, and some read it many times: from a file each of them
        takes a part of the time, and none of them the memory of all.

        Raises:
            WorldError: there is no room for a copy.
        """
        asked = ("window", table, *sorted(limits.items()))
        if asked not in self._kept:
            rows = self.facts(table, is_coded=True, **limits)
            self._kept[asked] = rows if self.is_small(table) else self._copied(table, rows)
        return self._kept[asked]

    def is_small(self, table: str) -> bool:
        """Tell whether a table is kept in memory."""
        return load.heights(self.con).get(table, 0) <= _KEPT_ROWS

    def _asked(self, table: str, *, is_coded: bool, **limits: Any) -> pl.LazyFrame:
        if not self.is_small(table):
            return load.facts(self.con, table, is_coded=is_coded, **limits)
        if table not in self._whole:
            self._whole[table] = load.facts(self.con, table, is_coded=True).collect()
        rows = _within(self._whole[table], **limits).lazy()
        return rows if is_coded else spelled(rows)

    def _copied(self, table: str, rows: pl.LazyFrame) -> pl.LazyFrame:
        path = self._folder / f"{len(self._kept)}.parquet"
        try:
            rows.sink_parquet(path, compression="lz4")
        except (OSError, ComputeError) as error:  # the latter of a disk that is full by then
            raise WorldError(
                f"no room for a window of {table} in {self._folder}: {error}; make some there, or "
                "name another place with TMPDIR"
            ) from error
        return pl.scan_parquet(path)

    @cached_property
    def _folder(self) -> Path:
        folder = Path(mkdtemp(prefix="perpscope-"))
        finalize(self, rmtree, folder, ignore_errors=True)
        return folder


def _within(rows: pl.DataFrame, **limits: Any) -> pl.DataFrame:
    conditions = [
        _SIGNS[sign](pl.col(column), value)
        for (column, sign), value in load.limited(rows.schema, **limits).items()
    ]
    return rows.filter(conditions) if conditions else rows
