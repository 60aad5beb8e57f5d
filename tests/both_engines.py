"""
Metrics whose every call is asked of their SQL twin as well: a test imports them from here.

What it knows by hand is then known of both. Rows drawn by chance, by which test_twins.py holds one
to the other, seldom meet where it matters. A metric of other metrics is `agreed` from the facts.
"""

from collections.abc import Mapping
from functools import cache
from inspect import signature
from typing import Any

import duckdb
import polars as pl
from handmade import fill, table
from polars.testing import assert_frame_equal
from test_twins import TWINNED, by_python, by_sql

from analytics.compute import facts_of, inputs_of
from analytics.metrics import METRICS, Metric


def __getattr__(name: str) -> Metric:
    """Return the metric of this name, held to its twin."""
    if name not in TWINNED or set(inputs_of(name)) != facts_of(name):
        raise AttributeError(name)
    metric, inputs = METRICS[name], inputs_of(name)

    def held(*frames: pl.LazyFrame, **named: Any) -> pl.LazyFrame:
        given = signature(metric).bind(*frames, **named).arguments
        tables = {each: given.pop(each).collect() for each in inputs}
        computed = metric(*frames, **named).collect()
        _compare(name, tables, computed, given)
        return computed.lazy()

    return held


def agreed(metric: str, frames: Mapping[str, pl.DataFrame], **given: float | str) -> pl.DataFrame:
    """Return what a metric and its twin both say of these rows, and of no others."""
    tables = {name: frames.get(name, table(name)) for name in facts_of(metric)}
    computed = by_python(metric, tables, **given)
    _compare(metric, tables, computed, given)
    return computed


def _compare(
    metric: str, tables: dict[str, pl.DataFrame], computed: pl.DataFrame, given: Mapping[str, Any]
) -> None:
    assert_frame_equal(computed, by_sql(_engine(), metric, tables, **given), check_exact=True)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    fill(con, {})
    return con
