-- question: What did each protocol buy back, and where did the tokens go?
-- reads:    buybacks
-- grain:    one row per UTC day, chain, protocol, version, destination kind, bought and spent token
-- units:    *_tokens whole tokens, *_usd US dollars; sums of what is known, null when nothing is
-- twin of:  analytics.metrics.buybacks.buybacks
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    version,
    destination_kind,
    bought_token,
    spent_token,
    sum(bought_tokens) as bought_tokens,
    sum(spent_tokens) as spent_tokens,
    sum(spent_usd) as spent_usd,
    sum(burned_tokens) as burned_tokens,
    count(*) as buyback_count,
    count(*) - count(spent_usd) as unpriced_count
from buybacks
group by all
order by date, chain_id, protocol, version, destination_kind, bought_token, spent_token
