-- question: What came back in a day after defaults, and what did sales of collateral bring?
-- reads:    credit_events
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset, sums of what is known, null when there are such
--           events and none tells; *_count events
-- twin of:  analytics.metrics.credit.recoveries
with

daily as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where kind = 'recovery') as recovery_count,
        sum(principal_tokens) filter (where kind = 'recovery') as recovered_tokens,
        count(*) filter (where kind = 'collateral_sale') as sale_count,
        sum(principal_tokens) filter (where kind = 'collateral_sale') as sale_tokens,
        count(*) - count(principal_tokens) as unknown_count
    from credit_events
    where kind in ('recovery', 'collateral_sale')
    group by all

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    recovery_count,
    sale_count,
    unknown_count,
    case when recovery_count = 0 then 0 else recovered_tokens end as recovered_tokens,
    case when sale_count = 0 then 0 else sale_tokens end as sale_tokens
from daily
order by date, chain_id, protocol, pool, asset_token
