-- question: Which logs could not become facts, and why?
-- reads:    rejects
-- grain:    one row per chain, protocol, event, fact and reason, most frequent first
-- units:    *_count logs; block numbers, inclusive; example_tx_hash the first one
-- param:    protocol text null (only this protocol)
select
    chain_id,
    protocol,
    event,
    fact,
    reason,
    count(*) as reject_count,
    min(block_number) as first_block,
    max(block_number) as last_block,
    first(tx_hash order by block_number, log_index, tx_hash) as example_tx_hash
from rejects
where $protocol is null or protocol = $protocol
group by all
order by reject_count desc, chain_id asc, protocol asc, event asc, fact asc, reason asc
