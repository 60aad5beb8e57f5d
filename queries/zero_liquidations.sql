-- question: Did a protocol really have no liquidation, default or impairment in a window?
-- reads:    blocks, coverage, credit_events, liquidations
-- grain:    one row per chain and protocol that was indexed
-- units:    *_count events; *_blocks blocks. is_covered: every block from the last one known at or
--           before the window to the first one at or after it is indexed; null while the database
--           does not know such blocks. A count of zero means something only where it is true
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    protocol text null (only this protocol)
with

bounds as (

    select
        chain_id,
        max(number) filter (where timestamp <= $since) as from_block,
        min(number) filter (where timestamp >= $until) as to_block
    from blocks
    where timestamp is not null
    group by all

),

inside as (

    select
        coverage.chain_id,
        coverage.protocol,
        bounds.from_block,
        bounds.to_block,
        coverage.proof,
        greatest(coverage.from_block, bounds.from_block) as part_from_block,
        least(coverage.to_block, bounds.to_block) as part_to_block
    from coverage
    left join bounds using (chain_id)
    where $protocol is null or coverage.protocol = $protocol

),

proven as (

    select
        chain_id,
        protocol,
        from_block as window_from_block,
        to_block as window_to_block,
        to_block - from_block + 1 as window_blocks,
        sum(
            case when part_from_block <= part_to_block then part_to_block - part_from_block + 1 end
        )::bigint as covered_blocks,
        string_agg(distinct proof, ', ' order by proof) as proofs
    from inside
    group by all

),

events as (

    select
        chain_id,
        protocol,
        kind
    from credit_events
    where block_timestamp between $since and $until
    union all
    select
        chain_id,
        protocol,
        'liquidation' as kind
    from liquidations
    where block_timestamp between $since and $until

),

counted as (

    select
        chain_id,
        protocol,
        count(*) filter (where kind = 'liquidation') as liquidation_count,
        count(*) filter (where kind = 'default') as default_count,
        count(*) filter (where kind = 'impairment') as impairment_count,
        count(*) filter (where kind = 'call') as call_count,
        count(*) filter (where kind in ('funded', 'payment', 'recovery', 'seizure'))
            as ordinary_count
    from events
    group by all

)

select
    proven.*,
    coalesce(counted.liquidation_count, 0) as liquidation_count,
    coalesce(counted.default_count, 0) as default_count,
    coalesce(counted.impairment_count, 0) as impairment_count,
    coalesce(counted.call_count, 0) as call_count,
    coalesce(counted.ordinary_count, 0) as ordinary_count,
    coalesce(proven.covered_blocks, 0) = proven.window_blocks as is_covered
from proven
left join counted using (chain_id, protocol)
order by proven.chain_id, proven.protocol
