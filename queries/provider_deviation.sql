-- question: How far apart were the prices of two oracle providers on a chain, weighted by time?
-- reads:    oracle_updates
-- past:     oracle_updates
-- grain:    one row per pair of providers of an asset and quote on a chain
-- units:    *_bps 1 = 0.01 % of the reference, of the difference's size, whichever was higher;
--           compared_seconds of the window while both prices, the last of any feed of each, were
--           fresh, until either spoke again; off_ratio the share of that time beyond the threshold,
--           1 = 100 %. After the last price of a pair in it no time counts
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    pair text null (only this pair of symbols, like ETH/USD)
-- param:    threshold_bps magnitude 50 (between updates an oracle may differ so far by design)
-- param:    tolerance_seconds natural 3600 (how old a price may be and still count)
with

-- part: current_updates

-- part: unpriced

-- A provider is one source, whichever of its feeds spoke last.
prices as (

    select
        asset,
        quote,
        chain_id,
        provider as protocol,
        'any' as feed,
        block_timestamp,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_quote
    from current_updates
    where
        asset is not null
        and provider is not null
        and quote not in (select unpriced.quote from unpriced)
        and block_timestamp between $since - to_seconds($tolerance_seconds) and $until
        and ($pair is null or upper($pair) = asset || '/' || quote)
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
            and sources.chain_id = others.chain_id
            and sources.protocol < others.protocol

),

-- part: oracle_differences

lasting as (

    select
        asset,
        quote,
        chain_id,
        protocol as provider,
        reference_protocol as reference_provider,
        abs(deviation_bps) as absolute_bps,
        greatest(
            0, epoch_us(until_at) - epoch_us(greatest(moment_at, $since))
        ) / 1000000 as seconds
    from stretches

),

ranked as (

    select
        asset,
        quote,
        chain_id,
        provider,
        reference_provider,
        absolute_bps,
        seconds,
        sum(seconds) over (
            partition by asset, quote, chain_id, provider, reference_provider
            order by absolute_bps
            rows between unbounded preceding and current row
        ) as seconds_within,
        sum(seconds) over (
            partition by asset, quote, chain_id, provider, reference_provider
        ) as compared_seconds
    from lasting
    where seconds > 0 and absolute_bps is not null

)

select
    asset,
    quote,
    chain_id,
    provider,
    reference_provider,
    compared_seconds,
    sum(absolute_bps * seconds) / compared_seconds as mean_bps,
    min(absolute_bps) filter (where seconds_within >= 0.95 * compared_seconds) as p95_bps,
    min(absolute_bps) filter (where seconds_within >= 0.99 * compared_seconds) as p99_bps,
    max(absolute_bps) as max_bps,
    coalesce(sum(seconds) filter (where absolute_bps > $threshold_bps), 0)
    / compared_seconds as off_ratio
from ranked
group by asset, quote, chain_id, provider, reference_provider, compared_seconds
order by
    asset,
    quote,
    chain_id,
    provider,
    reference_provider
