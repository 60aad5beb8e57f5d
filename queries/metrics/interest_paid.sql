-- question: What did borrowers pay in a day, and how much of it is interest?
-- reads:    credit_events
-- grain:    one row per UTC day with a payment, chain, protocol, pool and asset
-- units:    *_tokens whole tokens of the asset, sums of what is known, null when nothing is;
--           unsplit_tokens principal and interest in one; *_count payments or accounts
-- twin of:  analytics.metrics.credit.interest_paid
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    pool,
    asset_token,
    count(*) as payment_count,
    nullif(count(distinct account), 0) as account_count,
    sum(interest_tokens) as interest_tokens,
    sum(principal_tokens) as principal_tokens,
    coalesce(sum(paid_tokens), 0) as unsplit_tokens,
    count(*) - count(interest_tokens) as unknown_interest_count
from credit_events
where kind = 'payment'
group by all
order by date, chain_id, protocol, pool, asset_token
