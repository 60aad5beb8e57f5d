-- question: How far did open interest fall from its highest point to its lowest one to come?
-- reads:    open_interest
-- grain:    one row per chain, protocol, version, market (null: all of them) and period with an event
-- units:    *_usd US dollars, *_tokens base units, null for all markets; drawdown_* -0.2 = fell by
--           20 %; lowest the lowest of later periods, peak the highest so far
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_drawdown
with

-- part: open_interest_sides

totals as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        open_interest_long_usd + open_interest_short_usd as total_usd,
        open_interest_long_tokens + open_interest_short_tokens as total_tokens
    from sides

),

moves as (

    select
        chain_id,
        protocol,
        version,
        bucket_at,
        coalesce(total_usd, 0) - coalesce(lag(total_usd, 1, 0) over series, 0) as change,
        (total_usd is null)::integer
        - coalesce(lag((total_usd is null)::integer) over series, 0) as unknown
    from totals
    window series as (partition by chain_id, protocol, version, market order by bucket_at)

),

moved as (

    select
        chain_id,
        protocol,
        version,
        bucket_at,
        sum(change) as change,
        sum(unknown) as unknown
    from moves
    group by all

),

all_markets as (

    select
        chain_id,
        protocol,
        version,
        bucket_at,
        sum(change) over so_far as known_usd,
        sum(unknown) over so_far as unknown
    from moved
    window so_far as (
        partition by chain_id, protocol, version
        order by bucket_at
        rows between unbounded preceding and current row
    )

),

every as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        total_usd,
        total_tokens
    from totals
    union all
    select
        chain_id,
        protocol,
        version,
        null as market,
        bucket_at,
        case when unknown = 0 then known_usd end as total_usd,
        null as total_tokens
    from all_markets

),

ranges as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        total_usd,
        total_tokens,
        max(total_usd) over so_far as peak_usd,
        min(total_usd) over ahead as lowest_usd,
        max(total_tokens) over so_far as peak_tokens,
        min(total_tokens) over ahead as lowest_tokens
    from every
    window
        so_far as (
            partition by chain_id, protocol, version, market
            order by bucket_at
            rows between unbounded preceding and current row
        ),
        ahead as (
            partition by chain_id, protocol, version, market
            order by bucket_at
            rows between 1 following and unbounded following
        )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
    version,
    market,
    bucket_at,
    total_usd as open_interest_total_usd,
    peak_usd,
    lowest_usd,
    total_tokens as open_interest_total_tokens,
    peak_tokens,
    lowest_tokens,
    case
        when peak_usd > 0 and lowest_usd >= 0
            then (lowest_usd - peak_usd)::varchar::double / peak_usd::varchar::double
    end as drawdown_usd_ratio,
    case
        when peak_tokens > 0 and lowest_tokens >= 0
            then (lowest_tokens - peak_tokens)::varchar::double / peak_tokens::varchar::double
    end as drawdown_tokens_ratio
from ranges
order by chain_id, protocol, version, market, bucket_at
