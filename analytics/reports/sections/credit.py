"""Credit and RWA beside perps in one window: losses, money in and out, and what zero is worth."""

from collections.abc import Iterator, Sequence

import polars as pl

from analytics.expressions import known_total
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.event import Event, event_days
from analytics.reports.numerals import clock
from analytics.reports.parts import Section, Source, Table, table
from analytics.reports.scope import FACTS
from analytics.reports.sections.listed import Shown, answers

_READ = (
    "Perps, credit and funds stand side by side, each with what it tells: n/k is what a protocol "
    "never tells, not a zero. Pools count in their own assets and are never added up; outflow "
    "above zero left the pool. Yields are what a share earned, as a yearly rate."
)
_SCOPE = (
    "What a zero means here: none of the declared contracts emitted a declared liquidation, "
    "default or impairment event in these blocks. It does not speak of contracts or events that "
    "are not declared, of losses that a venue never announces on chain, or of loans whose "
    "collateral is held off chain: there an on-chain auction cannot occur and margin calls are "
    "invisible. In recorded data it speaks of the recording only. Where the verdict is not "
    "covered, zero is not a finding."
)
_NOTED = (
    *("block_timestamp", "chain_id", "protocol", "kind", "pool", "loan", "account"),
    *("symbol", "principal_tokens", "interest_tokens", "loss_tokens", "tx_hash"),
)
_NOTABLE = (
    *("default", "impairment", "impairment_removed", "recovery", "liquidation", "call"),
    *("call_removed", "repossession", "collateral_sale"),
)
_LATEST = "Liquidations, defaults and impairments, latest first"
_SEIZED = (
    *("protocol", "chain_id", "account", "liquidation_count", "repaid_tokens", "repaid_symbol"),
    *("seized_tokens", "seized_symbol", "first_at", "last_at"),
)


_VENUE, _POOL = ("chain_id", "protocol"), ("chain_id", "protocol", "pool", "asset_token")
_LIQUIDATED = ("liquidation_count", "liquidation_notional_usd", "adl_notional_usd")
_LOST = ("lending_liquidation_count", "default_count", "impairment_count")


def _last_days(metric: pl.DataFrame) -> pl.DataFrame:
    return metric.sort("date").group_by(_POOL).last().sort(_POOL, nulls_last=True)


_SERIES = (
    Shown(
        *("tvl", "What pools managed on their last day", ("date", *_POOL, "tvl_tokens", "basis")),
        keys=_POOL,
        largest_first="tvl_tokens",
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("share_price_yield", "What shares earned over 30 days, as a yearly rate"),
        (
            *("date", *_POOL, "share_price_tokens", "yield_simple_ratio", "yield_compounded_ratio"),
            *("reset_count",),
        ),
        keys=_POOL,
        settings={"window_days": 30},
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("utilisation", "How much of each pool was lent on its last day"),
        ("date", *_POOL, "principal_tokens", "assets_tokens", "utilisation"),
        keys=_POOL,
        largest_first="utilisation",
        with_past=True,
        summed=_last_days,
    ),
    Shown(
        *("loans_outstanding", "Loans outstanding on each pool's last day, two ways"),
        (
            *(
                "date",
                *_POOL,
                "principal_state_tokens",
                "principal_events_tokens",
                "difference_tokens",
            ),
            *("unknown_count",),
        ),
        keys=_POOL,
        with_past=True,
        summed=_last_days,
        headers={"unknown_count": "events without amount"},
    ),
    Shown(
        *("net_flows", "Money in and out by day, latest first"),
        ("date", *_POOL, "inflow_tokens", "outflow_tokens", "net_tokens", "unknown_count"),
        keys=("date", *_POOL),
        rows=15,
        summed=lambda metric: metric.sort("date", descending=True, maintain_order=True),
        headers={"unknown_count": "without amount"},
    ),
)


