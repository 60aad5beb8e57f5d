-- question: How much funding did accounts pay and receive?
-- reads:    funding
-- grain:    one row per chain, protocol, version, market and period with a settlement
-- units:    *_usd US dollars, null when no settlement of the row is known in dollars
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.funding.funding_paid
select
    chain_id,
    protocol,
    version,
    market,
    time_bucket(
        to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
    ) as bucket_at,
    case
        when count(paid_usd) > 0 then coalesce(sum(paid_usd) filter (where paid_usd > 0), 0)
    end as paid_usd,
    case
        when count(paid_usd) > 0 then coalesce(-sum(paid_usd) filter (where paid_usd < 0), 0)
    end as received_usd,
    sum(paid_usd) as net_paid_usd,
    count(*) as settlement_count,
    nullif(count(distinct account), 0) as account_count,
    count(*) - count(paid_usd) as unknown_count
from funding
where paid_usd is not null or account is not null
group by all
order by chain_id, protocol, version, market, bucket_at
