-- question: When had a quarter, half, 75, 90 and 99 % of the notional been deleveraged?
-- reads:    adls
-- grain:    one row per protocol and share
-- units:    share_percent percent of what is known; *_usd US dollars, sums of what is known, null
--           when nothing is; elapsed_seconds since the first ADL
-- twin of:  analytics.metrics.adl_waves.adl_progress
with

exits as ( -- noqa: ST03

    select
        protocol,
        block_timestamp,
        notional_usd
    from adls

),

-- part: exit_progress

progress as (

    select
        protocol,
        share_percent,
        first_at,
        reached_at,
        notional_usd,
        total_notional_usd,
        unknown_notional_count,
        (epoch_us(reached_at) - epoch_us(first_at)) / 1000000 as elapsed_seconds
    from reached

)

select *
from progress
order by protocol, share_percent