def credit(context: Context) -> Section:
    """Return the section about RWA beside perps, credit events, pools and claims of zero."""
    window = event_days(context)
    sources = _sources(context)
    resilient, beside = answers(context, *_beside(window))
    series, pools = answers(context, *_SERIES)
    silent = tuple(
        context.absence(what, name)
        for source, what, name in (
            (sources[0], "credit events", "credit_events"),
            (sources[2], "pool deposits or withdrawals", "pool_flows"),
        )
        if source.frame.is_empty()
    )
    zero, claimed = _zero(context, window)
    claims = tuple(_claims(context, window, claimed))
    return Section(
        "credit",
        "Credit and RWA",
        (*silent, *_window(window), *claims, _SCOPE, _READ),
        tables=(*beside, *_claimed(zero, claimed), *pools, *_tables(context, sources)),
        sources=(*resilient, *zero, *series, *sources),
    )


def _beside(window: Event | None) -> tuple[Shown, ...]:
    if window is None:
        return ()
    settings = window.settings
    return (
        Shown(
            *("resilience", "What the event did to each protocol"),
            (
                *("family", "protocol", *_LIQUIDATED, *_LOST, "worst_price_change_ratio"),
                *("worst_outflow_ratio", "unknown_outflow_count"),
            ),
            keys=("protocol",),
            settings=settings,
            with_past=True,
            summed=lambda metric: metric.sort("family", "protocol", descending=[True, False]),
            headers={"unknown_outflow_count": "pools of unknown outflow"},
        ),
        Shown(
            *("pool_resilience", "What the event did to each pool"),
            (
                *(*_POOL, "price_before_tokens", "price_after_tokens", "price_change_ratio"),
                *("out_tokens", "managed_tokens", "outflow_ratio"),
            ),
            keys=_POOL,
            largest_first="outflow_ratio",
            settings=settings,
            with_past=True,
        ),
        Shown(
            *("yield_stability", "How steadily share prices grew, a day, before and in the event"),
            (
                *(*_POOL, "period", "change_count", "mean_change_ratio", "sd_change_ratio"),
                *("worst_drawdown_ratio",),
            ),
            keys=(*_POOL, "period"),
            settings=settings,
            with_past=True,
        ),
    )


def _window(window: Event | None) -> tuple[str, ...]:
    if window is None:
        return ("When the covered blocks were is not known, so nothing is said of zeros in them.",)
    return (window.words,)


def _sources(context: Context) -> tuple[Source, ...]:
    seized = context.scope.query("lending_liquidations")
    return (
        Source("credit_events_by_kind", "facts", "credit_events", _counts(context)),
        Source("lending_liquidations", "query", "lending_liquidations", seized),
        Source("pool_flows_by_pool", "facts", "pool_flows", _flows(context)),
        Source("share_prices_by_pool", "facts", "share_prices", _prices(context)),
    )


def _tables(context: Context, sources: Sequence[Source]) -> tuple[Table, ...]:
    counts, seized, flows, prices = sources
    pool = ("chain_id", "protocol", "pool")
    wanted = (
        ("Credit events by kind", counts.frame, (), counts, (*pool[:2], "kind")),
        (_LATEST, _notable(context), _NOTED, counts, ()),
        ("Lending liquidations by borrower", seized.frame, _SEIZED, seized, ()),
        ("Pool flows", flows.frame, (), flows, (*pool, "kind", "symbol")),
        ("Share prices", prices.frame, (), prices, (*pool, "symbol")),
    )
    return tuple(
        table(caption, frame, columns, source=source, keys=keys)
        for caption, frame, columns, source, keys in wanted
        if frame.height
    )


def _zero(context: Context, window: Event | None) -> tuple[tuple[Source, ...], pl.DataFrame]:
    if window is None:
        return (), pl.DataFrame()
    found = context.scope.metric("zero_liquidations", **window.settings)
    source = Source("zero_liquidations", "metric", "zero_liquidations", found, window.settings)
    spoken = found.join(_oracles_only(context), on="protocol", how="anti", maintain_order="left")
    return (source,), spoken


def _claimed(zero: tuple[Source, ...], claimed: pl.DataFrame) -> tuple[Table, ...]:
    caption = "Whether nothing was liquidated or lost: verdicts beside their coverage"
    return tuple(
        table(
            caption,
            claimed,
            (*_VENUE, "verdict", *claimed.columns[2:-1]),
            source=source,
            keys=_VENUE,
        )
        for source in zero
        if claimed.height
    )


