-- question: Which oracle was off, against which other source, and for how long?
-- reads:    oracle_updates
-- past:     oracle_updates
-- grain:    one row per pair of sources of an asset that differed beyond the threshold; the source is
--           the first of both by chain, protocol and feed, the other one the reference
-- units:    *_bps 1 = 0.01 %, signed, source against reference, of moments off: when either spoke, or
--           the window began while it was off; seconds_off of the window while both were fresh, until
--           either spoke again. After the last price of a pair in it no time counts
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    threshold_bps magnitude 100 (a difference above this, either way, is off)
-- param:    tolerance_seconds natural 3600 (how old a price may be and still count)
with

-- part: comparable_updates

prices as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_quote
    from updates
    where block_timestamp between $since - to_seconds($tolerance_seconds) and $until
    group by all

),

sources as (

    select distinct
        asset,
        quote,
        chain_id,
        protocol,
        feed
    from prices

),

pairs as ( -- noqa: ST03

    select
        sources.asset,
        sources.quote,
        sources.chain_id,
        sources.protocol,
        sources.feed,
        others.chain_id as reference_chain_id,
        others.protocol as reference_protocol,
        others.feed as reference_feed
    from sources
    inner join sources as others
        on
            sources.asset = others.asset
            and sources.quote = others.quote
            and (sources.chain_id, sources.protocol, sources.feed)
            < (others.chain_id, others.protocol, others.feed)

),

-- part: oracle_differences

lasting as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        deviation_bps,
        greatest(moment_at, $since) as off_at,
        epoch_us(until_at) - epoch_us(off_at) as microseconds
    from stretches
    where
        abs(deviation_bps) > $threshold_bps
        and moment_at <= until_at
        and (moment_at >= $since or until_at > $since)

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
    count(*) as moments_off,
    min(deviation_bps) as lowest_deviation_bps,
    max(deviation_bps) as highest_deviation_bps,
    min(off_at) as first_off_at,
    max(off_at) as last_off_at,
    sum(microseconds) / 1000000 as seconds_off
from lasting
group by all
order by
    seconds_off desc,
    asset asc,
    quote asc,
    chain_id asc,
    protocol asc,
    feed asc,
    reference_chain_id asc,
    reference_protocol asc,
    reference_feed asc
