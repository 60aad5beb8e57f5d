-- question: What is open on each side of a market, event by event, at the end of each period?
-- reads:    open_interest
-- grain:    one row per chain, protocol, version, market and period with an event
-- units:    *_usd US dollars, *_tokens base units; null before the first event of a side
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
with

-- A run starts with an absolute value and goes on with changes.
runs as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        open_interest_usd,
        open_interest_tokens,
        coalesce(open_interest_usd, open_interest_delta_usd) as step_usd,
        coalesce(open_interest_tokens, open_interest_delta_tokens) as step_tokens,
        count(open_interest_usd) over series as run_usd,
        count(open_interest_tokens) over series as run_tokens
    from open_interest
    window series as (
        partition by chain_id, protocol, version, market, is_long, collateral_token
        order by block_number, log_index, item_index, tx_hash
        rows between unbounded preceding and current row
    )

),

-- An event that is silent about a unit leaves it as it was.
states as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        open_interest_usd,
        open_interest_tokens,
        step_usd,
        step_tokens,
        sum(coalesce(step_usd, 0)) over (
            partition by
                chain_id, protocol, version, market, is_long, collateral_token, run_usd
            order by block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as state_usd,
        sum(coalesce(step_tokens, 0)) over (
            partition by
                chain_id, protocol, version, market, is_long, collateral_token, run_tokens
            order by block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as state_tokens
    from runs

),

changes as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        open_interest_usd,
        open_interest_tokens,
        step_usd,
        step_tokens,
        state_usd - coalesce(lag(state_usd) over series, 0) as change_usd,
        state_tokens - coalesce(lag(state_tokens) over series, 0) as change_tokens
    from states
    window series as (
        partition by chain_id, protocol, version, market, is_long, collateral_token
        order by block_number, log_index, item_index, tx_hash
    )

),

so_far as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_number,
        log_index,
        item_index,
        tx_hash,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        sum(case when is_long then change_usd else 0 end) over so_far as long_usd,
        sum(case when is_long then 0 else change_usd end) over so_far as short_usd,
        sum(case when is_long then change_tokens else 0 end) over so_far as long_tokens,
        sum(case when is_long then 0 else change_tokens end) over so_far as short_tokens,
        count(case when is_long then step_usd end) over so_far as long_events_usd,
        count(case when not is_long then step_usd end) over so_far as short_events_usd,
        count(case when is_long then step_tokens end) over so_far as long_events_tokens,
        count(case when not is_long then step_tokens end) over so_far as short_events_tokens,
        count(open_interest_usd) over so_far as absolutes_usd,
        count(open_interest_tokens) over so_far as absolutes_tokens
    from changes
    window so_far as (
        partition by chain_id, protocol, version, market
        order by block_number, log_index, item_index, tx_hash
        rows between unbounded preceding and current row
    )

),

ends as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        long_usd,
        short_usd,
        long_tokens,
        short_tokens,
        long_events_usd,
        short_events_usd,
        long_events_tokens,
        short_events_tokens,
        absolutes_usd,
        absolutes_tokens
    from so_far
    qualify
        row_number() over (
            partition by chain_id, protocol, version, market, bucket_at
            order by block_number desc, log_index desc, item_index desc, tx_hash desc
        ) = 1

),

-- Where only changes are announced, a side without one has not moved: its sum is zero.
sides as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        case when absolutes_usd + absolutes_tokens > 0 then 'absolute' else 'delta' end as basis,
        case
            when long_events_usd > 0 or (short_events_usd > 0 and absolutes_usd = 0)
                then long_usd
        end as open_interest_long_usd,
        case
            when short_events_usd > 0 or (long_events_usd > 0 and absolutes_usd = 0)
                then short_usd
        end as open_interest_short_usd,
        case
            when long_events_tokens > 0 or (short_events_tokens > 0 and absolutes_tokens = 0)
                then long_tokens
        end as open_interest_long_tokens,
        case
            when short_events_tokens > 0 or (long_events_tokens > 0 and absolutes_tokens = 0)
                then short_tokens
        end as open_interest_short_tokens
    from ends

)

select *
from sides
