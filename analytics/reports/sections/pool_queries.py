"""What stored queries say of pools: who owes, what waits or was lost, how old a price is."""

import polars as pl

from analytics.expressions import POOL
from analytics.reports.context import Context
from analytics.reports.parts import Source, Table, table

_QUERIES = (
    (
        *("lending_liquidations", "Lending liquidations by borrower"),
        (
            *("protocol", "chain_id", "account", "liquidation_count", "repaid_tokens"),
            *("repaid_symbol", "seized_tokens", "seized_symbol", "first_at", "last_at"),
        ),
        (),
    ),
    (
        *("credit_losses", "What was lost in each asset, what came back, and what cover paid"),
        (
            *("chain_id", "protocol", "symbol", "written_down_tokens", "defaulted_tokens"),
            *("recovered_tokens", "bad_debt_tokens", "cover_out_tokens", "unknown_count"),
        ),
        ("chain_id", "protocol", "asset_token"),
    ),
    (
        *("borrowers", "Who owes each pool, and what part of all that it lent"),
        ("chain_id", "protocol", "pool", "account", "principal_tokens", "symbol", "pool_ratio"),
        (*POOL, "account"),
    ),
    (
        *("redemption_queue", "What was asked back from each pool and is not paid yet"),
        (
            *("chain_id", "protocol", "pool", "request_count", "counted_in", "requested_tokens"),
            *("paid_tokens", "waiting_tokens", "waiting_ratio", "last_paid_at"),
        ),
        ("chain_id", "protocol", "pool"),
    ),
    (
        *("nav_ages", "How old is what was last said of each pool's share"),
        (
            *("chain_id", "protocol", "pool", "symbol", "share_price_tokens", "nav_at"),
            *("age_seconds", "replaced_seconds", "oldest_seconds", "moved_at"),
        ),
        POOL,
    ),
)
_HEADERS = {
    "pool_ratio": "of all that is owed",
    "nav_at": "price of, UTC",
    "age_seconds": "age at the end, s",
    "replaced_seconds": "median age when replaced, s",
    "oldest_seconds": "highest age, s",
    "unknown_count": "without amount",
}


def asked(context: Context) -> tuple[tuple[Source, ...], tuple[Table, ...]]:
    """Return the rows of the queries, and a table of each that has any."""
    sources = tuple(Source(name, "query", name, context.scope.query(name)) for name, *_ in _QUERIES)
    tables = tuple(
        table(
            *(caption, _named(context, source.frame), columns),
            source=source,
            keys=keys,
            headers=_HEADERS,
        )
        for source, (_, caption, columns, keys) in zip(sources, _QUERIES, strict=True)
        if source.frame.height
    )
    return sources, tables


def _named(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    is_nameless = "asset_token" in rows.columns and "symbol" not in rows.columns
    return context.with_symbol(rows) if is_nameless else rows