def _oracles_only(context: Context) -> pl.DataFrame:
    # Who only posts prices has nothing to liquidate, and a zero of theirs would say nothing.
    names = {
        name: context.scope.facts(name).select("protocol").unique().collect() for name in FACTS
    }
    others = pl.concat(frame for name, frame in names.items() if name != "oracle_updates")
    return names["oracle_updates"].join(others, on="protocol", how="anti")


def _claims(context: Context, window: Event | None, claimed: pl.DataFrame) -> Iterator[str]:
    if window is None:
        return
    for row in claimed.filter(pl.col("verdict") == "holds").iter_rows(named=True):
        kind = context.kinds.get(row["chain_id"], "unknown")
        yield (
            f"{row['protocol']} on {chain_name(row['chain_id'])}: no liquidation, default, "
            "impairment, repossession or sale of collateral from "
            f"{clock(window.start)} until {clock(window.end)}, in blocks "
            f"{row['window_from_block']}–{row['window_to_block']}, all {row['window_blocks']:,} of "
            f"them covered (proof: {row['proofs']}; {kind} data)."
        )


def _counts(context: Context) -> pl.DataFrame:
    keys = ["chain_id", "protocol", "kind"]
    return (
        context.scope.facts("credit_events")
        .group_by(keys)
        .agg(
            event_count=pl.len().cast(pl.Int64),
            account_count=pl.col("account").n_unique().cast(pl.Int64),
            first_at=pl.col("block_timestamp").min(),
            last_at=pl.col("block_timestamp").max(),
        )
        .sort(keys)
        .collect()
    )


def _notable(context: Context) -> pl.DataFrame:
    order = ["block_timestamp", "chain_id", "tx_hash", "log_index", "item_index"]
    notable = context.scope.facts("credit_events").filter(pl.col("kind").is_in(_NOTABLE))
    latest = notable.sort(order, descending=[True, *[False] * 4]).head(15)
    return _with_symbol(context, latest.collect())


def _with_symbol(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    tokens = context.scope.facts("tokens").group_by("chain_id", "address")
    symbols = tokens.agg(pl.col("symbol").max()).rename({"address": "asset_token"}).collect()
    joined = rows.join(symbols, on=["chain_id", "asset_token"], how="left", maintain_order="left")
    return joined.with_columns(symbol=pl.coalesce("symbol", "asset_token"))


def _flows(context: Context) -> pl.DataFrame:
    keys = ["chain_id", "protocol", "pool", "asset_token", "kind"]
    sums = (
        context.scope.facts("pool_flows")
        .group_by(keys)
        .agg(
            flow_count=pl.len().cast(pl.Int64),
            account_count=pl.col("account").n_unique().cast(pl.Int64),
            asset_tokens=known_total(pl.col("asset_tokens")),
            share_tokens=known_total(pl.col("share_tokens")),
            last_at=pl.col("block_timestamp").max(),
        )
        .collect()
    )
    named = _with_symbol(context, sums.sort(keys, nulls_last=True))
    return named.select(
        *("chain_id", "protocol", "pool", "kind", "flow_count", "account_count"),
        *("asset_tokens", "symbol", "share_tokens", "last_at"),
    )


def _prices(context: Context) -> pl.DataFrame:
    # A pool of lending has one price per reserve; a fund has one, whatever it is counted in.
    keys = ["chain_id", "protocol", "pool", "asset_token"]
    order = ["block_number", "log_index", "item_index", "tx_hash"]
    price, moment = pl.col("share_price_tokens"), pl.col("block_timestamp")
    updates = (
        context.scope.facts("share_prices")
        .sort(order)
        .group_by(keys)
        .agg(
            update_count=pl.len().cast(pl.Int64),
            first_price_tokens=price.first(),
            lowest_price_tokens=price.min(),
            last_price_tokens=price.last(),
            first_at=moment.first(),
            last_at=moment.last(),
        )
        .collect()
    )
    named = _with_symbol(context, updates.sort(keys, nulls_last=True))
    return named.select(
        *("chain_id", "protocol", "pool", "symbol", "update_count"),
        *("first_price_tokens", "lowest_price_tokens", "last_price_tokens", "first_at", "last_at"),
    )
