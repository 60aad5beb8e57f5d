-- question: What did an event do to perp venues, and what to credit and funds?
-- reads:    adls, credit_events, declared_facts, liquidations, pool_flows, pool_states,
--           share_prices
-- grain:    one row per protocol with any of these facts or that declares one
-- units:    *_usd US dollars; *_count events or pools; *_ratio 0.01 = 1 %, outflow > 0 left; null
--           where nothing indexed could tell of such a thing, zero where it could and did not in
--           the event
-- param:    event_start text 2025-10-10T00:00:00 (first moment of the event, UTC)
-- param:    event_end text 2025-10-12T00:00:00 (the first moment after it, UTC)
-- twin of:  analytics.metrics.resilience.resilience
with

forced as (

    select
        protocol,
        'liquidation' as kind,
        notional_usd,
        block_timestamp >= $event_start::timestamp
        and block_timestamp < $event_end::timestamp as is_inside
    from liquidations
    union all
    select
        protocol,
        'adl' as kind,
        notional_usd,
        block_timestamp >= $event_start::timestamp
        and block_timestamp < $event_end::timestamp as is_inside
    from adls

),

exits as (

    select
        protocol,
        count(*) filter (where kind = 'liquidation') as all_liquidations,
        count(*) filter (where kind = 'adl') as all_adls,
        count(*) filter (where kind = 'liquidation' and is_inside) as liquidations,
        count(*) filter (where kind = 'adl' and is_inside) as adls,
        sum(notional_usd) filter (where kind = 'liquidation' and is_inside) as liquidated_usd,
        sum(notional_usd) filter (where kind = 'adl' and is_inside) as adls_usd
    from forced
    group by all

),

credits as (

    select
        protocol,
        count(*) filter (where kind = 'liquidation') as lending_liquidation_count,
        count(*) filter (where kind = 'default') as default_count,
        count(*) filter (where kind = 'impairment') as impairment_count
    from credit_events
    where
        block_timestamp >= $event_start::timestamp
        and block_timestamp < $event_end::timestamp
    group by all

),

-- part: pool_changes

worst as (

    select
        protocol,
        count(price_change_ratio) as priced_pool_count,
        case
            when count(flow_count) > 0 then count(*) filter (where flow_count > 0)
        end as flow_pool_count,
        case
            when count(flow_count) > 0
                then count(*) filter (where flow_count > 0 and outflow_ratio is null)
        end as unknown_outflow_count,
        min(price_change_ratio) as worst_price_change_ratio,
        max(outflow_ratio) as worst_outflow_ratio
    from pool_ratios
    group by all

),

declared as (

    select
        protocol,
        bool_or(fact = 'liquidations') as tells_liquidations,
        bool_or(fact = 'adls') as tells_adls
    from declared_facts
    group by all

),

members as (

    select
        protocol,
        'perps' as family
    from exits
    union all
    select
        protocol,
        'credit' as family
    from credit_events
    union all
    select
        protocol,
        case when fact = 'credit_events' then 'credit' else 'perps' end as family
    from declared_facts
    where fact in ('liquidations', 'adls', 'open_interest', 'credit_events')
    union all
    select
        protocol,
        'funds' as family
    from worst

),

families as (

    select
        protocol,
        bool_or(family = 'perps') as is_perps,
        bool_or(family = 'credit') as is_credit
    from members
    group by all

),

beside as (

    select
        families.protocol,
        worst.priced_pool_count,
        worst.flow_pool_count,
        worst.unknown_outflow_count,
        worst.worst_price_change_ratio,
        worst.worst_outflow_ratio,
        case
            when families.is_perps then 'perps'
            when families.is_credit then 'credit'
            else 'funds'
        end as family,
        case
            when exits.all_liquidations > 0 or declared.tells_liquidations
                then coalesce(exits.liquidations, 0)
        end as liquidation_count,
        case
            when exits.all_adls > 0 or declared.tells_adls then coalesce(exits.adls, 0)
        end as adl_count,
        case
            when exits.liquidations > 0 then exits.liquidated_usd
            when exits.all_liquidations > 0 or declared.tells_liquidations then 0
        end as liquidation_notional_usd,
        case
            when exits.adls > 0 then exits.adls_usd
            when exits.all_adls > 0 or declared.tells_adls then 0
        end as adl_notional_usd,
        case
            when families.is_credit then coalesce(credits.lending_liquidation_count, 0)
        end as lending_liquidation_count,
        case when families.is_credit then coalesce(credits.default_count, 0) end as default_count,
        case
            when families.is_credit then coalesce(credits.impairment_count, 0)
        end as impairment_count
    from families
    left join exits using (protocol)
    left join credits using (protocol)
    left join worst using (protocol)
    left join declared using (protocol)

)

select
    protocol,
    family,
    liquidation_count,
    adl_count,
    liquidation_notional_usd,
    adl_notional_usd,
    lending_liquidation_count,
    default_count,
    impairment_count,
    priced_pool_count,
    flow_pool_count,
    unknown_outflow_count,
    worst_price_change_ratio,
    worst_outflow_ratio
from beside
order by protocol
