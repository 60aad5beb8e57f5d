-- question: What did users pay, whoever received it?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars, a lower bound where unpriced_count is above zero
-- twin of:  analytics.metrics.income.fees
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    sum(fee_usd) as fees_usd,
    count(*) as fee_count,
    count(*) - count(fee_usd) as unpriced_count
from fees
group by all
order by date, chain_id, protocol, version, market, fee_kind
