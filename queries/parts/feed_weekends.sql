-- question: On how many Saturdays, and days from Monday to Friday, has each feed been silent?
-- reads:    -
-- grain:    one row per chain, protocol, feed, asset and quote of the step `updates`
-- units:    the step `weekends`: *_count whole UTC days after the feed's first update and before the
--           last one of its chain, on which any feed of the chain spoke
with

spoken_days as (

    select distinct
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        block_timestamp::date as date
    from updates

),

chain_days as (

    select
        chain_id,
        date,
        max(date) over (partition by chain_id) as ended_on
    from spoken_days
    group by chain_id, date

),

first_days as (

    select
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        min(date) as first_on
    from spoken_days
    group by all

),

feed_days as (

    select
        first_days.chain_id,
        first_days.protocol,
        first_days.feed,
        first_days.asset,
        first_days.quote,
        isodow(chain_days.date) as weekday,
        spoken_days.date is null as is_silent
    from first_days
    left join chain_days
        on
            first_days.chain_id = chain_days.chain_id
            and first_days.first_on < chain_days.date
            and chain_days.date < chain_days.ended_on
    left join spoken_days
        on
            first_days.chain_id = spoken_days.chain_id
            and first_days.protocol = spoken_days.protocol
            and first_days.feed = spoken_days.feed
            and first_days.asset is not distinct from spoken_days.asset
            and first_days.quote = spoken_days.quote
            and chain_days.date = spoken_days.date

),

weekends as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        count(*) filter (where weekday = 6) as saturday_count,
        count(*) filter (where weekday = 6 and is_silent) as silent_saturday_count,
        count(*) filter (where weekday < 6) as weekday_count,
        count(*) filter (where weekday < 6 and is_silent) as silent_weekday_count
    from feed_days
    group by all

)

select *
from weekends
