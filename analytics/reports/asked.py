"""What a command asks for: what it is computed from, and which of its rows are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from analytics.computations import Computation, of_metric, of_query
from analytics.compute import defaults_of, facts_of, is_judge
from analytics.queries import arguments, query_named
from analytics.reports.indexed import check_order
from analytics.reports.scope import Limits, Scope

# Settings of what a row says of the time before it. Windows in seconds follow their rows.
_LOOKING_BACK = frozenset({"window_days", "ago_seconds", "history_seconds"})
# Whose rows add up, or compare with, what was before them, without a setting that says so.
FROM_THE_FIRST = frozenset(
    {
        *("adl_state", "depth", "funding_carry", "funding_rate_8h", "liquidation_velocity"),
        *("loans_outstanding", "open_interest_against_closed", "open_interest_reconciliation"),
        "oracle_staleness",
    }
)
# Whose rows know positions from their opening on, and are of what happened to them since.
_OF_POSITIONS = frozenset({"adl_allocation", "adl_deficits", "adl_ranks", "adl_solvency"})


@dataclass(frozen=True)
class Asked:
    """
    A metric within limits. What looks back is computed from all that was before their end, prices
    judge from ever, and rows before their start are left out: each row says what it says without a
    start.

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
        """Return a table as the metric reads it."""
        is_whole = not self.is_cut and _has_past(self.metric, table)
        return self.scope.begun(self.metric, table, None if is_whole else self.scope.limits.since)

    @property
    def computed(self) -> Computation:
        """How its rows are computed."""
        return of_metric(self.metric, self.settings)

    @property
    def rows(self) -> pl.LazyFrame:
        """The rows within the limits."""
        found = self.computed.rows(self.facts)
        return found.filter(self.is_meant(found.collect_schema()))

    def is_meant(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Return whether a row is within the limits; what is cut has no rows of other times."""
        is_observed = self.scope.is_observed(schema)
        if self.is_cut:
            return is_observed
        bucket_seconds = self.computed.settings.get("bucket_seconds")
        return is_observed & self.scope.is_since(schema, bucket_seconds)


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
        return of_query(self.query, self.given)

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


def looks_back(metric: str) -> bool:
    """Tell whether a row of a metric is made also of what was before it."""
    return metric in FROM_THE_FIRST or not _LOOKING_BACK.isdisjoint(defaults_of(metric))


def keeps_past(metric: str) -> bool:
    """Tell whether a metric reads any table, beside states, from before the limits' start."""
    return any(_has_past(metric, table) for table in facts_of(metric))


def _has_past(metric: str, table: str) -> bool:
    is_history = table == "position_changes" and metric in _OF_POSITIONS
    return looks_back(metric) or is_judge(metric, table) or is_history
