-- question: Which blocks between the first and the last indexed one are missing?
-- reads:    coverage
-- grain:    one row per gap, by chain and protocol; no row means no gap
-- units:    block numbers, inclusive at both ends; gap_blocks their count
with

ahead as (

    select
        chain_id,
        protocol,
        from_block,
        max(to_block) over (
            partition by chain_id, protocol
            order by from_block, to_block
            rows between unbounded preceding and 1 preceding
        ) as covered_to_block
    from coverage

)

select
    chain_id,
    protocol,
    covered_to_block + 1 as gap_from_block,
    from_block - 1 as gap_to_block,
    from_block - covered_to_block - 1 as gap_blocks
from ahead
where from_block > covered_to_block + 1
order by chain_id, protocol, gap_from_block
