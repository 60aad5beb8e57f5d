"""A whole report in memory: its title, warnings, cards and sections, before it has a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import polars as pl

from analytics.reports.before import is_covered, sentences, window_before
from analytics.reports.cards import cards
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.numerals import moment
from analytics.reports.parts import Page, Source
from analytics.reports.scope import Limits, Scope
from analytics.reports.sections.accrual import accrual
from analytics.reports.sections.cascade import cascade
from analytics.reports.sections.covered import covered, warnings
from analytics.reports.sections.credit import credit
from analytics.reports.sections.exits import exits
from analytics.reports.sections.exposure import ask, exposure
from analytics.reports.sections.funding import funding
from analytics.reports.sections.income import income
from analytics.reports.sections.liquidity import liquidity
from analytics.reports.sections.methodology import explained, policies, tracing
from analytics.reports.sections.oracles import oracles
from analytics.reports.sections.sizing import sizing
from analytics.reports.summary import Summary, summed_up

_SECTIONS = (
    *(covered, income, accrual, exposure, exits, cascade, oracles, liquidity, sizing, funding),
    *(credit, policies, tracing),
)
# Metrics that no section shows, and why.
UNSHOWN: Mapping[str, str] = MappingProxyType(
    {
        "adl_ranks": "a row per position and cut, from the whole history of every position",
        "adl_allocation": "a row per winner and wave, from the whole history of every position",
        "adl_solvency": "from the whole history of every position: a window of it gives others",
        "adl_deficits": "from the whole history of every position, over all waves",
        "forced_closes": "a row per forced exit, which sessions are made of",
        "income_valuations": "a row per fee and purchase, which the valued sums are made of",
        "pool_valuations": "a row per flow, which the valued sums are made of",
        "share_valuations": "a row per price of a share that a pool tells",
        "oracle_deviation": "a row per update and other source; its extremes are shown",
    }
)


@dataclass(frozen=True, kw_only=True)
class Report(Page):
    """
    A page about the database of facts.

    Attributes:
        summary: the numbers the cards show, as they are.
        compared_with: the limits of the report beside it, where it is a comparison.
    """

    summary: Summary
    compared_with: Limits | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The rows behind all sections."""
        return tuple(source for section in self.sections for source in section.sources)


def report(scope: Scope) -> Report:
    """Return the report on what is within a scope."""
    context = Context(scope)
    ask(scope)
    numbers = summed_up(scope)
    earlier, before = window_before(context), None
    if earlier is not None and is_covered(context, earlier):
        before = summed_up(Scope(scope.con, earlier, scope.length))
    compared, against = sentences(earlier, is_known=before is not None)
    sections = tuple(section(context) for section in _SECTIONS)
    shown = cards(numbers, before)
    return Report(
        title=_title(context),
        extent=_extent(scope.extent),
        stamp=context.stamp,
        is_simulated=context.is_simulated,
        kinds={chain_name(chain): kind for chain, kind in context.kinds.items()},
        limits=scope.limits,
        warnings=warnings(context),
        summary=numbers,
        cards=shown,
        compared=compared,
        against=against,
        sections=sections,
        methods=explained(shown, sections),
    )


def _title(context: Context) -> str:
    if not context.kinds:
        return "nothing that is covered"
    both = pl.concat([context.coverage["protocol"], context.imports["protocol"]])
    protocols = both.unique().sort().to_list()
    chains = [chain_name(each) for each in context.kinds]
    return f"{_list(protocols, 'protocols')} on {_list(chains, 'chains')}"


def _list(names: list[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{len(names)} {what}"


def _extent(extent: tuple[datetime, datetime] | None) -> str:
    if extent is None:
        return "no facts"
    return f"{moment(extent[0])} to {moment(extent[1])}"
