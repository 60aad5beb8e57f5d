-- question: How much of the fees stays with the protocol itself?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars; null when the split of any fee is unknown
-- twin of:  analytics.metrics.income.treasury_revenue
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    case when count(*) = count(treasury_usd) then sum(treasury_usd) end as treasury_usd,
    count(*) - count(treasury_usd) as unsplit_count
from fees
group by all
order by date, chain_id, protocol, version, market, fee_kind
