-- question: Which updates are prices of a known asset that were news when they were told?
-- reads:    oracle_updates
-- grain:    one row per update
-- units:    the step `updates`: *_quote quote currency
-- param:    tolerance_seconds natural 3600 (how long before it was read a price may be seen, inclusive)
with

-- part: unpriced

-- What was read at a block, with a log index below zero, may be the answer of a feed long dead.
updates as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        oracle_price_quote
    from oracle_updates
    where
        asset is not null
        and quote not in (select unpriced.quote from unpriced)
        and (
            log_index >= 0
            or coalesce(observed_at >= block_timestamp - to_seconds($tolerance_seconds), true)
        )

)

select *
from updates
