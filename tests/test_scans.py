"""A table read batch by batch: of columns and rows only what a plan asks for."""

from collections.abc import Iterator

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analytics.scans import scan

ROWS = pl.DataFrame({"market": ["BTC", "BTC", "ETH"], "size": [1, 2, 3], "told": [None, None, 7]})


class Table:
    """Three rows in batches of one, and the columns of every reading of them."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self.asked: list[list[str]] = []
        self.batch_count = 0

    def batches(self, columns: list[str], _: int) -> Iterator[pl.DataFrame]:
        """Read columns, a row at a time."""
        self.asked.append(sorted(columns))
        for frame in ROWS.select(columns).iter_slices(1):
            self.batch_count += 1
            yield frame


@pytest.fixture
def table() -> Table:
    """Nothing has been read yet."""
    return Table()


def test_a_plan_reads_its_columns_alone(table: Table) -> None:
    """The others stay where they are."""
    found = scan(ROWS.schema, table.batches).select("size").collect()

    assert_frame_equal(found, ROWS.select("size"))
    assert table.asked == [["size"]]


def test_where_a_filter_keeps_nothing_only_its_columns_are_read(table: Table) -> None:
    """What is nowhere above seven is found out without the markets."""
    found = scan(ROWS.schema, table.batches).filter(pl.col("told") > 7).collect()

    assert_frame_equal(found, ROWS.clear())
    assert table.asked == [["told"]]


@pytest.mark.parametrize("size", [1, 3])
def test_a_filter_keeps_the_rows_it_would_keep_of_a_frame(table: Table, size: int) -> None:
    """Whether the first of them comes at once or late."""
    found = scan(ROWS.schema, table.batches).filter(pl.col("size") == size).collect()

    assert_frame_equal(found, ROWS.filter(pl.col("size") == size))
    assert table.asked == [["size"], ["market", "size", "told"]]


def test_the_look_ends_with_the_first_row_that_is_kept(table: Table) -> None:
    """One batch is looked at, then all three are read."""
    scan(ROWS.schema, table.batches).filter(pl.col("size") > 0).collect()

    assert table.batch_count == 1 + ROWS.height


def test_of_the_first_rows_no_more_is_read(table: Table) -> None:
    """The third batch is not asked for; where a filter is, it is the first that it keeps."""
    frame = scan(ROWS.schema, table.batches)

    assert_frame_equal(frame.head(2).collect(), ROWS.head(2))
    assert table.batch_count == 2
    assert_frame_equal(frame.filter(pl.col("size") > 1).head(1).collect(), ROWS[1:2])
    whole = scan(ROWS.schema, lambda columns, _: iter([ROWS.select(columns)]))
    assert_frame_equal(whole.head(2).collect(), ROWS.head(2))


def test_a_filter_without_a_column_reads_once(table: Table) -> None:
    """There is nothing to look at first."""
    found = scan(ROWS.schema, table.batches).filter(pl.lit(value=True)).collect()

    assert found.height == ROWS.height
    assert len(table.asked) == 1
