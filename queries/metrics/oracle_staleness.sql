-- question: How long was each feed silent, and how old had its price become?
-- reads:    oracle_updates
-- grain:    one row per feed and period with an update, in which a silence ended
-- units:    *_seconds seconds; null for a first update, or where the source does not say when it saw
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.feeds.oracle_staleness
with

-- What was read at a block has a log index below zero and is no update; whether a sequencer is up is
-- told when it changes.
updates as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp,
        observed_at,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        lag(block_timestamp) over feed_updates as before_at,
        lag(coalesce(observed_at, block_timestamp)) over feed_updates as seen_before_at
    from oracle_updates
    where log_index >= 0 and quote != 'DOWN'
    window feed_updates as (
        partition by asset, quote, chain_id, protocol, feed
        order by block_timestamp, block_number, log_index, item_index, tx_hash
    )

)

select
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    bucket_at,
    count(*) as update_count,
    max(epoch_us(block_timestamp) - epoch_us(before_at))::double
    / 1000000 as longest_gap_seconds,
    max(epoch_us(block_timestamp) - epoch_us(seen_before_at))::double
    / 1000000 as oldest_price_seconds,
    max(epoch_us(block_timestamp) - epoch_us(observed_at))::double
    / 1000000 as longest_delay_seconds
from updates
group by all
order by asset, quote, chain_id, protocol, feed, bucket_at
