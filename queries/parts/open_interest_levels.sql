-- question: What is open in each market, of all its versions, at the end of each period?
-- reads:    open_interest
-- grain:    one row per chain, protocol, market and period with an event
-- units:    the step `levels`: total_usd US dollars, total_tokens base units, null while a version
--           that has spoken is unknown. The step `steps`, of each version: step_* the change of the
--           total since the period before, an unknown one counted as 0, untold_* by how much the
--           number of unknown ones changed, told_tokens that of known ones; added up they give any
--           several markets
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
        basis,
        open_interest_long_usd + open_interest_short_usd as total_usd,
        open_interest_long_tokens + open_interest_short_tokens as total_tokens
    from sides

),

-- What is worth nothing is no tokens, whoever tells dollars alone.
known as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        total_usd,
        total_tokens,
        (total_usd is null)::integer as is_untold_usd,
        (
            total_tokens is null
            and not coalesce(basis = 'absolute' and total_usd = 0, false)
        )::integer as is_untold_tokens,
        (total_tokens is not null)::integer as is_told_tokens
    from totals

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
        is_untold_usd - coalesce(lag(is_untold_usd) over series, 0) as untold_usd,
        is_untold_tokens - coalesce(lag(is_untold_tokens) over series, 0) as untold_tokens,
        is_told_tokens - coalesce(lag(is_told_tokens) over series, 0) as told_tokens
    from known
    window series as (partition by chain_id, protocol, version, market order by bucket_at)

),

-- A venue's next release closes what an earlier one opened: what is open is of all.
stepped as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        sum(step_usd) as step_usd,
        sum(step_tokens) as step_tokens,
        sum(untold_usd) as untold_usd,
        sum(untold_tokens) as untold_tokens,
        sum(told_tokens) as told_tokens
    from steps
    group by all

),

levels as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        case when sum(untold_usd) over so_far = 0 then sum(step_usd) over so_far end as total_usd,
        case
            when sum(untold_tokens) over so_far = 0 and sum(told_tokens) over so_far > 0
                then sum(step_tokens) over so_far
        end as total_tokens
    from stepped
    window so_far as (
        partition by chain_id, protocol, market
        order by bucket_at
        rows between unbounded preceding and current row
    )

)

select *
from levels
