-- question: How much of what a protocol earns goes into buying its own token?
-- reads:    buybacks, declared_facts, fees
-- grain:    one row per protocol and UTC day on which it earned or bought
-- units:    *_usd US dollars over the window, null when any part is unknown, also where
--           nothing that is indexed could tell of it; *_ratio 0.25 = 25 %
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- twin of:  analytics.metrics.buybacks.buyback_ratio
with

events as (

    select
        protocol,
        block_timestamp::date as date,
        spent_usd,
        0 as revenue_usd,
        0 as holders_usd
    from buybacks
    union all
    select
        protocol,
        block_timestamp::date as date,
        0 as spent_usd,
        fee_usd - supply_side_usd as revenue_usd,
        holders_usd
    from fees

),

daily as (

    select
        protocol,
        date,
        sum(spent_usd) as spent_usd,
        sum(revenue_usd) as revenue_usd,
        sum(holders_usd) as holders_usd,
        count(*) - count(spent_usd) as spent_unknown,
        count(*) - count(revenue_usd) as revenue_unknown,
        count(*) - count(holders_usd) as holders_unknown,
        to_days($window_days - 1) as reach
    from events
    group by all

),

-- part: tellers

summed as (

    select
        protocol,
        date,
        case
            when sum(spent_unknown) over days = 0
                and protocol in (select buyers.protocol from buyers)
                then sum(spent_usd) over days
        end as spent_usd,
        case
            when sum(revenue_unknown) over days = 0
                and protocol in (select earners.protocol from earners)
                then sum(revenue_usd) over days
        end as revenue_usd,
        case
            when sum(holders_unknown) over days = 0
                and protocol in (select earners.protocol from earners)
                then sum(holders_usd) over days
        end as holders_usd
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
    spent_usd,
    revenue_usd,
    holders_usd,
    case
        when revenue_usd > 0
            then holders_usd::varchar::double / revenue_usd::varchar::double
    end as declared_ratio,
    case
        when revenue_usd > 0
            then spent_usd::varchar::double / revenue_usd::varchar::double
    end as buyback_ratio
from summed
order by protocol, date
