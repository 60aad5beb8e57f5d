-- question: Which profitable positions were closed by force, beside which liquidations?
-- reads:    adls, liquidations
-- grain:    one row per chain, protocol, version, market and bucket with an ADL
-- units:    *_usd US dollars, sums of what is known, null when nothing is; what was liquidated zero
--           without a liquidation, null when one is unknown; adl_to_liquidation_ratio 1 = as much
--           as was liquidated, null while either is unknown
-- param:    bucket_seconds count 3600 (length of a bucket, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.adls.adls
with

cut as (

    select
        chain_id,
        protocol,
        version,
        market,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        count(*) as adl_count,
        nullif(count(distinct account), 0) as account_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as notional_usd,
        case
            when count(*) filter (where is_long) = 0 then 0
            else sum(notional_usd) filter (where is_long)
        end as notional_long_usd,
        case
            when count(*) filter (where not is_long) = 0 then 0
            else sum(notional_usd) filter (where not is_long)
        end as notional_short_usd,
        sum(realized_pnl_usd) as realized_pnl_usd
    from adls
    group by all

),

liquidated as (

    select
        chain_id,
        protocol,
        version,
        market,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        count(*) as liquidation_count,
        case when count(*) = count(notional_usd) then sum(notional_usd) end as liquidated_usd
    from liquidations
    group by all

),

beside as (

    select
        cut.*,
        case
            when liquidated.liquidation_count is null then 0
            else liquidated.liquidated_usd
        end as liquidation_notional_usd
    from cut
    left join liquidated using (chain_id, protocol, version, market, bucket_at)

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    case
        when unknown_notional_count = 0 and liquidation_notional_usd > 0
            then notional_usd::varchar::double / liquidation_notional_usd::varchar::double
    end as adl_to_liquidation_ratio
from beside
order by chain_id, protocol, version, market, bucket_at
