-- question: Who received the fees of each day, and how well is the split known?
-- reads:    fees
-- grain:    one row per UTC day and protocol
-- units:    *_usd US dollars, sums of what is known, null when nothing is; unsplit_usd what known
--           parts leave of fees whose split is not known, zero without one; *_count fees
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
select
    block_timestamp::date as date,
    protocol,
    sum(fee_usd) as fees_usd,
    sum(supply_side_usd) as supply_side_usd,
    sum(treasury_usd) as treasury_usd,
    sum(holders_usd) as holders_usd,
    case
        when count(*) = count(supply_side_usd + treasury_usd + holders_usd) then 0
        else
            sum(
                fee_usd
                - coalesce(supply_side_usd, 0)
                - coalesce(treasury_usd, 0)
                - coalesce(holders_usd, 0)
            ) filter (where supply_side_usd + treasury_usd + holders_usd is null)
    end as unsplit_usd,
    count(*) as fee_count,
    count(*) filter (where split_basis = 'event') as split_by_event_count,
    count(*) filter (where split_basis = 'policy') as split_by_policy_count,
    count(*) filter (where split_basis = 'none') as unsplit_count,
    count(*) - count(fee_usd) as unpriced_count
from fees
where block_timestamp between $since and $until
group by all
order by date, protocol
