"""The cascade through all protocols: who was in its largest session, and what the gap decides."""

import polars as pl

from analytics.reports.event import Event
from analytics.reports.sections.listed import Shown

_GAP_SECONDS = 60
WORDS = (
    "A session is a run of forced exits, of whatever protocol, chain and kind, that no silence "
    f"longer than {_GAP_SECONDS} s parts: liquidations, ADLs, and loans that were liquidated, "
    "their debt valued where a price was told. Bad debt that was told meanwhile stands beside them "
    "and is no exit. Nobody announces where a session ends, so the same exits are counted by other "
    "gaps as well: what does not hold of those is a word of this rule, not of the market. Where "
    "exits of many protocols hardly ever pause, a session is long whatever ties them."
)


def sessions(found: Event) -> tuple[Shown, ...]:
    """Return what is shown of forced exits in and around an event, all protocols together."""
    return (
        Shown(
            *("cascade_sessions", "The largest session around the event, in order of entry"),
            (
                *("protocol", "kind", "first_at", "lag_seconds", "event_count", "account_count"),
                *("notional_usd", "notional_share", "unknown_count", "bad_debt_usd"),
                "session_seconds",
            ),
            keys=("session", "protocol", "kind"),
            settings={"gap_seconds": _GAP_SECONDS},
            between=found.around,
            summed=_largest,
            headers={"lag_seconds": "after the first, s", "session_seconds": "whole session, s"},
        ),
        Shown(
            *("session_sensitivity", "How many sessions there are, by the silence that ends one"),
            keys=("gap_seconds",),
            between=found.around,
            headers={
                "single_count": "of one exit",
                "shared_count": "of several protocols",
                "most_protocol_count": "most protocols",
            },
        ),
    )


def _largest(metric: pl.DataFrame) -> pl.DataFrame:
    # The first of equal ones, also where no notional is known.
    sizes = metric.group_by("session").agg(pl.col("notional_usd").sum())
    largest = sizes.sort("notional_usd", "session", descending=[True, False]).head(1)
    return metric.join(largest, on="session", how="semi", maintain_order="left")
