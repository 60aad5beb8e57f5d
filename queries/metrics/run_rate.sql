-- question: What would a protocol earn in a year like the days up to this one?
-- reads:    fees
-- grain:    one row per protocol and UTC day with a fee
-- units:    *_usd US dollars over the window, null when any part is unknown; *_annual_usd US dollars
--           a year, null also until the protocol's fees reach back a whole window
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- twin of:  analytics.metrics.income.run_rate
with

charges as ( -- noqa: ST03

    select
        protocol,
        block_timestamp::date as date,
        block_timestamp::date as charged_on,
        fee_usd as fees_usd,
        holders_usd,
        fee_usd - supply_side_usd as revenue_usd
    from fees

),

-- part: income_windows

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
yearly as (

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

)

select *
from yearly
order by protocol, date
