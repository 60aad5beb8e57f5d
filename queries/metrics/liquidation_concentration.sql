-- question: What is the shortest time in which a given share of all liquidations happened?
-- reads:    liquidations
-- grain:    one row per protocol with a liquidation
-- units:    *_usd US dollars, sums of what is known, null when nothing is; notional_share
--           1 = all that is known
-- param:    share_percent count 70 (how much of the notional the window holds at least, percent)
-- twin of:  analytics.metrics.liquidation_shape.liquidation_concentration
with

totals as (

    select
        protocol,
        sum(notional_usd) as total_notional_usd,
        count(*) as liquidation_count,
        count(*) - count(notional_usd) as unknown_notional_count
    from liquidations
    group by all

),

moments as (

    select
        protocol,
        block_timestamp,
        sum(notional_usd) as known_usd
    from liquidations
    group by all
    having sum(notional_usd) > 0

),

closed as (

    select
        protocol,
        block_timestamp,
        known_usd,
        sum(known_usd) over (partition by protocol order by block_timestamp) as closed_usd
    from moments

),

starts as (

    select
        closed.protocol,
        closed.block_timestamp as first_at,
        closed.closed_usd - closed.known_usd as before_usd,
        (closed.closed_usd - closed.known_usd) * 100
        + totals.total_notional_usd * $share_percent::integer as wanted
    from closed
    inner join totals using (protocol)

),

ends as (

    select
        protocol,
        block_timestamp as last_at,
        closed_usd,
        closed_usd * 100 as reached
    from closed

),

shortest as (

    select
        starts.protocol,
        starts.first_at,
        ends.last_at,
        ends.closed_usd - starts.before_usd as notional_usd
    from starts
    asof inner join ends
        on starts.protocol = ends.protocol and starts.wanted <= ends.reached
    qualify
        row_number() over (
            partition by starts.protocol
            order by ends.last_at - starts.first_at, starts.first_at
        ) = 1

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    totals.protocol,
    totals.liquidation_count,
    totals.unknown_notional_count,
    totals.total_notional_usd,
    shortest.first_at,
    shortest.last_at,
    shortest.notional_usd,
    (epoch_us(shortest.last_at) - epoch_us(shortest.first_at)) / 1000000 as length_seconds,
    case
        when totals.total_notional_usd > 0
            then
                shortest.notional_usd::varchar::double
                / totals.total_notional_usd::varchar::double
    end as notional_share
from totals
left join shortest on totals.protocol = shortest.protocol
order by totals.protocol
