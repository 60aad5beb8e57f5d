"""Metrics asked for together: the same rows, and what they share is read and summed up once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl
import pytest
from handmade import at, table
from polars.testing import assert_frame_equal

from analytics import load
from analytics.compute import collected, collected_together, compute
from analytics.reports.context import Context
from analytics.reports.scope import Scope
from analytics.reports.sections.listed import Shown, answers
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
    "oracle_updates": table(
        "oracle_updates",
        *(
            {"asset": asset, "oracle_price_quote": price, "block_timestamp": at(60 * price)}
            for asset in ("BTC", "ETH")
            for price in (1, 2, 3)
        ),
    ),
    "markets": table("markets"),
}


class Counted:
    """Tables that count how often each is read."""

    def __init__(self) -> None:
        """Begin without a reading."""
        self.read = Counter[str]()
        self.load = cache(self._load)

    def _load(self, name: str) -> pl.LazyFrame:
        def batches(columns: list[str], _: int) -> Iterator[pl.DataFrame]:
            self.read[name] += 1
            yield FACTS.get(name, table(name)).select(columns)

        return scan(table(name).schema, batches)


def test_positions_are_read_once() -> None:
    """And open interest once for four metrics, once for its own steps; each answers as alone."""
    counted = Counted()

    found = collected_together(compute(name, counted.load) for name in NAMES)

    assert counted.read == {"open_interest": 2, "position_changes": 1}
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


@pytest.mark.parametrize(("metric", "count"), [("asset_correlation", 2), ("oracle_update_lag", 4)])
def test_prices_are_put_in_order_once(metric: str, count: int) -> None:
    """Not once for each use of them; to look whether any row is a price is a reading, too."""
    counted = Counted()

    collected(compute(metric, counted.load))

    assert counted.read["oracle_updates"] == count


def test_lines_of_a_list_are_computed_together() -> None:
    """Those of one time and the same settings; each is a table of its own all the same."""
    asked: list[tuple[str, ...]] = []

    class Recorded(Scope):
        """A scope that notes what is asked of it together."""

        def metrics(self, names: Sequence[str], **settings: Any) -> list[pl.DataFrame]:
            """Return the answers of the scope."""
            asked.append(tuple(names))
            return super().metrics(names, **settings)

    hourly = Shown("open_interest_drawdown", "Falls", settings={"bucket_seconds": 60})
    with load.in_memory() as con:
        load.hold(con, FACTS)
        wanted = (Shown("open_interest", "Open"), hourly, Shown("open_interest_total", "Total"))
        sources, _ = answers(Context(Recorded(con)), *wanted)

    assert asked[:2] == [("open_interest", "open_interest_total"), ("open_interest_drawdown",)]
    assert [source.asked for source in sources] == [each.metric for each in wanted]
