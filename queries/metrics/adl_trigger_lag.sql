-- question: How long after its first liquidation did a protocol begin to deleverage?
-- reads:    adls, liquidations
-- grain:    one row per protocol with an ADL
-- units:    lag_seconds seconds, below zero where the ADL came first, null without a liquidation
-- twin of:  analytics.metrics.adl_waves.adl_trigger_lag
with

cut as (

    select
        protocol,
        min(block_timestamp) as first_adl_at
    from adls
    group by all

),

liquidated as (

    select
        protocol,
        min(block_timestamp) as first_liquidation_at
    from liquidations
    group by all

)

select
    cut.protocol,
    liquidated.first_liquidation_at,
    cut.first_adl_at,
    (epoch_us(cut.first_adl_at) - epoch_us(liquidated.first_liquidation_at)) / 1000000
        as lag_seconds
from cut
left join liquidated using (protocol)
order by cut.protocol
