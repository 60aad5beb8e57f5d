-- question: How bursty are liquidations: like a clock, at random, or in bursts?
-- reads:    liquidations
-- grain:    one row per protocol with a liquidation
-- units:    *_seconds seconds; burstiness -1 like a clock, 0 at random, towards 1 in bursts;
--           under_second_share 1 = every gap is shorter than a second
-- twin of:  analytics.metrics.liquidation_shape.liquidation_burstiness
with

moments as (

    select
        protocol,
        block_timestamp,
        count(*) as event_count
    from liquidations
    group by all

),

gaps as (

    select
        protocol,
        event_count,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as gap
    from moments
    window series as (partition by protocol order by block_timestamp)

),

sums as (

    select
        protocol,
        sum(event_count)::bigint as liquidation_count,
        count(*) as moment_count,
        count(gap) as gap_count,
        sum(gap) as total,
        sum(gap::hugeint * gap::hugeint) as squares,
        count(*) filter (where gap < 1000000) as under_second_count
    from gaps
    group by all

),

-- n Σ g² - (Σ g)² is n² times the variance, in whole squared microseconds: exact in 128 bits.
spreads as (

    select
        protocol,
        liquidation_count,
        moment_count,
        gap_count,
        under_second_count,
        total::varchar::double as spread,
        sqrt((gap_count * squares - total * total)::varchar::double) as deviation
    from sums

)

select
    protocol,
    liquidation_count,
    moment_count,
    gap_count,
    under_second_count,
    spread / (gap_count * 1000000) as mean_gap_seconds,
    deviation / (gap_count * 1000000) as sd_gap_seconds,
    (deviation - spread) / (deviation + spread) as burstiness,
    case
        when gap_count > 0 then under_second_count::double / gap_count::double
    end as under_second_share
from spreads
order by protocol
