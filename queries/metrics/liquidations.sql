-- question: How much was liquidated, whose, on which side, and what was left unpaid?
-- reads:    liquidations
-- grain:    one row per chain, protocol, version, market and bucket with a liquidation
-- units:    *_usd US dollars, notional one-sided; sums of what is known, null when nothing is
-- param:    bucket_seconds count 3600 (length of a bucket, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.liquidations.liquidations
select
    chain_id,
    protocol,
    version,
    market,
    time_bucket(to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01') as bucket_at,
    count(*) as liquidation_count,
    nullif(count(distinct account), 0) as account_count,
    count(*) filter (where is_long) as long_count,
    count(*) filter (where not is_long) as short_count,
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
    sum(collateral_usd) as collateral_usd,
    sum(realized_pnl_usd) as realized_pnl_usd,
    sum(fee_usd) as fee_usd,
    sum(shortfall_usd) as shortfall_usd
from liquidations
group by all
order by chain_id, protocol, version, market, bucket_at
