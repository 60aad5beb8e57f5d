-- question: How many cascades are there across protocols, by the silence that ends one?
-- reads:    adls, credit_events, liquidations, shortfalls, tokens, oracle_updates
-- grain:    one row per gap, none without a forced exit
-- units:    *_seconds seconds; largest_share 0.3 = 30 % of all notional, null while one is unknown
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.sessions.session_sensitivity
with

-- part: forced_silences

gaps as (

    select unnest([5, 12, 30, 60, 300, 900])::bigint as gap_seconds

),

numbered as (

    select
        gaps.gap_seconds,
        silences.protocol,
        silences.block_timestamp,
        silences.notional_usd,
        count(case when silences.silence > gaps.gap_seconds * 1000000 then 1 end) over (
            partition by gaps.gap_seconds order by silences.block_timestamp
        ) as session
    from silences
    cross join gaps

),

sessions as (

    select
        gap_seconds,
        session,
        count(*) as event_count,
        count(distinct protocol) as protocol_count,
        count(*) - count(notional_usd) as unknown_count,
        (epoch_us(max(block_timestamp)) - epoch_us(min(block_timestamp)))
        / 1000000 as length_seconds,
        sum(notional_usd) as notional_usd
    from numbered
    group by all

),

sums as (

    select
        gap_seconds,
        sum(event_count)::bigint as event_count,
        count(*) as session_count,
        count(case when event_count = 1 then 1 end) as single_count,
        count(case when protocol_count > 1 then 1 end) as shared_count,
        max(protocol_count) as most_protocol_count,
        max(length_seconds) as longest_seconds,
        sum(unknown_count) as unknown_count,
        max(notional_usd) as largest_usd,
        sum(notional_usd) as notional_usd
    from sessions
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    * exclude (unknown_count, largest_usd, notional_usd),
    case
        when unknown_count = 0 and notional_usd > 0
            then largest_usd::varchar::double / notional_usd::varchar::double
    end as largest_share
from sums
order by gap_seconds
