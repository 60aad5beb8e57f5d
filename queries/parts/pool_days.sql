-- question: What had a pool last said of itself on a day, and of its shares?
-- reads:    pool_states, share_prices
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    assets_tokens and tvl_tokens whole tokens of the asset: what the pool says that it manages,
--           else its shares at their price; share_price_tokens assets per share; supply_tokens shares;
--           holds_pools true where that is shares of other pools of the protocol
with

-- What is read at a block has a log index below zero and comes after what the block logged.
told as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        assets_tokens - coalesce(
            lag(assets_tokens) over (
                partition by chain_id, protocol, pool, asset_token
                order by block_number, log_index < 0, log_index, item_index, tx_hash
            ), 0
        ) as change
    from pool_states
    where assets_tokens is not null and part = pool

),

both_told as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(change) as change,
        null as share_price_tokens,
        null as supply_tokens
    from told
    group by all
    union all
    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        null as change,
        max_by(
            share_price_tokens,
            row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) as share_price_tokens,
        max_by(
            supply_tokens, row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) as supply_tokens
    from share_prices
    where supply_tokens is not null
    group by all

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        max(change) as change,
        max(share_price_tokens) as share_price_tokens,
        max(supply_tokens) as supply_tokens
    from both_told
    group by all

),

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

),

holders as (

    select distinct
        chain_id,
        protocol,
        pool,
        holds_pools
    from pool_states
    where holds_pools and part = pool

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
managed as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        assets_tokens,
        share_price_tokens,
        supply_tokens,
        coalesce(
            assets_tokens::varchar::double,
            share_price_tokens::varchar::double * supply_tokens::varchar::double
        ) as tvl_tokens,
        coalesce(holds_pools, false) as holds_pools
    from levels
    left join holders using (chain_id, protocol, pool)

)

select *
from managed
