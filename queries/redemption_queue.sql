-- question: What was asked back from each pool and is not paid yet?
-- reads:    pool_flows, share_prices
-- past:     pool_flows, share_prices
-- grain:    one row per chain, protocol and pool of which a request was told up to the moment
-- units:    *_tokens whole shares where counted_in says so, else whole tokens of the asset: sums of
--           what is known, null when nothing is; waiting_tokens what was requested, less what was
--           taken back and what was paid, null while an amount is unknown (unknown_count flows), and
--           below zero where more was paid than requested since indexing began; waiting_ratio of the
--           shares there are, as told last, 1 = all of them
-- param:    until timestamp 9999-12-31T00:00:00 (last moment, UTC, inclusive)
with

-- part: share_supplies
queues as (

    select
        chain_id,
        protocol,
        pool,
        bool_or(share_tokens is not null) as is_in_shares
    from pool_flows
    where kind = 'withdrawal_request' and block_timestamp <= $until
    group by all

),

flows as (

    select
        chain_id,
        protocol,
        pool,
        is_in_shares,
        block_timestamp,
        case
            when kind in ('withdrawal', 'redemption') then 'paid'
            else kind
        end as way,
        case when is_in_shares then share_tokens else asset_tokens end as tokens
    from pool_flows
    inner join queues using (chain_id, protocol, pool)
    where
        kind in ('withdrawal_request', 'withdrawal_request_removed', 'withdrawal', 'redemption')
        and block_timestamp <= $until

),

queued as (

    select
        chain_id,
        protocol,
        pool,
        case when is_in_shares then 'shares' else 'assets' end as counted_in,
        count(*) filter (where way = 'withdrawal_request') as request_count,
        sum(tokens) filter (where way = 'withdrawal_request') as requested_tokens,
        sum(tokens) filter (where way = 'withdrawal_request_removed') as removed_tokens,
        sum(tokens) filter (where way = 'paid') as paid_tokens,
        count(*) - count(tokens) as unknown_count,
        max(block_timestamp) filter (where way = 'withdrawal_request') as last_request_at,
        max(block_timestamp) filter (where way = 'paid') as last_paid_at
    from flows
    group by all

)

select
    chain_id,
    protocol,
    pool,
    counted_in,
    request_count,
    requested_tokens,
    removed_tokens,
    paid_tokens,
    unknown_count,
    last_request_at,
    last_paid_at,
    case
        when unknown_count = 0
            then requested_tokens - coalesce(removed_tokens, 0) - coalesce(paid_tokens, 0)
    end as waiting_tokens,
    case
        when counted_in = 'shares'
            then waiting_tokens::varchar::double / nullif(supply_tokens, 0)::varchar::double
    end as waiting_ratio
from queued
left join share_supplies using (chain_id, protocol, pool)
order by chain_id, protocol, pool
