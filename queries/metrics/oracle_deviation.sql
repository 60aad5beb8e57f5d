-- question: How far is each oracle update from the latest price of every other source?
-- reads:    oracle_updates
-- grain:    one row per update and other source of the same asset and quote
-- units:    *_quote quote currency; deviation_bps 1 = 0.01 %, signed; staleness_seconds whole
-- param:    tolerance_seconds natural 3600 (oldest reference that is still compared, inclusive)
-- twin of:  analytics.metrics.oracles.oracle_deviation
with

-- part: deviations

in_seconds as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        oracle_price_quote,
        reference_price_quote,
        deviation_bps,
        age_microseconds // 1000000 as staleness_seconds
    from compared

)

select *
from in_seconds
order by
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    block_timestamp,
    block_number,
    log_index,
    item_index,
    tx_hash
