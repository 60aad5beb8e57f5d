"""What a report is about: one open database, and the protocol, chain and time it is limited to."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from math import gcd
from typing import Any

import polars as pl

from analytics import load
from analytics.beginnings import beginning
from analytics.compute import collected_together, compute, defaults_of, is_narrowed, settings_of
from analytics.errors import WorldError
from analytics.expressions import CENTURY_DAYS
from analytics.identities import assessed, comparisons
from analytics.older import placed
from analytics.queries import Query, arguments, literal, query_named
from analytics.reports.indexed import check_indexed, check_order, indexed
from analytics.reports.spans import times_of
from analytics.reports.tables import Tables

FACTS = (
    *("position_changes", "liquidations", "adls", "adl_states", "oracle_updates", "open_interest"),
    *("impact_parameters", "funding", "fees", "buybacks", "balances", "token_supplies", "upgrades"),
    *("credit_events", "pool_flows", "share_prices", "pool_states", "pool_liquidity", "shortfalls"),
)
Span = tuple[datetime, datetime]
# Told as it stands or by changes: without what was before, later values would be wrong.
_STATES = frozenset(
    {"open_interest", "impact_parameters", "pool_states", "share_prices", "token_supplies"}
)
# A chart has room for some hundreds of points, and a period people can name.
_PERIODS = (60, 300, 900, 3600, 14_400, 86_400, 604_800)
_POINTS = 400


@dataclass(frozen=True)
class Limits:
    """
    What a report leaves out: everything else. None leaves a limit open.

    Attributes:
        protocol: only this protocol.
        chain_id: only this chain.
        since: only events at or after this UTC time.
        until: only events at or before this UTC time.
    """

    protocol: str | None = None
    chain_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Scope:
    """
    An open database seen through limits. What it returns is read when it is asked for.

    Attributes:
        con: the database.
        limits: what of it is seen.
        span: the length of time that periods are chosen for: of what it is compared with the
            same, or values at the end of minutes stood beside those at the end of hours. That of
            its own facts where it is None.
    """

    con: load.Connection
    limits: Limits = Limits()
    span: timedelta | None = None
    _answers: dict[object, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)
    _digests: dict[str, tuple[int, str]] = field(default_factory=dict, repr=False, compare=False)

    def facts(self, table: str, *, with_past: bool = False, whole: bool = False) -> pl.LazyFrame:
        """
        Return a table within the limits.

        Args:
            table: its name.
            with_past: keep what was before their start.
            whole: keep what is of whatever protocol and chain.
        """
        limits = self.limits
        return self._tables.facts(
            table,
            protocol=None if whole else limits.protocol,
            chain_id=None if whole else limits.chain_id,
            since=None if with_past else limits.since,
            until=limits.until,
        )

    def read(
        self, metric: str, table: str, *, with_past: bool = False, **settings: object
    ) -> pl.LazyFrame:
        """Return a table as a metric reads it: prices that judge what others tell are whole."""
        since = None if with_past else beginning(metric, table, self.limits.since, settings)
        return self.begun(metric, table, since)

    def begun(self, metric: str, table: str, since: datetime | None) -> pl.LazyFrame:
        """Return a table as a metric reads it: from a time to the limits' end, states from ever."""
        return self._tables.facts(table, is_coded=True, **self._kept(metric, table, since))

    def is_since(self, columns: Collection[str], bucket_seconds: object) -> pl.Expr:
        """
        Return whether a row of a metric is of the time of the limits, at least its end.

        Args:
            columns: of the metric; where none is a time, all rows are.
            bucket_seconds: how long a period of it is.
        """
        since = self.limits.since
        if since is None:
            return pl.lit(value=True)
        if "date" in columns:
            return pl.col("date") >= since.date()
        if "bucket_at" in columns:
            told = bucket_seconds if isinstance(bucket_seconds, int) else self.period_seconds
            return pl.col("bucket_at") + timedelta(seconds=told) > since
        if "block_timestamp" in columns:
            return pl.col("block_timestamp") >= since
        ends = [pl.col(name) for name in ("end_at", "replaced_at") if name in columns]
        lasts = (end.is_null() | (end >= since) for end in ends)
        return pl.all_horizontal(pl.lit(value=True), *lasts)

    def is_observed(self, columns: Collection[str], *, either: bool = False) -> pl.Expr:
        """
        Return whether the source that a row is about is of the protocol and chain of the limits.

        Args:
            columns: of the rows; where none is a reference, all rows are.
            either: whether the reference may be of them instead.
        """
        sides = ("", "reference_") if either else ("",)
        limits = {"protocol": self.limits.protocol, "chain_id": self.limits.chain_id}
        wanted = {name: value for name, value in limits.items() if value is not None}
        if "reference_protocol" not in columns or not wanted:
            return pl.lit(value=True)
        return pl.any_horizontal(
            pl.all_horizontal(pl.col(f"{side}{name}") == value for name, value in wanted.items())
            for side in sides
        )

    def metric(
        self,
        name: str,
        *,
        with_past: bool = False,
        between: Span | None = None,
        **settings: object,
    ) -> pl.DataFrame:
        """
        Return a metric of the facts within the limits.

        Args:
            name: the metric.
            with_past: compute from everything before the end, for metrics that look back. Rows
                whose time, if they have one, is before the limits are left out.
            between: only facts of this time, both ends included, which may begin before the limits
                do. States keep their past.
            settings: settings of the metric.
        """
        return self.metrics((name,), with_past=with_past, between=between, **settings)[0]

    def metrics(
        self,
        names: Sequence[str],
        *,
        with_past: bool = False,
        between: Span | None = None,
        **settings: object,
    ) -> list[pl.DataFrame]:
        """Return metrics as `metric` does each: together, what they share is computed once."""
        keys = {(name, with_past, between, *sorted(settings.items())): name for name in names}
        wanted = {key: name for key, name in keys.items() if key not in self._answers}

        def plan(name: str) -> pl.LazyFrame:
            def read(table: str) -> pl.LazyFrame:
                if between is None:
                    return self.read(name, table, with_past=with_past, **settings)
                return self._tables.window(table, **self._kept(name, table, *between))

            return compute(name, read, **settings)

        found = collected_together(map(plan, wanted.values())) if wanted else []
        for (key, name), rows in zip(wanted.items(), found, strict=True):
            self._answers[key] = self._shown(name, rows, between, settings)
        return [self._answers[key] for key in keys]

    def _shown(
        self, name: str, rows: pl.DataFrame, between: Span | None, settings: Mapping[str, object]
    ) -> pl.DataFrame:
        observed = rows.filter(self.is_observed(rows.columns))
        if between is not None:
            return observed
        bucket_seconds = {**defaults_of(name), **settings}.get("bucket_seconds")
        return observed.filter(self.is_since(rows.columns, bucket_seconds))

    def has(self, table: str) -> bool:
        """Tell whether there is a fact of a table within the limits."""
        return not self.facts(table).select("block_timestamp").limit(1).collect().is_empty()

    def digest(self, table: str) -> tuple[int, str]:
        """Return how many rows a table has up to the end of the time, and a digest of them."""
        if table not in self._digests:
            told = self.limits
            self._digests[table] = load.digest(
                self.con, table, protocol=told.protocol, chain_id=told.chain_id, until=told.until
            )
        return self._digests[table]

    def query(self, name: str, **given: str) -> pl.DataFrame:
        """Return a stored question's answer; ends of its own that are not given are the limits'."""
        key = ("query", name, *sorted(given.items()))
        if key not in self._answers:
            asked = query_named(name)
            values = arguments(asked, asked.ends(self.limits.since, self.limits.until) | given)
            self._check_settings(name, values)
            frame = load.rows(self.con, self._limited(asked), values)
            self._answers[key] = frame.filter(self.is_observed(frame.columns, either=True))
        return self._answers[key]

    def _check_settings(self, query: str, values: Mapping[str, Any]) -> None:
        # What a metric refuses its twin would compute with.
        metric = query.removeprefix("metrics/")
        if metric != query:
            kinds = settings_of(metric)
            told = [name for name in kinds if values.get(name) is not None]
            compute(metric, self.facts, **{name: kinds[name](values[name]) for name in told})

    @cached_property
    def assessed(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What must hold of the facts within the limits and does not, and how much was compared."""
        rows, since = comparisons(partial(self.facts, with_past=True)), self.limits.since
        return assessed(rows if since is None else rows.filter(pl.col("block_timestamp") >= since))

    @cached_property
    def extremes(self) -> pl.DataFrame:
        """The metric `oracle_deviation_extremes` within the limits, by periods they begin with."""
        seconds, since = self.extreme_seconds, self.limits.since
        found = self.metric("oracle_deviation_extremes", bucket_seconds=seconds)
        # No period begins within a second.
        ends = pl.col("bucket_at", "worst_at")
        return found if since is None else found.filter(pl.any_horizontal(ends >= since))

    @cached_property
    def extreme_seconds(self) -> int:
        """The longest period up to that of a chart of which one begins where the limits do."""
        since = self.limits.since
        if since is None:
            return self.period_seconds
        seconds = int(since.replace(tzinfo=UTC).timestamp())
        return gcd(self.period_seconds, seconds) if since.microsecond == 0 else 1

    def transaction(self, worst: Mapping[str, Any]) -> str:
        """Return the transaction of the update that a row of `extremes` says was the worst."""
        told = load.facts(
            self.con,
            "oracle_updates",
            protocol=worst["protocol"],
            chain_id=worst["chain_id"],
            since=worst["worst_at"],
            until=worst["worst_at"],
        ).filter(
            feed=worst["feed"],
            block_number=worst["worst_block_number"],
            log_index=worst["worst_log_index"],
        )
        return str(told.select(pl.col("tx_hash").min()).collect().item())

    @cached_property
    def extent(self) -> tuple[datetime, datetime] | None:
        """
        The first and the last moment of the facts within the limits; None without a fact.

        Raises:
            WorldError: there is more than a century between them.
        """
        moment = pl.col("block_timestamp")
        ends = [
            self.facts(table).select(first=moment.min(), last=moment.max()).collect()
            for table in FACTS
        ]
        first, last = pl.concat(ends).select(pl.col("first").min(), pl.col("last").max()).row(0)
        if first is not None and last - first > timedelta(days=CENTURY_DAYS):
            raise WorldError(
                f"facts are from {first} to {last} UTC, more than a century: a node or a file told "
                "one of these times wrong; leave it out with --from or --to"
            )
        return None if first is None else (first, last)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """When each covered range and imported file begins and ends, as `times_of` returns it."""
        ranges, blocks = self.facts("coverage"), self.facts("blocks")
        files = self.facts("imports").select("chain_id", "protocol", "from_at", "to_at")
        return pl.concat([times_of(ranges.collect(), blocks), files.collect()])

    @cached_property
    def period_seconds(self) -> int:
        """The shortest length of a period, in seconds, at which a chart stays readable."""
        span = timedelta.max if self.length is None else self.length
        fitting = (each for each in _PERIODS if span <= timedelta(seconds=each * _POINTS))
        return next(fitting, _PERIODS[-1])

    @property
    def length(self) -> timedelta | None:
        """The length of time that periods are chosen for; None without a fact."""
        return self.span or (self.extent and self.extent[1] - self.extent[0])

    @cached_property
    def days(self) -> int:
        """How many UTC days the facts within the limits touch; 1 without a fact."""
        first, last = self.extent or (datetime.min, datetime.min)
        return (last.date() - first.date()).days + 1

    def _kept(
        self, metric: str, table: str, since: datetime | None, last: datetime | None = None
    ) -> dict[str, Any]:
        """Return the limits of a table as a metric reads it, from one time to another."""
        limits, is_narrow = self.limits, is_narrowed(metric, table)
        return {
            "protocol": limits.protocol if is_narrow else None,
            "chain_id": limits.chain_id if is_narrow else None,
            "since": None if table in _STATES else since,
            "until": min(filter(None, (last, limits.until)), default=None),
        }

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self.con)

    def _limited(self, asked: Query) -> str:
        # A step with the name of a table hides the table from all later steps.
        steps = [
            f"{table} as (select * from {placed(self.con, table)} where {conditions})"
            for table in asked.reads
            if (conditions := self._conditions(table, asked))
        ]
        if not steps:
            return asked.sql
        statement = re.sub(r"(?m)^--.*\n", "", asked.sql).strip()
        begins = next(filter(statement.startswith, ("with recursive", "with")), "")
        rest = statement.removeprefix(begins)
        return f"{begins or 'with'} {', '.join(steps)}{',' if begins else ' '}{rest}"

    def _conditions(self, table: str, asked: Query) -> str:
        columns = load.facts(self.con, table).collect_schema()
        limits = self.limits
        one, chain = (None, None) if asked.is_of_two else (limits.protocol, limits.chain_id)
        since = None if table in asked.past else limits.since
        kept = load.limited(columns, one, chain, since, limits.until)
        return " and ".join(
            f"{column} {sign} {literal(value)}" for (column, sign), value in kept.items()
        )


def checked(scope: Scope) -> Scope:
    """
    Return the scope if there is something to report on.

    Raises:
        WorldError: nothing is indexed.
        UserError: the protocol or chain is not indexed, or the time ends before it begins.
    """
    covered = indexed(scope.con)
    if covered.is_empty():
        raise WorldError("nothing is indexed in this database: run `perpscope index` first")
    limits = scope.limits
    check_indexed(covered, limits.protocol, limits.chain_id)
    check_order(limits.since, limits.until)
    return scope
