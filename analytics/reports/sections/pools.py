"""Pools: what they manage, lend and earn, what flowed in and out, and what happened to loans."""

from collections.abc import Sequence

import polars as pl

from analytics.expressions import POOL, STATE_ORDER, distinct_count, known_total, row_count
from analytics.reports.context import Context
from analytics.reports.parts import Source, Table, table
from analytics.reports.sections.listed import Shown, answers
from analytics.reports.sections.pool_queries import asked

_NOTED = (
    *("block_timestamp", "chain_id", "protocol", "kind", "pool", "loan", "account"),
    *("symbol", "principal_tokens", "interest_tokens", "loss_tokens", "tx_hash"),
)
_NOTABLE = (
    *("default", "impairment", "impairment_removed", "recovery", "liquidation", "call"),
    *("call_removed", "repossession", "collateral_sale"),
)
_LATEST = "Liquidations, losses, calls and recoveries, latest first"
_PRICE = ("price_usd", "price_protocol", "price_at", "price_evidence")


def _latest(metric: pl.DataFrame) -> pl.DataFrame:
    return metric.sort("date", descending=True, maintain_order=True)


def _last_days(metric: pl.DataFrame) -> pl.DataFrame:
    return metric.sort("date").group_by(POOL).last().sort(POOL, nulls_last=True)


_SERIES = (
    Shown(
        *("tvl", "What pools managed on their last day", ("date", *POOL, "tvl_tokens", "basis")),
        keys=POOL,
        largest_first="tvl_tokens",
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("tvl_valued", "Dollars that pools managed at the end of their last day"),
        ("date", *POOL, "tvl_usd", "tvl_tokens", "holds_pools", *_PRICE),
        keys=POOL,
        largest_first="tvl_usd",
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("tvl_growth", "What pools managed on their last day beside a year before"),
        ("date", *POOL, "tvl_tokens", "earlier_date", "earlier_tvl_tokens", "growth_ratio"),
        keys=POOL,
        largest_first="growth_ratio",
        with_past=True,
        summed=lambda metric: _last_days(metric).drop_nulls("growth_ratio"),
    ),
    Shown(
        *(
            "tvl_growth_valued",
            "Dollars that protocols managed on their last day, and a year before",
        ),
        (
            *("protocol", "date", "tvl_usd", "known_usd", "pool_count", "unpriced_count"),
            *("oldest_days", "earlier_date", "earlier_tvl_usd", "growth_ratio"),
            *("revaluation_usd", "quantity_change_usd", "younger_usd"),
        ),
        keys=("protocol", "date"),
        largest_first="tvl_usd",
        with_past=True,
        headers={
            "known_usd": "of pools with a price, USD",
            "oldest_days": "oldest word, days",
            "younger_usd": "in younger pools, USD",
        },
        summed=lambda metric: metric.group_by("protocol").last().sort("protocol"),
    ),
    Shown(
        *("share_price_yield", "What shares earned over 30 days, as a yearly rate"),
        (
            *("date", *POOL, "share_price_tokens", "yield_simple_ratio", "yield_compounded_ratio"),
            *("reset_count",),
        ),
        keys=POOL,
        settings={"window_days": 30},
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("utilisation", "How much of each pool was lent on its last day"),
        ("date", *POOL, "principal_tokens", "assets_tokens", "utilisation"),
        keys=POOL,
        largest_first="utilisation",
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *(
            "loans_outstanding",
            "Loans outstanding on each pool's last day, and what events tell of them",
        ),
        (
            *(
                "date",
                *POOL,
                "principal_state_tokens",
                "principal_events_tokens",
                "difference_tokens",
            ),
            *("unknown_count",),
        ),
        keys=POOL,
        with_past=True,
        summed=_last_days,
        headers={
            "principal_state_tokens": "outstanding, tokens",
            "principal_events_tokens": "lent less returned since indexing began, tokens",
            "unknown_count": "events without amount",
        },
    ),
    Shown(
        *("net_flows", "Money in and out by day, latest first"),
        ("date", *POOL, "inflow_tokens", "outflow_tokens", "net_tokens", "unknown_count"),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unknown_count": "without amount"},
    ),
    Shown(
        *("net_flows_valued", "Dollars in and out by day, at the price of each flow's moment"),
        ("date", *POOL, "inflow_usd", "outflow_usd", "net_usd", "unpriced_count"),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unpriced_count": "without price"},
    ),
    Shown(
        *("interest_paid", "What borrowers paid by day, latest first"),
        (
            *("date", *POOL, "payment_count", "interest_tokens", "principal_tokens"),
            *("unsplit_tokens", "unknown_interest_count"),
        ),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unknown_interest_count": "of unknown interest"},
    ),
    Shown(
        *("credit_fees", "What lending earned by day, latest first"),
        (
            *("date", *POOL[:3], "fee_kind", "fee_token", "fee_count", "fee_tokens"),
            *("fees_usd", "supply_side_usd", "treasury_usd", "holders_usd"),
        ),
        keys=("date", *POOL[:3], "fee_kind", "fee_token"),
        rows=15,
        summed=_latest,
    ),
    Shown(
        *("impairments", "Loans marked down by day, latest first"),
        (
            *("date", *POOL, "impairment_count", "removed_count", "written_down_tokens"),
            *("unrealized_loss_tokens", "unknown_loss_count"),
        ),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unknown_loss_count": "of unknown loss"},
    ),
    Shown(
        *("defaults", "Loans declared lost by day, latest first"),
        (
            *("date", *POOL, "default_count", "account_count", "loan_count", "loss_tokens"),
            *("unknown_loss_count",),
        ),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unknown_loss_count": "of unknown loss"},
    ),
    Shown(
        *("recoveries", "What came back after defaults and liquidations by day, latest first"),
        (
            *("date", *POOL, "recovery_count", "recovered_tokens", "sale_count"),
            *("sale_tokens", "unknown_count"),
        ),
        keys=("date", *POOL),
        rows=15,
        summed=_latest,
        headers={"unknown_count": "without amount"},
    ),
)


