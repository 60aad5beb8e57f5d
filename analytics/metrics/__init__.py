"""
Every metric by its public name.

Each is pure: lazy frames in, a lazy frame out. Positional parameters name what is needed, a fact
table or another metric; keyword-only ones are settings a reader may choose. What the docstring
says, `perpscope metric NAME --explain` and reports print as the methodology.
"""

from collections.abc import Callable, Mapping
from inspect import getmembers, isfunction
from types import MappingProxyType

import polars as pl

from analytics.metrics import (
    adl_accounts,
    adl_allocation,
    adl_budget,
    adl_ranks,
    adl_solvency,
    adl_states,
    adl_waves,
    adls,
    buybacks,
    cascade,
    comovement,
    concentration,
    credit,
    events,
    exposure,
    feeds,
    funding,
    growth,
    income,
    liquidation_shape,
    liquidations,
    liquidity,
    multiples,
    open_interest,
    oracle_extremes,
    oracle_intervals,
    oracle_use,
    oracles,
    programmes,
    resilience,
    sessions,
    sizing,
    valuation,
    yields,
)

Metric = Callable[..., pl.LazyFrame]

_TOPICS = (
    income,
    buybacks,
    open_interest,
    oracles,
    liquidations,
    liquidation_shape,
    adls,
    adl_waves,
    adl_accounts,
    adl_budget,
    adl_ranks,
    adl_allocation,
    adl_solvency,
    adl_states,
    liquidity,
    oracle_extremes,
    oracle_intervals,
    feeds,
    oracle_use,
    funding,
    valuation,
    growth,
    programmes,
    multiples,
    credit,
    yields,
    resilience,
    exposure,
    concentration,
    sizing,
    cascade,
    sessions,
    comovement,
    events,
)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        name: function
        for topic in _TOPICS
        for name, function in getmembers(topic, isfunction)
        if function.__module__ == topic.__name__ and not name.startswith("_")
    }
)
