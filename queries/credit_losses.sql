-- question: What was lost in each asset, what came back, and what did cover pay?
-- reads:    credit_events, shortfalls, tokens
-- grain:    one row per chain, protocol and asset with a loss, a recovery or cover that is told
-- units:    *_tokens whole tokens of the asset: sums of what is known, null when nothing is;
--           written_down_tokens of impairments, less what was taken back of them. defaulted_tokens and
--           bad_debt_tokens may describe the same loss, and where cover paid, a default may be told
--           net of it, as Maple's: never to be added. Cover that is taken back is not told: in less
--           out is the most that is left of it. unknown_count events without an amount; what is told
--           in dollars alone is a row of shortfall_by_venue, and none of these
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
with

told as (

    select
        chain_id,
        protocol,
        asset_token,
        kind,
        case when kind = 'recovery' then principal_tokens else loss_tokens end as tokens
    from credit_events
    where
        kind in ('impairment', 'impairment_removed', 'default', 'recovery')
        and block_timestamp between $since and $until
    union all
    select
        chain_id,
        protocol,
        asset_token,
        kind,
        shortfall_tokens as tokens
    from shortfalls
    where
        (shortfall_tokens is not null or shortfall_usd is null)
        and block_timestamp between $since and $until

),

symbols as (

    select
        chain_id,
        address,
        max(symbol) as symbol
    from tokens
    group by all

),

losses as (

    select
        chain_id,
        protocol,
        asset_token,
        count(*) filter (where kind = 'default') as default_count,
        count(*) filter (where kind = 'impairment') as impairment_count,
        sum(tokens) filter (
            where kind in ('impairment', 'impairment_removed')
        ) as written_down_tokens,
        sum(tokens) filter (where kind = 'default') as defaulted_tokens,
        sum(tokens) filter (where kind = 'recovery') as recovered_tokens,
        sum(tokens) filter (where kind = 'bad_debt') as bad_debt_tokens,
        sum(tokens) filter (where kind = 'debt_queued') as debt_queued_tokens,
        sum(tokens) filter (where kind = 'insurance_in') as cover_in_tokens,
        sum(tokens) filter (where kind = 'insurance_out') as cover_out_tokens,
        count(*) - count(tokens) as unknown_count
    from told
    group by all

)

select
    losses.*,
    symbols.symbol
from losses
left join symbols
    on losses.chain_id = symbols.chain_id and losses.asset_token = symbols.address
order by losses.chain_id, losses.protocol, losses.asset_token
