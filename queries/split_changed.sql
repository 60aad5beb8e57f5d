-- question: What would each side have received of the same fees under another split?
-- reads:    fees
-- grain:    one row per protocol with a fee that counts
-- units:    *_usd US dollars: of fees whose parts are all known, as they were split and, new_*, as they
--           would have been; left_out_count fees of which a part is not known, in no sum. Without a
--           share holders and treasury part what the supply side leaves as they did in the window,
--           null where it left nothing. What users would have paid under another split nobody knows
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    supply_side_share share null (of fees, 1 = 100 %; as it was without one)
-- param:    holders_share_of_revenue share null (of what the supply side leaves; as it was without)
-- param:    fee_kind text null (only fees of this kind)
with

counted as (

    select
        protocol,
        fee_usd,
        supply_side_usd,
        treasury_usd,
        holders_usd,
        fee_usd + supply_side_usd + treasury_usd + holders_usd is not null as is_known
    from fees
    where
        block_timestamp between $since and $until
        and ($fee_kind is null or fee_kind = $fee_kind)

),

sums as (

    select
        protocol,
        sum(fee_usd) filter (where is_known) as fees_usd,
        sum(supply_side_usd) filter (where is_known) as supply_side_usd,
        sum(treasury_usd) filter (where is_known) as treasury_usd,
        sum(holders_usd) filter (where is_known) as holders_usd,
        count(*) filter (where is_known) as fee_count,
        count(*) filter (where not is_known) as left_out_count
    from counted
    group by all

),

split as (

    select
        protocol,
        fee_count,
        left_out_count,
        fees_usd,
        supply_side_usd,
        treasury_usd,
        holders_usd,
        holders_usd + treasury_usd as left_usd,
        coalesce(
            fees_usd::varchar::double * $supply_side_share, supply_side_usd::varchar::double
        ) as new_supply_side_usd,
        -- Of floats near to each other a difference would be noise: what is left is told exactly.
        coalesce(
            fees_usd::varchar::double - fees_usd::varchar::double * $supply_side_share,
            (fees_usd - supply_side_usd)::varchar::double
        ) as new_left_usd,
        coalesce(
            $holders_share_of_revenue,
            holders_usd::varchar::double / nullif(left_usd, 0)::varchar::double
        ) as holders_ratio,
        coalesce(
            1 - $holders_share_of_revenue,
            treasury_usd::varchar::double / nullif(left_usd, 0)::varchar::double
        ) as treasury_ratio
    from sums

)

select
    protocol,
    fee_count,
    left_out_count,
    fees_usd,
    supply_side_usd,
    treasury_usd,
    holders_usd,
    new_supply_side_usd,
    new_left_usd * treasury_ratio as new_treasury_usd,
    new_left_usd * holders_ratio as new_holders_usd
from split
order by protocol
