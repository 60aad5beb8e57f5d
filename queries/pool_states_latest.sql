-- question: What does each pool manage, what has it lent, and what may be lost of it?
-- reads:    pool_states
-- past:     pool_states
-- grain:    one row per chain, protocol, pool and part of it
-- units:    *_tokens whole tokens of the asset: each the last that was told up to the moment, null
--           where it never was; status in the venue's words; last_at when anything was told last.
--           What was read at a block comes after what the block logged. A pool and its parts are
--           never to be added: managers and strategies are inside what the pool manages. Nor is a pool
--           of which holds_pools is true to others of its protocol: it holds their shares; null where
--           nothing says so
-- param:    until timestamp 9999-12-31T00:00:00 (last moment, UTC, inclusive)
-- param:    protocol text null (only this protocol)
with

told as (

    select
        chain_id,
        protocol,
        pool,
        part,
        asset_token,
        assets_tokens,
        principal_tokens,
        unrealized_loss_tokens,
        status,
        holds_pools,
        block_timestamp,
        row(block_number, log_index < 0, log_index, item_index) as place
    from pool_states
    where
        block_timestamp <= $until
        and ($protocol is null or protocol = $protocol)

)

select
    chain_id,
    protocol,
    pool,
    part,
    max_by(asset_token, place) filter (where asset_token is not null) as asset_token,
    max_by(assets_tokens, place) filter (where assets_tokens is not null) as assets_tokens,
    max_by(principal_tokens, place) filter (
        where principal_tokens is not null
    ) as principal_tokens,
    max_by(unrealized_loss_tokens, place) filter (
        where unrealized_loss_tokens is not null
    ) as unrealized_loss_tokens,
    max_by(status, place) filter (where status is not null) as status,
    bool_or(holds_pools) as holds_pools,
    max(block_timestamp) as last_at
from told
group by all
order by chain_id, protocol, pool, part
