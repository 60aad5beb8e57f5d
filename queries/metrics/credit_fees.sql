-- question: What did lending and managing money earn in a day, and who got it?
-- reads:    fees, markets
-- grain:    one row per UTC day, chain, protocol, pool, fee kind and token
-- units:    *_tokens whole tokens of the fee's own, *_usd US dollars, sums of what is known, null
--           when nothing is; *_count fees
-- twin of:  analytics.metrics.credit.credit_fees
with

own as (

    select
        chain_id,
        protocol,
        market,
        max(parent) as parent
    from markets
    where asset_class = 'credit'
    group by all

),

-- A loan belongs to a manager, a manager to a pool.
pools as (

    select
        own.chain_id,
        own.protocol,
        own.market,
        coalesce(mother.parent, own.parent, own.market) as pool
    from own
    left join own as mother
        on
            own.chain_id = mother.chain_id
            and own.protocol = mother.protocol
            and own.parent = mother.market

),

charged as (

    select
        fees.*,
        coalesce(pools.pool, fees.market) as pool
    from fees
    left join pools using (chain_id, protocol, market)

)

select
    block_timestamp::date as date,
    chain_id,
    protocol,
    pool,
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
from charged
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
