-- question: What has a pool lent and not got back, by its loans' events and by its state?
-- reads:    credit_events, pool_states
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset; null before the first loan funded or the first
--           state, events also from the first one on that does not tell its amount; difference =
--           events - state
-- twin of:  analytics.metrics.credit.loans_outstanding
with

-- part: loan_changes
-- What is read at a block has a log index below zero and comes after what the block logged.
told as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        is_funded,
        change,
        null as is_own,
        null as state_change
    from loan_changes
    union all
    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        null as is_funded,
        null as change,
        part = pool as is_own,
        principal_tokens - coalesce(
            lag(principal_tokens) over (
                partition by chain_id, protocol, pool, asset_token, part
                order by block_number, log_index < 0, log_index, item_index, tx_hash
            ), 0
        ) as state_change
    from pool_states
    where principal_tokens is not null

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(change) as lent_change,
        count(is_funded) - count(change) as unknown_change,
        count(*) filter (where is_funded) as funded_change,
        sum(state_change) filter (where is_own) as own_change,
        sum(state_change) filter (where not is_own) as parts_change
    from told
    group by all

),

levels as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(lent_change) over so_far as lent_tokens,
        (sum(unknown_change) over so_far)::bigint as unknown_count,
        sum(funded_change) over so_far as funded_count,
        coalesce(
            sum(own_change) over so_far, sum(parts_change) over so_far
        ) as principal_state_tokens
    from daily
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by date
        rows between unbounded preceding and current row
    )

),

known as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        unknown_count,
        principal_state_tokens,
        case when unknown_count = 0 and funded_count > 0 then lent_tokens end as known_tokens
    from levels

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    unknown_count,
    principal_state_tokens,
    known_tokens as principal_events_tokens,
    known_tokens - principal_state_tokens as difference_tokens
from known
order by date, chain_id, protocol, pool, asset_token
