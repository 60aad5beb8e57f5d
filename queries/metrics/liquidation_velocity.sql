-- question: How fast are positions liquidated in the window that follows each moment?
-- reads:    liquidations
-- grain:    one row per protocol and moment with a liquidation
-- units:    notional_usd US dollars in the window, a sum of what is known, null when nothing is;
--           velocity_usd_per_second US dollars per second; acceleration_usd_per_second_squared what
--           that gained since the window before, per second, null while a notional is unknown
-- param:    window_seconds count 60 (length of the window, its end excluded)
-- twin of:  analytics.metrics.liquidations.liquidation_velocity
with

moments as (

    select
        protocol,
        block_timestamp,
        count(*) as event_count,
        count(notional_usd) as known_count,
        coalesce(sum(notional_usd), 0) as event_usd
    from liquidations
    group by all

),

so_far as (

    select
        protocol,
        block_timestamp,
        event_count,
        known_count,
        event_usd,
        (sum(event_count) over earlier)::bigint as count_so_far,
        (sum(known_count) over earlier)::bigint as known_so_far,
        sum(event_usd) over earlier as usd_so_far,
        block_timestamp + to_microseconds($window_seconds::bigint * 1000000 - 1) as until,
        block_timestamp - to_microseconds($window_seconds::bigint * 1000000) as since
    from moments
    window earlier as (
        partition by protocol
        order by block_timestamp
        rows between unbounded preceding and current row
    )

),

-- What there is up to the end of the window, less what was there before it.
windows as (

    select
        first.protocol,
        first.block_timestamp,
        last.count_so_far - first.count_so_far + first.event_count as liquidation_count,
        last.known_so_far - first.known_so_far + first.known_count as known_count,
        last.usd_so_far - first.usd_so_far + first.event_usd as known_usd,
        first.known_so_far - first.known_count - coalesce(earlier.known_so_far, 0) as known_before,
        first.count_so_far - first.event_count - coalesce(earlier.count_so_far, 0) as count_before,
        first.usd_so_far - first.event_usd - coalesce(earlier.usd_so_far, 0) as usd_before
    from so_far as first
    asof join so_far as last
        on first.protocol = last.protocol and first.until >= last.block_timestamp
    asof left join so_far as earlier
        on first.protocol = earlier.protocol and first.since > earlier.block_timestamp

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    block_timestamp,
    liquidation_count,
    liquidation_count - known_count as unknown_notional_count,
    case when known_count > 0 then known_usd end as notional_usd,
    case
        when known_count > 0 then known_usd::varchar::double / $window_seconds
    end as velocity_usd_per_second,
    case
        when known_count = liquidation_count and known_before = count_before
            then
                (known_usd - usd_before)::varchar::double
                / ($window_seconds::double * $window_seconds)
    end as acceleration_usd_per_second_squared
from windows
order by protocol, block_timestamp
