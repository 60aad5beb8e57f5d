"""How liquidations and ADLs lie in time, what they cost, and whose they were: tables."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from analytics.reports.event import Event
from analytics.reports.sections.listed import Shown

_WAVES = ("protocol", "wave", "first_at", "length_seconds")
_WAVED = ("account_count", "market_count", "notional_usd", "notional_share")
_LATER = ("protocol", "share_percent", "reached_at", "elapsed_seconds", "notional_usd")
_LATER_WORDS = {"share_percent": "share of notional, %", "elapsed_seconds": "after the first, s"}
_MARKET = ("chain_id", "protocol", "market")
_SIDE = (*_MARKET, "version", "is_long")


def _nearest(metric: pl.DataFrame) -> pl.DataFrame:
    order = ("headroom_ratio", "block_timestamp", *_SIDE)
    looks = metric.sort(order, nulls_last=True, maintain_order=True)
    return looks.group_by(_SIDE, maintain_order=True).first()


SHAPE = (
    Shown(
        *("liquidation_concentration", "Shortest window with 70 % of the liquidated notional"),
        (
            *(
                "protocol",
                "first_at",
                "last_at",
                "length_seconds",
                "notional_usd",
                "notional_share",
            ),
            *("total_notional_usd", "unknown_notional_count"),
        ),
        keys=("protocol",),
        largest_first="total_notional_usd",
        settings={"share_percent": 70},
    ),
    Shown(
        *("liquidation_waves", "Waves of liquidations, largest first: no silence above 5 s"),
        (*_WAVES, "liquidation_count", *_WAVED),
        keys=("protocol", "wave"),
        largest_first="notional_usd",
        rows=10,
        settings={"gap_milliseconds": 5000},
    ),
    Shown(
        *("adl_waves", "Waves of ADLs, largest first, beside what was liquidated meanwhile"),
        (
            *(*_WAVES, "adl_count", *_WAVED, "realized_pnl_usd"),
            *("liquidation_notional_usd", "adl_to_liquidation_ratio"),
        ),
        keys=("protocol", "wave"),
        largest_first="notional_usd",
        rows=10,
        settings={"gap_milliseconds": 5000},
        headers={"adl_to_liquidation_ratio": "ADL of liquidated"},
    ),
    Shown(
        *("wave_sensitivity", "How many waves there are, by the silence that ends one"),
        keys=("protocol", "cause", "gap_seconds"),
        rows=28,
        headers={"single_count": "of one event"},
    ),
    Shown(
        *("liquidation_burstiness", "How bursty liquidations came: 0 at random, 1 in bursts"),
        keys=("protocol",),
        largest_first="liquidation_count",
    ),
    Shown(
        *("liquidation_fee_yield", "Fees, bad debt and long share by market and day"),
        (
            *(*_MARKET, "bucket_at", "liquidation_count", "notional_usd", "fee_usd"),
            *("fee_yield_ratio", "shortfall_usd", "shortfall_ratio", "long_share"),
        ),
        keys=(*_MARKET, "bucket_at"),
        largest_first="notional_usd",
        rows=15,
        settings={"bucket_seconds": 86_400},
    ),
    Shown(
        *("leverage_at_liquidation", "Leverage at liquidation: notional by collateral posted"),
        (
            *(*_MARKET, "liquidation_count", "known_count", "median_leverage", "p95_leverage"),
            *("p99_leverage", "highest_leverage"),
        ),
        keys=_MARKET,
        largest_first="liquidation_count",
    ),
    Shown(
        *("adl_to_liquidation", "ADLs beside liquidations"),
        (
            *("protocol", "adl_count", "notional_usd", "liquidation_count"),
            *("liquidation_notional_usd", "adl_to_liquidation_ratio", "backstop_count"),
            *("backstop_notional_usd", "adl_to_backstop_ratio"),
        ),
        keys=("protocol",),
        largest_first="notional_usd",
        headers={
            "adl_to_liquidation_ratio": "ADL of liquidated",
            "adl_to_backstop_ratio": "ADL of backstop",
        },
    ),
    Shown(
        *("adl_counterparty_share", "For whose losses positions were cut"),
        (
            *("chain_id", "protocol", "counterparty", "name", "adl_count", "notional_usd"),
            *("notional_share",),
        ),
        keys=("chain_id", "protocol", "counterparty"),
        largest_first="notional_usd",
        rows=15,
    ),
    Shown(
        *("adl_state", "How near each side came to being deleveraged: its nearest look"),
        (
            *(*_MARKET, "is_long", "block_timestamp", "pnl_to_pool_ratio"),
            *("max_pnl_to_pool_ratio", "headroom_ratio", "is_enabled", "enabled_since"),
        ),
        keys=(*_MARKET, "is_long"),
        rows=15,
        summed=_nearest,
    ),
    Shown(
        *("concentration", "How much belongs to few accounts"),
        (
            *("chain_id", "protocol", "exposure", "account_count", "notional_usd", "top_1_share"),
            *("top_10_share", "top_100_share", "gini", "unknown_count"),
        ),
        keys=("chain_id", "protocol", "exposure"),
        headers={"unknown_count": "without account or notional"},
    ),
)
_UNDO = Shown(
    *("adl_undo", "What ADLs around the event took, and what its owners traded back in an hour"),
    (
        *(*_MARKET, "account", "is_long", "wave", "adl_count", "cut_tokens"),
        *("regained_tokens", "undo_ratio"),
    ),
    keys=(*_MARKET, "account", "is_long", "wave"),
    largest_first="adl_count",
    rows=15,
)
# At the end of a wave the later price is the mark, and nothing is overshot.
_BUDGET = Shown(
    *("adl_budget", "What each wave of ADLs around the event took and needed, a minute later"),
    (
        *("protocol", "wave", "first_at", "adl_count", "needed_budget_usd", "haircut_usd"),
        *("overshoot_usd", "under_coverage_usd", "haircut_ratio", "deficit_usd"),
    ),
    keys=("protocol", "wave"),
    largest_first="needed_budget_usd",
    rows=15,
    headers={"haircut_ratio": "taken of profit"},
    settings={"horizon_milliseconds": 60_000},
)


def in_event(found: Event | None) -> Sequence[Shown]:
    """Return what is shown of the event alone: how fast it went, and when ADLs began."""
    if found is None:
        return ()
    reached, since = ("protocol", "share_percent"), found.span
    titles = {"liquidation_progress": "liquidated notional", "adl_progress": "notional cut by ADL"}
    lags = ("first_liquidation_at", "first_adl_at", "lag_seconds")
    return (
        *(
            Shown(
                *(name, f"When shares of the event's {what} were reached", _LATER, reached),
                between=since,
                headers=_LATER_WORDS,
            )
            for name, what in titles.items()
        ),
        Shown(
            *("adl_trigger_lag", "From the event's first liquidation to its first ADL"),
            keys=("protocol",),
            between=since,
        ),
        Shown(
            *("adl_market_lag", "From the first liquidation to the first ADL, by market"),
            *((*_MARKET, *lags), _MARKET),
            between=since,
        ),
        replace(_BUDGET, between=found.around),
        replace(_UNDO, between=found.around),
    )
