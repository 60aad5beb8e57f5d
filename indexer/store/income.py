"""What a protocol earned by day, and who got it: what restating compares before and after."""

from collections.abc import Sequence

import duckdb
import polars as pl

from indexer.store.connection import frame

FIGURES = (
    *("fees_usd", "supply_side_usd", "treasury_usd", "holders_usd"),
    *("declared_ratio", "policy_usd"),
)

_DAY = ["protocol", "date"]  # policies are of a protocol on all its chains
_KEYS = ["chain_id", *_DAY]

# As in the metrics of these names: fees are what is known, a part of them is null when the split of
# any is.
_DAYS = """
select
    chain_id,
    protocol,
    block_timestamp::date as date,
    sum(fee_usd) as fees_usd,
    case when count(*) = count(supply_side_usd) then sum(supply_side_usd) end as supply_side_usd,
    case when count(*) = count(treasury_usd) then sum(treasury_usd) end as treasury_usd,
    case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd
from fees
where list_contains(?, protocol) {counted}
group by all
"""

_WITHIN = """
        and exists (
            select 1
            from within
            where within.chain_id = fees.chain_id and within.protocol = fees.protocol
                and fees.block_number between within.from_block and within.to_block
                and coalesce(fees.block_timestamp >= within.since, true)
                and coalesce(fees.block_timestamp <= within.until, true)
        )
"""


def income_days(
    connection: duckdb.DuckDBPyConnection,
    protocols: Sequence[str],
    within: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Return chain_id, protocol, date and FIGURES of every UTC day with a fee of these protocols.

    Args:
        connection: the database.
        protocols: whose fees.
        within: chain_id, protocol, from_block, to_block (Int64, both included), since, until
            (Datetime, both included, null is open): only fees in such a stretch count. All do
            without it.
    """
    query = _DAYS.format(counted="" if within is None else _WITHIN)
    if within is not None:
        connection.register("within", within.to_arrow())
    days = frame(connection, query, [list(protocols)])
    if within is not None:
        connection.unregister("within")
    return promised_of(days, frame(connection, "from policies"))


def promised_of(days: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """
    Return chain_id, protocol, date and FIGURES of days of income, sorted.

    Args:
        days: chain_id, protocol, date and FIGURES but what policies declare.
        policies: rows of `policies`.
    """
    rates = _in_force(days, policies)
    for kind in ("holders_share_of_revenue", "buyback_share"):
        one = rates.filter(pl.col("kind") == kind).select(*_DAY, **{kind: "value"})
        days = days.join(one, on=_DAY, how="left")
    of_revenue, bought = pl.col("holders_share_of_revenue"), pl.col("buyback_share")
    revenue, holders = pl.col("treasury_usd") + pl.col("holders_usd"), pl.col("holders_usd")
    # The declared ratio is the rate in force, else what the splits set aside.
    split = pl.when(revenue > 0).then(holders.cast(pl.Float64) / revenue.cast(pl.Float64))
    set_aside = pl.when(of_revenue.is_not_null()).then(revenue * of_revenue).otherwise(holders)
    promised = pl.when(bought.is_not_null()).then(set_aside * bought).otherwise(set_aside)
    return days.select(
        *(pl.col(name) for name in (*_KEYS, *FIGURES[:-2])),
        declared_ratio=pl.coalesce(of_revenue.cast(pl.Float64), split),
        policy_usd=promised,
    ).sort(_KEYS)


def _in_force(days: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    since, until = pl.col("valid_from").dt.date(), pl.col("valid_to").dt.date()
    return (
        days.select(_DAY)
        .join(policies, on="protocol")
        .filter(pl.col("date") >= since, until.is_null() | (pl.col("date") < until))
        .sort("valid_from", "value")
        .group_by(*_DAY, "kind")
        .agg(pl.col("value").last())
    )
