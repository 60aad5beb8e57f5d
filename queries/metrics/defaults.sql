-- question: Which loans were declared lost in a day, and what do lenders lose by them?
-- reads:    credit_events
-- grain:    one row per UTC day with a default, chain, protocol, pool and asset
-- units:    loss_tokens whole tokens of the asset, a sum of what is known, null when nothing is;
--           *_count defaults, accounts or loans
-- twin of:  analytics.metrics.credit.defaults
select
    block_timestamp::date as date,
    chain_id,
    protocol,
    pool,
    asset_token,
    count(*) as default_count,
    nullif(count(distinct account), 0) as account_count,
    nullif(count(distinct loan), 0) as loan_count,
    sum(loss_tokens) as loss_tokens,
    count(*) - count(loss_tokens) as unknown_loss_count
from credit_events
where kind = 'default'
group by all
order by date, chain_id, protocol, pool, asset_token
