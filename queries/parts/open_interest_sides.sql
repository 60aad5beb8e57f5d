-- question: What is open on each side of a market at the end of each period?
-- reads:    open_interest
-- grain:    one row per chain, protocol, version, market and period with an event
-- units:    *_usd US dollars, *_tokens base units; null before the first event of a side,
--           which is zero where the other has told changes alone
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
with

placed as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        open_interest_usd,
        open_interest_tokens,
        open_interest_delta_usd,
        open_interest_delta_tokens,
        row_number() over (order by block_number, log_index, item_index, tx_hash) as place,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at
    from open_interest

),

shifted as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        open_interest_usd,
        open_interest_tokens,
        open_interest_delta_usd,
        open_interest_delta_tokens,
        place,
        bucket_at,
        sum(coalesce(open_interest_delta_usd, 0)) over series as moved_usd,
        sum(coalesce(open_interest_delta_tokens, 0)) over series as moved_tokens
    from placed
    window series as (
        partition by chain_id, protocol, version, market, is_long, collateral_token
        order by place
        rows between unbounded preceding and current row
    )

),

-- The latest absolute value and what moved since. An event that is silent about a unit leaves it
-- as it was.
states as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        open_interest_usd,
        open_interest_tokens,
        open_interest_delta_usd,
        open_interest_delta_tokens,
        place,
        bucket_at,
        moved_usd + coalesce(
            last_value(open_interest_usd - moved_usd ignore nulls) over series, 0
        ) as state_usd,
        moved_tokens + coalesce(
            last_value(open_interest_tokens - moved_tokens ignore nulls) over series, 0
        ) as state_tokens
    from shifted
    window series as (
        partition by chain_id, protocol, version, market, is_long, collateral_token
        order by place
        rows between unbounded preceding and current row
    )

),

series_ends as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        bucket_at,
        arg_max(state_usd, place) as state_usd,
        arg_max(state_tokens, place) as state_tokens,
        count(coalesce(open_interest_usd, open_interest_delta_usd)) as events_usd,
        count(coalesce(open_interest_tokens, open_interest_delta_tokens)) as events_tokens,
        count(open_interest_usd) as absolutes_usd,
        count(open_interest_tokens) as absolutes_tokens
    from states
    group by all

),

changes as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        bucket_at,
        events_usd,
        events_tokens,
        absolutes_usd,
        absolutes_tokens,
        state_usd - coalesce(lag(state_usd) over series, 0) as change_usd,
        state_tokens - coalesce(lag(state_tokens) over series, 0) as change_tokens
    from series_ends
    window series as (
        partition by chain_id, protocol, version, market, is_long, collateral_token
        order by bucket_at
    )

),

periods as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        sum(case when is_long then change_usd else 0 end) as long_usd,
        sum(case when is_long then 0 else change_usd end) as short_usd,
        sum(case when is_long then change_tokens else 0 end) as long_tokens,
        sum(case when is_long then 0 else change_tokens end) as short_tokens,
        sum(case when is_long then events_usd else 0 end) as long_events_usd,
        sum(case when is_long then 0 else events_usd end) as short_events_usd,
        sum(case when is_long then events_tokens else 0 end) as long_events_tokens,
        sum(case when is_long then 0 else events_tokens end) as short_events_tokens,
        sum(absolutes_usd) as absolutes_usd,
        sum(absolutes_tokens) as absolutes_tokens
    from changes
    group by all

),

ends as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        sum(long_usd) over so_far as long_usd,
        sum(short_usd) over so_far as short_usd,
        sum(long_tokens) over so_far as long_tokens,
        sum(short_tokens) over so_far as short_tokens,
        sum(long_events_usd) over so_far as long_events_usd,
        sum(short_events_usd) over so_far as short_events_usd,
        sum(long_events_tokens) over so_far as long_events_tokens,
        sum(short_events_tokens) over so_far as short_events_tokens,
        sum(absolutes_usd) over so_far as absolutes_usd,
        sum(absolutes_tokens) over so_far as absolutes_tokens
    from periods
    window so_far as (
        partition by chain_id, protocol, version, market
        order by bucket_at
        rows between unbounded preceding and current row
    )

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
