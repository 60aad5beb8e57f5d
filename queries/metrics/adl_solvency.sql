-- question: What could winners still win after a wave of ADLs, against what losers owed?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per chain, protocol, version, market and wave
-- units:    mark_price_usd, gains_usd, deficit_usd US dollars; ptsr, pmr, needed_ratio 1 = as much;
--           all but the price null while a position is not known, the counts too where no position
--           of the venue was ever told
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    tolerance_seconds natural 5 (how old a mark may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_solvency.adl_solvency
with

-- part: adl_positions

gains as (

    select
        chain_id,
        protocol,
        version,
        market,
        wave,
        margin,
        case
            when entry > 0 and is_long then value - entry
            when entry > 0 then entry - value
        end as gain
    from positions

),

sums as (

    select
        chain_id,
        protocol,
        version,
        market,
        wave,
        count(*) as open_count,
        count(margin + gain) as known_count,
        sum(greatest(0, gain))::varchar::double as gains,
        sum(greatest(0, -(margin + gain)))::varchar::double as owed,
        max(greatest(0, gain))::varchar::double as largest_gain,
        max(greatest(0, -(margin + gain)))::varchar::double as largest_owed
    from gains
    group by all

),

counted as (

    select
        ends.chain_id,
        ends.protocol,
        ends.version,
        ends.market,
        ends.wave,
        ends.last_at,
        ends.mark_price_usd,
        case when venues.is_told then coalesce(sums.open_count, 0) end as open_count,
        case when venues.is_told then coalesce(sums.known_count, 0) end as known_count,
        venues.is_told and coalesce(sums.open_count = sums.known_count, true) as is_known,
        case when is_known then coalesce(sums.gains, 0) end as gains,
        case when is_known then coalesce(sums.owed, 0) end as owed,
        case when is_known then coalesce(sums.largest_gain, 0) end as largest_gain,
        case when is_known then coalesce(sums.largest_owed, 0) end as largest_owed
    from ends
    left join sums using (chain_id, protocol, version, market, wave)
    left join venues using (chain_id, protocol)

)

select
    chain_id,
    protocol,
    version,
    market,
    wave,
    last_at,
    mark_price_usd,
    open_count,
    known_count,
    gains / 1000000 as gains_usd,
    owed / 1000000 as deficit_usd,
    case when owed > 0 then gains / owed end as ptsr,
    case when largest_owed > 0 then largest_gain / largest_owed end as pmr,
    case when gains > 0 then least(owed, gains) / gains end as needed_ratio
from counted
order by chain_id, protocol, version, market, wave
