-- question: Did a protocol really go through an event without a liquidation or a loss?
-- reads:    blocks, coverage, credit_events, declared_facts, liquidations, rejects
-- grain:    one row per chain and protocol that is indexed
-- units:    *_block block numbers, *_blocks blocks, null while the database knows no block on that
--           side of the event; *_count events or logs; verdict holds, does not hold, not
--           covered, cannot tell (nothing that is indexed tells of credit events or liquidations)
-- param:    event_start text 2025-10-10T00:00:00 (first moment of the event, UTC)
-- param:    event_end text 2025-10-12T00:00:00 (the first moment after it, UTC)
-- twin of:  analytics.metrics.resilience.zero_liquidations
with

bounds as (

    select
        chain_id,
        max(number) filter (where timestamp <= $event_start::timestamp) as window_from_block,
        min(number) filter (where timestamp >= $event_end::timestamp) as window_to_block
    from blocks
    group by all

),

intervals as (

    select
        coverage.chain_id,
        coverage.protocol,
        coverage.proof,
        bounds.window_from_block,
        bounds.window_to_block,
        greatest(coverage.from_block, bounds.window_from_block) as part_from_block,
        least(coverage.to_block, bounds.window_to_block) as part_to_block
    from coverage
    left join bounds using (chain_id)

),

covered as (

    select
        chain_id,
        protocol,
        window_from_block,
        window_to_block,
        sum(
            case
                when part_from_block <= part_to_block then part_to_block - part_from_block + 1
                else 0
            end
        ) as covered_blocks,
        string_agg(
            distinct proof, ', ' order by proof
        ) filter (where part_from_block <= part_to_block) as proofs
    from intervals
    group by all

),

events as (

    select
        chain_id,
        protocol,
        case
            when kind in ('repossession', 'collateral_sale') then 'seizure' else kind
        end as kind
    from credit_events
    where
        block_timestamp >= $event_start::timestamp
        and block_timestamp < $event_end::timestamp
    union all
    select
        chain_id,
        protocol,
        'liquidation' as kind
    from liquidations
    where
        block_timestamp >= $event_start::timestamp
        and block_timestamp < $event_end::timestamp
    union all
    select
        rejects.chain_id,
        rejects.protocol,
        'reject' as kind
    from rejects
    inner join bounds using (chain_id)
    where
        rejects.block_number between bounds.window_from_block and bounds.window_to_block
        and coalesce(rejects.fact, 'credit_events') in ('credit_events', 'liquidations')

),

counted as (

    select
        chain_id,
        protocol,
        count(*) filter (where kind = 'liquidation') as liquidation_count,
        count(*) filter (where kind = 'default') as default_count,
        count(*) filter (where kind = 'impairment') as impairment_count,
        count(*) filter (where kind = 'seizure') as seizure_count,
        count(*) filter (where kind = 'call') as call_count,
        count(*) filter (where kind = 'reject') as reject_count
    from events
    group by all

),

tellers as (

    select
        chain_id,
        protocol
    from declared_facts
    where fact in ('credit_events', 'liquidations')
    union
    select
        chain_id,
        protocol
    from credit_events
    union
    select
        chain_id,
        protocol
    from liquidations

),

claims as (

    select
        covered.chain_id,
        covered.protocol,
        covered.window_from_block,
        covered.window_to_block,
        case
            when covered.window_to_block - covered.window_from_block is not null
                then covered.proofs
        end as proofs,
        covered.window_to_block - covered.window_from_block + 1 as window_blocks,
        case
            when covered.window_to_block - covered.window_from_block is not null
                then covered.covered_blocks::bigint
        end as covered_blocks,
        coalesce(counted.liquidation_count, 0) as liquidation_count,
        coalesce(counted.default_count, 0) as default_count,
        coalesce(counted.impairment_count, 0) as impairment_count,
        coalesce(counted.seizure_count, 0) as seizure_count,
        coalesce(counted.call_count, 0) as call_count,
        coalesce(counted.reject_count, 0) as reject_count,
        tellers.protocol is not null as is_teller
    from covered
    left join counted using (chain_id, protocol)
    left join tellers using (chain_id, protocol)

)

select
    chain_id,
    protocol,
    window_from_block,
    window_to_block,
    window_blocks,
    covered_blocks,
    proofs,
    liquidation_count,
    default_count,
    impairment_count,
    seizure_count,
    call_count,
    reject_count,
    case
        when liquidation_count + default_count + impairment_count + seizure_count > 0
            then 'does not hold'
        when not is_teller then 'cannot tell'
        when covered_blocks = window_blocks and reject_count = 0 then 'holds'
        else 'not covered'
    end as verdict
from claims
order by chain_id, protocol
