-- question: What of each fee does a protocol keep?
-- reads:    fees
-- grain:    one row per fee charged
-- units:    the step `split_fees`: fees, and revenue_usd US dollars: what treasury and holders get,
--           or all but the supply side's part where nobody tells them apart
with

split_fees as (

    select
        fees.*,
        coalesce(
            fees.treasury_usd + fees.holders_usd, fees.fee_usd - fees.supply_side_usd
        ) as revenue_usd
    from fees

)

select *
from split_fees
