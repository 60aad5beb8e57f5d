-- question: What part of what a pool manages is lent at the end of a day?
-- reads:    pool_states
-- grain:    one row per UTC day with either, chain, protocol, pool and asset, of pools that ever told
--           what they lend
-- units:    *_tokens whole tokens of the asset, null before the first; utilisation 0.9 = 90 %
-- twin of:  analytics.metrics.yields.utilisation
with

-- What is read at a block has a log index below zero and comes after what the block logged.
told as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        part = pool as is_own,
        principal_tokens - coalesce(
            lag(principal_tokens ignore nulls) over words, 0
        ) as principal_change,
        assets_tokens - coalesce(lag(assets_tokens ignore nulls) over words, 0) as assets_change
    from pool_states
    window words as (
        partition by chain_id, protocol, pool, asset_token, part
        order by block_number, log_index < 0, log_index, item_index, tx_hash
    )

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(principal_change) filter (where is_own) as own_change,
        sum(principal_change) filter (where not is_own) as parts_change,
        sum(assets_change) filter (where is_own) as assets_change
    from told
    where principal_change is not null or (is_own and assets_change is not null)
    group by all

),

levels as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        coalesce(
            sum(own_change) over so_far, sum(parts_change) over so_far
        ) as principal_tokens,
        sum(assets_change) over so_far as assets_tokens
    from daily
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by date
        rows between unbounded preceding and current row
    )

),

lending as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        principal_tokens,
        assets_tokens,
        bool_or(principal_tokens is not null) over (
            partition by chain_id, protocol, pool, asset_token
        ) as is_lender
    from levels

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    principal_tokens,
    assets_tokens,
    case
        when assets_tokens > 0
            then principal_tokens::varchar::double / assets_tokens::varchar::double
    end as utilisation
from lending
where is_lender
order by date, chain_id, protocol, pool, asset_token
