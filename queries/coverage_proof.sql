-- question: How much is indexed, and how well is it proven that no log is missing?
-- reads:    coverage
-- grain:    one row per chain, protocol, proof, finality and waiver
-- units:    block numbers, inclusive; range_count ranges, declaration_count different
--           declarations; proof: fetched, bloom, receipts, waived
select
    chain_id,
    protocol,
    proof,
    finality,
    waiver,
    count(*) as range_count,
    count(distinct declaration_digest) as declaration_count,
    min(from_block) as from_block,
    max(to_block) as to_block,
    sum(to_block - from_block + 1)::bigint as blocks
from coverage
group by all
order by chain_id, protocol, proof, finality, waiver
