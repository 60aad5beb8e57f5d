-- question: What would a protocol earn in a year like the days up to this one?
-- reads:    fees
-- grain:    one row per protocol and UTC day with a fee
-- units:    *_usd US dollars over the window, null when any part is unknown; *_annual_usd US dollars
--           a year, null also until the protocol's fees reach back a whole window
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- twin of:  analytics.metrics.income.run_rate
with

daily as (

    select
        protocol,
        block_timestamp::date as date,
        sum(fee_usd) as fees_usd,
        sum(fee_usd - supply_side_usd) as revenue_usd,
        sum(holders_usd) as holders_usd,
        count(*) - count(fee_usd) as fees_unknown,
        count(*) - count(fee_usd - supply_side_usd) as revenue_unknown,
        count(*) - count(holders_usd) as holders_unknown,
        to_days($window_days - 1) as reach
    from fees
    group by all

),

summed as (

    select
        protocol,
        date,
        case when sum(fees_unknown) over days = 0 then sum(fees_usd) over days end as fees_usd,
        case
            when sum(revenue_unknown) over days = 0 then sum(revenue_usd) over days
        end as revenue_usd,
        case
            when sum(holders_unknown) over days = 0 then sum(holders_usd) over days
        end as holders_usd,
        date - min(date) over (partition by protocol) + 1 >= $window_days as is_full
    from daily
    window days as (
        partition by protocol
        order by date
        range between reach preceding and current row
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    date,
    fees_usd,
    revenue_usd,
    holders_usd,
    case
        when is_full then fees_usd::varchar::double * 365 / $window_days
    end as fees_annual_usd,
    case
        when is_full then revenue_usd::varchar::double * 365 / $window_days
    end as revenue_annual_usd,
    case
        when is_full then holders_usd::varchar::double * 365 / $window_days
    end as holders_annual_usd
from summed
order by protocol, date
