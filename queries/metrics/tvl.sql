-- question: What does a pool manage at the end of a day, as it says or by its shares?
-- reads:    pool_states, share_prices
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset; share_price_tokens assets per share; supply_tokens
--           shares; basis state or shares; holds_pools true where what is managed is shares of other
--           pools of the protocol, which tell of it as well: not to be added to theirs
-- twin of:  analytics.metrics.yields.tvl
with

-- part: pool_days

based as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        assets_tokens,
        share_price_tokens,
        supply_tokens,
        tvl_tokens,
        holds_pools,
        case when assets_tokens is null then 'shares' else 'state' end as basis
    from managed

)

select *
from based
order by date, chain_id, protocol, pool, asset_token
