-- question: When had a quarter, half, 75, 90 and 99 % of the notional of exits been closed?
-- reads:    -
-- grain:    one row per protocol of the step `exits` and share
-- units:    the step `reached`: *_usd US dollars, sums of what is known, null when nothing is
with

moments as (

    select
        protocol,
        block_timestamp,
        sum(notional_usd) as known_usd,
        count(*) - count(notional_usd) as unknown_count
    from exits
    group by all

),

closed as (

    select
        protocol,
        block_timestamp,
        unknown_count,
        sum(coalesce(known_usd, 0)) over (
            partition by protocol order by block_timestamp
        ) as closed_usd,
        sum(known_usd) over (partition by protocol) as total_usd
    from moments

),

shares as (

    select unnest([25, 50, 75, 90, 99])::bigint as share_percent

),

reached as (

    select
        closed.protocol,
        shares.share_percent,
        min(closed.block_timestamp) as first_at,
        min(closed.block_timestamp) filter (
            where closed.total_usd > 0
            and closed.closed_usd * 100 >= closed.total_usd * shares.share_percent
        ) as reached_at,
        min(closed.closed_usd) filter (
            where closed.total_usd > 0
            and closed.closed_usd * 100 >= closed.total_usd * shares.share_percent
        ) as notional_usd,
        any_value(closed.total_usd) as total_notional_usd,
        sum(closed.unknown_count)::bigint as unknown_notional_count
    from closed
    cross join shares
    group by all

)

select *
from reached
