-- question: Who was liquidated in a window, and for how much?
-- reads:    liquidations
-- grain:    one row per chain, protocol and account, largest notional first
-- units:    *_usd US dollars, notional one-sided; sums of what is known, null when nothing is
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    accounts count null (how many accounts to show, all without it)
select
    chain_id,
    protocol,
    account,
    count(*) as liquidation_count,
    count(distinct market) as market_count,
    sum(notional_usd) as notional_usd,
    sum(collateral_usd) as collateral_usd,
    sum(realized_pnl_usd) as realized_pnl_usd,
    sum(fee_usd) as fee_usd,
    sum(shortfall_usd) as shortfall_usd,
    min(block_timestamp) as first_at,
    max(block_timestamp) as last_at
from liquidations
where block_timestamp between $since and $until
group by all
order by notional_usd desc nulls last, chain_id asc, protocol asc, account asc
limit $accounts
