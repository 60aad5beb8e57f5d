"""
Every metric by its public name.

A metric is a pure function from LazyFrames to a LazyFrame. Its positional parameters name what it
needs: a fact table, or another metric. Its keyword-only parameters are settings. Its docstring is
the methodology that `perpscope metric NAME --explain` and reports print.
"""

from collections.abc import Callable, Mapping
from inspect import getmembers, isfunction
from types import MappingProxyType

import polars as pl

from analytics.metrics import adls, buybacks, income, liquidations, open_interest, oracles

Metric = Callable[..., pl.LazyFrame]

_TOPICS = (income, buybacks, open_interest, oracles, liquidations, adls)

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        name: function
        for topic in _TOPICS
        for name, function in getmembers(topic, isfunction)
        if function.__module__ == topic.__name__ and not name.startswith("_")
    }
)
