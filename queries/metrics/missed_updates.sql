-- question: Which prices did a feed keep although another source had moved beyond its threshold?
-- reads:    oracle_updates, feeds
-- grain:    one row per price of a feed and other source that showed it to be overdue
-- units:    *_quote quote currency; *_bps 1 = 0.01 %; late_seconds from the first time it was missed;
--           is_over_weekend: all of a Saturday (UTC) lies between price_at and the next one
-- twin of:  analytics.metrics.feeds.missed_updates
with

-- part: unpriced

own as (

    select
        chain_id,
        protocol,
        feed,
        min(threshold_bps) as threshold_bps
    from feeds
    group by all

),

of_pairs as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        min(threshold_bps) as threshold_bps
    from feeds
    where kind = 'price'
    group by all

),

-- What was read at a block has a log index below zero: between two readings a feed may have spoken.
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
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) filter (where log_index >= 0) as told_price_quote,
        last(
            coalesce(observed_at, block_timestamp)
            order by block_number, log_index, item_index, tx_hash
        ) as seen_at
    from oracle_updates
    where quote not in (select unpriced.quote from unpriced)
    group by all

),

kept as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        price_at,
        told_price_quote as price_quote,
        lead(price_at) over (
            partition by asset, quote, chain_id, protocol, feed
            order by price_at
        ) as replaced_at,
        coalesce(replaced_at, max(price_at) over (partition by chain_id)) as ended_at,
        date_trunc('day', price_at + interval 1 day - interval 1 microsecond) as midnight,
        midnight + to_days((1 + (13 - isodow(midnight)) % 7)::integer)
        <= ended_at as is_over_weekend
    from prices
    where told_price_quote is not null

),

judged as (

    select
        kept.asset,
        kept.quote,
        kept.chain_id,
        kept.protocol,
        kept.feed,
        kept.price_at,
        kept.price_quote,
        kept.replaced_at,
        kept.is_over_weekend,
        coalesce(own.threshold_bps, of_pairs.threshold_bps) as threshold_bps
    from kept
    left join own using (chain_id, protocol, feed)
    left join of_pairs
        on
            kept.asset = of_pairs.asset
            and kept.quote = of_pairs.quote
            and kept.chain_id = of_pairs.chain_id
            and kept.protocol = of_pairs.protocol
    where coalesce(own.threshold_bps, of_pairs.threshold_bps) is not null

),

feeds_judged as (

    select distinct
        asset,
        quote,
        chain_id,
        protocol,
        feed
    from judged

),

moments as (

    select
        feeds_judged.asset,
        feeds_judged.quote,
        feeds_judged.chain_id,
        feeds_judged.protocol,
        feeds_judged.feed,
        prices.chain_id as reference_chain_id,
        prices.protocol as reference_protocol,
        prices.feed as reference_feed,
        prices.price_at as reference_at,
        prices.price_quote as reference_price_quote,
        least(prices.price_at, prices.seen_at) as reference_seen_at
    from feeds_judged
    inner join prices
        on
            feeds_judged.asset = prices.asset
            and feeds_judged.quote = prices.quote
            and (feeds_judged.chain_id, feeds_judged.protocol, feeds_judged.feed)
            != (prices.chain_id, prices.protocol, prices.feed)

),

compared as (

    select
        moments.*,
        judged.price_at,
        judged.price_quote,
        judged.threshold_bps,
        judged.replaced_at,
        judged.is_over_weekend,
        abs(
            (moments.reference_price_quote - judged.price_quote)::varchar::double
            / judged.price_quote::varchar::double
            * 10000
        ) as move_bps
    from moments
    asof inner join judged
        on
            moments.asset = judged.asset
            and moments.quote = judged.quote
            and moments.chain_id = judged.chain_id
            and moments.protocol = judged.protocol
            and moments.feed = judged.feed
            and moments.reference_at >= judged.price_at

)

select
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    price_at,
    price_quote,
    threshold_bps,
    replaced_at,
    is_over_weekend,
    min(reference_at) as first_missed_at,
    count(*) as missed_count,
    max(move_bps) as largest_move_bps,
    (epoch_us(replaced_at) - epoch_us(first_missed_at))::double / 1000000 as late_seconds
from compared
where
    price_quote > 0
    and reference_price_quote > 0
    and reference_seen_at > price_at
    and move_bps > threshold_bps
group by
    asset, quote,
    chain_id, protocol, feed,
    reference_chain_id, reference_protocol, reference_feed,
    price_at, price_quote, threshold_bps, replaced_at, is_over_weekend
order by
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    price_at
