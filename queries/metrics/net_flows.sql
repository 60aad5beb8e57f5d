-- question: How much money entered and left a pool in a day?
-- reads:    pool_flows
-- grain:    one row per UTC day with a flow, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset, *_shares_tokens shares; inflow and outflow sums of
--           what is known, net null while any amount is unknown; *_count flows
-- twin of:  analytics.metrics.yields.net_flows
with

flows as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset_tokens,
        share_tokens,
        case
            when kind in ('deposit', 'mint') then 'in'
            when kind in ('withdrawal', 'redemption') then 'out'
            else kind
        end as way
    from pool_flows
    where kind in ('deposit', 'mint', 'withdrawal', 'redemption', 'dividend')

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where way = 'in') as inflow_count,
        count(*) filter (where way = 'out') as outflow_count,
        count(*) filter (where way = 'dividend') as dividend_count,
        sum(asset_tokens) filter (where way = 'in') as assets_in,
        sum(asset_tokens) filter (where way = 'out') as assets_out,
        sum(share_tokens) filter (where way = 'in') as shares_in,
        sum(share_tokens) filter (where way = 'out') as shares_out,
        sum(share_tokens) filter (where way = 'dividend') as dividend_shares,
        count(*) filter (where way != 'dividend' and asset_tokens is null) as unknown_count,
        count(*) filter (where way != 'dividend' and share_tokens is null) as unknown_shares
    from flows
    group by all

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    inflow_count,
    outflow_count,
    unknown_count,
    case when inflow_count = 0 then 0 else assets_in end as inflow_tokens,
    case when outflow_count = 0 then 0 else assets_out end as outflow_tokens,
    case
        when unknown_count = 0 then coalesce(assets_in, 0) - coalesce(assets_out, 0)
    end as net_tokens,
    case
        when unknown_shares = 0 then coalesce(shares_in, 0) - coalesce(shares_out, 0)
    end as net_shares_tokens,
    case when dividend_count = 0 then 0 else dividend_shares end as dividend_shares_tokens
from daily
order by date, chain_id, protocol, pool, asset_token
