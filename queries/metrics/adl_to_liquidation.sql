-- question: How much did each protocol deleverage beside all it liquidated?
-- reads:    adls, liquidations
-- grain:    one row per protocol with an ADL
-- units:    notional_usd US dollars, a sum of what is known, null when nothing is; the other *_usd
--           zero without a liquidation, null when one is unknown; ratios 1 = as much as was
--           liquidated, null while either is unknown
-- twin of:  analytics.metrics.adl_waves.adl_to_liquidation
with

cut as (

    select
        protocol,
        count(*) as adl_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as notional_usd
    from adls
    group by all

),

liquidated as (

    select
        protocol,
        count(*) as liquidation_count,
        count(liquidator) as backstop_count,
        case when count(*) = count(notional_usd) then sum(notional_usd) end as liquidated_usd,
        case
            when count(liquidator) = 0 then 0
            when count(liquidator) = count(notional_usd) filter (where liquidator is not null)
                then sum(notional_usd) filter (where liquidator is not null)
        end as taken_over_usd
    from liquidations
    group by all

),

beside as (

    select
        cut.protocol,
        cut.adl_count,
        cut.unknown_notional_count,
        cut.notional_usd,
        coalesce(liquidated.liquidation_count, 0) as liquidation_count,
        coalesce(liquidated.backstop_count, 0) as backstop_count,
        case
            when liquidated.liquidation_count is null then 0 else liquidated.liquidated_usd
        end as liquidation_notional_usd,
        case
            when liquidated.liquidation_count is null then 0 else liquidated.taken_over_usd
        end as backstop_notional_usd
    from cut
    left join liquidated using (protocol)

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    case
        when unknown_notional_count = 0 and liquidation_notional_usd > 0
            then notional_usd::varchar::double / liquidation_notional_usd::varchar::double
    end as adl_to_liquidation_ratio,
    case
        when unknown_notional_count = 0 and backstop_notional_usd > 0
            then notional_usd::varchar::double / backstop_notional_usd::varchar::double
    end as adl_to_backstop_ratio
from beside
order by protocol
