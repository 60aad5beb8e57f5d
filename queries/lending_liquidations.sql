-- question: Which borrowers were liquidated, what was repaid and what was seized?
-- reads:    credit_events, tokens
-- grain:    one row per protocol, chain, pool, account and pair of tokens, most liquidations first
-- units:    *_tokens whole tokens of the symbol beside; sums of what is known, null when nothing is,
--           as is liquidator_count. Collateral that an event of its own tells (seizure) has a row of
--           its own: what was taken, and no liquidation, which is counted where the debt is
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    accounts count null (how many rows to show, all without it)
with

symbols as (

    select
        chain_id,
        address,
        max(symbol) as symbol
    from tokens
    group by all

),

seized as (

    select
        protocol,
        chain_id,
        pool,
        account,
        asset_token,
        collateral_token,
        count(*) filter (where kind = 'liquidation') as liquidation_count,
        nullif(count(distinct counterparty), 0) as liquidator_count,
        sum(principal_tokens) as repaid_tokens,
        sum(collateral_tokens) as seized_tokens,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at
    from credit_events
    where
        kind in ('liquidation', 'seizure')
        and block_timestamp between $since and $until
    group by all

)

select
    seized.*,
    repaid.symbol as repaid_symbol,
    collateral.symbol as seized_symbol
from seized
left join symbols as repaid
    on seized.chain_id = repaid.chain_id and seized.asset_token = repaid.address
left join symbols as collateral
    on seized.chain_id = collateral.chain_id and seized.collateral_token = collateral.address
order by
    seized.liquidation_count desc,
    seized.protocol asc,
    seized.chain_id asc,
    seized.pool asc,
    seized.account asc,
    seized.asset_token asc,
    seized.collateral_token asc
limit $accounts
