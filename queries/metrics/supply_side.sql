-- question: How much of the fees goes to those who supply the capital?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars; null when any fee's part is unknown
-- twin of:  analytics.metrics.income.supply_side
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    case when count(*) = count(supply_side_usd) then sum(supply_side_usd) end as supply_side_usd,
    count(*) - count(supply_side_usd) as unsplit_count
from fees
group by all
order by date, chain_id, protocol, version, market, fee_kind
