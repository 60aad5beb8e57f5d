-- question: Which feeds spoke later than they ought to, and for how long was each price too old?
-- reads:    feeds, oracle_updates
-- past:     oracle_updates
-- grain:    one row per feed with a heartbeat whose price was too old in the window
-- units:    *_seconds seconds, ages from when the source saw the price, which may be before the
--           window; stale_ratio 1 = all of the window, from the feed's first update if that is
--           later, to the last one of its chain; update_count moments of the window at which it
--           spoke, late_count prices that were too old in it, over_weekend_count those of them whose
--           silence holds all of a Saturday (UTC); saturday_count and weekday_count (Monday to Friday)
--           whole days from the feed's first update on that its chain spoke in, and on how many the
--           feed was silent: a market that closes has all Saturdays silent and few other days, a
--           feed that failed has both
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

-- part: feed_weekends

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
        date_trunc('day', seen_at + interval 1 day - interval 1 microsecond) as midnight,
        midnight + to_days((1 + (13 - isodow(midnight)) % 7)::integer)
        <= replaced_at as is_over_weekend,
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
    aged.chain_id,
    aged.protocol,
    aged.feed,
    aged.name,
    aged.heartbeat_seconds,
    count(*) filter (where aged.block_timestamp >= $since) as update_count,
    count(*) filter (where aged.late_seconds > 0) as late_count,
    count(*) filter (where aged.late_seconds > 0 and aged.is_over_weekend) as over_weekend_count,
    max(aged.age_seconds) as oldest_seconds,
    sum(aged.late_seconds) as stale_seconds,
    sum(aged.late_seconds) / nullif(sum(aged.watched_seconds), 0) as stale_ratio,
    max(aged.block_timestamp) as last_update_at,
    max(weekends.saturday_count) as saturday_count,
    max(weekends.silent_saturday_count) as silent_saturday_count,
    max(weekends.weekday_count) as weekday_count,
    max(weekends.silent_weekday_count) as silent_weekday_count
from aged
inner join weekends
    on
        aged.chain_id = weekends.chain_id
        and aged.protocol = weekends.protocol
        and aged.feed = weekends.feed
        and aged.asset is not distinct from weekends.asset
        and aged.quote = weekends.quote
where
    $feed is null
    or upper($feed) = upper(aged.name)
    or upper($feed) = aged.asset || '/' || aged.quote
    or lower($feed) = lower(aged.feed)
group by aged.chain_id, aged.protocol, aged.feed, aged.name, aged.heartbeat_seconds
having sum(aged.late_seconds) > 0
order by
    stale_seconds desc,
    aged.chain_id asc,
    aged.protocol asc,
    aged.feed asc
