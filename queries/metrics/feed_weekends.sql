-- question: Is a feed silent on every Saturday, as one whose market is closed, or on other days too?
-- reads:    oracle_updates
-- grain:    one row per asset, quote, chain, protocol and feed
-- units:    *_count whole UTC days after the feed's first update and before the last one of its chain,
--           on which any feed of the chain spoke: Saturdays, and days from Monday to Friday
-- twin of:  analytics.metrics.feeds.feed_weekends
with

-- Whether a sequencer is up is told when it changes: it is never silent. What was read at a block has a
-- log index below zero: between two readings a feed may have spoken.
updates as ( -- noqa: ST03

    select
        chain_id,
        protocol,
        feed,
        asset,
        quote,
        block_timestamp
    from oracle_updates
    where quote != 'DOWN' and log_index >= 0

),

-- part: feed_weekends

counted as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        saturday_count,
        silent_saturday_count,
        weekday_count,
        silent_weekday_count
    from weekends

)

select *
from counted
order by asset, quote, chain_id, protocol, feed
