-- question: How did what is open in each market move at the end of each period?
-- reads:    open_interest
-- grain:    one row per chain, protocol, version, market and period with an event
-- units:    *_usd US dollars, *_tokens base units; step_* the change of the total since the period
--           before, an unknown one counted as 0, untold_* by how much the number of unknown ones
--           changed; added up they give any several markets
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
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

steps as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        coalesce(total_usd, 0) - coalesce(lag(total_usd) over series, 0) as step_usd,
        coalesce(total_tokens, 0) - coalesce(lag(total_tokens) over series, 0) as step_tokens,
        (total_usd is null)::integer
        - coalesce(lag((total_usd is null)::integer) over series, 0) as untold_usd,
        (total_tokens is null)::integer
        - coalesce(lag((total_tokens is null)::integer) over series, 0) as untold_tokens
    from totals
    window series as (partition by chain_id, protocol, version, market order by bucket_at)

)

select *
from steps
