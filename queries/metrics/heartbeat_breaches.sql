-- question: Which prices grew older than the heartbeat of their feed?
-- reads:    oracle_updates, feeds
-- grain:    one row per price that grew too old before the next one, or before its chain ends
-- units:    *_seconds seconds; price_quote quote currency; replaced_at null: it is the last price;
--           is_over_weekend: all of a Saturday (UTC) lies between when it was seen and the next one
-- param:    grace_seconds natural 0 (how much later than the heartbeat is still in time)
-- twin of:  analytics.metrics.feeds.heartbeat_breaches
with

own as (

    select
        chain_id,
        protocol,
        feed,
        min(heartbeat_seconds) as heartbeat_seconds
    from feeds
    group by all

),

pairs as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        min(heartbeat_seconds) as heartbeat_seconds
    from feeds
    where kind = 'price'
    group by all

),

-- Whether a sequencer is up is told when it changes: it is never due. What was read at a block has a
-- log index below zero: between two readings a feed may have spoken.
prices as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp as price_at,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_quote,
        last(
            coalesce(observed_at, block_timestamp)
            order by block_number, log_index, item_index, tx_hash
        ) as seen_at
    from oracle_updates
    where quote != 'DOWN' and log_index >= 0
    group by all

),

ageing as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        price_at,
        seen_at,
        price_quote,
        lead(price_at) over (
            partition by asset, quote, chain_id, protocol, feed
            order by price_at
        ) as replaced_at,
        coalesce(replaced_at, max(price_at) over (partition by chain_id)) as ended_at,
        epoch_us(ended_at) - epoch_us(seen_at) as age
    from prices

),

judged as (

    select
        ageing.asset,
        ageing.quote,
        ageing.chain_id,
        ageing.protocol,
        ageing.feed,
        ageing.price_at,
        ageing.seen_at,
        ageing.replaced_at,
        ageing.price_quote,
        ageing.age,
        ageing.ended_at,
        date_trunc('day', ageing.seen_at + interval 1 day - interval 1 microsecond) as midnight,
        coalesce(own.heartbeat_seconds, pairs.heartbeat_seconds) as heartbeat_seconds
    from ageing
    left join own using (chain_id, protocol, feed)
    left join pairs
        on
            ageing.asset = pairs.asset
            and ageing.quote = pairs.quote
            and ageing.chain_id = pairs.chain_id
            and ageing.protocol = pairs.protocol

)

select
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    price_at,
    seen_at,
    replaced_at,
    price_quote,
    heartbeat_seconds,
    age::double / 1000000 as age_seconds,
    (age - heartbeat_seconds::bigint * 1000000)::double / 1000000 as late_seconds,
    midnight + to_days((1 + (13 - isodow(midnight)) % 7)::integer) <= ended_at as is_over_weekend
from judged
where age > (heartbeat_seconds::bigint + $grace_seconds::bigint) * 1000000
order by asset, quote, chain_id, protocol, feed, price_at
