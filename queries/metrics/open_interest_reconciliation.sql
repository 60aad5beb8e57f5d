-- question: Do positions add up to the open interest a venue says?
-- reads:    open_interest, position_changes
-- grain:    one row per chain, protocol, market and period with an event of open interest
-- units:    *_usd US dollars, *_tokens base units; events from positions, state as the venue says,
--           versions added; error = events - state; *_bps 0.01 % of the state
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_reconciliation
with

-- part: open_interest_levels

moves as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        true as is_state,
        total_usd as state_usd,
        total_tokens as state_tokens,
        null as change_usd,
        null as change_tokens,
        0 as unknown_usd,
        0 as unknown_tokens
    from levels
    union all
    select
        chain_id,
        protocol,
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
        partition by chain_id, protocol, market
        order by bucket_at
        rows between unbounded preceding and current row
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
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
order by chain_id, protocol, market, bucket_at
