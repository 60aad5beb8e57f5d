"""What an event did to whom: claims that nothing happened, and RWA beside perps."""

from collections.abc import Sequence

import polars as pl

from analytics.expressions import (
    INTO_POOL,
    IS_MEASURED,
    OUT_OF_POOL,
    POOL,
    STATE_ORDER,
    known_total,
    ratio,
    row_count,
    where_any,
    window,
)

_VENUE = ("chain_id", "protocol")
_START, _END = "2025-10-10T00:00:00", "2025-10-12T00:00:00"
_NOTABLE = ("liquidation", "default", "impairment", "seizure", "call")
_OF_LOSSES = ("credit_events", "liquidations")
_FORCED = ("liquidation", "adl")
# What counts the rows of a table of facts.
_COUNTS = {
    "liquidations": ("liquidation_count",),
    "adls": ("adl_count",),
    "open_interest": (),
    "credit_events": ("lending_liquidation_count", "default_count", "impairment_count"),
}
_RESILIENCE = (
    *("liquidation_count", "adl_count", "liquidation_notional_usd", "adl_notional_usd"),
    *("lending_liquidation_count", "default_count", "impairment_count", "priced_pool_count"),
    *("flow_pool_count", "unknown_outflow_count", "worst_price_change_ratio"),
    "worst_outflow_ratio",
)


def zero_liquidations(  # noqa: PLR0917 -- one parameter per input
    blocks: pl.LazyFrame,
    coverage: pl.LazyFrame,
    credit_events: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    rejects: pl.LazyFrame,
    *,
    event_start: str = _START,
    event_end: str = _END,
) -> pl.LazyFrame:
    """
    Whether a protocol really went through an event without a liquidation or a loss.

    An empty table proves nothing: the claim is about coverage, and about who could tell. It does
    not speak of contracts that are not declared, of losses a venue never announces, or of
    collateral held off chain, where no auction can occur and margin calls are invisible. A call is
    no default. Credit events are one thing: who announces some of their kinds could tell of a loss.

    Formula:
        does not hold: a liquidation, default, impairment, repossession, seizure or sale of
        collateral in the event; cannot tell: none, and nothing that is indexed of the protocol on
        this chain tells of credit events or liquidations; holds: none, every block indexed from the
        last one at or before the event to the first one at or after its end, and no log in them
        that matched a declaration and could not be read; not covered: none was seen, and that says
        nothing

    Args:
        blocks: number and timestamp of known blocks.
        coverage: closed intervals of indexed blocks: from_block, to_block, proof.
        credit_events: one row per event: kind.
        declared_facts: which facts the declarations of a protocol can tell on a chain: fact. Who
            has rows of one can tell of it, declared or not.
        liquidations: one row per liquidated position.
        rejects: logs that could not become a fact: block_number, fact (the table, null where the
            log could not be decoded at all).
        event_start: first moment of the event, UTC.
        event_end: the first moment after it, UTC.

    Returns:
        One row per chain and protocol that is indexed, sorted: window_from_block, window_to_block,
        window_blocks (Int64; null while the database knows no block on that side), covered_blocks
        (Int64), proofs (of the covered blocks of the window; null without one), liquidation_count,
        default_count, impairment_count, seizure_count, call_count, reject_count (Int64), verdict
        (holds, does not hold, not covered, cannot tell).

    Raises:
        ValueError: a time is none, or the event ends before it begins.

    Source:
        Maple's proof obligation: no such log, no gap. The query pool_zero_liquidations asks the
        same of a pool and its loans, with the unrealised losses that stood.
    """
    start, end = window(event_start, event_end)
    at = pl.col("block_timestamp")
    is_inside = (at >= start) & (at < end)
    number, known_at = pl.col("number"), pl.col("timestamp")
    bounds = blocks.group_by("chain_id").agg(
        window_from_block=number.filter(known_at <= start).max(),
        window_to_block=number.filter(known_at >= end).min(),
    )
    counts = _happened(credit_events.filter(is_inside), liquidations.filter(is_inside))
    zeros = pl.col(*(f"{kind}_count" for kind in _NOTABLE), "reject_count")
    return (
        _covered(coverage, bounds)
        .join(counts, on=_VENUE, how="left")
        .join(_unread(rejects, bounds), on=_VENUE, how="left")
        .join(
            _tellers(declared_facts, _OF_LOSSES, credit_events, liquidations), on=_VENUE, how="left"
        )
        .with_columns(zeros.fill_null(0))
        .with_columns(verdict=_verdict())
        .drop("is_teller")
        .sort(_VENUE)
    )


