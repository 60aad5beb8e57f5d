-- question: Which accounts lost most by their positions, and how much of it by force?
-- reads:    position_changes
-- grain:    one row per chain, protocol and account that closed or realised something, largest
--           loss first, unknown ones last
-- units:    *_usd US dollars that were realised, below zero a loss, with fees or without as the
--           venue tells it; sums of what is known, null when nothing is, zero of liquidations and ADLs
--           without one; closing_count counts what realised other than zero without closing too, as
--           increases of Synthetix v3 do; unknown_count closings whose profit is not told, as GMX v1's
--           liquidations and Ostium's other closings
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    accounts count null (how many accounts to show, all without it)
with closings as (

    select
        chain_id,
        protocol,
        account,
        cause,
        realized_pnl_usd,
        block_timestamp
    from position_changes
    where
        block_timestamp between $since and $until
        and (
            realized_pnl_usd <> 0
            or cause in ('liquidation', 'adl', 'settlement')
            or notional_delta_usd < 0
            or size_delta_tokens < 0
            or closed_ratio > 0
        )

)

select
    chain_id,
    protocol,
    account,
    sum(realized_pnl_usd) as realized_pnl_usd,
    case
        when count(*) filter (where cause = 'liquidation') = 0 then 0
        else sum(realized_pnl_usd) filter (where cause = 'liquidation')
    end as liquidation_pnl_usd,
    case
        when count(*) filter (where cause = 'adl') = 0 then 0
        else sum(realized_pnl_usd) filter (where cause = 'adl')
    end as adl_pnl_usd,
    count(*) as closing_count,
    count(*) - count(realized_pnl_usd) as unknown_count,
    min(block_timestamp) as first_at,
    max(block_timestamp) as last_at
from closings
group by all
order by realized_pnl_usd asc nulls last, chain_id asc, protocol asc, account asc
limit $accounts
