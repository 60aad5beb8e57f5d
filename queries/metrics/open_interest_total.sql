-- question: What is open over all markets, in dollars, at the end of each period?
-- reads:    open_interest
-- grain:    one row per period with an event anywhere
-- units:    *_usd US dollars, sums over what is known, null while nothing is; *_count markets that
--           have spoken, of these those with a version without a known total, and those with one
--           that only announced changes
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_total
with

-- part: open_interest_sides

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
        chain_id,
        protocol,
        market,
        bucket_at,
        (lag(bucket_at) over series is null)::integer as versions,
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

of_markets as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        sum(sum(unknown)) over so_far > 0 as is_unknown,
        sum(sum(deltas)) over so_far > 0 as is_delta,
        sum(versions - unknown) as total_known,
        sum(long_usd) as long_usd,
        sum(short_usd) as short_usd,
        sum(total_usd) as total_usd,
        sum(long_known) as long_known,
        sum(short_known) as short_known
    from moves
    group by chain_id, protocol, market, bucket_at
    window so_far as (
        partition by chain_id, protocol, market
        order by bucket_at
        rows between unbounded preceding and current row
    )

),

moved as (

    select
        bucket_at,
        total_known,
        long_usd,
        short_usd,
        total_usd,
        long_known,
        short_known,
        (lag(bucket_at) over market_periods is null)::integer as markets,
        is_unknown::integer
        - coalesce(lag(is_unknown::integer) over market_periods, 0) as unknown,
        is_delta::integer - coalesce(lag(is_delta::integer) over market_periods, 0) as deltas
    from of_markets
    window market_periods as (partition by chain_id, protocol, market order by bucket_at)

),

every_period as (

    select
        bucket_at,
        sum(markets) as markets,
        sum(unknown) as unknown,
        sum(deltas) as deltas,
        sum(total_known) as total_known,
        sum(long_usd) as long_usd,
        sum(short_usd) as short_usd,
        sum(total_usd) as total_usd,
        sum(long_known) as long_known,
        sum(short_known) as short_known
    from moved
    group by all

),

levels as (

    select
        bucket_at,
        sum(markets) over so_far as markets,
        sum(unknown) over so_far as unknown,
        sum(deltas) over so_far as deltas,
        sum(total_known) over so_far as total_known,
        sum(long_usd) over so_far as long_usd,
        sum(short_usd) over so_far as short_usd,
        sum(total_usd) over so_far as total_usd,
        sum(long_known) over so_far as long_known,
        sum(short_known) over so_far as short_known
    from every_period
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
    case when total_known > 0 then total_usd end as open_interest_total_usd
from levels
order by bucket_at
