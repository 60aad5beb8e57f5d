-- question: How did the cascade go, minute by minute: liquidations first, ADLs when?
-- reads:    adls, liquidations
-- grain:    one row per protocol and bucket with a liquidation or an ADL
-- units:    *_usd US dollars, one-sided; sums of what is known, null when nothing is;
--           cumulative_*_usd since the start of the window; account_count different addresses,
--           null when none is told
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    bucket_seconds count 60 (length of a bucket, counted from 1970-01-01 UTC)
with

exits as (

    select
        protocol,
        block_timestamp,
        account,
        notional_usd as liquidated_usd,
        null as deleveraged_usd,
        null as adl_pnl_usd,
        1 as liquidation_count,
        0 as adl_count
    from liquidations
    where block_timestamp between $since and $until
    union all
    select
        protocol,
        block_timestamp,
        account,
        null as liquidated_usd,
        notional_usd as deleveraged_usd,
        realized_pnl_usd as adl_pnl_usd,
        0 as liquidation_count,
        1 as adl_count
    from adls
    where block_timestamp between $since and $until

),

buckets as (

    select
        protocol,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        nullif(count(distinct account), 0) as account_count,
        sum(liquidation_count)::bigint as liquidation_count,
        sum(adl_count)::bigint as adl_count,
        sum(liquidated_usd) as liquidated_usd,
        sum(deleveraged_usd) as deleveraged_usd,
        sum(adl_pnl_usd) as adl_pnl_usd
    from exits
    group by all

)

select
    buckets.*,
    sum(buckets.liquidated_usd) over (
        partition by buckets.protocol
        order by buckets.bucket_at
        rows between unbounded preceding and current row
    ) as cumulative_liquidated_usd,
    sum(buckets.deleveraged_usd) over (
        partition by buckets.protocol
        order by buckets.bucket_at
        rows between unbounded preceding and current row
    ) as cumulative_deleveraged_usd
from buckets
order by buckets.bucket_at, buckets.protocol
