-- question: Who holds the shares of each pool, and what part of them?
-- reads:    pool_flows, share_prices
-- past:     pool_flows, share_prices
-- grain:    one row per chain, protocol, pool, asset and account that holds, or may; largest first
-- units:    shares_tokens whole shares and net_tokens whole tokens of the asset that an account took
--           or put in, less what it gave back or took out, since indexing began; null where an amount
--           of the account is unknown. Shares sent to others still count as the first owner's, so
--           they are below zero where another one redeems them; pool_ratio of the shares there are,
--           as told last, else of the sum of all accounts, 1 = all of them, null where nobody told the
--           former and the latter is unknown or below zero of anyone
-- param:    until timestamp 9999-12-31T00:00:00 (last moment, UTC, inclusive)
-- param:    pool text null (only this pool: its address, or the venue's own name for it)
-- param:    accounts count null (how many rows to show, all without it)
with

-- part: share_supplies
flows as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        account,
        block_timestamp,
        case
            when kind in ('withdrawal', 'redemption') then -share_tokens else share_tokens
        end as shares,
        case kind
            when 'dividend' then 0
            when 'withdrawal' then -asset_tokens
            when 'redemption' then -asset_tokens
            else asset_tokens
        end as assets
    from pool_flows
    where
        kind in ('deposit', 'mint', 'withdrawal', 'redemption', 'dividend')
        and block_timestamp <= $until
        and ($pool is null or pool = $pool)

),

held as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        account,
        case when count(*) = count(shares) then sum(shares) end as shares_tokens,
        case when count(*) = count(assets) then sum(assets) end as net_tokens,
        count(*) as flow_count,
        max(block_timestamp) as last_flow_at
    from flows
    group by all

),

holdings as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        account,
        shares_tokens,
        net_tokens,
        flow_count,
        last_flow_at,
        case
            when bool_and(coalesce(shares_tokens >= 0, false)) over of_pool
                then sum(shares_tokens) over of_pool
        end as sum_tokens
    from held
    window of_pool as (partition by chain_id, protocol, pool, asset_token)

)

select
    chain_id,
    protocol,
    pool,
    asset_token,
    account,
    flow_count,
    last_flow_at,
    net_tokens,
    shares_tokens,
    shares_tokens::varchar::double
    / nullif(coalesce(supply_tokens, sum_tokens), 0)::varchar::double as pool_ratio
from holdings
left join share_supplies using (chain_id, protocol, pool)
where shares_tokens is distinct from 0
order by
    chain_id asc,
    protocol asc,
    pool asc,
    asset_token asc,
    shares_tokens desc nulls last,
    net_tokens desc nulls last,
    account asc
limit $accounts
