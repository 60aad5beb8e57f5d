-- question: Which loans did a pool mark down in a day, and what loss stands unrealised?
-- reads:    credit_events, pool_states
-- grain:    one row per UTC day with an impairment, a removal or a state, chain, protocol, pool and
--           asset
-- units:    *_count events; *_tokens whole tokens of the asset: written_down of the day, net of
--           removals, unrealized_loss at its end, null before the first that was told
-- twin of:  analytics.metrics.credit.impairments
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
        unrealized_loss_tokens - coalesce(
            lag(unrealized_loss_tokens) over (
                partition by chain_id, protocol, pool, asset_token, part
                order by block_number, log_index < 0, log_index, item_index, tx_hash
            ), 0
        ) as change
    from pool_states
    where unrealized_loss_tokens is not null

),

moved as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where kind = 'impairment') as impairment_count,
        count(*) filter (where kind = 'impairment_removed') as removed_count,
        count(*) - count(loss_tokens) as unknown_loss_count,
        sum(loss_tokens) as loss_tokens,
        null as own_change,
        null as parts_change
    from credit_events
    where kind in ('impairment', 'impairment_removed')
    group by all
    union all
    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        0 as impairment_count,
        0 as removed_count,
        0 as unknown_loss_count,
        null as loss_tokens,
        sum(change) filter (where is_own) as own_change,
        sum(change) filter (where not is_own) as parts_change
    from told
    group by all

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(impairment_count)::bigint as impairment_count,
        sum(removed_count)::bigint as removed_count,
        sum(unknown_loss_count)::bigint as unknown_loss_count,
        coalesce(sum(loss_tokens), 0) as loss_tokens,
        sum(own_change) as own_change,
        sum(parts_change) as parts_change
    from moved
    group by all

),

levels as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        impairment_count,
        removed_count,
        unknown_loss_count,
        loss_tokens,
        coalesce(
            sum(own_change) over so_far, sum(parts_change) over so_far
        ) as unrealized_loss_tokens
    from daily
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by date
        rows between unbounded preceding and current row
    )

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    impairment_count,
    removed_count,
    unknown_loss_count,
    unrealized_loss_tokens,
    case
        when
            impairment_count + removed_count = 0
            or impairment_count + removed_count > unknown_loss_count
            then loss_tokens
    end as written_down_tokens
from levels
order by date, chain_id, protocol, pool, asset_token
