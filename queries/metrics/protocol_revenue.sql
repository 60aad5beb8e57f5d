-- question: What does the protocol keep of the fees?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars; null when any fee's part is unknown
-- twin of:  analytics.metrics.income.protocol_revenue
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    case
        when count(*) = count(fee_usd - supply_side_usd) then sum(fee_usd - supply_side_usd)
    end as revenue_usd,
    case when count(*) = count(treasury_usd) then sum(treasury_usd) end as treasury_usd,
    count(*) - count(fee_usd - supply_side_usd) as unsplit_count
from fees
group by all
order by date, chain_id, protocol, version, market, fee_kind
