-- question: What is open over all markets, in dollars, at the end of each period?
-- reads:    open_interest
-- grain:    one row per period with an event anywhere
-- units:    *_usd US dollars, sums over the markets that are known, null while none is; *_count
--           markets that have spoken, of these those without a known total and those that only
--           announced changes
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_total
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

totals as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        basis,
        open_interest_long_usd,
        open_interest_short_usd,
        open_interest_long_usd + open_interest_short_usd as open_interest_total_usd
    from sides

),

-- A sum over markets at any moment is the sum of how each of them moved before it.
moves as (

    select
        bucket_at,
        (lag(bucket_at) over series is null)::integer as markets,
        (open_interest_total_usd is null)::integer
        - coalesce(lag((open_interest_total_usd is null)::integer) over series, 0) as unknown,
        (basis = 'delta')::integer
        - coalesce(lag((basis = 'delta')::integer) over series, 0) as deltas,
        coalesce(open_interest_long_usd, 0)
        - coalesce(lag(open_interest_long_usd) over series, 0) as long_usd,
        coalesce(open_interest_short_usd, 0)
        - coalesce(lag(open_interest_short_usd) over series, 0) as short_usd,
        coalesce(open_interest_total_usd, 0)
        - coalesce(lag(open_interest_total_usd) over series, 0) as total_usd,
        (open_interest_long_usd is not null)::integer
        - coalesce(lag((open_interest_long_usd is not null)::integer) over series, 0)
            as long_known,
        (open_interest_short_usd is not null)::integer
        - coalesce(lag((open_interest_short_usd is not null)::integer) over series, 0)
            as short_known
    from totals
    window series as (partition by chain_id, protocol, version, market order by bucket_at)

),

moved as (

    select
        bucket_at,
        sum(markets) as markets,
        sum(unknown) as unknown,
        sum(deltas) as deltas,
        sum(long_usd) as long_usd,
        sum(short_usd) as short_usd,
        sum(total_usd) as total_usd,
        sum(long_known) as long_known,
        sum(short_known) as short_known
    from moves
    group by all

),

levels as (

    select
        bucket_at,
        sum(markets) over so_far as markets,
        sum(unknown) over so_far as unknown,
        sum(deltas) over so_far as deltas,
        sum(long_usd) over so_far as long_usd,
        sum(short_usd) over so_far as short_usd,
        sum(total_usd) over so_far as total_usd,
        sum(long_known) over so_far as long_known,
        sum(short_known) over so_far as short_known
    from moved
    window so_far as (
        order by bucket_at
        rows between unbounded preceding and current row
    )

)

select
    bucket_at,
    markets::bigint as market_count,
    unknown::bigint as unknown_market_count,
    deltas::bigint as delta_market_count,
    case when long_known > 0 then long_usd end as open_interest_long_usd,
    case when short_known > 0 then short_usd end as open_interest_short_usd,
    case when markets > unknown then total_usd end as open_interest_total_usd
from levels
order by bucket_at