def pool_resilience(
    share_prices: pl.LazyFrame,
    pool_flows: pl.LazyFrame,
    pool_states: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    event_start: str = _START,
    event_end: str = _END,
) -> pl.LazyFrame:
    """
    What an event did to each pool: how its share price moved and how much of it left.

    A price is that of its last reading: what a pool lost after that is not in the change. Read once
    a day it was within two basis points of scripted pools, but for what came after the reading. A
    price that is assumed, by a fund's terms, moves never and has no change. Who tells of no flows
    on a chain has none that is known, not none.

    Formula:
        price change = last price in the event / last before it - 1
        outflow = (withdrawals + redemptions - deposits - mints) / what the pool managed before,
        which is what it told last, else its last price times supply, a product of two doubles

    Args:
        share_prices: one row per pool and moment: share_price_tokens, supply_tokens, evidence.
        pool_flows: one row per flow: kind, asset_tokens (whole tokens; null where not said).
        pool_states: one row per pool or part and moment: assets_tokens of the pool itself.
        declared_facts: which facts the declarations of a protocol can tell on a chain: fact. Who
            has flows can tell of them, declared or not.
        event_start: first moment of the event, UTC.
        event_end: the first moment after it, UTC.

    Returns:
        One row per chain, protocol, pool and asset with any of these before the event's end,
        sorted: price_before_tokens, price_after_tokens, out_tokens (Decimal; out is zero without a
        flow, null while one is unknown and where nothing tells of flows), managed_tokens (Float64,
        before the event), flow_count (Int64, null where nothing tells of flows),
        price_change_ratio, outflow_ratio (Float64, outflow > 0 left; null while unknown).

    Raises:
        ValueError: a time is none, or the event ends before it begins.

    Source:
        ERC-4626 share prices and flows; net outflow over assets, as bank runs are measured.
    """
    start, end = window(event_start, event_end)
    is_before = pl.col("block_timestamp") < start
    told, priced, flows = (
        facts.filter(pl.col("block_timestamp") < end)
        for facts in (pool_states, share_prices, pool_flows)
    )
    frames = [_told(told, is_before), _prices(priced, is_before), _out(flows, is_before)]
    before, after = pl.col("price_before_tokens"), pl.col("price_after_tokens")
    is_known = pl.col("unknown_count").fill_null(0) == 0
    tellers = _tellers(declared_facts, ("pool_flows",), pool_flows)
    return (
        pl.concat(frames, how="diagonal")
        .group_by(POOL)
        .agg(pl.exclude(POOL).max())
        .with_columns(
            pl.col("flow_count").fill_null(0),
            out_tokens=pl.when(is_known).then(pl.col("out_tokens").fill_null(0)),
            managed_tokens=pl.coalesce("told", "worth"),
        )
        .pipe(where_any, ("flow_count", "out_tokens"), tellers, _VENUE)
        .select(
            *(*POOL, before, after, "out_tokens", "managed_tokens", "flow_count"),
            price_change_ratio=ratio(after - before, before),
            outflow_ratio=ratio(pl.col("out_tokens"), pl.col("managed_tokens")),
        )
        .sort(POOL, nulls_last=True)
    )


