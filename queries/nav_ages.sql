-- question: How old is what was last said of each pool's share, and when did it last move?
-- reads:    blocks, coverage, imports, share_prices
-- past:     share_prices
-- grain:    one row per chain, protocol, pool and asset, the oldest first; none of what is assumed
-- units:    share_price_tokens assets per share, as last told; nav_at the moment that the fund says it
--           is of, else that of its block; age_seconds from then to covered_at, the last moment that
--           is indexed up to the end; replaced_seconds the median age at which earlier ones were
--           replaced, null without one; oldest_seconds the highest age of any; moved_at when a price
--           was last another one than before, null where none was; stated_count prices of which the
--           fund says the moment
-- param:    until timestamp 9999-12-31T00:00:00 (last moment, UTC, inclusive)
-- param:    protocol text null (only this protocol)
with

-- part: covered_moments
-- What is read at a block has a log index below zero and comes after what the block logged.
told as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        share_price_tokens,
        nav_at,
        block_timestamp,
        coalesce(nav_at, block_timestamp) as valid_at,
        row(block_number, log_index < 0, log_index, item_index, tx_hash) as place
    from share_prices
    where
        evidence != 'assumed'
        and block_timestamp <= $until
        and ($protocol is null or protocol = $protocol)

),

ageing as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        share_price_tokens,
        nav_at,
        block_timestamp,
        valid_at,
        place,
        lead(block_timestamp) over in_order as replaced_at,
        lag(share_price_tokens) over in_order as earlier_price_tokens
    from told
    window in_order as (
        partition by chain_id, protocol, pool, asset_token
        order by place
    )

),

aged as (

    select
        ageing.*,
        covered.covered_at,
        (epoch_us(replaced_at) - epoch_us(valid_at)) / 1000000 as replaced_seconds,
        (epoch_us(coalesce(replaced_at, covered_at)) - epoch_us(valid_at)) / 1000000 as age_seconds
    from ageing
    left join covered using (chain_id, protocol)

)

select
    chain_id,
    protocol,
    pool,
    asset_token,
    count(*) as price_count,
    count(nav_at) as stated_count,
    max_by(share_price_tokens, place) as share_price_tokens,
    max_by(valid_at, place) as nav_at,
    max(covered_at) as covered_at,
    max(age_seconds) filter (where replaced_at is null) as age_seconds,
    median(replaced_seconds) as replaced_seconds,
    max(age_seconds) as oldest_seconds,
    max(block_timestamp) filter (where share_price_tokens != earlier_price_tokens) as moved_at
from aged
group by chain_id, protocol, pool, asset_token
order by age_seconds desc nulls last, chain_id asc, protocol asc, pool asc, asset_token asc
