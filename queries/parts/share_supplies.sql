-- question: How many shares of each pool are there?
-- reads:    share_prices
-- grain:    one row per chain, protocol and pool that ever told it up to the moment
-- units:    supply_tokens whole shares, as told last up to $until
with

-- What is read at a block has a log index below zero and comes after what the block logged.
share_supplies as (

    select
        chain_id,
        protocol,
        pool,
        max_by(
            supply_tokens, row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) as supply_tokens
    from share_prices
    where supply_tokens is not null and block_timestamp <= $until
    group by all

)

select *
from share_supplies
