-- question: What did a protocol charge and keep in the days up to each of some days?
-- reads:    -
-- grain:    one row per protocol and day of the step `charges`
-- units:    the step `summed`: *_usd US dollars over the window, null when any part is unknown;
--           is_full once the first of the protocol's charges is a whole window ago
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
with

daily as (

    select
        protocol,
        date,
        sum(fees_usd) as fees_usd,
        sum(revenue_usd) as revenue_usd,
        sum(holders_usd) as holders_usd,
        count(*) - count(fees_usd) as fees_unknown,
        count(*) - count(revenue_usd) as revenue_unknown,
        count(*) - count(holders_usd) as holders_unknown,
        min(charged_on) as charged_on,
        to_days($window_days - 1) as reach
    from charges
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
        date - min(charged_on) over (partition by protocol) + 1 >= $window_days as is_full
    from daily
    window days as (
        partition by protocol
        order by date
        range between reach preceding and current row
    )

)

select *
from summed
