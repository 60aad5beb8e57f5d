-- question: What was the largest deviation of each pair of oracles in each period?
-- reads:    oracle_updates
-- grain:    one row per source, other source and period with an update that could be compared
-- units:    *_bps 1 = 0.01 %, signed; *_quote quote currency; *_seconds whole
-- param:    tolerance_seconds natural 3600 (oldest reference that is still compared, inclusive)
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.oracle_extremes.oracle_deviation_extremes
with

-- part: deviations

placed as (

    select
        compared.*,
        time_bucket(
            to_seconds($bucket_seconds), compared.block_timestamp, timestamp '1970-01-01'
        ) as bucket_at
    from compared

),

ranked as (

    select
        placed.*,
        placed.deviation_bps is not null
        and row_number() over (
            partition by
                placed.asset, placed.quote,
                placed.chain_id, placed.protocol, placed.feed,
                placed.reference_chain_id, placed.reference_protocol, placed.reference_feed,
                placed.bucket_at
            order by
                abs(placed.deviation_bps) desc nulls last,
                placed.block_timestamp asc,
                placed.block_number asc,
                placed.log_index asc,
                placed.item_index asc,
                placed.oracle_price_quote asc
        ) = 1 as is_worst
    from placed

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
