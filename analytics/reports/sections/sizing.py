"""Sizing: what move a leverage survives, who was liquidated at which, and what trades earned."""

from dataclasses import replace

import polars as pl

from analytics.reports.context import Context
from analytics.reports.event import event
from analytics.reports.parts import Section
from analytics.reports.sections.listed import Shown, listed, ranked

_WORDS = (
    "At a leverage of 5 and without maintenance margin, fees and funding, all of which bring a "
    "liquidation nearer; ask the commands under the tables for another leverage. Survived is the "
    "share of a day's windows around the event, each from an update of an oracle, in which the "
    "price did not move that far: no forecast. Kelly's share is from the past, gross of fees, and "
    "an upper bound; where it is below zero, nothing is staked."
)
_MARKET, _FEED = ("chain_id", "protocol", "market"), ("asset", "chain_id", "protocol", "feed")
_LARGEST = 100
_LEVERAGE = {"leverage": 5.0, "maintenance_ratio": 0.0}


def _largest(metric: pl.DataFrame) -> pl.DataFrame:
    size = pl.col("won_usd") + pl.col("lost_usd")
    return ranked(metric, size, ("protocol", "account")).head(_LARGEST)


_MOVES = Shown(
    *("liquidation_move", "Move against a position until it is liquidated, by market"),
    (
        *(*_MARKET, "leverage", "long_move_ratio", "short_move_ratio", "median_leverage"),
        *("median_long_move_ratio", "median_short_move_ratio"),
    ),
    keys=_MARKET,
    largest_first="median_leverage",
    rows=15,
    settings=_LEVERAGE,
    headers={"median_leverage": "median of those liquidated"},
)
_SURVIVAL = Shown(
    *("survival", "How often a position outlived a day that began at an observed price"),
    (
        *(*_FEED, "window_count", "survived_long_ratio", "survived_short_ratio"),
        *("worst_fall_ratio", "worst_rise_ratio"),
    ),
    keys=(*_FEED, "quote"),
    largest_first="worst_fall_ratio",
    rows=15,
    settings=_LEVERAGE | {"window_seconds": 86_400},
)
_KELLY = Shown(
    *("kelly", "What Kelly's formula would have staked, of accounts that won and lost most"),
    (
        *("protocol", "account", "win_count", "loss_count", "won_usd", "lost_usd"),
        *("win_ratio", "payoff_ratio", "kelly_ratio", "half_kelly_ratio"),
    ),
    keys=("protocol", "account"),
    rows=15,
    summed=_largest,
    is_summed_only=True,
    name="kelly_by_largest_account",
)


def sizing(context: Context) -> Section:
    """Return the section about how large a position may be."""
    found = event(context)
    survival = replace(_SURVIVAL, between=None if found is None else found.around)
    return listed("sizing", "Sizing", (_WORDS,), _MOVES, survival, _KELLY)(context)
