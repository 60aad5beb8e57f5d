-- question: What does a pool manage at the end of a day, as it says or by its shares?
-- reads:    pool_states, share_prices
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset; share_price_tokens assets per share; supply_tokens
--           shares; basis state or shares
-- twin of:  analytics.metrics.yields.tvl
with

-- part: pool_days

levels as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(change) over so_far as assets_tokens,
        last_value(share_price_tokens ignore nulls) over so_far as share_price_tokens,
        last_value(supply_tokens ignore nulls) over so_far as supply_tokens
    from daily
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by date
        rows between unbounded preceding and current row
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    coalesce(
        assets_tokens::varchar::double,
        share_price_tokens::varchar::double * supply_tokens::varchar::double
    ) as tvl_tokens,
    case when assets_tokens is null then 'shares' else 'state' end as basis
from levels
order by date, chain_id, protocol, pool, asset_token
