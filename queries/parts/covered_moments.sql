-- question: What is the last moment of a covered block, or of an imported file?
-- reads:    blocks, coverage, imports
-- grain:    one row per chain and protocol of blocks, and one of files
-- units:    covered_at UTC, at most $until; null where the block's time is not known
with

covered as (

    select
        coverage.chain_id,
        coverage.protocol,
        max(blocks.timestamp) as covered_at
    from coverage
    left join blocks
        on
            coverage.chain_id = blocks.chain_id
            and blocks.number between coverage.from_block and coverage.to_block
            and blocks.timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        max(case when to_at > $until then $until else to_at end) filter (
            where from_at <= $until
        ) as covered_at
    from imports
    where about is null
    group by all

)

select *
from covered
