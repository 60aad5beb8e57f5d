"""Metrics asked for together: the same rows, and what they share is read and summed up once."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import polars as pl
from handmade import at, table
from polars.testing import assert_frame_equal

from analytics import load
from analytics.compute import collected, collected_together, compute
from analytics.reports.scope import Scope
from analytics.scans import scan

NAMES = (
    *("open_interest", "open_interest_total", "open_interest_drawdown"),
    *("open_interest_against_closed", "open_interest_reconciliation"),
)
FACTS = {
    "open_interest": table(
        "open_interest",
        {"open_interest_usd": 900, "open_interest_tokens": 9},
        {"open_interest_usd": 500, "open_interest_tokens": 6, "block_timestamp": at(3600)},
    ),
    "position_changes": table(
        "position_changes",
        {"notional_delta_usd": 900, "size_delta_tokens": 9},
        {"notional_delta_usd": -300, "size_delta_tokens": -3, "block_timestamp": at(3600)},
    ),
}


def test_positions_are_read_once() -> None:
    """And open interest once for four metrics, once for its own steps; each answers as alone."""
    read = Counter[str]()

    @cache
    def counted(name: str) -> pl.LazyFrame:
        def batches(columns: list[str], _: int) -> Iterator[pl.DataFrame]:
            read[name] += 1
            yield FACTS[name].select(columns)

        return scan(FACTS[name].schema, batches)

    found = collected_together(compute(name, counted) for name in NAMES)

    assert read == {"open_interest": 2, "position_changes": 1}
    for name, rows in zip(NAMES, found, strict=True):
        assert_frame_equal(rows, collected(compute(name, lambda each: FACTS[each].lazy())))


def test_a_scope_answers_together_as_one_by_one() -> None:
    """In the order of the names, and of the settings that are given."""
    with load.in_memory() as con:
        load.hold(con, FACTS)
        together = Scope(con).metrics(NAMES, bucket_seconds=60)
        alone = [Scope(con).metric(name, bucket_seconds=60) for name in NAMES]

    for rows, same in zip(together, alone, strict=True):
        assert_frame_equal(rows, same)


def test_a_table_is_the_same_plan_each_time() -> None:
    """Or no two metrics would share a reading of it, be it too large to be kept or not."""
    rows = pl.concat([FACTS["open_interest"]] * 6_000)
    with load.in_memory() as con:
        load.hold(con, FACTS | {"open_interest": rows})
        scope = Scope(con)

        assert scope.facts("open_interest") is scope.facts("open_interest")
        assert scope.facts("position_changes") is scope.facts("position_changes")
