-- question: What do liquidations cost and leave unpaid per dollar, and how much of it is long?
-- reads:    liquidations
-- grain:    one row per chain, protocol, version, market and bucket with a liquidation
-- units:    *_usd US dollars, null as soon as one is unknown; ratios 1 = as much as was liquidated,
--           null while a part of them is unknown
-- param:    bucket_seconds count 3600 (length of a bucket, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.liquidation_shape.liquidation_fee_yield
with

sums as (

    select
        chain_id,
        protocol,
        version,
        market,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        count(*) as liquidation_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        count(*) - count(fee_usd) as unknown_fee_count,
        count(*) - count(shortfall_usd) as unknown_shortfall_count,
        count(*) - count(is_long) as unknown_side_count,
        case when count(*) = count(notional_usd) then sum(notional_usd) end as notional_usd,
        case when count(*) = count(fee_usd) then sum(fee_usd) end as fee_usd,
        case when count(*) = count(shortfall_usd) then sum(shortfall_usd) end as shortfall_usd,
        coalesce(sum(notional_usd) filter (where is_long), 0) as long_usd
    from liquidations
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    * exclude (long_usd),
    case
        when notional_usd > 0 then fee_usd::varchar::double / notional_usd::varchar::double
    end as fee_yield_ratio,
    case
        when notional_usd > 0 then shortfall_usd::varchar::double / notional_usd::varchar::double
    end as shortfall_ratio,
    case
        when notional_usd > 0 and unknown_side_count = 0
            then long_usd::varchar::double / notional_usd::varchar::double
    end as long_share
from sums
order by chain_id, protocol, version, market, bucket_at
