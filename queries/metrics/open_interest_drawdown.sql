-- question: How far did open interest fall from its highest point to its lowest one to come?
-- reads:    open_interest
-- grain:    one row per chain, protocol, market (null: all of them) and period with an event
-- units:    *_usd US dollars, *_tokens base units, null for all markets; drawdown_* -0.2 = fell by
--           20 %; lowest the lowest of later periods, peak the highest so far; versions added
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_drawdown
with

-- part: open_interest_levels

moved as (

    select
        chain_id,
        protocol,
        bucket_at,
        sum(step_usd) as step_usd,
        sum(untold_usd) as untold_usd
    from steps
    group by all

),

all_markets as (

    select
        chain_id,
        protocol,
        bucket_at,
        sum(step_usd) over so_far as known_usd,
        sum(untold_usd) over so_far as untold_usd
    from moved
    window so_far as (
        partition by chain_id, protocol
        order by bucket_at
        rows between unbounded preceding and current row
    )

),

every as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        total_usd,
        total_tokens
    from levels
    union all
    select
        chain_id,
        protocol,
        null as market,
        bucket_at,
        case when untold_usd = 0 then known_usd end as total_usd,
        null as total_tokens
    from all_markets

),

ranges as (

    select
        chain_id,
        protocol,
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
            partition by chain_id, protocol, market
            order by bucket_at
            rows between unbounded preceding and current row
        ),
        ahead as (
            partition by chain_id, protocol, market
            order by bucket_at
            rows between 1 following and unbounded following
        )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
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
order by chain_id, protocol, market, bucket_at
