-- question: How fast are positions liquidated in the window that follows each moment?
-- reads:    liquidations
-- grain:    one row per protocol and moment with a liquidation
-- units:    notional_usd US dollars in the window, a sum of what is known, null when nothing is;
--           velocity_usd_per_second US dollars per second
-- param:    window_seconds count 60 (length of the window, its end excluded)
-- twin of:  analytics.metrics.liquidations.liquidation_velocity
with

moments as (

    select
        protocol,
        block_timestamp,
        count(*) as event_count,
        sum(notional_usd) as event_usd,
        to_microseconds($window_seconds::bigint * 1000000 - 1) as reach
    from liquidations
    group by all

),

windows as (

    select
        protocol,
        block_timestamp,
        (sum(event_count) over ahead)::bigint as liquidation_count,
        sum(event_usd) over ahead as notional_usd
    from moments
    window ahead as (
        partition by protocol
        order by block_timestamp
        range between current row and reach following
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    block_timestamp,
    liquidation_count,
    notional_usd,
    notional_usd::varchar::double / $window_seconds as velocity_usd_per_second
from windows
order by protocol, block_timestamp
