-- question: Whose profitable positions were closed by ADL, and what did they realise?
-- reads:    adls
-- grain:    one row per chain, protocol and account, largest notional first
-- units:    *_usd US dollars, notional closed; sums of what is known, null when nothing is, as
--           losing_count is
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    accounts count null (how many accounts to show, all without it)
select
    chain_id,
    protocol,
    account,
    count(*) as adl_count,
    count(distinct market) as market_count,
    sum(notional_usd) as notional_usd,
    sum(realized_pnl_usd) as realized_pnl_usd,
    case
        when count(realized_pnl_usd) > 0 then count(*) filter (where realized_pnl_usd < 0)
    end as losing_count,
    min(block_timestamp) as first_at,
    max(block_timestamp) as last_at
from adls
where block_timestamp between $since and $until
group by all
order by notional_usd desc nulls last, chain_id asc, protocol asc, account asc
limit $accounts
