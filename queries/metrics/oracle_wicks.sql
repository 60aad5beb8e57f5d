-- question: How far did each feed spike from where a period closed?
-- reads:    oracle_updates
-- grain:    one row per feed and period with an update
-- units:    *_quote quote currency; *_bps 1 = 0.01 % of the close
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.feeds.oracle_wicks
with

-- part: unpriced

-- What was read at a block and seen before the period was the price of another one.
candles as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        count(*) as update_count,
        first(
            oracle_price_quote
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as open_price_quote,
        max(oracle_price_quote) as high_price_quote,
        min(oracle_price_quote) as low_price_quote,
        last(
            oracle_price_quote
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as close_price_quote
    from oracle_updates
    where
        quote not in (select unpriced.quote from unpriced)
        and (log_index >= 0 or coalesce(observed_at >= bucket_at, true))
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    case
        when close_price_quote > 0
            then
                (low_price_quote - close_price_quote)::varchar::double
                / close_price_quote::varchar::double
                * 10000
    end as wick_low_bps,
    case
        when close_price_quote > 0
            then
                (high_price_quote - close_price_quote)::varchar::double
                / close_price_quote::varchar::double
                * 10000
    end as wick_high_bps
from candles
order by asset, quote, chain_id, protocol, feed, bucket_at
