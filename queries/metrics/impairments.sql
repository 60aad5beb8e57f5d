-- question: Which loans did a pool mark down in a day, and what loss stands unrealised?
-- reads:    credit_events, pool_states
-- grain:    one row per UTC day with an impairment, a removal or a state, chain, protocol, pool and
--           asset
-- units:    *_count events; *_tokens whole tokens of the asset: written_down of the day, net of
--           removals, unrealized_loss at its end, null before the first that was told: the pool's
--           last word and what its parts changed in later blocks, else the sum of its parts
-- twin of:  analytics.metrics.credit.impairments
with

-- What is read at a block has a log index below zero and comes after what the block logged.
ordered as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        part,
        block_number,
        unrealized_loss_tokens as loss_tokens,
        part = pool as is_own,
        row(block_number, log_index < 0, log_index, item_index, tx_hash) as place,
        lag(unrealized_loss_tokens) over (
            partition by chain_id, protocol, pool, asset_token, part
            order by place
        ) as before_tokens
    from pool_states
    where unrealized_loss_tokens is not null

),

spoken as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        part,
        block_number,
        loss_tokens,
        is_own,
        place,
        before_tokens,
        sum(is_own::integer) over so_far as words,
        sum(case when is_own then 0 else loss_tokens - coalesce(before_tokens, 0) end)
            over so_far as parts_tokens
    from ordered
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by place
    )

),

worded as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        part,
        loss_tokens,
        before_tokens,
        place,
        words,
        first_value(loss_tokens) over since_word as said_tokens,
        first_value(loss_tokens - parts_tokens) over since_word as unexplained_tokens,
        not is_own and block_number > first_value(block_number) over since_word as is_since
    from spoken
    window since_word as (
        partition by chain_id, protocol, pool, asset_token, words
        order by place
    )

),

-- A pool's word stands until its next one; what parts change in a later block is on top of it. A
-- part that had not spoken had no loss but what the pool said and no other part explains.
since as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        part,
        loss_tokens,
        place,
        words,
        said_tokens,
        greatest(
            unexplained_tokens - coalesce(
                sum(case when is_since and before_tokens is null then loss_tokens end) over (
                    partition by chain_id, protocol, pool, asset_token, words
                    order by place
                    rows between unbounded preceding and 1 preceding
                ), 0
            ),
            0
        ) as rest_tokens,
        case
            when is_since
                then coalesce(loss_tokens - before_tokens, greatest(loss_tokens - rest_tokens, 0))
        end as change
    from worded

),

standing as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        place,
        words > 0 as is_own,
        case when words > 0 then pool else part end as part,
        case
            when words = 0 then loss_tokens
            else greatest(said_tokens + coalesce(sum(change) over since_word, 0), 0)
        end as standing_tokens
    from since
    window since_word as (
        partition by chain_id, protocol, pool, asset_token, words
        order by place
    )

),

told as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        kind,
        loss_tokens,
        null as is_own,
        null as change
    from credit_events
    where kind in ('impairment', 'impairment_removed')
    union all
    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        null as kind,
        null as loss_tokens,
        is_own,
        standing_tokens - coalesce(
            lag(standing_tokens) over (
                partition by chain_id, protocol, pool, asset_token, part
                order by place
            ), 0
        ) as change
    from standing

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where kind = 'impairment') as impairment_count,
        count(*) filter (where kind = 'impairment_removed') as removed_count,
        count(kind) - count(loss_tokens) as unknown_loss_count,
        coalesce(sum(loss_tokens), 0) as loss_tokens,
        sum(change) filter (where is_own) as own_change,
        sum(change) filter (where not is_own) as parts_change
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
