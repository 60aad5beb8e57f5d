-- question: What was the largest deviation of each pair of oracles in each period?
-- reads:    oracle_updates
-- grain:    one row per source, other source and period with an update that could be compared
-- units:    *_bps 1 = 0.01 %, signed; *_quote quote currency; *_seconds whole
-- param:    tolerance_seconds natural 3600 (oldest reference that is still compared, inclusive)
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.oracle_extremes.oracle_deviation_extremes
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
        updates.oracle_price_quote
    from updates
    inner join sources
        on
            updates.asset = sources.asset
            and updates.quote = sources.quote
            and (updates.chain_id, updates.protocol, updates.feed)
            != (sources.chain_id, sources.protocol, sources.feed)

),

found as (

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
        found.*,
        time_bucket(
            to_seconds($bucket_seconds), found.block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        case
            when found.reference_price_quote > 0
                then
                    (found.oracle_price_quote - found.reference_price_quote)::varchar::double
                    / found.reference_price_quote::varchar::double
                    * 10000
        end as deviation_bps
    from found
    where found.age_microseconds <= $tolerance_seconds::bigint * 1000000

),

ranked as (

    select
        compared.*,
        compared.deviation_bps is not null
        and row_number() over (
            partition by
                compared.asset, compared.quote,
                compared.chain_id, compared.protocol, compared.feed,
                compared.reference_chain_id, compared.reference_protocol, compared.reference_feed,
                compared.bucket_at
            order by
                abs(compared.deviation_bps) desc nulls last,
                compared.block_timestamp asc,
                compared.block_number asc,
                compared.log_index asc,
                compared.item_index asc,
                compared.oracle_price_quote asc
        ) = 1 as is_worst
    from compared

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
    bucket_at,
    count(*) as comparison_count,
    min(deviation_bps) as lowest_deviation_bps,
    max(deviation_bps) as highest_deviation_bps,
    max(deviation_bps) filter (where is_worst) as worst_deviation_bps,
    max(block_timestamp) filter (where is_worst) as worst_at,
    max(block_number) filter (where is_worst) as worst_block_number,
    max(log_index) filter (where is_worst) as worst_log_index,
    max(oracle_price_quote) filter (where is_worst) as worst_price_quote,
    max(reference_price_quote) filter (where is_worst) as worst_reference_price_quote,
    max(age_microseconds // 1000000) as longest_staleness_seconds
from ranked
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
