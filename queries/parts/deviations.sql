-- question: How far was each update from the latest price of every other source?
-- reads:    oracle_updates
-- grain:    one row per update and other source of the same asset and quote
-- units:    the step `compared`: *_quote quote currency; deviation_bps 1 = 0.01 %, signed;
--           age_microseconds of the other price
-- param:    tolerance_seconds natural 3600 (oldest reference that is still compared, inclusive)
with

-- part: comparable_updates

sources as (

    select distinct
        asset,
        quote,
        chain_id,
        protocol,
        feed
    from updates

),

-- Of several updates in one second only the last can be the latest price.
latest as (

    select
        asset,
        quote,
        chain_id as reference_chain_id,
        protocol as reference_protocol,
        feed as reference_feed,
        block_timestamp as reference_at,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, oracle_price_quote
        ) as reference_price_quote
    from updates
    group by all

),

asked as (

    select
        updates.asset,
        updates.quote,
        updates.chain_id,
        updates.protocol,
        updates.feed,
        sources.chain_id as reference_chain_id,
        sources.protocol as reference_protocol,
        sources.feed as reference_feed,
        updates.block_timestamp,
        updates.block_number,
        updates.log_index,
        updates.item_index,
        updates.tx_hash,
        updates.oracle_price_quote
    from updates
    inner join sources
        on
            updates.asset = sources.asset
            and updates.quote = sources.quote
            and (updates.chain_id, updates.protocol, updates.feed)
            != (sources.chain_id, sources.protocol, sources.feed)

),

beside_others as (

    select
        asked.*,
        latest.reference_price_quote,
        epoch_us(asked.block_timestamp) - epoch_us(latest.reference_at) as age_microseconds
    from asked
    asof inner join latest
        on
            asked.asset = latest.asset
            and asked.quote = latest.quote
            and asked.reference_chain_id = latest.reference_chain_id
            and asked.reference_protocol = latest.reference_protocol
            and asked.reference_feed = latest.reference_feed
            and asked.block_timestamp >= latest.reference_at

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
compared as (

    select
        beside_others.*,
        case
            when beside_others.reference_price_quote > 0
                then
                    (
                        beside_others.oracle_price_quote - beside_others.reference_price_quote
                    )::varchar::double
                    / beside_others.reference_price_quote::varchar::double
                    * 10000
        end as deviation_bps
    from beside_others
    where beside_others.age_microseconds <= $tolerance_seconds::bigint * 1000000

)

select *
from compared
