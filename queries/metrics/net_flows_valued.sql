-- question: How much money entered and left a pool in a day, at its price then?
-- reads:    pool_flows, tokens, oracle_updates
-- grain:    one row per UTC day with a flow, chain, protocol, pool and asset
-- units:    *_usd US dollars by an oracle's price; in and out sums of what is known, net null while
--           any value is unknown; *_count flows
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.net_flows_valued
with

amounts as ( -- noqa: ST03

    select
        'pool_flows' as fact,
        'asset_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        asset_tokens as amount_tokens
    from pool_flows
    where asset_tokens is not null

),

-- part: amount_prices

-- part: amount_values

flows as (

    select
        pool_flows.block_timestamp::date as date,
        pool_flows.chain_id,
        pool_flows.protocol,
        pool_flows.pool,
        pool_flows.asset_token,
        pool_flows.kind,
        values_usd.value_usd,
        pool_flows.kind in ('deposit', 'mint') as is_in
    from pool_flows
    left join values_usd using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where is_in) as inflow_count,
        count(*) filter (where not is_in) as outflow_count,
        sum(value_usd) filter (where is_in) as usd_in,
        sum(value_usd) filter (where not is_in) as usd_out,
        count(*) as flow_count,
        count(value_usd) as valued_count,
        count(*) - count(value_usd) as unpriced_count
    from flows
    where kind in ('deposit', 'mint', 'withdrawal', 'redemption')
    group by all

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    flow_count,
    valued_count,
    unpriced_count,
    case when inflow_count = 0 then 0 else usd_in end as inflow_usd,
    case when outflow_count = 0 then 0 else usd_out end as outflow_usd,
    case
        when valued_count = flow_count then coalesce(usd_in, 0) - coalesce(usd_out, 0)
    end as net_usd
from daily
order by date, chain_id, protocol, pool, asset_token
