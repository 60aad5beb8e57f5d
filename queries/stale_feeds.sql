-- question: Which feeds spoke later than they ought to, and for how long was each price too old?
-- reads:    feeds, oracle_updates
-- past:     oracle_updates
-- grain:    one row per feed with a heartbeat whose price was too old in the window
-- units:    *_seconds seconds, ages from when the source saw the price, which may be before the
--           window; stale_ratio 1 = all of the window, from the feed's first update if that is
--           later, to the last one of its chain; update_count moments of the window at which it
--           spoke, late_count prices that were too old in it
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    feed text null (only this feed: a name like ETH/USD, an id or an address)
-- param:    heartbeat_seconds natural null (for feeds of which, and of whose pair, none is known)
-- param:    tolerance_ratio magnitude 0.15 (how much later than the heartbeat is still in time)
with

pairs as (

    select
        chain_id,
        protocol,
        asset,
        quote,
        min(heartbeat_seconds) as heartbeat_seconds
    from feeds
    where kind = 'price'
    group by all

),

-- Whether a sequencer is up is told when it changes: it has no heartbeat. What was read at a block has
-- a log index below zero: between two readings a feed may have spoken.
updates as (

    select
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        block_timestamp,
        last(
            coalesce(observed_at, block_timestamp)
            order by block_number, log_index, item_index, tx_hash
        ) as seen_at
    from oracle_updates
    where
        quote != 'DOWN'
        and log_index >= 0
        and block_timestamp <= $until
    group by all

),

named as (

    select
        updates.*,
        coalesce(feeds.name, updates.asset || '/' || updates.quote) as name,
        coalesce(
            feeds.heartbeat_seconds, pairs.heartbeat_seconds, $heartbeat_seconds
        ) as heartbeat_seconds,
        max(updates.block_timestamp) over (partition by updates.chain_id) as ended_at
    from updates
    left join feeds using (chain_id, protocol, feed)
    left join pairs
        on
            updates.chain_id = pairs.chain_id
            and updates.protocol = pairs.protocol
            and updates.asset = pairs.asset
            and updates.quote = pairs.quote

),

-- The last price of a feed ages as long as its chain is known to have gone on.
ageing as (

    select
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        name,
        heartbeat_seconds,
        block_timestamp,
        seen_at,
        lead(block_timestamp, 1, ended_at) over (
            partition by chain_id, protocol, feed, asset, quote
            order by block_timestamp
        ) as replaced_at
    from named
    where heartbeat_seconds is not null

),

aged as (

    select
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        name,
        heartbeat_seconds,
        block_timestamp,
        (epoch_us(replaced_at) - epoch_us(seen_at)) / 1000000 as age_seconds,
        (epoch_us(replaced_at) - epoch_us(greatest(block_timestamp, $since)))
        / 1000000 as watched_seconds,
        greatest(
            0,
            least(
                age_seconds - heartbeat_seconds * (1 + $tolerance_ratio),
                watched_seconds
            )
        ) as late_seconds
    from ageing
    where replaced_at > $since

)

select
    chain_id,
    protocol,
    feed,
    name,
    heartbeat_seconds,
    count(*) filter (where block_timestamp >= $since) as update_count,
    count(*) filter (where late_seconds > 0) as late_count,
    max(age_seconds) as oldest_seconds,
    sum(late_seconds) as stale_seconds,
    sum(late_seconds) / nullif(sum(watched_seconds), 0) as stale_ratio,
    max(block_timestamp) as last_update_at
from aged
where
    $feed is null
    or upper($feed) = name
    or upper($feed) = asset || '/' || quote
    or lower($feed) = lower(feed)
group by chain_id, protocol, feed, name, heartbeat_seconds
having sum(late_seconds) > 0
order by
    stale_seconds desc,
    chain_id asc,
    protocol asc,
    feed asc
