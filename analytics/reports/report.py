"""A whole report in memory: its title, warnings, cards and sections, before it has a form."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from analytics.reports.before import is_covered, sentences, window_before
from analytics.reports.cards import cards
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.numerals import moment
from analytics.reports.parts import Card, Section, Source
from analytics.reports.scope import Limits, Scope
from analytics.reports.sections.accrual import accrual
from analytics.reports.sections.covered import covered, warnings
from analytics.reports.sections.credit import credit
from analytics.reports.sections.exits import exits
from analytics.reports.sections.exposure import exposure
from analytics.reports.sections.income import income
from analytics.reports.sections.methodology import explained, policies, tracing
from analytics.reports.sections.oracles import oracles
from analytics.reports.summary import Summary, summed_up

_SECTIONS = (covered, income, accrual, exposure, exits, oracles, credit, policies, tracing)


@dataclass(frozen=True)
class Report:
    """
    Everything a page shows.

    Attributes:
        title: what the report is about.
        extent: first and last moment of its facts, in words.
        stamp: what kind of data it rests on.
        is_simulated: whether any of it is simulated.
        kinds: where each chain's rows came from, by chain name.
        limits: what it is limited to.
        warnings: what a reader must know first.
        cards: the numbers a person would ask for.
        compared: what changes are against, in a sentence.
        against: the same in a few words.
        sections: the rest, in order.
        methods: kind, name and explanation of each metric and query used.
        is_comparison: whether it lays two reports side by side.
    """

    title: str
    extent: str
    stamp: str
    is_simulated: bool
    kinds: dict[str, str]
    limits: Limits
    warnings: tuple[str, ...]
    summary: Summary
    cards: tuple[Card, ...]
    compared: str
    against: str
    sections: tuple[Section, ...]
    methods: tuple[tuple[str, str, str], ...]
    is_comparison: bool = False

    @property
    def sources(self) -> tuple[Source, ...]:
        """The rows behind all sections."""
        return tuple(source for section in self.sections for source in section.sources)


def report(scope: Scope) -> Report:
    """Return the report on what is within a scope."""
    context = Context(scope)
    numbers = summed_up(scope)
    earlier, before = window_before(context), None
    if earlier is not None and is_covered(context, earlier):
        before = summed_up(Scope(scope.con, earlier))
    compared, against = sentences(earlier, is_known=before is not None)
    sections = tuple(section(context) for section in _SECTIONS)
    return Report(
        title=_title(context),
        extent=_extent(scope.extent),
        stamp=context.stamp,
        is_simulated=context.is_simulated,
        kinds={chain_name(chain): kind for chain, kind in context.kinds.items()},
        limits=scope.limits,
        warnings=warnings(context),
        summary=numbers,
        cards=cards(numbers, before),
        compared=compared,
        against=against,
        sections=sections,
        methods=explained(sections),
    )


def _title(context: Context) -> str:
    both = pl.concat([context.coverage["protocol"], context.imports["protocol"]])
    protocols = both.unique().sort().to_list()
    chains = [chain_name(each) for each in context.kinds]
    return f"{_list(protocols, 'protocols')} on {_list(chains, 'chains')}"


def _list(names: list[str], what: str) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{len(names)} {what}"


def _extent(extent: tuple[datetime, datetime] | None) -> str:
    if extent is None:
        return "no facts in the covered blocks"
    return f"{moment(extent[0])} to {moment(extent[1])}"
