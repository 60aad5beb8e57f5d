-- question: How much more does a pool manage than it did a year before?
-- reads:    pool_states, share_prices
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset; growth_ratio 9 = ten times as much
-- param:    window_days count 365 (how far back to look for the earlier day)
-- twin of:  analytics.metrics.yields.tvl_growth
with

-- part: pool_days

named as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        tvl_tokens,
        coalesce(asset_token, '') as asset,
        (date - to_days($window_days::integer))::date as back
    from managed

)

select
    later.date,
    later.chain_id,
    later.protocol,
    later.pool,
    later.asset_token,
    later.tvl_tokens,
    earlier.date as earlier_date,
    earlier.tvl_tokens as earlier_tvl_tokens,
    case
        when earlier.tvl_tokens > 0
            then (later.tvl_tokens - earlier.tvl_tokens) / earlier.tvl_tokens
    end as growth_ratio
from named as later
asof left join named as earlier
    on
        later.chain_id = earlier.chain_id
        and later.protocol = earlier.protocol
        and later.pool = earlier.pool
        and later.asset = earlier.asset
        and later.back >= earlier.date
order by later.date, later.chain_id, later.protocol, later.pool, later.asset_token
