-- question: Which updates are prices of a known asset that were news when they were told?
-- reads:    oracle_updates
-- grain:    one row per update
-- units:    the step `updates`: *_quote quote currency
-- param:    tolerance_seconds natural 3600 (how long before it was read a price may be seen, inclusive)
with

-- part: current_updates

-- part: unpriced

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
    from current_updates
    where
        asset is not null
        and quote not in (select unpriced.quote from unpriced)

)

select *
from updates
