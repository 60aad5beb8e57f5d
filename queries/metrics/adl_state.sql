-- question: How near were the winners of a market's side to being deleveraged, and when might they?
-- reads:    adl_states
-- grain:    one row per look of the venue, by chain, protocol, version, market, side and event
-- units:    *_ratio 1 = all the pool has for the side; headroom below zero above the threshold;
--           length_seconds until the next look
-- twin of:  analytics.metrics.adl_states.adl_state
with

looks as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        pnl_to_pool_ratio,
        max_pnl_to_pool_ratio,
        is_enabled,
        count(case when not is_enabled then 1 end) over (
            partition by chain_id, protocol, version, market, is_long
            order by block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as run,
        lead(block_timestamp) over (
            partition by chain_id, protocol, version, market, is_long
            order by block_number, log_index, item_index, tx_hash
        ) as until_at
    from adl_states

),

since as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        pnl_to_pool_ratio,
        max_pnl_to_pool_ratio,
        is_enabled,
        until_at,
        min(case when is_enabled then block_timestamp end) over (
            partition by chain_id, protocol, version, market, is_long, run
        ) as first_at
    from looks

)

select
    * exclude (first_at),
    max_pnl_to_pool_ratio - pnl_to_pool_ratio as headroom_ratio,
    case when is_enabled then first_at end as enabled_since,
    (epoch_us(until_at) - epoch_us(block_timestamp)) / 1000000 as length_seconds
from since
order by
    chain_id,
    protocol,
    version,
    market,
    is_long,
    block_number,
    log_index,
    item_index,
    tx_hash
