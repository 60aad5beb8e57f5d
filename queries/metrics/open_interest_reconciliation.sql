-- question: Do positions add up to the open interest a venue says?
-- reads:    open_interest, position_changes
-- grain:    one row per chain, protocol, version, market and period with an event of open interest
-- units:    *_usd US dollars, *_tokens base units; events from positions, state as the venue says,
--           error = events - state; *_bps 0.01 % of the state
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_reconciliation
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

),

moves as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        true as is_state,
        open_interest_long_usd + open_interest_short_usd as state_usd,
        open_interest_long_tokens + open_interest_short_tokens as state_tokens,
        null as change_usd,
        null as change_tokens,
        0 as unknown_usd,
        0 as unknown_tokens
    from sides
    union all
    select
        chain_id,
        protocol,
        version,
        market,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        false as is_state,
        null as state_usd,
        null as state_tokens,
        coalesce(sum(notional_delta_usd), 0) as change_usd,
        coalesce(sum(size_delta_tokens), 0) as change_tokens,
        count(*) - count(notional_delta_usd) as unknown_usd,
        count(*) - count(size_delta_tokens) as unknown_tokens
    from position_changes
    group by all

),

buckets as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        bool_or(is_state) as is_state,
        max(state_usd) as state_usd,
        max(state_tokens) as state_tokens,
        sum(change_usd) as change_usd,
        sum(change_tokens) as change_tokens,
        sum(unknown_usd) as unknown_usd,
        sum(unknown_tokens) as unknown_tokens
    from moves
    group by all

),

summed as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        is_state,
        state_usd,
        state_tokens,
        case when sum(unknown_usd) over so_far = 0 then sum(change_usd) over so_far end
            as events_usd,
        case when sum(unknown_tokens) over so_far = 0 then sum(change_tokens) over so_far end
            as events_tokens
    from buckets
    window so_far as (
        partition by chain_id, protocol, version, market
        order by bucket_at
        rows between unbounded preceding and current row
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
    version,
    market,
    bucket_at,
    events_usd,
    events_tokens,
    state_usd,
    state_tokens,
    events_usd - state_usd as error_usd,
    events_tokens - state_tokens as error_tokens,
    case
        when state_usd > 0
            then (events_usd - state_usd)::varchar::double / state_usd::varchar::double * 10000
    end as error_usd_bps,
    case
        when state_tokens > 0
            then
                (events_tokens - state_tokens)::varchar::double
                / state_tokens::varchar::double
                * 10000
    end as error_tokens_bps
from summed
where is_state
order by chain_id, protocol, version, market, bucket_at
