-- question: Who owes each pool, and what part of all that it lent?
-- reads:    credit_events
-- past:     credit_events
-- grain:    one row per chain, protocol, pool, asset and account that owes, or may, of pools and
--           assets of which a loan was told; largest first
-- units:    principal_tokens whole tokens of the asset that were lent, less what was repaid,
--           liquidated and lost since indexing began: null where an amount of the account is unknown
--           (unknown_count events), below zero where more came back than was lent since; pool_ratio
--           of what all owe the pool, 1 = all of it, null where that is unknown or below zero of
--           anyone. account null: who it is was not told. One person may have many accounts. What a
--           refinancing changed is not in it: loans_outstanding has it beside what the pool says
-- param:    until timestamp 9999-12-31T00:00:00 (last moment, UTC, inclusive)
-- param:    pool text null (only this pool: its address, or the venue's own name for it)
-- param:    accounts count null (how many rows to show, all without it)
with

-- part: loan_changes
owed as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        account,
        case when count(*) = count(change) then sum(change) end as principal_tokens,
        count(*) filter (where is_funded) as funded_count,
        count(*) - count(change) as unknown_count,
        max(block_timestamp) filter (where is_funded) as last_funded_at
    from loan_changes
    where block_timestamp <= $until and ($pool is null or pool = $pool)
    group by all

),

debts as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        account,
        principal_tokens,
        unknown_count,
        last_funded_at,
        case
            when bool_and(coalesce(principal_tokens >= 0, false)) over of_pool
                then sum(principal_tokens) over of_pool
        end as lent_tokens,
        sum(funded_count) over of_pool as pool_funded_count
    from owed
    window of_pool as (partition by chain_id, protocol, pool, asset_token)

)

select
    chain_id,
    protocol,
    pool,
    asset_token,
    account,
    unknown_count,
    last_funded_at,
    principal_tokens,
    principal_tokens::varchar::double / lent_tokens::varchar::double as pool_ratio
from debts
where pool_funded_count > 0 and principal_tokens is distinct from 0
order by
    chain_id asc,
    protocol asc,
    pool asc,
    asset_token asc,
    principal_tokens desc nulls last,
    account asc
limit $accounts
