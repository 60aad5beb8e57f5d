-- question: What did lending and managing money earn in a day, and who got it?
-- reads:    fees
-- grain:    one row per UTC day, chain, protocol, pool, fee kind and token
-- units:    *_tokens whole tokens of the fee's own, *_usd US dollars, sums of what is known, null
--           when nothing is; *_count fees
-- twin of:  analytics.metrics.credit.credit_fees
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    market as pool,
    fee_kind,
    fee_token,
    count(*) as fee_count,
    sum(fee_tokens) as fee_tokens,
    sum(fee_usd) as fees_usd,
    sum(supply_side_usd) as supply_side_usd,
    sum(treasury_usd) as treasury_usd,
    sum(holders_usd) as holders_usd,
    count(*) - count(fee_usd) as unpriced_count,
    count(*) filter (
        where supply_side_usd is null or treasury_usd is null or holders_usd is null
    ) as unsplit_count
from fees
where
    fee_kind in (
        'interest',
        'origination',
        'service',
        'management',
        'subscription',
        'redemption',
        'penalty',
        'flash_loan',
        'reserve'
    )
group by all
order by date, chain_id, protocol, pool, fee_kind, fee_token
