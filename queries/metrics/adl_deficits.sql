-- question: What did losers owe beyond their equity over an episode of ADLs, each position once?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per protocol with an ADL
-- units:    *_count waves or positions; deficit_usd US dollars, null while a position is not known;
--           all but wave_count null where none was ever told on one of its chains with an ADL
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    tolerance_seconds natural 5 (how old a mark may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_solvency.adl_deficits
with

-- part: adl_positions

-- A position that stands below zero after nine waves owes once.
owing as (

    select
        protocol,
        count(*) = count(
            case
                when entry > 0 and is_long then margin + value - entry
                when entry > 0 then margin + entry - value
            end
        ) as is_known,
        greatest(
            0,
            -min(
                case
                    when entry > 0 and is_long then margin + value - entry
                    when entry > 0 then margin + entry - value
                end
            )
        ) as owed
    from positions
    group by
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id

),

sums as (

    select
        protocol,
        count(*) as position_count,
        count(*) filter (where is_known) as known_count,
        count(*) filter (where is_known and owed > 0) as owing_count,
        sum(owed)::varchar::double / 1000000 as owed_usd
    from owing
    group by all

),

spans as (

    select
        protocol,
        count(distinct ends.wave) as wave_count,
        count(*) = count(venues.is_told) as is_told
    from ends
    left join venues using (chain_id, protocol)
    group by protocol

)

select
    spans.protocol,
    spans.wave_count,
    case when spans.is_told then coalesce(sums.position_count, 0) end as position_count,
    case when spans.is_told then coalesce(sums.known_count, 0) end as known_count,
    case when spans.is_told then coalesce(sums.owing_count, 0) end as owing_count,
    case
        when not spans.is_told then null
        when sums.position_count is null then 0
        when sums.position_count = sums.known_count then sums.owed_usd
    end as deficit_usd
from spans
left join sums using (protocol)
order by spans.protocol
