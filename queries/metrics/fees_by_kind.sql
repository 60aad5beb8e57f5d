-- question: What are a protocol's fees for, and who receives each kind?
-- reads:    fees
-- grain:    one row per UTC day, protocol and fee kind
-- units:    *_usd US dollars, fees a sum of what is known, their split null when any of it is
--           unknown; fees_share_ratio 0.4 = 40 % of the day's fees
-- twin of:  analytics.metrics.income.fees_by_kind
with

kinds as (

    select
        block_timestamp::date as date,
        protocol,
        fee_kind,
        sum(fee_usd) as fees_usd,
        case
            when count(*) = count(supply_side_usd) then sum(supply_side_usd)
        end as supply_side_usd,
        case when count(*) = count(treasury_usd) then sum(treasury_usd) end as treasury_usd,
        case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd,
        count(*) as fee_count,
        count(*) - count(fee_usd) as unpriced_count,
        count(*) - count(supply_side_usd + treasury_usd + holders_usd) as unsplit_count
    from fees
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    date,
    protocol,
    fee_kind,
    fees_usd,
    supply_side_usd,
    treasury_usd,
    holders_usd,
    fee_count,
    unpriced_count,
    unsplit_count,
    case
        when sum(unpriced_count) over days = 0 and sum(fees_usd) over days > 0
            then fees_usd::varchar::double / (sum(fees_usd) over days)::varchar::double
    end as fees_share_ratio
from kinds
window days as (partition by date, protocol)
order by date, protocol, fee_kind
