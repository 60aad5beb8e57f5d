-- question: At which moments did any source tell a dollar price of an asset?
-- reads:    oracle_updates
-- grain:    one row per asset and second in which a source told its price
-- units:    the step `prices`: price_usd US dollars per whole token
with

prices as (

    select
        asset,
        chain_id as price_chain_id,
        protocol as price_protocol,
        feed as price_feed,
        block_timestamp as price_at,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_usd,
        last(
            tx_hash
            order by block_number, log_index, item_index, tx_hash
        ) as price_tx_hash,
        last(
            evidence
            order by block_number, log_index, item_index, tx_hash
        ) as price_evidence
    from oracle_updates
    where asset is not null and quote = 'USD'
    group by all

),

moments as (

    select distinct
        asset,
        price_at
    from prices

)

select *
from moments
