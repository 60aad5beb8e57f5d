"""
Wires metrics by the names of their parameters.

A positional parameter names a fact table or another metric. Some metrics share the name of the fact
they sum up (`fees`, `liquidations`): asked for by a reader such a name means the metric, as a
parameter it always means the fact, in the metric itself as in every other one.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import Parameter, getdoc, signature
from typing import get_type_hints

import polars as pl

from analytics.errors import UserError, unknown
from analytics.metrics import METRICS, Metric
from analytics.refusals import REFUSALS, refusal
from analytics.texts import spelled

Load = Callable[[str], pl.LazyFrame]

# What other facts are priced and judged by, whoever says it.
_PRICES = frozenset({"oracle_updates", "feeds"})
# Whose rows are of one source against another: nothing narrows what is compared with.
_OF_TWO = frozenset(
    {
        *("oracle_deviation", "oracle_deviation_area", "oracle_deviation_extremes"),
        *("oracle_deviation_interval", "oracle_update_lag", "missed_updates", "venue_lead_lag"),
    }
)


def compute(name: str, load: Load, **settings: object) -> pl.LazyFrame:
    """
    Return a metric, with the facts and metrics it needs filled in.

    Args:
        name: the metric.
        load: returns a fact table by name, for example `partial(facts, con)`.
        settings: values for keyword-only parameters of the metric or of metrics it needs.

    Raises:
        UserError: no such metric or setting, or a value the metric refuses.
    """
    return wired(name, load, settings, METRICS)


def wired(
    name: str, load: Load, settings: Mapping[str, object], metrics: Mapping[str, Metric]
) -> pl.LazyFrame:
    """
    Return a metric of any set of metrics, as `compute` does of ours.

    Raises:
        UserError: no such metric or setting, or a value the metric refuses.
    """
    known = settings_of(name, metrics)
    for setting in settings:
        if setting not in known:
            raise unknown(f"setting of {name}", setting, known)
    try:
        return spelled(_computed(name, load, metrics, settings))
    except ValueError as error:
        raise UserError(f"{name}: {error}") from error


def collected(metric: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of a metric; raises what `collected_together` does."""
    return collected_together([metric])[0]


def collected_together(metrics: Iterable[pl.LazyFrame]) -> list[pl.DataFrame]:
    """
    Return the rows of metrics, of which what several of them do to the same frame is done once.

    Raises:
        TooLarge: a sum is larger than DECIMAL(38,18) can hold.
        WorldError: Polars cannot compute it for another reason.
    """
    try:
        return pl.collect_all(metrics, engine="streaming")
    except REFUSALS as error:
        raise refusal(error) from error


def metric_named(name: str, metrics: Mapping[str, Metric] = METRICS) -> Metric:
    """Return a metric, or raise UserError naming the nearest ones."""
    if name not in metrics:
        raise unknown("metric", name, metrics)
    return metrics[name]


def methodology(name: str, metrics: Mapping[str, Metric] = METRICS) -> str:
    """Return the docstring of a metric: what it is, its formula, its inputs and its source."""
    return getdoc(metric_named(name, metrics)) or ""


def inputs_of(name: str, metrics: Mapping[str, Metric] = METRICS) -> tuple[str, ...]:
    """Return the facts and metrics a metric needs."""
    parameters = _parameters(metric_named(name, metrics)).values()
    return tuple(each.name for each in parameters if each.kind is not Parameter.KEYWORD_ONLY)


def facts_of(name: str, metrics: Mapping[str, Metric] = METRICS) -> frozenset[str]:
    """Return every fact table a metric rests on, also through other metrics."""
    return frozenset().union(
        *(
            {needed} if _is_fact(needed, metrics) else facts_of(needed, metrics)
            for needed in inputs_of(name, metrics)
        )
    )


def is_narrowed(name: str, table: str) -> bool:
    """
    Tell whether a limit of protocol or chain narrows a table for a metric.

    Prices are narrowed only where the metric is about nothing else, and about each source alone: a
    fee of one protocol is valued, its liquidation judged and its price compared by the oracles of
    others.
    """
    return table not in _PRICES or (facts_of(name) <= _PRICES and not is_of_two(name))


def is_judge(name: str, table: str) -> bool:
    """
    Tell whether a table holds the prices by which a metric values and judges other facts.

    They count from ever: what is asked about may begin between a price and the next one.
    """
    return not is_narrowed(name, table) and not is_of_two(name)


def is_of_two(name: str) -> bool:
    """Tell whether a row of a metric is of one source of prices against another."""
    return name in _OF_TWO


def settings_of(name: str, metrics: Mapping[str, Metric] = METRICS) -> dict[str, type]:
    """Return the settings a metric takes, also through metrics it needs, with their types."""
    metric = metric_named(name, metrics)
    hints = get_type_hints(metric)
    parameters = _parameters(metric).values()
    own = {
        each.name: hints[each.name] for each in parameters if each.kind is Parameter.KEYWORD_ONLY
    }
    needed = [each for each in inputs_of(name, metrics) if not _is_fact(each, metrics)]
    return {key: kind for each in needed for key, kind in settings_of(each, metrics).items()} | own


def defaults_of(name: str, metrics: Mapping[str, Metric] = METRICS) -> dict[str, object]:
    """Return the value of every setting that is not given, also through metrics it needs."""
    parameters = _parameters(metric_named(name, metrics)).values()
    own = {each.name: each.default for each in parameters if each.kind is Parameter.KEYWORD_ONLY}
    needed = [each for each in inputs_of(name, metrics) if not _is_fact(each, metrics)]
    return {key: value for one in needed for key, value in defaults_of(one, metrics).items()} | own


def _computed(
    name: str, load: Load, metrics: Mapping[str, Metric], settings: Mapping[str, object]
) -> pl.LazyFrame:
    inputs = [
        load(needed) if _is_fact(needed, metrics) else _computed(needed, load, metrics, settings)
        for needed in inputs_of(name, metrics)
    ]
    parameters = _parameters(metrics[name])
    own = {key: value for key, value in settings.items() if key in parameters}
    return metrics[name](*inputs, **own)


def _is_fact(name: str, metrics: Mapping[str, Metric]) -> bool:
    return name not in metrics or name in inputs_of(name, metrics)


@cache  # a report asks more than a thousand times
def _parameters(metric: Metric) -> Mapping[str, Parameter]:
    return signature(metric).parameters
