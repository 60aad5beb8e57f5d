-- question: For how long, and how far, was an oracle off every other source of its asset?
-- reads:    oracle_updates
-- grain:    one row per source, other source of the same asset and quote, and period
-- units:    *_seconds seconds; *_bps 1 = 0.01 % of the reference, signed; area_bps_seconds beyond
--           the threshold
-- param:    threshold_bps natural 100 (a difference above this, either way, is off)
-- param:    tolerance_seconds natural 3600 (how old either price may get and still count)
-- param:    bucket_seconds count 86400 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.oracles.oracle_deviation_area
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
            != (others.chain_id, others.protocol, others.feed)

),

-- part: oracle_differences

begun as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        moment_at,
        until_at,
        deviation_bps,
        unnest(
            generate_series(
                time_bucket(to_seconds($bucket_seconds), moment_at, timestamp '1970-01-01'),
                until_at - to_microseconds(1),
                to_seconds($bucket_seconds)
            )
        ) as bucket_at
    from stretches
    where until_at > moment_at and deviation_bps is not null

),

within as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        bucket_at,
        deviation_bps,
        greatest(moment_at, bucket_at) as begins_at,
        epoch_us(least(until_at, bucket_at + to_seconds($bucket_seconds)))
        - epoch_us(begins_at) as lasting,
        abs(deviation_bps) - $threshold_bps as beyond_bps
    from begun

)

-- A sum of floats depends on the order, and that of a list keeps it.
select
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    bucket_at,
    sum(lasting)::double / 1000000 as compared_seconds,
    sum(case when beyond_bps > 0 then lasting else 0 end)::double / 1000000 as off_seconds,
    min(deviation_bps) as lowest_deviation_bps,
    max(deviation_bps) as highest_deviation_bps,
    list_sum(
        list(
            case when beyond_bps > 0 then beyond_bps * lasting else 0 end
            order by begins_at
        )
    ) * 1e-6 as area_bps_seconds
from within
group by all
order by
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    bucket_at
