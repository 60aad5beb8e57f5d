"""What a protocol earned by day, and who got it: what restating compares before and after."""

from collections.abc import Sequence

import duckdb
import polars as pl

from indexer.store.connection import frame

FIGURES = (
    *("fees_usd", "supply_side_usd", "treasury_usd", "holders_usd"),
    *("declared_ratio", "policy_usd"),
)

# As in the metrics of these names: fees are what is known, a part of them is null when the split of
# any is. The declared ratio is the rate in force, else what the splits set aside.
_DAYS = """
with days as (
    select
        protocol,
        block_timestamp::date as date,
        sum(fee_usd) as fees_usd,
        case when count(*) = count(supply_side_usd) then sum(supply_side_usd) end
            as supply_side_usd,
        case when count(*) = count(treasury_usd) then sum(treasury_usd) end as treasury_usd,
        case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd
    from fees
    where chain_id = ? and list_contains(?, protocol) {counted}
    group by all
),

rates as (

    select
        days.protocol,
        days.date,
        policies.kind,
        arg_max(policies.value, (policies.valid_from, policies.value)) as rate
    from days
    inner join policies
        on
            days.protocol = policies.protocol
            and days.date >= policies.valid_from::date
            and days.date < coalesce(policies.valid_to::date, 'infinity'::date)
    group by all

)

select
    days.*,
    of_revenue.rate as of_revenue,
    bought.rate as bought,
    coalesce(
        of_revenue.rate::double,
        case
            when treasury_usd + holders_usd > 0
                then holders_usd::double / (treasury_usd + holders_usd)::double
        end
    ) as declared_ratio
from days
left join rates as of_revenue
    on
        days.protocol = of_revenue.protocol
        and days.date = of_revenue.date
        and of_revenue.kind = 'holders_share_of_revenue'
left join rates as bought
    on
        days.protocol = bought.protocol
        and days.date = bought.date
        and bought.kind = 'buyback_share'
order by days.protocol, days.date
"""

_WITHIN = """
        and exists (
            select 1
            from within
            where within.protocol = fees.protocol
                and fees.block_number between within.from_block and within.to_block
                and coalesce(fees.block_timestamp >= within.since, true)
                and coalesce(fees.block_timestamp <= within.until, true)
        )
"""


def income_days(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    protocols: Sequence[str],
    within: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Return protocol, date and FIGURES of every UTC day with a fee of these protocols.

    Args:
        connection: the database.
        chain_id: the chain.
        protocols: whose fees.
        within: protocol, from_block, to_block (Int64, both included), since, until (Datetime, both
            included, null is open): only fees in such a stretch count. All do without it.
    """
    query = _DAYS.format(counted="" if within is None else _WITHIN)
    if within is not None:
        connection.register("within", within.to_arrow())
    days = frame(connection, query, [chain_id, list(protocols)])
    if within is not None:
        connection.unregister("within")
    return days.with_columns(policy_usd=_promised()).select("protocol", "date", *FIGURES)


def _promised() -> pl.Expr:
    """As in `buyback_columns`, but exact: a decimal product in DuckDB has no room for dollars."""
    revenue, rate = pl.col("treasury_usd") + pl.col("holders_usd"), pl.col("of_revenue")
    set_aside = pl.when(rate.is_not_null()).then(revenue * rate).otherwise("holders_usd")
    is_bought = pl.col("bought").is_not_null()
    return pl.when(is_bought).then(set_aside * pl.col("bought")).otherwise(set_aside)
