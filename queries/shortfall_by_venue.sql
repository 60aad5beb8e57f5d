-- question: Which venues were left with bad debt, and what did their insurance pay?
-- reads:    liquidations, shortfalls
-- grain:    one row per chain and protocol with a liquidation or a shortfall event
-- units:    *_usd US dollars; sums of what is known, null when nothing is, as is insolvent_count
--           of liquidations (0 without one). liquidation_shortfall_usd and bad_debt_usd may describe
--           the same loss: never to be added
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
with

losses as (

    select
        chain_id,
        protocol,
        1 as liquidation_count,
        (shortfall_usd > 0)::integer as insolvent_count,
        shortfall_usd as liquidation_shortfall_usd,
        null as bad_debt_usd,
        null as insurance_in_usd,
        null as insurance_out_usd
    from liquidations
    where block_timestamp between $since and $until
    union all
    select
        chain_id,
        protocol,
        0 as liquidation_count,
        null as insolvent_count,
        null as liquidation_shortfall_usd,
        case when kind = 'bad_debt' then shortfall_usd end as bad_debt_usd,
        case when kind = 'insurance_in' then shortfall_usd end as insurance_in_usd,
        case when kind = 'insurance_out' then shortfall_usd end as insurance_out_usd
    from shortfalls
    where block_timestamp between $since and $until

)

select
    chain_id,
    protocol,
    sum(liquidation_count)::bigint as liquidation_count,
    case
        when sum(liquidation_count) = 0 then 0 else sum(insolvent_count)::bigint
    end as insolvent_count,
    sum(liquidation_shortfall_usd) as liquidation_shortfall_usd,
    sum(bad_debt_usd) as bad_debt_usd,
    sum(insurance_in_usd) as insurance_in_usd,
    sum(insurance_out_usd) as insurance_out_usd
from losses
group by all
order by
    liquidation_shortfall_usd desc nulls last,
    bad_debt_usd desc nulls last,
    chain_id asc,
    protocol asc
