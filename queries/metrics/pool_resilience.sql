-- question: What did an event do to each pool: its share price, and how much left?
-- reads:    declared_facts, pool_flows, pool_states, share_prices
-- grain:    one row per chain, protocol, pool and asset with any of these before the event's end
-- units:    price_* assets per share; out and managed_tokens whole tokens of the asset; flow_count
--           flows; *_ratio 0.01 = 1 %, outflow > 0 left, null while unknown; what left is unknown
--           where nothing tells of flows
-- param:    event_start text 2025-10-10T00:00:00 (first moment of the event, UTC)
-- param:    event_end text 2025-10-12T00:00:00 (the first moment after it, UTC)
-- twin of:  analytics.metrics.resilience.pool_resilience
with

-- part: pool_changes

changed as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        price_before_tokens,
        price_after_tokens,
        out_tokens,
        managed_tokens,
        flow_count,
        price_change_ratio,
        outflow_ratio
    from pool_ratios

)

select *
from changed
order by chain_id, protocol, pool, asset_token
