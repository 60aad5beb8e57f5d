"""A table as a LazyFrame: of what is read batch by batch, a plan reads what it asks for."""

from collections.abc import Callable, Iterator

import polars as pl
from polars.io.plugins import register_io_source

Batches = Callable[[list[str], int], Iterator[pl.DataFrame]]

# Enough rows for every core, few enough to stay in memory while they are summed up.
_BATCH_ROWS = 122_880


def scan(schema: pl.Schema, batches: Batches) -> pl.LazyFrame:
    """
    Return a table that is read when it is collected.

    Args:
        schema: its columns.
        batches: reads these columns of it, about so many rows at a time; the same every time.
    """

    def read(
        columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        size = batch_size or _BATCH_ROWS
        if predicate is not None and _is_in_vain(batches, predicate, size):
            return
        yield from _filtered(batches(columns or [*schema], size), predicate, n_rows)

    # Pure: nothing changes while the file is open, so a plan that reads twice may read once.
    return register_io_source(read, schema=schema, is_pure=True)


def _is_in_vain(batches: Batches, predicate: pl.Expr, size: int) -> bool:
    """Tell whether no row is kept, from the columns alone by which rows are."""
    asked = [*dict.fromkeys(predicate.meta.root_names())]
    return bool(asked) and all(frame.filter(predicate).is_empty() for frame in batches(asked, size))


def _filtered(
    frames: Iterator[pl.DataFrame], predicate: pl.Expr | None, n_rows: int | None
) -> Iterator[pl.DataFrame]:
    left = n_rows
    for frame in frames:
        kept = frame if predicate is None else frame.filter(predicate)
        if left is not None:
            kept = kept.head(left)
            left -= kept.height
        yield kept
        if left == 0:
            return
