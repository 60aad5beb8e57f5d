-- question: How much of the fees is set aside for token holders?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars; null when the split of any fee is unknown
-- twin of:  analytics.metrics.income.holders_revenue
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd,
    count(*) - count(holders_usd) as unsplit_count
from fees
group by all
order by date, chain_id, protocol, version, market, fee_kind