def resilience(
    liquidations: pl.LazyFrame,
    adls: pl.LazyFrame,
    credit_events: pl.LazyFrame,
    pool_resilience: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    event_start: str = _START,
    event_end: str = _END,
) -> pl.LazyFrame:
    """
    What an event did to perp venues and to credit and funds, one row per protocol, side by side.

    A count is null where nothing that is indexed could tell of such a thing, and zero where it
    could and did not in the event; `zero_liquidations` says whether such a zero is covered. Credit
    events are one thing: who announces some of their kinds has zero of all others. Pools count in
    different assets and are not added: the worst of them stands for its protocol.

    Formula:
        counts and sums of what happened in [event_start, event_end); the lowest price change and
        the highest outflow over the pools of a protocol

    Args:
        liquidations: one row per liquidated position: notional_usd (USD, one-sided).
        adls: one row per position cut: notional_usd (USD).
        credit_events: one row per event: kind.
        pool_resilience: one row per pool: price_change_ratio, outflow_ratio, flow_count.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact. Open
            interest makes it a venue, as the first two do.
        event_start: first moment of the event, UTC.
        event_end: the first moment after it, UTC.

    Returns:
        One row per protocol with any of these or that declares one, sorted: family (perps, credit,
        funds), liquidation_count, adl_count (Int64), liquidation_notional_usd, adl_notional_usd
        (Decimal; sums of what is known), lending_liquidation_count, default_count,
        impairment_count (Int64), priced_pool_count, flow_pool_count, unknown_outflow_count (Int64,
        pools with a price change, with a flow, and of these without a ratio),
        worst_price_change_ratio, worst_outflow_ratio (Float64; outflow > 0 left).

    Raises:
        ValueError: a time is none, or the event ends before it begins.

    Source:
        The claim to test: lower leverage and real collateral behave differently in a crash.
    """
    start, end = window(event_start, event_end)
    is_inside = (pl.col("block_timestamp") >= start) & (pl.col("block_timestamp") < end)
    parts = [
        _forced(liquidations, is_inside, "liquidation"),
        _forced(adls, is_inside, "adl"),
        _credit(credit_events, is_inside),
        _declared(declared_facts),
        _worst(pool_resilience),
    ]
    is_family = ("is_perps", "is_credit")
    return (
        pl.concat(parts, how="diagonal")
        .group_by("protocol")
        .agg(pl.col(is_family).any(), pl.exclude(*is_family, "protocol").max())
        .with_columns(*(_notional(name) for name in _FORCED), family=_family())
        .select("protocol", "family", *_RESILIENCE)
        .sort("protocol")
    )


def _happened(credit_events: pl.LazyFrame, liquidations: pl.LazyFrame) -> pl.LazyFrame:
    seized = pl.col("kind").replace(["repossession", "collateral_sale"], "seizure")
    events = pl.concat(
        [
            credit_events.select(*_VENUE, kind=seized),
            liquidations.select(*_VENUE, kind=pl.lit("liquidation")),
        ]
    )
    counts = {f"{kind}_count": (pl.col("kind") == kind).sum().cast(pl.Int64) for kind in _NOTABLE}
    return events.group_by(_VENUE).agg(**counts)


def _unread(rejects: pl.LazyFrame, bounds: pl.LazyFrame) -> pl.LazyFrame:
    fact, block = pl.col("fact"), pl.col("block_number")
    is_near = block.is_between(pl.col("window_from_block"), pl.col("window_to_block"))
    is_meant = fact.is_null() | fact.is_in(_OF_LOSSES)
    inside = rejects.join(bounds, on="chain_id").filter(is_near & is_meant)
    return inside.group_by(_VENUE).agg(reject_count=row_count())


def _tellers(
    declared_facts: pl.LazyFrame, facts: Sequence[str], *events: pl.LazyFrame
) -> pl.LazyFrame:
    declared = declared_facts.filter(pl.col("fact").is_in(facts))
    rows = [told.select(_VENUE) for told in (declared, *events)]
    return pl.concat(rows).unique().with_columns(is_teller=pl.lit(value=True))


def _covered(coverage: pl.LazyFrame, bounds: pl.LazyFrame) -> pl.LazyFrame:
    low, high = pl.col("window_from_block"), pl.col("window_to_block")
    first = pl.max_horizontal("from_block", "window_from_block")
    last = pl.min_horizontal("to_block", "window_to_block")
    is_within, is_known = first <= last, pl.col("window_blocks").is_not_null()
    proofs = pl.col("proof").filter(is_within).unique().sort().str.join(", ")
    return (
        coverage.join(bounds, on="chain_id", how="left")
        .group_by(*_VENUE, low, high)
        .agg(covered_blocks=(last - first + 1).filter(is_within).sum(), proofs=proofs)
        .with_columns(window_blocks=high - low + 1)
        .with_columns(
            covered_blocks=pl.when(is_known).then("covered_blocks"),
            proofs=pl.when(is_known & (pl.col("proofs") != "")).then("proofs"),
        )
        .select(*_VENUE, low, high, "window_blocks", "covered_blocks", "proofs")
    )


def _verdict() -> pl.Expr:
    happened = pl.sum_horizontal(f"{kind}_count" for kind in _NOTABLE if kind != "call")
    is_covered = (pl.col("covered_blocks") == pl.col("window_blocks")).fill_null(value=False)
    return (
        pl.when(happened > 0)
        .then(pl.lit("does not hold"))
        .when(pl.col("is_teller").is_null())
        .then(pl.lit("cannot tell"))
        .when(is_covered & (pl.col("reject_count") == 0))
        .then(pl.lit("holds"))
        .otherwise(pl.lit("not covered"))
    )


