"""What makes rows of facts: a metric with its settings, or a stored query with its parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

from analytics import load
from analytics.compute import Load, defaults_of, facts_of, wired
from analytics.metrics import METRICS, Metric
from analytics.queries import Query, arguments, query_named


@dataclass(frozen=True)
class Computation:
    """
    A number's origin, which can be computed again from fewer facts.

    Attributes:
        name: of the metric or query.
        tables: the fact tables it reads, in order.
        settings: every setting or parameter in force, the ones that nobody gave included.
        rows: its rows, from what returns a table by name.
    """

    name: str
    tables: tuple[str, ...]
    settings: Mapping[str, object]
    rows: Callable[[Load], pl.LazyFrame]


def of_metric(
    name: str, settings: Mapping[str, object], metrics: Mapping[str, Metric] = METRICS
) -> Computation:
    """
    Return how a metric is computed.

    Args:
        name: the metric.
        settings: what differs from the defaults.
        metrics: every metric by name.

    Raises:
        UserError: no such metric; of `rows`, what `wired` raises.
    """
    return Computation(
        name,
        tuple(sorted(facts_of(name, metrics))),
        defaults_of(name, metrics) | dict(settings),
        lambda load_table: wired(name, load_table, settings, metrics),
    )


def of_query(name: str, given: Mapping[str, str]) -> Computation:
    """
    Return how a stored query is computed: by DuckDB, in memory, over the tables it reads.

    Args:
        name: the query.
        given: parameters as a reader types them.

    Raises:
        UserError: no such query or parameter, or a value of another type.
    """
    query = query_named(name)
    values = arguments(query, given)
    rows = partial(_selected, load.in_memory(), query, values)
    return Computation(name, tuple(sorted(query.reads)), values, rows)


def _selected(
    con: load.Connection, query: Query, values: Mapping[str, object], load_table: Load
) -> pl.LazyFrame:
    load.hold(con, {table: load_table(table).collect() for table in query.reads})
    return load.rows(con, query.sql, values).lazy()
