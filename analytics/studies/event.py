"""
The figures of a study for any window of the database: the same shapes, from facts.

Each function takes facts and returns one row per protocol and what stands after it in the name; a
protocol without such facts has no row. What a metric already tells is that metric, of the window.
Times are as fine as the chain's: a block's seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from analytics.compute import compute
from analytics.metrics import METRICS
from analytics.reports.scope import Scope
from analytics.studies import forced, levels, published
from analytics.studies.claims import stated

_COLUMNS = ("table", "protocol", "subject", "figure", "value")
_Asked = tuple[
    Callable[..., pl.LazyFrame],
    tuple[pl.LazyFrame, ...],
    tuple[str, ...],
    Mapping[str, int],
]


@dataclass(frozen=True)
class Part:
    """
    One table of an event.

    Attributes:
        function: what makes it; its docstring is the methodology.
        keys: the columns that say what a row is about, the protocol first.
        settings: values of its settings.
        frame: the rows.
    """

    function: Callable[..., pl.LazyFrame]
    keys: tuple[str, ...]
    settings: Mapping[str, int]
    frame: pl.DataFrame

    @property
    def name(self) -> str:
        """What the table is called: as its function is."""
        return self.function.__name__


def event(scope: Scope, *, gap_ms: int = 5000, limit_bps: int = 100) -> tuple[Part, ...]:
    """
    Return the figures of the window a scope is limited to, a table after the other.

    Args:
        scope: an open database, limited to the window.
        gap_ms: the longest pause inside a wave, in milliseconds.
        limit_bps: how far two oracles may be apart, in basis points.

    Raises:
        ValueError: a setting is out of bounds.
    """
    cut, forced_out = scope.facts("adls"), scope.facts("liquidations")
    both = (cut, forced_out)
    declared = scope.facts("declared_facts")
    told = (*both, declared)
    past = partial(scope.read, "open_interest", with_past=True)
    open_interest = compute("open_interest", past, bucket_seconds=60)
    is_open = levels.since_open(open_interest, scope.limits.since)
    deviation = scope.metric("oracle_deviation").lazy()
    totals = published.totals(scope.extent, scope.limits.protocol)
    market = ("chain_id", "market")
    asked: tuple[_Asked, ...] = (
        (published.published_totals, (*told, totals), ("exit", "source"), {}),
        (forced.forced_exits, told, (), {}),
        (forced.adl_holders, (cut,), (), {}),
        (forced.adl_times, (cut,), ("percent",), {}),
        (forced.exit_windows, both, ("exit",), {}),
        (forced.adl_waves, (cut,), ("wave",), {"gap_ms": gap_ms}),
        (forced.exit_minutes, told, ("minute_at",), {}),
        (forced.exit_markets, told, market, {}),
        (levels.drawdowns, (is_open,), (*market, "version"), {}),
        (levels.funding_signs, (scope.facts("funding"),), (), {}),
        (levels.minutes_apart, (deviation,), levels.PAIR, {"limit_bps": limit_bps}),
        (levels.executed, (scope.facts("buybacks"), scope.facts("fees"), declared), (), {}),
    )
    figures = (
        Part(function, ("protocol", *keys), settings, function(*inputs, **settings).collect())
        for function, inputs, keys, settings in asked
    )
    return (*figures, *_metrics(scope, gap_ms))


_BUDGET = {"horizon_milliseconds": 60_000}


def _metrics(scope: Scope, gap_ms: int) -> tuple[Part, ...]:
    market = ("chain_id", "market", "version")
    # A wave of these metrics has a gap of at least a millisecond.
    waves = {"gap_milliseconds": max(gap_ms, 1)}
    asked: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
        ("adl_to_liquidation", (), {}),
        # At the very end of a wave, where the later price is the mark, nothing is overshot.
        ("adl_budget", ("wave",), _BUDGET | waves),
        ("adl_deficits", (), waves),
        ("adl_solvency", (*market, "wave"), waves),
        ("leverage_at_liquidation", market, {}),
    )
    return tuple(
        Part(METRICS[name], ("protocol", *keys), settings, scope.metric(name, **settings))
        for name, keys, settings in asked
    )


def lines(parts: tuple[Part, ...]) -> pl.DataFrame:
    """
    Return all tables as one, a line per number.

    Returns:
        All text: table, protocol, subject (what else the row is about, null where it is the
        protocol), figure, value (all digits, null where it is not known).
    """
    rows = [
        {
            "table": part.name,
            "protocol": row["protocol"],
            "subject": " ".join(f"{key}={stated(row[key])}" for key in part.keys[1:]) or None,
            "figure": figure,
            "value": stated(value) or None,
        }
        for part in parts
        for row in part.frame.iter_rows(named=True)
        for figure, value in row.items()
        if figure not in part.keys
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String))