def pools(context: Context) -> tuple[tuple[Source, ...], tuple[Table, ...]]:
    """Return the rows and tables about pools and loans."""
    series, shown = answers(context, *_SERIES)
    sources = _sources(context)
    questions, answered = asked(context)
    return (*series, *sources, *questions), (*shown, *_tables(sources), *answered)


def _sources(context: Context) -> tuple[Source, ...]:
    return (
        Source("credit_events_by_kind", "facts", "credit_events", _counts(context)),
        Source("notable_credit_events", "facts", "credit_events", _notable(context)),
        Source("pool_flows_by_pool", "facts", "pool_flows", _flows(context)),
        Source("share_prices_by_pool", "facts", "share_prices", _prices(context)),
    )


def _tables(sources: Sequence[Source]) -> tuple[Table, ...]:
    counts, noted, flows, prices = sources
    pool = ("chain_id", "protocol", "pool")
    wanted = (
        ("Credit events by kind", counts.frame, (), counts, (*pool[:2], "kind")),
        (_LATEST, noted.frame, (), noted, ()),
        ("Pool flows", flows.frame, (), flows, (*pool, "kind", "symbol")),
        ("Share prices", prices.frame, (), prices, (*pool, "symbol")),
    )
    return tuple(
        table(caption, frame, columns, source=source, keys=keys)
        for caption, frame, columns, source, keys in wanted
        if frame.height
    )


def _counts(context: Context) -> pl.DataFrame:
    keys = ["chain_id", "protocol", "kind"]
    return (
        context.scope.facts("credit_events")
        .group_by(keys)
        .agg(
            event_count=row_count(),
            account_count=distinct_count("account"),
            first_at=pl.col("block_timestamp").min(),
            last_at=pl.col("block_timestamp").max(),
        )
        .sort(keys)
        .collect()
    )


def _notable(context: Context) -> pl.DataFrame:
    order = ["block_timestamp", "chain_id", "tx_hash", "log_index", "item_index"]
    notable = context.scope.facts("credit_events").filter(pl.col("kind").is_in(_NOTABLE))
    latest = notable.sort(order, descending=[True, *[False] * 4]).collect()
    return context.with_symbol(latest).select(_NOTED)


def _flows(context: Context) -> pl.DataFrame:
    keys = [*POOL, "kind"]
    sums = (
        context.scope.facts("pool_flows")
        .group_by(keys)
        .agg(
            flow_count=row_count(),
            account_count=distinct_count("account"),
            asset_tokens=known_total(pl.col("asset_tokens")),
            share_tokens=known_total(pl.col("share_tokens")),
            last_at=pl.col("block_timestamp").max(),
        )
        .collect()
    )
    named = context.with_symbol(sums.sort(keys, nulls_last=True))
    return named.select(
        *("chain_id", "protocol", "pool", "kind", "flow_count", "account_count"),
        *("asset_tokens", "symbol", "share_tokens", "last_at"),
    )


def _prices(context: Context) -> pl.DataFrame:
    # A pool of lending has one price per reserve; a fund has one, whatever it is counted in.
    price, moment = pl.col("share_price_tokens"), pl.col("block_timestamp")
    updates = (
        context.scope.facts("share_prices")
        .sort(STATE_ORDER)
        .group_by(POOL)
        .agg(
            update_count=row_count(),
            first_price_tokens=price.first(),
            lowest_price_tokens=price.min(),
            last_price_tokens=price.last(),
            first_at=moment.first(),
            last_at=moment.last(),
        )
        .collect()
    )
    named = context.with_symbol(updates.sort(POOL, nulls_last=True))
    return named.select(
        *("chain_id", "protocol", "pool", "symbol", "update_count"),
        *("first_price_tokens", "lowest_price_tokens", "last_price_tokens", "first_at", "last_at"),
    )