def _forced(exits: pl.LazyFrame, is_inside: pl.Expr, name: str) -> pl.LazyFrame:
    total = known_total(pl.col("notional_usd").filter(is_inside))
    return exits.group_by("protocol").agg(
        is_inside.sum().cast(pl.Int64).alias(f"{name}_count"),
        total.alias(f"{name}_notional_usd"),
        is_perps=pl.lit(value=True),
    )


def _credit(credit_events: pl.LazyFrame, is_inside: pl.Expr) -> pl.LazyFrame:
    kinds = {"lending_liquidation": "liquidation"} | {k: k for k in ("default", "impairment")}
    counts = {
        f"{name}_count": (is_inside & (pl.col("kind") == kind)).sum().cast(pl.Int64)
        for name, kind in kinds.items()
    }
    return credit_events.group_by("protocol").agg(**counts, is_credit=pl.lit(value=True))


def _declared(declared_facts: pl.LazyFrame) -> pl.LazyFrame:
    fact = pl.col("fact")
    zeros = {
        name: pl.when((fact == table).any()).then(pl.lit(0, pl.Int64))
        for table, names in _COUNTS.items()
        for name in names
    }
    is_credit = fact == "credit_events"
    return (
        declared_facts.filter(fact.is_in([*_COUNTS]))
        .group_by("protocol")
        .agg(**zeros, is_perps=(~is_credit).any(), is_credit=is_credit.any())
    )


def _notional(name: str) -> pl.Expr:
    total = pl.col(f"{name}_notional_usd")
    return (
        pl.when(pl.col(f"{name}_count") == 0).then(0).otherwise(total).alias(f"{name}_notional_usd")
    )


def _told(pool_states: pl.LazyFrame, is_before: pl.Expr) -> pl.LazyFrame:
    assets = pl.col("assets_tokens")
    own = pool_states.filter((pl.col("part") == pl.col("pool")) & assets.is_not_null())
    last = assets.filter(is_before).last()
    return own.sort(STATE_ORDER).group_by(POOL).agg(told=last.cast(pl.Float64))


def _prices(share_prices: pl.LazyFrame, is_before: pl.Expr) -> pl.LazyFrame:
    price, supply = pl.col("share_price_tokens"), pl.col("supply_tokens")
    worth = price.cast(pl.Float64) * supply.cast(pl.Float64)
    return (
        share_prices.sort(STATE_ORDER)
        .group_by(POOL)
        .agg(
            price_before_tokens=price.filter(is_before & IS_MEASURED).last(),
            price_after_tokens=price.filter(~is_before & IS_MEASURED).last(),
            worth=worth.filter(is_before & supply.is_not_null()).last(),
        )
    )


def _out(pool_flows: pl.LazyFrame, is_before: pl.Expr) -> pl.LazyFrame:
    kind, amount = pl.col("kind"), pl.col("asset_tokens")
    out = pl.when(kind.is_in(OUT_OF_POOL)).then(amount).otherwise(-amount).filter(~is_before)
    flows = pool_flows.filter(kind.is_in((*INTO_POOL, *OUT_OF_POOL)))
    return flows.group_by(POOL).agg(
        out_tokens=out.sum(),
        unknown_count=out.null_count().cast(pl.Int64),
        flow_count=(~is_before).sum().cast(pl.Int64),
    )


def _worst(pool_resilience: pl.LazyFrame) -> pl.LazyFrame:
    change, outflow = pl.col("price_change_ratio"), pl.col("outflow_ratio")
    has_flow, is_told = pl.col("flow_count") > 0, pl.col("flow_count").count() > 0
    unknown = (has_flow & outflow.is_null()).sum().cast(pl.Int64)
    return pool_resilience.group_by("protocol").agg(
        priced_pool_count=change.count().cast(pl.Int64),
        flow_pool_count=pl.when(is_told).then(has_flow.sum().cast(pl.Int64)),
        unknown_outflow_count=pl.when(is_told).then(unknown),
        worst_price_change_ratio=change.min(),
        worst_outflow_ratio=outflow.max(),
    )


def _family() -> pl.Expr:
    return (
        pl.when("is_perps")
        .then(pl.lit("perps"))
        .when("is_credit")
        .then(pl.lit("credit"))
        .otherwise(pl.lit("funds"))
    )
