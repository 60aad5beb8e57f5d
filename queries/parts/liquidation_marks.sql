-- question: What mark did the liquidations of a market tell, and when?
-- reads:    liquidations
-- grain:    one row per market and moment with a liquidation that tells a mark
-- units:    price_usd US dollars
with

-- Of several prices of one moment the last stands.
marks as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp as seen_at,
        last(
            mark_price_usd
            order by block_number, log_index, item_index, tx_hash
        ) as price_usd
    from liquidations
    where mark_price_usd is not null
    group by all

)

select *
from marks
