"""Credit and RWA beside perps in one window: losses, money in and out, and what zero is worth."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from analytics.expressions import POOL
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.event import Event, event_days
from analytics.reports.numerals import clock
from analytics.reports.parts import Section, Source, Table, table
from analytics.reports.sections.listed import Shown, answers
from analytics.reports.sections.pools import pools

_READ = (
    "Perps, credit and funds stand side by side, each with what it tells: n/k is what a protocol "
    "never tells, not a zero. Pools count in their own assets and are never added up; outflow "
    "above zero left the pool. Yields are what a share earned, as a yearly rate. Loans summed from "
    "events lack what was lent before the first covered block."
)
_SCOPE = (
    "What a zero means here: none of the declared contracts emitted a declared liquidation, "
    "default or impairment event in these blocks. It does not speak of contracts or events that "
    "are not declared, of losses that a venue never announces on chain, or of loans whose "
    "collateral is held off chain: there an on-chain auction cannot occur and margin calls are "
    "invisible. In recorded data it speaks of the recording only. Where the verdict is not "
    "covered, zero is not a finding."
)
_SILENT = "cannot tell"
_VENUE = ("chain_id", "protocol")
_LIQUIDATED = ("liquidation_count", "liquidation_notional_usd", "adl_notional_usd")
_LOST = ("lending_liquidation_count", "default_count", "impairment_count")
_BESIDE = (
    Shown(
        *("resilience", "What the event did to each protocol"),
        (
            *("family", "protocol", *_LIQUIDATED, *_LOST, "worst_price_change_ratio"),
            *("worst_outflow_ratio", "unknown_outflow_count"),
        ),
        keys=("protocol",),
        with_past=True,
        summed=lambda metric: metric.sort("family", "protocol", descending=[True, False]),
        headers={"unknown_outflow_count": "pools of unknown outflow"},
    ),
    Shown(
        *("pool_resilience", "What the event did to each pool"),
        (
            *(*POOL, "price_before_tokens", "price_after_tokens", "price_change_ratio"),
            *("out_tokens", "managed_tokens", "outflow_ratio"),
        ),
        keys=POOL,
        largest_first="outflow_ratio",
        with_past=True,
    ),
    Shown(
        *("yield_stability", "How steadily share prices grew, a day, before and in the event"),
        (
            *(*POOL, "period", "change_count", "mean_change_ratio", "sd_change_ratio"),
            *("worst_drawdown_ratio",),
        ),
        keys=(*POOL, "period"),
        with_past=True,
    ),
)


def credit(context: Context) -> Section:
    """Return the section about RWA beside perps, credit events, pools and claims of zero."""
    window = event_days(context)
    told, shown = pools(context)
    resilient, beside = answers(context, *_beside(window))
    silent = tuple(
        context.absence(what, name)
        for made_by, what, name in (
            ("credit_events_by_kind", "credit events", "credit_events"),
            ("pool_flows_by_pool", "pool deposits or withdrawals", "pool_flows"),
        )
        if all(source.frame.is_empty() for source in told if source.name == made_by)
    )
    zero = _zero(context, window)
    claims = tuple(_claims(context, window, zero))
    return Section(
        "credit",
        "Credit and RWA",
        (*silent, *_window(window), *claims, _SCOPE, _READ),
        tables=(*beside, *_claimed(zero), *shown),
        sources=(*resilient, *zero, *told),
    )


def _beside(window: Event | None) -> tuple[Shown, ...]:
    if window is None:
        return ()
    return tuple(replace(shown, settings=window.settings) for shown in _BESIDE)


def _window(window: Event | None) -> tuple[str, ...]:
    if window is None:
        return ("When the covered blocks were is not known, so nothing is said of zeros in them.",)
    return (window.words,)


def _zero(context: Context, window: Event | None) -> tuple[Source, ...]:
    if window is None:
        return ()
    name, settings = "zero_liquidations", window.settings
    found = context.scope.metric(name, with_past=True, **settings)
    return (Source(name, "metric", name, found, settings, with_past=True),)


def _claimed(zero: tuple[Source, ...]) -> tuple[Table, ...]:
    caption = "Whether nothing was liquidated or lost: verdicts beside their coverage"
    judged = [(source, source.frame.filter(pl.col("verdict") != _SILENT)) for source in zero]
    return tuple(
        table(
            caption,
            claimed,
            (*_VENUE, "verdict", *claimed.columns[2:-1]),
            source=source,
            keys=_VENUE,
        )
        for source, claimed in judged
        if claimed.height
    )


def _claims(context: Context, window: Event | None, zero: tuple[Source, ...]) -> Iterator[str]:
    if window is None:
        return
    for source in zero:
        for row in source.frame.filter(pl.col("verdict") == "holds").iter_rows(named=True):
            yield _claim(context, window, row)
        silent = source.frame.filter(pl.col("verdict") == _SILENT)
        who = [f"{slug} on {chain_name(chain)}" for chain, slug in silent.select(_VENUE).rows()]
        if who:
            yield (
                "No zero is claimed where nothing that is indexed could tell of a liquidation or "
                f"another loss: {', '.join(who)}."
            )


def _claim(context: Context, window: Event, row: dict[str, Any]) -> str:
    kind = context.kinds.get(row["chain_id"], "unknown")
    return (
        f"{row['protocol']} on {chain_name(row['chain_id'])}: no liquidation, default, "
        "impairment, repossession or sale of collateral from "
        f"{clock(window.start)} until {clock(window.end)}, in blocks "
        f"{row['window_from_block']}–{row['window_to_block']}, all {row['window_blocks']:,} of "
        f"them covered (proof: {row['proofs']}; {kind} data)."
    )
