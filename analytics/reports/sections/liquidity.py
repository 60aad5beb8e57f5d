"""Liquidity: how much could be traded before the price moved, and how that changed."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from analytics.reports.context import Context
from analytics.reports.event import event
from analytics.reports.parts import Section
from analytics.reports.sections.listed import Shown, listed

_WORDS = (
    "What a trade exchanges until it has moved the price by 2 %, as each pool stood at the end "
    "of a day. Basis active: only the liquidity at the price is known, and taken to go on.",
    "Where a venue charges price impact in place of a book: what can be opened on a side until "
    "the impact is 2 % of it. Basis unbounded: no size costs so much. Executed is what trades "
    "around the event really cost against the oracle, by the hour.",
)
_POOL, _MARKET = ("chain_id", "protocol", "pool"), ("chain_id", "protocol", "market")


def _least(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda metric: metric.sort(column, nulls_last=True, maintain_order=True)


def _latest(metric: pl.DataFrame) -> pl.DataFrame:
    return metric.sort("bucket_at", descending=True, maintain_order=True)


_DEPTHS = (
    Shown(
        *("depth", "Depth within 2 % by pool and day, latest first"),
        (
            *("bucket_at", *_POOL, "direction", "price_quote", "token0_tokens", "token0"),
            *("token1_tokens", "token1", "basis"),
        ),
        keys=("bucket_at", *_POOL, "direction"),
        settings={"move_bps": 200},
        summed=_latest,
        headers={"price_quote": "price, token1"},
    ),
    Shown(
        *("depth_change", "Pools that lost most of their depth against the day before"),
        (
            *(*_POOL, "bucket_at", "direction", "token0_tokens", "token0_change_ratio"),
            *("token1_tokens", "token1_change_ratio", "basis"),
        ),
        keys=(*_POOL, "bucket_at", "direction"),
        rows=15,
        settings={"move_bps": 200, "bucket_seconds": 86_400},
        with_past=True,
        summed=_least("token1_change_ratio"),
    ),
    Shown(
        *("impact_depth", "Depth within 2 % by price impact, market and day"),
        (*_MARKET, "bucket_at", "is_long", "ahead_usd", "basis", "depth_usd"),
        settings={"move_bps": 200, "bucket_seconds": 86_400},
        with_past=True,
    ),
    Shown(
        *("impact_depth_change", "Markets that lost most of that depth against the day before"),
        (
            *(*_MARKET, "bucket_at", "is_long", "depth_before_usd", "depth_usd"),
            *("depth_change_ratio", "basis"),
        ),
        keys=(*_MARKET, "bucket_at", "is_long"),
        rows=15,
        settings={"move_bps": 200, "bucket_seconds": 86_400},
        with_past=True,
        summed=_least("depth_change_ratio"),
    ),
)
_EXECUTED = Shown(
    *("executed_depth", "Depth within 2 % by what trades cost, thinnest first"),
    (*_MARKET, "bucket_at", "trade_count", "costly_count", "depth_usd"),
    keys=(*_MARKET, "bucket_at"),
    rows=15,
    settings={"move_bps": 200.0, "bucket_seconds": 3600},
    summed=_least("depth_usd"),
)


def liquidity(context: Context) -> Section:
    """Return the section about depth and its changes."""
    found = event(context)
    executed = replace(_EXECUTED, between=None if found is None else found.around)
    return listed("liquidity", "Liquidity", _WORDS, *_DEPTHS, executed)(context)
