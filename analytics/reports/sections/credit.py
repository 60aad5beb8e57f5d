"""Credit and RWA: loans, lending liquidations, money in and out, and what can be said of none."""

from collections.abc import Iterator, Sequence

import polars as pl

from analytics.expressions import known_total
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.parts import Section, Source, Table, table
from analytics.reports.scope import FACTS

_SCOPE = (
    "What a zero means here: none of the declared contracts emitted a declared liquidation, "
    "default or impairment event in these blocks. It does not speak of contracts or events that "
    "are not declared, of losses that a venue never announces on chain, or of loans whose "
    "collateral is held off chain: there an on-chain auction cannot occur and margin calls are "
    "invisible. In recorded data it speaks of the recording only. Where covered is not yes, "
    "zero is not a finding."
)
_EVENT = (
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


def credit(context: Context) -> Section:
    """Return the section about credit events, lending liquidations, pools and zero claims."""
    sources = _sources(context)
    zero, counts, _, flows, _ = (source.frame for source in sources)
    spoken = zero.join(_oracles_only(context), on="protocol", how="anti", maintain_order="left")
    silent = tuple(
        context.absence(what, name)
        for frame, what, name in (
            (counts, "credit events", "credit_events"),
            (flows, "pool deposits or withdrawals", "pool_flows"),
        )
        if frame.is_empty()
    )
    return Section(
        "credit",
        "Credit and RWA",
        (*silent, *_claims(context, spoken), _SCOPE),
        tables=_tables(context, spoken, sources),
        sources=sources,
    )


def _sources(context: Context) -> tuple[Source, ...]:
    seized = context.scope.query("lending_liquidations")
    return (
        Source("zero_liquidations", "query", "zero_liquidations", _zero(context)),
        Source("credit_events_by_kind", "facts", "credit_events", _counts(context)),
        Source("lending_liquidations", "query", "lending_liquidations", seized),
        Source("pool_flows_by_pool", "facts", "pool_flows", _flows(context)),
        Source("share_prices_by_pool", "facts", "share_prices", _prices(context)),
    )


def _tables(context: Context, spoken: pl.DataFrame, sources: Sequence[Source]) -> tuple[Table, ...]:
    zero, counts, seized, flows, prices = sources
    pool = ("chain_id", "protocol", "pool")
    wanted = (
        (
            "Liquidations, defaults and impairments beside their coverage",
            spoken,
            (),
            zero,
            pool[:2],
        ),
        ("Credit events by kind", counts.frame, (), counts, (*pool[:2], "kind")),
        (_LATEST, _notable(context), _EVENT, counts, ()),
        ("Lending liquidations by borrower", seized.frame, _SEIZED, seized, ()),
        ("Pool flows", flows.frame, (), flows, (*pool, "kind", "symbol")),
        ("Share prices", prices.frame, (), prices, (*pool, "symbol")),
    )
    return tuple(
        table(caption, frame, columns, rows=25, source=source, keys=keys)
        for caption, frame, columns, source, keys in wanted
        if frame.height
    )


def _zero(context: Context) -> pl.DataFrame:
    # Chains do not share a clock of blocks: each is asked about its own covered time.
    answers = [
        context.scope.query("zero_liquidations", **window).filter(pl.col("chain_id") == chain)
        for chain, window in _windows(context)
    ]
    empty = context.scope.query("zero_liquidations").clear()
    return pl.concat([empty, *answers]).sort("chain_id", "protocol")


def _oracles_only(context: Context) -> pl.DataFrame:
    # Who only posts prices has nothing to liquidate, and a zero of theirs would say nothing.
    names = {
        name: context.scope.facts(name).select("protocol").unique().collect() for name in FACTS
    }
    others = pl.concat(frame for name, frame in names.items() if name != "oracle_updates")
    return names["oracle_updates"].join(others, on="protocol", how="anti")


def _windows(context: Context) -> Iterator[tuple[int, dict[str, str]]]:
    ends = context.coverage.group_by("chain_id").agg(
        pl.col("from_block").min(), pl.col("to_block").max()
    )
    blocks = context.scope.facts("blocks").select("chain_id", "number", "timestamp").drop_nulls()
    spans = (
        ends.lazy()
        .join(blocks, on="chain_id")
        .filter(pl.col("number").is_between(pl.col("from_block"), pl.col("to_block")))
        .group_by("chain_id")
        .agg(first=pl.col("timestamp").min(), last=pl.col("timestamp").max())
        .collect()
    )
    limits = context.scope.limits
    for chain, first, last in spans.sort("chain_id").iter_rows():
        since, until = limits.since or first, limits.until or last
        yield chain, {"since": since.isoformat(), "until": until.isoformat()}


def _claims(context: Context, zero: pl.DataFrame) -> Iterator[str]:
    events = pl.sum_horizontal("liquidation_count", "default_count", "impairment_count")
    none = zero.filter((events == 0) & pl.col("is_covered").fill_null(value=False))
    for row in none.iter_rows(named=True):
        kind = context.kinds.get(row["chain_id"], "unknown")
        yield (
            f"{row['protocol']} on {chain_name(row['chain_id'])}: no liquidation, default or "
            f"impairment event in blocks {row['window_from_block']}–{row['window_to_block']}, "
            f"all {row['window_blocks']:,} of them covered (proof: {row['proofs']}; "
            f"{kind} data)."
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
