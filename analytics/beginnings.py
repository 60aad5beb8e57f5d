"""From when a metric reads its tables, where rows are asked for that begin with a time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from analytics.compute import defaults_of, facts_of, is_judge, is_of_two

# Settings of what a row says of the time before it. Windows in seconds follow their rows.
_LOOKING_BACK = frozenset({"window_days", "ago_seconds", "history_seconds"})
# Whose rows add up, or compare with, what was before them, without a setting that says so.
FROM_THE_FIRST = frozenset(
    {
        *("adl_state", "depth", "funding_carry", "funding_rate_8h", "liquidation_velocity"),
        *("loans_outstanding", "open_interest_against_closed", "open_interest_reconciliation"),
        *("oracle_staleness", "heartbeat_breaches", "missed_updates", "feed_weekends"),
        "buyback_columns",  # who has bought once can tell that a day has no purchase
        # Of an event, whose time is a setting.
        *("asset_correlation", "event_drops", "event_shape", "pool_resilience", "resilience"),
        "zero_liquidations",
    }
)
# Whose rows know positions from their opening on, and are of what is open or happened since.
_OF_POSITIONS = frozenset(
    {"adl_allocation", "adl_deficits", "adl_ranks", "adl_solvency", "concentration"}
)
_TOLERANCE = "tolerance_seconds"


def looks_back(metric: str) -> bool:
    """Tell whether a row of a metric is made also of what was before it."""
    return metric in FROM_THE_FIRST or not _LOOKING_BACK.isdisjoint(defaults_of(metric))


def keeps_past(metric: str) -> bool:
    """Tell whether a metric reads any table, beside states, from before the limits' start."""
    is_whole = any(_is_whole(metric, table) for table in facts_of(metric))
    return looks_back(metric) or is_whole or _is_compared(metric)


def beginning(
    metric: str, table: str, since: datetime | None, settings: Mapping[str, Any]
) -> datetime | None:
    """
    Return from when a table is read for rows of a metric from a time on; None is from ever.

    Prices that judge and positions count from ever. Where prices are compared with each other, the
    first one has a reference as old as the tolerance, and the first period began before the time.

    Args:
        metric: one that does not look back.
        table: which it reads.
        since: the first moment of the rows.
        settings: what differs from the defaults.
    """
    if since is None or _is_whole(metric, table):
        return None
    if not _is_compared(metric):
        return since
    told: Mapping[str, Any] = {**defaults_of(metric), **settings}
    seconds: int = told[_TOLERANCE] + told.get("bucket_seconds", 0)
    try:
        return since - timedelta(seconds=seconds)
    except OverflowError:  # before the first year; a setting that large is refused by the metric
        return None


def _is_whole(metric: str, table: str) -> bool:
    is_history = table == "position_changes" and metric in _OF_POSITIONS
    return is_judge(metric, table) or is_history


def _is_compared(metric: str) -> bool:
    return is_of_two(metric) and _TOLERANCE in defaults_of(metric)
