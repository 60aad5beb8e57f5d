-- question: When had a quarter, half, 75, 90 and 99 % of the notional been liquidated?
-- reads:    liquidations
-- grain:    one row per protocol and share
-- units:    share_percent percent of what is known; *_usd US dollars, sums of what is known, null
--           when nothing is; elapsed_seconds since the first liquidation
-- twin of:  analytics.metrics.liquidation_shape.liquidation_progress
with

exits as ( -- noqa: ST03

    select
        protocol,
        block_timestamp,
        notional_usd
    from liquidations

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
