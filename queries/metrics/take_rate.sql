-- question: What share of a day's fees does a protocol keep?
-- reads:    fees
-- grain:    one row per UTC day and protocol
-- units:    *_usd US dollars, null when any fee's part is unknown; take_rate 0.37 = 37 %
-- twin of:  analytics.metrics.income.take_rate
with

daily as (

    select
        block_timestamp::date as date,
        protocol,
        case
            when count(*) = count(supply_side_usd) then sum(supply_side_usd)
        end as supply_side_usd,
        case
            when count(*) = count(fee_usd - supply_side_usd) then sum(fee_usd - supply_side_usd)
        end as revenue_usd
    from fees
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    date,
    protocol,
    supply_side_usd,
    revenue_usd,
    case
        when supply_side_usd + revenue_usd > 0
            then
                revenue_usd::varchar::double
                / (supply_side_usd + revenue_usd)::varchar::double
    end as take_rate
from daily
order by date, protocol
