"""A whole report in memory: its title, warnings, cards and sections, before it has a form."""

from dataclasses import dataclass
from datetime import datetime

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
from analytics.reports.sections.exposure import exposure
from analytics.reports.sections.funding import funding
from analytics.reports.sections.income import income
from analytics.reports.sections.listed import Shown, listed
from analytics.reports.sections.methodology import explained, policies, tracing
from analytics.reports.sections.oracles import oracles
from analytics.reports.summary import Summary, summed_up

_LIQUIDITY = listed(
    "liquidity",
    "Liquidity",
    (
        "What a trade exchanges until it has moved the price by 2 %, as each pool stood at the end "
        "of a day. Basis active: only the liquidity at the price is known, and taken to go on.",
        "Where a venue charges price impact in place of a book: what can be opened on a side until "
        "the impact is 2 % of it. Basis unbounded: no size costs so much.",
    ),
    Shown("depth", "Depth within 2 % by pool and day", settings={"move_bps": 200}),
    Shown(
        "impact_depth",
        "Depth within 2 % by price impact, market and day",
        columns=(
            *("chain_id", "protocol", "market", "bucket_at", "is_long"),
            *("ahead_usd", "basis", "depth_usd"),
        ),
        settings={"move_bps": 200, "bucket_seconds": 86_400},
        with_past=True,
    ),
)
_SECTIONS = (
    *(covered, income, accrual, exposure, exits, cascade, oracles, _LIQUIDITY, funding, credit),
    *(policies, tracing),
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
    numbers = summed_up(scope)
    earlier, before = window_before(context), None
    if earlier is not None and is_covered(context, earlier):
        before = summed_up(Scope(scope.con, earlier))
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
