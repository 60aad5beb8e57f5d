"""A metric as a command asks for it: what it is computed from, and which of its rows are meant."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analytics.compute import compute, defaults_of
from analytics.reports.scope import Scope

# Settings of what a row says of the time before it. Windows in seconds follow their rows.
_LOOKING_BACK = frozenset({"window_days", "ago_seconds", "history_seconds"})


@dataclass(frozen=True)
class Asked:
    """
    A metric within limits. What looks back is computed from all that was before their end, and
    rows before their start are left out: each row says what it says without a start.

    Attributes:
        scope: the database and the limits.
        metric: its name.
        settings: what differs from the defaults.
        is_cut: whether windows and histories hold nothing from before the limits all the same.
    """

    scope: Scope
    metric: str
    settings: Mapping[str, object]
    is_cut: bool = False

    def facts(self, table: str) -> pl.LazyFrame:
        """Return a table as the metric reads it."""
        is_whole = looks_back(self.metric) and not self.is_cut
        return self.scope.begun(self.metric, table, None if is_whole else self.scope.limits.since)

    @property
    def rows(self) -> pl.LazyFrame:
        """The rows within the limits."""
        found = compute(self.metric, self.facts, **self.settings)
        return found.filter(self.is_meant(found.collect_schema()))

    def is_meant(self, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        """Return whether a row is within the limits; what is cut has no rows of other times."""
        is_observed = self.scope.is_observed(schema)
        if self.is_cut:
            return is_observed
        settings = defaults_of(self.metric) | dict(self.settings)
        return is_observed & self.scope.is_since(schema, settings.get("bucket_seconds"))


def looks_back(metric: str) -> bool:
    """Tell whether a row of a metric is made also of what was before it."""
    return not _LOOKING_BACK.isdisjoint(defaults_of(metric))
