-- question: What was a pool's share worth before an event and after it, and how much left meanwhile?
-- reads:    declared_facts, pool_flows, pool_states, share_prices
-- grain:    one row per chain, protocol, pool and asset with any of these before the event's end
-- units:    the step `pool_ratios`: price_* assets per share; *_tokens whole tokens of the asset;
--           flow_count flows; *_ratio 0.01 = 1 %, outflow > 0 left, null while unknown
with

-- What is read at a block has a log index below zero and comes after what the block logged. A price
-- by a fund's terms never moves.
prices as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        share_price_tokens,
        supply_tokens,
        evidence != 'assumed' as is_measured,
        block_timestamp < $event_start::timestamp as is_before,
        row(block_number, log_index < 0, log_index, item_index, tx_hash) as place
    from share_prices
    where block_timestamp < $event_end::timestamp

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
facts as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        max_by(share_price_tokens, place) filter (
            where is_before and is_measured
        ) as price_before_tokens,
        max_by(share_price_tokens, place) filter (
            where not is_before and is_measured
        ) as price_after_tokens,
        max_by(
            share_price_tokens::varchar::double * supply_tokens::varchar::double, place
        ) filter (where is_before and supply_tokens is not null) as worth_tokens,
        null as told_tokens,
        null as out_tokens,
        0 as flow_count,
        0 as unknown_count
    from prices
    group by all
    union all
    select
        chain_id,
        protocol,
        pool,
        asset_token,
        null as price_before_tokens,
        null as price_after_tokens,
        null as worth_tokens,
        max_by(
            assets_tokens, row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) filter (where block_timestamp < $event_start::timestamp)::varchar::double as told_tokens,
        null as out_tokens,
        0 as flow_count,
        0 as unknown_count
    from pool_states
    where
        part = pool
        and assets_tokens is not null
        and block_timestamp < $event_end::timestamp
    group by all
    union all
    select
        chain_id,
        protocol,
        pool,
        asset_token,
        null as price_before_tokens,
        null as price_after_tokens,
        null as worth_tokens,
        null as told_tokens,
        sum(
            case when kind in ('withdrawal', 'redemption') then asset_tokens else -asset_tokens end
        ) filter (where block_timestamp >= $event_start::timestamp) as out_tokens,
        count(*) filter (where block_timestamp >= $event_start::timestamp) as flow_count,
        count(*) filter (
            where asset_tokens is null and block_timestamp >= $event_start::timestamp
        ) as unknown_count
    from pool_flows
    where
        kind in ('deposit', 'mint', 'withdrawal', 'redemption')
        and block_timestamp < $event_end::timestamp
    group by all

),

-- Of who tells of no flows nobody knows what left.
flow_tellers as (

    select
        chain_id,
        protocol
    from declared_facts
    where fact = 'pool_flows'
    union
    select
        chain_id,
        protocol
    from pool_flows

),

pools as (

    select
        facts.chain_id,
        facts.protocol,
        facts.pool,
        facts.asset_token,
        max(facts.price_before_tokens) as price_before_tokens,
        max(facts.price_after_tokens) as price_after_tokens,
        coalesce(max(facts.told_tokens), max(facts.worth_tokens)) as managed_tokens,
        case
            when bool_or(flow_tellers.protocol is not null) then sum(facts.flow_count)::bigint
        end as flow_count,
        case
            when bool_or(flow_tellers.protocol is not null) and sum(facts.unknown_count) = 0
                then coalesce(sum(facts.out_tokens), 0)
        end as out_tokens
    from facts
    left join flow_tellers using (chain_id, protocol)
    group by all

),

pool_ratios as (

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
        case
            when price_before_tokens > 0
                then
                    (price_after_tokens - price_before_tokens)::varchar::double
                    / price_before_tokens::varchar::double
        end as price_change_ratio,
        case
            when managed_tokens > 0 then out_tokens::varchar::double / managed_tokens
        end as outflow_ratio
    from pools

)

select *
from pool_ratios
