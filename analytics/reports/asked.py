"""What a command asks for: what it is computed from, and which of its rows are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from analytics.beginnings import looks_back
from analytics.computations import Computation, of_metric, of_query
from analytics.queries import arguments, query_named
from analytics.reports.indexed import check_order
from analytics.reports.scope import Limits, Scope
from analytics.texts import spelled


@dataclass(frozen=True)
class Asked:
    """
    A metric within limits. What looks back is computed from all that was before their end, prices
    judge from ever, are compared with those within their tolerance, and rows before their start are
    left out: each row says what it says without a start.

    Attributes:
        scope: the database and the limits.
        metric: its name.
        settings: what differs from the defaults.
        is_cut: whether windows, histories and prices begin with the limits all the same.
    """

    scope: Scope
    metric: str
    settings: Mapping[str, object]
    is_cut: bool = False

    def facts(self, table: str) -> pl.LazyFrame:
        """Return the rows of a table that the metric reads."""
        return spelled(self._read(table))

    @property
    def computed(self) -> Computation:
        """How its rows are computed."""
        return of_metric(self.metric, self.settings)

    @property
    def rows(self) -> pl.LazyFrame:
        """The rows within the limits."""
        found = self.computed.rows(self._read)
        return found.filter(self.is_meant(found.collect_schema()))

    def is_meant(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Return whether a row is within the limits; what is cut has no rows of other times."""
        is_observed = self.scope.is_observed(schema)
        if self.is_cut:
            return is_observed
        bucket_seconds = self.computed.settings.get("bucket_seconds")
        return is_observed & self.scope.is_since(schema, bucket_seconds)

    def _read(self, table: str) -> pl.LazyFrame:
        if self.is_cut:
            return self.scope.begun(self.metric, table, self.scope.limits.since)
        has_past = looks_back(self.metric)
        return self.scope.read(self.metric, table, with_past=has_past, **self.settings)


@dataclass(frozen=True)
class AskedQuery:
    """
    A stored query within limits.

    Attributes:
        scope: the database and the limits.
        query: its name.
        given: parameters as a reader types them.
    """

    scope: Scope
    query: str
    given: Mapping[str, str]

    def facts(self, table: str) -> pl.LazyFrame:
        """Return a table as the query reads it."""
        asked = query_named(self.query)
        return self.scope.facts(table, with_past=table in asked.past, whole=asked.is_of_two)

    @cached_property
    def computed(self) -> Computation:
        """How its rows are computed."""
        limits = self.scope.limits
        ends = query_named(self.query).ends(limits.since, limits.until)
        return of_query(self.query, {**ends, **self.given})

    @property
    def rows(self) -> pl.LazyFrame:
        """The rows within the limits."""
        return self.scope.query(self.query, **self.given).lazy()

    def is_meant(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Return whether a row is within the limits."""
        return self.scope.is_observed(schema, either=True)


def queried(limits: Limits, query: str, given: Mapping[str, str]) -> Limits:
    """
    Return limits with the ends of time that a query's own parameters set.

    Raises:
        UserError: no such query or parameter, a value of another type, or a time that ends before
            it begins.
    """
    values = arguments(query_named(query), given)
    check_order(values.get("since"), values.get("until"))
    ends: Any = {name: values[name] for name in ("since", "until") if name in given}
    return replace(limits, **ends)
