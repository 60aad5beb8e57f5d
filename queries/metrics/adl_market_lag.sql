-- question: How long after its first liquidation was a market deleveraged?
-- reads:    adls, liquidations
-- grain:    one row per chain, protocol, version and market with an ADL
-- units:    lag_seconds seconds, below zero where the ADL came first, null without a liquidation
-- twin of:  analytics.metrics.adl_waves.adl_market_lag
with

cut as (

    select
        chain_id,
        protocol,
        version,
        market,
        min(block_timestamp) as first_adl_at
    from adls
    group by all

),

liquidated as (

    select
        chain_id,
        protocol,
        version,
        market,
        min(block_timestamp) as first_liquidation_at
    from liquidations
    group by all

)

select
    cut.chain_id,
    cut.protocol,
    cut.version,
    cut.market,
    liquidated.first_liquidation_at,
    cut.first_adl_at,
    (epoch_us(cut.first_adl_at) - epoch_us(liquidated.first_liquidation_at)) / 1000000
        as lag_seconds
from cut
left join liquidated using (chain_id, protocol, version, market)
order by cut.chain_id, cut.protocol, cut.version, cut.market
