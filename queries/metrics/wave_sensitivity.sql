-- question: How many waves of ADLs and liquidations are there, by the silence that ends one?
-- reads:    adls, liquidations
-- grain:    one row per protocol, cause (adl, liquidation) and gap
-- units:    *_seconds seconds; largest_share 0.3 = 30 % of the protocol's notional
-- twin of:  analytics.metrics.adl_waves.wave_sensitivity
with

events as (

    select
        protocol,
        'adl' as cause,
        block_timestamp,
        notional_usd
    from adls
    union all
    select
        protocol,
        'liquidation' as cause,
        block_timestamp,
        notional_usd
    from liquidations

),

silences as (

    select
        protocol,
        cause,
        block_timestamp,
        notional_usd,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as silence
    from events
    window series as (partition by protocol, cause order by block_timestamp)

),

gaps as (

    select unnest([1, 2, 5, 10, 30, 60, 300])::bigint as gap_seconds

),

numbered as (

    select
        silences.protocol,
        silences.cause,
        gaps.gap_seconds,
        silences.block_timestamp,
        silences.notional_usd,
        count(case when silences.silence > gaps.gap_seconds * 1000000 then 1 end) over (
            partition by silences.protocol, silences.cause, gaps.gap_seconds
            order by silences.block_timestamp
        ) as wave
    from silences
    cross join gaps

),

waves as (

    select
        protocol,
        cause,
        gap_seconds,
        wave,
        count(*) as event_count,
        count(*) - count(notional_usd) as unknown_count,
        (epoch_us(max(block_timestamp)) - epoch_us(min(block_timestamp)))
        / 1000000 as length_seconds,
        sum(notional_usd) as notional_usd
    from numbered
    group by all

),

sums as (

    select
        protocol,
        cause,
        gap_seconds,
        sum(event_count)::bigint as event_count,
        count(*) as wave_count,
        count(case when event_count = 1 then 1 end) as single_count,
        max(length_seconds) as longest_seconds,
        sum(unknown_count) as unknown_count,
        max(notional_usd) as largest_usd,
        sum(notional_usd) as notional_usd
    from waves
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    cause,
    gap_seconds,
    event_count,
    wave_count,
    single_count,
    longest_seconds,
    case
        when unknown_count = 0 and notional_usd > 0
            then largest_usd::varchar::double / notional_usd::varchar::double
    end as largest_share
from sums
order by protocol, cause, gap_seconds
